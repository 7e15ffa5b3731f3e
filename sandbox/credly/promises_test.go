package credly_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"badgebridge/sandbox/credly"
)

func TestATokenOpensOnlyWhatItMay(t *testing.T) {
	c := begin(t, credly.Options{})
	id := c.issued("a@example.org", nil)
	for name, w := range map[string]struct {
		auth                string
		read, write, remove int
	}{
		"read only":         {basic(credly.DemoReadToken), 200, 403, 403},
		"no delete":         {basic(noDelete), 200, 201, 403},
		"expired":           {basic(credly.DemoExpiredToken), 401, 401, 401},
		"other environment": {basic(credly.DemoForeignToken), 401, 401, 401},
		"other association": {basic(otherToken), 403, 403, 403},
		"unknown":           {basic("something"), 401, 401, 401},
		"nothing":           {"", 401, 401, 401},
		"all":               {basic(tok), 200, 201, 204},
	} {
		as := c.as(w.auth)
		got := []int{
			as.do("GET", orgURL+"/badges", nil).code,
			as.post("p-"+strings.ReplaceAll(name, " ", "-")+"@example.org", nil).code,
			0,
		}
		if w.remove != 204 {
			got[2] = as.do("DELETE", orgURL+"/badges/"+id, nil).code
		} else {
			got[2] = as.do("DELETE", orgURL+"/badges/"+c.issued("gone@example.org", nil), nil).code
		}
		if fmt.Sprint(got) != fmt.Sprint([]int{w.read, w.write, w.remove}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestATokenOfTheSandboxOpensTheSandboxAlone(t *testing.T) {
	s := newSim(t, credly.Config{Sandbox: true})
	must(t, s.Seed(credly.DemoCredentials(true)))
	c := &client{s, t, basic(tok)}
	if got := c.do("GET", orgURL, nil).code; got != 200 {
		t.Error("its own token:", got)
	}
	if got := c.as(basic(credly.DemoForeignToken)).do("GET", orgURL, nil).code; got != 401 {
		t.Error("production's token:", got)
	}
	if n := len(c.do("GET", orgURL+"/authorization_tokens", nil).list()); n != 3 {
		t.Errorf("it lists %d tokens, the other environment's too", n)
	}
}

func TestAReadOnlyTokenSeesOnlyItsLike(t *testing.T) {
	c := begin(t, credly.Options{})
	if n := len(c.do("GET", orgURL+"/authorization_tokens", nil).list()); n != 4 {
		t.Errorf("%d tokens", n)
	}
	list := c.as(basic(credly.DemoReadToken)).do("GET", orgURL+"/authorization_tokens", nil).list()
	if len(list) != 1 || list[0].(map[string]any)["token"] != credly.DemoReadToken || list[0].(map[string]any)["expires_at"] == nil {
		t.Error(list)
	}
}

func TestClientCredentialsGiveABearerForItsScopes(t *testing.T) {
	c := begin(t, credly.Options{})
	as := c.as(c.bearer("issued_badges events"))
	id := as.issued("a@example.org", nil)
	got := []int{
		as.do("GET", orgURL+"/events", nil).code, as.revoked(id).code, as.do("DELETE", orgURL+"/badges/"+id, nil).code,
		as.do("GET", orgURL+"/badge_templates", nil).code, as.do("GET", "/v1/organizations/"+otherOrg+"/badges", nil).code,
	}
	if fmt.Sprint(got) != "[200 200 204 403 403]" {
		t.Error(got)
	}
	c.Advance(2 * time.Hour)
	if got := as.do("GET", orgURL+"/events", nil).code; got != 401 {
		t.Error("after two hours:", got)
	}
	for body, want := range map[string]string{
		`{"grant_type":"password"}`: "400 unsupported_grant_type",
		`{"grant_type":"client_credentials","client_id":"demo-application","client_secret":"no"}`:                                               "401 invalid_client",
		`{"grant_type":"client_credentials","client_id":"demo-application","client_secret":"demo-secret-for-the-simulator-only","scope":"all"}`: "400 invalid_scope",
	} {
		if a := c.do("POST", "/oauth/token", body); fmt.Sprint(a.code, " ", a.body["error"]) != want {
			t.Errorf("%s: %d %s", body, a.code, a.text)
		}
	}
	if a := c.do("POST", "/v1/oauth/token", `{}`); a.code != http.StatusNotFound {
		t.Error("the token endpoint is under the API's path:", a.code)
	}
	app := c.do("GET", orgURL+"/oauth_applications/"+credly.DemoApp, nil).data()
	if app["uid"] != credly.DemoApp || app["secret"] != nil {
		t.Error(app)
	}
}

func TestAnIssueSaysWhichFieldIsWrong(t *testing.T) {
	c := begin(t, credly.Options{})
	evidence := func(of ...map[string]any) map[string]any { return map[string]any{"evidence": of} }
	for name, w := range map[string]struct {
		change map[string]any
		field  string
	}{
		"no address":         {map[string]any{"recipient_email": nil}, "recipient_email"},
		"no real address":    {map[string]any{"recipient_email": "Ada <a@example.org>"}, "recipient_email"},
		"no first name":      {map[string]any{"issued_to_first_name": " "}, "issued_to_first_name"},
		"no last name":       {map[string]any{"issued_to_last_name": nil}, "issued_to_last_name"},
		"no date":            {map[string]any{"issued_at": nil}, "issued_at"},
		"no real date":       {map[string]any{"issued_at": "yesterday"}, "issued_at"},
		"unknown locale":     {map[string]any{"locale": "de-AT"}, "locale"},
		"locale of a number": {map[string]any{"locale": 7}, "locale"},
		"expiry":             {map[string]any{"expires_at": "never"}, "expires_at"},
		"expiry of true":     {map[string]any{"expires_at": true}, "expires_at"},
		"behaviour":          {map[string]any{"duplicate_behavior": "merge"}, "duplicate_behavior"},
		"unknown user":       {map[string]any{"user_id": "none"}, "user_id"},
		"evidence of text":   {map[string]any{"evidence": "a page"}, "evidence"},
		"unknown evidence":   {evidence(map[string]any{"type": "VideoEvidence"}), "evidence"},
		"evidence's address": {evidence(map[string]any{"type": "UrlEvidence", "name": "Page", "value": "javascript:alert(1)"}), "evidence"},
		"evidence's name":    {evidence(map[string]any{"type": "UrlEvidence", "value": "https://example.org"}), "evidence"},
		"long text":          {evidence(map[string]any{"type": "TextEvidence", "description": strings.Repeat("ä", 351)}), "evidence"},
		"evidence's title":   {evidence(map[string]any{"type": "IdEvidence"}), "evidence"},
		"no values":          {evidence(map[string]any{"type": "KeyValueEvidence", "name": "Hours"}), "evidence"},
	} {
		a := c.post("a@example.org", w.change)
		if a.code != http.StatusUnprocessableEntity || fmt.Sprint(a.fields()) != "["+w.field+"]" || !strings.HasPrefix(a.message(), "Validation failed: ") {
			t.Errorf("%s: %d %s", name, a.code, a.text)
		}
	}
	if a := c.do("POST", orgURL+"/badges", `{"recipient_email":`); a.code != http.StatusBadRequest {
		t.Error("half a document:", a.code)
	}
	if n := len(c.Badges()); n != 0 {
		t.Errorf("%d badges were made of that", n)
	}
	a := c.post("a@example.org", evidence(
		map[string]any{"type": "UrlEvidence", "name": "Page", "value": "https://example.org/page"},
		map[string]any{"type": "TextEvidence", "description": strings.Repeat("ä", 350)},
	))
	kept, _ := a.data()["evidence"].([]any)
	if len(kept) != 2 || kept[0].(map[string]any)["id"] == nil {
		t.Error(a.text)
	}
}

func TestExpiryIsTheTemplatesOwnUnlessTheIssueSays(t *testing.T) {
	c := begin(t, credly.Options{})
	end := start.AddDate(1, 0, 0)
	tpl := credly.DemoSeed().Templates[0]
	tpl.DefaultExpires = &end
	must(t, c.Seed(credly.Seed{Templates: []credly.Template{tpl}}))
	for i, w := range []struct{ sent, want any }{
		{nil, "2026-03-04T09:41:00.000Z"}, {false, nil}, {"2030-01-02 03:04:05 -0100", "2030-01-02T04:04:05.000Z"},
	} {
		if got := c.post(fmt.Sprintf("p%d@example.org", i), map[string]any{"expires_at": w.sent}).data()["expires_at"]; got != w.want {
			t.Errorf("%v: %v", w.sent, got)
		}
	}
}

func TestADuplicateIsOnePersonWithOneTemplate(t *testing.T) {
	c := begin(t, credly.Options{})
	must(t, c.Seed(credly.Seed{Users: []credly.User{{Emails: []string{"ada@example.org", "ada@home.example.org"}}}}))
	c.issued("ada@example.org", map[string]any{"issuer_earner_id": "7"})
	for name, w := range map[string]struct {
		email  string
		change map[string]any
		code   int
	}{
		"same address":    {"ADA@example.org", nil, 422},
		"same account":    {"ada@home.example.org", nil, 422},
		"same earner id":  {"other@example.org", map[string]any{"issuer_earner_id": "7"}, 422},
		"another person":  {"bo@example.org", map[string]any{"issuer_earner_id": "8"}, 201},
		"other template":  {"ada@example.org", map[string]any{"badge_template_id": credly.DemoSeed().Templates[1].ID}, 201},
		"allowed by word": {"ada@example.org", map[string]any{"duplicate_behavior": "allow"}, 201},
	} {
		if a := c.post(w.email, w.change); a.code != w.code {
			t.Errorf("%s: %d %s", name, a.code, a.text)
		}
	}
	repeat := credly.Template{ID: credly.DemoOrg, OrgID: credly.DemoOrg, Name: "Season Helper", AllowDuplicates: true}
	must(t, c.Seed(credly.Seed{Templates: []credly.Template{repeat}}))
	for range 2 {
		c.issued("ada@example.org", map[string]any{"badge_template_id": repeat.ID})
	}
}

func TestReplacingADuplicateKeepsTheDateAndDropsWhatIsLeftOut(t *testing.T) {
	c := begin(t, credly.Options{})
	first := c.issued("ada@example.org", map[string]any{"issuer_earner_id": "7", "country_name": "Norway", "group_tag": "spring"})
	again := map[string]any{"issuer_earner_id": "7", "duplicate_behavior": "replace"}
	a := c.post("ada@home.example.org", map[string]any{
		"issuer_earner_id": "7", "duplicate_behavior": "replace", "issued_to_last_name": "Other", "issued_at": "2025-03-01 00:00:00 +0000",
	})
	d := a.data()
	if a.code != 201 || d["replaces_badge_id"] != first || d["recipient_email"] != "ada@home.example.org" || d["issued_to_last_name"] != "Other" ||
		d["issued_at"] != "2025-03-04T09:41:00.000Z" || d["country"] != nil || d["group_tag"] != nil || d["state"] != "pending" {
		t.Fatal(a.code, a.text)
	}
	if old := c.do("GET", orgURL+"/badges/"+first, nil).data(); old["replacement_badge_id"] != d["id"] {
		t.Error(old)
	}
	// Once it was accepted, the address stays.
	must(t, c.Accept(d["id"].(string)))
	again["issued_to_last_name"] = "Third"
	third := c.post("ada@work.example.org", again).data()
	if third["recipient_email"] != "ada@home.example.org" || third["state"] != "accepted" || third["replaces_badge_id"] != d["id"] {
		t.Error(third)
	}
	// The same once more changes nothing.
	if same := c.post("ada@home.example.org", again).data(); same["id"] != third["id"] || len(c.Badges()) != 3 {
		t.Error(same["id"], len(c.Badges()))
	}
}

func TestABatchIsIssuedWholeOrNotAtAll(t *testing.T) {
	c := begin(t, credly.Options{})
	send := func(badges ...any) answered {
		return c.do("POST", orgURL+"/badges/batch", map[string]any{"badges": badges})
	}
	a := send(order("a@example.org", nil), order("b@example.org", nil), order("nobody", nil))
	if a.code != 422 || a.data()["error_index"] != 2.0 || fmt.Sprint(a.fields()) != "[recipient_email]" || len(c.Badges()) != 0 {
		t.Error(a.code, a.text)
	}
	if a := send(order("a@example.org", nil), order("A@example.org", nil)); a.code != 422 || a.data()["error_index"] != 1.0 || !strings.Contains(a.message(), "already has this badge") {
		t.Error("a duplicate within the batch:", a.code, a.text)
	}
	if a := send(); a.code != 422 {
		t.Error("an empty batch:", a.code)
	}
	a = send(order("a@example.org", nil), order("b@example.org", nil))
	if a.code != 201 || len(a.list()) != 2 || a.list()[1].(map[string]any)["recipient_email"] != "b@example.org" {
		t.Error(a.code, a.text)
	}
}

func TestAReplacementChainLeadsToItsEnd(t *testing.T) {
	c := begin(t, credly.Options{})
	first := c.issued("a@example.org", nil)
	must(t, c.Accept(first))
	second := c.replaced(first).data()
	third := c.replaced(second["id"].(string)).data()
	if second["state"] != "accepted" || second["replaces_badge_id"] != first || third["replaces_badge_id"] != second["id"] || third["replacement_badge_id"] != nil {
		t.Error(second, third)
	}
	for _, id := range []string{first, second["id"].(string)} {
		a := c.replaced(id)
		if a.code != 422 || a.body["metadata"].(map[string]any)["current_badge_id"] != third["id"] || !strings.Contains(a.message(), "already been replaced") {
			t.Error(a.code, a.text)
		}
	}
	if a := c.replaced("none"); a.code != 404 {
		t.Error(a.code)
	}
	if a := c.do("POST", orgURL+"/badges/"+third["id"].(string)+"/replace", map[string]any{"badge_template_id": template()}); fmt.Sprint(a.fields()) != "[issued_at]" {
		t.Error(a.text)
	}
}

func TestAnEarnerHasSeveralAddressesInOneAccount(t *testing.T) {
	c := begin(t, credly.Options{})
	must(t, c.Seed(credly.Seed{Users: []credly.User{{ID: "ada", Emails: []string{"ada@example.org", "ada@home.example.org"}, Unconfirmed: []string{"ada@new.example.org"}, FirstName: "Ada"}}}))
	one := c.issued("ada@home.example.org", nil)
	two := c.issued("ada@work.example.org", nil)
	if u := c.do("GET", orgURL+"/badges/"+one, nil).data()["user"].(map[string]any); u["email"] != "ada@example.org" {
		t.Error("the account's own address is not its primary one:", u)
	}
	if u := c.do("GET", orgURL+"/badges/"+two, nil).data()["user"]; fmt.Sprint(u) != "map[]" {
		t.Error("an unknown address has an account:", u)
	}
	if n := len(c.found("recipient_email_all::ada@example.org")); n != 1 {
		t.Errorf("by another address of the account: %d", n)
	}
	must(t, c.AcceptAs(two, "ada"))
	for _, filter := range []string{"recipient_email_all::ada@example.org", "recipient_email_all::ada@work.example.org", "user_id::ada"} {
		if n := len(c.found(filter)); n != 2 {
			t.Errorf("%s finds %d", filter, n)
		}
	}
	if n := len(c.found("recipient_email::ada@example.org")); n != 0 {
		t.Errorf("by the one address alone: %d", n)
	}
	three := c.issued("ada@new.example.org", map[string]any{"badge_template_id": credly.DemoSeed().Templates[1].ID, "suppress_badge_notification_email": false})
	if u := c.do("GET", orgURL+"/badges/"+three, nil).data()["user"]; fmt.Sprint(u) != "map[]" {
		t.Error("an address that is not confirmed counts:", u)
	}
	last := c.do("GET", orgURL+"/events", nil).list()[0].(map[string]any)
	if last["event_type"] != "pending_badge_notification.unconfirmed_email.sent" {
		t.Error(last["event_type"])
	}
	if err := c.AcceptAs(c.issued("bo@example.org", nil), "nobody"); err == nil {
		t.Error("an unknown account accepts")
	}
	if err := c.Accept(two); err == nil {
		t.Error("it is accepted twice")
	}
}

func TestMailIsSentUnlessItWasSuppressed(t *testing.T) {
	c := begin(t, credly.Options{})
	quiet := c.issued("a@example.org", nil)
	loud := c.issued("b@example.org", map[string]any{"suppress_badge_notification_email": nil})
	c.do("PUT", orgURL+"/badges/"+quiet+"/revoke", map[string]any{"reason": "r", "suppress_revoke_notification_email": true})
	c.revoked(loud)
	var got []string
	for _, m := range c.Mails() {
		got = append(got, m.Kind+" "+m.To)
	}
	if fmt.Sprint(got) != "[issued b@example.org revoked b@example.org]" {
		t.Error(got)
	}
}

func TestEveryChangeIsAnEvent(t *testing.T) {
	c := begin(t, credly.Options{})
	id := c.issued("a@example.org", nil)
	must(t, c.Accept(id))
	must(t, c.SetPublic(id, false))
	c.revoked(id)
	c.do("DELETE", orgURL+"/badges/"+id, nil)
	must(t, c.SetTemplateState(template(), "archived"))
	must(t, c.SetTemplateImage(template(), nil))
	must(t, c.DeleteTemplate(template()))
	var got []string
	for _, e := range c.do("GET", orgURL+"/events", nil).list() {
		got = append([]string{e.(map[string]any)["event_type"].(string)}, got...)
	}
	want := "badge.created badge.state.changed badge.privacy.changed badge.state.changed badge.deleted badge_template.changed badge_template.changed badge_template.deleted"
	if strings.Join(got, " ") != want {
		t.Error(got)
	}
	if n := len(c.do("GET", "/v1/organizations/"+otherOrg+"/events", nil).list()); n != 0 {
		t.Error("another organization sees them")
	}
}

func TestAWebhookIsTriedForTwentyFiveDays(t *testing.T) {
	c := begin(t, credly.Options{})
	r := newReceiver(t, c, http.StatusTemporaryRedirect)
	c.issued("a@example.org", nil)
	c.Deliver(t.Context())
	pauses := 0
	var last time.Duration
	for range 60 {
		d := c.Deliveries()[0]
		if d.Done || d.GivenUp {
			break
		}
		pause := d.NextAt.Sub(c.Now())
		if pause < last {
			t.Fatalf("a pause of %s after one of %s", pause, last)
		}
		last = pause
		pauses++
		c.Advance(pause)
		c.Deliver(t.Context())
	}
	d := c.Deliveries()[0]
	if !d.GivenUp || d.Attempts != len(r.got(0)) || c.Now().Sub(start) < 23*24*time.Hour || c.Now().Sub(start) > 25*24*time.Hour {
		t.Errorf("%+v after %s", d, c.Now().Sub(start))
	}
}

func TestABatchMayHoldSeveralTemplatesForOnePerson(t *testing.T) {
	c := begin(t, credly.Options{})
	a := c.do("POST", orgURL+"/badges/batch", map[string]any{"badges": []any{
		order("a@example.org", nil), order("a@example.org", map[string]any{"badge_template_id": credly.DemoSeed().Templates[1].ID}),
	}})
	if a.code != 201 || len(a.list()) != 2 {
		t.Error(a.code, a.text)
	}
}
