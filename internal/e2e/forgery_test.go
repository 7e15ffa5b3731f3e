package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	gateway "badgebridge/adapters/wordpress"
)

// sentHook is a webhook as the real plugin has sent it.
type sentHook struct {
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

func (h sentHook) request(t *testing.T, at string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+strings.TrimPrefix(h.URL, PublicURL), strings.NewReader(h.Body))
	must(t, err)
	for name, value := range h.Headers {
		req.Header.Set(name, value)
	}
	return req
}

// A webhook is only a hint, and still nobody else's hint is taken.
func TestAReplayedOrForgedWebhookIsRefused(t *testing.T) {
	site := startWordPress(t)
	w := NewWorld(t, WorldOptions{Site: site})
	w.SetUp(t, nil)
	// Someone between the site and the gateway reads what goes by.
	site.PHP(t, `file_put_contents( WPMU_PLUGIN_DIR . '/between.php', <<<'PHP'
<?php
add_filter( 'http_request_args', function ( $args, $url ) {
	if ( false !== strpos( $url, '/webhooks/' ) ) {
		file_put_contents( WP_CONTENT_DIR . '/heard', wp_json_encode( array( 'url' => $url, 'headers' => $args['headers'], 'body' => $args['body'] ) ) . "\n", FILE_APPEND );
	}
	return $args;
}, 10, 2 );
PHP
);`)
	member := w.Site.AddMember(t, ada, "Ada", "Example")
	site.Award(t, w.Badge, member)
	w.Offered(t, ada, 1)
	var heard sentHook
	Eventually(t, 30*time.Second, "a webhook was heard", func() error {
		line, _, _ := strings.Cut(site.PHP(t, `echo @file_get_contents( WP_CONTENT_DIR . '/heard' );`), "\n")
		return json.Unmarshal([]byte(line), &heard)
	})
	refused := func(name string, req *http.Request) {
		t.Helper()
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		must(t, err)
		if resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
	}
	refused("replayed", heard.request(t, w.Gateway.URL))
	for name, spoil := range map[string]func(*http.Request){
		"another nonce":     func(r *http.Request) { r.Header.Set("Badgebridge-Nonce", "another-nonce-0123456789") },
		"another time":      func(r *http.Request) { r.Header.Set("Badgebridge-Time", strconv.FormatInt(time.Now().Unix()+1, 10)) },
		"another signature": func(r *http.Request) { r.Header.Set("Badgebridge-Signature", strings.Repeat("0", 64)) },
		"no signature":      func(r *http.Request) { r.Header.Del("Badgebridge-Signature") },
		"another body": func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(heard.Body, "award", "xward", 1)))
		},
		"another secret in the path": func(r *http.Request) { r.URL.Path += "x" },
	} {
		req := heard.request(t, w.Gateway.URL)
		spoil(req)
		refused(name, req)
	}
	// A whole one, under the key of a site that is not paired.
	req := heard.request(t, w.Gateway.URL)
	gateway.SignRequest(req.Header, "another-key", "another-secret-another-secret", http.MethodPost, strings.TrimPrefix(heard.URL, PublicURL), time.Now(), []byte(heard.Body))
	refused("another site's key", req)
	gateway.SignRequest(req.Header, heard.Headers["Badgebridge-Key"], "guessed-guessed-guessed", http.MethodPost, strings.TrimPrefix(heard.URL, PublicURL), time.Now(), []byte(heard.Body))
	req.Body = io.NopCloser(strings.NewReader(heard.Body))
	refused("a guessed secret", req)
}
