//go:build unix

package wordpress

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each door is tried open first, so that a closed one means something.
func TestEachDoorThatBadgeOSLeavesOpenIsClosedAndHasASwitch(t *testing.T) {
	onEach(t, func(t *testing.T, s *Site) {
		gateway := newStub(t)
		if err := s.Pair(t, gateway.URL, "ONE-TIME"); err != nil {
			t.Fatal(err)
		}
		badge := s.CreateBadge(t, "Kept")
		s.PHP(t, fmt.Sprintf(`update_post_meta( %d, '_open_badge_enable_baking', 'true' );`, badge))
		user := s.CreateUser(t, "keeper", "keeper@example.org", "Keep", "Er")
		s.CreateUser(t, "nobody", "nobody@example.org", "No", "Body")
		admin := signIn(t, s, s.AdminUser, s.AdminPassword)
		member := signIn(t, s, "nobody", "demo-pass")
		visitor := browser{http.DefaultClient, s.BaseURL}
		bulk := func(entry int64) url.Values {
			return url.Values{"action": {"delete_badgeos_bulk_achievements"}, "user_id": {fmt.Sprint(user)}, "achievements[]": {fmt.Sprintf("%d_0_%d", badge, entry)}}
		}
		there := func(entry int64) bool {
			return s.PHP(t, fmt.Sprintf(`echo count( badgebridge()->provider()->awards_by_id( array( %d ) ) );`, entry)) == "1"
		}

		// Each says whether the attack did what it wanted.
		for door, attack := range map[string]func() bool{
			"user-list": func() bool { return strings.Contains(anonymous(t, s.RestURL+"/badgeos/user-lists"), "keeper") },
			"award-query": func() bool {
				return !strings.Contains(anonymous(t, s.RestURL+"/badgeos/block-achievements-award-list/1/1?q=x"), "rest_forbidden")
			},
			"bulk-revoke": func() bool {
				entry := s.Award(t, badge, user)
				member.post(t, "/wp-admin/admin-ajax.php", bulk(entry))
				gone := !there(entry)
				// Or an administrator's browser, sent by another site's page.
				entry = s.Award(t, badge, user)
				req, err := http.NewRequest("POST", s.BaseURL+"/wp-admin/admin-ajax.php", strings.NewReader(bulk(entry).Encode()))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				req.Header.Set("Origin", "https://evil.example.org")
				send(t, admin.client, req)
				if sent := !there(entry); sent != gone {
					t.Errorf("by a member: %t, from another site: %t", gone, sent)
				}
				return gone
			},
			"rebake": func() bool {
				entry := s.AwardSilently(t, badge, user)
				return strings.Contains(visitor.post(t, "/wp-admin/admin-ajax.php", url.Values{"action": {"bos_ob_convert_to_open_badge"}, "entry_id": {fmt.Sprint(entry)}}), "success")
			},
			"pictures": func() bool {
				entry := s.Award(t, badge, user)
				picture := filepath.Join(s.dir, "site/wp-content/uploads/user_badges", fmt.Sprint(user), fmt.Sprintf("Badge-%d-%d.png", entry, badge))
				s.PHP(t, fmt.Sprintf(`global $wpdb; wp_mkdir_p( dirname( %[1]s ) ); file_put_contents( %[1]s, 'baked' );
					$wpdb->update( $wpdb->prefix . 'badgeos_achievements', array( 'image' => basename( %[1]s ) ), array( 'entry_id' => %[2]d ) );`, quote(picture), entry))
				s.Revoke(t, entry)
				_, err := os.Stat(picture)
				return err == nil
			},
		} {
			t.Run(door, func(t *testing.T) {
				if attack() {
					t.Error("it is open")
				}
				file := s.dir + "/site/wp-content/mu-plugins/open.php"
				mu := fmt.Sprintf(`<?php add_filter( 'badgebridge_close_doors', function ( $close, $door ) { return %s !== $door && $close; }, 10, 2 );`, quote(door))
				if err := os.WriteFile(file, []byte(mu), 0o644); err != nil {
					t.Fatal(err)
				}
				defer os.Remove(file)
				if !attack() {
					t.Error("with the switch it is still closed, or the attack does nothing")
				}
				page := admin.get(t, "/wp-admin/options-general.php?page=badgebridge&self-test=1")
				if !strings.Contains(page, "leaves “"+door+"” open") || strings.Count(page, "badgebridge_close_doors") != 1 {
					t.Error("the self-test does not name this one alone")
				}
			})
		}
		if page := admin.get(t, "/wp-admin/options-general.php?page=badgebridge&self-test=1"); strings.Contains(page, "badgebridge_close_doors") {
			t.Error("with all closed the self-test names one")
		}
	})
}
