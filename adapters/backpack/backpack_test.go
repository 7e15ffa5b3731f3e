package backpack_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/adapters/adaptertest"
	"badgebridge/adapters/backpack"
)

func open(t *testing.T, hc *http.Client, config any) adapters.Adapter {
	t.Helper()
	raw, ok := config.([]byte)
	if !ok {
		var err error
		if raw, err = json.Marshal(config); err != nil {
			t.Fatal(err)
		}
	}
	a, err := backpack.Driver().New(raw, hc)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func connected(base, access, refresh string) map[string]string {
	return map[string]string{"root": base, "api_root": base + "/api", "access_token": access, "refresh_token": refresh,
		"expires_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}
}

func deposit(name string) adapters.Deposit {
	return adapters.Deposit{
		Key: adapters.Key(name), Assertion: []byte(`{"id":"x"}`), URL: "https://a.example/ob/v2/assertions/" + name,
		Others: []adapters.Form{{URL: "https://a.example/ob/v1/assertions/" + name}},
	}
}

func TestContract(t *testing.T) {
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprintf("of Mozilla's time %v", old), func(t *testing.T) {
			adaptertest.Run(t, adaptertest.Suite{New: func(*testing.T) *adaptertest.Fixture {
				f := newFake()
				f.old = old
				match := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/issue") }
				return &adaptertest.Fixture{
					Remote: f, Secrets: []string{accessToken, refreshToken}, Count: f.count, IsIssue: match,
					Adapter: func(t *testing.T, base string, hc *http.Client) adapters.Adapter {
						return open(t, hc, connected(base, accessToken, refreshToken))
					},
					Refused: func(t *testing.T, base string, hc *http.Client) adapters.Adapter {
						return open(t, hc, connected(base, "another-token", "another-refresh-token"))
					},
					Deposit: func(_ *testing.T, n int) adapters.Deposit {
						d := deposit(fmt.Sprint("badge-", n))
						if old { // which takes two calls for the newer form: see below
							d.URL, d.Others = d.Others[0].URL, nil
						}
						return d
					},
					Refuse: func(*testing.T) adapters.Deposit { return deposit("somebody-elses") },
					Lapse:  func() { f.access = "ended" },
					Again: func(t *testing.T, config []byte, hc *http.Client) adapters.Adapter {
						return open(t, hc, config)
					},
				}
			}})
		})
	}
}

// stand is a running fake and a client for it.
func stand(t *testing.T) (*fake, string) {
	f := newFake()
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	return f, srv.URL
}

func TestAPersonConnectsTheirOwnBackpack(t *testing.T) {
	_, base := stand(t)
	a := open(t, http.DefaultClient, map[string]string{"root": base + "/"})
	c := a.(adapters.Connector)
	redirect, state, err := c.Begin(t.Context(), "https://a.example/me/backpacks/back/1?x=1")
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(redirect)
	if err != nil || to.Path != "/access" || to.Query().Get("scope") != "issue" {
		t.Fatalf("redirect %s", redirect)
	}
	back, err := url.Parse(to.Query().Get("callback"))
	if err != nil || back.Query().Get("x") != "1" || len(back.Query().Get("state")) < 20 {
		t.Fatalf("callback %s", back)
	}
	answer := func(kv ...string) url.Values {
		q := back.Query()
		for i := 0; i < len(kv); i += 2 {
			q.Set(kv[i], kv[i+1])
		}
		return q
	}
	good := []string{"access_token", accessToken, "refresh_token", refreshToken, "expires", "3600", "api_root", base + "/api"}
	g, err := c.Finish(t.Context(), state, answer(good...))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(fmt.Sprint(err), accessToken) {
		t.Error("an error shows the token")
	}
	mine := open(t, http.DefaultClient, []byte(g.Token))
	h, err := mine.Check(t.Context())
	if err != nil || time.Until(h.CredentialExpires) < 50*time.Minute || !strings.HasPrefix(base, "http://"+h.Name) {
		t.Errorf("Check = %+v, %v", h, err)
	}
	for name, c2 := range map[string]struct {
		query url.Values
		kind  error
	}{
		"another question's answer": {answer(append(good, "state", "forged")...), adapters.ErrUnauthorized},
		"no":                        {answer("error", "access_denied"), adapters.ErrRejected},
		"no token":                  {answer("api_root", base+"/api"), adapters.ErrRejected},
		"an API in the clear":       {answer(append(good, "api_root", "http://other.example/api")...), adapters.ErrRejected},
		"no API":                    {answer(append(good, "api_root", "")...), adapters.ErrRejected},
		"a token that is a header":  {answer(append(good, "access_token", "a\r\nX: y")...), adapters.ErrRejected},
	} {
		if _, err := c.Finish(t.Context(), state, c2.query); !errors.Is(err, c2.kind) {
			t.Errorf("%s: %v, want %v", name, err, c2.kind)
		}
	}
	if _, err := a.Check(t.Context()); !errors.Is(err, adapters.ErrUnauthorized) {
		t.Errorf("before it is connected: %v", err)
	}
}

