package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/web/locale"
)

// oldLinksView is the report on what a site still has of the old Credly.
type oldLinksView struct {
	Name    adapters.Remote
	Place   string
	Badges  []oldBadgeLine
	Members []adapters.OldMember
	More    bool
	TooOld  bool // the site's plugin can't say
}

func (v oldLinksView) title(w *locale.Words) string { return w.T("old-links.title") }

type oldBadgeLine struct {
	adapters.OldBadge
	ClassID string // here, "" not read yet
	Mapping string // its first mapping, "" none
}

func (s *Server) oldLinks(c *gin.Context) {
	ctx, name := c.Request.Context(), adapters.Remote(c.Param("name"))
	v := oldLinksView{Name: name}
	_, v.Place = s.remoteTitle(ctx, name)
	found, err := s.cfg.Engine.OldLinks(ctx, name)
	if errors.Is(err, adapters.ErrNotFound) {
		v.TooOld = true
		s.render(c, http.StatusOK, "admin/old-links", v)
		return
	}
	if err != nil {
		s.fail(c, fmt.Errorf("old links: %w", err))
		return
	}
	v.Members, v.More = found.Members, found.More
	for _, b := range found.Badges {
		line := oldBadgeLine{OldBadge: b}
		class, err := s.cfg.Store.ClassByRef(ctx, name, b.Ref)
		if err == nil {
			line.ClassID = class.ID
			var ms []store.Mapping
			if ms, err = s.cfg.Store.MappingsOf(ctx, class.ID); err == nil && len(ms) > 0 {
				line.Mapping = ms[0].ID
			}
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			s.fail(c, fmt.Errorf("old links: %w", err))
			return
		}
		v.Badges = append(v.Badges, line)
	}
	s.render(c, http.StatusOK, "admin/old-links", v)
}
