package login_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"badgebridge/auth/login"
	"badgebridge/internal/secret"
	"badgebridge/internal/testenv/database"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
)

const base = "http://localhost:8080"

// world is a Login over a real store, with a clock that stands still.
type world struct {
	*login.Login
	st     *watched
	ring   *secret.Keyring
	clock  *clock
	proven map[string]string // address: person, as OnProven heard
	deny   map[string]bool   // buckets that are full
	mu     sync.Mutex
}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// watched remembers the jobs that were asked for; all else is the store's own.
type watched struct {
	store.Store
	jobs []store.Job
	gate func() // waits before a transaction begins; nil: does not
}

func (w *watched) InTx(ctx context.Context, f func(store.Tx) error) error {
	if w.gate != nil {
		w.gate()
	}
	return w.Store.InTx(ctx, func(tx store.Tx) error { return f(&watchedTx{Tx: tx, w: w}) })
}

type watchedTx struct {
	store.Tx
	w *watched
}

func (t *watchedTx) Enqueue(ctx context.Context, j store.Job) error {
	t.w.jobs = append(t.w.jobs, j)
	return nil
}

func newWorld(t *testing.T, providers ...login.Provider) *world {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), database.SQLite(t), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	key := make([]byte, secret.KeySize)
	_, _ = rand.Read(key)
	ring, err := secret.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		st: &watched{Store: db}, ring: ring, clock: &clock{t: time.Now().UTC().Truncate(time.Second)},
		proven: map[string]string{}, deny: map[string]bool{},
	}
	w.Login, err = login.New(login.Config{
		Providers: providers, Store: w.st, Keyring: ring, Now: w.clock.now,
		BaseURL: func(context.Context) string { return base },
		OnProven: func(_ context.Context, personID, email string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.proven[email] = personID
			return nil
		},
		Allow: func(_ context.Context, bucket, _ string) bool { return !w.deny[bucket] },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// people counts the accounts.
func (w *world) people(t *testing.T) int {
	t.Helper()
	list, err := w.st.Persons(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// owner is who has proven an address.
func (w *world) owner(t *testing.T, email string) string {
	t.Helper()
	i, err := w.st.Identifier(t.Context(), openbadges.IdentityEmail, email)
	if errors.Is(err, store.ErrNotFound) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return i.PersonID
}

// code is the last code that was sent.
func (w *world) code(t *testing.T) (login.CodeMail, string) {
	t.Helper()
	if len(w.st.jobs) == 0 {
		t.Fatal("no mail was asked for")
	}
	j := w.st.jobs[len(w.st.jobs)-1]
	if j.Kind != login.CodeJob {
		t.Fatalf("the job is a %q", j.Kind)
	}
	m, code, err := login.OpenCode(w.ring, j.Args)
	if err != nil {
		t.Fatal(err)
	}
	return m, code
}

// byCode signs in by a code to the address.
func (w *world) byCode(t *testing.T, email string) login.Result {
	t.Helper()
	id, err := w.SendCode(t.Context(), login.CodeRequest{Email: email})
	if err != nil {
		t.Fatal(err)
	}
	_, code := w.code(t)
	res, err := w.CheckCode(t.Context(), id, code)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// browser goes to the provider and brings back what it answers.
func (w *world) begin(t *testing.T, provider, returnTo string) (ask url.Values, cookie *http.Cookie) {
	t.Helper()
	redirect, cookie, err := w.Begin(t.Context(), provider, returnTo)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(redirect)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query(), cookie
}

// signIn goes through the whole flow at the double and returns its outcome.
func (w *world) signIn(t *testing.T, d *double, returnTo string) (login.Result, error) {
	t.Helper()
	ask, cookie := w.begin(t, d.name, returnTo)
	answer := d.authorize(ask)
	return w.Finish(t.Context(), d.name, answer, []*http.Cookie{cookie})
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
