package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	simcredly "badgebridge/sandbox/credly"
	"badgebridge/store"
)

// mapMentor makes a mapping without the pages and returns its id.
func mapMentor(t *testing.T, w *world) string {
	t.Helper()
	m, err := w.engine.PutMapping(t.Context(), store.Mapping{ClassA: w.class(w.siteName(), "Mentor").ID, ClassB: w.class("credly", "Mentor").ID})
	must(t, err)
	return m.ID
}

func TestAMappingIsChosenShownDryAndThenSaved(t *testing.T) {
	w := newWorld(t)
	g := w.connect()
	a, b := w.class(w.siteName(), "Mentor"), w.class("credly", "Mentor")
	g.get("/admin/mappings/new").has(t, "Conference Speaker", `value="`+a.ID+`"`, `value="`+b.ID+`"`)
	g.get("/admin/mappings/new?a="+a.ID+"&b="+b.ID).has(t, "When the member claims", "A revocation at")

	policy := []string{"a", a.ID, "b", b.ID, "a_to_b", "on-claim", "b_to_a", "never", "revoke_ab", "yes"}
	dry := g.post("/admin/mappings/preview", policy...)
	if dry.status != http.StatusOK {
		t.Fatalf("%d\n%s", dry.status, dry.body)
	}
	dry.has(t, "Nothing would be sent now", "One award waits for its member to claim it", "Ada Example", "Save this mapping")
	if list, err := w.db.Mappings(t.Context()); err != nil || len(list) != 0 {
		t.Fatalf("the dry run saved %d mappings, %v", len(list), err)
	}
	if n, err := w.db.CountPushes(t.Context()); err != nil || len(n) != 0 {
		t.Fatalf("the dry run made pushes %v, %v", n, err)
	}

	saved := g.post("/admin/mappings", policy...)
	if !strings.HasPrefix(saved.path, "/admin/mappings/") || saved.status != http.StatusOK {
		t.Fatalf("%d at %s", saved.status, saved.path)
	}
	list, err := w.db.Mappings(t.Context())
	must(t, err)
	if len(list) != 1 || list[0].AToB != store.OnClaim || list[0].BToA != store.Never || !list[0].RevokeAB || list[0].RevokeBA || list[0].CreatedBy == "" {
		t.Fatalf("%+v", list)
	}
	if got := g.post("/admin/mappings", policy...); got.status != http.StatusConflict {
		t.Errorf("the same pair again: %d", got.status)
	}

	// An admin who looked at an older version does not overwrite a newer one.
	id := list[0].ID
	change := append(policy, "id", id, "version", "1", "a_to_b", "at-once")
	form := url.Values{}
	for i := 0; i < len(change); i += 2 {
		form.Set(change[i], change[i+1])
	}
	g.post("/admin/mappings/" + id + "/pause")
	if got := g.do(http.MethodPost, "/admin/mappings", form); got.status != http.StatusConflict {
		t.Errorf("an older version: %d", got.status)
	}
	g.get("/admin/mappings/"+id).has(t, "paused", "Resume this mapping")
	g.post("/admin/mappings/" + id + "/resume")
	if got := g.post("/admin/mappings/" + id + "/delete"); got.status != http.StatusBadRequest {
		t.Errorf("deleted without a yes: %d", got.status)
	}
	if got := g.post("/admin/mappings/"+id+"/delete", "sure", "yes"); got.path != "/admin/mappings" {
		t.Errorf("delete: %d at %s", got.status, got.path)
	}
}

func TestAWrongCredlyTokenSaysWhatToDoAndStoresNothing(t *testing.T) {
	w := newWorld(t)
	g := w.signIn(admin)
	got := g.post("/admin/connect/credly", "where", "custom", "organization", simcredly.DemoOrg, "token", "not-the-token-at-all")
	if got.status != http.StatusUnprocessableEntity {
		t.Fatalf("%d at %s\n%s", got.status, got.path, got.body)
	}
	got.has(t, "Credly refused the token", simcredly.DemoOrg)
	got.lacks(t, "not-the-token-at-all")
	if list, err := w.db.Remotes(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%d remotes, %v", len(list), err)
	}
	if strings.Contains(w.log.String(), "not-the-token-at-all") {
		t.Error("the token is in the log")
	}
}

