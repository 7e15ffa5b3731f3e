package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
)

// TestALinkInAPostBecomesTheBadge pastes the address of a public badge into a
// post of a real WordPress that knows nothing of the gateway but what the page
// itself says: WordPress finds the oEmbed link, asks, and shows the badge.
func TestALinkInAPostBecomesTheBadge(t *testing.T) {
	site := startWordPress(t)
	url := "sqlite:" + filepath.Join(t.TempDir(), "badgebridge.db")
	g := New(t, Options{Env: map[string]string{"BADGEBRIDGE_DATABASE_URL": url, "BADGEBRIDGE_BASE_URL": PublicURL}}).Start()
	site.Reach(t, g)
	// What stands in for the way there leads to this machine, which WordPress
	// takes for no place on the outside.
	site.PHP(t, `$code = "<?php add_filter( 'http_request_host_is_external', '__return_true' ); add_filter( 'http_allowed_safe_ports', function ( \$ports, \$host, \$url ) { \$ports[] = (int) wp_parse_url( \$url, PHP_URL_PORT ); return \$ports; }, 10, 3 );";
		if ( ! file_put_contents( WPMU_PLUGIN_DIR . '/outside.php', $code ) ) { fwrite( STDERR, 'not written' ); exit( 1 ); }`)
	id := publicBadge(t, g, url)
	show := func(address string) string {
		return site.PHP(t, fmt.Sprintf(`
			$id = wp_insert_post( array( 'post_title' => 'Badge', 'post_status' => 'publish', 'post_content' => "Look:\n\n%s\n\nNice." ) );
			global $post; $post = get_post( $id ); setup_postdata( $post );
			echo apply_filters( 'the_content', $post->post_content );`, address))
	}
	out := show(PublicURL + "/b/" + id)
	if !strings.Contains(out, "<img") || !strings.Contains(out, PublicURL+"/b/"+id+"/card.png") || !strings.Contains(out, `alt="Navigator"`) {
		t.Errorf("the post shows %s", out)
	}
	// The frame, as an unlisted provider's: in a sandbox, and nothing of it lost.
	rich := site.PHP(t, fmt.Sprintf(`
		$data = _wp_oembed_get_object()->fetch( '%[1]s/oembed?type=rich&url=' . rawurlencode( '%[1]s/b/%[2]s' ), '%[1]s/b/%[2]s' );
		echo wp_filter_oembed_result( $data->html, $data, '%[1]s/b/%[2]s' );`, PublicURL, id))
	for _, part := range []string{"<iframe", `sandbox="allow-scripts"`, PublicURL + "/b/" + id + "/embed#?secret=", `title="Navigator"`} {
		if !strings.Contains(rich, part) {
			t.Errorf("the frame lacks %q: %s", part, rich)
		}
	}
	if code, _ := get(t, g.URL+"/oembed?url="+PublicURL+"/b/"+strings.Repeat("a", 26), ""); code != http.StatusNotFound {
		t.Errorf("a badge that is not: %d", code)
	}
	private := show(PublicURL + "/b/" + strings.Repeat("a", 26))
	if strings.Contains(private, "<img") || strings.Contains(private, "<iframe") {
		t.Errorf("a badge that is not shows %s", private)
	}
}

// publicBadge puts a public badge into the gateway's store and returns its id.
func publicBadge(t *testing.T, g *Gateway, url string) string {
	t.Helper()
	ctx := t.Context()
	db := openStore(t, url)
	person, err := db.CreatePerson(ctx, store.Person{GivenName: "Ada", FamilyName: "Demo"})
	must(t, err)
	class, _, err := db.PutClass(ctx, store.Class{Remote: "campus", Ref: "1", Content: openbadges.BadgeClass{Name: "Navigator", Description: "Finds the way."}})
	must(t, err)
	a, err := db.CreateAward(ctx, store.Award{
		ClassID: class.ID, ClassVersionID: class.VersionID, Origin: adapters.Remote("campus"), OriginRef: "1", PersonID: person.ID,
		Claim: store.Claimed, Visibility: store.Public,
	})
	must(t, err)
	code, body := get(t, g.URL+"/oembed?url="+PublicURL+"/b/"+a.ID, "")
	var answer struct{ Type string }
	if err := json.Unmarshal(body, &answer); err != nil || code != http.StatusOK || answer.Type != "photo" {
		t.Fatalf("the gateway's own answer: %d %s", code, body)
	}
	return a.ID
}
