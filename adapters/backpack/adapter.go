// Package backpack is a client of Mozilla's Backpack Connect: it pushes a
// person's badges, with their permission, into any backpack that speaks that
// protocol.
//
// Facts that shape it: the protocol has no state, no client id and no code, so
// the callback itself carries what proves that the answer belongs to the
// question; access tokens live an hour and both tokens change when they are
// renewed; a badge travels as the address of its hosted assertion or as a
// signature, and a second push of the same one is answered 304; and a backpack
// from Mozilla's time knows Open Badges up to 1.1 alone, so that a badge which is
// refused for its form is offered in the next older one.
package backpack

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"badgebridge/adapters"
	"badgebridge/internal/secret"
)

// Kind is the driver's name in configurations.
const Kind = "backpack"

// Driver makes adapters for one person's account at one backpack. The
// configuration is a JSON object:
//
//	root           address of the backpack: what precedes its /issuer.js and /access
//	api_root       where its API is, as it said itself; absent before it is connected
//	access_token   secret
//	refresh_token  secret
//	expires_at     RFC 3339, when the access token ends
func Driver() adapters.Driver {
	return adapters.Driver{
		Kind: Kind,
		New: func(raw json.RawMessage, hc *http.Client) (adapters.Adapter, error) {
			s, err := parseConfig(raw)
			if err != nil {
				return nil, err
			}
			return &adapter{newClient(s, hc)}, nil
		},
		Hosts: hosts,
	}
}

type adapter struct{ *client }

// Check asks whom the token is good for. The answer is a hash that is another
// one each time, and names nobody.
func (a *adapter) Check(ctx context.Context) (adapters.Health, error) {
	if a.api == nil {
		return adapters.Health{}, &adapters.Error{Op: "backpack: check", Kind: adapters.ErrUnauthorized, Err: errors.New("it is not connected")}
	}
	out, err := a.do(ctx, call{op: "check", method: http.MethodGet, to: a.api.String() + "/identity", bearer: true})
	if err != nil {
		return adapters.Health{}, err
	}
	if out.Recipient == "" {
		return adapters.Health{}, &adapters.Error{Op: "backpack: check", Kind: adapters.ErrUnavailable, Status: out.status,
			Err: errors.New("the answer names no recipient; is this the address of a backpack?")}
	}
	return adapters.Health{Name: a.root.Host, CredentialExpires: a.expires}, nil
}

// Store implements adapters.Backpack.
func (a *adapter) Store(ctx context.Context, in adapters.Deposit) (adapters.Ref, error) {
	if a.api == nil {
		return "", &adapters.Error{Op: "backpack: store", Kind: adapters.ErrUnauthorized, Err: errors.New("it is not connected")}
	}
	ref, forms := adapters.Ref(""), append([]adapters.Form{{Assertion: in.Assertion, URL: in.URL}}, in.Others...)
	var refused error
	for _, f := range forms {
		badge := badgeOf(f)
		if badge == "" {
			continue
		}
		if ref == "" {
			ref = refOf(badge) // of the best form, whichever is taken
		}
		err := a.issue(ctx, badge)
		if err == nil {
			return ref, nil
		}
		refused = err
		if !refusedForm(err) {
			break
		}
	}
	if refused == nil {
		refused = &adapters.Error{Op: "backpack: store", Kind: adapters.ErrRejected,
			Words: "This badge is neither hosted nor signed in a form that this protocol can carry."}
	}
	return "", refused
}

func (a *adapter) issue(ctx context.Context, badge string) error {
	out, err := a.do(ctx, call{op: "store", method: http.MethodPost, to: a.api.String() + "/issue", bearer: true, body: map[string]string{"badge": badge}})
	if err != nil {
		var e *adapters.Error
		if errors.As(err, &e) && saysThere(e) {
			return nil
		}
		if errors.As(err, &e) && errors.Is(err, adapters.ErrNotFound) {
			// Not the badge is missing but the door: it may come back.
			e.Kind, e.Err = adapters.ErrUnavailable, errors.New("nothing takes badges at the backpack's address")
		}
		return err
	}
	if out.status == http.StatusNotModified || out.Exists != nil || out.Badge != nil {
		return nil
	}
	return &adapters.Error{Op: "backpack: store", Kind: adapters.ErrUnavailable, Status: out.status, Ambiguous: true,
		Err: errors.New("the answer is not in the protocol's form")}
}

