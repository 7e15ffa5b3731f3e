// Package mail sends letters: by SMTP, or in the demo into a mailbox in memory.
// What the letters say is not its business.
package mail

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Message is one letter to one person.
type Message struct {
	To      string // an address
	Subject string
	Text    string
	HTML    string            // "" none: then the letter is plain text
	Headers map[string]string // further ones, for example List-Unsubscribe
}

// Sender sends letters. The errors are ErrNotSet, ErrPermanent and ErrTemporary;
// none of them carries a credential or an address.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// The ways in which sending fails.
var (
	// ErrNotSet: nobody has said yet how mail is sent.
	ErrNotSet = errors.New("mail is not set up")
	// ErrPermanent: trying again does not help: the letter or the recipient was
	// refused.
	ErrPermanent = errors.New("the letter was refused")
	// ErrTemporary: the mail server can't be reached, refuses us for now, or does
	// not accept our account. Worth another try later.
	ErrTemporary = errors.New("the letter could not be sent now")
)

const (
	maxSubject = 500
	maxBody    = 1 << 20
	maxHeaders = 20
)

// check refuses what could smuggle a header into a letter, and the absurd.
func (m Message) check() error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrPermanent, what) }
	if m.To == "" || strings.ContainsAny(m.To, "\r\n\x00,;<> ") || !strings.Contains(m.To, "@") {
		return bad("no recipient, or more than one")
	}
	if strings.ContainsAny(m.Subject, "\r\n\x00") || len(m.Subject) > maxSubject {
		return bad("the subject is no single line")
	}
	if len(m.Text) > maxBody || len(m.HTML) > maxBody {
		return bad("too long")
	}
	if m.Text == "" && m.HTML == "" {
		return bad("empty")
	}
	if len(m.Headers) > maxHeaders {
		return bad("too many headers")
	}
	for k, v := range m.Headers {
		if k == "" || strings.ContainsAny(k, "\r\n\x00: ") || strings.ContainsAny(v, "\r\n\x00") {
			return bad("a header is not one line")
		}
		switch strings.ToLower(k) {
		case "to", "from", "cc", "bcc", "subject", "sender", "content-type", "mime-version", "content-transfer-encoding":
			return bad("the header " + k + " is not for callers")
		}
	}
	return nil
}

// Switch sends by the settings of the moment: they are read for each letter, so
// that a change on the admin pages counts at once, at every replica.
type Switch struct {
	// Settings returns how mail is sent now; ok false when nobody has said.
	Settings func(ctx context.Context) (s SMTP, ok bool, err error)
	// Otherwise takes letters while there are no settings; nil: ErrNotSet.
	Otherwise Sender
}

// Send reads the settings and sends.
func (s Switch) Send(ctx context.Context, m Message) error {
	set, ok, err := s.Settings(ctx)
	if err != nil {
		return fmt.Errorf("%w: read the mail settings: %w", ErrTemporary, err)
	}
	if ok {
		return set.Send(ctx, m)
	}
	if s.Otherwise != nil {
		return s.Otherwise.Send(ctx, m)
	}
	return ErrNotSet
}
