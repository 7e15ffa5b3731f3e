package credly_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"badgebridge/sandbox/credly"
)

// probe shows what an option changes: what is seen without and with it.
type probe struct {
	see              func(*client) string
	assumed, flipped string
}

func TestEachOptionChangesWhatItSays(t *testing.T) {
	all := probes()
	for _, o := range credly.Inferred() {
		t.Run(o.Name, func(t *testing.T) {
			p, there := all[o.Name]
			if !there {
				t.Fatal("nothing shows what it does")
			}
			var base credly.Options
			for _, need := range credly.Inferred() {
				if need.Name == o.With {
					base = credly.Flipped(need)
				}
			}
			if got := p.see(begin(t, base)); got != p.assumed {
				t.Errorf("without it: %s, not %s", got, p.assumed)
			}
			if got := p.see(begin(t, credly.Flipped(o))); got != p.flipped {
				t.Errorf("with it: %s, not %s", got, p.flipped)
			}
		})
	}
}

func count(v []any) string { return fmt.Sprint(len(v)) }

func probes() map[string]probe {
	out := probesOfIssuing()
	for _, more := range []map[string]probe{probesOfAuthorization(), probesOfReading(), probesOfChanges(), probesOfEvents(), probesOfDocuments()} {
		for k, v := range more {
			out[k] = v
		}
	}
	return out
}

func probesOfAuthorization() map[string]probe {
	get := func(auth, path string) func(*client) string {
		return func(c *client) string { return c.as(auth).do("GET", path, nil).status() }
	}
	return map[string]probe{
		"lenient-auth":         {get("Basic ZGVtby10b2tlbi1mb3ItdGhlLXNpbXVsYXRvci1vbmx5", "/v1/organizations"), "401", "200"},
		"expired-token-is-403": {get(basic(credly.DemoExpiredToken), "/v1/organizations"), "401", "403"},
		"other-org-is-404":     {get(basic(otherToken), orgURL), "403", "404"},
		"missing-right-is-401": {func(c *client) string { return c.as(basic(credly.DemoReadToken)).post("a@example.org", nil).status() }, "403", "401"},
		"write-may-delete": {func(c *client) string {
			return c.as(basic(noDelete)).do("DELETE", orgURL+"/badges/"+c.issued("a@example.org", nil), nil).status()
		}, "403", "204"},
		"bare-refusals": {func(c *client) string {
			a := c.do("GET", orgURL+"/badges/none", nil)
			return fmt.Sprint(a.code, " ", a.text != "")
		}, "404 true", "404 false"},
		"scopes-ignored": {func(c *client) string {
			return c.as(c.bearer("badge_templates")).do("GET", orgURL+"/badges", nil).status()
		}, "403", "200"},
		"oauth-json-only": {func(c *client) string {
			return c.do("POST", "/oauth/token", "grant_type=client_credentials&client_id="+credly.DemoApp+"&client_secret="+credly.DemoAppSecret).status()
		}, "200", "400"},
		"oauth-answer-bare": {func(c *client) string {
			a := c.do("POST", "/oauth/token", map[string]any{"grant_type": "client_credentials", "client_id": credly.DemoApp, "client_secret": credly.DemoAppSecret})
			return fmt.Sprint(len(a.body))
		}, "5", "1"},
		"oauth-error-envelope": {func(c *client) string {
			a := c.do("POST", "/oauth/token", map[string]any{"grant_type": "client_credentials", "client_id": credly.DemoApp, "client_secret": "wrong"})
			return fmt.Sprint(a.code, " ", a.body["error"])
		}, "401 invalid_client", "401 <nil>"},
		"bearer-life": {func(c *client) string {
			auth := c.bearer("issued_badges")
			c.Advance(time.Hour)
			return c.as(auth).do("GET", orgURL+"/badges", nil).status()
		}, "200", "401"},
		"rate-limit": {func(c *client) string { return c.spend(600).status() }, "200", "429"},
		"retry-after-absent": {func(c *client) string {
			a := c.spend(600)
			return a.status() + " " + a.header.Get("Retry-After")
		}, "429 60", "429 "},
	}
}

