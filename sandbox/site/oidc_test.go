package site_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"badgebridge/sandbox/site"
)

const (
	clientID = "gateway-key-1"
	callback = "https://badges.example.org/login/callback/association"
	leaving  = "https://badges.example.org/"
	// A secret that form encoding changes: RFC 6749 encodes it before Basic.
	clientSecret = "a secret/with+signs%and more"
)

// browser signs in at a site as one of its members.
type browser struct {
	*http.Client
	site     *site.Site
	base     string
	provider *oidc.Provider
	config   oauth2.Config
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	s, base := start(t, site.Config{
		Pairing:      &site.Pairing{KeyID: clientID, Secret: clientSecret},
		RedirectURIs: []string{callback}, LogoutURIs: []string{leaving},
		Seed: site.Seed{Members: []site.Member{
			{Email: "ada@example.org", EmailProven: true, GivenName: "Ada", FamilyName: "Example", Locale: "en"},
			{Email: "grace@example.org", GivenName: "Grace", FamilyName: "Admin Example", Roles: []string{"administrator"}},
		}},
	})
	provider, err := oidc.NewProvider(t.Context(), s.Issuer())
	must(t, err)
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &browser{
		Client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		site:   s, base: base, provider: provider,
		config: oauth2.Config{ClientID: clientID, ClientSecret: clientSecret, Endpoint: provider.Endpoint(), RedirectURL: callback,
			Scopes: []string{oidc.ScopeOpenID, "email", "profile"}},
	}
}

// open asks for the sign-in page; choose sends its form.
func (b *browser) open(t *testing.T, authURL string) (status int, body, location string) {
	t.Helper()
	response, err := b.Get(authURL)
	must(t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(data), response.Header.Get("Location")
}

func (b *browser) choose(t *testing.T, authURL, member string) url.Values {
	t.Helper()
	if status, body, _ := b.open(t, authURL); status != http.StatusOK || !strings.Contains(body, "Sign in as Ada Example") {
		t.Fatalf("the sign-in page: %d %s", status, body)
	}
	u, err := url.Parse(authURL)
	must(t, err)
	form := u.Query()
	form.Set("member", member)
	response, err := b.PostForm(b.base+"/oidc/authorize", form)
	must(t, err)
	response.Body.Close()
	location := response.Header.Get("Location")
	if response.StatusCode != http.StatusSeeOther || !strings.HasPrefix(location, callback+"?") {
		t.Fatalf("choosing: %d %s", response.StatusCode, location)
	}
	back, err := url.Parse(location)
	must(t, err)
	return back.Query()
}

// refusedExchange says how the token endpoint refuses.
func (b *browser) refusedExchange(t *testing.T, config oauth2.Config, code, verifier string) string {
	t.Helper()
	_, err := config.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	var refusal *oauth2.RetrieveError
	if err == nil {
		return ""
	}
	if !errors.As(err, &refusal) {
		t.Fatalf("%v", err)
	}
	return refusal.ErrorCode
}

func TestAMemberSignsIn(t *testing.T) {
	b := newBrowser(t)
	verifier := oauth2.GenerateVerifier()
	q := b.choose(t, b.config.AuthCodeURL("the state", oauth2.S256ChallengeOption(verifier), oidc.Nonce("the nonce")), "1")
	if q.Get("state") != "the state" || q.Get("iss") != b.site.Issuer() {
		t.Errorf("came back with %v", q)
	}
	tokens, err := b.config.Exchange(t.Context(), q.Get("code"), oauth2.VerifierOption(verifier))
	must(t, err)
	raw, _ := tokens.Extra("id_token").(string)
	id, err := b.provider.Verifier(&oidc.Config{ClientID: clientID}).Verify(t.Context(), raw)
	must(t, err)
	must(t, id.VerifyAccessToken(tokens.AccessToken))
	var claims struct {
		Email      string   `json:"email"`
		Verified   bool     `json:"email_verified"`
		Name       string   `json:"name"`
		GivenName  string   `json:"given_name"`
		FamilyName string   `json:"family_name"`
		Locale     string   `json:"locale"`
		Roles      []string `json:"roles"`
	}
	must(t, id.Claims(&claims))
	uuid, _ := b.site.Identity()
	if id.Subject != uuid+":1" || id.Nonce != "the nonce" || claims.Email != "ada@example.org" || !claims.Verified || claims.Name != "Ada Example" ||
		claims.GivenName != "Ada" || claims.FamilyName != "Example" || claims.Locale != "en" || len(claims.Roles) != 1 || claims.Roles[0] != "subscriber" {
		t.Errorf("subject %q, nonce %q, claims %+v", id.Subject, id.Nonce, claims)
	}
	info, err := b.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(tokens))
	must(t, err)
	if info.Subject != id.Subject || info.Email != "ada@example.org" || !info.EmailVerified {
		t.Errorf("userinfo %+v", info)
	}
	// The same browser is signed in at the site now.
	_, _, location := b.open(t, b.config.AuthCodeURL("s2", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("prompt", "none")))
	if !strings.Contains(location, "code=") {
		t.Errorf("prompt=none: %s", location)
	}
}

