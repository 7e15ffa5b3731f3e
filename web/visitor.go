package web

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"badgebridge/auth/access"
	"badgebridge/auth/session"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/web/locale"
)

// visitor is who is signed in, as pages need it.
type visitor struct {
	store.Person
	session.Current
	Admin bool
	Email string // one of their addresses, "" none
}

// Title is what to call them.
func (v *visitor) Title() string {
	if n := v.Person.Name(); n != "" {
		return n
	}
	return v.Email
}

// Initials are for the round picture.
func (v *visitor) Initials() string {
	out := ""
	for _, word := range strings.Fields(v.Title()) {
		r, _ := utf8.DecodeRuneInString(word)
		out += strings.ToUpper(string(r))
		if utf8.RuneCountInString(out) == 2 {
			break
		}
	}
	return out
}

const visitorKey = "visitor"

// visitor finds out who is signed in, once for each request.
func (s *Server) visitor(c *gin.Context) {
	ctx := c.Request.Context()
	cur := s.cfg.Sessions.Current(ctx)
	if cur.PersonID == "" {
		return
	}
	p, err := s.cfg.Store.Person(ctx, cur.PersonID)
	if errors.Is(err, store.ErrNotFound) {
		_ = s.cfg.Sessions.SignOut(ctx) // the account is gone; so is its session
		return
	}
	if err != nil {
		s.fail(c, fmt.Errorf("who is signed in: %w", err))
		return
	}
	role, err := s.cfg.Access.Role(ctx, cur.PersonID)
	if err != nil {
		s.fail(c, err)
		return
	}
	v := &visitor{Person: p, Current: cur, Admin: role == access.Admin}
	if v.Person.Name() == "" {
		ids, err := s.cfg.Store.IdentifiersOf(ctx, p.ID)
		if err != nil {
			s.fail(c, fmt.Errorf("who is signed in: %w", err))
			return
		}
		for _, id := range ids {
			if id.Type == openbadges.IdentityEmail {
				v.Email = id.Value
				break
			}
		}
	}
	c.Set(visitorKey, v)
}

// visitorOf is who is signed in, nil nobody.
func visitorOf(c *gin.Context) *visitor {
	v, _ := c.Get(visitorKey)
	p, _ := v.(*visitor)
	return p
}

func (s *Server) needMember(c *gin.Context) {
	if visitorOf(c) == nil {
		s.fail(c, errSignIn)
	}
}

func (s *Server) needAdmin(c *gin.Context) {
	if !visitorOf(c).Admin {
		s.fail(c, errForbidden)
	}
}

// say leaves a message for the next page: key is under "flash.".
func (s *Server) say(c *gin.Context, kind, key string, args map[string]any) {
	s.cfg.Sessions.Flash(c.Request.Context(), kind, key, args)
}

// frame is what every page has round it.
func (s *Server) frame(c *gin.Context, page string, w *locale.Words) frame {
	ctx := c.Request.Context()
	f := frame{
		Lang: w.Lang, Page: page, Path: c.Request.URL.Path, Version: s.cfg.Version, Demo: s.cfg.Demo,
		Mailbox: s.cfg.Demo && s.cfg.Mailbox != nil, Visitor: visitorOf(c), Site: w.T("site.default-name"),
		Title: w.T("title." + strings.ReplaceAll(page, "/", ".")), Section: section(c.Request.URL.Path),
		InAdmin: strings.HasPrefix(c.Request.URL.Path, "/admin"),
	}
	if own, err := s.cfg.Store.OwnIssuer(ctx); err == nil {
		f.Site = own.Profile.Name
		if own.ImageSHA != "" {
			f.Logo = "/ob/images/" + own.ImageSHA
		}
	}
	if f.Visitor != nil && page == "home" {
		f.Notices = s.notices(ctx, w, f.Visitor.PersonID)
	}
	if !sessionless(c.Request.URL.Path) && page != "fail" {
		f.Flashes = s.cfg.Sessions.TakeFlash(ctx)
	}
	return f
}

// section names the navigation's current entry.
func section(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case parts[0] == "admin" && len(parts) > 1 && (parts[1] == "import" || parts[1] == "imports"):
		return "admin.badges"
	case parts[0] == "admin" && len(parts) > 1 && parts[1] == "drift":
		return "admin.mappings"
	case parts[0] == "admin" && len(parts) > 1:
		return "admin." + parts[1]
	case parts[0] == "":
		return "badges"
	}
	return parts[0]
}
