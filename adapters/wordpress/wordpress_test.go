package wordpress_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/adapters/wordpress"
	"badgebridge/openbadges"
	"badgebridge/sandbox/site"
)

func isKind(err, kind error) bool { return errors.Is(err, kind) }

// paired is a site with one badge and one member, and the adapter for it.
func paired(t *testing.T) (*site.Site, *wordpress.Adapter, *atomic.Int64) {
	t.Helper()
	s := newSite(t, nil)
	s.AddBadge(site.Badge{Title: "Star & Co <b>", Description: "What it is.", Criteria: "What it *takes*.",
		ExpiresAfter: &site.Span{Count: 2, Unit: "year"}})
	s.AddMember(site.Member{Email: "Ada@Example.org", GivenName: "Ada", FamilyName: "Example"})
	calls := &atomic.Int64{}
	base := serve(t, counting(s, calls))
	a, err := wordpress.New(config(base+"/wp-json", nil), http.DefaultClient, time.Now)
	must(t, err)
	return s, a, calls
}

func TestCheckNamesTheSiteAndItsProvider(t *testing.T) {
	s, a, _ := paired(t)
	health, err := a.Check(t.Context())
	must(t, err)
	if health.Identity != uuid+" "+home {
		t.Errorf("identity %q", health.Identity)
	}
	contains(t, health.Details["Provider"], "BadgeOS")
	s.SetProvider("none")
	health, err = a.Check(t.Context())
	must(t, err)
	contains(t, strings.Join(health.Warnings, " "), "Activate one of them")
}

func TestAnAwardComesWithItsBadgeMemberAndDates(t *testing.T) {
	s, a, _ := paired(t)
	_, err := s.Award(1, 1, "Course completed")
	must(t, err)
	list, err := a.List(t.Context(), "")
	must(t, err)
	if len(list.Records) != 1 || list.More || list.ChangesFrom == "" {
		t.Fatalf("%+v", list)
	}
	r := list.Records[0]
	class, who := r.Award.BadgeClass, r.Award.Recipient
	if class.ID != "1" || class.Name != "Star & Co <b>" || class.Criteria.ID != home+"/badges/1" || class.Criteria.Narrative != "What it *takes*." ||
		class.Image == nil || class.Image.ID != home+"/badge-images/1.png" {
		t.Errorf("badge %+v", class)
	}
	if who.Type != openbadges.IdentityEmail || who.Identity != "Ada@Example.org" || who.Hashed || who.Name() != "Ada Example" {
		t.Errorf("recipient %+v", who)
	}
	if r.Award.IssuedOn.IsZero() || !r.Award.Expires.Equal(r.Award.IssuedOn.AddDate(2, 0, 0)) {
		t.Errorf("issued %v, expires %v", r.Award.IssuedOn, r.Award.Expires)
	}
	// The feed brings the very same document.
	changes, err := a.Changes(t.Context(), "")
	must(t, err)
	if len(changes.Records) != 1 || string(changes.Records[0].Raw) != string(r.Raw) || changes.Records[0].Version != r.Version {
		t.Errorf("the feed's record differs from the list's: %+v", changes.Records)
	}
	must(t, s.RemoveMember(1))
	list, err = a.List(t.Context(), "")
	must(t, err)
	if len(list.Records) != 1 || list.Records[0].Award.Recipient.Identity != "" {
		t.Errorf("the award of a member who is gone: %+v", list.Records)
	}
}

func TestAHomeWithALastSlashIsSentAsTheSiteSaidIt(t *testing.T) {
	answers := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Badgebridge-Home"); got != home+"/" {
			t.Errorf("sent %q", got)
		}
		w.Header().Set("Badgebridge-Site", uuid)
		w.Header().Set("Badgebridge-Home", home)
		fmt.Fprintf(w, `{"contract":"1","uuid":%q,"home_url":%q,"name":"x"}`, uuid, home)
	})
	a := newAdapter(t, serve(t, answers)+"/wp-json", http.DefaultClient, map[string]string{"home_url": home + "/"})
	_, err := a.Check(t.Context())
	must(t, err)
}

