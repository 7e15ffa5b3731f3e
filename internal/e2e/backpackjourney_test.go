package e2e

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"badgebridge/internal/testenv/chromium"
	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jose"
	"badgebridge/store/sqlstore"
)

// signer signs credentials that verify without its site: its name is its key.
type signer struct {
	t    *testing.T
	key  ed25519.PrivateKey
	name string
}

func newSigner(t *testing.T) signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	multi, err := did.Multikey(key.Public())
	must(t, err)
	return signer{t, key, "did:key:" + multi}
}

// badge is a signed credential, as a file that its earner has; until zero: for ever.
func (c signer) badge(n int, name, email string, until time.Time) string {
	c.t.Helper()
	id := fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", n)
	doc := map[string]any{
		"@context": []string{"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"},
		"id":       id, "jti": id, "iss": c.name, "nbf": 1767225600,
		"type":   []string{"VerifiableCredential", "OpenBadgeCredential"},
		"issuer": map[string]any{"id": c.name, "type": []string{"Profile"}, "name": "Demo College"},
		"name":   name, "validFrom": "2026-01-01T00:00:00Z",
		"credentialSubject": map[string]any{
			"type":       []string{"AchievementSubject"},
			"identifier": []any{map[string]any{"type": "IdentityObject", "hashed": false, "identityHash": email, "identityType": "emailAddress"}},
			"achievement": map[string]any{"id": fmt.Sprintf("urn:uuid:00000000-0000-4000-9000-%012d", n), "type": []string{"Achievement"}, "name": name,
				"description": "Demo", "criteria": map[string]any{"narrative": "Done."}},
		},
	}
	if !until.IsZero() {
		doc["validUntil"], doc["exp"] = until.UTC().Format(time.RFC3339), until.Unix()
	}
	payload, err := json.Marshal(doc)
	must(c.t, err)
	jwt, err := jose.Sign(jose.Header{Algorithm: "EdDSA", KeyID: c.name + "#" + strings.TrimPrefix(c.name, "did:key:"), Type: "vc+jwt"}, payload, c.key)
	must(c.t, err)
	return jwt
}

// choose puts a file into the page's file field, as a person who picks one.
func (v visit) choose(name string, body []byte) {
	v.t.Helper()
	v.waits("#file")
	v.eval(fmt.Sprintf(`(() => { const t = new DataTransfer(), b = Uint8Array.from(atob(%q), c => c.charCodeAt(0)); t.items.add(new File([b], %q)); document.querySelector("#file").files = t.files; return "" })()`,
		base64.StdEncoding.EncodeToString(body), name))
}

// send sends the form and waits for the page that follows.
func (v visit) send(action string) {
	v.t.Helper()
	v.eval(fmt.Sprintf(`(document.documentElement.dataset.before = "yes", document.querySelector('form[action=%q]').requestSubmit(), "")`, action))
	Eventually(v.t, 40*time.Second, "the page after "+action, func() error {
		if v.eval(`document.documentElement ? document.documentElement.dataset.before || "" : "yes"`) != "" {
			return errors.New("still the page before")
		}
		return nil
	})
	v.settled()
}

// adds brings a badge by its file.
func (v visit) adds(jwt string) {
	v.t.Helper()
	v.open("/badges/add")
	v.choose("badge.jwt", []byte(jwt))
	v.send("/badges/add")
}

