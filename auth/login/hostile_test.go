package login_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"badgebridge/auth/login"
)

// refused checks that a sign-in failed as it should and left nothing behind.
func (w *world) refused(t *testing.T, res login.Result, err, want error, check string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("the error is %v, want %v", err, want)
	}
	var te *login.TokenError
	if errors.As(err, &te) != (check != "") || te != nil && te.Check != check {
		t.Errorf("the check that failed is in %v, want %q", err, check)
	}
	if res.PersonID != "" || res.Pending != "" || res.IDToken != "" {
		t.Errorf("refused, and yet %+v", res)
	}
	if n := w.people(t); n != 0 {
		t.Errorf("%d accounts were made", n)
	}
	if w.owner(t, "ada@example.org") != "" || len(w.proven) != 0 {
		t.Error("an address was proven")
	}
}

func TestAHostileTokenSignsNobodyIn(t *testing.T) {
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string, v any) func(d *double) {
		return func(d *double) {
			d.tamper = func(_, body map[string]any) {
				if v == nil {
					delete(body, name)
					return
				}
				body[name] = v
			}
		}
	}
	for name, c := range map[string]struct {
		do    func(d *double)
		check string
	}{
		"another nonce":                          {set("nonce", "another"), "nonce"},
		"no nonce":                               {set("nonce", nil), "nonce"},
		"another audience":                       {set("aud", "somebody-else"), "audience"},
		"several, none of them us":               {set("aud", []string{"a", "b"}), "audience"},
		"several, and not for whom":              {set("aud", []string{"a", clientID}), "audience"},
		"made for another client":                {set("azp", "somebody-else"), "audience"},
		"another issuer":                         {set("iss", "https://evil.example.org"), "issuer"},
		"expired":                                {set("exp", time.Now().Add(-time.Minute).Unix()), "expired"},
		"not valid yet":                          {set("nbf", time.Now().Add(time.Hour).Unix()), "not yet valid"},
		"no subject":                             {set("sub", ""), "subject"},
		"another access token":                   {set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), "signature"},
		"not signed":                             {func(d *double) { d.sign = d.none }, "algorithm"},
		"signed with the public key as a secret": {func(d *double) { d.sign = d.hs256(d.publicPEM()) }, "algorithm"},
		"signed with the client secret":          {func(d *double) { d.sign = d.hs256([]byte(clientSecret)) }, "algorithm"},
		"signed by a stranger": {func(d *double) {
			d.sign = func(h, b map[string]any) string { return d.signedBy(stranger, h, b) }
		}, "signature"},
		"no token":                         {func(d *double) { d.sign = func(_, _ map[string]any) string { return "" } }, "format"},
		"no JWT":                           {func(d *double) { d.sign = func(_, _ map[string]any) string { return "x.y" } }, "format"},
		"a code that the provider refuses": {func(d *double) { d.status, d.tokenErr = 400, "invalid_grant" }, "grant"},
		"user info about somebody else": {func(d *double) {
			d.claims = nil
			d.userInfo = map[string]any{"sub": "subject-2", "email": "ada@example.org", "email_verified": true}
		}, "subject"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t, "double")
			c.do(d)
			w := newWorld(t, d.provider())
			res, err := w.signIn(t, d, "/")
			w.refused(t, res, err, login.ErrToken, c.check)
		})
	}
}

func TestAHostileAnswerSignsNobodyIn(t *testing.T) {
	type answer struct {
		query   url.Values
		cookies []*http.Cookie
	}
	with := func(name, value string) func(*world, *answer) {
		return func(_ *world, a *answer) { a.query.Set(name, value) }
	}
	for name, c := range map[string]struct {
		do    func(w *world, a *answer)
		want  error
		check string
	}{
		"another state":       {with("state", "another"), login.ErrUnknownState, ""},
		"no state":            {func(_ *world, a *answer) { a.query.Del("state") }, login.ErrUnknownState, ""},
		"two states":          {func(_ *world, a *answer) { a.query.Add("state", a.query.Get("state")) }, login.ErrUnknownState, ""},
		"another browser":     {func(_ *world, a *answer) { a.cookies = nil }, login.ErrUnknownState, ""},
		"a made-up cookie":    {func(_ *world, a *answer) { a.cookies[0].Value = "made-up" }, login.ErrUnknownState, ""},
		"too late":            {func(w *world, _ *answer) { w.clock.pass(11 * time.Minute) }, login.ErrUnknownState, ""},
		"no code":             {with("code", ""), login.ErrToken, "format"},
		"a made-up code":      {with("code", "made-up"), login.ErrToken, "grant"},
		"another issuer":      {with("iss", "https://evil.example.org"), login.ErrToken, "issuer"},
		"two issuers":         {func(_ *world, a *answer) { a.query["iss"] = []string{"a", "b"} }, login.ErrToken, "issuer"},
		"the person says no":  {with("error", "access_denied"), login.ErrDenied, ""},
		"not registered":      {with("error", "unauthorized_client"), login.ErrRefused, ""},
		"provider in trouble": {with("error", "temporarily_unavailable"), login.ErrProviderDown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t, "double")
			w := newWorld(t, d.provider())
			ask, cookie := w.begin(t, "double", "/")
			a := &answer{query: d.authorize(ask), cookies: []*http.Cookie{cookie}}
			c.do(w, a)
			res, err := w.Finish(t.Context(), "double", a.query, a.cookies)
			w.refused(t, res, err, c.want, c.check)
		})
	}
}

