package engine

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

const (
	// maxHints is how many hints one run asks the remote about; with more waiting
	// it is cheaper to read its changes.
	maxHints = 25
	// hintTries is how often a remote is asked about an event that it does not
	// know. Changes finds what the event was about all the same.
	hintTries = 3
)

// webhookHash is what the store keeps of the last part of a webhook's address.
func webhookHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func newWebhookSecret() string {
	var b [20]byte
	_, _ = rand.Read(b[:])
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

func webhookAAD(name adapters.Remote) string { return "remotes/webhook/" + string(name) }

// setWebhook gives r the address that ends with secret.
func (e *Engine) setWebhook(r *store.Remote, secret string) error {
	sealed, err := e.cfg.Keyring.Seal([]byte(secret), webhookAAD(r.Name))
	if err != nil {
		return fmt.Errorf("seal the webhook's address of %s: %w", r.Name, err)
	}
	r.WebhookHash, r.WebhookSecret = webhookHash(secret), sealed
	return nil
}

// WebhookPath is where a remote is to send its webhooks, below the public base
// URL; "" when it sends none, or was told an address that was not kept. Whoever
// knows it can make the gateway look at the remote, and nothing more.
func (e *Engine) WebhookPath(r store.Remote) (string, error) {
	if r.WebhookSecret == "" {
		return "", nil
	}
	secret, err := e.cfg.Keyring.Open(r.WebhookSecret, webhookAAD(r.Name))
	if err != nil {
		return "", fmt.Errorf("the webhook's address of %s can't be opened with the master key: %w", r.Name, err)
	}
	return "/webhooks/" + string(r.Name) + "/" + string(secret), nil
}

// RenewWebhook gives a remote another address for its webhooks; the old one is
// dead at once. store.ErrNotFound when an admin has nothing to enter at that
// remote: a paired site has its address from the pairing.
func (e *Engine) RenewWebhook(ctx context.Context, name adapters.Remote) error {
	r, a, err := e.adapter(ctx, e.cfg.Store, name)
	if err != nil {
		return err
	}
	if _, ok := a.(adapters.HintReader); !ok {
		return fmt.Errorf("renew the webhook of %s: %w", name, store.ErrNotFound)
	}
	if err := e.setWebhook(&r, newWebhookSecret()); err != nil {
		return err
	}
	return e.cfg.Store.PutRemoteConfig(ctx, r)
}

// Webhook takes a webhook that came to the address of name and secret.
// store.ErrNotFound when there is no such address, adapters.ErrUnauthorized when
// the call is not from the remote. What it says is only a hint: the remote is
// asked soon, about just that event where it can be, or for all that changed.
func (e *Engine) Webhook(ctx context.Context, name adapters.Remote, secret string, h http.Header, body []byte) error {
	r, err := e.cfg.Store.Remote(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	// A remote that is not there, and one without a webhook, are compared too.
	if subtle.ConstantTimeCompare([]byte(webhookHash(secret)), []byte(r.WebhookHash)) != 1 {
		return fmt.Errorf("webhook: %w", store.ErrNotFound)
	}
	_, a, err := e.adapter(ctx, e.cfg.Store, r.Name)
	if err != nil {
		return err
	}
	n, ok := a.(adapters.Notifier)
	if !ok {
		return store.ErrNotFound
	}
	hints, err := n.ParseWebhook(h, body)
	if err != nil {
		return fmt.Errorf("webhook of %s: %w", r.Name, err)
	}
	_, readable := a.(adapters.HintReader)
	return e.noteHints(ctx, r.Name, hints, readable)
}

// noteHints remembers what a webhook named and asks for a look at the remote,
// unless all of it came before.
func (e *Engine) noteHints(ctx context.Context, name adapters.Remote, hints []adapters.Hint, readable bool) error {
	now := store.Moment(e.cfg.Now())
	pull, read := len(hints) == 0, false
	for _, hint := range hints {
		if hint.ID == "" {
			pull = true
			continue
		}
		state := store.Hint{Remote: name, ID: hint.ID, ReceivedAt: now, NextAt: now}
		first, err := e.cfg.Store.AddHint(ctx, state)
		if err != nil {
			return err
		}
		if first && !readable {
			// Nothing more can be asked about it than what changed at all.
			state.State = store.HintPulled
			if err := e.cfg.Store.PutHint(ctx, state); err != nil {
				return err
			}
		}
		pull, read = pull || first && !readable, read || first
	}
	if pull {
		return e.RequestSync(ctx, name)
	}
	if read {
		e.Wake()
	}
	return nil
}

// onlyHints: the remote is due because of webhooks alone.
func (e *Engine) onlyHints(r store.Remote, a adapters.Adapter, dirty bool) bool {
	_, readable := a.(adapters.HintReader)
	now := e.cfg.Now()
	return readable && !dirty && r.Cursor != "" && r.ListCursor == "" && now.Before(r.NextPull) && now.Before(r.NextList)
}

// hints asks the remote about what its webhooks named and records what it says.
// all is true when its changes are to be read instead.
func (p *pull) hints(ctx context.Context) (all bool, err error) {
	e := p.e
	due, err := e.cfg.Store.DueHints(ctx, p.remote.Name, e.cfg.Now(), maxHints+1)
	if err != nil || len(due) > maxHints {
		return len(due) > maxHints, err
	}
	catalog := false
	for _, h := range due {
		call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
		said, err := p.adapter.(adapters.HintReader).ReadHint(call, adapters.Hint{ID: h.ID}) //nolint:forcetypeassert // onlyHints looked
		cancel()
		switch {
		case errors.Is(err, adapters.ErrUnauthorized):
			return true, nil // the pull says so on the remote
		case err != nil:
			if perr := p.postpone(ctx, h, err); perr != nil {
				return false, perr
			}
			if adapters.Temporary(err) {
				return false, err
			}
			continue
		}
		if err := p.confirm(ctx, h, said); err != nil {
			return false, err
		}
		catalog = catalog || said.Catalog
	}
	if catalog {
		return false, p.classes(ctx)
	}
	return false, nil
}

// confirm records what the remote said about a hint.
func (p *pull) confirm(ctx context.Context, h store.Hint, said adapters.Hinted) error {
	h.State, h.Attempts = store.HintConfirmed, h.Attempts+1
	return p.page(ctx, adapters.Page{Records: said.Records}, true, func(tx store.Tx) error {
		for _, c := range said.Classes {
			if _, _, err := p.e.putClass(ctx, tx, c, p.remote.Name, true); err != nil {
				return err
			}
		}
		return tx.PutHint(ctx, h)
	})
}

// postpone has the remote asked about a hint again later, a few times where it
// does not know it.
func (p *pull) postpone(ctx context.Context, h store.Hint, err error) error {
	h.Attempts++
	wait := time.Minute << min(h.Attempts-1, 6)
	if f, ok := p.adapter.(adapters.Finder); ok {
		wait = max(wait, f.Settle())
	}
	h.NextAt = store.Moment(p.e.cfg.Now().Add(max(wait, adapters.RetryAfter(err))))
	if !adapters.Temporary(err) && h.Attempts >= hintTries {
		h.State = store.HintUnknown
	}
	return p.e.cfg.Store.PutHint(ctx, h)
}