// download follows a link of the page to a file, with the browser's cookies.
func (v visit) download(path string) []byte {
	v.t.Helper()
	v.waits(fmt.Sprintf("a[href=%q]", path))
	jar, err := chromedp.Call(v.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{v.g.URL}})
	must(v.t, err)
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.g.URL+path, nil)
	must(v.t, err)
	for _, c := range jar.Cookies {
		req.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	res, err := http.DefaultClient.Do(req)
	must(v.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(v.t, err)
	if res.StatusCode != http.StatusOK {
		v.t.Fatalf("%s answers %d", path, res.StatusCode)
	}
	return body
}

// byCode asks for a code, reads it in the demo's mailbox and enters it.
func (v visit) byCode(ask, enter, email string) {
	v.t.Helper()
	used := v.codes(email)
	v.eval(fmt.Sprintf(`(document.querySelector("#email").value = %q)`, email))
	v.send(ask)
	code := ""
	Eventually(v.t, 20*time.Second, "a code for "+email, func() error {
		for _, c := range v.codes(email) {
			if !slices.Contains(used, c) {
				code = c
				return nil
			}
		}
		return errors.New("no new letter yet")
	})
	v.fill(map[string]string{"code": code})
	v.send(enter)
}

// codes lists those that were mailed to an address.
func (v visit) codes(email string) (out []string) {
	v.t.Helper()
	_, page := get(v.t, v.g.URL+"/demo/mailbox", "text/html")
	for _, letter := range strings.Split(string(page), "<article")[1:] {
		if code := codeInMail.FindString(letter); code != "" && strings.Contains(letter, email) {
			out = append(out, code)
		}
	}
	return out
}

// A person's whole way with the backpack, in a real browser against the real
// program.
func TestAnEarnersWholeWayFromTheFirstSignInToTheReturn(t *testing.T) {
	port := FreePort(t)
	g := New(t, Options{Demo: true, Port: port}).Start()
	ctx := chromium.Start(t)
	v := visit{t, ctx, g}
	Eventually(t, 30*time.Second, "the demo is ready", func() error {
		if !strings.Contains(g.Said(), "Sign in: choose") {
			return errors.New("not yet")
		}
		return nil
	})
	// The site takes another port where the one beside the gateway's is in use.
	site := regexp.MustCompile(`Simulated site +(http://\S+)`).FindStringSubmatch(g.Said())[1]
	c := newSigner(t)
	const second = "ada.second@example.org"
	navigator := c.badge(1, "Navigator", ada, time.Time{})

	// First sign-in, and what the association awarded.
	v.open("/login")
	v.byCode("/login/email", "/login/code", ada)
	v.sees(true, "Waiting for you", "Open Practice")
	claim := v.attribute(`.offer form[action$="/claim"]`, "action")
	v.send(claim)
	mine := strings.TrimSuffix(claim, "/claim")
	v.open(mine)
	v.sees(false, "Open Practice")

	// Badges from elsewhere, of all kinds.
	v.adds(navigator)
	v.sees(false, "Navigator", "Demo College")
	v.adds(navigator)
	v.sees(false, "Navigator")
	v.adds(c.badge(2, "Old Salt", ada, time.Now().Add(-48*time.Hour)))
	v.sees(false, "Old Salt", "Expired")
	v.adds(c.badge(3, "Harbour Pilot", second, time.Time{}))
	v.sees(false, "which you have not proven here")
	v.shot("add-awaits")
	v.adds(strings.Replace(navigator, ".", ".e30", 1))
	if text := v.text(); !strings.Contains(text, "verify") && !strings.Contains(text, "no badge") {
		t.Errorf("a forged badge is met with\n%s", text)
	}
	v.adds("hello")
	v.sees(false, "There is no badge in it.")
	v.open("/")
	v.sees(false, "Navigator", "Old Salt")
	if strings.Contains(v.text(), "Harbour Pilot") {
		t.Error("a badge to an address that she has not proven is hers")
	}

	// The second address, and the badge that waited for it.
	v.open("/me")
	v.byCode("/me/address", "/me/address/code", second)
	v.sees(false, second, "Letters go here")
	v.shot("me")
	v.open("/")
	v.sees(false, "Harbour Pilot")

	// Taken back where it came from: told here and by mail.
	revokeAtSite(t, site, "Open Practice", "Ada")
	v.open("/")
	v.sees(true, "was taken back by its issuer")
	v.shot("notices")
	v.open(mine)
	v.sees(false, "Revoked by issuer")
	Eventually(t, 20*time.Second, "a letter about it", func() error {
		if _, page := get(t, g.URL+"/demo/mailbox", "text/html"); !strings.Contains(string(page), "Open Practice was taken back") {
			return errors.New("not yet")
		}
		return nil
	})

	// Everything out.
	v.open("/me/yours")
	v.shot("yours")
	taken := v.download("/me/export.zip")
	if !holds(t, taken, []byte(navigator)) {
		t.Error("the export does not hold the badge as it was given")
	}

	// And away.
	v.open("/me/delete")
	v.sees(false, "What goes", "What stays", "3 badges that you brought")
	v.shot("leave")
	v.eval(`(document.querySelector('[name="sure"]').checked = true, "")`)
	v.send("/me/delete")
	v.sees(false, "Your account is deleted")
	v.shot("left")

	// Back, as a new account.
	v.open("/login")
	v.byCode("/login/email", "/login/code", ada)
	v.open("/")
	if strings.Contains(v.text(), "Navigator") {
		t.Error("a badge that was deleted is there")
	}
	v.open("/me/yours")
	v.choose("badges.zip", taken)
	v.send("/me/restore")
	v.sees(false, "Done.", "Came back")
	v.shot("restore")
	v.open("/")
	v.sees(false, "Navigator", "Old Salt")
	for _, p := range chromium.Problems(ctx) {
		if !strings.HasPrefix(p, "network:") {
			t.Errorf("the console says: %s", p)
		}
	}
}

// holds reports whether a file of the archive has these bytes.
func holds(t *testing.T, archive, want []byte) bool {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	must(t, err)
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		var body bytes.Buffer
		_, err = body.ReadFrom(r)
		must(t, err)
		if bytes.Equal(body.Bytes(), want) {
			return true
		}
	}
	return false
}

