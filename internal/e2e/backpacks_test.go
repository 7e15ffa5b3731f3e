package e2e

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"context"

	"badgebridge/internal/httpx"
	"badgebridge/internal/testenv/smtpsink"
	"badgebridge/openbadges"
	"badgebridge/openbadges/verify"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
	"badgebridge/sync/backpack"
)

// station is one of several gateways that know each other by real addresses on
// this machine.
type station struct {
	*Gateway
	base string
	mail *smtpsink.Sink
	db   *sqlstore.DB
}

// startStation starts a gateway under a host name of this machine, "localhost" or
// "127.0.0.1": for browsers these are two sites.
func startStation(t *testing.T, host string, port int, loopback ...string) *station {
	t.Helper()
	s := &station{base: fmt.Sprintf("http://%s:%d", host, port), mail: smtpsink.Start(t)}
	dir := t.TempDir()
	url := "sqlite:" + filepath.Join(dir, "badgebridge.db")
	s.Gateway = New(t, Options{Dir: dir, Port: port, Env: map[string]string{
		"BADGEBRIDGE_DATABASE_URL": url, "BADGEBRIDGE_BASE_URL": s.base, "BADGEBRIDGE_LOOPBACK_HOSTS": strings.Join(loopback, ","),
		"BADGEBRIDGE_SMTP_HOST": s.mail.Host, "BADGEBRIDGE_SMTP_PORT": fmt.Sprint(s.mail.Port), "BADGEBRIDGE_SMTP_TLS": "none",
		"BADGEBRIDGE_SMTP_FROM": "badges@example.org", "BADGEBRIDGE_CALL_TIMEOUT": "3s", "BADGEBRIDGE_PULL_EVERY": "1h", "BADGEBRIDGE_CALLS_PER_SECOND": "500",
	}}).Start()
	s.db = openStore(t, url)
	return s
}

// setUp names the association and its admin.
func (s *station) setUp(t *testing.T, b *Browser) {
	t.Helper()
	link := s.Link()
	b.Must(t, s.base+link[strings.Index(link, "/setup/"):])
	f := b.page.Form(t, b.page.URL.Path)
	fill := map[string]string{"issuer_name": "Example Association", "issuer_url": "https://example.org", "issuer_email": "badges@example.org", "admin_email": alex, "given": "Alex", "family": "Admin"}
	for name := range fill {
		if _, there := f.Fields[name]; !there {
			delete(fill, name)
		}
	}
	b.Submit(t, f, fill).want(t, http.StatusOK)
}

// person is who has proven an address at the station.
func (s *station) person(t *testing.T, email string) string {
	t.Helper()
	id, err := s.db.Identifier(t.Context(), openbadges.IdentityEmail, email)
	must(t, err)
	return id.PersonID
}

// college hosts badges that others fetch, until it does not any more.
type college struct {
	*httptest.Server
	mu   sync.Mutex
	docs map[string]map[string]any
	ends map[string]int // status of what is not answered any more
}

