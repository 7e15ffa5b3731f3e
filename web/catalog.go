package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/web/locale"
)

const catalogPage = 48 // badges on one page

func (s *Server) catalogRoutes(g *gin.RouterGroup) {
	get(g, "/catalog", s.catalog)
	get(g, "/catalog/:id", s.catalogBadge)
	get(g, "/issuers/:id", s.issuerPage)
}

// earnable is a badge that can be earned, as pages show it.
type earnable struct {
	store.Earnable
	Image  string
	Origin origin
}

func (s *Server) earnables(ctx context.Context, f store.EarnableFilter) ([]earnable, error) {
	list, err := s.cfg.Store.EarnableBadges(ctx, f)
	if err != nil {
		return nil, err
	}
	out := make([]earnable, 0, len(list))
	for _, e := range list {
		v := earnable{Earnable: e, Image: s.pages.assetURL("no-image.svg")}
		if e.ImageSHA != "" {
			v.Image = "/ob/images/" + e.ImageSHA
		}
		if v.Issuer.Profile.Name == "" {
			v.Issuer.Profile = e.Content.Issuer
		}
		v.Origin = badge{Issuer: v.Issuer}.IssuerHost()
		out = append(out, v)
	}
	return out, nil
}

type catalogView struct {
	Text   string
	Badges []earnable
	Count  int
	Pager  pager
}

// pageOf reads one page of what can be earned.
func (s *Server) pageOf(c *gin.Context, f store.EarnableFilter, path string) (v catalogView, err error) {
	ctx := c.Request.Context()
	v.Text = strings.TrimSpace(c.Query("q"))
	if r := []rune(v.Text); len(r) > maxSearch {
		v.Text = string(r[:maxSearch])
	}
	f.Text, f.Limit = v.Text, catalogPage
	if v.Count, err = s.cfg.Store.CountEarnable(ctx, f); err != nil {
		return v, err
	}
	page, pages := 1, max(1, (v.Count+catalogPage-1)/catalogPage)
	if n, err := strconv.Atoi(c.Query("page")); err == nil && n > 1 {
		page = min(n, pages)
	}
	f.Offset = (page - 1) * catalogPage
	v.Pager = pagerOf(page, pages, func(n int) string {
		q := url.Values{}
		if v.Text != "" {
			q.Set("q", v.Text)
		}
		if n > 1 {
			q.Set("page", strconv.Itoa(n))
		}
		if len(q) == 0 {
			return path
		}
		return path + "?" + q.Encode()
	})
	v.Badges, err = s.earnables(ctx, f)
	return v, err
}

func (s *Server) catalog(c *gin.Context) {
	v, err := s.pageOf(c, store.EarnableFilter{}, "/catalog")
	if err != nil {
		s.fail(c, fmt.Errorf("catalog: %w", err))
		return
	}
	s.render(c, http.StatusOK, "catalog", v)
}

type earnableView struct {
	earnable
	BaseURL   string
	Published bool // there are documents of it
	Held      *badge
}

func (v earnableView) title(*locale.Words) string { return v.Content.Name }

// URL is the page's own address.
func (v earnableView) URL() string { return v.BaseURL + "/catalog/" + v.ID }

// Said is the description on one line.
func (v earnableView) Said() string { return cutText(oneLine(v.Content.Description), 280) }

func (s *Server) catalogBadge(c *gin.Context) {
	ctx := c.Request.Context()
	list, err := s.earnables(ctx, store.EarnableFilter{ClassID: c.Param("id"), Limit: 1})
	if err == nil && len(list) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		s.fail(c, fmt.Errorf("catalog: %w", err))
		return
	}
	v := earnableView{earnable: list[0], BaseURL: s.cfg.BaseURL(ctx)}
	version, err := s.cfg.Store.ClassVersion(ctx, v.VersionID)
	if err != nil {
		s.fail(c, fmt.Errorf("catalog: %w", err))
		return
	}
	v.Published = version.DocumentSHA != ""
	if who := visitorOf(c); who != nil {
		mine, err := s.cfg.Store.Awards(ctx, store.AwardFilter{PersonID: who.PersonID, ClassID: v.ID, Limit: 1})
		if err != nil {
			s.fail(c, fmt.Errorf("catalog: %w", err))
			return
		}
		if len(mine) > 0 {
			v.Held = &badge{Award: mine[0]}
		}
	}
	s.render(c, http.StatusOK, "catalog-badge", v)
}

type issuerView struct {
	store.Issuer
	catalogView
	BaseURL string
	Origin  origin
	Image   string
	DID     string // of the association; "" of others
	Keys    bool
}

func (v issuerView) title(*locale.Words) string { return v.Profile.Name }

// URL is the page's own address.
func (v issuerView) URL() string { return v.BaseURL + "/issuers/" + v.ID }

// issuerPage tells who an issuer is: the association, or one that a remote of the
// association reports. Issuers of badges that people brought have no page here:
// all that is known of them is what their badges say.
func (s *Server) issuerPage(c *gin.Context) {
	ctx := c.Request.Context()
	i, err := s.cfg.Store.Issuer(ctx, c.Param("id"))
	if err != nil {
		s.fail(c, fmt.Errorf("issuer: %w", err))
		return
	}
	v := issuerView{Issuer: i, BaseURL: s.cfg.BaseURL(ctx), Origin: badge{Issuer: i}.IssuerHost()}
	if i.ImageSHA != "" {
		v.Image = "/ob/images/" + i.ImageSHA
	}
	if v.catalogView, err = s.pageOf(c, store.EarnableFilter{IssuerID: i.ID}, "/issuers/"+i.ID); err != nil {
		s.fail(c, fmt.Errorf("issuer: %w", err))
		return
	}
	if i.Own {
		if _, err := s.cfg.Engine.IssuerDocument(ctx, i.ID, openbadges.V30); err == nil {
			v.Keys = true
		} else if !errors.Is(err, store.ErrNotFound) {
			s.cfg.Log.WarnContext(ctx, "issuer document", "error", err)
		}
	}
	s.render(c, http.StatusOK, "issuer", v)
}
