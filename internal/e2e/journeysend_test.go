package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"badgebridge/internal/testenv/smtpsink"
	"badgebridge/store"
)

// codeFor waits for the code that was mailed to somebody.
func codeFor(t *testing.T, mail *smtpsink.Sink, email string) string {
	t.Helper()
	code := ""
	Eventually(t, 30*time.Second, "a code for "+email+" arrives", func() error {
		for _, l := range mail.To(email) {
			code = codeInMail.FindString(l.Text)
		}
		if code == "" {
			return fmt.Errorf("no letter with a code")
		}
		return nil
	})
	return code
}

// sendsOn has the member send badges from the site's page to a backpack elsewhere:
// another gateway, where they have an account as people have at other backpacks.
func (j *journey) sendsOn(t *testing.T, entries []int64) {
	other := startStation(t, "127.0.0.1", j.otherPort, hostPort(j.Gateway.URL), fmt.Sprintf("127.0.0.1:%d", j.otherPort))
	other.setUp(t, NewBrowser(t, other.Gateway).At(other.base))
	host := hostPort(other.base)
	card := func(n int) string { return fmt.Sprintf("#badgebridge-%d ", entries[n]) }
	arrived := func(t *testing.T, want int) {
		t.Helper()
		Eventually(t, 30*time.Second, fmt.Sprintf("%d are there", want), func() error {
			list, err := other.db.Awards(t.Context(), store.AwardFilter{Origin: store.BackpackOrigin, PersonID: other.person(t, ada), Limit: 20})
			if err == nil && len(list) != want {
				err = fmt.Errorf("%d are there", len(list))
			}
			return err
		})
	}
	promise(t, "from the site's page to another backpack: consent at both, and nobody asks who they are but that backpack", func(t *testing.T) {
		v := j.there.of(t)
		v.open("/my-badges/")
		v.click(card(0) + `a[href*="/login/start/"]`)
		v.waits("#backpacks form")
		v.settled()
		j.looks(t, "send-badge")
		v.fill(map[string]string{"address": other.base})
		v.click("#backpacks form button")
		v.sees(false, "Connect "+host, "Open Practice & more", "is sent", "fingerprint of the e-mail address", "nobody else")
		j.looks(t, "send-consent")
		if list, err := j.DB.DepositsOfAward(t.Context(), j.awardOf(t, entries[0]).ID); err != nil || len(list) != 0 {
			t.Errorf("before the consent: %d deposits, %v", len(list), err)
		}
		v.press("Continue to " + host)
		v.waits("#email")
		v.fill(map[string]string{"email": ada})
		v.click(`form[action="/login/email"] button`)
		v.waits("#code")
		v.fill(map[string]string{"code": codeFor(t, other.mail, ada)})
		v.click(`form[action="/login/code"] button`)
		v.sees(false, "wants to send you badges")
		j.looks(t, "send-allow")
		v.press("Allow")
		v.sees(false, host+" is connected, and the badge is on its way there.")
		v.sees(true, "It is there.")
		if at, want := v.eval("location.origin+location.pathname"), j.Gateway.URL+"/badges/"+j.awardOf(t, entries[0]).ID; at != want {
			t.Errorf("the way ends at %s, not at %s", at, want)
		}
		j.looks(t, "send-there")
		arrived(t, 1)
	})
	promise(t, "the site says where the badge is, and the next one goes by one press there", func(t *testing.T) {
		v := j.there.of(t)
		v.open("/my-badges/")
		v.sees(false, host+": It is there.")
		if n := v.eval(`String(document.querySelectorAll('button[value="send"]').length)`); n != "0" {
			t.Errorf("%s buttons send what is there, or was not claimed", n)
		}
		v.click(card(1) + `button[value="claim"]`)
		v.sees(false, "The badge is claimed.")
		j.looksInThemes(t, "send-from-site", "/my-badges/")
		v.click(card(1) + `button[value="send"]`)
		v.sees(false, "The badge is on its way there.")
		if at := v.eval("location.origin"); at != j.proxy.URL {
			t.Errorf("it leads away to %s", at)
		}
		arrived(t, 2)
		Eventually(t, 30*time.Second, "both are there, says the site", func() error {
			v.open("/my-badges/")
			if n := strings.Count(v.text(), host+": It is there."); n != 2 {
				return fmt.Errorf("%d of them", n)
			}
			return nil
		})
		j.looksInThemes(t, "send-arrived", "/my-badges/")
	})
}

// awardOf is what the gateway has of a record of the site's.
func (j *journey) awardOf(t *testing.T, entry int64) store.Award {
	t.Helper()
	all, err := j.DB.AwardsFor(t.Context(), ada, 10)
	must(t, err)
	for _, a := range all {
		links, err := j.DB.LinksOf(t.Context(), a.ID)
		must(t, err)
		for _, l := range links {
			if l.Remote == j.SiteName && strings.Contains(string(l.Ref), fmt.Sprintf("/%d/", entry)) {
				return a
			}
		}
	}
	t.Fatalf("the gateway has no award of record %d", entry)
	return store.Award{}
}