func TestWhatIsNoBackpackIsToldBeforeAnybodyIsSentThere(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"a page":      func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<h1>Shop</h1>")) },
		"nothing":     http.NotFound,
		"another 400": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad", http.StatusBadRequest) },
	} {
		srv := httptest.NewServer(h)
		a := open(t, http.DefaultClient, map[string]string{"root": srv.URL})
		if _, _, err := a.(adapters.Connector).Begin(t.Context(), "https://a.example/back"); !errors.Is(err, adapters.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
		}
		srv.Close()
	}
}

func TestABackpackOfMozillasTimeIsGivenAnOlderForm(t *testing.T) {
	f, base := stand(t)
	f.old = true
	b := open(t, http.DefaultClient, connected(base, accessToken, refreshToken)).(adapters.Backpack)
	ref, err := b.Store(t.Context(), deposit("one"))
	if err != nil || ref != "https://a.example/ob/v2/assertions/one" || f.count() != 1 {
		t.Errorf("Store = %q, %v; it holds %d", ref, err, f.count())
	}
	for name, words := range map[string]string{"somebody-elses": "different user", "broken": "Could not get all linked resources"} {
		if _, err := b.Store(t.Context(), deposit(name)); !errors.Is(err, adapters.ErrRejected) || !strings.Contains(adapters.Words(err), words) {
			t.Errorf("%s: %v", name, err)
		}
	}
	signed := adapters.Deposit{Key: "s", Assertion: []byte("eyJhbGciOiJSUzI1NiJ9.e30.c2ln\n")}
	if ref, err := b.Store(t.Context(), signed); err != nil || !strings.HasPrefix(string(ref), "sha256:") {
		t.Errorf("a signature: %q, %v", ref, err)
	}
	if _, err := b.Store(t.Context(), adapters.Deposit{Key: "p", Assertion: []byte(`{"proof":{}}`)}); !errors.Is(err, adapters.ErrRejected) {
		t.Errorf("what the protocol can't carry: %v", err)
	}
}

func TestAGrantIsRenewedBeforeItsEnd(t *testing.T) {
	_, base := stand(t)
	config := connected(base, accessToken, refreshToken)
	config["expires_at"] = time.Now().Add(30 * time.Second).UTC().Format(time.RFC3339)
	next, err := open(t, http.DefaultClient, config).(adapters.Renewer).Renew(t.Context(), false)
	if err != nil || next == nil {
		t.Fatalf("Renew gave %d bytes, %v", len(next), err)
	}
	a := open(t, http.DefaultClient, next)
	if _, err := a.Check(t.Context()); err != nil {
		t.Errorf("Check with the new grant: %v", err)
	}
	if again, err := a.(adapters.Renewer).Renew(t.Context(), false); again != nil || err != nil {
		t.Errorf("renewed twice: %d bytes, %v", len(again), err)
	}
}

func TestThePermissionIsGivenBackWhereThereIsAWay(t *testing.T) {
	f, base := stand(t)
	a := open(t, http.DefaultClient, connected(base, accessToken, refreshToken))
	f.noRevoke = true
	if err := a.(adapters.Cutter).CutPairing(t.Context()); !errors.Is(err, adapters.ErrNotFound) {
		t.Errorf("no way: %v, want ErrNotFound", err)
	}
	f.noRevoke = false
	for range 2 {
		if err := a.(adapters.Cutter).CutPairing(t.Context()); err != nil {
			t.Errorf("CutPairing: %v", err)
		}
	}
	if !f.revoked {
		t.Error("it was not given back")
	}
}

func TestAConfigurationIsCheckedFieldByField(t *testing.T) {
	for raw, word := range map[string]string{
		`{}`:                                 "root",
		`{"root":"ftp://x.example"}`:         "not https",
		`{"root":"http://x.example"}`:        "in the clear",
		`{"root":"https://u:p@x.example"}`:   "neither a user",
		`{"root":"https://x.example","a":1}`: "not understood",
		`{"root":"https://x.example","api_root":"https://x.example/api"}`: "access_token",
		`{"root":"https://x.example","expires_at":"soon"}`:                "expires_at",
	} {
		if a, err := backpack.Driver().New(json.RawMessage(raw), http.DefaultClient); err == nil || a != nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", raw, err)
		}
	}
	hosts, err := backpack.Driver().Hosts(json.RawMessage(`{"root":"https://x.example","api_root":"https://api.x.example/v1","access_token":"t"}`))
	if err != nil || len(hosts) != 2 {
		t.Errorf("Hosts = %v, %v", hosts, err)
	}
}
