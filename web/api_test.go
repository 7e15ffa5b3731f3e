package web_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"

	"badgebridge/openbadges"
	"badgebridge/web"
)

// contract loads the API's own description from where it is served.
func contract(t *testing.T, w *world) *openapi3.T {
	t.Helper()
	got := w.browser().get("/api/v1/openapi.yaml")
	if got.status != http.StatusOK {
		t.Fatalf("%d", got.status)
	}
	doc, err := openapi3.NewLoader().LoadFromData([]byte(got.body))
	must(t, err)
	must(t, doc.Validate(t.Context()))
	return doc
}

func TestEveryRouteOfTheAPIIsInItsContract(t *testing.T) {
	w := newWorld(t)
	doc := contract(t, w)
	pages, err := web.New(w.cfg)
	must(t, err)
	n := 0
	for _, r := range pages.Routes() {
		method, path, _ := strings.Cut(r, " ")
		if !strings.HasPrefix(path, "/api/v1/") || method == http.MethodHead {
			continue
		}
		n++
		item := doc.Paths.Value(strings.ReplaceAll(path, ":remote", "{remote}"))
		if item == nil || item.GetOperation(method) == nil {
			t.Errorf("%s is not in the contract", r)
		}
	}
	if n != len(doc.Paths.Map()) {
		t.Errorf("%d routes, %d paths in the contract", n, len(doc.Paths.Map()))
	}
}

// call makes a JSON call and holds the answer to the contract.
func (w *world) call(t *testing.T, doc *openapi3.T, path, contentType string, body []byte) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+path, bytes.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", contentType)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	doc.Servers = nil
	router, err := legacy.NewRouter(doc)
	must(t, err)
	path, _, _ = strings.Cut(path, "?")
	in := httptest.NewRequest(http.MethodPost, path, nil)
	route, params, err := router.FindRoute(in)
	must(t, err)
	if err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: in, PathParams: params, Route: route},
		Status:                 res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(text)),
	}); err != nil {
		t.Errorf("%s %d: %v", path, res.StatusCode, err)
	}
	return answer{res.StatusCode, res.Header, string(text), path}
}

func TestTheAPIVerifiesAnAddressADocumentAndAFile(t *testing.T) {
	w, owner, a := claimed(t)
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "link")
	doc := contract(t, w)
	assertion := owner.get("/b/" + a.ID + ".json")
	address := assertion.json(t)["id"].(string)
	image := owner.get("/b/" + a.ID + "/baked.png").body

	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, err := m.CreateFormFile("file", "badge.png")
	must(t, err)
	_, err = part.Write([]byte(image))
	must(t, err)
	must(t, m.WriteField("recipient", "email:"+ada))
	must(t, m.Close())
	for name, got := range map[string]answer{
		"an address": w.call(t, doc, "/api/v1/verify", "application/json", []byte(`{"input":"`+address+`","recipient":"email:`+ada+`"}`)),
		"a document": w.call(t, doc, "/api/v1/verify", "application/json", []byte(`{"input":`+assertion.body+`,"recipient":"`+ada+`"}`)),
		"a url":      w.call(t, doc, "/api/v1/verify", "application/json", []byte(`{"url":"`+address+`","recipient":["`+bo+`","email:`+ada+`"]}`)),
		"a badge":    w.call(t, doc, "/api/v1/verify", "application/json", []byte(`{"badge":`+assertion.body+`,"recipient":"`+ada+`"}`)),
		"a picture":  w.call(t, doc, "/api/v1/verify?recipient="+ada, "image/png", []byte(image)),
		"raw JSON":   w.call(t, doc, "/api/v1/verify?recipient=email:"+ada, "application/ld+json", []byte(assertion.body)),
		"a file":     w.call(t, doc, "/api/v1/verify", m.FormDataContentType(), form.Bytes()),
	} {
		r := got.json(t)
		if got.status != http.StatusOK || r["outcome"] != "valid" || r["valid"] != true || r["recipient"].(map[string]any)["matched"] != true {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	wrong := w.call(t, doc, "/api/v1/verify", "application/json", []byte(`{"input":"`+address+`","recipient":"email:`+bo+`"}`)).json(t)
	if wrong["outcome"] != "invalid" || wrong["recipient"].(map[string]any)["matched"] != false {
		t.Errorf("another person: %v", wrong)
	}
	if got := w.call(t, doc, "/api/v1/verify", "application/json", []byte(`{"input":"https://unreachable.example/b"}`)); got.json(t)["outcome"] != "unknown" {
		t.Errorf("unreachable: %s", got.body)
	}
	for bad, field := range map[string]string{
		`{`: "", `{} {}`: "", `{}`: "input", `{"input":""}`: "input", `{"input":null}`: "input", `{"url":"ftp://x.example"}`: "url", `{"url":7}`: "",
		`{"url":"https://x.example/1","badge":{}}`: "*", `{"badge":""}`: "badge", `{"input":"x","recipient":7}`: "recipient",
	} {
		got := w.call(t, doc, "/api/v1/verify", "application/json", []byte(bad))
		if e := got.json(t); got.status != http.StatusBadRequest || e["code"] != "bad-input" || e["message"] == "" || field != "*" && e["field"] != any(field) && (field != "" || e["field"] != nil) {
			t.Errorf("%s: %d %s", bad, got.status, got.body)
		}
	}
	if got := w.call(t, doc, "/api/v1/verify", "text/plain", nil); got.status != http.StatusBadRequest || got.json(t)["field"] != "body" {
		t.Errorf("an empty body: %d %s", got.status, got.body)
	}
	if got := w.call(t, doc, "/api/v1/verify", "image/png", bytes.Repeat([]byte{0}, 6<<20)); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("6 MB: %d %s", got.status, got.body)
	}
	if got := w.call(t, doc, "/api/v1/pair", "application/json", []byte(`{"code":"AAAA"}`)); got.status != http.StatusBadRequest {
		t.Errorf("pair: %d %s", got.status, got.body)
	}
}

