package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/reconcile"
	"badgebridge/web/locale"
)

// maxBadges bounds what is asked of one person elsewhere than on the shelf.
const maxBadges = 500

func (s *Server) memberRoutes(g *gin.RouterGroup) {
	get(g, "/badges", func(c *gin.Context) { c.Redirect(http.StatusSeeOther, "/") })
	if s.cfg.Backpack != nil {
		get(g, "/badges/add", s.addBadge)
		g.POST("/badges/add", s.addBadgeForm)
		get(g, "/badges/add/:batch", s.batchPage)
	}
	get(g, "/badges/:id", s.memberBadge)
	g.POST("/badges/:id/claim", s.claim)
	g.POST("/badges/:id/elsewhere", s.sendElsewhere)
	g.POST("/badges/:id/decline", s.decline)
	g.POST("/badges/:id/visibility", s.setVisibility)
	g.POST("/badges/:id/name", s.setNameAtBadge)
	s.collectionRoutes(g)
	s.profileFormRoutes(g)
	get(g, "/me", s.profile)
	g.POST("/me/name", s.setName)
	s.accountRoutes(g)
}

// copyLine is one place where a badge is, or will be, in plain words: Key is
// under "copy.".
type copyLine struct {
	Remote adapters.Remote
	Kind   string // of the remote: "credly"…
	Place  string
	Key    string
	Sign   string
	Tone   string
	URL    string // the record's page there
	Mail   string // the address that it went to, where the member may choose another
}

type memberView struct {
	badge
	Elsewhere bool // it is accepted at its origin, not here
	Copies    []copyLine
	NeedsName bool
	NameFor   string // the place that asks for it
	Given     string
	Family    string
	NameError string
	Links     *shareLinks // nil while there is no page for others
	Baked     bool
	Addresses []string          // that the member has proven
	Attested  []store.Collected // what others attest of it, verified
	Backpacks *badgeBackpacks
	In        []store.Collection
}

// FullName is the earner's name, also where the public pages leave it out.
func (v memberView) FullName() string {
	b := v.badge
	b.NameHidden = false
	return b.Earner()
}

func (v memberView) title(*locale.Words) string { return v.Content.Name }

// ownBadge reads an award of the visitor's; anybody else's does not exist.
func (s *Server) ownBadge(c *gin.Context) (badge, error) {
	b, err := s.loadBadge(c.Request.Context(), c.Param("id"))
	if err == nil && b.PersonID != visitorOf(c).PersonID {
		err = store.ErrNotFound
	}
	return b, err
}

func (s *Server) memberBadge(c *gin.Context) { s.showMemberBadge(c, http.StatusOK, "") }

