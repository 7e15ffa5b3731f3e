package connections_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/adapters/backpack"
	"badgebridge/internal/secret"
	"badgebridge/internal/testenv/database"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
	"badgebridge/sync/connections"
)

// other is a backpack elsewhere. It judges a badge by its address alone.
type other struct {
	mu      sync.Mutex
	access  string
	refresh string
	turns   int
	dead    bool // takes no refresh token any more
	revoked bool
	slow    time.Duration // asked for, once
	down    bool
	hang    chan struct{}  // not nil: keeps the badge, and then the caller
	asked   map[string]int // how often each badge came
	kept    map[string]bool
}

func (o *other) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	say := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	var in map[string]string
	_ = json.NewDecoder(r.Body).Decode(&in)
	bearer, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	switch r.URL.Path {
	case "/access":
		http.Error(w, "callback expected", http.StatusBadRequest)
		return
	case "/api/token":
		if o.dead || in["refresh_token"] != o.refresh {
			http.Error(w, "invalid refresh_token", http.StatusBadRequest)
			return
		}
		o.turn()
		say(http.StatusOK, map[string]any{"expires": 3600, "access_token": o.access, "refresh_token": o.refresh})
		return
	case "/api/revoke":
		o.revoked = in["token"] == o.access || in["token"] == o.refresh
		say(http.StatusOK, map[string]any{})
		return
	}
	if string(bearer) != o.access {
		say(http.StatusUnauthorized, map[string]any{"message": "invalid_token: The access token expired"})
		return
	}
	if r.URL.Path == "/api/identity" {
		say(http.StatusOK, map[string]any{"recipient": "sha256$0", "type": "email"})
		return
	}
	badge := in["badge"]
	o.asked[badge]++
	switch {
	case o.down:
		say(http.StatusServiceUnavailable, map[string]any{})
	case o.slow > 0:
		w.Header().Set("Retry-After", fmt.Sprint(int(o.slow.Seconds())))
		o.slow = 0
		say(http.StatusTooManyRequests, map[string]any{"message": "slow down"})
	case strings.Contains(badge, "foreign"):
		say(http.StatusForbidden, map[string]any{"message": "badge assertion is for a different user"})
	case o.kept[badge]:
		w.WriteHeader(http.StatusNotModified)
	default:
		o.kept[badge] = true
		if o.hang != nil {
			o.hang <- struct{}{}
			<-r.Context().Done()
			return
		}
		say(http.StatusCreated, map[string]any{"exists": false, "badge": map[string]any{}})
	}
}

func (o *other) turn() {
	o.turns++
	o.access, o.refresh = fmt.Sprint("access-", o.turns), fmt.Sprint("refresh-", o.turns)
}

func (o *other) set(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

func (o *other) held() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.kept)
}

type world struct {
	*connections.Connections
	t     *testing.T
	cfg   connections.Config
	store store.Store
	other *other
	url   string
	mu    sync.Mutex
	now   time.Time
	ada   store.Person
	class store.Class
	made  int
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Now().UTC().Truncate(time.Second), other: &other{asked: map[string]int{}, kept: map[string]bool{}}}
	w.other.turn()
	srv := httptest.NewServer(w.other)
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	w.url = srv.URL
	db, err := sqlstore.Open(t.Context(), database.SQLite(t), sqlstore.Options{Now: w.clock})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	w.store = db
	keys, err := secret.NewKeyring(make([]byte, secret.KeySize))
	must(t, err)
	w.cfg = connections.Config{
		Store: db, Drivers: []adapters.Driver{backpack.Driver()}, Keyring: keys, Client: func([]string) *http.Client { return &http.Client{} },
		BaseURL: func(context.Context) string { return "https://badges.example" }, Now: w.clock, Log: slog.New(slog.DiscardHandler),
		CallTimeout: 20 * time.Second,
	}
	w.Connections = connections.New(w.cfg)
	w.ada, err = db.CreatePerson(t.Context(), store.Person{GivenName: "Ada", FamilyName: "Demo"})
	must(t, err)
	w.class, _, err = db.PutClass(t.Context(), store.Class{Remote: store.BackpackOrigin, Ref: "c", Content: openbadges.BadgeClass{Name: "Navigator"}})
	must(t, err)
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// award gives Ada a badge that somebody else hosts.
func (w *world) award(name string) string {
	w.t.Helper()
	w.made++
	a, err := w.store.CreateAward(w.t.Context(), store.Award{
		ClassID: w.class.ID, ClassVersionID: w.class.VersionID, Origin: store.BackpackOrigin, OriginRef: adapters.Ref(fmt.Sprint(name, w.made)),
		PersonID: w.ada.ID, Claim: store.Claimed, ClaimedAt: w.clock(), Visibility: store.Private,
		AssertionURL: fmt.Sprintf("https://college.example/%s/%d", name, w.made),
	})
	must(w.t, err)
	return a.ID
}

// connect goes to the other side, says yes and comes back.
func (w *world) connect() store.Connection {
	w.t.Helper()
	o, err := w.Begin(w.t.Context(), w.ada.ID, backpack.Kind, w.url, "/back/", "")
	must(w.t, err)
	to, err := url.Parse(o.Redirect)
	must(w.t, err)
	back, err := url.Parse(to.Query().Get("callback"))
	must(w.t, err)
	if back.Path != "/back/"+o.ID {
		w.t.Fatalf("callback %s", back)
	}
	q := back.Query()
	w.other.mu.Lock()
	for k, v := range map[string]string{"access_token": w.other.access, "refresh_token": w.other.refresh, "expires": "3600", "api_root": w.url + "/api"} {
		q.Set(k, v)
	}
	w.other.mu.Unlock()
	if _, err := w.Finish(w.t.Context(), "somebody", o.ID, q); err == nil {
		w.t.Fatal("somebody else took the grant")
	}
	// A refused attempt uses the offer up.
	o, err = w.Begin(w.t.Context(), w.ada.ID, backpack.Kind, w.url, "/back/", "")
	must(w.t, err)
	to, err = url.Parse(o.Redirect)
	must(w.t, err)
	back, err = url.Parse(to.Query().Get("callback"))
	must(w.t, err)
	q.Set("state", back.Query().Get("state"))
	c, err := w.Finish(w.t.Context(), w.ada.ID, o.ID, q)
	must(w.t, err)
	return c.Connection
}

func (w *world) push(c store.Connection, awards ...string) connections.Pushed {
	w.t.Helper()
	p, err := w.Push(w.t.Context(), w.ada.ID, c.ID, awards)
	must(w.t, err)
	return p
}

func (w *world) send() int {
	w.t.Helper()
	n, err := w.SendDue(w.t.Context())
	must(w.t, err)
	return n
}

func (w *world) states(c store.Connection, want map[store.PushState]int) {
	w.t.Helper()
	got, err := w.store.CountDeposits(w.t.Context(), c.ID)
	must(w.t, err)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		list, _ := w.store.DepositsOf(w.t.Context(), c.ID)
		w.t.Fatalf("deposits are %v, want %v: %+v", got, want, list)
	}
}

func (w *world) state(c store.Connection, want store.ConnectionState) store.Connection {
	w.t.Helper()
	now, err := w.store.Connection(w.t.Context(), c.ID)
	must(w.t, err)
	if now.State != want {
		w.t.Fatalf("the connection is %s, want %s", now.State, want)
	}
	return now
}
