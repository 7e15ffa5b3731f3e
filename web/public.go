package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/web/locale"
)

func (s *Server) publicRoutes(g *gin.RouterGroup) {
	get(g, "/", s.home)
	get(g, "/b/:id", s.publicBadge)
	get(g, "/b/:id/image", s.badgeImage)
	get(g, "/b/:id/baked.png", s.bakedImage)
	get(g, "/b/:id/criteria", s.criteria)
	get(g, "/b/:id/embed", s.embedBadge)
	get(g, "/b/:id/certificate", s.certificate)
	s.cardRoutes(g)
	s.catalogRoutes(g)
	get(g, "/verify", s.verifyPage)
	g.POST("/verify", s.verifyForm)
	get(g, "/demo/mailbox", s.mailbox)
	s.showcaseRoutes(g)
}

// badge is an award with what its pages show of it.
type badge struct {
	store.Award
	Content openbadges.BadgeClass
	Issuer  store.Issuer
	Image   string // address, never empty
	BaseURL string
	Person  store.Person // the earner's account; empty when nobody has proven the address
	Now     time.Time
	Sending sending // what a claim sends elsewhere; only on the member's own pages
	// Standing is how a badge that was brought stands; only on lists.
	Standing store.Standing
}

// Earner is the name that the public page shows, "" none is known, or its earner
// does not want it there.
func (b badge) Earner() string {
	if b.NameHidden {
		return ""
	}
	if n := b.Person.Name(); n != "" {
		return n
	}
	return b.Recipient.Name()
}

// PublicURL is the address of the public page.
func (b badge) PublicURL() string { return b.BaseURL + "/b/" + b.ID }

// ImageURL is the absolute address of the image.
func (b badge) ImageURL() string { return b.PublicURL() + "/image" }

// Expired reports whether the award has ended by its own date.
func (b badge) Expired() bool { return !b.Expires.IsZero() && b.Expires.Before(b.Now) }

// EndsSoon is in how many days it ends, 0 when that is more than 60 away or past.
func (b badge) EndsSoon() int {
	if b.Expires.IsZero() || b.Expired() {
		return 0
	}
	if days := int(b.Expires.Sub(b.Now).Hours()/24) + 1; days <= 60 {
		return days
	}
	return 0
}

// Doubtful reports that a badge which was brought can't be verified now.
func (b badge) Doubtful() bool {
	switch b.Standing {
	case store.GoneSource, store.Undecided, store.NotGenuine:
		return !b.Revoked
	}
	return false
}

// Brought reports that its earner brought the badge.
func (b badge) Brought() bool { return b.Origin == store.BackpackOrigin }

// Shown reports whether others may see the public page.
func (b badge) Shown() bool {
	return b.Claim == store.Claimed && (b.Visibility == store.Public || b.Visibility == store.ByLink)
}

// cacheControl is for what is served under the public page's address. What only
// its owner may see must not stay in a cache that others share.
func (b badge) cacheControl() string {
	if b.Shown() {
		return "public, max-age=60"
	}
	return "private, no-store"
}

// loadBadge reads an award with its badge and issuer.
func (s *Server) loadBadge(ctx context.Context, id string) (badge, error) {
	a, err := s.cfg.Store.Award(ctx, id)
	if err != nil {
		return badge{}, fmt.Errorf("award: %w", err)
	}
	return s.completeBadge(ctx, a)
}

func (s *Server) completeBadge(ctx context.Context, a store.Award) (badge, error) {
	b := badge{Award: a, Image: s.pages.assetURL("no-image.svg"), BaseURL: s.cfg.BaseURL(ctx), Now: s.cfg.Now()}
	class, err := s.cfg.Store.Class(ctx, a.ClassID)
	if err != nil {
		return badge{}, fmt.Errorf("badge of the award: %w", err)
	}
	b.Content = class.Content
	image := class.ImageSHA
	if a.ClassVersionID != "" && a.ClassVersionID != class.VersionID {
		v, err := s.cfg.Store.ClassVersion(ctx, a.ClassVersionID)
		if err != nil {
			return badge{}, fmt.Errorf("badge of the award: %w", err)
		}
		b.Content, image = v.Content, v.ImageSHA
	}
	if image != "" {
		b.Image = "/ob/images/" + image
	}
	if class.IssuerID != "" {
		b.Issuer, err = s.cfg.Store.Issuer(ctx, class.IssuerID)
	} else {
		b.Issuer, err = s.cfg.Store.OwnIssuer(ctx)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return badge{}, fmt.Errorf("issuer of the award: %w", err)
	}
	if a.Origin == store.BackpackOrigin {
		b.Issuer = store.Issuer{} // it is not the association's
	}
	if b.Issuer.Profile.Name == "" {
		b.Issuer.Profile = b.Content.Issuer
	}
	if a.PersonID != "" {
		b.Person, err = s.cfg.Store.Person(ctx, a.PersonID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return badge{}, fmt.Errorf("earner: %w", err)
		}
	}
	return b, nil
}

