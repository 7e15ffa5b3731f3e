package login

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"badgebridge/internal/httpx"
)

const (
	discoveryTimeout = 5 * time.Second
	// discoveryFresh is how long a provider that answered counts as there.
	discoveryFresh = 5 * time.Minute
	backoffFirst   = time.Second
	backoffMost    = time.Minute
	maxProviderDoc = 1 << 20
)

var providerName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$`)

// provider is one configured provider and what is known about it by discovery.
type provider struct {
	cfg    Provider
	given  Provider // as it was given
	now    func() time.Time
	client *http.Client // for discovery and keys
	issuer *url.URL

	mu      sync.Mutex
	found   *discovered
	at      time.Time // when found was read
	lastErr error
	next    time.Time // no attempt before, after a failure
	wait    time.Duration
	running chan struct{} // closed when the attempt under way is over
}

// discovered is what the provider says about itself.
type discovered struct {
	oidc       *oidc.Provider
	endpoint   oauth2.Endpoint
	client     *http.Client // for the token and the user info
	verifier   *oidc.IDTokenVerifier
	endSession string
	sendsIss   bool // RFC 9207
	algorithms []string
}

func newProvider(p Provider, now func() time.Time) (*provider, error) {
	given := p
	if !providerName.MatchString(p.Name) {
		return nil, fmt.Errorf("sign-in provider %q: a name has lower-case letters, digits and hyphens, at most 40", p.Name)
	}
	u, err := url.Parse(p.Issuer)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("sign-in provider %s: the issuer is no address", p.Name)
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())) {
		return nil, fmt.Errorf("sign-in provider %s: the issuer must be https (http on this machine only)", p.Name)
	}
	if p.ClientID == "" {
		return nil, fmt.Errorf("sign-in provider %s: no client id", p.Name)
	}
	if p.Title == "" {
		p.Title = p.Name
	}
	if p.Scopes == nil {
		p.Scopes = []string{"profile", "email"}
	}
	p.Scopes = slices.Clone(p.Scopes)
	p.Scopes = slices.DeleteFunc(p.Scopes, func(s string) bool { return s == oidc.ScopeOpenID })
	p.Scopes = append([]string{oidc.ScopeOpenID}, p.Scopes...)
	q := &provider{cfg: p, given: given, now: now, client: p.HTTPClient, issuer: u}
	if q.client == nil {
		q.client = pinned(u.Host)
	}
	return q, nil
}

// pinned is a client for calls with credentials to these hosts.
func pinned(hosts ...string) *http.Client {
	return httpx.ForRemote(hosts, httpx.RemoteConfig{
		Config:    httpx.Config{Timeout: 10 * time.Second, MaxBody: maxProviderDoc},
		PerSecond: -1, // each call is one person who waits
		TripAfter: -1, // discovery backs off by itself
	})
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// discover returns what the provider says about itself, from memory while that
// is fresh. One attempt is under way at a time, and a failed one is not repeated
// before its wait is over: the answer is ErrProviderDown until then.
func (p *provider) discover(ctx context.Context) (*discovered, error) {
	for {
		p.mu.Lock()
		now := p.now()
		if p.found != nil && now.Sub(p.at) < discoveryFresh {
			d := p.found
			p.mu.Unlock()
			return d, nil
		}
		if p.running == nil {
			if now.Before(p.next) {
				err := p.lastErr
				p.mu.Unlock()
				return nil, p.down(err)
			}
			p.running = make(chan struct{})
			// The attempt outlives the request that asked: others wait for it too.
			go p.attempt(context.WithoutCancel(ctx))
		}
		running := p.running
		p.mu.Unlock()
		select {
		case <-running:
		case <-ctx.Done():
			return nil, p.down(ctx.Err())
		}
	}
}

// known is discover for a sign-in that is under way: what was read once is good
// enough.
func (p *provider) known(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	d := p.found
	p.mu.Unlock()
	if d != nil {
		return d, nil
	}
	return p.discover(ctx)
}

func (p *provider) attempt(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, discoveryTimeout)
	defer cancel()
	d, err := p.read(ctx)

	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.running)
	p.running = nil
	now := p.now()
	if err != nil {
		p.lastErr = err
		p.wait = min(max(2*p.wait, backoffFirst), backoffMost)
		p.next = now.Add(p.wait)
		p.at = time.Time{} // no longer fresh
		return
	}
	p.found, p.at, p.lastErr, p.wait, p.next = d, now, nil, 0, time.Time{}
}

func (p *provider) read(ctx context.Context) (*discovered, error) {
	op, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.cfg.Issuer)
	if err != nil {
		return nil, err
	}
	var meta struct {
		EndSession string   `json:"end_session_endpoint"`
		SendsIss   bool     `json:"authorization_response_iss_parameter_supported"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
		AuthBy     []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := op.Claims(&meta); err != nil {
		return nil, fmt.Errorf("read the provider's metadata: %w", err)
	}
	endpoints := map[string]string{"authorization_endpoint": op.Endpoint().AuthURL, "token_endpoint": op.Endpoint().TokenURL}
	if op.UserInfoEndpoint() != "" {
		endpoints["userinfo_endpoint"] = op.UserInfoEndpoint()
	}
	for name, u := range endpoints {
		if err := p.checkEndpoint(u); err != nil {
			return nil, fmt.Errorf("read the provider's metadata: %s: %w", name, err)
		}
	}
	if p.checkEndpoint(meta.EndSession) != nil {
		meta.EndSession = ""
	}
	d := &discovered{oidc: op, endpoint: op.Endpoint(), endSession: meta.EndSession, sendsIss: meta.SendsIss}
	// Left to find out by itself, the library would show the code to the
	// provider twice. Discovery 1.0 says that basic is meant when nothing is said.
	d.endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if p.cfg.ClientSecret.IsZero() || len(meta.AuthBy) > 0 && !slices.Contains(meta.AuthBy, "client_secret_basic") {
		d.endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	d.client = p.caller(d.endpoint.TokenURL, op.UserInfoEndpoint())
	d.algorithms = slices.DeleteFunc(meta.Algorithms, func(a string) bool { return !signed(a) })
	if len(d.algorithms) == 0 {
		d.algorithms = []string{oidc.RS256} // what every provider must have
	}
	d.verifier = op.Verifier(&oidc.Config{
		ClientID: p.cfg.ClientID, Now: p.now, SupportedSigningAlgs: d.algorithms,
	})
	return d, nil
}

