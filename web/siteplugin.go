package web

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/store"
)

// SitePlugin is the companion plugin as sites install it. The members with a name
// in JSON are what a site asks before it updates.
type SitePlugin struct {
	Version     string `json:"version"`
	Requires    string `json:"requires"`     // WordPress, at least
	RequiresPHP string `json:"requires_php"` // PHP, at least
	Tested      string `json:"tested"`       // WordPress, up to
	SHA256      string `json:"sha256"`       // of Archive, in hexadecimal
	Changelog   string `json:"changelog"`    // plain text

	Archive []byte `json:"-"` // a zip file
}

const (
	sitePluginPath = "/api/v1/site/plugin.zip"
	sitePluginNews = "/api/v1/site/plugin.json"
)

// sitePluginRoutes serve the plugin and the news of it to anybody: it is free
// software and the same for every site.
func (s *Server) sitePluginRoutes(g *gin.Engine) {
	made := sync.OnceValues(s.cfg.SitePlugin)
	with := func(h func(*gin.Context, SitePlugin)) gin.HandlerFunc {
		return func(c *gin.Context) {
			if s.cfg.SitePlugin == nil {
				s.fail(c, store.ErrNotFound)
				return
			}
			p, err := made()
			if err != nil {
				s.fail(c, fmt.Errorf("site plugin: %w", err))
				return
			}
			// A site that updates should get what the news named.
			c.Header("Cache-Control", "no-cache")
			h(c, p)
		}
	}
	get(g, sitePluginNews, with(func(c *gin.Context, p SitePlugin) { writeJSON(c, http.StatusOK, p) }))
	get(g, sitePluginPath, with(func(c *gin.Context, p SitePlugin) {
		c.Header("Content-Type", "application/zip")
		c.Header("Content-Disposition", `attachment; filename="badgebridge-`+p.Version+`.zip"`)
		c.Header("ETag", `"`+p.SHA256+`"`)
		http.ServeContent(c.Writer, c.Request, "", time.Time{}, bytes.NewReader(p.Archive))
	}))
}
