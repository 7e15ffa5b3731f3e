//go:build unix

package wordpress

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const verifier = "demo-verifier-demo-verifier-demo-verifier-demo-01"

// The site signs its members in at the gateway, and at nobody else.
func TestTheSignInWithstandsAttacks(t *testing.T) {
	s := Start(t, Options{})
	gateway := newStub(t)
	if err := s.Pair(t, gateway.URL, "ONE-TIME"); err != nil {
		t.Fatal(err)
	}
	member := s.CreateUser(t, "walker", "walker@example.org", "Wanda", "Walker")
	redirect := gateway.URL + "/login/callback/demo"
	base := s.BaseURL + "/badgebridge-sign-in"
	sum := sha256.Sum256([]byte(verifier))
	good := url.Values{"client_id": {"demo-key"}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"openid email"},
		"state": {"demo-state"}, "nonce": {"demo-nonce"}, "code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}}
	browser := s.SignIn(t, "walker", "demo-pass")
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ask := func(change url.Values) *http.Response {
		q := url.Values{}
		for name, v := range good {
			q[name] = v
		}
		for name, v := range change {
			q[name] = v
		}
		resp, err := browser.Get(base + "/authorize?" + q.Encode())
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	codeOf := func(t *testing.T) string {
		t.Helper()
		resp := ask(nil)
		u, err := url.Parse(resp.Header.Get("Location"))
		if err != nil || !strings.HasPrefix(u.String(), redirect+"?") || u.Query().Get("state") != "demo-state" || u.Query().Get("iss") != base {
			t.Fatalf("it answers %d to %q", resp.StatusCode, u)
		}
		return u.Query().Get("code")
	}
	trade := func(t *testing.T, code string, change url.Values, id, secret string) (int, map[string]any) {
		t.Helper()
		form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier}}
		for name, v := range change {
			form[name] = v
		}
		req, err := http.NewRequest(http.MethodPost, base+"/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if id != "" {
			req.SetBasicAuth(id, secret)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		var doc map[string]any
		if err := json.Unmarshal(body, &doc); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		return resp.StatusCode, doc
	}
	const secret = "demo-secret-demo-secret"

	t.Run("it redirects to the gateway's own address and to no other", func(t *testing.T) {
		for _, to := range []string{"https://evil.example.org/", redirect + "x", redirect + "/../evil", "//evil.example.org", "javascript:alert(1)", ""} {
			if resp := ask(url.Values{"redirect_uri": {to}}); resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Location") != "" {
				t.Errorf("%q: %d to %q", to, resp.StatusCode, resp.Header.Get("Location"))
			}
		}
		if resp := ask(url.Values{"client_id": {"another"}}); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("another client: %d", resp.StatusCode)
		}
	})
	t.Run("it asks for PKCE and a nonce", func(t *testing.T) {
		for _, change := range []url.Values{{"code_challenge_method": {"plain"}}, {"code_challenge": {"short"}}, {"nonce": {""}}} {
			if to := ask(change).Header.Get("Location"); !strings.Contains(to, "error=invalid_request") || strings.Contains(to, "code=") {
				t.Errorf("%v: %q", change, to)
			}
		}
	})
	t.Run("a code is good once, for its verifier, its address and its client", func(t *testing.T) {
		if status, doc := trade(t, codeOf(t), nil, "demo-key", "guessed-guessed-guessed"); status != http.StatusUnauthorized {
			t.Errorf("a guessed secret: %d %v", status, doc)
		}
		for _, change := range []url.Values{{"code_verifier": {strings.Repeat("x", 43)}}, {"redirect_uri": {"https://evil.example.org/"}}} {
			if status, doc := trade(t, codeOf(t), change, "demo-key", secret); status != http.StatusBadRequest || doc["error"] != "invalid_grant" {
				t.Errorf("%v: %d %v", change, status, doc)
			}
		}
		code := codeOf(t)
		status, doc := trade(t, code, nil, "demo-key", secret)
		if status != http.StatusOK {
			t.Fatalf("%d %v", status, doc)
		}
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(doc["id_token"].(string), ".")[1])
		if err != nil {
			t.Fatal(err)
		}
		var claims map[string]any
		if err := json.Unmarshal(payload, &claims); err != nil {
			t.Fatal(err)
		}
		if claims["sub"] != fmt.Sprintf("%s:%d", s.UUID(t), member) || claims["nonce"] != "demo-nonce" || claims["aud"] != "demo-key" ||
			claims["email_verified"] != false || fmt.Sprint(claims["roles"]) != "[subscriber]" {
			t.Errorf("claims %v", claims)
		}
		if status, doc := trade(t, code, nil, "demo-key", secret); status != http.StatusBadRequest || doc["error"] != "invalid_grant" {
			t.Errorf("a code used again: %d %v", status, doc)
		}
		// Where a proxy strips Authorization.
		if status, doc := trade(t, codeOf(t), url.Values{"client_id": {"demo-key"}, "client_secret": {secret}}, "", ""); status != http.StatusOK {
			t.Errorf("by form: %d %v", status, doc)
		}
	})
	t.Run("an address is proven by a link that the site mailed and that was used", func(t *testing.T) {
		proven := func() string {
			return s.PHP(t, fmt.Sprintf(`echo \Badgebridge\Proofs::proven( get_userdata( %d ) ) ? 'yes' : 'no';`, member))
		}
		s.PHP(t, fmt.Sprintf(`reset_password( get_userdata( %d ), 'demo-pass' );`, member)) // an administrator's way
		if proven() != "no" {
			t.Error("proven without a link")
		}
		s.PHP(t, `$user = get_user_by( 'login', 'walker' ); $key = get_password_reset_key( $user );
			apply_filters( 'retrieve_password_message', 'x', $key, $user->user_login, $user );
			$_COOKIE[ 'wp-resetpass-' . COOKIEHASH ] = 'walker:' . $key;
			reset_password( $user, 'demo-pass' );`)
		if proven() != "yes" {
			t.Error("not proven by the link")
		}
		s.SetEmail(t, member, "elsewhere@example.org")
		if proven() != "no" {
			t.Error("the proof went over to another address")
		}
	})
}