func TestARevocationAndADeletionAreToldApart(t *testing.T) {
	s, a, _ := paired(t)
	for range 3 {
		_, err := s.Award(1, 1, "")
		must(t, err)
	}
	must(t, s.Revoke(1, "by mistake"))
	must(t, s.Delete(2, "points lost"))
	must(t, s.DeleteSilently(3))
	changes, err := a.Changes(t.Context(), "")
	must(t, err)
	var got []string
	for _, r := range changes.Records {
		if r.Gone != nil {
			got = append(got, fmt.Sprint(r.Gone.Kind, " ", r.Gone.Reason))
		} else {
			t.Errorf("an award that is gone is reported as there: %s", r.Ref)
		}
	}
	if strings.Join(got, ", ") != "revoked by mistake, deleted points lost" {
		t.Errorf("tombstones %q", got)
	}
	if a.Absence() != adapters.AbsenceUnknown {
		t.Error("what is absent from a site's list can't be told")
	}
}

func TestACursorOfARestoredSiteIsGone(t *testing.T) {
	s, a, _ := paired(t)
	backup, err := s.Backup()
	must(t, err)
	_, err = s.Award(1, 1, "")
	must(t, err)
	before, err := a.Changes(t.Context(), "")
	must(t, err)
	must(t, s.Restore(backup))
	// As many changes again as before: only the mark tells them apart.
	_, err = s.Award(1, 1, "")
	must(t, err)
	if _, err := a.Changes(t.Context(), before.Next); !isKind(err, adapters.ErrCursorGone) {
		t.Errorf("%v, want ErrCursorGone", err)
	}
}

func TestAListingsChangesCursorIsThatOfItsFirstPage(t *testing.T) {
	s, a, _ := paired(t)
	for range 201 {
		_, err := s.Award(1, 1, "")
		must(t, err)
	}
	first, err := a.List(t.Context(), "")
	must(t, err)
	// Changes in a page that was read already.
	must(t, s.Revoke(1, "by mistake"))
	second, err := a.List(t.Context(), first.Next)
	must(t, err)
	if !first.More || second.More || second.ChangesFrom != first.ChangesFrom {
		t.Fatalf("more %v %v, changes from %q then %q", first.More, second.More, first.ChangesFrom, second.ChangesFrom)
	}
	changes, err := a.Changes(t.Context(), second.ChangesFrom)
	must(t, err)
	if len(changes.Records) != 1 || changes.Records[0].Gone == nil {
		t.Errorf("the revocation in between is lost: %+v", changes.Records)
	}
}

func TestNothingIsTakenFromAnotherSite(t *testing.T) {
	s, a, _ := paired(t)
	_, err := s.Award(1, 1, "")
	must(t, err)
	ref := refOf(t, s, 1)
	for name, identity := range map[string][2]string{
		"a clone": {uuid, "https://staging.example.org"}, "another site": {"11111111-2222-4333-8444-555555555555", home},
	} {
		t.Run(name, func(t *testing.T) {
			s.SetIdentity(identity[0], identity[1])
			defer s.SetIdentity(uuid, home)
			_, check := a.Check(t.Context())
			_, list := a.List(t.Context(), "")
			_, changes := a.Changes(t.Context(), "")
			_, issue := a.Issue(t.Context(), issuance("ada@example.org", strings.Repeat("K", 52)))
			revoke := a.Revoke(t.Context(), ref, "")
			for what, err := range map[string]error{"check": check, "list": list, "changes": changes, "issue": issue, "revoke": revoke} {
				if !isKind(err, adapters.ErrIdentity) || adapters.IsAmbiguous(err) {
					t.Errorf("%s: %v, want ErrIdentity", what, err)
				}
			}
			if len(s.Awards()) != 1 {
				t.Error("the other site was changed")
			}
			contains(t, adapters.Words(check), identity[1])
		})
	}
	t.Run("a site that answers all the same", func(t *testing.T) {
		base := serve(t, page(200, "application/json", `{"awards":[],"next":"","more":false,"changes_from":"x"}`,
			map[string]string{"Badgebridge-Site": uuid, "Badgebridge-Home": "https://staging.example.org"}))
		a := newAdapter(t, base, http.DefaultClient, nil).(adapters.Source)
		if _, err := a.List(t.Context(), ""); !isKind(err, adapters.ErrIdentity) {
			t.Errorf("%v, want ErrIdentity", err)
		}
	})
}

