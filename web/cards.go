package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
	qr "github.com/piglig/go-qr"

	"badgebridge/store"
	"badgebridge/web/card"
)

const (
	cardBytes  = 24 << 20 // all that are kept
	cardsAtOne = 2        // drawn at the same time
)

// cards draws the pictures of links and keeps those that were drawn.
type cards struct {
	renderer *card.Renderer
	slots    chan struct{}
	mu       sync.Mutex
	kept     map[string][]byte
	bytes    int
}

func newCards() (*cards, error) {
	r, err := card.New()
	if err != nil {
		return nil, err
	}
	return &cards{renderer: r, slots: make(chan struct{}, cardsAtOne), kept: map[string][]byte{}}, nil
}

// draw gives a card and its tag. What is on the card is its key: a change makes
// another one.
func (k *cards) draw(ctx context.Context, c card.Card, width int) (body []byte, tag string, err error) {
	h := sha256.New()
	_ = json.NewEncoder(h).Encode(c)
	_, _ = fmt.Fprint(h, width)
	tag = hex.EncodeToString(h.Sum(nil)[:12])
	if body := k.find(tag); body != nil {
		return body, tag, nil
	}
	select {
	case k.slots <- struct{}{}:
		defer func() { <-k.slots }()
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	if body := k.find(tag); body != nil { // drawn while this one waited
		return body, tag, nil
	}
	if body, err = k.renderer.PNG(c, width); err != nil {
		return nil, "", err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.bytes += len(body); k.bytes > cardBytes {
		clear(k.kept)
		k.bytes = len(body)
	}
	k.kept[tag] = body
	return body, tag, nil
}

func (k *cards) find(tag string) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kept[tag]
}

func (s *Server) cardRoutes(g *gin.RouterGroup) {
	get(g, "/b/:id/card.png", s.badgeCard)
	get(g, "/b/:id/qr.svg", s.badgeQR)
	get(g, "/b/:id/qr.png", s.badgeQR)
	get(g, "/c/:id/card.png", s.collectionCard)
	get(g, "/p/:handle/card.png", s.profileCard)
}

// cardWidth is the width that is asked for: one of two, so that a stranger can't
// have a thousand drawn.
func cardWidth(c *gin.Context) int {
	if c.Query("width") == "600" {
		return card.Width / 2
	}
	return 0
}

func (s *Server) sendCard(c *gin.Context, seen store.Visibility, k card.Card) {
	k.Hue = s.hue()
	k.Foot = hostOf(s.cfg.BaseURL(c.Request.Context()))
	body, tag, err := s.cards.draw(c.Request.Context(), k, cardWidth(c))
	if err != nil {
		s.fail(c, fmt.Errorf("card: %w", err))
		return
	}
	shownAs(c, seen)
	c.Header("Cache-Control", cacheFor(seen))
	c.Header("ETag", `"`+tag+`"`)
	c.Header("Cross-Origin-Resource-Policy", "cross-origin")
	if c.GetHeader("If-None-Match") == `"`+tag+`"` {
		c.Status(http.StatusNotModified)
		return
	}
	c.Data(http.StatusOK, "image/png", body)
}

// defaultHue is the one of app.css.
const defaultHue = 262

func (s *Server) hue() int {
	if s.cfg.Hue > 0 && s.cfg.Hue <= 360 {
		return s.cfg.Hue
	}
	return defaultHue
}

// picture is the bytes of a badge's picture, nil when it has none.
func (s *Server) picture(ctx context.Context, address string) []byte {
	sha, ok := strings.CutPrefix(address, "/ob/images/")
	if !ok {
		return nil
	}
	d, err := s.cfg.Store.Document(ctx, sha)
	if err != nil {
		return nil
	}
	return d.Body
}

func (s *Server) badgeCard(c *gin.Context) {
	b, _, err := s.visibleBadge(c, c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	w := s.wordsOf(c)
	k := card.Card{Title: b.Content.Name, Pictures: [][]byte{s.picture(c.Request.Context(), b.Image)}, Faded: b.Revoked || b.Expired()}
	issuer := b.Issuer.Profile.Name
	if at := b.IssuerHost(); at.Host != "" {
		issuer += " · " + at.Host
	}
	k.Lines = append(k.Lines, issuer)
	if who := b.Earner(); who != "" {
		k.Lines = append(k.Lines, w.T("card.to", "Person", who))
	}
	if !b.IssuedOn.IsZero() {
		k.Lines = append(k.Lines, w.Date(b.IssuedOn))
	}
	switch {
	case b.Revoked:
		k.State, k.Tone = w.T("verdict.revoked"), card.Bad
	case b.Expired():
		k.State, k.Tone = w.T("verdict.expired"), card.Warn
	}
	s.sendCard(c, seenBy(b), k)
}

// seenBy is how visible a badge is: privately before its claim, whatever was
// chosen.
func seenBy(b badge) store.Visibility {
	if !b.Shown() {
		return store.Private
	}
	return b.Visibility
}

func (s *Server) collectionCard(c *gin.Context) {
	v, err := s.seenCollection(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	badges := make([]badge, 0, len(v.Badges))
	for _, p := range v.Badges {
		if p.ID == v.CoverID {
			badges = append([]badge{p.badge}, badges...)
			continue
		}
		badges = append(badges, p.badge)
	}
	w := s.wordsOf(c)
	lines := []string{w.N("home.count", len(badges))}
	if v.By.Name != "" {
		lines = append([]string{w.T("card.by", "Person", v.By.Name)}, lines...)
	}
	s.sendCard(c, v.Visibility, card.Card{Title: v.Collection.Name, Lines: lines, Pictures: s.pictures(c, badges)})
}

func (s *Server) profileCard(c *gin.Context) {
	v, err := s.seenProfile(c)
	if err == nil {
		err = s.fillProfile(c, &v)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.sendCard(c, v.Visibility, card.Card{Title: v.Title(), Lines: []string{s.wordsOf(c).N("home.count", v.Count)}, Pictures: s.pictures(c, v.Badges)})
}

// pictures are the first badges' pictures, four at most.
func (s *Server) pictures(c *gin.Context, badges []badge) [][]byte {
	var out [][]byte
	for _, b := range badges[:min(len(badges), 4)] {
		out = append(out, s.picture(c.Request.Context(), b.Image))
	}
	return out
}

// badgeQR is the public page's address as a QR code. There is none of a badge
// that nobody else may see: it would lead nowhere.
func (s *Server) badgeQR(c *gin.Context) {
	b, _, err := s.visibleBadge(c, c.Param("id"))
	if err == nil && !b.Shown() {
		err = store.ErrNotFound
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	code, err := qr.EncodeText(b.PublicURL(), qr.Medium)
	if err != nil {
		s.fail(c, fmt.Errorf("QR code: %w", err))
		return
	}
	kind, body := "image/svg+xml", []byte(nil)
	if strings.HasSuffix(c.Request.URL.Path, ".png") {
		kind = "image/png"
		body, err = code.ToPNGBytes(qr.NewQrCodeImgConfig(max(1, 1000/(code.Size()+8)), 4))
		c.Header("Content-Disposition", `attachment; filename="`+fileName(b.Content.Name)+`-qr.png"`)
	} else {
		c.Header("Content-Security-Policy", imageCSP)
		body, err = code.ToSVGBytes(qr.NewQrCodeImgConfig(1, 4, qr.WithOptimalSVG()))
	}
	if err != nil {
		s.fail(c, fmt.Errorf("QR code: %w", err))
		return
	}
	shownAs(c, b.Visibility)
	c.Header("Cache-Control", cacheFor(b.Visibility))
	c.Header("Content-Length", strconv.Itoa(len(body)))
	c.Data(http.StatusOK, kind, body)
}