// visibleBadge is loadBadge for the public pages: an award that the visitor may
// not see does not exist for them. owner says that it is the visitor's own.
func (s *Server) visibleBadge(c *gin.Context, id string) (b badge, owner bool, err error) {
	b, err = s.loadBadge(c.Request.Context(), id)
	if err != nil {
		return badge{}, false, err
	}
	v := visitorOf(c)
	owner = v != nil && b.PersonID == v.PersonID
	if !b.Shown() && !owner {
		return badge{}, false, fmt.Errorf("not shown: %w", store.ErrNotFound)
	}
	return b, owner, nil
}

type publicView struct {
	badge
	Owner        bool
	Verdict      verdict
	LinkedIn     string
	Baked        bool
	Endorsements []endorsement
	Namesake     bool        // a stranger's issuer that is called like the association
	Detail       *shownBadge // what only Open Badges 3.0 says; nil nothing does
}

// Indexed reports whether search engines may keep the page.
func (v publicView) Indexed() bool { return v.Shown() && v.Visibility == store.Public }

// Said is the badge's description on one line.
func (v publicView) Said() string { return cutText(oneLine(v.Content.Description), 280) }

func (v publicView) title(w *locale.Words) string {
	if e := v.Earner(); e != "" {
		return w.T("public.title", "Badge", v.Content.Name, "Person", e)
	}
	return v.Content.Name
}

func (s *Server) publicBadge(c *gin.Context) {
	ctx := c.Request.Context()
	id, jwt := strings.CutSuffix(c.Param("id"), ".jwt")
	id, asJSON := strings.CutSuffix(id, ".json")
	b, owner, err := s.visibleBadge(c, id)
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Header("Vary", "Accept, Accept-Language, Cookie")
	shownAs(c, seenBy(b))
	if jwt || asJSON || wantsDocument(c.Request) {
		s.badgeDocument(c, b, jwt)
		return
	}
	v := publicView{badge: b, Owner: owner, LinkedIn: linkedIn(b)}
	v.Baked = s.canBake(ctx, b)
	v.Verdict = s.verdictOf(ctx, b)
	v.Endorsements, v.Detail = endorsements(b, v.Verdict.Report), shown(v.Verdict.Report, b.BaseURL)
	if b.Brought() {
		own, err := s.cfg.Store.OwnIssuer(ctx)
		v.Namesake = err == nil && b.Namesake(own.Profile.Name)
	}
	status := http.StatusOK
	if b.Revoked {
		status = http.StatusGone
	}
	s.render(c, status, "public", v)
}

// wantsDocument: whoever asks for JSON or a credential and not for a page.
func wantsDocument(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return wantsJSON(r) || (strings.Contains(accept, "application/vc") || strings.Contains(accept, "jwt")) && !strings.Contains(accept, "text/html")
}

// badgeDocument answers a program: with our assertion's own bytes, or the
// address of the foreign one.
func (s *Server) badgeDocument(c *gin.Context, b badge, jwt bool) {
	v, ok := wantedVersion(c.Query("version"), c.GetHeader("Accept"))
	if jwt {
		v = openbadges.V30
	}
	if !ok {
		s.fail(c, &fieldError{Field: "version", Key: "version"})
		return
	}
	a, err := s.assertionOf(c.Request.Context(), b.Award, v)
	switch {
	case err == nil:
		path := documentPath(a)
		if v == openbadges.V30 && (jwt || c.Query("version") == "" && prefersJWT(c.Request.Header["Accept"])) {
			path = asJWT(path)
		}
		s.docs.write(c.Writer, c.Request, path, b.cacheControl())
	case errors.Is(err, store.ErrNotFound) && strings.HasPrefix(b.AssertionURL, "https://"):
		c.Redirect(http.StatusSeeOther, b.AssertionURL)
	default:
		s.fail(c, fmt.Errorf("assertion: %w", err))
	}
}