func TestAMemberWhoIsNotThereIsAnswersInWordsForTheAdmin(t *testing.T) {
	_, a, _ := paired(t)
	_, err := a.Issue(t.Context(), issuance("nobody@example.org", strings.Repeat("K", 52)))
	if !isKind(err, adapters.ErrRejected) || adapters.IsAmbiguous(err) || adapters.Temporary(err) {
		t.Errorf("%v, want ErrRejected", err)
	}
	contains(t, adapters.Words(err), "Add the member")
}

func TestWhatTheSiteCanNotTakeIsRefusedBeforeTheCall(t *testing.T) {
	_, a, calls := paired(t)
	good := issuance("ada@example.org", strings.Repeat("K", 52))
	for name, spoil := range map[string]func(*adapters.Issuance){
		"a badge of another system": func(in *adapters.Issuance) { in.Class = "c8d1d2c4-template" },
		"a hashed recipient":        func(in *adapters.Issuance) { in.Recipient.Hashed = true },
		"no address":                func(in *adapters.Issuance) { in.Recipient.Identity = " " },
		"no date":                   func(in *adapters.Issuance) { in.Award.IssuedOn = time.Time{} },
	} {
		in := good
		spoil(&in)
		if _, err := a.Issue(t.Context(), in); !isKind(err, adapters.ErrRejected) {
			t.Errorf("%s: %v, want ErrRejected", name, err)
		}
	}
	if err := a.Revoke(t.Context(), "credly:1", ""); !isKind(err, adapters.ErrRejected) {
		t.Errorf("a foreign reference: %v, want ErrRejected", err)
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

func TestAnAwardKeepsItsDateAndIsFoundByItsKey(t *testing.T) {
	s, a, _ := paired(t)
	in := issuance("ada@example.org", strings.Repeat("K", 52))
	if _, found, err := a.Find(t.Context(), in); err != nil || found != adapters.Absent {
		t.Fatalf("before: %v, %v", found, err)
	}
	ref, err := a.Issue(t.Context(), in)
	must(t, err)
	if got, found, err := a.Find(t.Context(), in); err != nil || found != adapters.Present || got != ref {
		t.Errorf("after: %q %v %v, want %q", got, found, err, ref)
	}
	held := s.Awards()[0]
	if !held.On.Equal(in.Award.IssuedOn) || ref != refOf(t, s, held.Entry) {
		t.Errorf("the site holds %+v as %s", held, ref)
	}
	must(t, a.Revoke(t.Context(), ref, strings.Repeat("ä", 1200)))
	if len(s.Awards()) != 0 {
		t.Error("it was not revoked")
	}
	if _, err := a.Issue(t.Context(), in); !isKind(err, adapters.ErrRejected) || adapters.IsAmbiguous(err) {
		t.Errorf("the key of a revoked award: %v, want ErrRejected", err)
	}
}

func TestRevokingTouchesNoOtherAward(t *testing.T) {
	s, a, _ := paired(t)
	_, err := s.Award(1, 1, "")
	must(t, err)
	ref := refOf(t, s, 1)
	another := ref[:len(ref)-16] + "0123456789abcdef"
	if err := a.Revoke(t.Context(), another, ""); !isKind(err, adapters.ErrConflict) {
		t.Errorf("the same entry with another fingerprint: %v, want ErrConflict", err)
	}
	if len(s.Awards()) != 1 {
		t.Fatal("another award was revoked")
	}
	if err := a.Revoke(t.Context(), adapters.Ref(uuid+"/999/0123456789abcdef"), ""); err != nil {
		t.Errorf("an entry that is not there: %v, want nil", err)
	}
}

func TestASiteWithoutThePluginSaysSo(t *testing.T) {
	s, a, _ := paired(t)
	_, err := s.Award(1, 1, "")
	must(t, err)
	ref := refOf(t, s, 1)
	s.SetActive(false)
	_, check := a.Check(t.Context())
	if !isKind(check, adapters.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", check)
	}
	contains(t, adapters.Words(check), "the plugin is not active")
	// Its 404 is not the record's.
	if err := a.Revoke(t.Context(), ref, ""); !isKind(err, adapters.ErrUnavailable) {
		t.Errorf("revoke: %v, want ErrUnavailable", err)
	}
	if _, found, err := a.Find(t.Context(), issuance("ada@example.org", strings.Repeat("K", 52))); err == nil || found == adapters.Absent {
		t.Errorf("find: %v %v, want an error", found, err)
	}
}

func TestRefusalsHaveTheirKind(t *testing.T) {
	own := map[string]string{"Badgebridge-Site": uuid, "Badgebridge-Home": home + "/"}
	const json = "application/json"
	for name, c := range map[string]struct {
		answer http.Handler
		kind   error
		words  string
		doubt  bool // of a write
	}{
		"a maintenance page":               {page(503, "text/html", "<h1>Briefly unavailable</h1>", nil), adapters.ErrUnavailable, "web page instead of JSON", true},
		"a firewall's page":                {page(403, "text/html", "<html>blocked", nil), adapters.ErrUnavailable, "web page instead of JSON", false},
		"a PHP notice in front of JSON":    {page(200, json, "<br />\n<b>Notice</b>: x {}", own), adapters.ErrUnavailable, "web page instead of JSON", true},
		"a fatal error":                    {page(500, json, `{"code":"internal_server_error","message":"<p>There has been a critical error.</p>"}`, own), adapters.ErrUnavailable, "critical error", true},
		"a JSON answer of another program": {page(200, json, `{}`, nil), adapters.ErrUnavailable, "which site", true},
		"a signature that is refused":      {page(401, json, `{"code":"bad_signature","message":"No."}`, nil), adapters.ErrUnauthorized, "Pair the site again", false},
		"a clock that is off":              {page(401, json, `{"code":"clock","message":"No."}`, nil), adapters.ErrUnauthorized, "NTP", false},
		"no badge plugin":                  {page(503, json, `{"code":"no_provider","message":"None."}`, own), adapters.ErrUnavailable, "Neither BadgeOS", false},
		"a limit":                          {page(429, json, `{"code":"slow","message":"Slow down."}`, map[string]string{"Retry-After": "7"}), adapters.ErrRateLimited, "Slow down.", false},
		"a move":                           {page(301, json, ``, map[string]string{"Location": "https://www.example.org/wp-json/"}), adapters.ErrUnavailable, "https://www.example.org", false},
		"a field":                          {page(422, json, `{"code":"invalid","message":"It is wrong.","field":"issued_on"}`, own), adapters.ErrRejected, "issued_on: It is wrong.", false},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAdapter(t, serve(t, c.answer)+"/wp-json", http.DefaultClient, nil)
			_, read := a.(adapters.Source).List(t.Context(), "")
			_, write := a.(adapters.Issuer).Issue(t.Context(), issuance("ada@example.org", strings.Repeat("K", 52)))
			for what, err := range map[string]error{"read": read, "write": write} {
				if !isKind(err, c.kind) {
					t.Errorf("%s: %v, want %v", what, err, c.kind)
				}
				contains(t, adapters.Words(err), c.words)
				if strings.ContainsAny(adapters.Words(err), "<>") {
					t.Errorf("%s: markup in %q", what, adapters.Words(err))
				}
			}
			if adapters.IsAmbiguous(read) || adapters.IsAmbiguous(write) != c.doubt {
				t.Errorf("ambiguous: read %v, write %v, want %v", adapters.IsAmbiguous(read), adapters.IsAmbiguous(write), c.doubt)
			}
			if c.kind == adapters.ErrRateLimited && adapters.RetryAfter(read) != 7*time.Second {
				t.Errorf("retry after %v", adapters.RetryAfter(read))
			}
		})
	}
}