func TestTheVerifyPageTellsTheFourStatesApart(t *testing.T) {
	w, owner, a := claimed(t)
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "link")
	address := owner.get("/b/" + a.ID + ".json").json(t)["id"].(string)
	b := w.browser()
	b.post("/verify", "input", address).has(t, "<strong>Genuine</strong>", "✓", "Issued by Example Association")
	b.post("/verify", "input", "https://unreachable.example/b").has(t, "decided now", "?")
	b.post("/verify", "input", address, "recipient", bo).has(t, "<strong>Somebody else", "Not to "+bo)
	b.post("/verify", "input", address, "recipient", ada).has(t, "<strong>Genuine</strong>", "To "+ada)
	b.post("/verify", "input", owner.get("/b/"+a.ID+".json").body).has(t, "<strong>Genuine</strong>")
	credential := w.browser().get("/ob/v3/credentials/" + w.assertion(t, a, openbadges.V30).ID).body
	b.post("/verify", "input", credential, "recipient", ada).has(t, "<strong>Genuine</strong>", "To "+ada, "Open Badges 3.0 · signed, with a proof", "The same badge as Open Badges 2.0")
	b.post("/verify", "input", "this is not a badge").has(t, "<strong>Not genuine</strong>", "✕")
	if got := b.post("/verify", "input", ""); got.status != http.StatusUnprocessableEntity {
		t.Errorf("nothing: %d", got.status)
	}
}

func TestReadinessAndMetricsAreForOperators(t *testing.T) {
	w := newWorld(t, func(c *web.Config) { c.MetricsToken = "a-token" })
	b := w.browser()
	if got := b.get("/healthz"); got.status != http.StatusOK {
		t.Errorf("healthz %d", got.status)
	}
	if got := b.get("/readyz"); got.status != http.StatusOK || got.json(t)["status"] != "ok" {
		t.Errorf("readyz %d %s", got.status, got.body)
	}
	got := b.get("/metrics")
	got.has(t, `badgebridge_http_requests_total{method="GET",route="/healthz",status="200"} 1`)
	if got := b.get("/metrics", "X-Forwarded-For", "203.0.113.9"); got.status != http.StatusNotFound {
		t.Errorf("through a proxy: %d", got.status)
	}
	if got := b.get("/metrics", "X-Forwarded-For", "203.0.113.9", "Authorization", "Bearer a-token"); got.status != http.StatusOK {
		t.Errorf("with the token: %d", got.status)
	}
}

func TestTheSetUpLinkSetsUpAndSignsIn(t *testing.T) {
	w := newWorld(t)
	token, err := w.setup.NewLink(t.Context())
	must(t, err)
	b := w.browser()
	if got := b.get("/setup/wrong"); got.status != http.StatusNotFound {
		t.Errorf("a wrong link: %d", got.status)
	}
	b.get("/setup/"+token).has(t, "Public address", w.server.URL)
	form := []string{"base_url", w.server.URL, "issuer_name", "Example Association", "issuer_url", "https://example.org", "issuer_email", "badges@example.org", "admin_email", "not an address"}
	got := b.post("/setup/"+token, form...)
	if got.status != http.StatusUnprocessableEntity {
		t.Fatalf("%d", got.status)
	}
	got.has(t, "One field", "e-mail address")
	form[len(form)-1] = "first@example.org"
	got = b.post("/setup/"+token, form...)
	if got.path != "/admin" || got.status != http.StatusOK {
		t.Fatalf("%d at %s\n%s", got.status, got.path, got.body)
	}
	got.has(t, "The gateway is set up")
	if got := b.get("/setup/" + token); got.status != http.StatusNotFound {
		t.Errorf("a used link: %d", got.status)
	}
	if strings.Contains(w.log.String(), token) {
		t.Error("the link is in the log")
	}
}

func TestAnAddressIsAddedByACode(t *testing.T) {
	w := newWorld(t)
	w.connect()
	b := w.signIn("somebody@example.org")
	b.get("/").has(t, "No badges yet")
	b.post("/me/address", "email", ada)
	if got := b.post("/me/address/code", "code", "AAAA-AAAA"); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong code: %d", got.status)
	}
	b.post("/me/address/code", "code", w.code(ada)).has(t, ada, "is yours now")
	b.get("/").has(t, "Waiting for you", "Mentor")
}

func TestTheMailboxIsOnlyThereInTheDemo(t *testing.T) {
	w := newWorld(t)
	if got := w.browser().get("/demo/mailbox"); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
}