// BadgeOS confirms whatever it is asked; with the plugin there the page tells the truth.
func TestAssertionPagesTellTheTruth(t *testing.T) {
	s := Start(t, Options{})
	badge := s.CreateBadge(t, `<script>alert(1)</script> "Star"`)
	user := s.CreateUser(t, "walker", "walker@example.org", "Wanda", "Walker")
	entry := s.Award(t, badge, user)
	s.PHP(t, `$id = wp_insert_post( array( 'post_type' => 'page', 'post_status' => 'publish', 'post_name' => 'assertion', 'post_title' => 'Assertion' ) );
		update_option( 'badgeos_assertion_url', $id ); update_option( 'badgeos_json_url', $id );`)
	get := func(bg, eid, uid any) (int, string) {
		resp, err := http.Get(fmt.Sprintf("%s/assertion/?bg=%v&eid=%v&uid=%v", s.BaseURL, bg, eid, uid))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	status, first := get(badge, entry, user)
	if status != http.StatusOK || !strings.Contains(first, `"type":"Assertion"`) {
		t.Fatalf("a real award: %d %s", status, first)
	}
	if _, again := get(badge, entry, user); again != first {
		t.Errorf("another document the second time:\n%s\n%s", first, again)
	}
	for _, forged := range [][3]any{{badge, entry + 1, user}, {badge + 1, entry, user}, {badge, entry, user + 1}, {1, 1, 1}, {"1%20OR%201=1", entry, user}, {badge, "1%27", user}} {
		if status, body := get(forged[0], forged[1], forged[2]); status != http.StatusNotFound {
			t.Errorf("%v: %d %s", forged, status, body)
		}
	}
	// Anybody can ask for the document: a page that only the link opens is not in it.
	const secretPage, creditPage = "https://gateway.example.org/b/only-by-the-link", "https://credly.example.org/badges/1"
	states := func(public bool) {
		s.PHP(t, fmt.Sprintf(`\Badgebridge\MemberState::keep( %d, array( 'states' => array( %d => array( 'visibility' => 'x', 'public' => %t, 'page_url' => %s ) ) ) );`, user, entry, public, quote(secretPage)))
	}
	if states(false); strings.Contains(second(get(badge, entry, user)), secretPage) {
		t.Error("it gives away a page that is shown by its link alone")
	}
	if states(true); !strings.Contains(second(get(badge, entry, user)), `"related":{"id":"`+secretPage+`"}`) {
		t.Error("it does not link the public page")
	}
	s.PHP(t, fmt.Sprintf(`$row = badgebridge()->provider()->awards_by_id( array( %[1]d ) )[ %[1]d ];
		badgebridge()->grants()->begin( 'key-of-a-credly-badge', %[2]d, %[3]d, $row->issued_on, %[4]s ); badgebridge()->grants()->finish( 'key-of-a-credly-badge', $row );`, entry, badge, user, quote(creditPage)))
	if !strings.Contains(second(get(badge, entry, user)), `"related":{"id":"`+creditPage+`"}`) {
		t.Error("what was granted for a badge of Credly's does not lead there")
	}
	s.Revoke(t, entry)
	if status, body := get(badge, entry, user); status != http.StatusGone || !strings.Contains(body, `"revoked":true`) {
		t.Errorf("revoked: %d %s", status, body)
	}
}

func second(_ int, body string) string { return body }

// Connecting begins at the site, is agreed to at the gateway and confirmed here; a
// gateway that refuses leaves what was there.
func TestThePairingIsAskedForHereAndConfirmedHere(t *testing.T) {
	s := Start(t, Options{})
	gateway := newStub(t)
	admin := signIn(t, s, s.AdminUser, s.AdminPassword)
	const page = "/wp-admin/options-general.php?page=badgebridge"
	nonce := func() string {
		before, _, _ := strings.Cut(admin.get(t, page), `name="action" value="badgebridge_pair"`)
		at := strings.LastIndex(before, `name="_wpnonce" value="`)
		value, _, _ := strings.Cut(before[at+len(`name="_wpnonce" value="`):], `"`)
		return value
	}
	pair := func(code string) *http.Response {
		client := *admin.client
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		resp, err := client.PostForm(s.BaseURL+"/wp-admin/admin-post.php", url.Values{"action": {"badgebridge_pair"}, "_wpnonce": {nonce()}, "gateway": {gateway.URL + "/"}, "code": {code}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	to, err := url.Parse(pair("").Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	state := to.Query().Get("state")
	if !strings.HasPrefix(to.String(), gateway.URL+"/admin/connect/wordpress?") || to.Query().Get("return") != s.BaseURL+page || len(state) < 32 {
		t.Fatalf("it asks at %s", to)
	}
	if s.PHP(t, `echo get_option( 'badgebridge_pairing' ) ? 'paired' : 'not';`) != "not" {
		t.Error("asking paired it")
	}
	for name, answer := range map[string][2]string{
		"another question's":  {"&code=AAAA-BBBB-CCCC&state=" + strings.Repeat("0", 48), "does not belong to what was asked here"},
		"none":                {"&code=AAAA-BBBB-CCCC", "Leave it empty to get one"},
		"a refusal":           {"&error=access_denied&state=" + state, "did not agree"},
		"hostile, and right":  {"&code=" + url.QueryEscape(`"><script>bbxss()</script>`) + "&state=" + state, "has agreed"},
		"a code for this one": {"&code=AAAA-BBBB-CCCC&state=" + state, `value="AAAA-BBBB-CCCC"`},
	} {
		got := admin.get(t, page+answer[0])
		if !strings.Contains(got, answer[1]) || strings.Contains(got, "<script>bbxss") {
			t.Errorf("%s: it says\n%s", name, got)
		}
		if strings.Contains(got, `value="AAAA-BBBB`) != (name == "a code for this one") {
			t.Errorf("%s: the code is taken over, or is not", name)
		}
	}
	if resp := pair("AAAA-BBBB-CCCC"); resp.StatusCode != http.StatusFound {
		t.Fatalf("confirmed: %d", resp.StatusCode)
	}
	paired := s.PHP(t, `echo md5( serialize( get_option( 'badgebridge_pairing' ) ) );`)
	gateway.serve("/hook", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	s.PHP(t, `badgebridge()->outbox()->put( 'award.changed', 0 );`)
	for name, answer := range map[string]string{
		"no gateway":               `{}`,
		"messages in the clear":    `{"remote":"demo","key_id":"demo-key","secret":"demo-secret-demo-secret","webhook_url":"http://elsewhere.example.org/hook"}`,
		"messages to a file":       `{"remote":"demo","key_id":"demo-key","secret":"demo-secret-demo-secret","webhook_url":"file:///etc/passwd"}`,
		"messages with a password": `{"remote":"demo","key_id":"demo-key","secret":"demo-secret-demo-secret","webhook_url":"https://a:b@elsewhere.example.org/hook"}`,
	} {
		gateway.serve("/api/v1/pair", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
		pair("DDDD-EEEE-FFFF")
		if got := s.PHP(t, `echo md5( serialize( get_option( 'badgebridge_pairing' ) ) );`); got != paired {
			t.Errorf("%s: the earlier pairing is gone", name)
		}
	}
	if n := s.PHP(t, `global $wpdb; echo $wpdb->get_var( "SELECT COUNT(*) FROM {$wpdb->prefix}badgebridge_outbox" );`); n == "0" {
		t.Error("what was still to be sent is forgotten though nothing was paired anew")
	}
}

func TestTheSelfTestNamesTheCure(t *testing.T) {
	s := Start(t, Options{})
	gateway := newStub(t)
	admin := signIn(t, s, s.AdminUser, s.AdminPassword)
	if err := s.Pair(t, gateway.URL, "ONE-TIME"); err != nil {
		t.Fatal(err)
	}
	const page = "/wp-admin/options-general.php?page=badgebridge&self-test=1"
	lines := func() string {
		_, list, _ := strings.Cut(admin.get(t, page), `<ul class="badgebridge-self-test">`)
		list, _, _ = strings.Cut(list, "</ul>")
		return list
	}
	if got := lines(); strings.Contains(got, "✗") || strings.Count(got, "✓") < 10 {
		t.Errorf("a healthy site:\n%s", got)
	}
	for name, c := range map[string]struct{ break_, mend, cure string }{
		"permalinks off": {`update_option( 'permalink_structure', '' );`, `update_option( 'permalink_structure', '/%postname%/' ); flush_rewrite_rules( false );`, "Choose a structure"},
		"a proxy strips the headers": {
			`file_put_contents( WPMU_PLUGIN_DIR . '/broken.php', '<?php foreach ( array_keys( $_SERVER ) as $name ) { if ( 0 === strpos( $name, "HTTP_BADGEBRIDGE" ) ) { unset( $_SERVER[ $name ] ); } }' );`,
			`unlink( WPMU_PLUGIN_DIR . '/broken.php' );`, "Have it pass them on"},
		"the REST API is blocked": {
			`file_put_contents( WPMU_PLUGIN_DIR . '/broken.php', '<?php if ( false !== strpos( $_SERVER["REQUEST_URI"], "/wp-json/" ) ) { http_response_code( 403 ); exit( "Forbidden" ); }' );`,
			`unlink( WPMU_PLUGIN_DIR . '/broken.php' );`, "Make an exception"},
		"cron is dead": {`wp_clear_scheduled_hook( 'badgebridge_cron' );`, `wp_schedule_event( time() + 60, 'badgebridge_minutes', 'badgebridge_cron' );`, "Have the server call wp-cron.php"},
	} {
		t.Run(name, func(t *testing.T) {
			s.PHP(t, c.break_)
			if got := lines(); !strings.Contains(got, c.cure) {
				t.Errorf("it says\n%s", got)
			}
			s.PHP(t, c.mend)
		})
	}
	gateway.Close()
	if got := lines(); !strings.Contains(got, "Calls to the gateway fail") {
		t.Errorf("without a gateway it says\n%s", got)
	}
}
