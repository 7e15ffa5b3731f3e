package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"badgebridge/store"
)

type profileView struct {
	Person       store.Person
	Identifiers  []store.Identifier
	SignIns      []store.SignIn
	Mail         string // where letters go, "" nowhere
	Letters      []letterChoice
	Removable    bool // an address may go: there is another way in
	Given        string
	Family       string
	NameError    string
	AddressError string
	Address      string
	Backpacks    bool // there are pages for other backpacks
	Doors        bool // sites may ask for the permission to send badges
	Sites        []grantedSite
}

func (s *Server) profile(c *gin.Context) { s.showProfile(c, http.StatusOK, profileView{}) }

func (s *Server) showProfile(c *gin.Context, status int, v profileView) {
	ctx := c.Request.Context()
	who := visitorOf(c)
	v.Person = who.Person
	if v.NameError == "" {
		v.Given, v.Family = who.GivenName, who.FamilyName
	}
	var err error
	if v.Identifiers, err = s.cfg.Store.IdentifiersOf(ctx, who.PersonID); err == nil {
		v.SignIns, err = s.cfg.Store.SignInsOf(ctx, who.PersonID)
	}
	if err == nil {
		v.Mail, err = s.cfg.Store.MailOf(ctx, who.PersonID)
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
	}
	if err == nil {
		v.Letters, err = s.letterChoices(ctx, who.PersonID)
	}
	v.Removable = len(v.Identifiers) > 1 || len(v.SignIns) > 0
	v.Backpacks = s.cfg.Connections != nil
	if v.Doors = s.cfg.Backpack != nil; err == nil && v.Doors {
		v.Sites, err = s.grantedSites(ctx, who.PersonID)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("profile: %w", err))
		return
	}
	s.render(c, status, "me", v)
}

func (s *Server) setName(c *gin.Context) {
	given, family, problem := nameFrom(c)
	if problem != "" {
		s.showProfile(c, http.StatusUnprocessableEntity, profileView{Given: given, Family: family, NameError: problem})
		return
	}
	if err := s.cfg.Engine.SetName(c.Request.Context(), visitorOf(c).PersonID, given, family); err != nil {
		s.fail(c, fmt.Errorf("name: %w", err))
		return
	}
	s.say(c, "ok", "name-saved", nil)
	c.Redirect(http.StatusSeeOther, "/me")
}