func (s *Server) showMemberBadge(c *gin.Context, status int, nameError string) {
	ctx := c.Request.Context()
	b, err := s.ownBadge(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	v := memberView{badge: b, Elsewhere: b.Claim == store.Offered && b.PageURL != "", Links: shareOf(b, s.wordsOf(c)), NameError: nameError, Given: visitorOf(c).GivenName, Family: visitorOf(c).FamilyName}
	if v.Given == "" && v.Family == "" {
		v.Given, v.Family = b.Recipient.GivenName, b.Recipient.FamilyName // what the site knows, as a proposal
	}
	v.Baked = s.canBake(ctx, b)
	if v.Sending, err = s.sending(c, b); err == nil {
		v.Addresses, err = s.provenAddresses(ctx, b.PersonID)
	}
	if err == nil {
		v.Attested, err = s.cfg.Store.CollectedOf(ctx, b.ID)
	}
	if err == nil {
		v.Backpacks, err = s.badgeBackpacks(ctx, b)
	}
	if err == nil {
		v.In, err = s.cfg.Store.CollectionsWith(ctx, b.ID)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	if v.Copies, err = s.copies(ctx, b); err != nil {
		s.fail(c, err)
		return
	}
	for _, line := range v.Copies {
		if line.Key == "waits-name" {
			v.NeedsName, v.NameFor = true, line.Place
		}
	}
	if nameError != "" {
		v.Given, v.Family = c.PostForm("given"), c.PostForm("family")
	}
	s.render(c, status, "badge", v)
}

// copies tells where the award is and what is still under way.
func (s *Server) copies(ctx context.Context, b badge) ([]copyLine, error) {
	links, err := s.cfg.Store.LinksOf(ctx, b.ID)
	if err != nil {
		return nil, fmt.Errorf("where the badge is: %w", err)
	}
	pushes, err := s.cfg.Store.PushesOf(ctx, b.ID)
	if err != nil {
		return nil, fmt.Errorf("where the badge is: %w", err)
	}
	var out []copyLine
	seen := map[adapters.Remote]bool{}
	for _, l := range links {
		if replacedCopy(l, pushes) {
			continue // another one takes its place, or has
		}
		seen[l.Remote] = true
		line := copyLine{Remote: l.Remote, URL: webAddress(l.PageURL), Key: "there", Sign: "✓", Tone: "ok"}
		switch {
		case l.State == store.LinkRevoked:
			line.Key, line.Sign, line.Tone, line.URL = "revoked", "⊘", "bad", ""
		case l.State == store.LinkGone:
			line.Key, line.Sign, line.Tone, line.URL = "gone", "–", "", ""
		case l.Role == store.RoleOrigin:
			line.Key = "origin"
		case l.Acceptance == string(openbadges.AcceptancePending):
			line.Key, line.Sign, line.Tone = "accept-there", "!", "warn"
			if b.Claim == store.Claimed && !openAt(pushes, l.Remote) {
				if line.Mail, err = s.sentTo(ctx, b); err != nil {
					return nil, err
				}
			}
		case l.Acceptance == string(openbadges.AcceptanceRejected):
			line.Key, line.Sign, line.Tone = "declined-there", "–", ""
		}
		out = append(out, line)
	}
	for _, p := range pushes {
		if p.Op != store.OpIssue || seen[p.Remote] || p.State == store.PushCancelled || p.State == store.PushDone {
			continue
		}
		line := copyLine{Remote: p.Remote, Key: "on-its-way", Sign: "…"}
		switch p.State {
		case store.PushWaiting:
			line.Key = "waits"
			switch p.Reason {
			case reconcile.WaitClaim:
				line.Key = "waits-claim"
			case reconcile.WaitName:
				line.Key, line.Sign, line.Tone = "waits-name", "!", "warn"
			}
		case store.PushRejected, store.PushHeld:
			line.Key, line.Sign, line.Tone = "looked-into", "!", "warn"
		}
		out = append(out, line)
	}
	for i := range out {
		out[i].Kind, out[i].Place = s.remoteTitle(ctx, out[i].Remote)
	}
	return out, nil
}

// remoteTitle is a remote's kind and its name for people.
func (s *Server) remoteTitle(ctx context.Context, name adapters.Remote) (kind, title string) {
	r, err := s.cfg.Store.Remote(ctx, name)
	if err != nil || r.Title == "" {
		return r.Kind, string(name)
	}
	return r.Kind, r.Title
}

// webAddress lets an address into a link only when it is one of the web.
func webAddress(u string) string {
	if strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://") {
		return u
	}
	return ""
}

func (s *Server) claim(c *gin.Context) {
	id := c.Param("id")
	if to := c.PostForm("send_to"); to != "" {
		if err := s.cfg.Engine.SendTo(c.Request.Context(), id, visitorOf(c).PersonID, to); err != nil {
			s.fail(c, fmt.Errorf("claim: %w", err))
			return
		}
	}
	if err := s.cfg.Engine.Claim(c.Request.Context(), id, visitorOf(c).PersonID); err != nil {
		s.fail(c, fmt.Errorf("claim: %w", err))
		return
	}
	s.Changed(id)
	s.say(c, "ok", "claimed", nil)
	c.Redirect(http.StatusSeeOther, "/badges/"+id+"#visibility")
}

func (s *Server) decline(c *gin.Context) {
	id := c.Param("id")
	if err := s.cfg.Engine.Decline(c.Request.Context(), id, visitorOf(c).PersonID); err != nil {
		s.fail(c, fmt.Errorf("decline: %w", err))
		return
	}
	s.say(c, "note", "declined", nil)
	c.Redirect(http.StatusSeeOther, "/")
}

func (s *Server) setVisibility(c *gin.Context) {
	id, v := c.Param("id"), store.Visibility(c.PostForm("visibility"))
	switch v {
	case store.Private, store.ByLink, store.Public:
	default:
		s.fail(c, fmt.Errorf("visibility %q: %w", v, errBadInput))
		return
	}
	if err := s.cfg.Engine.SetVisibility(c.Request.Context(), id, visitorOf(c).PersonID, v); err != nil {
		s.fail(c, fmt.Errorf("visibility: %w", err))
		return
	}
	// Forms from before the choice was there don't ask.
	if c.PostForm("name_asked") != "" {
		if err := s.cfg.Engine.SetNameHidden(c.Request.Context(), id, visitorOf(c).PersonID, c.PostForm("show_name") == ""); err != nil {
			s.fail(c, fmt.Errorf("visibility: %w", err))
			return
		}
	}
	s.Changed(id)
	s.say(c, "ok", "visibility-"+string(v), nil)
	c.Redirect(http.StatusSeeOther, "/badges/"+id+"#share")
}

const maxName = 100

// nameFrom reads the name form; problem is the key of what is wrong, "" nothing.
func nameFrom(c *gin.Context) (given, family, problem string) {
	given, family = strings.TrimSpace(c.PostForm("given")), strings.TrimSpace(c.PostForm("family"))
	switch {
	case given == "" || family == "":
		return given, family, "name-both"
	case utf8.RuneCountInString(given) > maxName || utf8.RuneCountInString(family) > maxName:
		return given, family, "name-long"
	case strings.ContainsFunc(given+family, func(r rune) bool { return r < ' ' }):
		return given, family, "name-both"
	}
	return given, family, ""
}

func (s *Server) setNameAtBadge(c *gin.Context) {
	given, family, problem := nameFrom(c)
	if problem != "" {
		s.showMemberBadge(c, http.StatusUnprocessableEntity, problem)
		return
	}
	if err := s.cfg.Engine.SetName(c.Request.Context(), visitorOf(c).PersonID, given, family); err != nil {
		s.fail(c, fmt.Errorf("name: %w", err))
		return
	}
	s.say(c, "ok", "name-sent", nil)
	c.Redirect(http.StatusSeeOther, "/badges/"+c.Param("id")+"#copies")
}
