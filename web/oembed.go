package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/store"
	"badgebridge/web/card"
)

// errFormat: oEmbed in another form than JSON, which the protocol answers 501.
var errFormat = errors.New("no such format")

// oEmbed (oembed.com) of the pages that show badges. The answer is a photo, the
// page's card, which every consumer shows; type=rich asks for the frame of a
// badge, which WordPress and others show in a sandbox.
type oEmbed struct {
	Version         string `json:"version"`
	Type            string `json:"type"`
	Title           string `json:"title"`
	AuthorName      string `json:"author_name,omitempty"`
	ProviderName    string `json:"provider_name"`
	ProviderURL     string `json:"provider_url"`
	CacheAge        int    `json:"cache_age"`
	URL             string `json:"url,omitempty"`
	HTML            string `json:"html,omitempty"`
	Width           int    `json:"width"`
	Height          int    `json:"height"`
	ThumbnailURL    string `json:"thumbnail_url,omitempty"`
	ThumbnailWidth  int    `json:"thumbnail_width,omitempty"`
	ThumbnailHeight int    `json:"thumbnail_height,omitempty"`
}

const (
	embedLeast = 200 // px
	oEmbedAge  = 3600
)

// embeddable is what the addresses of pages that can be embedded look like.
var embeddable = regexp.MustCompile(`^/(?:(b|c)/([a-z2-7]{26})|(p)/([a-z0-9-]{3,40}))$`)

func (s *Server) oEmbed(c *gin.Context) {
	c.Header("Access-Control-Allow-Origin", "*")
	if !s.allow(c, "oembed", 120, time.Minute) {
		s.fail(c, errTooMany)
		return
	}
	if f := c.DefaultQuery("format", "json"); f != "json" {
		s.fail(c, fmt.Errorf("oEmbed as %.20q: %w", f, errFormat))
		return
	}
	kind := c.DefaultQuery("type", "photo")
	maxWidth, okW := bound(c.Query("maxwidth"))
	maxHeight, okH := bound(c.Query("maxheight"))
	if kind != "photo" && kind != "rich" || !okW || !okH {
		s.fail(c, fmt.Errorf("oEmbed: %w", errBadInput))
		return
	}
	ctx := c.Request.Context()
	out, err := s.embedOf(ctx, c.Query("url"))
	if err != nil {
		s.fail(c, err)
		return
	}
	page := out.URL
	width, height := scaled(card.Width, card.Height, maxWidth, maxHeight)
	picture := page + "/card.png"
	if width <= card.Width/2 {
		picture += "?width=" + strconv.Itoa(card.Width/2)
	}
	out.Type, out.URL, out.Width, out.Height = "photo", picture, width, height
	if kind == "rich" && strings.HasPrefix(page, s.cfg.BaseURL(ctx)+"/b/") {
		w := embedWidth
		if maxWidth > 0 {
			w = max(embedLeast, min(w, maxWidth))
		}
		out.Type, out.URL, out.HTML, out.Width, out.Height = "rich", "", embedFrame(page, out.Title, w), w, embedHeight
		out.ThumbnailURL, out.ThumbnailWidth, out.ThumbnailHeight = page+"/card.png", card.Width, card.Height
	}
	writeJSON(c, http.StatusOK, out)
	c.Header("Cache-Control", "public, max-age=60")
}