func TestAPairingCodeIsGoodOnceAndForFifteenMinutes(t *testing.T) {
	w := newWorld(t)
	g := w.signIn(admin)
	g.post("/admin/connect/wordpress")
	code := w.pairCode(g)
	if err := w.site.Pair(t.Context(), w.server.URL, "AAAA-AAAA-AAAA"); err == nil {
		t.Error("a made-up code pairs")
	}
	must(t, w.site.Pair(t.Context(), w.server.URL, strings.ToLower(code)))
	if err := w.site.Pair(t.Context(), w.server.URL, code); err == nil {
		t.Error("a used code pairs again")
	}
	w.pull() // the key works, in both directions
	r, err := w.db.Remote(t.Context(), w.siteName())
	must(t, err)
	if r.Declared || r.Identity == "" || r.Kind != "wordpress" || strings.Contains(string(r.Config), w.siteURL) {
		t.Errorf("%+v", r)
	}

	g.post("/admin/connect/wordpress")
	late := w.pairCode(g)
	w.now.add(15*time.Minute + time.Second)
	if err := w.site.Pair(t.Context(), w.server.URL, late); err == nil {
		t.Error("a code of 15 minutes ago pairs")
	}
	if strings.Contains(w.log.String(), code) {
		t.Error("the code is in the log")
	}
}

func TestASiteThatIsPairedAgainKeepsItsRemote(t *testing.T) {
	w := newWorld(t)
	g := w.connect()
	before := w.siteName()
	g.post("/admin/connect/wordpress")
	must(t, w.site.Pair(t.Context(), w.server.URL, w.pairCode(g)))
	w.pull()
	list, err := w.db.Remotes(t.Context())
	must(t, err)
	if len(list) != 2 || w.siteName() != before {
		t.Errorf("%d remotes, the site is %s and was %s", len(list), w.siteName(), before)
	}
}

func TestAWebhookIsTakenAtOnceAndAWrongOneIsNot(t *testing.T) {
	w := newWorld(t)
	w.connect()
	w.site.TestWebhook()
	w.site.RetryWebhooks(t.Context())
	if n := w.site.Pending(); n != 0 {
		t.Errorf("%d webhooks were not taken", n)
	}
	b := w.browser()
	got := b.do(http.MethodPost, "/webhooks/"+string(w.siteName())+"/wrong", url.Values{}, "Sec-Fetch-Site", "cross-site")
	if got.status != http.StatusNotFound {
		t.Errorf("a wrong secret: %d %s", got.status, got.body)
	}
}

func TestAPushIsToldAsAStoryInTheRemotesOwnWords(t *testing.T) {
	w := newWorld(t)
	g := w.connect()
	m := w.class("credly", "Mentor")
	_, err := w.engine.PutMapping(t.Context(), store.Mapping{ClassA: w.class(w.siteName(), "Mentor").ID, ClassB: m.ID, AToB: store.OnClaim})
	must(t, err)
	a := w.awardOf(ada, "Mentor")
	b := w.signIn(ada)
	b.get("/badges/"+a.ID).has(t, "Claim")
	must(t, w.credly.SetTemplateState(string(m.Ref), "archived"))
	b.post("/badges/" + a.ID + "/claim")
	w.send()
	pushes, err := w.db.PushesOf(t.Context(), a.ID)
	must(t, err)
	if len(pushes) != 1 || pushes[0].State != store.PushRejected {
		t.Fatalf("%+v", pushes)
	}
	b.get("/badges/"+a.ID).has(t, "The association is looking into it")
	page := g.get("/admin/pushes/" + pushes[0].ID)
	page.has(t, "Mentor for Ada Example", "Claimed by Ada Example", "refused it", `<blockquote dir="auto">`, "Next: waits for you", "Send again", "Where it lives")
	g.get("/admin").has(t, "One push was refused")
	g.get("/admin/pushes?state=rejected").has(t, "Mentor")
	g.get("/admin/pushes?state=done").has(t, "No pushes here")

	must(t, w.credly.SetTemplateState(string(m.Ref), "active"))
	g.post("/admin/pushes/"+pushes[0].ID+"/again").has(t, "back in the queue")
	w.send()
	g.get("/admin/pushes/"+pushes[0].ID).has(t, "Done at")
	if got := g.post("/admin/pushes/" + pushes[0].ID + "/cancel"); got.status != http.StatusConflict {
		t.Errorf("cancel what is done: %d", got.status)
	}
}

