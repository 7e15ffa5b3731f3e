package wordpress_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/sandbox/site"
)

// A gateway and a plugin are updated by two people on two days.
func TestAPluginOneVersionApartStillWorks(t *testing.T) {
	for _, version := range []string{"1", "2", "3"} {
		t.Run("contract "+version, func(t *testing.T) {
			s := newSite(t, func(c *site.Config) { c.Contract = version })
			s.AddBadge(site.Badge{Title: "Mentor"})
			s.AddMember(site.Member{Email: "ada@example.org"})
			_, err := s.Award(1, 1, "")
			must(t, err)
			a := newAdapter(t, serve(t, newer(s, version))+"/wp-json", http.DefaultClient, nil)
			if _, err := a.Check(t.Context()); err != nil {
				t.Fatalf("check: %v", err)
			}
			page, err := a.(adapters.Source).List(t.Context(), "")
			if err != nil || len(page.Records) != 1 || page.Records[0].Award.BadgeClass.Name != "Mentor" {
				t.Errorf("listed %+v, %v", page.Records, err)
			}
			if _, err := a.(adapters.Source).Changes(t.Context(), ""); err != nil {
				t.Errorf("changes: %v", err)
			}
			if _, err := a.(adapters.Issuer).Issue(t.Context(), issuance("ada@example.org", "KEY-OF-ONE-VERSION-APART")); err != nil {
				t.Errorf("issue: %v", err)
			}
			_, err = a.(adapters.CatalogWriter).PutBadgeClass(t.Context(), adapters.ClassDraft{
				Key: "KEY-OF-A-BADGE-APART", BadgeClass: openbadges.BadgeClass{Name: "New"}})
			if version != "1" && err != nil {
				t.Errorf("write a badge: %v", err)
			}
			if version == "1" && (err == nil || !strings.Contains(err.Error(), "pdate")) {
				t.Errorf("an old plugin that can't take a badge: %v, want words on updating it", err)
			}
		})
	}
}

func TestAPluginThatIsTooFarAwayIsRefusedInWords(t *testing.T) {
	for _, c := range []struct{ keeps, least, words string }{
		{"0", "", "Update the plugin"},
		{"7", "3", "Update the gateway"},
		{"next", "", "Update the plugin"},
	} {
		body, err := json.Marshal(map[string]any{"contract": c.keeps, "contract_least": c.least, "uuid": uuid, "home_url": home})
		must(t, err)
		base := serve(t, page(http.StatusOK, "application/json", string(body), map[string]string{"Badgebridge-Site": uuid, "Badgebridge-Home": home}))
		_, err = newAdapter(t, base+"/wp-json", http.DefaultClient, nil).Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("contract %q from %q: %v", c.keeps, c.least, err)
		}
	}
}

// newer adds to each answer of a later version what only that one knows.
func newer(h http.Handler, version string) http.Handler {
	if version != "3" {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(&adding{ResponseWriter: w}, r) })
}

type adding struct{ http.ResponseWriter }

func (a *adding) Write(b []byte) (int, error) {
	var doc map[string]json.RawMessage
	if json.Unmarshal(b, &doc) == nil {
		doc["a_member_of_tomorrow"] = json.RawMessage(`{"x": [1]}`)
		changed, _ := json.Marshal(doc)
		if _, err := a.ResponseWriter.Write(changed); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	return a.ResponseWriter.Write(b)
}
