package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	simcredly "badgebridge/sandbox/credly"
	"badgebridge/store"
	"badgebridge/sync/outbox"
)

// doubtful has the issue of Ada's badge fail at Credly in a way, and every search
// for it, until an admin has to decide.
func doubtful(t *testing.T, w *world, g *browser, way string) store.Push {
	t.Helper()
	m := w.class("credly", "Mentor")
	_, err := w.engine.PutMapping(t.Context(), store.Mapping{ClassA: w.class(w.siteName(), "Mentor").ID, ClassB: m.ID, AToB: store.OnClaim})
	must(t, err)
	a := w.awardOf(ada, "Mentor")
	const issuing = "/v1/organizations/*/badges"
	w.credly.Inject(simcredly.Fault{Kind: way, Method: http.MethodPost, Path: issuing, Count: 1})
	w.signIn(ada).post("/badges/" + a.ID + "/claim")
	w.send()
	w.credly.Inject(simcredly.Fault{Kind: simcredly.FaultServerError, Method: http.MethodGet, Path: issuing})
	for range outbox.MaxAttempts {
		w.now.add(time.Hour)
		w.send()
	}
	w.credly.ClearFaults()
	pushes, err := w.db.PushesOf(t.Context(), a.ID)
	must(t, err)
	if len(pushes) != 1 || pushes[0].State != store.PushHeld || pushes[0].Reason != outbox.Doubt {
		t.Fatalf("%+v", pushes)
	}
	return pushes[0]
}

func issuedTo(w *world, email string) (out []simcredly.Badge) {
	for _, b := range w.credly.Badges() {
		if strings.EqualFold(b.Email, email) {
			out = append(out, b)
		}
	}
	return out
}

func TestAnAdminDecidesWhatCredlyCannotTellAndItIsKeptWhoDid(t *testing.T) {
	t.Run("it is there", func(t *testing.T) {
		w := newWorld(t)
		g := w.connect()
		p := doubtful(t, w, g, simcredly.FaultDropAfter)
		at := "/admin/pushes/" + p.ID
		g.get(at).has(t, "Is it at Credly?", "It is there", "Link it", "It is not there", "Send it", "Ask again", "Cancel this push")
		look := w.inspector(t, "admin")
		look.as(g)
		look.look("push-doubt", at)
		made := issuedTo(w, ada)
		if len(made) != 1 {
			t.Fatalf("%d badges", len(made))
		}
		for typed, words := range map[string]string{
			"my <b>badge": "That names no badge", "00000000-0000-4000-8000-0000000000ff": "There is no such badge",
		} {
			a := g.post(at+"/link", "record", typed)
			if a.status != http.StatusUnprocessableEntity {
				t.Errorf("%q answers %d", typed, a.status)
			}
			a.has(t, words, `aria-invalid="true"`)
			a.lacks(t, "<b>badge")
		}
		page := g.post(at+"/link", "record", "https://www.credly.com/badges/"+made[0].ID+"/public_url")
		page.has(t, "The badge is linked. Nothing was sent.", "Decided: it is at Credly", "By g…@example.org", made[0].ID)
		page.lacks(t, "Link it", "Send it")
		if n := len(issuedTo(w, ada)); n != 1 {
			t.Errorf("%d badges", n)
		}
	})
	t.Run("it is not there", func(t *testing.T) {
		w := newWorld(t)
		g := w.connect()
		p := doubtful(t, w, g, simcredly.FaultDropBefore)
		at := "/admin/pushes/" + p.ID
		if a := w.signIn(ada).do(http.MethodPost, at+"/absent", nil); a.status != http.StatusNotFound && a.status != http.StatusForbidden {
			t.Errorf("a member decides: %d", a.status)
		}
		if a := g.do(http.MethodPost, at+"/absent", nil, "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden {
			t.Errorf("another site's page decides: %d", a.status)
		}
		g.post(at+"/absent").has(t, "It is looked for once more, then sent.", "Decided: it is not at Credly", "By g…@example.org")
		if a := g.do(http.MethodPost, at+"/absent", nil); a.status != http.StatusConflict {
			t.Errorf("decided twice: %d", a.status)
		}
		w.send()
		g.get(at).has(t, "Done at Credly")
		if n := len(issuedTo(w, ada)); n != 1 {
			t.Errorf("%d badges", n)
		}
	})
}