func TestAWebhookIsRefused(t *testing.T) {
	_, a, _ := paired(t)
	event := func(changes map[string]any) map[string]any {
		e := map[string]any{"id": "event-0003", "site_uuid": uuid, "home_url": home, "kind": "award.granted", "entry_id": 1}
		for name, value := range changes {
			e[name] = value
		}
		return e
	}
	parse := func(h http.Header, body []byte) error { _, err := a.ParseWebhook(h, body); return err }
	if err := parse(webhook(t, keyID, secret, event(map[string]any{"home_url": "https://staging.example.org"}), time.Now())); !isKind(err, adapters.ErrIdentity) {
		t.Errorf("of a clone: %v, want ErrIdentity", err)
	}
	if err := parse(webhook(t, keyID, secret, event(nil), time.Now().Add(-301*time.Second))); !isKind(err, adapters.ErrUnauthorized) || !errors.Is(err, wordpress.ErrClock) {
		t.Errorf("from the past: %v, want ErrUnauthorized", err)
	}
	if err := parse(webhook(t, "another-key", secret, event(nil), time.Now())); !isKind(err, adapters.ErrUnauthorized) {
		t.Errorf("of another key: %v, want ErrUnauthorized", err)
	}
	h, body := webhook(t, keyID, secret, event(nil), time.Now())
	if err := parse(h, append(body, ' ')); !isKind(err, adapters.ErrUnauthorized) {
		t.Errorf("with another body: %v, want ErrUnauthorized", err)
	}
	if err := parse(http.Header{}, body); !errors.Is(err, wordpress.ErrUnsigned) {
		t.Errorf("unsigned: %v", err)
	}
	if hints, err := a.ParseWebhook(webhook(t, keyID, secret, event(map[string]any{"kind": "test"}), time.Now())); err != nil || len(hints) != 0 {
		t.Errorf("a test event: %v, %v", hints, err)
	}
}