func TestAnAddressThatTheSiteNeverProvedIsNotVerified(t *testing.T) {
	b := newBrowser(t)
	verifier := oauth2.GenerateVerifier()
	q := b.choose(t, b.config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)), "2")
	tokens, err := b.config.Exchange(t.Context(), q.Get("code"), oauth2.VerifierOption(verifier))
	must(t, err)
	info, err := b.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(tokens))
	must(t, err)
	var claims struct {
		Roles []string `json:"roles"`
	}
	must(t, info.Claims(&claims))
	if info.EmailVerified || len(claims.Roles) != 1 || claims.Roles[0] != "administrator" {
		t.Errorf("%+v, roles %v", info, claims.Roles)
	}
}

func TestACodeWorksOnceAndItsTokenDiesWithTheSecondUse(t *testing.T) {
	b := newBrowser(t)
	verifier := oauth2.GenerateVerifier()
	code := b.choose(t, b.config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)), "1").Get("code")
	tokens, err := b.config.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	must(t, err)
	if got := b.refusedExchange(t, b.config, code, verifier); got != "invalid_grant" {
		t.Errorf("the second use: %q", got)
	}
	if _, err := b.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(tokens)); err == nil {
		t.Error("the first use's token still works")
	}
}

func TestTheTokenEndpointRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*oauth2.Config, *string)
		want   string
	}{
		"a wrong verifier":       {func(_ *oauth2.Config, v *string) { *v = oauth2.GenerateVerifier() }, "invalid_grant"},
		"no verifier":            {func(_ *oauth2.Config, v *string) { *v = "" }, "invalid_grant"},
		"another redirect":       {func(c *oauth2.Config, _ *string) { c.RedirectURL = callback + "/x" }, "invalid_grant"},
		"a wrong secret":         {func(c *oauth2.Config, _ *string) { c.ClientSecret = "guessed" }, "invalid_client"},
		"another client":         {func(c *oauth2.Config, _ *string) { c.ClientID = "somebody" }, "invalid_client"},
		"the secret in the form": {func(c *oauth2.Config, _ *string) { c.Endpoint.AuthStyle = oauth2.AuthStyleInParams }, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBrowser(t)
			verifier := oauth2.GenerateVerifier()
			code := b.choose(t, b.config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)), "1").Get("code")
			config := b.config
			config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
			c.change(&config, &verifier)
			if got := b.refusedExchange(t, config, code, verifier); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestNobodyIsSentToAnAddressThatWasNotAgreed(t *testing.T) {
	b := newBrowser(t)
	good := b.config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	for name, change := range map[string]func(url.Values){
		"another host":       func(q url.Values) { q.Set("redirect_uri", "https://evil.example.net/") },
		"a longer path":      func(q url.Values) { q.Set("redirect_uri", callback+"/more") },
		"another letter":     func(q url.Values) { q.Set("redirect_uri", strings.ToUpper(callback)) },
		"no address":         func(q url.Values) { q.Del("redirect_uri") },
		"an unknown client":  func(q url.Values) { q.Set("client_id", "somebody") },
		"a client not named": func(q url.Values) { q.Del("client_id") },
	} {
		u, err := url.Parse(good)
		must(t, err)
		q := u.Query()
		change(q)
		u.RawQuery = q.Encode()
		if status, _, location := b.open(t, u.String()); status != http.StatusBadRequest || location != "" {
			t.Errorf("%s: %d to %q", name, status, location)
		}
	}
	for name, c := range map[string]struct {
		change func(url.Values)
		want   string
	}{
		"without PKCE":      {func(q url.Values) { q.Del("code_challenge") }, "invalid_request"},
		"PKCE plain":        {func(q url.Values) { q.Set("code_challenge_method", "plain") }, "invalid_request"},
		"the implicit flow": {func(q url.Values) { q.Set("response_type", "token") }, "unsupported_response_type"},
		"without openid":    {func(q url.Values) { q.Set("scope", "email") }, "invalid_scope"},
		"silently":          {func(q url.Values) { q.Set("prompt", "none") }, "login_required"},
	} {
		u, err := url.Parse(good)
		must(t, err)
		q := u.Query()
		c.change(q)
		u.RawQuery = q.Encode()
		_, _, location := b.open(t, u.String())
		back, err := url.Parse(location)
		must(t, err)
		if !strings.HasPrefix(location, callback+"?") || back.Query().Get("error") != c.want || back.Query().Get("state") != "s" {
			t.Errorf("%s: %q, want %s", name, location, c.want)
		}
	}
}