// documentPath is where the document is served.
func documentPath(a store.Assertion) string {
	switch a.Version {
	case openbadges.V11:
		return "/ob/v1/assertions/" + a.ID
	case openbadges.V30:
		return credentialPath + a.ID
	}
	return "/ob/v2/assertions/" + a.ID
}

// assertionOf is our assertion of an award in a version. An award that was
// claimed before there were documents of this version gets them now.
func (s *Server) assertionOf(ctx context.Context, award store.Award, v openbadges.Version) (store.Assertion, error) {
	a, err := s.cfg.Store.AssertionOf(ctx, award.ID, v)
	if !errors.Is(err, store.ErrNotFound) || v == openbadges.V20 || award.Claim != store.Claimed || award.Revoked {
		return a, err
	}
	if err := s.cfg.Engine.Complete(ctx, award.ID); err != nil {
		return a, err
	}
	return s.cfg.Store.AssertionOf(ctx, award.ID, v)
}

func (s *Server) badgeImage(c *gin.Context) {
	b, _, err := s.visibleBadge(c, c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	shownAs(c, seenBy(b))
	if sha, ok := strings.CutPrefix(b.Image, "/ob/images/"); ok {
		s.docs.write(c.Writer, c.Request, "/ob/images/"+sha, b.cacheControl())
		return
	}
	c.Redirect(http.StatusSeeOther, b.Image)
}

func (s *Server) bakedImage(c *gin.Context) {
	ctx := c.Request.Context()
	b, owner, err := s.visibleBadge(c, c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	v, ok := wantedVersion(c.Query("version"), "")
	if !ok {
		s.fail(c, &fieldError{Field: "version", Key: "version"})
		return
	}
	doc, err := s.baked(ctx, b, v, owner)
	if err != nil {
		s.fail(c, fmt.Errorf("baked image: %w", err))
		return
	}
	name := fileName(b.Content.Name)
	if v != openbadges.V20 {
		name += "-ob" + string(v)
	}
	if doc.MediaType == "image/svg+xml" {
		name += ".svg"
		c.Header("Content-Security-Policy", imageCSP)
	} else {
		name += ".png"
	}
	shownAs(c, seenBy(b))
	c.Header("Content-Disposition", `attachment; filename="`+name+`"`)
	c.Header("Cache-Control", "private, no-store")
	c.Data(http.StatusOK, doc.MediaType, doc.Body)
}

// fileName makes a name that every file system takes.
func fileName(s string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, s)
	for strings.Contains(out, "--") {
		out = strings.ReplaceAll(out, "--", "-")
	}
	if out = strings.Trim(out, "-"); out == "" {
		return "badge"
	}
	if len(out) > 80 {
		out = out[:80]
	}
	return out
}

// criteria is the page about what it took to earn a badge. Open Badges 1.1 wants
// an address for it, so a published badge class has one too, under its own id.
func (s *Server) criteria(c *gin.Context) {
	b, owner, err := s.visibleBadge(c, c.Param("id"))
	if errors.Is(err, store.ErrNotFound) {
		b, err = s.classAlone(c.Request.Context(), c.Param("id"))
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	if b.ID != "" {
		shownAs(c, seenBy(b))
	}
	s.render(c, http.StatusOK, "criteria", publicView{badge: b, Owner: owner})
}

// classAlone is a published badge version as a badge that nobody holds.
func (s *Server) classAlone(ctx context.Context, versionID string) (badge, error) {
	v, err := s.cfg.Store.ClassVersion(ctx, versionID)
	if err == nil && v.DocumentSHA == "" {
		err = store.ErrNotFound
	}
	if err != nil {
		return badge{}, fmt.Errorf("badge version: %w", err)
	}
	return s.completeBadge(ctx, store.Award{ClassID: v.ClassID, ClassVersionID: v.ID})
}
