//go:build unix

package wordpress

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	gateway "badgebridge/adapters/wordpress"
)

// hostile is a site with two members and a gateway that anybody may have taken over.
type hostile struct {
	*Site
	gateway       *stub
	admin         browser
	walker, other int64
	badge, entry  int64
	asWalker      browser
	asOther       browser
}

const (
	stubKey    = "demo-key"
	stubSecret = "demo-secret-demo-secret"
	// xss is a text that runs when it is taken for HTML anywhere.
	xss = `<script>bbxss()</script>"'><img src=x onerror=bbxss()> & more`
)

func startHostile(t *testing.T) *hostile {
	t.Helper()
	h := &hostile{Site: Start(t, Options{}), gateway: newStub(t)}
	h.gateway.serve("/api/v1/sites/demo/badges", h.states)
	h.gateway.serve("/api/v1/sites/demo/act", h.states)
	if err := h.Pair(t, h.gateway.URL, "ONE-TIME"); err != nil {
		t.Fatal(err)
	}
	h.badge = h.CreateBadge(t, xss)
	h.walker = h.CreateUser(t, "walker", "walker@example.org", xss, xss)
	h.other = h.CreateUser(t, "other", "other@example.org", "Other", "Member")
	h.PHP(t, fmt.Sprintf(`kses_remove_filters(); wp_update_user( wp_slash( array( 'ID' => %d, 'display_name' => %s ) ) );
		update_option( 'blogname', %s );
		foreach ( array( 'my-badges' => '[badgebridge_my_badges]', 'wall' => '[badgebridge_badge_wall]' ) as $name => $content ) {
			wp_insert_post( array( 'post_type' => 'page', 'post_status' => 'publish', 'post_name' => $name, 'post_title' => $name, 'post_content' => $content ) );
		}
		$id = wp_insert_post( array( 'post_type' => 'page', 'post_status' => 'publish', 'post_name' => 'assertion', 'post_title' => 'Assertion' ) );
		update_option( 'badgeos_assertion_url', $id ); update_option( 'badgeos_json_url', $id );`, h.walker, quote(xss), quote(xss)))
	h.entry = h.Award(t, h.badge, h.walker)
	h.admin = signIn(t, h.Site, h.AdminUser, h.AdminPassword)
	h.asWalker = signIn(t, h.Site, "walker", "demo-pass")
	h.asOther = signIn(t, h.Site, "other", "demo-pass")
	return h
}

// states answers as a gateway does, with texts that none should send.
func (h *hostile) states(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Entries []map[string]any `json:"entries"`
	}
	json.NewDecoder(r.Body).Decode(&in)
	var badges []map[string]any
	for _, e := range in.Entries {
		badges = append(badges, map[string]any{"entry_id": e["entry_id"], "fingerprint": e["fingerprint"], "state": "claimed", "visibility": xss, "public": true,
			"title": xss, "page_url": "javascript:bbxss()", "manage_url": `https://gateway.example.org/"onmouseover="bbxss()`, "verify_url": "data:text/html,bbxss",
			"share_url": "\x01javascript:bbxss()", "baked": true, "can": []string{xss, "publish"},
			"copies": []map[string]any{{"place": xss, "state": xss, "words": xss, "url": "JaVaScRiPt:bbxss()"}}})
	}
	json.NewEncoder(w).Encode(map[string]any{"badges": badges, "gateway": xss})
}