// saysThere: some backpacks answer a badge that they have already with an error.
func saysThere(e *adapters.Error) bool {
	if e.Status != http.StatusConflict && !errors.Is(e.Kind, adapters.ErrRejected) {
		return false
	}
	words := strings.ToLower(e.Words)
	return strings.Contains(words, "already exists") || strings.Contains(words, "duplicate")
}

// refusedForm tells whether another form of the same badge may fare better: not
// where the refusal is about whose badge it is or who sends it.
func refusedForm(err error) bool {
	var e *adapters.Error
	if !errors.As(err, &e) || !errors.Is(e.Kind, adapters.ErrRejected) {
		return false
	}
	return (e.Status == http.StatusBadRequest || e.Status == http.StatusUnprocessableEntity || e.Status == http.StatusUnsupportedMediaType) &&
		!strings.Contains(e.Words, "origin")
}

// badgeOf is a form as the protocol takes it: an address or a compact signature;
// "" when it is neither.
func badgeOf(f adapters.Form) string {
	if f.URL != "" {
		return f.URL
	}
	if s := strings.TrimSpace(string(f.Assertion)); strings.HasPrefix(s, "eyJ") && strings.Count(s, ".") == 2 && !strings.ContainsAny(s, " \t\r\n{}") {
		return s
	}
	return ""
}

// refOf names a badge there, for the protocol gives no name.
func refOf(badge string) adapters.Ref {
	if strings.HasPrefix(badge, "eyJ") {
		sum := sha256.Sum256([]byte(badge))
		return adapters.Ref("sha256:" + hex.EncodeToString(sum[:]))
	}
	return adapters.Ref(badge)
}

// pending is what Finish has to recognize.
type pending struct {
	Nonce string `json:"nonce"`
}

// Begin implements adapters.Connector. It asks the address first whether it
// knows the protocol: without a callback, that answers 400 with words of its own.
func (a *adapter) Begin(ctx context.Context, callback string) (string, []byte, error) {
	back, err := url.Parse(callback)
	if err != nil {
		return "", nil, &adapters.Error{Op: "backpack: connect", Kind: adapters.ErrRejected, Err: err}
	}
	_, err = a.do(ctx, call{op: "connect", method: http.MethodGet, to: a.root.String() + "/access"})
	var e *adapters.Error
	switch {
	case errors.As(err, &e) && e.Status == http.StatusBadRequest && strings.Contains(e.Words, "callback expected"):
	case errors.As(err, &e) && e.Status == 0, errors.As(err, &e) && adapters.Temporary(err) && e.Status >= 429:
		return "", nil, err
	default:
		return "", nil, &adapters.Error{Op: "backpack: connect", Kind: adapters.ErrNotFound, Err: errors.New("what answers there does not know Mozilla's Backpack Connect")}
	}
	var b [16]byte
	_, _ = rand.Read(b[:])
	p := pending{Nonce: base64.RawURLEncoding.EncodeToString(b[:])}
	q := back.Query()
	q.Set("state", p.Nonce)
	back.RawQuery = q.Encode()
	state, err := json.Marshal(p)
	if err != nil {
		return "", nil, fmt.Errorf("backpack: connect: %w", err)
	}
	return a.root.String() + "/access?" + url.Values{"callback": {back.String()}, "scope": {"issue"}}.Encode(), state, nil
}