func TestTheAddressesToReturnToFollowFromThePairing(t *testing.T) {
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"remote":"association","key_id":%q,"secret":%q,"webhook_url":""}`, clientID, clientSecret)
	}))
	defer gateway.Close()
	s, base := start(t, site.Config{})
	must(t, s.Pair(t.Context(), gateway.URL+"/", "K3QF-7XNB-2MTA"))
	config := oauth2.Config{ClientID: clientID, Endpoint: oauth2.Endpoint{AuthURL: base + "/oidc/authorize"}, Scopes: []string{"openid"}}
	for redirect, want := range map[string]int{
		gateway.URL + "/login/callback/association": http.StatusOK,
		gateway.URL + "/login/callback/another":     http.StatusBadRequest,
	} {
		config.RedirectURL = redirect
		if got, _ := read(t, config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))); got != want {
			t.Errorf("%s: %d, want %d", redirect, got, want)
		}
	}
}

func TestACloneSignsNobodyIn(t *testing.T) {
	b := newBrowser(t)
	uuid, _ := b.site.Identity()
	b.site.SetIdentity(uuid, "https://staging.example.org")
	if status, _, _ := b.open(t, b.config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))); status != http.StatusBadRequest {
		t.Errorf("status %d", status)
	}
}

func TestAFormOfAnotherSiteSignsNobodyIn(t *testing.T) {
	b := newBrowser(t)
	u, err := url.Parse(b.config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	must(t, err)
	form := u.Query()
	form.Set("member", "1")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.base+"/oidc/authorize", strings.NewReader(form.Encode()))
	must(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := b.Do(request)
	must(t, err)
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", response.StatusCode)
	}
}

func TestSigningOutGoesBackOnlyToTheAgreedAddress(t *testing.T) {
	b := newBrowser(t)
	verifier := oauth2.GenerateVerifier()
	q := b.choose(t, b.config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)), "1")
	tokens, err := b.config.Exchange(t.Context(), q.Get("code"), oauth2.VerifierOption(verifier))
	must(t, err)
	hint, _ := tokens.Extra("id_token").(string)
	var metadata struct {
		End string `json:"end_session_endpoint"`
	}
	must(t, b.provider.Claims(&metadata))
	for name, c := range map[string]struct {
		query url.Values
		want  string
	}{
		"another address": {url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://evil.example.net/"}}, ""},
		"no hint":         {url.Values{"post_logout_redirect_uri": {leaving}}, ""},
		"a forged hint":   {url.Values{"id_token_hint": {hint[:len(hint)-6] + "AAAAAA"}, "post_logout_redirect_uri": {leaving}}, ""},
		"as agreed":       {url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {leaving}, "state": {"x y"}}, leaving + "?state=x+y"},
	} {
		if _, _, location := b.open(t, metadata.End+"?"+c.query.Encode()); location != c.want {
			t.Errorf("%s: to %q, want %q", name, location, c.want)
		}
	}
	_, _, location := b.open(t, b.config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("prompt", "none")))
	if !strings.Contains(location, "login_required") {
		t.Errorf("still signed in: %s", location)
	}
}

func TestDiscoveryNamesWhatTheContractSays(t *testing.T) {
	b := newBrowser(t)
	var m map[string]json.RawMessage
	must(t, b.provider.Claims(&m))
	for name, want := range map[string]string{
		"code_challenge_methods_supported":      `["S256"]`,
		"token_endpoint_auth_methods_supported": `["client_secret_basic"]`,
		"response_types_supported":              `["code"]`,
	} {
		if string(m[name]) != want {
			t.Errorf("%s is %s, want %s", name, m[name], want)
		}
	}
	if _, err := oidc.NewProvider(context.Background(), b.base); err == nil {
		t.Error("the site's address alone passes for the issuer")
	}
}
