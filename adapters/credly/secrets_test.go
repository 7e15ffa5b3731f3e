package credly_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"badgebridge/adapters"
	"badgebridge/adapters/adaptertest"
	"badgebridge/adapters/credly"
	"badgebridge/internal/httpx"
	sandbox "badgebridge/sandbox/credly"
)

// trap is a Credly that tries to make the gateway send its credentials elsewhere,
// reached over the client stack that the gateway uses.
type trap struct {
	w       *world
	spy     *spy
	api     *httptest.Server
	elsew   *httptest.Server // where nothing secret may arrive
	witness *adaptertest.Witness
	client  *http.Client
	secrets []string
}

func host(srv *httptest.Server) string { return strings.TrimPrefix(srv.URL, "http://") }

func newTrap(t *testing.T) *trap {
	t.Helper()
	w := newWorld(t, sandbox.Options{})
	if err := w.Seed(sandbox.Seed{Apps: []sandbox.App{{UID: "app", Secret: "app-secret-that-nobody-sees", OrgID: org}}}); err != nil {
		t.Fatal(err)
	}
	x := &trap{w: w, spy: &spy{next: w}, witness: &adaptertest.Witness{}, secrets: []string{token, "app-secret-that-nobody-sees"}}
	x.api, x.elsew = httptest.NewServer(x.spy), httptest.NewServer(x.witness)
	t.Cleanup(func() { x.api.Close(); x.elsew.Close() })
	return x
}

// adapter connects with a token, or with an OAuth application.
func (x *trap) adapter(t *testing.T, oauth bool) adapters.Adapter {
	t.Helper()
	cfg := map[string]any{"base_url": x.api.URL + "/v1", "organization_id": org}
	if oauth {
		cfg["client_id"], cfg["client_secret"] = "app", "app-secret-that-nobody-sees"
	} else {
		cfg["token"] = token
	}
	raw, _ := json.Marshal(cfg)
	hosts, err := credly.Driver().Hosts(raw)
	if err != nil {
		t.Fatal(err)
	}
	x.client = httpx.ForRemote(hosts, httpx.RemoteConfig{
		Config: httpx.Config{AllowLoopback: []string{host(x.elsew)}}, PerSecond: -1, TripAfter: -1,
	})
	a, err := credly.Driver().New(raw, x.client)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// everyCall is each call that the adapter can make, by name.
func everyCall(a adapters.Adapter, ref adapters.Ref, eventID string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"check":   func(ctx context.Context) error { _, err := a.Check(ctx); return err },
		"list":    func(ctx context.Context) error { _, err := a.(adapters.Source).List(ctx, ""); return err },
		"changes": func(ctx context.Context) error { _, err := a.(adapters.Source).Changes(ctx, since()); return err },
		"catalog": func(ctx context.Context) error { _, err := a.(adapters.Catalog).BadgeClasses(ctx, ""); return err },
		"issue":   func(ctx context.Context) error { _, err := a.(adapters.Issuer).Issue(ctx, issuance(1)); return err },
		"find":    func(ctx context.Context) error { _, _, err := a.(adapters.Finder).Find(ctx, issuance(1)); return err },
		"revoke":  func(ctx context.Context) error { return a.(adapters.Revoker).Revoke(ctx, ref, "by mistake") },
		"replace": func(ctx context.Context) error {
			_, err := a.(adapters.Replacer).Replace(ctx, ref, issuance(2))
			return err
		},
		"delete": func(ctx context.Context) error { return a.(adapters.Remover).Remove(ctx, ref) },
		"the hint": func(ctx context.Context) error {
			_, err := a.(adapters.HintReader).ReadHint(ctx, adapters.Hint{ID: eventID})
			return err
		},
	}
}

// since is a cursor from the day before.
func since() adapters.Cursor {
	return adapters.Cursor(fmt.Sprintf(`{"since":%q}`, start.AddDate(0, 0, -1).Format("2006-01-02T15:04:05Z")))
}

// clean fails when a secret, in clear or encoded, is in a text.
func (x *trap) clean(t *testing.T, what, text string) {
	t.Helper()
	for _, s := range x.secrets {
		b64 := base64.StdEncoding.EncodeToString([]byte(s))
		if strings.Contains(text, s) || strings.Contains(text, b64[:len(b64)-4]) {
			t.Errorf("%s shows a secret", what)
		}
	}
}

func (x *trap) nothingArrived(t *testing.T) {
	t.Helper()
	for _, c := range x.witness.Calls() {
		x.clean(t, "a call to another host", c.URL+fmt.Sprint(c.Header)+string(c.Body))
		if c.Header.Get("Authorization") != "" || c.Header.Get("Cookie") != "" {
			t.Errorf("credentials arrived elsewhere: %s %s", c.Method, c.URL)
		}
	}
}

