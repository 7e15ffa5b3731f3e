package credly_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"badgebridge/adapters"
	"badgebridge/adapters/adaptertest"
	sandbox "badgebridge/sandbox/credly"
)

// variant is one way in which Credly may behave, and what the adapter is told of
// it.
type variant struct {
	name    string
	options sandbox.Options
	config  []any
}

// told are the members of the adapter's configuration that say what differs from
// what it assumes, by the simulator's option. What is not here the adapter copes
// with untold.
var told = map[string][]any{}

// variants are all options alone, and the deciding ones in pairs.
func variants() []variant {
	var out []variant
	for _, o := range sandbox.Inferred() {
		out = append(out, variant{o.Name, sandbox.Flipped(o), told[o.Name]})
	}
	deciding := sandbox.Deciding()
	for i, a := range deciding {
		for _, b := range deciding[i+1:] {
			out = append(out, variant{a.Name + " and " + b.Name, sandbox.Flipped(a, b), nil})
		}
	}
	return out
}

func TestContract(t *testing.T) {
	t.Run("with a token", func(t *testing.T) { adaptertest.Run(t, adaptertest.Suite{New: fixture(sandbox.Options{})}) })
	t.Run("with an OAuth application", func(t *testing.T) {
		// Access tokens are had elsewhere, so that every call here is one to the API.
		adaptertest.Run(t, adaptertest.Suite{New: func(t *testing.T) *adaptertest.Fixture {
			f := fixture(sandbox.Options{})(t)
			door := httptest.NewServer(f.Remote)
			t.Cleanup(door.Close)
			by := func(secret string) func(*testing.T, string, *http.Client) adapters.Adapter {
				return func(t *testing.T, base string, hc *http.Client) adapters.Adapter {
					return connect(t, base, secret, hc, "client_id", app, "oauth_url", door.URL+"/oauth/token")
				}
			}
			f.Adapter, f.Refused = by(token), by("another-secret")
			return f
		}})
	})
	t.Run("reading by the export", func(t *testing.T) {
		adaptertest.Run(t, adaptertest.Suite{New: fixture(sandbox.Options{}, "listing", "export"), Brief: true})
	})
}

// What is not known of Credly may be either way: the promises hold in both.
func TestContractHoweverCredlyBehaves(t *testing.T) {
	for i, v := range variants() {
		if raced && i%10 != 0 {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			adaptertest.Run(t, adaptertest.Suite{New: fixture(v.options, v.config...), Brief: true})
		})
	}
}
