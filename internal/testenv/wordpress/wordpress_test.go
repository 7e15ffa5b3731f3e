//go:build unix

package wordpress

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestASiteStartsAndAwards(t *testing.T) {
	for _, version := range []string{V61, V65} {
		t.Run(version, func(t *testing.T) { startsAndAwards(t, version) })
	}
}

func startsAndAwards(t *testing.T, version string) {
	s := Start(t, Options{Version: version, NoPlugin: true})
	if got := s.PHP(t, `echo get_bloginfo( 'version' );`); !strings.HasPrefix(got, version+".") {
		t.Errorf("it is WordPress %s", got)
	}
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
	for _, theme := range []string{BlockTheme, ClassicTheme} {
		s.UseTheme(t, theme)
		if page := anonymous(t, s.BaseURL+"/"); !strings.Contains(page, "Demo Association") {
			t.Errorf("in %s the front page is\n%s", theme, page)
		}
	}
	s.SetClock(t, time.Hour)
	if off := s.number(t, `echo time();`) - time.Now().Unix(); off < 3590 || off > 3610 {
		t.Errorf("the clock is %d seconds off", off)
	}
	s.SetClock(t, 0)
	if rows := s.Query(t, "SELECT option_name, option_value FROM wp_options WHERE option_name = 'blogname'"); len(rows) != 1 || rows[0][1] != "Demo Association" {
		t.Errorf("rows %q", rows)
	}
}
