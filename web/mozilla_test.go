package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/bake"
	"badgebridge/openbadges/verify"
	"badgebridge/store"
	"badgebridge/sync/backpack"
	"badgebridge/web"
)

const college = "https://college.example"

// outside is a college whose badges others can fetch, and a backpack that
// fetches them.
type outside struct {
	*world
	web verify.Offline
}

func newOutside(t *testing.T, change ...func(*web.Config)) *outside {
	t.Helper()
	o := &outside{web: verify.Offline{}}
	o.world = newWorld(t, func(c *web.Config) {
		c.Fetcher = o.web
		c.Backpack = backpack.New(backpack.Config{Store: c.Store, Fetcher: o.web, BaseURL: c.BaseURL, Now: c.Now, Log: c.Log})
		for _, f := range change {
			f(c)
		}
	})
	o.put("/issuer", map[string]any{"type": "Issuer", "name": "Demo College", "url": college, "email": "badges@college.example"})
	o.put("/badge", map[string]any{"type": "BadgeClass", "name": "Sailor", "description": "Sails", "image": college + "/badge.svg",
		"criteria": map[string]any{"id": college + "/criteria", "narrative": "Sail."}, "issuer": college + "/issuer"})
	o.web[college+"/badge.svg"] = verify.Resource{Status: 200, Header: http.Header{"Content-Type": {"image/svg+xml"}},
		Body: []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><circle r="4"/></svg>`)}
	return o
}

func (o *outside) put(path string, doc map[string]any) {
	doc["@context"], doc["id"] = "https://w3id.org/openbadges/v2", college+path
	body, err := json.Marshal(doc)
	must(o.t, err)
	o.web[college+path] = verify.Resource{Status: 200, Header: http.Header{"Content-Type": {"application/ld+json"}}, Body: body}
}

// awards hosts an assertion to an address and returns where.
func (o *outside) awards(n int, email string) string {
	sum := sha256.Sum256([]byte(email + "salt"))
	o.put(fmt.Sprintf("/a/%d", n), map[string]any{"type": "Assertion", "badge": college + "/badge", "issuedOn": fmt.Sprintf("2026-01-02T03:04:%02dZ", n),
		"verification": map[string]any{"type": "HostedBadge"},
		"recipient":    map[string]any{"type": "email", "hashed": true, "salt": "salt", "identity": "sha256$" + hex.EncodeToString(sum[:])}})
	return fmt.Sprintf("%s/a/%d", college, n)
}

// stop follows no redirect.
func (b *browser) stop() *browser {
	c := *b.c
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{w: b.w, c: &c}
}

// grant gives a site the permission to push and returns its tokens.
func (o *outside) grant(b *browser, callback string) url.Values {
	o.t.Helper()
	page := b.get("/access?scope=issue&state=s1&callback=" + url.QueryEscape(callback))
	page.has(o.t, `action="/accept"`, "error=access_denied", "lms.example")
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https://lms.example;") {
		o.t.Errorf("policy %s", policy)
	}
	a := b.stop().post("/accept", "callback", callback, "scope", "issue", "state", "s1")
	to, err := url.Parse(a.header.Get("Location"))
	if err != nil || a.status != http.StatusSeeOther || to.Host != "lms.example" {
		o.t.Fatalf("%d to %s", a.status, to)
	}
	return to.Query()
}

func (o *outside) api(method, path, token string, form url.Values, header ...string) answer {
	o.t.Helper()
	header = append(header, "Accept", "application/json", "Sec-Fetch-Site", "cross-site")
	if token != "" {
		header = append(header, "Authorization", "Bearer "+base64.StdEncoding.EncodeToString([]byte(token)))
	}
	return o.browser().do(method, path, form, header...)
}

func TestASiteThatWasAllowedToPushesBadges(t *testing.T) {
	o := newOutside(t)
	b := o.signIn(ada)
	for query, words := range map[string]string{
		"":                                     "callback expected",
		"callback=https://a.example/":          "scope expected",
		"callback=ftp://a.example&scope=issue": "invalid origin protocol",
		"callback=https://a.example&scope=issue,read": "invalid permission(s): read",
	} {
		if a := b.get("/access?" + query); a.status != http.StatusBadRequest || !strings.Contains(a.body, words) {
			t.Errorf("%q: %d %s", query, a.status, a.body)
		}
	}
	q := o.grant(b, "https://lms.example/back?x=1")
	if q.Get("x") != "1" || q.Get("state") != "s1" || q.Get("expires") != "3600" || q.Get("api_root") != o.server.URL+"/api" || q.Get("refresh_token") == "" {
		t.Errorf("callback's query is %v", q)
	}
	token := q.Get("access_token")

	id := o.api(http.MethodGet, "/api/identity", token, nil).json(t)
	sum := sha256.Sum256([]byte(ada + id["salt"].(string)))
	if id["recipient"] != "sha256$"+hex.EncodeToString(sum[:]) || id["type"] != "email" {
		t.Errorf("identity is %v", id)
	}

	mine, other := o.awards(1, ada), o.awards(2, "somebody@else.example")
	a := o.api(http.MethodPost, "/api/issue", token, url.Values{"badge": {mine}})
	if a.status != http.StatusCreated || a.json(t)["exists"] != false {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	pushed := a.json(t)["badge"].(map[string]any)
	if inner := pushed["badge"].(map[string]any); inner["name"] != "Sailor" || inner["issuer"].(map[string]any)["origin"] != college {
		t.Errorf("badge is %v", pushed)
	}
	if a := o.api(http.MethodPost, "/api/issue", token, url.Values{"badge": {mine}}); a.status != http.StatusNotModified {
		t.Errorf("again: %d", a.status)
	}
	if a := o.api(http.MethodPost, "/api/issue", token, url.Values{"badge": {other}}); a.status != http.StatusForbidden || a.json(t)["message"] != "badge assertion is for a different user" {
		t.Errorf("somebody else's: %d %s", a.status, a.body)
	}
	for badge, words := range map[string]string{"": "must provide either url or signature", "nonsense": "malformed assertion", college + "/none": "Could not get all linked resources"} {
		if a := o.api(http.MethodPost, "/api/issue", token, url.Values{"badge": {badge}}); a.status != http.StatusBadRequest || !strings.Contains(a.body, words) {
			t.Errorf("%q: %d %s", badge, a.status, a.body)
		}
	}
	// The documented example sends a form that is labelled JSON.
	if a := o.api(http.MethodPost, "/api/issue", token, url.Values{"badge": {o.awards(3, ada)}}, "Content-Type", "application/json"); a.status != http.StatusCreated {
		t.Errorf("a form labelled JSON: %d %s", a.status, a.body)
	}
	list, err := o.db.Awards(t.Context(), store.AwardFilter{Origin: store.BackpackOrigin})
	if err != nil || len(list) != 2 {
		t.Errorf("%d badges came in, %v", len(list), err)
	}
}

func TestATokenEndsWhenItsTimeOrThePersonSaysSo(t *testing.T) {
	o := newOutside(t)
	b := o.signIn(ada)
	q := o.grant(b, "https://lms.example/back")
	token := q.Get("access_token")
	refused := func(a answer, challenge string) {
		t.Helper()
		if a.status != http.StatusUnauthorized || !strings.Contains(a.header.Get("WWW-Authenticate"), challenge) || a.json(t)["status"] != "unauthorized" {
			t.Errorf("%d %s %s, want %s", a.status, a.header.Get("WWW-Authenticate"), a.body, challenge)
		}
	}
	refused(o.api(http.MethodGet, "/api/identity", "", nil), `Bearer realm="openbadges"`)
	refused(o.api(http.MethodGet, "/api/identity", "unknown", nil), `error="invalid_token"`)
	if a := o.api(http.MethodGet, "/api/identity", token, nil, "Origin", "https://evil.example"); a.status != http.StatusUnauthorized || a.header.Get("Access-Control-Allow-Origin") != "https://lms.example" {
		t.Errorf("another site's page: %d %v", a.status, a.header)
	}
	o.now.add(time.Hour)
	refused(o.api(http.MethodGet, "/api/identity", token, nil), "The access token expired")
	turn := func(refresh string) answer {
		return o.api(http.MethodPost, "/api/token", "", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
	}
	next := turn(q.Get("refresh_token"))
	if next.status != http.StatusOK {
		t.Fatalf("refresh: %d %s", next.status, next.body)
	}
	fresh := next.json(t)["access_token"].(string)
	if a := o.api(http.MethodGet, "/api/identity", fresh, nil); a.status != http.StatusOK {
		t.Errorf("the new token: %d", a.status)
	}
	// An answer that was lost: nothing was done with the new tokens, and the site asks
	// again.
	lost := turn(next.json(t)["refresh_token"].(string))
	if again := turn(next.json(t)["refresh_token"].(string)); lost.status != http.StatusOK || again.status != http.StatusOK {
		t.Fatalf("a lost answer: %d, then %d %s", lost.status, again.status, again.body)
	} else {
		next = again
	}
	refused(o.api(http.MethodGet, "/api/identity", lost.json(t)["access_token"].(string), nil), "Unknown access token")
	fresh = next.json(t)["access_token"].(string)
	if a := o.api(http.MethodGet, "/api/identity", fresh, nil); a.status != http.StatusOK {
		t.Errorf("the token that was asked for again: %d", a.status)
	}
	if a := turn("nonsense"); a.status != http.StatusBadRequest || a.body != "invalid refresh_token" {
		t.Errorf("%d %s", a.status, a.body)
	}
	// Who turns a refresh token in twice is a thief, or was robbed by one.
	if a := turn(q.Get("refresh_token")); a.status != http.StatusBadRequest {
		t.Errorf("used long ago: %d", a.status)
	}
	twice := next.json(t)["refresh_token"].(string)
	last := turn(twice).json(t)["access_token"].(string)
	if a := o.api(http.MethodGet, "/api/identity", last, nil); a.status != http.StatusOK {
		t.Errorf("the last token: %d", a.status)
	}
	if a := turn(twice); a.status != http.StatusBadRequest {
		t.Errorf("used twice: %d", a.status)
	}
	refused(o.api(http.MethodGet, "/api/identity", last, nil), "Unknown access token")
	refused(o.api(http.MethodGet, "/api/identity", fresh, nil), "Unknown access token")

	q = o.grant(b, "https://lms.example/back")
	person, err := o.db.Identifier(t.Context(), openbadges.IdentityEmail, ada)
	must(t, err)
	grants, err := o.db.GrantsOf(t.Context(), person.PersonID)
	must(t, err)
	if a := o.signIn(bo).post("/me/sites/" + grants[0].ID + "/revoke"); a.status != http.StatusNotFound {
		t.Errorf("somebody else took it back: %d", a.status)
	}
	b.post("/me/sites/"+grants[0].ID+"/revoke").has(t, "The permission is taken back")
	refused(o.api(http.MethodGet, "/api/identity", q.Get("access_token"), nil), "Unknown access token")

	q = o.grant(b, "https://lms.example/back")
	for _, gone := range []string{"nonsense", q.Get("refresh_token"), q.Get("refresh_token")} {
		if a := o.api(http.MethodPost, "/api/revoke", "", url.Values{"token": {gone}}); a.status != http.StatusOK {
			t.Errorf("revoke: %d %s", a.status, a.body)
		}
	}
	refused(o.api(http.MethodGet, "/api/identity", q.Get("access_token"), nil), "Unknown access token")
	for _, secret := range []string{q.Get("access_token"), q.Get("refresh_token"), fresh} {
		if strings.Contains(o.log.String(), secret) {
			t.Error("a token is in the log")
		}
	}
}

func TestTheDisplayerShowsPublicCollectionsAndNothingElse(t *testing.T) {
	o := newOutside(t)
	ctx := context.Background()
	o.signIn(ada)
	person, err := o.db.Identifier(ctx, openbadges.IdentityEmail, ada)
	must(t, err)
	convert := func(email string) answer {
		return o.api(http.MethodPost, "/displayer/convert/email", "", url.Values{"email": {email}})
	}
	col, err := o.db.CreateCollection(ctx, store.Collection{PersonID: person.PersonID, Name: "Sea & shore"})
	must(t, err)
	hidden, err := o.db.CreateCollection(ctx, store.Collection{PersonID: person.PersonID, Name: "Private"})
	must(t, err)
	var places []store.CollectionBadge
	for i := range 3 {
		res, err := o.cfg.Backpack.Collect(ctx, person.PersonID, backpack.Given{URL: o.awards(i, ada), Source: "url"})
		must(t, err)
		if i < 2 { // the third stays private
			must(t, o.engine.SetVisibility(ctx, res.AwardID, person.PersonID, store.Public))
		}
		places = append(places, store.CollectionBadge{AwardID: res.AwardID})
	}
	must(t, o.db.SetCollectionBadges(ctx, col.ID, places))
	must(t, o.db.SetCollectionBadges(ctx, hidden.ID, places))

	if a := convert(ada); a.status != http.StatusNotFound || a.json(t)["status"] != "missing" {
		t.Errorf("somebody who shows nothing: %d %s", a.status, a.body)
	}
	col.Visibility = store.Public
	must(t, o.db.PutCollection(ctx, col))
	if a := convert("nobody@example.org"); a.status != http.StatusNotFound {
		t.Errorf("nobody: %d", a.status)
	}
	if a := convert(""); a.status != http.StatusBadRequest || a.json(t)["status"] != "invalid" {
		t.Errorf("no address: %d %s", a.status, a.body)
	}
	a := convert(strings.ToUpper(ada))
	if a.status != http.StatusOK || a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("convert: %d %v", a.status, a.header)
	}
	user := int(a.json(t)["userId"].(float64))

	groups := o.api(http.MethodGet, fmt.Sprintf("/displayer/%d/groups.json", user), "", nil)
	list := groups.json(t)["groups"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["name"] != "Sea & shore" || list[0].(map[string]any)["badges"] != 2.0 || groups.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("groups are %s", groups.body)
	}
	path := fmt.Sprintf("/displayer/%d/group/%d", user, col.Number)
	group := o.api(http.MethodGet, path, "", nil).json(t)
	badges := group["badges"].([]any)
	if len(badges) != 2 || group["groupId"] != float64(col.Number) {
		t.Fatalf("group is %v", group)
	}
	shown := badges[0].(map[string]any)
	if shown["hostedUrl"] != college+"/a/0" || shown["assertionType"] != "hosted" || !strings.HasSuffix(shown["imageUrl"].(string), "/baked.png") ||
		shown["assertion"].(map[string]any)["badge"].(map[string]any)["name"] != "Sailor" {
		t.Errorf("badge is %v", shown)
	}
	picture := o.browser().get(strings.TrimPrefix(shown["imageUrl"].(string), o.server.URL))
	if p, err := bake.Unbake([]byte(picture.body)); err != nil || string(p.Text) != string(o.web[college+"/a/0"].Body) {
		t.Errorf("its picture: %d %s, %v", picture.status, picture.header.Get("Content-Type"), err)
	}
	if text, _ := json.Marshal(group); strings.Contains(string(text), ada) {
		t.Error("the address is shown")
	}
	for _, bad := range []string{fmt.Sprintf("/displayer/%d/group/%d.json", user, hidden.Number), fmt.Sprintf("/displayer/%d/group/%d.json", user+1, col.Number), "/displayer/x/groups.json"} {
		if a := o.api(http.MethodGet, bad, "", nil); a.status != http.StatusNotFound || a.json(t)["status"] != "missing" {
			t.Errorf("%s: %d %s", bad, a.status, a.body)
		}
	}
	if a := o.browser().get(path); a.status != http.StatusBadRequest || a.body != "error: could not find formatter" {
		t.Errorf("no formatter: %d %s", a.status, a.body)
	}
	jsonp := o.browser().get(path + ".json?callback=my.show")
	if jsonp.status != http.StatusOK || !strings.HasPrefix(jsonp.body, "/**/my.show({") || !strings.Contains(jsonp.header.Get("Content-Type"), "javascript") {
		t.Errorf("JSONP: %d %.40s", jsonp.status, jsonp.body)
	}
	if a := o.browser().get(path + ".json?callback=alert(1)//"); a.status != http.StatusBadRequest {
		t.Errorf("a callback that is code: %d %s", a.status, a.body)
	}
	if a := o.browser().get("/displayer/999/groups.json?callback=f"); a.status != http.StatusOK || !strings.Contains(a.body, `"httpStatus":404`) {
		t.Errorf("JSONP of nothing: %d %s", a.status, a.body)
	}
}

func TestAPageOffersBadgesByTheIssuerScript(t *testing.T) {
	o := newOutside(t)
	script := o.browser().get("/issuer.js")
	script.has(t, "OpenBadges", "issue_no_modal", "connect")
	frame := o.browser().get("/issuer/frame")
	if frame.status != http.StatusOK || frame.header.Get("X-Frame-Options") != "" || !strings.Contains(frame.header.Get("Content-Security-Policy"), "frame-ancestors *") {
		t.Errorf("frame: %d %v", frame.status, frame.header)
	}
	if other := o.browser().get("/login"); !strings.Contains(other.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Error("any page may be framed")
	}
	yes, no, foreign, broken := o.awards(1, ada), o.awards(2, ada), o.awards(3, bo), college+"/none"
	o.web[college+"/gone"] = verify.Resource{Status: http.StatusNotFound, Header: http.Header{}, Body: []byte("no")}
	o.web[college+"/page"] = verify.Resource{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"hello":"world"}`)}
	ticket := "0123456789abcdef0123456789abcdef"
	form := url.Values{"assertions": {yes, no, foreign, broken, college + "/gone", college + "/page"}, "ticket": {ticket}, "page": {"https://lms.example/course"}}
	b := o.signIn(ada)
	// The form comes from another site's page.
	a := b.do(http.MethodPost, "/issuer/frameless", form, "Sec-Fetch-Site", "cross-site")
	if a.status != http.StatusOK || !strings.HasPrefix(a.path, "/issuer/welcome") {
		t.Fatalf("frameless: %d at %s", a.status, a.path)
	}
	a.has(t, "lms.example", "Sailor", `name="yes" value="0" checked`, `value="1" checked`, "not awarded to you", "can’t be taken")
	a.lacks(t, `value="2" checked`, `value="3" checked`)
	if list, err := o.db.Awards(t.Context(), store.AwardFilter{Origin: store.BackpackOrigin}); err != nil || len(list) != 0 {
		t.Errorf("%d badges were kept before a yes, %v", len(list), err)
	}
	if got := o.browser().get("/issuer/ticket/" + ticket).json(t); got["done"] != false || got["known"] != true {
		t.Errorf("ticket is %v", got)
	}
	b.post("/issuer/send", "ticket", ticket, "yes", "0", "yes", "2").has(t, "One badge is in your backpack now")
	got := o.browser().get("/issuer/ticket/" + ticket).json(t)
	want := `{"done":true,"errors":[{"assertion":"` + no + `","reason":"DENIED"},{"assertion":"` + foreign + `","reason":"INVALID"},{"assertion":"` + broken +
		`","reason":"INACCESSIBLE"},{"assertion":"` + college + `/gone","reason":"INACCESSIBLE"},{"assertion":"` + college + `/page","reason":"MALFORMED"}],"known":true,"successes":["` + yes + `"]}`
	if text, _ := json.Marshal(got); string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if a := b.post("/issuer/send", "ticket", ticket, "yes", "1"); a.status == http.StatusOK && strings.Contains(a.body, "2 badges") {
		t.Error("a ticket was used twice")
	}
	if a := b.get("/issuer/assertion?assertion=" + url.QueryEscape(yes)).json(t); a["exists"] != true || a["owner"] != true || a["recipient"] != ada {
		t.Errorf("assertion is %v", a)
	}
	if a := o.browser().get("/issuer/assertion?assertion=" + url.QueryEscape(yes)); a.status != http.StatusForbidden {
		t.Errorf("nobody asked: %d", a.status)
	}
	if a := b.post("/issuer/assertion", "assertion", no); a.status != http.StatusCreated {
		t.Errorf("keep: %d %s", a.status, a.body)
	}
	for _, bad := range []url.Values{{}, {"assertions": {"javascript:alert(1)"}}} {
		if a := b.do(http.MethodPost, "/issuer/frameless", bad, "Sec-Fetch-Site", "cross-site"); a.status != http.StatusBadRequest {
			t.Errorf("%v: %d", bad, a.status)
		}
	}
}
