package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"badgebridge/internal/testenv/chromium"
	"badgebridge/internal/testenv/oidcprovider"
)

func TestFirstStartAndSignInWithARealProviderInARealBrowser(t *testing.T) {
	port := FreePort(t)
	base := fmt.Sprintf("http://localhost:%d", port)
	idp := oidcprovider.New(t, oidcprovider.Options{
		RedirectURIs: []string{base + "/login/callback/campus"}, PostLogoutRedirectURIs: []string{base + "/"},
	})
	g := New(t, Options{Port: port, YAML: fmt.Sprintf(`
providers:
  - {name: campus, title: Campus Association, issuer: %q, client_id: %q, client_secret: %q, scopes: [profile, email, roles], roles_claim: roles, admin_roles: [administrator], email_authoritative: true}
`, idp.Issuer, idp.ClientID, idp.ClientSecret)}).Start() // the provider is not there yet
	v := visit{t, chromium.Start(t), g}

	// First start: the printed link leads to the set-up, once.
	link := g.Link()
	path := strings.TrimPrefix(link, base)
	v.open(path)
	v.shot("setup")
	for name, value := range map[string]string{
		"base_url": base, "issuer_name": "Campus Association", "issuer_url": "https://campus.example.org", "issuer_email": "badges@campus.example.org", "admin_email": "grace@campus.example.org",
	} {
		v.eval(fmt.Sprintf(`(document.querySelector('[name=%q]').value = %q)`, name, value))
	}
	v.click(`main form button`)
	v.sees(false, "At a glance")
	v.open("/admin")
	v.sees(false, "At a glance")
	v.shot("admin-first")
	if code, _ := get(t, link, ""); code != 404 {
		t.Errorf("the used set-up link answers %d", code)
	}
	v.open("/me")
	v.eval(`(document.querySelector('form[action="/logout"]').requestSubmit(), "")`)
	v.waits(`a[href*="/login"]`)

	// The provider is down: said so, and nothing else is stopped.
	v.open("/login")
	v.sees(true, "Campus Association", "does not answer")
	v.shot("login-provider-down")

	// It comes up: found without a restart of the gateway.
	idp.Start(t)
	Eventually(t, time.Minute, "the provider is found", func() error {
		v.open("/login")
		if strings.Contains(v.text(), "does not answer") {
			return fmt.Errorf("not yet: %s", idp.Output())
		}
		return nil
	})
	enter := func(account string) {
		v.open("/login?return=/me")
		v.press("Continue with Campus Association")
		v.waits("#sign-in")
		v.eval(fmt.Sprintf(`(document.querySelector("#account").value = %q)`, account))
		v.eval(fmt.Sprintf(`(document.querySelector("#password").value = %q)`, account+"-demo"))
		v.click("#sign-in")
		v.click("#agree")
		v.waits(`form[action="/logout"]`)
		v.settled()
	}
	leave := func() {
		v.open("/me")
		v.eval(`(document.querySelector('form[action="/logout"]').requestSubmit(), "")`)
		v.press("Sign out at Campus Association")
		v.click("#sign-out") // the provider asks, too
		v.waits(`a[href*="/login"]`)
		v.settled()
	}
	enter("ada")
	v.sees(false, "ada@example.org")
	v.open("/admin")
	v.sees(false, "At a glance") // the provider's role made her an admin
	leave()
	v.open("/me")
	if strings.Contains(v.text(), "ada@example.org") {
		t.Error("still signed in after signing out")
	}

	// Somebody whom the provider gives no role, with an address nobody verified.
	enter("ben")
	v.open("/admin")
	if strings.Contains(v.text(), "At a glance") {
		t.Error("a member sees the admin pages")
	}
}