// spend makes n calls and returns the answer to one more.
func (c *client) spend(n int) answered {
	for range n {
		c.do("GET", orgURL+"/events/none", nil)
	}
	return c.do("GET", orgURL, nil)
}

func probesOfReading() map[string]probe {
	listed := func(query string) func(*client) string {
		return func(c *client) string {
			c.issued("a@example.org", nil)
			c.Advance(time.Second)
			c.issued("b@example.org", nil)
			a := c.do("GET", orgURL+"/badges?"+query, nil)
			return a.status() + " " + count(a.list())
		}
	}
	return map[string]probe{
		"read-delay": {func(c *client) string {
			id := c.issued("a@example.org", nil)
			return count(c.found("")) + " " + c.do("GET", orgURL+"/badges/"+id, nil).status()
		}, "1 200", "0 404"},
		"direct-reads-fresh": {func(c *client) string {
			id := c.issued("a@example.org", nil)
			return count(c.found("")) + " " + c.do("GET", orgURL+"/badges/"+id, nil).status()
		}, "0 404", "0 200"},
		"stale-changes": {func(c *client) string {
			id := c.issued("a@example.org", nil)
			c.Advance(time.Minute)
			must(c.t, c.Accept(id))
			now := c.do("GET", orgURL+"/badges/"+id, nil).data()["state"]
			c.Advance(time.Minute)
			return fmt.Sprint(now, " ", c.do("GET", orgURL+"/badges/"+id, nil).data()["state"])
		}, "accepted accepted", "pending accepted"},
		"unknown-filter-refused":        {listed("filter=color::red"), "200 2", "422 0"},
		"new-filter-syntax-ignored":     {listed("filter%5Brecipient_email_all%5D=a%40example.org"), "200 1", "200 2"},
		"analogous-filters-unknown":     {listed("filter=issued_at_max::2000-01-01"), "200 0", "200 2"},
		"recipient-email-filter-misses": {listed("filter=recipient_email::a%40example.org"), "200 1", "200 0"},
		"past-end-is-404":               {listed("page=9"), "200 0", "404 0"},
		"per-page-honoured":             {listed("per=1"), "200 2", "200 1"},
		"drop-filter-on-next": {func(c *client) string {
			c.many(51)
			a := c.do("GET", orgURL+"/badges?filter=state::pending&sort=created_at", nil)
			next := fmt.Sprint(a.body["metadata"].(map[string]any)["next_page_url"])
			return fmt.Sprint(strings.Contains(next, "filter="), strings.Contains(next, "sort="))
		}, "true true", "false false"},
		"hide-revoked-by-default": {func(c *client) string {
			c.revoked(c.issued("a@example.org", nil))
			must(c.t, c.Reject(c.issued("b@example.org", nil)))
			return count(c.found("")) + " " + count(c.found("state::revoked,rejected"))
		}, "2 2", "0 2"},
		"newest-first": {func(c *client) string {
			c.issued("a@example.org", nil)
			c.issued("b@example.org", nil)
			return c.found("")[0].(map[string]any)["recipient_email"].(string)
		}, "a@example.org", "b@example.org"},
		"nulls-last": {func(c *client) string {
			must(c.t, c.Accept(c.issued("a@example.org", nil)))
			c.issued("b@example.org", nil)
			return fmt.Sprint(c.do("GET", orgURL+"/badges?sort=-state_updated_at", nil).list()[0].(map[string]any)["state"])
		}, "pending", "accepted"},
		"high-volume-resets-format": {func(c *client) string {
			c.many(51)
			a := c.do("GET", orgURL+"/high_volume_issued_badge_search?badge_format=minimal", nil)
			return fmt.Sprint(strings.Contains(fmt.Sprint(a.body["metadata"]), "badge_format=minimal"))
		}, "true", "false"},
		"private-has-no-badge-url": {func(c *client) string {
			id := c.issued("a@example.org", nil)
			must(c.t, c.Accept(id))
			must(c.t, c.SetPublic(id, false))
			_, there := c.do("GET", orgURL+"/badges/"+id, nil).data()["badge_url"]
			return fmt.Sprint(there)
		}, "true", "false"},
		"deleted-is-410": {func(c *client) string {
			id := c.issued("a@example.org", nil)
			c.do("DELETE", orgURL+"/badges/"+id, nil)
			return c.do("GET", orgURL+"/badges/"+id, nil).status() + c.revoked(id).status() + c.do("GET", orgURL+"/badges/none", nil).status()
		}, "404404404", "410410404"},
	}
}