// revokeAtSite takes a badge back on the simulated site's own page.
func revokeAtSite(t *testing.T, site, badge, person string) {
	t.Helper()
	_, page := get(t, site+"/admin", "text/html")
	for _, row := range strings.Split(string(page), "<li")[1:] {
		entry := regexp.MustCompile(`name="entry" value="(\d+)"`).FindStringSubmatch(row)
		if entry == nil || !strings.Contains(row, badge) || !strings.Contains(row, person) {
			continue
		}
		res, err := http.PostForm(site+"/admin/revoke", url.Values{"entry": {entry[1]}, "reason": {"Awarded in error"}})
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode != http.StatusOK {
			t.Fatalf("the site answered %d", res.StatusCode)
		}
		return
	}
	t.Fatalf("the site's page has no %s of %s:\n%s", badge, person, page)
}

func TestTheOperatorExportsBacksUpAndExplains(t *testing.T) {
	port := FreePort(t)
	g := New(t, Options{Demo: true, Port: port}).Start()
	Eventually(t, 30*time.Second, "the demo is ready", func() error {
		if !strings.Contains(g.Said(), "Sign in: choose") {
			return errors.New("not yet")
		}
		return nil
	})
	env := []string{"BADGEBRIDGE_DATA_DIR=" + g.Dir, "BADGEBRIDGE_LISTEN=localhost:0"}
	copyTo := t.TempDir() + "/copy.db"
	if code, _, errs := Run(t, env, "", "backup", "-o", copyTo); code != 0 || !strings.Contains(errs, "master key") {
		t.Errorf("backup: %d %s", code, errs)
	}
	complaint(t, env, 2, []string{"exists already"}, "backup", "-o", copyTo)
	complaint(t, append(env, "BADGEBRIDGE_DATABASE_URL=postgres://x@localhost/x"), 2, []string{"pg_dump"}, "backup", "-o", copyTo)
	complaint(t, env, 1, []string{"nobody here"}, "export", "nobody@example.org", "-o", "-")
	complaint(t, env, 1, []string{"nothing here is known"}, "explain", "what-is-this")

	// The copy is a database like the one it was made of.
	w := openCopy(t, copyTo)
	awards, err := w.AwardsFor(t.Context(), ada, 10)
	must(t, err)
	if len(awards) == 0 {
		t.Fatal("the copy has no award")
	}
	for _, name := range []string{awards[0].ID, string(awards[0].OriginRef), g.URL + "/b/" + awards[0].ID + ".json"} {
		code, out, errs := Run(t, env, "", "explain", name)
		if code != 0 || !strings.Contains(out, "What happened") || !strings.Contains(out, "Awarded at site") || !strings.Contains(out, "Read at site") {
			t.Errorf("explain %s: %d %s%s", name, code, out, errs)
		}
	}
	code, out, _ := Run(t, env, "", "explain", awards[0].ID, "--json")
	var x struct {
		Award    string
		Happened []struct{ What string }
	}
	if err := json.Unmarshal([]byte(out), &x); err != nil || code != 0 || x.Award != awards[0].ID || len(x.Happened) < 2 {
		t.Errorf("explain --json: %d %v\n%s", code, err, out)
	}
}

func openCopy(t *testing.T, path string) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), "sqlite:"+path, sqlstore.Options{KeepSchema: true})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}