func TestAMissingNameIsAskedForOnTheBadgeAndByMail(t *testing.T) {
	w := newWorld(t)
	w.connect()
	mapOpenPractice(t, w)
	a := w.awardOf(bo, "Open Practice")
	b := w.signIn(bo)
	page := b.post("/badges/" + a.ID + "/claim")
	page.has(t, "needs your name", "Waits for your name", `name="given"`)
	letter := w.mailbox.Letters()[0]
	if letter.To != bo || !strings.Contains(letter.Subject, "waits for your name") || !strings.Contains(letter.Text, w.server.URL+"/badges/"+a.ID) {
		t.Errorf("%+v", letter)
	}
	if got := b.post("/badges/"+a.ID+"/name", "given", "Bo", "family", " "); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "both names") {
		t.Errorf("half a name: %d", got.status)
	}
	b.post("/badges/"+a.ID+"/name", "given", "Bo", "family", "Lind").has(t, "on its way")
	w.send()
	b.get("/badges/"+a.ID).has(t, "Credly")
	pushes, err := w.db.PushesOf(t.Context(), a.ID)
	must(t, err)
	if pushes[0].State != store.PushDone {
		t.Errorf("%+v", pushes[0])
	}
}

// mapOpenPractice maps Open Practice to a template at Credly, on claim.
func mapOpenPractice(t *testing.T, w *world) {
	t.Helper()
	_, err := w.engine.PutMapping(t.Context(), store.Mapping{
		ClassA: w.class(w.siteName(), "Open Practice").ID, ClassB: w.class("credly", "Mentor").ID, AToB: store.OnClaim,
	})
	must(t, err)
}

func TestAnOfferGoesByMailWithALinkToClaimIt(t *testing.T) {
	w := newWorld(t)
	w.connect()
	entry, err := w.site.Award(w.site.Badges()[0].ID, w.site.Members()[0].ID, "a course")
	must(t, err)
	_ = entry
	w.browser().get("/healthz") // what was asked for before is done
	w.pull()
	w.browser().get("/healthz")
	found := false
	for _, l := range w.mailbox.Letters() {
		if strings.Contains(l.Subject, "has a badge for you") {
			found = true
			if !strings.Contains(l.Text, w.server.URL+"/badges/") || l.HTML == "" {
				t.Errorf("%+v", l)
			}
		}
	}
	if !found {
		t.Errorf("no offer among %d letters", len(w.mailbox.Letters()))
	}
}

func TestARemoteIsPausedAndResumedAndItsRunsAreShown(t *testing.T) {
	w := newWorld(t)
	g := w.connect()
	g.post("/admin/remotes/credly/pause").has(t, "paused", "Paused by "+admin, "Resume")
	g.post("/admin/remotes/credly/resume").has(t, "works")
	g.post("/admin/remotes/credly/check").has(t, "The remote answered")
	g.post("/admin/remotes/credly/sync").has(t, "in a moment")
	runs, err := w.db.Runs(t.Context(), "credly", 1)
	must(t, err)
	g.get("/admin/runs/"+runs[0].ID).has(t, " of Credly", "done")
	runs[0].State, runs[0].Seen = store.RunGoing, 7
	must(t, w.db.PutRun(t.Context(), runs[0]))
	g.get("/admin/runs/"+runs[0].ID).has(t, `http-equiv="refresh"`, "7 records read", "<progress")
	if got := g.post("/admin/remotes/credly/remove"); got.status != http.StatusBadRequest {
		t.Errorf("removed without a yes: %d", got.status)
	}
	if got := g.post("/admin/remotes/nowhere/sync"); got.status != http.StatusNotFound {
		t.Errorf("an unknown remote: %d", got.status)
	}
}
