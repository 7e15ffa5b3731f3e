package web

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/store"
)

//go:embed api/openapi.yaml
var openAPI []byte

func (s *Server) apiRoutes(g *gin.Engine) {
	get(g, "/api/v1/openapi.yaml", func(c *gin.Context) {
		c.Header("Access-Control-Allow-Origin", "*")
		c.Data(http.StatusOK, "application/yaml", openAPI)
	})
	g.POST("/api/v1/verify", s.apiVerify)
	g.POST("/api/v1/pair", s.pair)
	g.POST("/webhooks/:remote/:secret", s.webhook)
	s.siteRoutes(g)
	s.sitePluginRoutes(g)
}

// webhook takes a hint that something changed. The answer is 200 at once, since
// that is the one status that every remote takes for yes; the remote is asked
// later. A wrong secret and an unknown remote look the same.
func (s *Server) webhook(c *gin.Context) {
	ctx := c.Request.Context()
	if !s.allow(c, "webhook", 600, time.Minute) {
		s.fail(c, errTooMany)
		return
	}
	body, err := io.ReadAll(c.Request.Body)
	if err != nil {
		s.fail(c, fmt.Errorf("webhook: %w", err))
		return
	}
	err = s.cfg.Engine.Webhook(ctx, adapters.Remote(c.Param("remote")), c.Param("secret"), c.Request.Header, body)
	switch {
	case errors.Is(err, adapters.ErrUnauthorized):
		s.cfg.Log.WarnContext(ctx, "webhook refused", "id", requestIDOf(ctx), "remote", c.Param("remote"))
		writeJSON(c, http.StatusUnauthorized, apiError{Code: "unauthorized", Message: s.wordsOf(c).T("api.webhook-unsigned"), Request: requestIDOf(ctx)})
		c.Abort()
	case errors.Is(err, adapters.ErrRejected):
		s.fail(c, fmt.Errorf("webhook: %w: %w", errBadInput, err))
	case errors.Is(err, store.ErrNotFound):
		s.fail(c, fmt.Errorf("webhook: %w", store.ErrNotFound))
	case err != nil:
		s.fail(c, fmt.Errorf("webhook: %w", err))
	default:
		writeJSON(c, http.StatusOK, map[string]string{"status": "accepted"})
	}
}
