package web

import (
	"github.com/gin-gonic/gin"
)

// accountRoutes are what people do with their account itself.
func (s *Server) accountRoutes(g *gin.RouterGroup) {
	g.POST("/me/address", s.addAddress)
	g.POST("/me/address/mail", s.mailAddress)
	g.POST("/me/address/remove", s.removeAddress)
	g.POST("/me/letters", s.setLetters)
	g.POST("/me/notices/:id/seen", s.seeNotice)
	get(g, "/me/delete", s.leavePage)
	g.POST("/me/delete", s.leave)
	if s.cfg.Archive != nil {
		get(g, "/me/yours", s.yoursPage)
		get(g, "/me/export.zip", s.export)
		g.POST("/me/restore", s.restore)
		get(g, "/me/restore/:id", s.restorePage)
	}
	get(g, "/me/merge/:token", s.mergePage)
	g.POST("/me/merge/:token", s.mergeForm)
	g.POST("/me/merge/:token/switch", s.mergeSwitch)
}
