package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"badgebridge/adapters"
	mozilla "badgebridge/adapters/backpack"
	"badgebridge/internal/secret"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/backpack"
	"badgebridge/sync/connections"
	"badgebridge/web"
)

// withBackpacks gives a world what other backpacks need.
func withBackpacks(t testing.TB) func(*web.Config) {
	keys, err := secret.LoadOrCreate(filepath.Join(t.TempDir(), "master.key"))
	must(t, err)
	return func(c *web.Config) {
		c.Connections = connections.New(connections.Config{
			Store: c.Store, Drivers: []adapters.Driver{mozilla.Driver()}, Keyring: keys, Client: func([]string) *http.Client { return &http.Client{Timeout: 10 * time.Second} },
			BaseURL: c.BaseURL, Now: c.Now, Log: c.Log,
		})
		if c.Backpack == nil {
			c.Backpack = backpack.New(backpack.Config{Store: c.Store, Fetcher: c.Fetcher, BaseURL: c.BaseURL, Now: c.Now, Log: c.Log})
		}
	}
}

// elsewhere is a backpack that somebody has connected, with badges there, on
// their way and refused.
func (w *world) elsewhere(email string, state store.ConnectionState, deposits ...store.Deposit) store.Connection {
	w.t.Helper()
	ctx := w.t.Context()
	id, err := w.db.Identifier(ctx, openbadges.IdentityEmail, email)
	must(w.t, err)
	host := strings.ToLower(string(state)) + ".backpack.example"
	c, err := w.db.CreateConnection(ctx, store.Connection{PersonID: id.PersonID, Kind: "backpack", Address: "https://" + host, Title: host, State: state, Message: "invalid refresh_token"})
	must(w.t, err)
	for _, d := range deposits {
		d.ConnectionID, d.Key = c.ID, adapters.Key(d.AwardID)
		_, err := w.db.CreateDeposit(ctx, d)
		must(w.t, err)
	}
	return c
}

func TestAMemberSeesWhatBecameOfEachBadgeElsewhere(t *testing.T) {
	w := newWorld(t, withBackpacks(t))
	w.connect()
	b := w.signIn(ada)
	b.get("/me/backpacks").has(t, "No other backpack is connected", `name="address"`)
	b.get("/me").has(t, `href="/me/backpacks"`, "Sites that may send you badges", "No site may.")
	mentor := w.awardOf(ada, "Mentor")
	b.post("/badges/" + mentor.ID + "/claim")
	b.get("/badges/"+mentor.ID).has(t, "Connect a backpack elsewhere to send this badge there.")

	c := w.elsewhere(ada, store.ConnectionActive, store.Deposit{AwardID: mentor.ID, State: store.PushRejected, Reason: "refused", Words: "badge <b>assertion</b> is for a different user"})
	page := b.get("/me/backpacks/" + c.ID)
	page.has(t, "active.backpack.example", "0 badges are there", "1 did not arrive", "It was refused there.", "badge &lt;b&gt;assertion&lt;/b&gt; is for a different user", "Send my badge", `/retry"`)
	page.lacks(t, "http-equiv=\"refresh\"")
	b.get("/badges/"+mentor.ID).has(t, "Did not arrive.", "badge &lt;b&gt;assertion", "Try again")
	b.get("/me/backpacks").has(t, "1 did not arrive")
	b.post("/me/backpacks/"+c.ID+"/retry").has(t, "It is tried again.", "1 is on its way", `http-equiv="refresh"`)
	b.post("/me/backpacks/"+c.ID+"/push", "all", "yes").has(t, "Everything of that is there already, or on its way.")
	b.post("/me/backpacks/"+c.ID+"/auto", "on", "yes").has(t, "sent there by itself", "Stop sending by itself")
	b.post("/me/backpacks/"+c.ID+"/auto").has(t, "Nothing is sent by itself any more.", "Send from now on")
	broken := w.elsewhere(ada, store.ConnectionBroken)
	b.get("/me/backpacks/"+broken.ID).has(t, "does not take badges from here any more", "invalid refresh_token", `name="address" value="https://broken.backpack.example"`)

	// Nobody else's business, and no other site's.
	other := w.signIn(bo)
	for _, path := range []string{"", "/push", "/auto", "/retry", "/disconnect"} {
		method := http.MethodPost
		if path == "" {
			method = http.MethodGet
		}
		if a := other.do(method, "/me/backpacks/"+c.ID+path, url.Values{"all": {"yes"}}); a.status != http.StatusNotFound {
			t.Errorf("somebody else: %s answers %d", path, a.status)
		}
		if method == http.MethodPost {
			if a := b.do(method, "/me/backpacks/"+c.ID+path, url.Values{"all": {"yes"}}, "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden {
				t.Errorf("another site: %s answers %d", path, a.status)
			}
		}
	}
	if a := other.post("/me/backpacks/"+w.elsewhere(bo, store.ConnectionActive).ID+"/push", "award", mentor.ID); !strings.Contains(a.path, "/badges/") {
		t.Errorf("somebody else's badge: %d at %s", a.status, a.path)
	}
	if n, err := w.db.DepositsOfAward(t.Context(), mentor.ID); err != nil || len(n) != 1 {
		t.Errorf("%d deposits of the badge, %v", len(n), err)
	}
	// With a key that is not there any more the connection still ends here.
	b.post("/me/backpacks/"+c.ID+"/disconnect").has(t, "could not be told; take it back in your settings there, too")
	if a := b.get("/me/backpacks/" + c.ID); a.status != http.StatusNotFound {
		t.Errorf("after disconnecting: %d", a.status)
	}
	if a := w.browser().get("/me/backpacks"); a.path != "/login?return=%2Fme%2Fbackpacks" {
		t.Errorf("signed out: %d at %s", a.status, a.path)
	}
}