// checkEndpoint refuses endpoints that would carry a code or a token in clear,
// and those that lead into our own network by a bare address: the operator named
// the issuer, not them.
func (p *provider) checkEndpoint(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return errors.New("no address")
	}
	if u.Scheme == p.issuer.Scheme && u.Host == p.issuer.Host {
		return nil
	}
	if isLoopback(p.issuer.Hostname()) && isLoopback(u.Hostname()) {
		return nil
	}
	if u.Scheme != "https" {
		return errors.New("not https")
	}
	if isLoopback(u.Hostname()) || net.ParseIP(u.Hostname()) != nil {
		return errors.New("not a public name")
	}
	return nil
}

// caller is the client for the token and the user info. Some providers have
// these at other hosts than the issuer, and the credentials go there, too.
func (p *provider) caller(endpoints ...string) *http.Client {
	if p.cfg.HTTPClient != nil {
		return p.cfg.HTTPClient
	}
	hosts := []string{p.issuer.Host}
	for _, e := range endpoints {
		// checkEndpoint has parsed them; a port that the scheme implies stays implied.
		if u, err := url.Parse(e); err == nil && u.Host != "" && !slices.Contains(hosts, u.Host) {
			hosts = append(hosts, u.Host)
		}
	}
	if len(hosts) == 1 {
		return p.client
	}
	return pinned(hosts...)
}

// signed reports whether an algorithm proves who signed: with HS256 the client
// secret would, and "none" is none.
func signed(alg string) bool {
	switch alg {
	case oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA:
		return true
	}
	return false
}

func (p *provider) down(err error) error {
	return fmt.Errorf("sign in by %s: %w: %w", p.cfg.Name, ErrProviderDown, err)
}

func (p *provider) oauth(d *discovered, base string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret.Reveal(),
		Endpoint: d.endpoint, Scopes: p.cfg.Scopes,
		RedirectURL: RedirectURI(base, p.cfg.Name),
	}
}

// RedirectURI is what must be registered at the provider, exactly.
func RedirectURI(base, name string) string { return base + "/login/callback/" + name }
