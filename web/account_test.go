package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/notices"
)

// person is the id of who has proven the address.
func (w *world) person(email string) string {
	w.t.Helper()
	id, err := w.db.Identifier(w.t.Context(), openbadges.IdentityEmail, email)
	must(w.t, err)
	return id.PersonID
}

// adds proves one more address.
func (b *browser) adds(email string) answer {
	b.w.t.Helper()
	if a := b.post("/me/address", "email", email); a.path != "/me/address" {
		b.w.t.Fatalf("add an address: %d at %s", a.status, a.path)
	}
	return b.post("/me/address/code", "code", b.w.code(email))
}

func TestOnlyWhomABadgeWasAwardedToSignsUpWhereTheOperatorSaysSo(t *testing.T) {
	w := newWorld(t)
	w.signUp = func(email string) bool { return email == ada }
	w.signIn(ada)
	b := w.browser()
	if a := b.post("/login/email", "email", bo, "return", "/"); a.path != "/login/code" {
		t.Fatalf("asking says who is known: %d at %s", a.status, a.path)
	}
	a := b.post("/login/code", "code", w.code(bo))
	if a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", a.status)
	}
	a.has(t, "here only those sign up whom a badge was awarded to")
	if _, err := w.db.Identifier(t.Context(), openbadges.IdentityEmail, bo); err == nil {
		t.Error("an account was made")
	}
}

func TestAPersonHasSeveralAddressesAndChoosesWhereLettersGo(t *testing.T) {
	o := newOutside(t)
	b := o.signIn(ada)
	b.get("/me").lacks(t, "/me/address/remove")
	if a := b.post("/me/address/remove", "email", ada); a.status != http.StatusUnprocessableEntity {
		t.Errorf("the last address went: %d", a.status)
	}
	// A badge to another address waits for its proof.
	b.post("/badges/add", "url", o.awards(1, "ada@work.example")).has(t, "you have not proven here")
	b.get("/").lacks(t, "Sailor")
	b.adds("ada@work.example").has(t, "ada@work.example", "Letters go here", "Send letters here")
	b.get("/").has(t, "Sailor")

	if a := b.post("/me/address/mail", "email", "somebody@example.org"); a.status != http.StatusNotFound {
		t.Errorf("letters to an address that is not theirs: %d", a.status)
	}
	b.post("/me/address/mail", "email", "ada@work.example").has(t, "Letters go to ada@work.example from now on.")
	if to, err := o.db.MailOf(t.Context(), o.person(ada)); err != nil || to != "ada@work.example" {
		t.Errorf("%s, %v", to, err)
	}
	b.post("/me/address/remove", "email", "ada@work.example").has(t, "is removed")
	b.get("/").has(t, "Sailor") // what is theirs stays
	if to, err := o.db.MailOf(t.Context(), o.person(ada)); err != nil || to != ada {
		t.Errorf("%s, %v", to, err)
	}
}

var mergeSwitch = regexp.MustCompile(`action="(/me/merge/[^"/]+)/switch"`)

func TestTwoAccountsBecomeOneWithTheProofOfBoth(t *testing.T) {
	o := newOutside(t)
	other := o.signIn(bo)
	if a := other.post("/badges/add", "url", o.awards(1, bo)); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	b := o.signIn(ada)
	o.now.add(time.Minute)
	page := b.adds(bo)
	page.has(t, "belongs to another account")
	page.lacks(t, "1 badge") // nothing of the other account before it is proven
	m := mergeSwitch.FindStringSubmatch(page.body)
	if m == nil {
		t.Fatalf("no offer:\n%s", page.body)
	}
	offer := m[1]
	if a := b.post(offer); a.status != http.StatusBadRequest {
		t.Errorf("merged without a sign-in to the other one: %d", a.status)
	}
	if a := other.post(offer); a.status != http.StatusBadRequest {
		t.Errorf("merged with a sign-in from before the offer: %d", a.status)
	}
	if a := o.signIn("eve@example.org").get(offer); a.status != http.StatusBadRequest {
		t.Errorf("somebody else sees the offer: %d", a.status)
	}
	if a := b.post(offer + "/switch"); !strings.HasPrefix(a.path, "/login") {
		t.Fatalf("at %s", a.path)
	}
	b.post("/login/email", "email", bo, "return", offer)
	a := b.post("/login/code", "code", o.code(bo))
	a.has(t, ada, bo, "1 badge", "Make one account of them")
	a = b.post(offer)
	a.has(t, "Both accounts are one now.", ada, bo)
	b.get("/").has(t, "Sailor")
	if o.person(ada) != o.person(bo) {
		t.Error("two persons still")
	}
	other.get("/").has(t, "Sailor") // the other one's session goes on, too
	if a := b.post(offer); a.status != http.StatusBadRequest {
		t.Errorf("the offer is good twice: %d", a.status)
	}
	// Brought again it is the badge that is there.
	b.post("/badges/add", "url", college+"/a/1")
	if n, err := o.db.CountAwards(t.Context(), store.AwardFilter{PersonID: o.person(ada), Origin: store.BackpackOrigin}); err != nil || n != 1 {
		t.Errorf("%d badges, %v", n, err)
	}
}

var stopInMail = regexp.MustCompile(`/letters/stop/\S+`)

