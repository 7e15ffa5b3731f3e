package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"badgebridge/store"
)

// mailbox shows the demo's mail. Outside the demo it does not exist.
func (s *Server) mailbox(c *gin.Context) {
	if !s.cfg.Demo || s.cfg.Mailbox == nil {
		s.fail(c, store.ErrNotFound)
		return
	}
	s.render(c, http.StatusOK, "mailbox", s.cfg.Mailbox.Letters())
}
