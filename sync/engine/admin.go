package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/outbox"
	"badgebridge/sync/reconcile"
)

// remoteName is what a remote may be called: it is part of addresses.
var remoteName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// AddRemote validates the configuration, checks the remote, pins its identity
// and stores it. webhookSecret is the last part of its webhook's address; "" keeps
// the one that it has, or makes one where an admin is to enter it at the remote. A remote of that name is reconfigured; its cursor and links stay. A
// remote that can't be checked is not stored: the error says why.
func (e *Engine) AddRemote(ctx context.Context, name adapters.Remote, kind, title string, config json.RawMessage, webhookSecret string) (store.Remote, error) {
	if !remoteName.MatchString(string(name)) {
		return store.Remote{}, &adapters.Error{Op: "add remote", Kind: adapters.ErrRejected,
			Words: fmt.Sprintf("the name %q must be 1 to 40 of a-z, 0-9 and -, and begin with a letter or digit", name)}
	}
	a, _, err := e.remote.make(name, kind, config)
	if err != nil {
		return store.Remote{}, err
	}
	call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	h, err := a.Check(call)
	if err != nil {
		return store.Remote{}, fmt.Errorf("check remote %s: %w", name, err)
	}
	return e.putRemote(ctx, a, store.Remote{Name: name, Kind: kind, Title: title, Config: config}, webhookSecret, h)
}

// DeclareRemote stores a remote that the configuration file names, without
// calling it: an absent remote must not stop the start.
func (e *Engine) DeclareRemote(ctx context.Context, name adapters.Remote, kind, title string, config json.RawMessage, webhookSecret string) (store.Remote, error) {
	a, _, err := e.remote.make(name, kind, config)
	if err != nil {
		return store.Remote{}, err
	}
	return e.putRemote(ctx, a, store.Remote{Name: name, Kind: kind, Title: title, Config: config, Declared: true}, webhookSecret, adapters.Health{})
}

// putRemote stores r, whose configuration is in clear.
func (e *Engine) putRemote(ctx context.Context, a adapters.Adapter, r store.Remote, webhookSecret string, h adapters.Health) (store.Remote, error) {
	name := r.Name
	sealed, err := e.cfg.Keyring.Seal(r.Config, sealAAD(name))
	if err != nil {
		return store.Remote{}, fmt.Errorf("seal the configuration of %s: %w", name, err)
	}
	now := store.Moment(e.cfg.Now())
	r.Config, r.Identity, r.State = []byte(sealed), h.Identity, store.RemoteActive
	r.CreatedAt, r.UpdatedAt, r.NextPull = now, now, now
	_, entered := a.(adapters.HintReader)
	var out store.Remote
	err = e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		old, err := tx.Remote(ctx, name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		r, secret := r, webhookSecret
		if r.WebhookHash, r.WebhookSecret = old.WebhookHash, old.WebhookSecret; secret == "" && r.WebhookHash == "" && entered {
			secret = newWebhookSecret()
		}
		if secret != "" && (webhookHash(secret) != r.WebhookHash || r.WebhookSecret == "") {
			if err := e.setWebhook(&r, secret); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, store.ErrNotFound):
			if err := tx.CreateRemote(ctx, r); err != nil {
				return err
			}
		default:
			if r.Identity == "" {
				r.Identity = old.Identity
			}
			if err := tx.PutRemoteConfig(ctx, r); err != nil {
				return err
			}
		}
		out, err = tx.Remote(ctx, name)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("store remote %s: %w", name, err)
	}
	if !r.Declared {
		if err := e.noteHealth(ctx, name, h, nil); err != nil {
			return out, err
		}
	}
	e.Wake()
	return out, nil
}

// RemoveRemote forgets a connection; awards and links stay.
func (e *Engine) RemoveRemote(ctx context.Context, name adapters.Remote) error {
	return e.cfg.Store.DeleteRemote(ctx, name)
}

// PauseRemote stops everything to and from a remote.
func (e *Engine) PauseRemote(ctx context.Context, name adapters.Remote, reason string) error {
	return e.cfg.Store.SetRemoteState(ctx, name, store.RemotePaused, reason)
}

// ResumeRemote makes a paused remote active. One that is read-only because
// another system answers needs AcceptIdentity: store.ErrStale.
func (e *Engine) ResumeRemote(ctx context.Context, name adapters.Remote) error {
	r, err := e.cfg.Store.Remote(ctx, name)
	if err != nil {
		return err
	}
	if r.State == store.RemoteReadOnly {
		return fmt.Errorf("resume remote %s: it is read-only: %w", name, store.ErrStale)
	}
	if err := e.cfg.Store.SetRemoteState(ctx, name, store.RemoteActive, ""); err != nil {
		return err
	}
	return e.RequestSync(ctx, name)
}

