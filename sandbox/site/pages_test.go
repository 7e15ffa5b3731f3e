package site_test

import (
	"bytes"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"badgebridge/sandbox/demo"
	"badgebridge/sandbox/site"
)

func read(t *testing.T, address string) (status int, body string) {
	t.Helper()
	response, err := http.Get(address) //nolint:gosec // a test server's
	must(t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(data)
}

func post(t *testing.T, address string, form url.Values) (status int, body string) {
	t.Helper()
	response, err := http.PostForm(address, form) //nolint:gosec // a test server's
	must(t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(data)
}

func TestAnAdministratorPlaysTheStoryWithoutAnyScript(t *testing.T) {
	s, base := start(t, site.Config{Name: demo.Association, Seed: demo.SiteSeed(time.Now())})
	_, body := read(t, base+"/")
	for _, b := range demo.Badges() {
		if !strings.Contains(body, b.Title) {
			t.Errorf("the home page does not show %s", b.Title)
		}
	}
	if strings.Contains(body, "<script") {
		t.Error("the page has a script")
	}
	before := len(s.Awards())
	if _, body = post(t, base+"/admin/award", url.Values{"badge": {"2"}, "member": {"4"}}); !strings.Contains(body, "Awarded.") {
		t.Errorf("awarding says %s", body)
	}
	held := s.Awards()
	last := held[len(held)-1]
	if len(held) != before+1 || last.Badge.Title != "Conference Speaker" || last.Member.Email != "dana@example.org" {
		t.Fatalf("awarded %+v", last)
	}
	if _, body = read(t, base+"/members/4"); !strings.Contains(body, "Conference Speaker") {
		t.Error("the member's page does not show the award")
	}
	if _, body = post(t, base+"/admin/revoke", url.Values{"entry": {"1"}, "reason": {"by mistake"}}); !strings.Contains(body, "Revoked.") || len(s.Awards()) != before {
		t.Errorf("revoking says %s", body)
	}
	if _, body = post(t, base+"/admin/member", url.Values{"member": {"2"}, "given": {"Bo"}, "family": {"Example"}}); !strings.Contains(body, "Bo Example") {
		t.Error("the name did not change")
	}
	if _, body = post(t, base+"/admin/award", url.Values{"badge": {"99"}, "member": {"4"}}); !strings.Contains(body, "That did not work") {
		t.Error("an award of nothing is no problem")
	}
}

func TestWhatPeopleTypeIsNeverMarkup(t *testing.T) {
	_, base := start(t, site.Config{Seed: site.Seed{
		Badges:  []site.Badge{{Title: "<b>Star</b> & Co", Description: "<script>x</script>"}},
		Members: []site.Member{{Email: "ada@example.org", DisplayName: `"><img src=x>`}},
	}})
	for _, path := range []string{"/", "/admin", "/badges/1", "/members/1", "/admin?failed=%3Cscript%3E"} {
		if _, body := read(t, base+path); strings.Contains(body, "<script") || strings.Contains(body, "<img src=x") || strings.Contains(body, "<b>Star") {
			t.Errorf("%s holds markup that somebody typed", path)
		}
	}
}

func TestABadgesImageAndPagesAreThere(t *testing.T) {
	_, base := start(t, site.Config{Seed: demo.SiteSeed(time.Now())})
	status, body := read(t, base+"/badge-images/1.png")
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if img, err := png.Decode(bytes.NewReader([]byte(body))); err != nil || img.Bounds().Dx() != 600 {
		t.Errorf("the image: %v", err)
	}
	if _, body = read(t, base+"/badges/1"); !strings.Contains(body, "What it takes") {
		t.Error("the badge's page does not say what it takes")
	}
	for _, path := range []string{"/badges/99", "/members/99", "/nowhere", "/badge-images/99.png"} {
		if status, _ := read(t, base+path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestAFormOfAnotherSiteChangesNothing(t *testing.T) {
	s, base := start(t, site.Config{Seed: demo.SiteSeed(time.Now())})
	before := len(s.Awards())
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/admin/revoke", strings.NewReader("entry=1"))
	must(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", "https://evil.example.net")
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden || len(s.Awards()) != before {
		t.Errorf("status %d", response.StatusCode)
	}
}

func TestTheSiteRemembersOverARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "site.json")
	cfg := site.Config{BaseURL: "http://site.example.org", StateFile: file, Seed: demo.SiteSeed(time.Now()),
		Pairing: &site.Pairing{KeyID: "key", Secret: "a-secret-of-a-pairing"}}
	first, err := site.New(cfg)
	must(t, err)
	_, err = first.Award(1, 4, "")
	must(t, err)
	want := first.Awards()
	first.Close()
	second, err := site.New(cfg)
	must(t, err)
	defer second.Close()
	got := second.Awards()
	if len(got) != len(want) || got[len(got)-1].Fingerprint != want[len(want)-1].Fingerprint || second.PairedWith() == nil {
		t.Errorf("%d awards after the restart, %d before", len(got), len(want))
	}
}

func TestAWebhookThatFailedIsSentAgainByItself(t *testing.T) {
	answers := make(chan int, 2)
	answers <- http.StatusBadGateway
	answers <- http.StatusAccepted
	arrived := make(chan string, 4)
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(<-answers)
		arrived <- string(body)
	}))
	defer gateway.Close()
	s, _ := start(t, site.Config{Seed: demo.SiteSeed(time.Now()), RetryAfter: time.Millisecond,
		Pairing: &site.Pairing{KeyID: "key", Secret: "a-secret-of-a-pairing", WebhookURL: gateway.URL + "/webhooks/x"}})
	s.TestWebhook()
	var bodies []string
	for range 2 {
		select {
		case body := <-arrived:
			bodies = append(bodies, body)
		case <-time.After(30 * time.Second):
			t.Fatalf("only %d calls came", len(bodies))
		}
	}
	if bodies[0] != bodies[1] {
		t.Errorf("the event changed: %s then %s", bodies[0], bodies[1])
	}
}
