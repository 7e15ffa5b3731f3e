package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"

	"badgebridge/store"
)

const (
	maxAbout = 5000 // bytes
	maxLink  = 500
)

// handleForm is what a handle may look like: it is part of an address that
// people say aloud.
var handleForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$`)

// profileFormView is the form for what a person shows of themselves.
type profileFormView struct {
	store.PublicProfile
	BaseURL string
	Name    string
	Problem string // key under "error.", "" none
	Field   string // that the problem is about
}

// PublicURL is the address of the page, "" before there is one.
func (v profileFormView) PublicURL() string {
	if v.Handle == "" || v.Visibility == store.Private {
		return ""
	}
	return v.BaseURL + "/p/" + v.Handle
}

func (s *Server) profileFormRoutes(g *gin.RouterGroup) {
	get(g, "/profile", s.profileForm)
	g.POST("/profile", s.saveProfileForm)
}

func (s *Server) profileForm(c *gin.Context) {
	ctx, who := c.Request.Context(), visitorOf(c)
	p, err := s.cfg.Store.Profile(ctx, who.PersonID)
	if err != nil {
		s.fail(c, fmt.Errorf("public profile: %w", err))
		return
	}
	s.render(c, http.StatusOK, "profile", profileFormView{PublicProfile: p, BaseURL: s.cfg.BaseURL(ctx), Name: who.Name()})
}

func (s *Server) saveProfileForm(c *gin.Context) {
	ctx, who := c.Request.Context(), visitorOf(c)
	p, err := s.cfg.Store.Profile(ctx, who.PersonID)
	if err != nil {
		s.fail(c, fmt.Errorf("public profile: %w", err))
		return
	}
	p.Handle = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(c.PostForm("handle")), "@"))
	p.About, p.Link = strings.TrimSpace(c.PostForm("about")), strings.TrimSpace(c.PostForm("link"))
	p.ShowName, p.Visibility = c.PostForm("show_name") != "", store.Visibility(c.DefaultPostForm("visibility", string(store.Private)))
	v := profileFormView{PublicProfile: p, BaseURL: s.cfg.BaseURL(ctx), Name: who.Name()}
	v.Field, v.Problem = profileProblem(p)
	if v.Problem == "" {
		err := s.cfg.Store.PutProfile(ctx, p)
		if errors.Is(err, store.ErrExists) {
			v.Field, v.Problem = "handle", "handle-taken"
		} else if err != nil {
			s.fail(c, fmt.Errorf("public profile: %w", err))
			return
		}
	}
	if v.Problem != "" {
		s.render(c, http.StatusUnprocessableEntity, "profile", v)
		return
	}
	s.say(c, "ok", "profile-"+string(p.Visibility), nil)
	c.Redirect(http.StatusSeeOther, "/profile")
}

// profileProblem says which field is wrong, and how.
func profileProblem(p store.PublicProfile) (field, key string) {
	link, err := url.Parse(p.Link)
	switch {
	case !knownVisibility(p.Visibility):
		return "visibility", "visibility"
	case p.Handle == "" && p.Visibility != store.Private:
		return "handle", "handle-needed"
	case p.Handle != "" && !handleForm.MatchString(p.Handle):
		return "handle", "handle"
	case len(p.About) > maxAbout:
		return "about", "story-long"
	case p.Link != "" && (err != nil || link.Scheme != "https" || link.Host == "" || link.User != nil || len(p.Link) > maxLink):
		return "link", "link-https"
	}
	return "", ""
}