// bound reads a largest width or height; 0 means none was named.
func bound(s string) (int, bool) {
	if s == "" {
		return 0, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n > 0 && n <= 100_000
}

// scaled makes a size fit, its shape kept.
func scaled(w, h, maxWidth, maxHeight int) (int, int) {
	if maxWidth > 0 && w > maxWidth {
		w, h = maxWidth, max(1, h*maxWidth/w)
	}
	if maxHeight > 0 && h > maxHeight {
		w, h = max(1, w*maxHeight/h), maxHeight
	}
	return w, h
}

// embedOf finds what an address of ours shows to everybody. The address has to be
// exactly one of ours: same scheme, host and port, no user, a path of a known
// form. What is private does not exist.
func (s *Server) embedOf(ctx context.Context, address string) (oEmbed, error) {
	base := s.cfg.BaseURL(ctx)
	out := oEmbed{Version: "1.0", ProviderName: "Badgebridge", ProviderURL: base, CacheAge: oEmbedAge}
	if own, err := s.cfg.Store.OwnIssuer(ctx); err == nil && own.Profile.Name != "" {
		out.ProviderName = own.Profile.Name
	}
	u, err := url.Parse(address)
	if err != nil || base == "" || len(address) > 2000 || u.User != nil || u.Opaque != "" || u.Scheme+"://"+u.Host != base {
		return out, fmt.Errorf("oEmbed: another site's address: %w", store.ErrNotFound)
	}
	m := embeddable.FindStringSubmatch(u.EscapedPath())
	if m == nil {
		return out, fmt.Errorf("oEmbed: not a page that can be embedded: %w", store.ErrNotFound)
	}
	out.URL = base + m[0]
	switch {
	case m[1] == "b":
		b, err := s.loadBadge(ctx, m[2])
		if err == nil && !b.Shown() {
			err = store.ErrNotFound
		}
		if err != nil {
			return out, fmt.Errorf("oEmbed: %w", err)
		}
		out.Title, out.AuthorName = b.Content.Name, b.Earner()
	case m[1] == "c":
		col, err := s.cfg.Store.Collection(ctx, m[2])
		if err == nil && col.Visibility == store.Private {
			err = store.ErrNotFound
		}
		if err != nil {
			return out, fmt.Errorf("oEmbed: %w", err)
		}
		named, _, err := s.byOf(ctx, col.PersonID, col.Visibility)
		if err != nil {
			return out, fmt.Errorf("oEmbed: %w", err)
		}
		out.Title, out.AuthorName = col.Name, named.Name
	default:
		p, err := s.cfg.Store.ProfileByHandle(ctx, m[4])
		if err == nil && p.Visibility == store.Private {
			err = store.ErrNotFound
		}
		if err != nil {
			return out, fmt.Errorf("oEmbed: %w", err)
		}
		named, _, err := s.byOf(ctx, p.PersonID, p.Visibility)
		if err != nil {
			return out, fmt.Errorf("oEmbed: %w", err)
		}
		out.Title, out.AuthorName = p.Handle, named.Name
		if named.Name != "" {
			out.Title = named.Name
		}
	}
	return out, nil
}

// embedBadge is a badge's card for a frame on any site. It is the same for
// everybody, its owner too: whoever frames it must learn nothing of who looks.
func (s *Server) embedBadge(c *gin.Context) {
	ctx := c.Request.Context()
	b, err := s.loadBadge(ctx, c.Param("id"))
	if err == nil && !b.Shown() {
		err = store.ErrNotFound
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	base := s.cfg.BaseURL(ctx)
	h := c.Writer.Header()
	h.Del("X-Frame-Options")
	h.Del("Cross-Origin-Opener-Policy")
	// A sandboxed frame has no origin of its own that 'self' could mean.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self' "+base+"; script-src 'self' "+base+"; img-src 'self' "+base+"; base-uri 'none'; form-action 'none'; frame-ancestors *")
	shownAs(c, store.ByLink) // the page itself is to be found, not its frame
	c.Header("Cache-Control", "public, max-age=60")
	s.render(c, http.StatusOK, "embed", publicView{badge: b})
}

// certificate is the badge as a page to print.
func (s *Server) certificate(c *gin.Context) {
	b, owner, err := s.visibleBadge(c, c.Param("id"))
	if err == nil && (b.Claim != store.Claimed || b.Revoked) {
		err = store.ErrNotFound
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	shownAs(c, store.ByLink)
	s.render(c, http.StatusOK, "certificate", publicView{badge: b, Owner: owner})
}
