package adaptertest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"badgebridge/adapters"
)

// Suite says how to make the remote that an adapter is tested against.
type Suite struct {
	// New makes a fresh fake remote that holds no awards. Every subtest calls
	// it once.
	New func(t *testing.T) *Fixture
	// Brief leaves out what broken transport and refused credentials do, which is
	// the same for every way in which a remote can behave: for runs that differ in
	// that alone.
	Brief bool
}

// Fixture is one fake remote and what it can be made to do. Which fields are
// needed follows from what the adapter can do; the comment of each says so.
type Fixture struct {
	// Remote answers for the remote. Always needed.
	Remote http.Handler
	// Adapter makes the adapter for the remote at baseURL ("http://127.0.0.1:1234",
	// no slash at the end) with credentials that the remote takes. All calls go
	// through hc. Always needed.
	Adapter func(t *testing.T, baseURL string, hc *http.Client) adapters.Adapter
	// Refused makes one whose credentials the remote refuses. Always needed.
	Refused func(t *testing.T, baseURL string, hc *http.Client) adapters.Adapter
	// Secrets are the credentials as text: none may reach another host or show
	// in an error. Always needed.
	Secrets []string

	// Add makes an award at the remote, not through the adapter, and returns
	// the Ref that the adapter will give it. Needed by a Source.
	Add func(t *testing.T) adapters.Ref
	// Change changes an award at the remote so that Changes must report it
	// again. Needed by a Source.
	Change func(t *testing.T, r adapters.Ref)
	// Delete makes the remote forget an award. nil when it never does.
	Delete func(t *testing.T, r adapters.Ref)
	// Many is how many awards make the remote answer in several pages. 0 means
	// 7; choose one more than two pages hold.
	Many int

	// Issuance returns the n-th of several issuances that the remote would
	// take, each for another recipient. Needed by an Issuer.
	Issuance func(t *testing.T, n int) adapters.Issuance
	// Deposit is the same for a Backpack.
	Deposit func(t *testing.T, n int) adapters.Deposit
	// Refuse is a deposit that the remote takes in none of its forms. Needed by a
	// Backpack.
	Refuse func(t *testing.T) adapters.Deposit
	// Lapse ends the credentials of Adapter's adapters at the remote; they can be
	// renewed once. Needed by a Renewer.
	Lapse func()
	// Again makes an adapter from a configuration that Renew gave. Needed by a
	// Renewer.
	Again func(t *testing.T, config []byte, hc *http.Client) adapters.Adapter
	// Count is how many awards (or deposits) that were made through the adapter
	// the remote holds. Needed by an Issuer and by a Backpack.
	Count func() int
	// IsIssue tells the call that awards from others; nil means every call that
	// is not a GET.
	IsIssue func(*http.Request) bool

	// Advance moves the remote's clock forward. Needed where Hide is there.
	Advance func(d time.Duration)
	// Hide keeps every award made from now on out of the remote's answers for
	// d. Needed by a Finder whose Settle is not 0.
	Hide func(d time.Duration)

	// Webhook is a genuine call of the remote's. Needed by a Notifier.
	Webhook func(t *testing.T) (http.Header, []byte)
	// Forged is one that somebody else made. Needed by a Notifier.
	Forged func(t *testing.T) (http.Header, []byte)

	// Classes is how many badges the remote's catalog holds. Needed by a
	// Catalog.
	Classes int
}

// Run tests that the adapter keeps every promise that its abilities imply.
func Run(t *testing.T, s Suite) {
	t.Helper()
	probe := newStand(t, s)
	a := probe.adapter
	_, source := a.(adapters.Source)
	_, issuer := a.(adapters.Issuer)
	_, backpack := a.(adapters.Backpack)
	_, notifier := a.(adapters.Notifier)
	_, catalog := a.(adapters.Catalog)
	_, catalogWriter := a.(adapters.CatalogWriter)

	runCheck(t, s)
	if source {
		runSource(t, s)
	}
	if issuer {
		runIssuer(t, s)
		if !s.Brief {
			runWriteFaults(t, s, issueWrite)
		}
	}
	if backpack {
		runBackpack(t, s)
	}
	if backpack && !s.Brief {
		runWriteFaults(t, s, storeWrite)
	}
	if _, ok := a.(adapters.Renewer); ok {
		runRenewer(t, s)
	}
	if notifier {
		runNotifier(t, s)
	}
	if catalog {
		runCatalog(t, s)
	}
	if catalogWriter {
		runCatalogWriter(t, s)
	}
	if !s.Brief {
		runReadFaults(t, s)
		runSecrets(t, s)
	}
}

// stand is what one subtest works with.
type stand struct {
	*Fixture
	proxy   *FaultProxy
	url     string
	hc      *http.Client
	adapter adapters.Adapter
}

func newStand(t *testing.T, s Suite) *stand {
	t.Helper()
	f := s.New(t)
	if f.Remote == nil || f.Adapter == nil || f.Refused == nil || len(f.Secrets) == 0 {
		t.Fatal("the fixture needs Remote, Adapter, Refused and Secrets")
	}
	st := &stand{Fixture: f, proxy: NewFaultProxy(f.Remote)}
	srv := httptest.NewServer(st.proxy)
	tr := &http.Transport{}
	t.Cleanup(func() { tr.CloseIdleConnections(); srv.CloseClientConnections(); srv.Close() })
	st.url, st.hc = srv.URL, &http.Client{Transport: tr}
	st.adapter = f.Adapter(t, st.url, st.hc)
	if f.IsIssue == nil {
		f.IsIssue = Writes
	}
	if f.Many == 0 {
		f.Many = 7
	}
	return st
}

// patience bounds every wait of the suite. It is no measure of speed: a test
// that needs it has failed.
const patience = 30 * time.Second

func newContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func need(t *testing.T, name string, there bool) {
	t.Helper()
	if !there {
		t.Fatalf("the adapter's abilities call for Fixture.%s", name)
	}
}
