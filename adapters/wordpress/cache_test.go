package wordpress_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"badgebridge/adapters"
	"badgebridge/sandbox/site"
)

// Some edges keep every answer, whatever it says.
func TestAnEdgeThatKeepsEverythingHasNoAnswerForTheSite(t *testing.T) {
	s := newSite(t, nil)
	s.AddBadge(site.Badge{Title: "Mentor"})
	s.AddMember(site.Member{Email: "ada@example.org"})
	kept, hits := map[string]*httptest.ResponseRecorder{}, 0
	edge := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := kept[r.Method+r.URL.RequestURI()]
		if ok {
			hits++
		} else {
			answer = httptest.NewRecorder()
			s.ServeHTTP(answer, r)
			kept[r.Method+r.URL.RequestURI()] = answer
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
	a := newAdapter(t, serve(t, edge)+"/wp-json", http.DefaultClient, nil).(adapters.Source)
	before, err := a.List(t.Context(), "")
	must(t, err)
	if _, err = a.Changes(t.Context(), before.Next); err != nil {
		t.Fatal(err)
	}
	_, err = s.Award(1, 1, "")
	must(t, err)
	after, err := a.List(t.Context(), "")
	must(t, err)
	changes, err := a.Changes(t.Context(), "")
	must(t, err)
	if len(before.Records) != 0 || len(after.Records) != 1 || len(changes.Records) != 1 || hits != 0 {
		t.Errorf("%d awards, then %d, %d changes, %d answers of the edge", len(before.Records), len(after.Records), len(changes.Records), hits)
	}
}
