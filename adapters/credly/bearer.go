package credly

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"badgebridge/adapters"
	"badgebridge/internal/httpx"
)

// early is how long before its end an access token is not used any more.
const early = time.Minute

// bearer keeps the access token of an OAuth application and gets a new one when
// it is needed. Its calls go through the same client as all others, and follow no
// redirect.
type bearer struct {
	conf clientcredentials.Config
	hc   *http.Client
	now  func() time.Time

	mu    sync.Mutex
	token *oauth2.Token
}

func newBearer(o *oauth, hc *http.Client, now func() time.Time) *bearer {
	style := oauth2.AuthStyleInParams
	switch o.auth {
	case authHeader:
		style = oauth2.AuthStyleInHeader
	case authJSON:
		own := *hc
		own.Transport = formAsJSON{own.Transport}
		hc = &own
	}
	return &bearer{hc: hc, now: now, conf: clientcredentials.Config{
		ClientID: o.id, ClientSecret: o.secret.Reveal(), TokenURL: o.url.String(), Scopes: o.scopes, AuthStyle: style,
	}}
}

// formAsJSON sends what the OAuth library writes as a form as a JSON object, as the
// one client does that is known to work.
type formAsJSON struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (f formAsJSON) RoundTrip(req *http.Request) (*http.Response, error) {
	form, err := io.ReadAll(io.LimitReader(req.Body, 64<<10))
	if err := errors.Join(err, req.Body.Close()); err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(string(form))
	if err != nil {
		return nil, err
	}
	object := map[string]string{}
	for name := range values {
		object[name] = values.Get(name)
	}
	body, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	out.Header.Set("Content-Type", "application/json")
	out.Body, out.ContentLength, out.GetBody = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	if f.next == nil {
		return http.DefaultTransport.RoundTrip(out)
	}
	return f.next.RoundTrip(out)
}

// get returns an access token, and whether it is one that was in use before.
func (b *bearer) get(ctx context.Context) (token string, used bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.token != nil && (b.token.Expiry.IsZero() || b.now().Add(early).Before(b.token.Expiry)) {
		return b.token.AccessToken, true, nil
	}
	fresh, err := b.conf.Token(context.WithValue(ctx, oauth2.HTTPClient, b.hc))
	if err != nil {
		return "", false, err
	}
	b.token = fresh
	return fresh.AccessToken, false, nil
}

// drop forgets a token that Credly refused, unless another has taken its place.
func (b *bearer) drop(token string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.token != nil && b.token.AccessToken == token {
		b.token = nil
	}
}

func (b *bearer) current() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.token == nil {
		return ""
	}
	return b.token.AccessToken
}

// noToken says why there is no access token. What the call was about has not been
// sent.
func (c *client) noToken(op string, err error) *adapters.Error {
	e := &adapters.Error{Op: "credly: " + op, Kind: adapters.ErrUnavailable, RetryAfter: httpx.WaitOf(err)}
	var said *oauth2.RetrieveError
	if !errors.As(err, &said) {
		if err = c.plain(err); strings.HasPrefix(err.Error(), "oauth2:") {
			err = errors.New("the answer is no whole JSON document with a token; check oauth_url")
		}
		e.Err = fmt.Errorf("no access token could be had: %w", err)
		if e.RetryAfter > 0 {
			e.Kind = adapters.ErrRateLimited
		}
		return e
	}
	for _, words := range []string{said.ErrorDescription, said.ErrorCode, c.words(said.Body)} {
		if e.Words == "" {
			e.Words = c.clean(words)
		}
	}
	status := http.StatusOK
	if said.Response != nil {
		status = said.Response.StatusCode
		e.RetryAfter = httpx.RetryAfter(said.Response.Header, c.now())
	}
	e.Status = status
	switch {
	case status == http.StatusTooManyRequests:
		e.Kind = adapters.ErrRateLimited
	case status >= 500:
		e.Err = errors.New("no access token could be had")
	case status >= 400 && status != http.StatusNotFound:
		e.Kind = adapters.ErrUnauthorized
		e.Words = "Credly refuses the OAuth application (" + statusWords(status, e.Words) + "). Its client id or secret is mistyped, the application " +
			"was deleted, lacks a scope, or belongs to the other environment, production or sandbox. Copy both again from Credly, Organization, Developers."
	default:
		e.Err = errors.New("what answers where access tokens are had is not Credly; check oauth_url")
	}
	return e
}