func startCollege(t *testing.T) *college {
	c := &college{docs: map[string]map[string]any{}, ends: map[string]int{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch doc, status := c.docs[r.URL.Path], c.ends[r.URL.Path]; {
		case status != 0:
			w.Header().Set("Content-Type", "application/ld+json")
			w.WriteHeader(status)
			if doc["revoked"] == true { // one that was taken back says so
				_ = json.NewEncoder(w).Encode(doc)
			}
		case r.URL.Path == "/badge.svg":
			w.Header().Set("Content-Type", "image/svg+xml")
			_, _ = w.Write([]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><circle r="4"/></svg>`))
		case doc == nil:
			http.NotFound(w, r)
		default:
			w.Header().Set("Content-Type", "application/ld+json")
			_ = json.NewEncoder(w).Encode(doc)
		}
	}))
	t.Cleanup(c.Close)
	c.put("/issuer", map[string]any{"type": "Issuer", "name": "Demo College", "url": c.URL, "email": "badges@college.example"})
	c.put("/badge", map[string]any{"type": "BadgeClass", "name": "Sailor", "description": "Sails.", "image": c.URL + "/badge.svg",
		"criteria": map[string]any{"narrative": "Sail."}, "issuer": c.URL + "/issuer"})
	return c
}

func (c *college) put(path string, doc map[string]any) string {
	doc["@context"], doc["id"] = "https://w3id.org/openbadges/v2", c.URL+path
	c.mu.Lock()
	defer c.mu.Unlock()
	c.docs[path] = doc
	return c.URL + path
}

func (c *college) award(n int, email string) string {
	return c.put(fmt.Sprintf("/a/%d", n), map[string]any{
		"type": "Assertion", "badge": c.URL + "/badge", "issuedOn": fmt.Sprintf("2026-01-02T03:04:%02dZ", n),
		"verification": map[string]any{"type": "HostedBadge"}, "recipient": map[string]any{"type": "email", "hashed": false, "identity": email},
	})
}

func (c *college) end(address string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ends[strings.TrimPrefix(address, c.URL)] = status
}

func hostPort(address string) string { return strings.TrimPrefix(address, "http://") }

const adaOld = "ada.before@example.org"

// An earner of one gateway pushes a collection to another one, whose own people
// know nothing of the first: both are real programs, and one is killed meanwhile.
func TestAnEarnerOfOneGatewayPushesACollectionToAnother(t *testing.T) {
	school := startCollege(t)
	portA, portB := FreePort(t), FreePort(t)
	hosts := []string{fmt.Sprintf("localhost:%d", portA), fmt.Sprintf("127.0.0.1:%d", portB), hostPort(school.URL)}
	a, b := startStation(t, "localhost", portA, hosts...), startStation(t, "127.0.0.1", portB, hosts...)
	site := StartSimulatedSite(t)
	admin := NewBrowser(t, a.Gateway).At(a.base)
	a.setUp(t, admin)
	b.setUp(t, NewBrowser(t, b.Gateway).At(b.base))

	atA := NewBrowser(t, a.Gateway).At(a.base)
	atB := atA.At(b.base) // the same person at the same browser
	var awards []string
	promise(t, "she has badges of the association, and others that she brought", func(t *testing.T) {
		must(t, site.Site.Pair(t.Context(), a.base, admin.PairingCode(t)))
		member := site.AddMember(t, ada, "Ada", "Example")
		for i := range 7 {
			site.Award(t, site.AddBadge(t, fmt.Sprintf("Open Practice %d", i+1)), member)
		}
		atA.SignIn(t, a.mail, ada)
		who := a.person(t, ada)
		Eventually(t, time.Minute, "the site's awards are here", func() error {
			list, err := a.db.AwardsOf(t.Context(), who, 100)
			if err != nil || len(list) < 7 {
				return fmt.Errorf("%d awards: %w", len(list), err)
			}
			awards = nil
			for _, one := range list {
				awards = append(awards, one.ID)
			}
			return nil
		})
		for _, id := range awards {
			atA.Claim(t, id)
		}
		must(t, a.db.AddIdentifier(t.Context(), store.Identifier{Type: openbadges.IdentityEmail, Value: adaOld, PersonID: who, ProvenBy: "code", ProvenAt: time.Now()}))
		awards = append(awards, school.brings(t, a, who, 40, ada)...)
		awards = append(awards, school.brings(t, a, who, 1, adaOld)...) // of an address that B does not know
		ends := school.brings(t, a, who, 2, ada)
		awards = append(awards, ends...)
		for i, status := range []int{http.StatusNotFound, http.StatusGone} {
			award, err := a.db.Award(t.Context(), ends[i])
			must(t, err)
			school.end(award.AssertionURL, status)
		}
	})
	var page string
	promise(t, "she connects the other backpack and sees before what is sent to whom", func(t *testing.T) {
		atB.SignIn(t, b.mail, ada)
		page = connectBackpack(t, atA, b.base)
		if text := atA.page.Text(); !strings.Contains(text, hostPort(b.base)+" is connected") {
			t.Errorf("the page says:\n%s", text)
		}
	})
	collection, err := a.db.CreateCollection(t.Context(), store.Collection{PersonID: a.person(t, ada), Name: "All of it", Visibility: store.Private})
	must(t, err)
	var places []store.CollectionBadge
	for i, id := range awards {
		places = append(places, store.CollectionBadge{AwardID: id, Position: i})
	}
	must(t, a.db.SetCollectionBadges(t.Context(), collection.ID, places))
	if len(places) != 50 {
		t.Fatalf("the collection has %d badges", len(places))
	}
	settled := func(t *testing.T, want string) {
		t.Helper()
		Eventually(t, time.Minute, "everything is settled: "+want, func() error {
			if text := atA.Must(t, page).Text(); !strings.Contains(text, want) || strings.Contains(text, "on their way") {
				return fmt.Errorf("the page says %s", text)
			}
			return nil
		})
	}
	promise(t, "she pushes fifty, watches, and the program is killed on the way", func(t *testing.T) {
		atA.Must(t, page)
		atA.Press(t, "/push", map[string]string{"collection": collection.ID})
		Eventually(t, time.Minute, "some are there and some are not", func() error {
			text := atA.Must(t, page).Text()
			if !strings.Contains(text, "are on their way") || strings.Contains(text, "0 badges are there") {
				return fmt.Errorf("the page says %s", text)
			}
			return nil
		})
		a.Kill()
		a.Start()
		settled(t, "47 badges are there · 3 did not arrive")
		text := atA.page.Text()
		for _, words := range []string{"badge assertion is for a different user", "Could not get all linked resources", "The badge has been revoked"} {
			if !strings.Contains(text, words) {
				t.Errorf("the page does not say %q:\n%s", words, text)
			}
		}
	})
	arrived := func(t *testing.T, want int) []store.Award {
		t.Helper()
		list, err := b.db.Awards(t.Context(), store.AwardFilter{Origin: store.BackpackOrigin, PersonID: b.person(t, ada), Limit: 200})
		must(t, err)
		if len(list) != want {
			t.Fatalf("%d badges arrived, want %d", len(list), want)
		}
		return list
	}
	promise(t, "forty-seven arrive there, each verified", func(t *testing.T) {
		for _, one := range arrived(t, 47) {
			docs, err := b.db.CollectedOf(t.Context(), one.ID)
			must(t, err)
			if len(docs) != 1 || docs[0].Standing != store.Genuine || docs[0].Source != "push:"+a.base {
				t.Errorf("%+v", docs)
			}
		}
		if text := atB.Must(t, "/").Text(); !strings.Contains(text, "Open Practice 1") || !strings.Contains(text, "Sailor") {
			t.Errorf("her badges there:\n%s", text)
		}
	})
	promise(t, "again: nothing doubles", func(t *testing.T) {
		atA.Must(t, page)
		p := atA.Press(t, "/push", map[string]string{"collection": collection.ID})
		if !strings.Contains(p.Text(), "On the way now: 3. There already: 47.") {
			t.Errorf("the page says:\n%s", p.Text())
		}
		settled(t, "47 badges are there · 3 did not arrive")
		arrived(t, 47)
	})
	promise(t, "a permission that is taken back there is told here, and what is left waits", func(t *testing.T) {
		if text := atB.Must(t, "/me").Text(); !strings.Contains(text, hostPort(a.base)) {
			t.Errorf("the profile does not name the site:\n%s", text)
		}
		atB.Press(t, "/revoke", nil)
		more := school.brings(t, a, a.person(t, ada), 1, ada)
		atA.Must(t, "/badges/"+more[0])
		atA.Press(t, page+"/push", nil)
		Eventually(t, time.Minute, "the page says so", func() error {
			if text := atA.Must(t, page).Text(); !strings.Contains(text, "Connect again") || !strings.Contains(text, "1 waits for you to connect again") {
				return fmt.Errorf("it says %s", text)
			}
			return nil
		})
		connectBackpack(t, atA, b.base)
		settled(t, "48 badges are there")
		arrived(t, 48)
	})
	promise(t, "what she adds from now on goes by itself", func(t *testing.T) {
		atA.Must(t, page)
		atA.Press(t, "/auto", nil)
		atA.Must(t, "/badges/add")
		atA.Press(t, "/badges/add", map[string]string{"url": school.award(55, ada)})
		settled(t, "49 badges are there")
		arrived(t, 49)
	})
	promise(t, "disconnected here, the permission has ended there", func(t *testing.T) {
		grants, err := b.db.GrantsOf(t.Context(), b.person(t, ada))
		must(t, err)
		if len(grants) != 1 {
			t.Fatalf("%d permissions", len(grants))
		}
		atA.Must(t, page)
		p := atA.Press(t, "/disconnect", nil)
		if !strings.Contains(p.Text(), "takes nothing from here any more") {
			t.Errorf("the page says:\n%s", p.Text())
		}
		if grants, err = b.db.GrantsOf(t.Context(), b.person(t, ada)); err != nil || len(grants) != 0 {
			t.Errorf("%d permissions are left, %v", len(grants), err)
		}
		if text := atB.Must(t, "/me").Text(); !strings.Contains(text, "No site may.") {
			t.Errorf("the profile says:\n%s", text)
		}
		arrived(t, 49)
	})
}

// brings has a person at a gateway bring badges of the college, and returns their
// awards.
func (c *college) brings(t *testing.T, s *station, who string, n int, email string) []string {
	t.Helper()
	bag := backpack.New(backpack.Config{
		Store: s.db, Fetcher: verify.HTTP{Client: httpx.Guarded(httpx.Config{AllowLoopback: []string{hostPort(c.URL)}})},
		BaseURL: func(context.Context) string { return s.base }, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	var out []string
	for range n {
		c.mu.Lock()
		at := len(c.docs)
		c.mu.Unlock()
		res, err := bag.Collect(t.Context(), who, backpack.Given{URL: c.award(at, email), Source: "url"})
		must(t, err)
		if res.AwardID == "" {
			t.Fatalf("not kept: %s %v", res.Reason, res.Report.Problems())
		}
		out = append(out, res.AwardID)
	}
	return out
}

// connectBackpack goes from the page of one gateway through the other's page of
// permission and back, and returns the connection's page.
func connectBackpack(t *testing.T, b *Browser, other string) string {
	t.Helper()
	b.Must(t, "/me/backpacks")
	p := b.Press(t, "/me/backpacks", map[string]string{"address": other})
	if text := p.Text(); !strings.Contains(text, hostPort(other)) || !strings.Contains(text, "fingerprint of the e-mail address") {
		t.Errorf("the page of consent says:\n%s", text)
	}
	way := ""
	for _, link := range p.Links() {
		if strings.HasPrefix(link, other+"/access?") {
			way = link
		}
	}
	if way == "" {
		t.Fatalf("no way to %s: %v", other, p.Links())
	}
	b.Must(t, way)
	b.Press(t, "/accept", nil)
	at := b.page.URL
	if !strings.HasPrefix(at.String(), b.base+"/me/backpacks/") || at.RawQuery != "" {
		t.Fatalf("she is led back to %s:\n%s", at, b.page.Text())
	}
	return at.Path
}