// Finish implements adapters.Connector.
func (a *adapter) Finish(_ context.Context, state []byte, query url.Values) (adapters.Grant, error) {
	fail := func(kind error, words, format string, args ...any) (adapters.Grant, error) {
		return adapters.Grant{}, &adapters.Error{Op: "backpack: connect", Kind: kind, Words: words, Err: fmt.Errorf(format, args...)}
	}
	var p pending
	if json.Unmarshal(state, &p) != nil || p.Nonce == "" || subtle.ConstantTimeCompare([]byte(p.Nonce), []byte(query.Get("state"))) != 1 {
		return fail(adapters.ErrUnauthorized, "", "the answer does not belong to the question")
	}
	if word := query.Get("error"); word != "" {
		return fail(adapters.ErrRejected, a.clean(word), "no permission was given")
	}
	api, err := parseRoot(query.Get("api_root"))
	if err != nil {
		return fail(adapters.ErrRejected, "", "api_root: %w", err)
	}
	if api.Scheme == "http" && a.root.Scheme != "http" {
		return fail(adapters.ErrRejected, "", "api_root: the tokens would travel in the clear")
	}
	s := settings{root: a.root, api: api, access: secret.New(query.Get("access_token")), refresh: secret.New(query.Get("refresh_token"))}
	if !isToken(s.access.Reveal()) || s.refresh.Reveal() != "" && !isToken(s.refresh.Reveal()) {
		return fail(adapters.ErrRejected, "", "the answer holds no usable token")
	}
	s.expires = a.ends(query.Get("expires"))
	token, err := s.plain()
	if err != nil {
		return adapters.Grant{}, fmt.Errorf("backpack: connect: %w", err)
	}
	return adapters.Grant{Token: token}, nil
}

// ends is when a token ends that is good for so many seconds; zero unknown.
func (a *adapter) ends(seconds any) time.Time {
	n, err := strconv.ParseFloat(fmt.Sprint(seconds), 64)
	if err != nil || n <= 0 || n > 10*365*24*3600 {
		return time.Time{}
	}
	return a.now().Add(time.Duration(n) * time.Second).UTC().Truncate(time.Second)
}

// early is how long before its end a token is renewed.
const early = time.Minute

// Renew implements adapters.Renewer.
func (a *adapter) Renew(ctx context.Context, ended bool) ([]byte, error) {
	if !ended && (a.expires.IsZero() || a.now().Add(early).Before(a.expires)) {
		return nil, nil
	}
	if a.api == nil || a.refresh.Reveal() == "" {
		return nil, &adapters.Error{Op: "backpack: renew", Kind: adapters.ErrUnauthorized, Err: errors.New("there is nothing to renew the permission with")}
	}
	out, err := a.do(ctx, call{op: "renew", method: http.MethodPost, to: a.api.String() + "/token",
		body: map[string]string{"grant_type": "refresh_token", "refresh_token": a.refresh.Reveal()}})
	if err != nil {
		var e *adapters.Error
		if errors.As(err, &e) && errors.Is(e.Kind, adapters.ErrRejected) {
			e.Kind = adapters.ErrUnauthorized // a refused refresh token is the grant's end
		}
		return nil, err
	}
	next := a.settings
	next.access, next.expires = secret.New(out.AccessToken), a.ends(out.Expires)
	if out.RefreshToken != "" {
		next.refresh = secret.New(out.RefreshToken)
	}
	if !isToken(out.AccessToken) || !isToken(next.refresh.Reveal()) {
		return nil, &adapters.Error{Op: "backpack: renew", Kind: adapters.ErrUnavailable, Status: out.status, Ambiguous: true,
			Err: errors.New("the answer holds no usable token")}
	}
	return next.plain()
}

// CutPairing implements adapters.Cutter: it gives the permission back. Mozilla's
// protocol has no call for that; this one is RFC 7009's, below the API's root,
// and ErrNotFound says that the backpack does not know it.
func (a *adapter) CutPairing(ctx context.Context) error {
	if a.api == nil {
		return nil
	}
	token := a.refresh // which ends the whole grant and does not expire
	if token.IsZero() {
		token = a.access
	}
	_, err := a.do(ctx, call{op: "disconnect", method: http.MethodPost, to: a.api.String() + "/revoke", body: map[string]string{"token": token.Reveal()}})
	if errors.Is(err, adapters.ErrUnauthorized) {
		return nil // it has ended already
	}
	return err
}
