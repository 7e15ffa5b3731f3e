package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
)

// sending is what leaves the association with a claim: where to, under which
// name, and to which of the member's addresses.
type sending struct {
	Places    []string
	Name      string
	Address   string // that is used unless the member chooses another
	Addresses []string
}

// Chosen is the address as a claim names it: only one that the member has proven.
func (v sending) Chosen() string {
	for _, a := range v.Addresses {
		if a == v.Address {
			return a
		}
	}
	return ""
}

// sending finds out what a claim of the badge would send. Without a policy that
// sends it anywhere there are no places.
func (s *Server) sending(c *gin.Context, b badge) (sending, error) {
	ctx := c.Request.Context()
	var out sending
	mappings, err := s.cfg.Store.MappingsOf(ctx, b.ClassID)
	if err != nil {
		return out, fmt.Errorf("where the badge goes: %w", err)
	}
	for _, m := range mappings {
		other, when := m.ClassB, m.AToB
		if m.ClassB == b.ClassID {
			other, when = m.ClassA, m.BToA
		}
		if quiet(when) || m.Paused != "" {
			continue
		}
		cl, err := s.cfg.Store.Class(ctx, other)
		if err != nil {
			return out, fmt.Errorf("where the badge goes: %w", err)
		}
		if kind, title := s.remoteTitle(ctx, cl.Remote); !isSite(kind) && cl.Remote != b.Origin {
			out.Places = append(out.Places, title)
		}
	}
	if len(out.Places) == 0 {
		return out, nil
	}
	v := visitorOf(c)
	named := openbadges.Recipient{GivenName: v.GivenName, FamilyName: v.FamilyName}
	if !named.Named() {
		named = b.Recipient
	}
	out.Name = named.Name()
	if out.Address, err = s.sentTo(ctx, b); err == nil {
		out.Addresses, err = s.provenAddresses(ctx, v.PersonID)
	}
	return out, err
}

// sentTo is the address that an award is sent to.
func (s *Server) sentTo(ctx context.Context, b badge) (string, error) {
	d, err := s.cfg.Store.Destination(ctx, b.ID)
	switch {
	case err == nil:
		return d.Email, nil
	case !errors.Is(err, store.ErrNotFound):
		return "", fmt.Errorf("where the badge goes: %w", err)
	case b.Recipient.Type == openbadges.IdentityEmail && !b.Recipient.Hashed:
		return b.Recipient.Identity, nil
	}
	return "", nil
}

func (s *Server) provenAddresses(ctx context.Context, personID string) ([]string, error) {
	ids, err := s.cfg.Store.IdentifiersOf(ctx, personID)
	if err != nil {
		return nil, fmt.Errorf("addresses: %w", err)
	}
	var out []string
	for _, id := range ids {
		if id.Type == openbadges.IdentityEmail {
			out = append(out, id.Value)
		}
	}
	return out, nil
}

// replacedCopy says that a copy was taken back, or is about to be, because a
// later one was asked for.
func replacedCopy(l store.Link, pushes []store.Push) bool {
	for _, p := range pushes {
		if l.Role == store.RoleCopy && p.Op == store.OpIssue && p.Remote == l.Remote && p.Generation > max(l.Generation, 1) && p.State != store.PushCancelled {
			return true
		}
	}
	return false
}

func openAt(pushes []store.Push, remote adapters.Remote) bool {
	for _, p := range pushes {
		if p.Remote == remote && p.State.Open() {
			return true
		}
	}
	return false
}

// sendElsewhere issues a copy that nobody has accepted again to another address.
func (s *Server) sendElsewhere(c *gin.Context) {
	id := c.Param("id")
	err := s.cfg.Engine.SendElsewhere(c.Request.Context(), id, visitorOf(c).PersonID, adapters.Remote(c.PostForm("remote")), c.PostForm("email"))
	if err != nil {
		s.fail(c, fmt.Errorf("send elsewhere: %w", err))
		return
	}
	s.say(c, "ok", "sent-elsewhere", nil)
	c.Redirect(http.StatusSeeOther, "/badges/"+id+"#copies")
}
