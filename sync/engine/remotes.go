package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"badgebridge/adapters"
	"badgebridge/store"
)

// remotes keeps the opened adapters. An adapter lives as long as its
// configuration stays the same.
type remotes struct {
	cfg  Config
	mu   sync.Mutex
	open map[adapters.Remote]opened
}

type opened struct {
	sealed  []byte
	adapter adapters.Adapter
	hosts   []string
}

func newRemotes(cfg Config) *remotes {
	return &remotes{cfg: cfg, open: map[adapters.Remote]opened{}}
}

// sealAAD binds a sealed configuration to its remote.
func sealAAD(name adapters.Remote) string { return "remotes/config/" + string(name) }

// get returns the adapter of r. It does no I/O.
func (rs *remotes) get(r store.Remote) (adapters.Adapter, []string, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if o, ok := rs.open[r.Name]; ok && bytes.Equal(o.sealed, r.Config) {
		return o.adapter, o.hosts, nil
	}
	config, err := rs.cfg.Keyring.Open(string(r.Config), sealAAD(r.Name))
	if err != nil {
		return nil, nil, fmt.Errorf("remote %s: its configuration can't be opened with the master key: %w", r.Name, err)
	}
	a, hosts, err := rs.make(r.Name, r.Kind, config)
	if err != nil {
		return nil, nil, err
	}
	rs.open[r.Name] = opened{sealed: r.Config, adapter: a, hosts: hosts}
	return a, hosts, nil
}

// ErrConfig: a remote's configuration is not valid. The error beside it says which
// field, why, and what to do, and shows no secret.
var ErrConfig = errors.New("the configuration is not valid")

// make builds an adapter from a configuration in clear.
func (rs *remotes) make(name adapters.Remote, kind string, config json.RawMessage) (adapters.Adapter, []string, error) {
	for _, d := range rs.cfg.Drivers {
		if d.Kind != kind {
			continue
		}
		hosts, err := d.Hosts(config)
		if err != nil {
			return nil, nil, fmt.Errorf("remote %s: %w: %w", name, ErrConfig, err)
		}
		a, err := d.New(config, rs.cfg.Client(name, hosts))
		if err != nil {
			return nil, nil, fmt.Errorf("remote %s: %w: %w", name, ErrConfig, err)
		}
		return a, hosts, nil
	}
	return nil, nil, fmt.Errorf("remote %s: there is no driver of kind %q", name, kind)
}

// adapter returns the stored remote and its adapter.
func (e *Engine) adapter(ctx context.Context, tx store.Remotes, name adapters.Remote) (store.Remote, adapters.Adapter, error) {
	r, err := tx.Remote(ctx, name)
	if err != nil {
		return r, nil, fmt.Errorf("remote %s: %w", name, err)
	}
	a, _, err := e.remote.get(r)
	return r, a, err
}
