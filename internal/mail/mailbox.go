package mail

import (
	"context"
	"strconv"
	"sync"
	"time"
)

// MailboxSize is how many letters a Mailbox keeps.
const MailboxSize = 200

// Letter is a message that a Mailbox keeps.
type Letter struct {
	ID string
	At time.Time
	Message
}

// Mailbox keeps the last letters in memory instead of sending them: for the
// demo and for tests. It is safe for concurrent use.
type Mailbox struct {
	now func() time.Time

	mu      sync.Mutex
	count   int
	letters []Letter // oldest first
}

// NewMailbox makes an empty one.
func NewMailbox(now func() time.Time) *Mailbox { return &Mailbox{now: now} }

// Send keeps the letter, and forgets the oldest one when there are too many.
func (b *Mailbox) Send(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count++
	if len(b.letters) >= MailboxSize {
		b.letters = append([]Letter(nil), b.letters[len(b.letters)-MailboxSize+1:]...)
	}
	b.letters = append(b.letters, Letter{ID: strconv.Itoa(b.count), At: b.now(), Message: m})
	return nil
}

// Letters lists them, newest first.
func (b *Mailbox) Letters() []Letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Letter, 0, len(b.letters))
	for i := len(b.letters) - 1; i >= 0; i-- {
		out = append(out, b.letters[i])
	}
	return out
}

// Letter finds one by its ID.
func (b *Mailbox) Letter(id string) (Letter, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.letters {
		if l.ID == id {
			return l, true
		}
	}
	return Letter{}, false
}
