package e2e

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"badgebridge/internal/testenv/wordpress"
	"badgebridge/store"
)

// path is one way in which an award can end at a site, and where it ends here.
type path struct {
	name string
	do   func(t *testing.T, p pathOf)
	list bool // only a full listing tells
	want func(a store.Award) bool
}

// pathOf is what a path is done to.
type pathOf struct {
	site               *wordpressSite
	badge, user, entry int64
	email, award       string
}

func revokedHere(a store.Award) bool { return a.Revoked }

func flagged(flag string) func(store.Award) bool {
	return func(a store.Award) bool { return !a.Revoked && a.Flag == flag && a.Recipient.Identity != "" }
}

// untouched holds for an award that nothing has happened to.
func untouched(a store.Award) bool { return !a.Revoked && a.Flag == "" && a.Recipient.Identity != "" }

func php(code string) func(*testing.T, pathOf) {
	return func(t *testing.T, p pathOf) {
		t.Helper()
		p.site.PHP(t, strings.NewReplacer("USER", fmt.Sprint(p.user), "BADGE", fmt.Sprint(p.badge), "ENTRY", fmt.Sprint(p.entry)).Replace(code))
	}
}

const (
	// Else BadgeOS dies on saving where it can't fetch a default picture.
	noPicture = `remove_action( 'save_post', 'badgeos_achievement_set_default_thumbnail' ); `
	trash     = noPicture + `wp_trash_post( BADGE );`
)

var (
	userDeleted  = path{name: "the user was deleted", do: php(`wp_delete_user( USER );`), want: flagged("member-deleted")}
	badgeDeleted = path{name: "the badge was deleted", do: php(`wp_delete_post( BADGE, true );`), want: flagged("badge-deleted")}
	badgeTrashed = path{name: "the badge was put into the trash", do: php(trash), want: flagged("badge-deleted")}
	badgeBack    = path{
		name: "the badge came back out of the trash", want: untouched, list: true,
		do: func(t *testing.T, p pathOf) {
			php(trash)(t, p)
			php(noPicture+`wp_untrash_post( BADGE ); wp_update_post( array( 'ID' => BADGE, 'post_status' => 'publish' ) );`)(t, p)
		},
	}
	rowGone = path{
		name: "the row went without a word", list: true, want: flagged("origin-absent"),
		do: func(t *testing.T, p pathOf) { p.site.DeleteRowsSilently(t, p.entry) },
	}
	erasedPath = path{
		name: "the member's data was erased on request",
		do: func(t *testing.T, p pathOf) {
			told := p.site.Export(t, p.email)
			said := strings.Join(p.site.Erase(t, p.email), "\n")
			if !strings.Contains(told, "the member's data was erased") {
				t.Errorf("the export before it is %s", told)
			}
			if !strings.Contains(said, "1 award") || !strings.Contains(said, "The gateway erases the name and the address") {
				t.Errorf("the eraser says %q", said)
			}
			if told := p.site.Export(t, p.email); strings.Contains(told, "https://") {
				t.Errorf("the export after it is %s", told)
			}
		},
		want: func(a store.Award) bool {
			return !a.Revoked && a.Flag == "erased" && a.Recipient.Identity == "" && a.Recipient.GivenName == ""
		},
	}
	badgeOSPaths = []path{
		{
			name: "a person revoked it on the profile page or by the bulk tool", want: revokedHere,
			do: func(t *testing.T, p pathOf) {
				admin := p.site.SignIn(t, p.site.AdminUser, p.site.AdminPassword)
				resp, err := admin.PostForm(p.site.BaseURL+"/wp-admin/admin-ajax.php", url.Values{"action": {"delete_badgeos_bulk_achievements"},
					"user_id": {fmt.Sprint(p.user)}, "achievements[]": {fmt.Sprintf("%d_0_%d", p.badge, p.entry)}})
				must(t, err)
				resp.Body.Close()
			},
		},
		{
			name: "points were lost", want: flagged("points-lost"),
			do: php(`global $wpdb;
				do_action( 'badgeos_before_revoke_achievement_from_point_deduct', 'USER', BADGE, 'ENTRY' );
				$wpdb->delete( $wpdb->prefix . 'badgeos_achievements', array( 'entry_id' => ENTRY ) );
				do_action( 'badgeos_after_revoke_achievement_from_point_deduct', 'USER', BADGE, 'ENTRY' );`),
		},
		{name: "a person revoked it by the tool, or another plugin by its hooks", want: revokedHere, do: func(t *testing.T, p pathOf) { p.site.Site.Revoke(t, p.entry) }},
		{
			// It fires its hook, and leaves the row.
			name: "BadgeOS's own function claimed to revoke it", want: untouched, list: true,
			do: php(`badgeos_revoke_achievement_from_user( ENTRY, BADGE, USER );`),
		},
		{
			// BadgeOS does this on any look at wp-admin, and fires nothing.
			name: "points were lost, and all the member's entries of the badge went without a word", list: true, want: flagged("origin-absent"),
			do: php(`global $wpdb; $wpdb->delete( $wpdb->prefix . 'badgeos_achievements', array( 'user_id' => USER, 'ID' => BADGE ) );`),
		},
		userDeleted, badgeDeleted, badgeTrashed, badgeBack, erasedPath, rowGone,
	}
	gamiPressPaths = []path{
		{name: "a person revoked it", want: revokedHere, do: func(t *testing.T, p pathOf) { p.site.Site.Revoke(t, p.entry) }},
		userDeleted, badgeDeleted, badgeTrashed, badgeBack, erasedPath, rowGone,
	}
)

func TestEveryWayInWhichAnAwardEndsAtASiteHasItsStateHere(t *testing.T) {
	for name, c := range map[string]struct {
		dir   string
		paths []path
	}{
		wordpress.BadgeOS:   {os.Getenv("BADGEOS_DIR"), badgeOSPaths},
		wordpress.GamiPress: {os.Getenv("GAMIPRESS_DIR"), gamiPressPaths},
	} {
		t.Run(name, func(t *testing.T) {
			site := &wordpressSite{Site: wordpress.Start(t, wordpress.Options{Provider: name, ProviderDir: c.dir})}
			w := NewWorld(t, WorldOptions{Site: site})
			w.SetUp(t, nil)
			// Enough that one missing row is no landslide.
			for i := range 30 {
				site.Award(t, w.Badge, w.Site.AddMember(t, fmt.Sprintf("other%d@example.org", i), "Other", "Member"))
			}
			var of []pathOf
			for i, p := range c.paths {
				o := pathOf{site: site, badge: site.CreateBadge(t, p.name), email: fmt.Sprintf("path%d@example.org", i)}
				o.user = w.Site.AddMember(t, o.email, "Path", "Walker")
				o.entry = site.Award(t, o.badge, o.user)
				o.award = w.Offered(t, o.email, 1).ID
				of = append(of, o)
			}
			for i, p := range c.paths {
				promise(t, p.name, func(t *testing.T) {
					p.do(t, of[i])
					if p.list {
						w.ListAll(t, w.SiteName)
					}
					Eventually(t, 30*time.Second, "the award has its state", func() error {
						a, err := w.DB.Award(t.Context(), of[i].award)
						if err == nil && !p.want(a) {
							err = fmt.Errorf("it is %+v", a)
						}
						return err
					})
				})
			}
		})
	}
}
