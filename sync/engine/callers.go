package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

// Site is a remote whose users are people of ours, too.
type Site struct {
	Remote store.Remote
	adapters.SignIn
	Provider bool // SignIn is an OpenID provider; else Issuer only names the users
}

// Sites lists the remotes that prove who their users are, by name.
func (e *Engine) Sites(ctx context.Context) ([]Site, error) {
	all, err := e.cfg.Store.Remotes(ctx)
	if err != nil {
		return nil, fmt.Errorf("sites: %w", err)
	}
	var out []Site
	for _, r := range all {
		a, _, err := e.remote.get(r)
		if err != nil {
			e.cfg.Log.WarnContext(ctx, "a remote can't be opened", "remote", r.Name, "error", err)
			continue
		}
		if p, ok := a.(adapters.SignInProvider); ok {
			s := Site{Remote: r}
			s.SignIn, s.Provider = p.SignIn()
			out = append(out, s)
		}
	}
	return out, nil
}

// nonceLife is how long the nonce of a call is remembered: twice the time that
// its signature's own time may be off.
const nonceLife = 10 * time.Minute

// CallFrom checks a call that says it is from a remote. store.ErrNotFound when
// there is no such remote or it makes no calls, adapters.ErrUnauthorized when
// the call is not its own, adapters.ErrIdentity when it is a copy of it.
func (e *Engine) CallFrom(ctx context.Context, name adapters.Remote, c adapters.Call) (Site, error) {
	r, a, err := e.adapter(ctx, e.cfg.Store, name)
	if err != nil {
		return Site{}, err
	}
	caller, ok := a.(adapters.Caller)
	if !ok {
		return Site{}, store.ErrNotFound
	}
	now := e.cfg.Now()
	c.Fresh = func(nonce string) (bool, error) {
		return e.cfg.Store.UseOnce(ctx, "call/"+string(name), nonce, now, now.Add(nonceLife))
	}
	if err := caller.Authenticate(c); err != nil {
		return Site{}, fmt.Errorf("call of %s: %w", name, err)
	}
	s := Site{Remote: r}
	if p, ok := a.(adapters.SignInProvider); ok {
		s.SignIn, s.Provider = p.SignIn()
	}
	return s, nil
}

// Entry names a record in a site's call.
type Entry struct {
	ID          int64  `json:"entry_id"`
	Fingerprint string `json:"fingerprint"`
}

// Known is what is known of an Entry.
type Known struct {
	Entry
	Link  store.Link
	Award store.Award
}

// KnownAt finds the awards of records that a site names; what is not known (yet)
// is left out.
func (e *Engine) KnownAt(ctx context.Context, name adapters.Remote, entries []Entry) ([]Known, error) {
	_, a, err := e.adapter(ctx, e.cfg.Store, name)
	if err != nil {
		return nil, err
	}
	caller, ok := a.(adapters.Caller)
	if !ok {
		return nil, store.ErrNotFound
	}
	out := make([]Known, 0, len(entries))
	for _, entry := range entries {
		ref, err := caller.Entry(entry.ID, entry.Fingerprint)
		if err != nil {
			return nil, err
		}
		link, err := e.cfg.Store.Link(ctx, name, ref)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", entry.ID, err)
		}
		award, err := e.cfg.Store.Award(ctx, link.AwardID)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", entry.ID, err)
		}
		out = append(out, Known{Entry: entry, Link: link, Award: award})
	}
	return out, nil
}

// AdoptFrom gives a person the awards that a site made to its user whom the
// person is. An award that is a copy there, or somebody else's already, is left.
func (e *Engine) AdoptFrom(ctx context.Context, name adapters.Remote, personID string, known []Known) error {
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		for _, k := range known {
			if k.Link.Role != store.RoleOrigin || k.Link.Remote != name {
				continue
			}
			award, err := tx.Award(ctx, k.Award.ID)
			if err != nil {
				return err
			}
			if award.PersonID != "" {
				continue
			}
			award.PersonID, award.UpdatedAt = personID, store.Moment(e.cfg.Now())
			if _, err := tx.PutAward(ctx, award); err != nil {
				return err
			}
			person, err := tx.Person(ctx, personID)
			if err != nil {
				return err
			}
			if err := e.learnName(ctx, tx, person, award.ID); err != nil {
				return err
			}
			if _, err := e.plan(ctx, tx, award.ID, "member known"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("adopt awards of %s: %w", name, err)
	}
	e.Wake()
	return nil
}

// Rekey replaces the key of a remote: the new one is stored beside the old one
// before the remote hears of it, so that neither a crash nor a lost answer locks
// anybody out. Called again after a failure it goes on. store.ErrNotFound when
// the remote has no key that can be replaced.
func (e *Engine) Rekey(ctx context.Context, name adapters.Remote) error {
	r, a, err := e.adapter(ctx, e.cfg.Store, name)
	if err != nil {
		return err
	}
	k, ok := a.(adapters.Rekeyer)
	if !ok {
		return store.ErrNotFound
	}
	config, err := k.NextKey()
	if err == nil {
		err = e.reconfigure(ctx, r, config)
	}
	if err != nil {
		return fmt.Errorf("replace the key of %s: %w", name, err)
	}
	if r, a, err = e.adapter(ctx, e.cfg.Store, name); err != nil {
		return err
	}
	call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	if config, err = a.(adapters.Rekeyer).Rekey(call); err != nil { //nolint:forcetypeassert // the same driver made both
		return fmt.Errorf("replace the key of %s: %w", name, err)
	}
	return e.reconfigure(ctx, r, config)
}

func (e *Engine) reconfigure(ctx context.Context, r store.Remote, config []byte) error {
	if _, _, err := e.remote.make(r.Name, r.Kind, config); err != nil {
		return err
	}
	sealed, err := e.cfg.Keyring.Seal(config, sealAAD(r.Name))
	if err != nil {
		return err
	}
	r.Config, r.UpdatedAt = []byte(sealed), store.Moment(e.cfg.Now())
	return e.cfg.Store.PutRemoteConfig(ctx, r)
}

// CutRemote tells a remote that the connection has ended, where it can be told,
// and forgets it. Awards and links stay. told is false when it could not be
// told: then it has to be cut there, too.
func (e *Engine) CutRemote(ctx context.Context, name adapters.Remote) (told bool, err error) {
	_, a, err := e.adapter(ctx, e.cfg.Store, name)
	if c, ok := a.(adapters.Cutter); ok && err == nil {
		call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
		defer cancel()
		if err := c.CutPairing(call); err != nil {
			e.cfg.Log.WarnContext(ctx, "the remote was not told that it is cut off", "remote", name, "error", err)
		} else {
			told = true
		}
	} else {
		told = err == nil
	}
	return told, e.RemoveRemote(ctx, name)
}
