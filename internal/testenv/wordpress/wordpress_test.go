//go:build unix

package wordpress

import (
	"net/http"
	"testing"
)

func TestASiteStartsAndAwards(t *testing.T) {
	s := Start(t, Options{NoPlugin: true})
	resp, err := http.Get(s.BaseURL + "/wp-login.php")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the sign-in page answers %d", resp.StatusCode)
	}
	badge := s.CreateBadge(t, `Star & Co "Helper"`)
	user := s.CreateUser(t, "walker", "walker@example.org", "Wanda", "Walker")
	entry := s.Award(t, badge, user)
	rows := s.Awards(t)
	if len(rows) != 1 || rows[0].EntryID != entry || rows[0].Badge != badge || rows[0].User != user {
		t.Fatalf("rows: %+v", rows)
	}
	if rows[0].Title != "Star &#038; Co &#8220;Helper&#8221;" {
		t.Errorf("title %q", rows[0].Title)
	}
	backup := s.Snapshot(t)
	s.Revoke(t, entry)
	if rows := s.Awards(t); len(rows) != 0 {
		t.Errorf("after revoking: %+v", rows)
	}
	s.Restore(t, backup)
	if rows := s.Awards(t); len(rows) != 1 {
		t.Errorf("after the restore: %+v", rows)
	}
}
