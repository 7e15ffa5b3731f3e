package credly

import (
	"fmt"
	"slices"
)

// user is the account that has confirmed an address.
func (s *Sim) user(address string) *User {
	return s.st.emails[emailKey(address)]
}

// account is the account with an id.
func (s *Sim) account(id string) *User { return s.st.accounts[id] }

// reachedBy are the badges that go to an address or to the account that has it,
// oldest first.
func (s *Sim) reachedBy(address string, more ...*User) []*Badge {
	found := slices.Clone(s.st.byEmail[emailKey(address)])
	for _, u := range append(more, s.user(address)) {
		if u == nil {
			continue
		}
		found = append(found, s.st.byUser[u.ID]...)
		for _, e := range u.Emails {
			found = append(found, s.st.byEmail[emailKey(e)]...)
		}
	}
	return inOrder(found)
}

// inOrder sorts badges, oldest first, and leaves out what is there twice.
func inOrder(in []*Badge) []*Badge {
	slices.SortFunc(in, func(a, b *Badge) int { return a.place - b.place })
	return slices.Compact(in)
}

// earner is the account that a badge belongs to, nil when there is none.
func (s *Sim) earner(b *Badge) *User {
	if u := s.account(b.UserID); u != nil {
		return u
	}
	return s.user(b.Email)
}

// Accept is the earner's yes to a badge, in the account that has its address. An
// earner without an account gets one.
func (s *Sim) Accept(id string) error { return s.AcceptAs(id, "") }

// AcceptAs is the yes of somebody who is signed in to another account (a User's
// ID): the badge's address becomes one of that account's. "" is Accept.
func (s *Sim) AcceptAs(id, user string) error { return s.answer(id, Accepted, user) }

// Reject is the earner's no.
func (s *Sim) Reject(id string) error { return s.answer(id, Rejected, "") }

func (s *Sim) answer(id, to, as string) error {
	return s.change(id, func(b *Badge) error {
		if b.State != Pending || b.Replacement != "" {
			return fmt.Errorf("badge %s is %s, not pending", id, b.State)
		}
		u, owner := s.account(as), s.user(b.Email)
		switch {
		case as != "" && u == nil:
			return fmt.Errorf("no account %s", as)
		case as != "" && owner != nil && owner != u:
			return fmt.Errorf("%s belongs to another account", b.Email)
		case u == nil:
			u = s.earner(b)
		}
		if u == nil {
			u = &User{ID: newID(), Emails: []string{b.Email}, FirstName: b.FirstName, LastName: b.LastName, Slug: slug(b.FirstName + " " + b.LastName)}
			s.st.Users = append(s.st.Users, u)
		}
		if as != "" && owner == nil {
			u.Emails = append(u.Emails, b.Email)
		}
		u.Unconfirmed = slices.DeleteFunc(u.Unconfirmed, func(e string) bool { return s.sameEmail(e, b.Email) })
		s.indexUser(u)
		s.st.byUser[b.UserID] = slices.DeleteFunc(s.st.byUser[b.UserID], func(o *Badge) bool { return o == b })
		b.UserID = u.ID
		s.st.byUser[u.ID] = append(s.st.byUser[u.ID], b)
		s.setState(b, to)
		return nil
	})
}

// The kinds of mail.
const (
	MailIssued   = "issued"   // a badge waits to be accepted
	MailRevoked  = "revoked"  // a badge was taken back
	MailReplaced = "replaced" // a badge was put in the place of another
)

// mail notes a mail that Credly would have sent. Nothing is sent.
func (s *Sim) mail(b *Badge, kind string) {
	s.st.Mails = append(s.st.Mails, &Mail{To: b.Email, Kind: kind, BadgeID: b.ID, At: s.now()})
}

// mailIssued tells the recipient of a fresh badge, unless that was suppressed,
// and notes the event that Credly documents for it.
func (s *Sim) mailIssued(b *Badge) {
	if b.SuppressMail {
		return
	}
	s.mail(b, MailIssued)
	if s.opt.NoMailEvents || b.State != Pending {
		return
	}
	kind := "pending_badge_notification.no_user.sent"
	if s.earner(b) != nil {
		kind = "pending_badge_notification.sent"
	}
	for _, u := range s.st.Users {
		if slices.ContainsFunc(u.Unconfirmed, func(e string) bool { return s.sameEmail(e, b.Email) }) {
			kind = "pending_badge_notification.unconfirmed_email.sent"
		}
	}
	s.event(b.OrgID, kind, b, nil)
}