func TestACutPairingIsDead(t *testing.T) {
	_, a, _ := paired(t)
	for range 2 {
		must(t, a.CutPairing(t.Context()))
	}
	if _, err := a.Check(t.Context()); !isKind(err, adapters.ErrUnauthorized) {
		t.Errorf("%v, want ErrUnauthorized", err)
	}
}

func TestAConfigurationErrorNamesTheFieldAndTheCure(t *testing.T) {
	for field, c := range map[string]struct{ value, words string }{
		"rest_url":     {"association.example.org", "https://example.org/wp-json"},
		"home_url":     {"", "copy it"},
		"site_uuid":    {"7", "no UUID"},
		"key_id":       {"a b", "pair the site again"},
		"secret":       {"short-secret", "at least 16"},
		"webhook_path": {"https://badges.example.org/webhooks/x", "a path alone"},
		"oidc_issuer":  {"no address", "leave it out"},
		"rest_ulr":     {"x", "rest_ulr"},
	} {
		_, err := wordpress.Driver().New(config("https://association.example.org/wp-json", map[string]string{field: c.value}), http.DefaultClient)
		if err == nil {
			t.Errorf("%s %q is taken", field, c.value)
			continue
		}
		contains(t, err.Error(), field, c.words)
		if field == "secret" && strings.Contains(err.Error(), c.value) {
			t.Errorf("the secret is shown: %v", err)
		}
	}
	hosts, err := wordpress.Driver().Hosts(config("http://site.internal:8081/?rest_route=", nil))
	if err != nil || len(hosts) != 1 || hosts[0] != "site.internal:8081" {
		t.Errorf("hosts %v, %v", hosts, err)
	}
	if _, err := wordpress.Driver().New(nil, http.DefaultClient); err == nil {
		t.Error("an empty configuration is taken")
	}
}