// many issues n badges in batches.
func (c *client) many(n int) {
	c.t.Helper()
	var badges []any
	for i := range n {
		badges = append(badges, order(fmt.Sprintf("p%d@example.org", i), nil))
	}
	if a := c.do("POST", orgURL+"/badges/batch", map[string]any{"badges": badges}); a.code != http.StatusCreated {
		c.t.Fatal(a.code, a.text)
	}
}

func probesOfIssuing() map[string]probe {
	one := func(more map[string]any) func(*client) string {
		return func(c *client) string { return c.post("a@example.org", more).status() }
	}
	// again issues twice, with something between, and gives the second status.
	again := func(email string, more map[string]any, between func(c *client, id string)) func(*client) string {
		return func(c *client) string {
			id := c.issued("a@example.org", nil)
			if between != nil {
				between(c, id)
			}
			return c.post(email, more).status()
		}
	}
	draftID := credly.DemoSeed().Templates[5].ID
	return map[string]probe{
		"duplicate-message": {func(c *client) string {
			c.issued("a@example.org", nil)
			return c.post("a@example.org", nil).message()
		}, "User already has this badge", "This earner already has this badge."},
		"duplicate-delay":          {again("a@example.org", nil, nil), "422", "201"},
		"duplicate-by-date":        {again("a@example.org", map[string]any{"issued_at": "2025-03-01 00:00:00 +0000"}, nil), "422", "201"},
		"rejected-may-repeat":      {again("a@example.org", nil, func(c *client, id string) { must(c.t, c.Reject(id)) }), "422", "201"},
		"revoked-still-duplicate":  {again("a@example.org", nil, func(c *client, id string) { c.revoked(id) }), "201", "422"},
		"case-sensitive-email":     {again("A@example.org", nil, nil), "422", "201"},
		"drafts-issue":             {one(map[string]any{"badge_template_id": draftID}), "422", "201"},
		"unusable-template-is-404": {one(map[string]any{"badge_template_id": draftID}), "422", "404"},
		"future-dates-refused":     {one(map[string]any{"issued_at": "2025-03-05 00:00:00 +0000"}), "201", "422"},
		"strict-times":             {one(map[string]any{"issued_at": "2025-03-01T00:00:00.000Z"}), "201", "422"},
		"unknown-fields-refused":   {one(map[string]any{"color": "red"}), "201", "422"},
		"any-evidence-type":        {one(map[string]any{"evidence": []any{map[string]any{"type": "VideoEvidence"}}}), "422", "201"},
		"auto-accept": {func(c *client) string {
			must(c.t, c.Seed(credly.Seed{Users: []credly.User{{Emails: []string{"a@example.org"}}}}))
			return fmt.Sprint(c.post("a@example.org", nil).data()["state"])
		}, "pending", "accepted"},
		"group-tag-ignored": {func(c *client) string {
			return fmt.Sprint(c.post("a@example.org", map[string]any{"group_tag": "cohort"}).data()["group_tag"])
		}, "cohort", "<nil>"},
		"no-field-errors": {func(c *client) string {
			return fmt.Sprint(c.post("nobody", nil).fields())
		}, "[recipient_email]", "[]"},
		"null-error-metadata": {func(c *client) string {
			return fmt.Sprint(c.post("nobody", nil).body["metadata"])
		}, "map[]", "<nil>"},
		"new-templates-active": {func(c *client) string {
			return fmt.Sprint(c.do("POST", orgURL+"/badge_templates", draft(nil)).data()["state"])
		}, "draft", "active"},
		"loose-images": {func(c *client) string {
			return c.do("POST", orgURL+"/badge_templates", draft(map[string]any{"image": picture(100)})).status()
		}, "422", "201"},
	}
}