func TestLettersAreStoppedWithOneClickAndNotByALook(t *testing.T) {
	w := newWorld(t)
	w.connect()
	award := func(badge int) {
		_, err := w.site.Award(w.site.Badges()[badge].ID, w.site.Members()[0].ID, "a course")
		must(t, err)
	}
	award(1)
	w.pull()
	w.browser().get("/verify") // the jobs run after a request
	letter := func() (text, header string, n int) {
		for _, l := range w.mailbox.Letters() {
			if l.To == ada && strings.Contains(l.Subject, "has a badge for you") {
				text, header, n = l.Text, l.Headers["List-Unsubscribe"], n+1
				if l.Headers["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click" || !strings.Contains(l.HTML, "No more letters") {
					t.Errorf("%v\n%s", l.Headers, l.HTML)
				}
			}
		}
		return text, header, n
	}
	text, header, before := letter()
	link := stopInMail.FindString(text)
	if link == "" || !strings.Contains(header, link) {
		t.Fatalf("%d letters, %q\n%s", before, header, text)
	}
	w.browser().get(link).has(t, "No more letters?")
	if a := w.browser().get(link + "x"); a.status != http.StatusNotFound {
		t.Errorf("a token that is none: %d", a.status)
	}
	// The mail program's own click: no cookie, from elsewhere.
	if a := w.browser().do(http.MethodPost, link, map[string][]string{"List-Unsubscribe": {"One-Click"}}, "Sec-Fetch-Site", "cross-site", "Origin", "https://mail.example"); a.status != http.StatusOK {
		t.Errorf("one click: %d", a.status)
	}
	award(4)
	w.pull()
	w.browser().get("/verify")
	if _, _, n := letter(); n != before {
		t.Errorf("%d letters after the stop", n-before)
	}
	b := w.signIn(ada)
	b.post("/me/letters", "kind", "offered", "kind", "revoked").has(t, `value="offered" checked`, `value="expiring" >`, `value="revoked" checked`)
}

func TestPeopleAreToldOnceBeforeABadgeEndsAndWhenItIsTakenBack(t *testing.T) {
	o := newOutside(t)
	b := o.signIn(ada)
	o.awards(1, ada)
	doc := o.web[college+"/a/1"]
	ends := o.now.Now().Add(40 * 24 * time.Hour)
	doc.Body = []byte(strings.Replace(string(doc.Body), `"issuedOn"`, `"expires":"`+ends.Format(time.RFC3339)+`","issuedOn"`, 1))
	o.web[college+"/a/1"] = doc
	b.post("/badges/add", "url", college+"/a/1")
	told := func() (subjects []string) {
		for range 2 { // a second look, and a second replica's, tell nothing more
			_, err := notices.Ending(t.Context(), o.db, o.now.Now())
			must(t, err)
			b.get("/verify")
		}
		for _, l := range o.mailbox.Letters() {
			if strings.HasPrefix(l.Subject, "Sailor") {
				subjects = append([]string{l.Subject}, subjects...)
			}
		}
		return subjects
	}
	want := []string{}
	for _, step := range []struct {
		days int
		says string
	}{{5, ""}, {6, "Sailor ends in 29 days"}, {10, ""}, {13, "Sailor ends in 6 days"}, {7, "Sailor has expired"}, {3, ""}} {
		o.now.add(time.Duration(step.days) * 24 * time.Hour)
		b = o.signIn(ada) // the session has ended meanwhile
		if step.says != "" {
			want = append(want, step.says)
		}
		if got := told(); strings.Join(got, "|") != strings.Join(want, "|") {
			t.Fatalf("after %d days more: %q, want %q", step.days, got, want)
		}
	}
	page := b.get("/")
	page.has(t, "expired on", "Put away")
	m := regexp.MustCompile(`/me/notices/[a-z2-7]+/seen`).FindAllString(page.body, -1)
	for _, path := range m {
		b.post(path)
	}
	b.get("/").lacks(t, "Put away")

	o.web[college+"/a/2"] = o.web[o.awards(2, ada)]
	b.post("/badges/add", "url", college+"/a/2")
	list, err := o.db.AwardsOf(t.Context(), o.person(ada), 10)
	must(t, err)
	gone := o.web[college+"/a/2"]
	gone.Status, gone.Body = 410, []byte(`{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"`+college+`/a/2","revoked":true,"revocationReason":"by mistake"}`)
	o.web[college+"/a/2"] = gone
	for _, a := range list {
		docs, err := o.db.CollectedOf(t.Context(), a.ID)
		must(t, err)
		for range 2 {
			_, _, err = o.cfg.Backpack.Recheck(t.Context(), docs[0].ID)
			must(t, err)
		}
	}
	b.get("/").has(t, "Sailor")
	b.get("/").has(t, "was taken back by its issuer")
	n := 0
	for _, l := range o.mailbox.Letters() {
		if l.Subject == "Sailor was taken back" {
			n++
			if !strings.Contains(l.Text, "by mistake") || l.Headers["List-Unsubscribe"] == "" {
				t.Errorf("%v\n%s", l.Headers, l.Text)
			}
		}
	}
	if n != 1 {
		t.Errorf("%d letters about the revocation", n)
	}
}
