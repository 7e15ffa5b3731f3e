//go:build unix

package wordpress

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// apart: gateway and plugin are updated by two people on two days.
func (h *hostile) apart(t *testing.T) {
	page := func() string {
		h.PHP(t, `delete_transient( 'badgebridge_away' );`)
		return h.asWalker.get(t, "/my-badges/")
	}
	act := func(name string) string {
		form := url.Values{"action": {"badgebridge_act"}, "entry": {fmt.Sprint(h.entry)}, "act": {name}, "_wp_http_referer": {"/my-badges/"},
			"_wpnonce": {h.nonceOf(t, h.asWalker, h.walker, fmt.Sprintf("badgebridge_act_%d", h.entry))}}
		return h.asWalker.post(t, "/wp-admin/admin-post.php", form)
	}
	t.Run("an older one, which has no calls for members", func(t *testing.T) {
		for _, path := range []string{"badges", "act", "erasure", "rekey"} {
			h.gateway.serve("/api/v1/sites/demo/"+path, func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
		}
		if got := page(); !strings.Contains(got, "does not answer just now") || !strings.Contains(got, fmt.Sprintf(`id="badgebridge-%d"`, h.entry)) {
			t.Errorf("the page is\n%s", got)
		}
		if got := act("claim"); !strings.Contains(got, "The gateway is older than this plugin") {
			t.Errorf("after an act the page is\n%s", got)
		}
		if said := strings.Join(h.Erase(t, "other@example.org"), "\n"); !strings.Contains(said, "It is told to erase name and address") {
			t.Errorf("the eraser says %s", said)
		}
	})
	t.Run("a newer one, which says and can more", func(t *testing.T) {
		newer := func(w http.ResponseWriter, r *http.Request) {
			json.NewEncoder(w).Encode(map[string]any{"of_tomorrow": []int{1}, "badges": []any{map[string]any{"entry_id": h.entry, "state": "lent", "visibility": "circle", "can": []string{"lend", "claim"},
				"copies": []any{map[string]any{"place": "Elsewhere", "words": "It is there.", "of_tomorrow": map[string]any{}}}, "of_tomorrow": map[string]any{"x": 1}}, "nonsense"}})
		}
		h.gateway.serve("/api/v1/sites/demo/badges", newer)
		h.gateway.serve("/api/v1/sites/demo/act", newer)
		got := page()
		if !strings.Contains(got, "Kept elsewhere.") || !strings.Contains(got, `value="claim"`) || strings.Contains(got, `value="lend"`) || !strings.Contains(got, "Elsewhere: It is there.") {
			t.Errorf("the page is\n%s", got)
		}
		if got := act("claim"); !strings.Contains(got, "The badge is claimed.") {
			t.Errorf("after an act the page is\n%s", got)
		}
		h.gateway.serve("/api/v1/pair", func(w http.ResponseWriter, _ *http.Request) {
			json.NewEncoder(w).Encode(map[string]any{"remote": "demo", "key_id": stubKey, "secret": stubSecret, "webhook_url": h.gateway.URL + "/hook", "of_tomorrow": true})
		})
		if err := h.Pair(t, h.gateway.URL, "ONE-TIME"); err != nil {
			t.Errorf("it does not pair: %v", err)
		}
	})
	t.Run("what a newer one asks beyond this version is left alone", func(t *testing.T) {
		grant := h.grant("key-of-a-newer-gateway")
		grant["email"], grant["of_tomorrow"] = "walker@example.org", map[string]any{"x": 1}
		if status, body := send(t, http.DefaultClient, h.signed(t, stubKey, stubSecret, "POST", "/awards", nil, grant)); status != http.StatusCreated {
			t.Errorf("a grant: %d %s", status, body)
		}
		if status, body := send(t, http.DefaultClient, h.signed(t, stubKey, stubSecret, "GET", "/awards", url.Values{"of_tomorrow": {"1"}}, nil)); status != http.StatusOK {
			t.Errorf("a list: %d %s", status, body)
		}
		if status, body := send(t, http.DefaultClient, h.signed(t, stubKey, stubSecret, "GET", "/of-tomorrow", nil, nil)); status != http.StatusNotFound || !strings.Contains(body, "rest_no_route") {
			t.Errorf("a route of tomorrow: %d %s", status, body)
		}
	})
}
