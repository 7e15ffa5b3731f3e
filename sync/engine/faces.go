package engine

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"badgebridge/adapters"
	"badgebridge/store"
)

var errNotBuilt = errors.New("not built yet")

// Claim is the member's yes: from now on the public assertion answers, and what
// the policy makes depend on a claim is sent. Claiming twice is no error.
// store.ErrNotFound when the award is not this person's.
func (e *Engine) Claim(ctx context.Context, awardID, personID string) error { return errNotBuilt }

// Decline is the member's no. A claimed award can't be declined: store.ErrStale.
func (e *Engine) Decline(ctx context.Context, awardID, personID string) error { return errNotBuilt }

// SetVisibility says who sees the award's page.
func (e *Engine) SetVisibility(ctx context.Context, awardID, personID string, v store.Visibility) error {
	return errNotBuilt
}

// SetName records a person's names; pushes that waited for them go on.
func (e *Engine) SetName(ctx context.Context, personID, given, family string) error {
	return errNotBuilt
}

// Adopt gives a person the awards to an address that they have proven.
func (e *Engine) Adopt(ctx context.Context, personID, email string) error { return errNotBuilt }

// Preview is what a policy would do: a dry run.
type Preview struct {
	Actions []PreviewAction // at most 500
	// Counts by what would happen: "issue now", "wait for claim", "wait for
	// name", "there already", "revoke"…
	Counts map[string]int
	Total  int
}

// PreviewAction is one award in a dry run.
type PreviewAction struct {
	AwardID string
	Remote  adapters.Remote
	Op      store.Op
	State   store.PushState
	Reason  string
	Badge   string
	Who     string // shortened address or name
}

// DryRun says what the mapping would do to the awards that exist, without
// doing any of it. A mapping with an ID stands in for the stored one.
func (e *Engine) DryRun(ctx context.Context, m store.Mapping) (Preview, error) {
	return Preview{}, errNotBuilt
}

// PutMapping creates (ID "") or changes a mapping and plans the awards that it
// concerns.
func (e *Engine) PutMapping(ctx context.Context, m store.Mapping) (store.Mapping, error) {
	return store.Mapping{}, errNotBuilt
}

// DeleteMapping ends a mapping. Copies that exist stay; what waits is cancelled.
func (e *Engine) DeleteMapping(ctx context.Context, id string) error { return errNotBuilt }

// SendAgain puts a rejected or held push back into the queue. A held push whose
// outcome is in doubt is first looked for at the remote.
func (e *Engine) SendAgain(ctx context.Context, pushID string) error { return errNotBuilt }

// CancelPush ends an open, rejected or held push that is not being sent now.
func (e *Engine) CancelPush(ctx context.Context, pushID string) error { return errNotBuilt }

// AddRemote validates the configuration, checks the remote, pins its identity
// and stores it. webhookSecret is the last part of its webhook's address, ""
// for none. An existing remote of that name is reconfigured.
func (e *Engine) AddRemote(ctx context.Context, name adapters.Remote, kind, title string, config json.RawMessage, webhookSecret string) (store.Remote, error) {
	return store.Remote{}, errNotBuilt
}

// RemoveRemote forgets a connection; awards and links stay.
func (e *Engine) RemoveRemote(ctx context.Context, name adapters.Remote) error { return errNotBuilt }

// PauseRemote stops everything to and from a remote; ResumeRemote goes on.
func (e *Engine) PauseRemote(ctx context.Context, name adapters.Remote, reason string) error {
	return errNotBuilt
}

// ResumeRemote makes a paused remote active.
func (e *Engine) ResumeRemote(ctx context.Context, name adapters.Remote) error { return errNotBuilt }

// AcceptIdentity is an admin's word that the system that answers now is the one
// that is meant: its identity is pinned and the remote is active again.
func (e *Engine) AcceptIdentity(ctx context.Context, name adapters.Remote) error { return errNotBuilt }

// CheckRemote calls Check, records the health, and returns it.
func (e *Engine) CheckRemote(ctx context.Context, name adapters.Remote) (adapters.Health, error) {
	return adapters.Health{}, errNotBuilt
}

// SyncOptions narrows a Sync.
type SyncOptions struct {
	Cause string // "person", "command", "schedule"
	Full  bool   // list everything, too
	Dry   bool   // read and plan, write nothing but the run
}

// Sync pulls one remote now and returns its run. A remote that another process
// pulls at the moment gives store.ErrStale.
func (e *Engine) Sync(ctx context.Context, name adapters.Remote, o SyncOptions) (store.Run, error) {
	return store.Run{}, errNotBuilt
}

// RequestSync asks the background loop for a pull of the remote, soon.
func (e *Engine) RequestSync(ctx context.Context, name adapters.Remote) error { return errNotBuilt }

// Webhook takes a remote's webhook: secret is the last part of its address.
// store.ErrNotFound when there is no such webhook, adapters.ErrUnauthorized when
// the call is not from the remote.
func (e *Engine) Webhook(ctx context.Context, secret string, h http.Header, body []byte) error {
	return errNotBuilt
}

// Run works until ctx ends: pulls what is due, sends what is queued.
func (e *Engine) Run(ctx context.Context) error { return errNotBuilt }