func TestAnAnswerWithoutIssuerIsRefusedWhereTheProviderSendsOne(t *testing.T) {
	d := newDouble(t, "double")
	d.meta = map[string]any{"authorization_response_iss_parameter_supported": true}
	w := newWorld(t, d.provider())
	res, err := w.signIn(t, d, "/")
	w.refused(t, res, err, login.ErrToken, "issuer")
}

func TestAnAnswerIsGoodOnce(t *testing.T) {
	d := newDouble(t, "double")
	w := newWorld(t, d.provider())
	ask, cookie := w.begin(t, "double", "/")
	answer := d.authorize(ask)
	if _, err := w.Finish(t.Context(), "double", answer, []*http.Cookie{cookie}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Finish(t.Context(), "double", answer, []*http.Cookie{cookie}); !errors.Is(err, login.ErrUnknownState) {
		t.Errorf("the same answer again gives %v", err)
	}
	// The same code in a sign-in of another browser.
	ask, cookie = w.begin(t, "double", "/")
	answer.Set("state", ask.Get("state"))
	if _, err := w.Finish(t.Context(), "double", answer, []*http.Cookie{cookie}); !errors.Is(err, login.ErrToken) {
		t.Errorf("a used code gives %v", err)
	}
	if n := w.people(t); n != 1 {
		t.Errorf("%d accounts", n)
	}
}

func TestACodeOfAnotherSignInIsRefusedByPKCE(t *testing.T) {
	d := newDouble(t, "double")
	w := newWorld(t, d.provider())
	stolen, _ := w.begin(t, "double", "/")
	ask, cookie := w.begin(t, "double", "/")
	answer := d.authorize(stolen)
	answer.Set("state", ask.Get("state"))
	res, err := w.Finish(t.Context(), "double", answer, []*http.Cookie{cookie})
	w.refused(t, res, err, login.ErrToken, "grant")
}

func TestAnAnswerOfOneProviderIsNotAnothers(t *testing.T) {
	d, evil := newDouble(t, "double"), newDouble(t, "evil")
	w := newWorld(t, d.provider(), evil.provider())
	ask, cookie := w.begin(t, "evil", "/")
	res, err := w.Finish(t.Context(), "double", evil.authorize(ask), []*http.Cookie{cookie})
	w.refused(t, res, err, login.ErrUnknownState, "")
	if d.used != 0 {
		t.Error("a code of one provider was shown to the other")
	}
}

func TestAStolenStateDoesNotEndTheSignInOfItsOwner(t *testing.T) {
	d := newDouble(t, "double")
	w := newWorld(t, d.provider())
	ask, cookie := w.begin(t, "double", "/")
	answer := d.authorize(ask)
	if _, err := w.Finish(t.Context(), "double", answer, nil); !errors.Is(err, login.ErrUnknownState) {
		t.Fatalf("without cookie: %v", err)
	}
	if _, err := w.Finish(t.Context(), "double", answer, []*http.Cookie{cookie}); err != nil {
		t.Fatalf("the owner of the sign-in: %v", err)
	}
}

func TestErrorsOfTheTokenEndpointAreToldApart(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		code   string
		want   error
	}{
		"our secret is wrong": {401, "invalid_client", login.ErrRefused},
		"it is in trouble":    {503, "server_error", login.ErrProviderDown},
		"it says nothing":     {502, "", login.ErrProviderDown},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t, "double")
			d.status, d.tokenErr = c.status, c.code
			w := newWorld(t, d.provider())
			res, err := w.signIn(t, d, "/")
			w.refused(t, res, err, c.want, "")
		})
	}
}