func probesOfChanges() map[string]probe {
	batch := func(more map[string]any, badges ...any) func(*client) answered {
		return func(c *client) answered {
			body := map[string]any{"badges": badges}
			for k, v := range more {
				body[k] = v
			}
			return c.do("POST", orgURL+"/badges/batch", body)
		}
	}
	a, b, bad := order("a@example.org", nil), order("b@example.org", nil), order("nobody", nil)
	return map[string]probe{
		"batch-partial": {func(c *client) string {
			return batch(nil, a, bad, b)(c).status() + " " + count(c.found(""))
		}, "422 0", "422 2"},
		"batch-reversed": {func(c *client) string {
			return fmt.Sprint(batch(nil, a, b)(c).list()[0].(map[string]any)["recipient_email"])
		}, "a@example.org", "b@example.org"},
		"batch-cap": {func(c *client) string {
			var many []any
			for i := range 31 {
				many = append(many, order(fmt.Sprintf("p%d@example.org", i), nil))
			}
			return batch(nil, many...)(c).status()
		}, "201", "422"},
		"batch-shared-duplicate-behavior": {func(c *client) string {
			c.issued("a@example.org", nil)
			return batch(map[string]any{"duplicate_behavior": "allow"}, a)(c).status()
		}, "422", "201"},
		"revoke-twice-ok": {func(c *client) string {
			id := c.issued("a@example.org", nil)
			c.revoked(id)
			return c.revoked(id).status()
		}, "422", "200"},
		"revoke-answers-201": {func(c *client) string { return c.revoked(c.issued("a@example.org", nil)).status() }, "200", "201"},
		"rejected-refuses-revoke": {func(c *client) string {
			id := c.issued("a@example.org", nil)
			must(c.t, c.Reject(id))
			return c.revoked(id).status()
		}, "200", "422"},
		"replaced-may-be-revoked": {func(c *client) string {
			id := c.issued("a@example.org", nil)
			c.replaced(id)
			return c.revoked(id).status()
		}, "422", "200"},
		"revoked-may-be-replaced": {func(c *client) string {
			id := c.issued("a@example.org", nil)
			c.revoked(id)
			a := c.replaced(id)
			return fmt.Sprint(a.code, " ", a.data()["state"])
		}, "422 <nil>", "201 pending"},
		"replaced-state": {func(c *client) string {
			id := c.issued("a@example.org", nil)
			c.replaced(id)
			return fmt.Sprint(c.do("GET", orgURL+"/badges/"+id, nil).data()["state"])
		}, "pending", "replaced"},
		"already-replaced-is-409": {func(c *client) string {
			id := c.issued("a@example.org", nil)
			c.replaced(id)
			return c.replaced(id).status()
		}, "422", "409"},
		"replace-shows-one-url": {func(c *client) string {
			d := c.replaced(c.issued("a@example.org", nil)).data()
			return fmt.Sprint(d["accept_badge_url"] != nil, d["badge_url"] != nil)
		}, "true true", "true false"},
	}
}

// receiver takes webhooks: it answers with status and notes the events' ids.
type receiver struct {
	mu     sync.Mutex
	status int
	bodies []string
	*httptest.Server
}

func newReceiver(t *testing.T, c *client, status int) *receiver {
	r := &receiver{status: status}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		b := make([]byte, 4096)
		n, _ := q.Body.Read(b)
		r.bodies = append(r.bodies, string(b[:n]))
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	if a := c.do("PUT", orgURL, map[string]any{"webhook_url": r.URL}); a.code != http.StatusOK {
		t.Fatal(a.code, a.text)
	}
	return r
}

