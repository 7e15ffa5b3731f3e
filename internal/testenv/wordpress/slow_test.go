//go:build unix

package wordpress

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// outcome is a call of the site to its gateway: how long it was ready to wait, and
// what came of it.
type outcome struct {
	Timeout float64 `json:"timeout"` // seconds
	Error   string  `json:"error"`
}

// watchCalls has the site write down its calls to the gateway; the function gives
// those since it was called last.
func watchCalls(t *testing.T, s *Site, gateway string) func() []outcome {
	t.Helper()
	log := filepath.Join(s.dir, "calls.log")
	mu := fmt.Sprintf(`<?php add_action( 'http_api_debug', function ( $answer, $context, $class, $args, $url ) {
	if ( 0 === strpos( $url, %s ) ) {
		file_put_contents( %s, json_encode( array( 'timeout' => (float) $args['timeout'], 'error' => is_wp_error( $answer ) ? $answer->get_error_message() : '' ) ) . "\n", FILE_APPEND );
	}
}, 10, 5 );`, quote(gateway), quote(log))
	if err := os.WriteFile(filepath.Join(s.dir, "site/wp-content/mu-plugins/calls.php"), []byte(mu), 0o644); err != nil {
		t.Fatal(err)
	}
	return func() (all []outcome) {
		t.Helper()
		data, err := os.ReadFile(log)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		os.Remove(log)
		for line := range strings.Lines(string(data)) {
			var o outcome
			if err := json.Unmarshal([]byte(line), &o); err != nil {
				t.Fatal(err)
			}
			all = append(all, o)
		}
		return all
	}
}

// A gateway that hangs, that trickles or that is gone costs a page two seconds,
// once in a while, and what was last known is shown.
func TestAPageWaitsTwoSecondsForTheGateway(t *testing.T) {
	s := Start(t, Options{})
	badge := s.CreateBadge(t, "Open Practice")
	user := s.CreateUser(t, "walker", "walker@example.org", "Wanda", "Walker")
	entry := s.Award(t, badge, user)
	done := make(chan struct{})
	answer := func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"badges":[{"entry_id":%d,"state":"claimed","visibility":"public","public":true,"can":["hide"],"copies":[]}]}`, entry)
	}
	hang := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-done:
		}
	}
	// One byte and no end: it answers, and it does not.
	trickle := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.Write([]byte("{"))
		w.(http.Flusher).Flush()
		hang(w, r)
	}
	gateway := newStub(t)
	var act atomic.Pointer[http.HandlerFunc]
	does := func(h http.HandlerFunc) { act.Store(&h) }
	does(answer)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/badges") {
			(*act.Load())(w, r)
			return
		}
		gateway.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { close(done); front.Close() })
	if err := s.Pair(t, front.URL, "ONE-TIME"); err != nil {
		t.Fatal(err)
	}
	s.PHP(t, fmt.Sprintf(`wp_insert_post( array( 'post_type' => 'page', 'post_status' => 'publish', 'post_name' => 'all', 'post_title' => 'All',
		'post_content' => '[badgebridge_my_badges] [badgebridge_badge_wall] [badgebridge_badge_wall user="%d"] [badgebridge_badge entry="%d"]' ) );`, user, entry))
	member := signIn(t, s, "walker", "demo-pass")
	calls := watchCalls(t, s, front.URL)
	look := func() string { return member.get(t, "/all/") }
	// What is asked for all visitors together is asked anew.
	forget := func() {
		s.PHP(t, fmt.Sprintf(`foreach ( array( 'badgebridge_away', 'badgebridge_wall', 'badgebridge_wall_%d' ) as $name ) { delete_transient( $name ); }`, user))
	}

	if page := look(); !strings.Contains(page, "Claimed, public.") || strings.Contains(page, "does not answer") {
		t.Fatalf("with the gateway there the page is\n%s", page)
	}
	calls()
	for name, c := range map[string]struct {
		act   http.HandlerFunc
		error string
	}{"that hangs": {hang, "timed out"}, "that trickles": {trickle, "timed out"}, "that breaks off": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ""}} {
		t.Run("a gateway "+name, func(t *testing.T) {
			forget()
			does(c.act)
			page := look()
			if !strings.Contains(page, "does not answer just now. This is how it was on") || strings.Count(page, "Claimed, public.") != 1 || strings.Count(page, `class="badgebridge-earner"`) != 3 {
				t.Errorf("the page is\n%s", page)
			}
			made := calls()
			if len(made) != 1 || made[0].Timeout > 2 || made[0].Error == "" || !strings.Contains(made[0].Error, c.error) {
				t.Errorf("the page made the calls %+v", made)
			}
			if page := look(); !strings.Contains(page, "Claimed, public.") {
				t.Errorf("the next page is\n%s", page)
			}
			if made := calls(); len(made) != 0 {
				t.Errorf("the next page made the calls %+v", made)
			}
		})
	}
	t.Run("a gateway that is only slow has two seconds for all that a page asks", func(t *testing.T) {
		forget()
		does(answer)
		look()
		made := calls()
		if len(made) < 2 {
			t.Fatalf("the page made the calls %+v", made)
		}
		for i, one := range made {
			if one.Error != "" || one.Timeout > 2 || i > 0 && one.Timeout >= made[i-1].Timeout {
				t.Errorf("call %d of the page: %+v, before it %+v", i+1, one, made[:i])
			}
		}
	})
}