func TestNoCredentialGoesToAnotherHostHoweverItIsAsked(t *testing.T) {
	for _, oauth := range []bool{false, true} {
		t.Run(fmt.Sprintf("oauth %v", oauth), func(t *testing.T) {
			x := newTrap(t)
			ref := x.w.add(t)
			events := x.w.Events(org)
			a := x.adapter(t, oauth)
			calls := everyCall(a, ref, events[0].ID)
			for _, status := range []int{301, 302, 303, 307, 308} {
				for name, call := range calls {
					x.spy.answer = func(w http.ResponseWriter, r *http.Request) bool {
						if oauth && strings.HasPrefix(r.URL.Path, "/oauth/") {
							return false
						}
						w.Header().Set("Location", x.elsew.URL+r.URL.RequestURI())
						w.WriteHeader(status)
						return true
					}
					err := call(t.Context())
					if err == nil {
						t.Errorf("%s, redirected with %d, counts as done", name, status)
					} else {
						x.clean(t, "an error", err.Error()+adapters.Words(err))
					}
				}
			}
			x.spy.answer = nil
			if len(x.witness.Calls()) != 0 {
				t.Error("a redirect was followed")
			}
			for range 120 {
				x.w.add(t)
			}
			x.spy.edit = func(_ *http.Request, d map[string]any) {
				if m, ok := d["metadata"].(map[string]any); ok && m["next_page_url"] != nil {
					m["next_page_url"] = strings.Replace(m["next_page_url"].(string), x.api.URL, x.elsew.URL, 1)
				}
			}
			for name, call := range calls {
				err := call(t.Context())
				if err == nil && (name == "list" || name == "changes") {
					t.Errorf("%s followed a link to another host", name)
				}
			}
			x.nothingArrived(t)
			if len(x.witness.Calls()) != 0 {
				t.Error("a link to another host was followed")
			}
		})
	}
}

func TestAnImageElsewhereIsFetchedWithoutCredentials(t *testing.T) {
	x := newTrap(t)
	a := x.adapter(t, false)
	x.spy.edit = func(_ *http.Request, d map[string]any) {
		if list, ok := d["data"].([]any); ok {
			for _, one := range list {
				one.(map[string]any)["image"] = map[string]any{"url": x.elsew.URL + "/badge.png"}
			}
		}
	}
	page, err := a.(adapters.Catalog).BadgeClasses(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	fetched := 0
	for _, c := range page.Classes {
		if c.BadgeClass.Image == nil {
			continue
		}
		if _, err := httpx.Fetch(t.Context(), x.client, c.BadgeClass.Image.ID, "image/png", 0); err != nil {
			t.Error(err)
		}
		fetched++
	}
	if fetched == 0 || len(x.witness.Calls()) != fetched {
		t.Fatalf("%d of %d images arrived", len(x.witness.Calls()), fetched)
	}
	x.nothingArrived(t)
}

func TestTheTokenEndpointAndTheAPIGetOnlyWhatIsTheirs(t *testing.T) {
	x := newTrap(t)
	var asked []string
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Method+" "+r.URL.Path+" "+fmt.Sprint(r.Header["Authorization"]))
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		x.w.ServeHTTP(w, r)
	}))
	t.Cleanup(door.Close)
	raw, _ := json.Marshal(map[string]any{"base_url": x.api.URL + "/v1", "organization_id": org,
		"client_id": "app", "client_secret": "app-secret-that-nobody-sees", "oauth_url": door.URL + "/oauth/token"})
	hosts, err := credly.Driver().Hosts(raw)
	if err != nil || len(hosts) != 2 {
		t.Fatal(hosts, err)
	}
	x.spy.before = func(r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body)+fmt.Sprint(r.Header)+r.URL.String(), "app-secret") {
			t.Error("the application's secret went to the API")
		}
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
			t.Errorf("the API got %q", r.Header.Get("Authorization"))
		}
	}
	a, err := credly.Driver().New(raw, httpx.ForRemote(hosts, httpx.RemoteConfig{PerSecond: -1}))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := a.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(asked) != 1 || asked[0] != "POST /oauth/token []" {
		t.Errorf("the token endpoint was asked %q", asked)
	}
}

// A remote that quotes what it was sent must not make the gateway show it.
func TestWordsThatQuoteACredentialAreRedacted(t *testing.T) {
	for _, oauth := range []bool{false, true} {
		x := newTrap(t)
		ref := x.w.add(t)
		a := x.adapter(t, oauth)
		var bearer string
		for _, status := range []int{400, 401, 403, 404, 409, 422, 429, 500} {
			for name, call := range everyCall(a, ref, x.w.Events(org)[0].ID) {
				x.spy.answer = func(w http.ResponseWriter, r *http.Request) bool {
					body, _ := io.ReadAll(r.Body)
					sent := r.Header.Get("Authorization")
					if strings.HasPrefix(r.URL.Path, "/oauth/") {
						if status != 401 {
							r.Body = io.NopCloser(strings.NewReader(string(body)))
							return false
						}
						w.Header().Set("Content-Type", "application/json")
						w.WriteHeader(status)
						_ = json.NewEncoder(w).Encode(map[string]any{"error": "invalid_client", "error_description": string(body)})
						return true
					}
					kind, cred, _ := strings.Cut(sent, " ")
					if plain, err := base64.StdEncoding.DecodeString(cred); kind == "Basic" && err == nil {
						sent += " " + string(plain)
					} else {
						bearer = cred
					}
					w.WriteHeader(status)
					_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"message": "You sent " + sent + " " + url.QueryEscape(sent)}})
					return true
				}
				err := call(t.Context())
				if err == nil {
					continue // a delete of what is not there
				}
				text := fmt.Sprintf("%v %+v %s", err, err, adapters.Words(err))
				x.clean(t, fmt.Sprintf("%s, answered %d,", name, status), text)
				if bearer != "" && strings.Contains(text, bearer) {
					t.Errorf("%s, answered %d, shows the access token", name, status)
				}
			}
		}
	}
}