// signed is a call of the gateway to the site, not sent yet.
func (h *hostile) signed(t *testing.T, key, secret, method, route string, query url.Values, body any) *http.Request {
	t.Helper()
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	route = "/badgebridge/v1" + route
	target, err := url.PathUnescape(route)
	if err != nil {
		t.Fatal(err)
	}
	address := h.RestURL + route
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequest(method, address, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	gateway.SignRequest(req.Header, key, secret, method, gateway.Target(target, query), time.Now(), raw)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Badgebridge-Site", h.UUID(t))
	req.Header.Set("Badgebridge-Home", h.BaseURL)
	return req
}

func send(t *testing.T, c *http.Client, req *http.Request) (int, string) {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestThePluginWithstandsAttacks(t *testing.T) {
	h := startHostile(t)
	t.Run("a forged grant awards nothing", h.forgedGrant)
	t.Run("another site's key opens nothing", h.anotherKey)
	t.Run("a subscriber sees and does nothing of another's", h.subscriber)
	t.Run("no form is sent from another site", h.forms)
	t.Run("no text becomes a script", h.scripts)
	t.Run("no parameter becomes SQL", h.queries)
	t.Run("acts lead back to the site alone", h.redirects)
	t.Run("a page cache in front shows nobody another's badges", h.cached)
	t.Run("a gateway one version apart still works", h.apart)
}

func (h *hostile) awards(t *testing.T) int64 {
	t.Helper()
	return h.number(t, `global $wpdb; echo $wpdb->get_var( "SELECT COUNT(*) FROM {$wpdb->prefix}badgeos_achievements" );`)
}

func (h *hostile) grant(key string) map[string]any {
	return map[string]any{"key": key, "badge_id": h.badge, "email": "other@example.org", "issued_on": "2024-05-06T07:08:09Z"}
}

func (h *hostile) forgedGrant(t *testing.T) {
	before := h.awards(t)
	for name, spoil := range map[string]func(*http.Request){
		"unsigned": func(r *http.Request) { r.Header.Del("Badgebridge-Signature") },
		"another body": func(r *http.Request) {
			raw, _ := json.Marshal(h.grant("another-key-of-a-grant-1"))
			r.Body, r.ContentLength, r.GetBody = io.NopCloser(bytes.NewReader(raw)), int64(len(raw)), nil
		},
		"an old time":    func(r *http.Request) { r.Header.Set("Badgebridge-Time", "1700000000") },
		"an added query": func(r *http.Request) { r.URL.RawQuery = "badge_id=1" },
		"another method": func(r *http.Request) { r.Header.Set("X-HTTP-Method-Override", "GET") },
		"a longer text": func(r *http.Request) {
			r.Header.Set("Badgebridge-Signature", r.Header.Get("Badgebridge-Signature")+"0")
		},
		"an empty one": func(r *http.Request) { r.Header.Set("Badgebridge-Signature", "0") },
		"an administrator": func(r *http.Request) {
			r.Header.Del("Badgebridge-Signature")
			r.Header.Set("X-WP-Nonce", h.restNonce(t, h.admin))
		},
	} {
		req := h.signed(t, stubKey, stubSecret, "POST", "/awards", nil, h.grant("key-of-a-forged-grant-"+regexp.MustCompile(`\W`).ReplaceAllString(name, "-")))
		spoil(req)
		if status, body := send(t, h.admin.client, req); status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if after := h.awards(t); after != before {
		t.Fatalf("%d awards, before %d", after, before)
	}
	// A genuine one counts once, also for who has listened.
	req := h.signed(t, stubKey, stubSecret, "POST", "/awards", nil, h.grant("key-of-a-genuine-grant"))
	again := req.Clone(t.Context())
	again.Body, _ = req.GetBody()
	if status, body := send(t, http.DefaultClient, req); status != http.StatusCreated {
		t.Fatalf("a genuine one: %d %s", status, body)
	}
	if status, body := send(t, http.DefaultClient, again); status != http.StatusUnauthorized || h.awards(t) != before+1 {
		t.Errorf("sent again: %d %s", status, body)
	}
}

// restNonce is what a signed-in page of WordPress sends with its own calls.
func (h *hostile) restNonce(t *testing.T, b browser) string {
	t.Helper()
	return strings.TrimSpace(b.get(t, "/wp-admin/admin-ajax.php?action=rest-nonce"))
}

func (h *hostile) anotherKey(t *testing.T) {
	for name, c := range map[string]struct {
		key, secret string
		spoil       func(*http.Request)
		status      int
	}{
		"its key and secret":         {"another-key", "another-secret-another-secret", nil, http.StatusUnauthorized},
		"our name, its secret":       {stubKey, "another-secret-another-secret", nil, http.StatusUnauthorized},
		"its name, our secret":       {"another-key", stubSecret, nil, http.StatusUnauthorized},
		"ours, meant for another":    {stubKey, stubSecret, func(r *http.Request) { r.Header.Set("Badgebridge-Site", "6f1f64f5-0c3c-4f0e-9f0c-0d7b8a1a2b3c") }, http.StatusConflict},
		"ours, for another's copy":   {stubKey, stubSecret, func(r *http.Request) { r.Header.Set("Badgebridge-Home", "https://copy.example.org") }, http.StatusConflict},
		"ours, for nobody in partic": {stubKey, stubSecret, func(r *http.Request) { r.Header.Del("Badgebridge-Site") }, http.StatusConflict},
	} {
		for _, call := range []struct {
			method, route string
			body          any
		}{
			{"GET", "/members", nil}, {"GET", "/awards", nil}, {"POST", "/awards", h.grant("key-of-another-site-0")}, {"DELETE", "/pairing", nil},
			{"PUT", "/pairing/key", map[string]string{"key_id": "theirs", "secret": strings.Repeat("s", 40)}},
		} {
			req := h.signed(t, c.key, c.secret, call.method, call.route, nil, call.body)
			if c.spoil != nil {
				c.spoil(req)
			}
			if status, body := send(t, http.DefaultClient, req); status != c.status || strings.Contains(body, "@example.org") {
				t.Errorf("%s: %s %s: %d %s", name, call.method, call.route, status, body)
			}
		}
	}
}

func (h *hostile) subscriber(t *testing.T) {
	nonce := h.restNonce(t, h.asOther)
	for _, path := range []string{"/site", "/badges", "/members", "/awards", "/awards/changes", fmt.Sprintf("/awards/%d", h.entry), "/awards/by-key/key-of-a-genuine-grant"} {
		req, err := http.NewRequest("GET", h.RestURL+"/badgebridge/v1"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-WP-Nonce", nonce)
		if status, body := send(t, h.asOther.client, req); status != http.StatusUnauthorized || strings.Contains(body, "walker") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	for _, path := range []string{
		fmt.Sprintf("/wp-json/wp/v2/block-renderer/badgebridge/badge?context=edit&attributes[entry]=%d", h.entry), "/wp-json/wp/v2/block-renderer/badgebridge/my-badges?context=edit&user_id=" + fmt.Sprint(h.walker),
		"/wp-admin/options-general.php?page=badgebridge&self-test=1", fmt.Sprintf("/my-badges/?user=%d&user_id=%d", h.walker, h.walker),
	} {
		if page := h.asOther.get(t, path); strings.Contains(page, "bbxss") && strings.Contains(page, fmt.Sprintf("badgebridge-%d", h.entry)) || strings.Contains(page, "walker@example.org") {
			t.Errorf("%s shows\n%s", path, page)
		}
	}
	// With a nonce of their own, for an entry that is not.
	for _, act := range []string{"act", "baked"} {
		own := h.nonceOf(t, h.asOther, h.other, fmt.Sprintf("badgebridge_%s_%d", act, h.entry))
		form := url.Values{"action": {"badgebridge_" + act}, "entry": {fmt.Sprint(h.entry)}, "act": {"publish"}, "_wpnonce": {own}}
		h.gateway.take()
		resp, err := h.asOther.client.PostForm(h.BaseURL+"/wp-admin/admin-post.php?"+form.Encode(), form)
		if body := read(t, resp, err); resp.StatusCode != http.StatusForbidden || !strings.Contains(body, "not yours") {
			t.Errorf("%s: %d %s", act, resp.StatusCode, body)
		}
	}
}

// nonceOf makes a nonce as a page of this browser would carry it.
func (h *hostile) nonceOf(t *testing.T, b browser, user int64, action string) string {
	t.Helper()
	at, err := url.Parse(h.BaseURL + "/")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(at) {
		if strings.HasPrefix(c.Name, "wordpress_logged_in_") {
			value, err := url.QueryUnescape(c.Value)
			if err != nil {
				t.Fatal(err)
			}
			return h.PHP(t, fmt.Sprintf(`$_COOKIE[ LOGGED_IN_COOKIE ] = %s; wp_set_current_user( %d ); echo wp_create_nonce( %s );`, quote(value), user, quote(action)))
		}
	}
	t.Fatal("nobody is signed in")
	return ""
}

// forms finds every act that has a form, so that a new one is tried, too.
func (h *hostile) forms(t *testing.T) {
	var acts []string
	out := h.PHP(t, `require_once ABSPATH . 'wp-admin/includes/admin.php'; ( new \Badgebridge\SettingsPage( badgebridge() ) )->start();
		echo wp_json_encode( array_values( preg_grep( '/^(admin_post|wp_ajax)_badgebridge_/', array_keys( $GLOBALS['wp_filter'] ) ) ) );`)
	if err := json.Unmarshal([]byte(out), &acts); err != nil || len(acts) < 8 {
		t.Fatalf("%v in %s", err, out)
	}
	state := func() string {
		return h.PHP(t, `global $wpdb; echo wp_json_encode( array( get_option( 'badgebridge_pairing' ), get_option( 'badgebridge_uuid' ), get_option( 'badgebridge_provider' ),
			get_option( 'badgebridge_epoch' ), $wpdb->get_var( "SELECT COUNT(*) FROM {$wpdb->prefix}badgebridge_outbox" ) ) );`)
	}
	before := state()
	h.gateway.take()
	for _, hook := range acts {
		act := strings.TrimPrefix(hook, "admin_post_")
		for _, who := range []struct {
			browser
			name string
			id   int64
		}{{h.admin, "admin", 1}, {h.asWalker, "walker", h.walker}} {
			for name, nonce := range map[string]string{"none": "", "a guessed one": "0123456789", "one for something else": h.nonceOf(t, who.browser, who.id, "badgebridge_else")} {
				form := url.Values{"action": {act}, "_wpnonce": {nonce}, "entry": {fmt.Sprint(h.entry)}, "act": {"publish"}, "gateway": {"https://evil.example.org"}, "code": {"X"}, "provider": {"gamipress"}}
				resp, err := who.client.PostForm(h.BaseURL+"/wp-admin/admin-post.php", form)
				if read(t, resp, err); resp.StatusCode != http.StatusForbidden {
					t.Errorf("%s by %s with the nonce %q: %d", act, who.name, name, resp.StatusCode)
				}
				resp, err = who.client.Get(h.BaseURL + "/wp-admin/admin-post.php?" + form.Encode())
				if read(t, resp, err); resp.StatusCode != http.StatusForbidden {
					t.Errorf("%s by %s, as a link with the nonce %q: %d", act, who.name, name, resp.StatusCode)
				}
			}
		}
	}
	if after := state(); after != before {
		t.Errorf("before %s\nafter %s", before, after)
	}
	if told := h.gateway.take(); len(told) != 0 {
		t.Errorf("the gateway was told %v", told)
	}
}

func (h *hostile) scripts(t *testing.T) {
	h.PHP(t, `update_option( 'badgebridge_webhook', array( 'at' => time(), 'error' => '<script>bbxss()</script>' ) );
		$pairing = get_option( 'badgebridge_pairing' ); $pairing['keyed_at'] = time(); update_option( 'badgebridge_pairing', $pairing );`)
	pages := map[string]string{
		"my badges":    h.asWalker.get(t, "/my-badges/"),
		"the wall":     h.asOther.get(t, "/wall/"),
		"the settings": h.admin.get(t, "/wp-admin/options-general.php?page=badgebridge&self-test=1"),
		"one badge":    h.PHP(t, fmt.Sprintf(`echo do_shortcode( '[badgebridge_badge entry="%d"]' );`, h.entry)),
		"BadgeOS's own": h.PHP(t, fmt.Sprintf(`wp_set_current_user( %d ); unset( $GLOBALS['current_screen'] );
			echo apply_filters( 'badgeos_render_achievement', '', %d );`, h.walker, h.badge)),
		"an error": read2(t, h.asWalker, "/wp-admin/admin-post.php?action=badgebridge_baked&entry="+url.QueryEscape(xss)),
		"sign-in":  read2(t, h.asWalker, "/badgebridge-sign-in/authorize?client_id="+url.QueryEscape(xss)+"&redirect_uri="+url.QueryEscape(xss)),
	}
	for name, page := range pages {
		if name != "an error" && name != "sign-in" && !strings.Contains(page, "bbxss") {
			t.Errorf("%s does not show the text at all:\n%s", name, page)
		}
		doc, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		harmless(t, name, doc)
	}
	// Documents are JSON and say so.
	resp, err := http.Get(fmt.Sprintf("%s/assertion/?bg=%d&eid=%d&uid=%d", h.BaseURL, h.badge, h.entry, h.walker))
	if read(t, resp, err); !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/ld+json") || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the assertion comes as %v", resp.Header)
	}
}

func read2(t *testing.T, b browser, path string) string {
	t.Helper()
	resp, err := b.client.Get(b.base + path)
	return read(t, resp, err)
}

// harmless fails where the hostile text is anything but text.
func harmless(t *testing.T, page string, n *html.Node) {
	t.Helper()
	if n.Type == html.ElementNode {
		if n.Data == "script" && n.FirstChild != nil && strings.Contains(n.FirstChild.Data, "bbxss()</") {
			t.Errorf("%s: a script from a text", page)
		}
		if n.Data == "script" && n.FirstChild != nil && strings.TrimSpace(n.FirstChild.Data) == "bbxss()" || n.Data == "img" && attribute(n, "src") == "x" {
			t.Errorf("%s: an element from a text: %s", page, n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") && strings.Contains(a.Val, "bbxss") {
				t.Errorf("%s: %s runs %s", page, a.Key, a.Val)
			}
			scheme, _, _ := strings.Cut(strings.ToLower(strings.TrimLeft(a.Val, "\x00\x01\t\n ")), ":")
			if (a.Key == "href" || a.Key == "src" || a.Key == "action") && (scheme == "javascript" || scheme == "data" && strings.Contains(a.Val, "bbxss")) {
				t.Errorf("%s: %s leads to %s", page, a.Key, a.Val)
			}
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		harmless(t, page, c)
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// queries puts SQL into every parameter, and looks into the database's own log for one
// that has become part of a query's text.
func (h *hostile) queries(t *testing.T) {
	h.SQL(t, "SET GLOBAL log_output='TABLE'; TRUNCATE mysql.general_log; SET GLOBAL general_log=ON;")
	debug := h.dir + "/debug.log"
	said, _ := os.ReadFile(debug)
	for _, p := range []string{"7' OR 'bbsql'='bbsql", "7 OR bbsql=bbsql", `7\' OR bbsql -- `, `7") OR ("bbsql"="bbsql`, "7/**/UNION/**/SELECT/**/bbsql"} {
		h.injectSigned(t, p)
		h.injectOpenly(t, p)
	}
	h.SQL(t, "SET GLOBAL general_log=OFF;")
	var queries []string
	out := h.PHP(t, `global $wpdb; echo wp_json_encode( $wpdb->get_col( "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE argument LIKE '%bbsql%' AND argument NOT LIKE '%general\_log%'" ) );`)
	if err := json.Unmarshal([]byte(out), &queries); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if len(queries) < 10 {
		t.Errorf("only %d queries hold it: the log is not on, or nothing was asked", len(queries))
	}
	quoted := regexp.MustCompile(`(?s)'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"`)
	for _, q := range queries {
		if strings.Contains(quoted.ReplaceAllString(q, "?"), "bbsql") {
			t.Errorf("it is part of the query\n%s", q)
		}
	}
	if now, _ := os.ReadFile(debug); bytes.Contains(now[len(said):], []byte("WordPress database error")) {
		t.Errorf("the log says\n%s", now[len(said):])
	}
}

func (h *hostile) injectSigned(t *testing.T, p string) {
	t.Helper()
	email := "other@example.org"
	esc := url.PathEscape(p)
	for _, c := range []struct {
		method, route string
		query         url.Values
		body          any
	}{
		{"GET", "/badges", url.Values{"after": {p}}, nil}, {"GET", "/badges", url.Values{"limit": {p}}, nil},
		{"GET", "/members", url.Values{"email": {p}}, nil}, {"GET", "/members", url.Values{"after": {p}}, nil}, {"GET", "/members", url.Values{"limit": {p}}, nil},
		{"GET", "/awards", url.Values{"after": {p}}, nil}, {"GET", "/awards", url.Values{"limit": {p}}, nil},
		{"GET", "/awards/changes", url.Values{"after": {p}}, nil}, {"GET", "/awards/changes", url.Values{"after": {"0123456789abcdef.1." + p}}, nil}, {"GET", "/awards/changes", url.Values{"limit": {p}}, nil},
		{"GET", "/awards/by-key/" + esc, nil, nil}, {"GET", "/awards/" + esc, nil, nil},
		{"POST", "/awards", nil, map[string]any{"key": p, "badge_id": h.badge, "email": email, "issued_on": "2024-05-06T07:08:09Z"}},
		{"POST", "/awards", nil, map[string]any{"key": "key-with-sql-in-its-badge", "badge_id": p, "email": email, "issued_on": "2024-05-06T07:08:09Z"}},
		{"POST", "/awards", nil, map[string]any{"key": "key-with-sql-in-its-email", "badge_id": h.badge, "email": p, "issued_on": "2024-05-06T07:08:09Z"}},
		{"POST", "/awards", nil, map[string]any{"key": "key-with-sql-in-its-date", "badge_id": h.badge, "email": email, "issued_on": p}},
		{"POST", "/awards", nil, map[string]any{"key": "key-with-sql-in-its-page", "badge_id": h.badge, "email": email, "issued_on": "2024-05-06T07:08:09Z", "page_url": p}},
		{"POST", fmt.Sprintf("/awards/%d/revoke", h.entry), nil, map[string]any{"fingerprint": p, "reason": "x"}},
		{"POST", fmt.Sprintf("/awards/%d/revoke", h.entry), nil, map[string]any{"fingerprint": "0123456789abcdef", "reason": p}},
		{"PUT", "/badges/by-key/" + esc, nil, map[string]any{"title": "x"}},
		{"PUT", "/badges/by-key/key-with-sql-in-its-body", nil, map[string]any{"title": p, "description": p, "criteria": p, "criteria_url": "https://example.org/?" + url.QueryEscape(p), "state": "draft"}},
		{"PUT", "/badges/by-key/key-with-sql-in-its-type", nil, map[string]any{"title": "x", "type": p}},
		{"PUT", "/badges/by-key/key-with-sql-in-its-state", nil, map[string]any{"title": "x", "state": p}},
		{"PUT", "/badges/by-key/key-with-sql-in-its-id", nil, map[string]any{"title": "x", "badge_id": p}},
		{"PUT", "/pairing/key", nil, map[string]any{"key_id": p, "secret": strings.Repeat("s", 40)}},
	} {
		if status, body := send(t, http.DefaultClient, h.signed(t, stubKey, stubSecret, c.method, c.route, c.query, c.body)); status >= 500 {
			t.Errorf("%s %s %v %v: %d %s", c.method, c.route, c.query, c.body, status, body)
		}
	}
	req := h.signed(t, stubKey, stubSecret, "GET", "/site", nil, nil)
	for _, name := range []string{"Key", "Nonce", "Time", "Site", "Home"} {
		bad := req.Clone(t.Context())
		bad.Header.Set("Badgebridge-"+name, p)
		if status, body := send(t, http.DefaultClient, bad); status != http.StatusUnauthorized && status != http.StatusConflict {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

func (h *hostile) injectOpenly(t *testing.T, p string) {
	t.Helper()
	q := url.QueryEscape(p)
	for _, path := range []string{
		"/assertion/?bg=" + q, "/assertion/?bg=1&eid=" + q, "/assertion/?bg=1&eid=1&uid=" + q,
		"/badgebridge-sign-in/authorize?client_id=" + q, "/badgebridge-sign-in/authorize?client_id=demo-key&state=" + q + "&redirect_uri=" + url.QueryEscape(h.gateway.URL+"/login/callback/demo"),
		"/wp-json/badgebridge/v1/members?email=" + q, "/my-badges/?user=" + q,
	} {
		anonymous(t, h.BaseURL+path)
	}
	for _, form := range []url.Values{
		{"action": {"badgebridge_act"}, "entry": {p}, "act": {p}}, {"action": {"badgebridge_baked"}, "entry": {p}},
		{"action": {"badgebridge_provider"}, "provider": {p}, "_wpnonce": {h.nonceOf(t, h.admin, 1, "badgebridge_provider")}},
		{"action": {"badgebridge_pair"}, "gateway": {p}, "code": {p}, "_wpnonce": {h.nonceOf(t, h.admin, 1, "badgebridge_pair")}},
	} {
		h.admin.post(t, "/wp-admin/admin-post.php", form)
	}
	resp, err := http.PostForm(h.BaseURL+"/badgebridge-sign-in/token", url.Values{"grant_type": {"authorization_code"}, "code": {p}, "redirect_uri": {p}, "code_verifier": {p},
		"client_id": {stubKey}, "client_secret": {stubSecret}})
	if body := read(t, resp, err); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a code: %d %s", resp.StatusCode, body)
	}
	// Who writes pages, and who asks for data, write texts, too.
	h.PHP(t, fmt.Sprintf(`$p = %s;
		badgebridge()->member_badges(); ( new \Badgebridge\MemberPages( badgebridge() ) )->badge( array( 'entry' => $p ) );
		( new \Badgebridge\MemberPages( badgebridge() ) )->badge_wall( array( 'user' => $p ) );
		$privacy = new \Badgebridge\Privacy( badgebridge() ); $privacy->export( $p ); $privacy->erase( $p );`, quote(p)))
}

func (h *hostile) redirects(t *testing.T) {
	once := *h.asWalker.client
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, from := range []string{"https://evil.example.org/", "//evil.example.org/", "javascript:alert(1)", h.BaseURL + "@evil.example.org/", ""} {
		form := url.Values{"action": {"badgebridge_act"}, "entry": {fmt.Sprint(h.entry)}, "act": {"publish"}, "_wp_http_referer": {from},
			"_wpnonce": {h.nonceOf(t, h.asWalker, h.walker, fmt.Sprintf("badgebridge_act_%d", h.entry))}}
		req, err := http.NewRequest("POST", h.BaseURL+"/wp-admin/admin-post.php", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Referer", from)
		resp, err := once.Do(req)
		if read(t, resp, err); resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(resp.Header.Get("Location"), h.BaseURL+"/") {
			t.Errorf("from %q: %d to %q", from, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
}