// got gives the notes and forgets them; further webhooks get status.
func (r *receiver) got(status int) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.bodies
	r.bodies, r.status = nil, status
	return out
}

func probesOfEvents() map[string]probe {
	return map[string]probe{
		"events-oldest-first": {func(c *client) string {
			must(c.t, c.Accept(c.issued("a@example.org", nil)))
			return fmt.Sprint(c.do("GET", orgURL+"/events", nil).list()[0].(map[string]any)["event_type"])
		}, "badge.state.changed", "badge.created"},
		"events-show-now": {func(c *client) string {
			must(c.t, c.Accept(c.issued("a@example.org", nil)))
			return fmt.Sprint(c.do("GET", orgURL+"/events", nil).list()[1].(map[string]any)["badge"].(map[string]any)["state"])
		}, "pending", "accepted"},
		"no-mail-events": {func(c *client) string {
			c.issued("a@example.org", map[string]any{"suppress_badge_notification_email": nil})
			return count(c.do("GET", orgURL+"/events", nil).list())
		}, "2", "1"},
		"webhook-any-2xx": {func(c *client) string {
			newReceiver(c.t, c, http.StatusNoContent)
			c.issued("a@example.org", nil)
			c.Deliver(c.t.Context())
			return fmt.Sprint(c.Deliveries()[0].Done)
		}, "false", "true"},
		"webhooks-twice": {func(c *client) string {
			r := newReceiver(c.t, c, http.StatusOK)
			c.issued("a@example.org", nil)
			c.Deliver(c.t.Context())
			return fmt.Sprint(len(r.got(0)))
		}, "1", "2"},
		"webhooks-reversed": {func(c *client) string {
			r := newReceiver(c.t, c, http.StatusInternalServerError)
			c.issued("a@example.org", nil)
			c.issued("b@example.org", nil)
			c.Deliver(c.t.Context())
			r.got(http.StatusOK)
			c.Advance(time.Hour)
			c.Deliver(c.t.Context())
			first := r.got(0)[0]
			return fmt.Sprint(strings.Contains(first, c.Events(credly.DemoOrg)[0].ID))
		}, "true", "false"},
		"webhook-pause": {func(c *client) string {
			newReceiver(c.t, c, http.StatusInternalServerError)
			c.issued("a@example.org", nil)
			c.Deliver(c.t.Context())
			return c.Deliveries()[0].NextAt.Sub(c.Now()).String()
		}, "1m0s", "10m0s"},
	}
}

func probesOfDocuments() map[string]probe {
	assertion := func(c *client, id string) answered { return c.do("GET", "/v1/obi/v2/badge_assertions/"+id, nil) }
	// hash says of which address the recipient's hash is.
	hash := func(c *client, of map[string]string) string {
		must(c.t, c.Seed(credly.Seed{Users: []credly.User{{Emails: []string{"primary@example.org", "Second@Example.org"}}}}))
		id := c.issued("Second@Example.org", nil)
		must(c.t, c.Accept(id))
		identity := assertion(c, id).body["recipient"].(map[string]any)["identity"]
		for address, name := range of {
			sum := sha256.Sum256([]byte(address))
			if identity == "sha256$"+hex.EncodeToString(sum[:]) {
				return name
			}
		}
		return "something else"
	}
	names := map[string]string{"primary@example.org": "primary", "second@example.org": "lower", "Second@Example.org": "typed"}
	return map[string]probe{
		"revoked-assertion-ok": {func(c *client) string {
			id := c.issued("a@example.org", nil)
			must(c.t, c.Accept(id))
			c.revoked(id)
			return assertion(c, id).status()
		}, "410", "200"},
		"unanswered-assertion-ok": {func(c *client) string { return assertion(c, c.issued("a@example.org", nil)).status() }, "404", "200"},
		"hash-as-typed":           {func(c *client) string { return hash(c, names) }, "lower", "typed"},
		"hash-primary-email":      {func(c *client) string { return hash(c, names) }, "lower", "primary"},
	}
}
