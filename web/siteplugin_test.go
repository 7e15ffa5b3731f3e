package web_test

import (
	"net/http"
	"testing"

	"badgebridge/web"
)

func TestTheGatewayServesThePluginAndTheNewsOfIt(t *testing.T) {
	made := 0
	w := newWorld(t, func(c *web.Config) {
		c.SitePlugin = func() (web.SitePlugin, error) {
			made++
			return web.SitePlugin{Version: "1.2.3", SHA256: "0123abcd", Archive: []byte("PK demo")}, nil
		}
	})
	for range 2 {
		got := w.browser().get("/api/v1/site/plugin.zip")
		if got.status != http.StatusOK || got.body != "PK demo" || got.header.Get("Content-Type") != "application/zip" || got.header.Get("ETag") != `"0123abcd"` {
			t.Errorf("the archive: %d %v %q", got.status, got.header, got.body)
		}
	}
	news := w.browser().get("/api/v1/site/plugin.json")
	if doc := news.json(t); news.status != http.StatusOK || doc["version"] != "1.2.3" || doc["sha256"] != "0123abcd" || doc["Archive"] != nil {
		t.Errorf("the news: %d %s", news.status, news.body)
	}
	if made != 1 {
		t.Errorf("it was packed %d times", made)
	}
}