// AcceptIdentity is an admin's word that the system that answers now is the one
// that is meant: its identity is pinned and the remote is active again. An
// adapter that is bound to one site by its own configuration has to be paired
// again instead; its error says so.
func (e *Engine) AcceptIdentity(ctx context.Context, name adapters.Remote) error {
	_, a, err := e.adapter(ctx, e.cfg.Store, name)
	if err != nil {
		return err
	}
	call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	h, err := a.Check(call)
	if err != nil {
		return fmt.Errorf("accept the identity of %s: %w", name, err)
	}
	if err := e.cfg.Store.PinIdentity(ctx, name, h.Identity); err != nil {
		return err
	}
	if err := e.cfg.Store.SetRemoteState(ctx, name, store.RemoteActive, ""); err != nil {
		return err
	}
	return e.RequestSync(ctx, name)
}

// CheckRemote calls Check, records the health, and returns it.
func (e *Engine) CheckRemote(ctx context.Context, name adapters.Remote) (adapters.Health, error) {
	_, a, err := e.adapter(ctx, e.cfg.Store, name)
	if err != nil {
		return adapters.Health{}, err
	}
	call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	h, err := a.Check(call)
	if serr := e.noteHealth(ctx, name, h, err); serr != nil {
		return h, serr
	}
	if err != nil {
		return h, fmt.Errorf("check remote %s: %w", name, err)
	}
	return h, nil
}

// RequestSync asks the background loop for a pull of the remote, soon.
func (e *Engine) RequestSync(ctx context.Context, name adapters.Remote) error {
	if err := e.cfg.Store.MarkDirty(ctx, name); err != nil {
		return err
	}
	e.Wake()
	return nil
}

// SendAgain puts a rejected or held push back into the queue, or one that a
// person cancelled. A push whose outcome is in doubt is first looked for at the
// remote. personID is who asks, for the push's story. store.ErrStale when it is none
// of these.
func (e *Engine) SendAgain(ctx context.Context, pushID, personID string) error {
	p, err := e.cfg.Store.Push(ctx, pushID)
	if err != nil {
		return err
	}
	from, now := p.State, store.Moment(e.cfg.Now())
	p.UpdatedAt, p.By = now, personID
	switch {
	case p.State == store.PushHeld && p.Reason == outbox.Doubt,
		p.Unsure && (p.State == store.PushHeld || p.State == store.PushCancelled && p.Reason == reconcile.ByPerson):
		p.State, p.Reason, p.Attempts, p.NextAt = store.PushSent, outbox.Settling, 0, now
	case p.State == store.PushRejected, p.State == store.PushHeld,
		p.State == store.PushCancelled && p.Reason == reconcile.ByPerson,
		p.State == store.PushQueued: // due later: now
		p.State, p.Reason, p.Attempts, p.NextAt = store.PushQueued, "", 0, now
	default:
		return fmt.Errorf("send push %s again: it is %s: %w", pushID, p.State, store.ErrStale)
	}
	if err := e.remap(ctx, &p); err != nil {
		return fmt.Errorf("send push %s again: %w", pushID, err)
	}
	if err := e.cfg.Store.SavePush(ctx, p, from, "", false); err != nil {
		return fmt.Errorf("send push %s again: %w", pushID, err)
	}
	e.Wake()
	return nil
}

// remap gives a push whose mapping was deleted the one that an admin made in its
// place, if there is one.
func (e *Engine) remap(ctx context.Context, p *store.Push) error {
	st := e.cfg.Store
	if _, err := st.Mapping(ctx, p.MappingID); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	award, err := st.Award(ctx, p.AwardID)
	if err != nil {
		return err
	}
	mappings, err := st.MappingsOf(ctx, award.ClassID)
	for _, m := range mappings {
		other := m.ClassB
		if other == award.ClassID {
			other = m.ClassA
		}
		class, cerr := st.Class(ctx, other)
		if cerr == nil && class.Remote == p.Remote {
			p.MappingID = m.ID
			return nil
		}
		err = errors.Join(err, cerr)
	}
	return err
}

// CancelPush ends a push that is not being sent now: store.ErrStale otherwise.
// personID is who asks, for the push's story.
func (e *Engine) CancelPush(ctx context.Context, pushID, personID string) error {
	p, err := e.cfg.Store.Push(ctx, pushID)
	if err != nil {
		return err
	}
	from := p.State
	switch from {
	case store.PushWaiting, store.PushQueued, store.PushRejected, store.PushHeld:
	default:
		return fmt.Errorf("cancel push %s: it is %s: %w", pushID, from, store.ErrStale)
	}
	p.State, p.Reason, p.UpdatedAt = store.PushCancelled, reconcile.ByPerson, store.Moment(e.cfg.Now())
	p.By = personID
	if err := e.cfg.Store.SavePush(ctx, p, from, "", false); err != nil {
		return fmt.Errorf("cancel push %s: %w", pushID, err)
	}
	return nil
}