func TestABackpackIsConnectedByItsPersonAlone(t *testing.T) {
	w := newWorld(t, withBackpacks(t))
	b := w.signIn(ada)
	for typed, words := range map[string]string{
		"not an address": "no address of another backpack", w.server.URL: "no address of another backpack", "http://shop.example": "no address of another backpack",
		w.siteURL: "is no backpack that speaks", "http://127.0.0.1:1": "Nothing that can be used answers",
	} {
		a := b.post("/me/backpacks", "address", typed)
		if a.status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", typed, a.status)
		}
		a.has(t, words, `aria-invalid="true"`)
	}
	there := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/access" {
			http.Error(rw, "callback expected", http.StatusBadRequest)
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(rw, `{"recipient":"sha256$0","type":"email"}`)
	}))
	t.Cleanup(there.Close)
	begin := func() url.Values {
		t.Helper()
		a := b.post("/me/backpacks", "address", there.URL)
		a.has(t, "You can disconnect at any time", "nobody else")
		_, rest, _ := strings.Cut(a.body, `href="`+there.URL+"/access?")
		query, _, _ := strings.Cut(rest, `"`)
		q, err := url.ParseQuery(strings.ReplaceAll(query, "&amp;", "&"))
		must(t, err)
		return q
	}
	back := func(who *browser, q url.Values, kv ...string) answer {
		t.Helper()
		u, err := url.Parse(q.Get("callback"))
		must(t, err)
		add := u.Query()
		for i := 0; i < len(kv); i += 2 {
			add.Set(kv[i], kv[i+1])
		}
		return who.get(u.Path+"?"+add.Encode(), "Sec-Fetch-Site", "cross-site")
	}
	good := []string{"access_token", "secret-access", "refresh_token", "secret-refresh", "expires", "3600", "api_root", there.URL + "/api"}
	back(b, begin(), "error", "access_denied").has(t, "you did not allow it there")
	back(b, begin(), append(good, "state", "forged")...).has(t, "the answer does not fit what was asked")
	// Somebody is led to what another person began: nothing is connected for either.
	q := begin()
	back(w.signIn(bo), q, good...).has(t, "the answer does not fit what was asked")
	back(b, q, good...).has(t, "the answer does not fit what was asked")
	if a := back(w.browser(), begin(), good...); a.path != "/login?return=%2Fme%2Fbackpacks" {
		t.Errorf("signed out: %s", a.path)
	}
	a := back(b, begin(), good...)
	if !strings.HasPrefix(a.path, "/me/backpacks/") || strings.Contains(a.path, "secret") {
		t.Fatalf("connected: %d at %s", a.status, a.path)
	}
	a.has(t, "is connected. Choose what to send.")
	if strings.Contains(w.log.String(), "secret-") || strings.Contains(a.body, "secret-") {
		t.Error("a token is shown")
	}
	id, err := w.db.Identifier(context.Background(), openbadges.IdentityEmail, ada)
	must(t, err)
	list, err := w.db.ConnectionsOf(t.Context(), id.PersonID)
	if err != nil || len(list) != 1 || strings.Contains(string(list[0].Sealed), "secret-") {
		t.Errorf("%d connections, %v", len(list), err)
	}
}
