package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/auth/login"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/engine"
)

// The calls of a paired site in the name of a user who is signed in there. The
// pairing's signature is the credential; the site says which of its records are
// the user's, and is believed for its own records alone.

const (
	maxEntries = 500
	longCall   = 2 * time.Minute
	// What most backpacks and validators take.
	bakedForSites = openbadges.V20
)

func (s *Server) siteRoutes(g *gin.Engine) {
	g.POST("/api/v1/sites/:remote/badges", s.fromSite(s.siteBadges))
	g.POST("/api/v1/sites/:remote/act", s.fromSite(s.siteAct))
	g.POST("/api/v1/sites/:remote/baked", s.fromSite(s.siteBaked))
	g.POST("/api/v1/sites/:remote/erasure", s.fromSite(s.siteErasure))
	g.POST("/api/v1/sites/:remote/rekey", s.fromSite(s.siteRekey))
	g.POST("/api/v1/sites/:remote/cut", s.fromSite(s.siteCut))
}

// siteCall is the body of every call of a site; each takes what it needs.
type siteCall struct {
	UserID  int64          `json:"user_id"`
	Entries []engine.Entry `json:"entries"`
	Member  siteMember     `json:"member"`
	Act     string         `json:"act"`
	To      string         `json:"to"` // of "send": one of siteBadge.SendTo
}

type siteMember struct {
	Email       string `json:"email"`
	EmailProven bool   `json:"email_proven"`
	GivenName   string `json:"given_name"`
	FamilyName  string `json:"family_name"`
	Locale      string `json:"locale"`
}

// fromSite lets in what the named remote has signed, once.
func (s *Server) fromSite(h func(*gin.Context, engine.Site, siteCall) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx := c.Request.Context()
		c.Header("Cache-Control", "no-store")
		if !s.allow(c, "site", 1200, tryPeriod) {
			s.fail(c, errTooMany)
			return
		}
		body, err := io.ReadAll(c.Request.Body)
		if err != nil {
			s.fail(c, fmt.Errorf("site: %w", err))
			return
		}
		path := c.Request.URL.EscapedPath()
		if base, err := url.Parse(s.cfg.BaseURL(ctx)); err == nil {
			path = base.EscapedPath() + path
		}
		site, err := s.cfg.Engine.CallFrom(ctx, adapters.Remote(c.Param("remote")), adapters.Call{
			Header: c.Request.Header, Method: c.Request.Method, Path: path, Query: c.Request.URL.Query(), Body: body,
		})
		switch {
		case errors.Is(err, adapters.ErrUnauthorized), errors.Is(err, adapters.ErrIdentity), errors.Is(err, store.ErrNotFound):
			// An unknown name and a wrong key look the same.
			s.cfg.Log.WarnContext(ctx, "a site's call refused", "id", requestIDOf(ctx), "error", err)
			writeJSON(c, http.StatusUnauthorized, apiError{Code: "unauthorized", Message: s.wordsOf(c).T("api.site-unsigned"), Request: requestIDOf(ctx)})
			c.Abort()
			return
		case err != nil:
			s.fail(c, fmt.Errorf("site: %w", err))
			return
		}
		if site.Remote.State != store.RemoteActive {
			s.fail(c, fmt.Errorf("site: the remote is %s: %w", site.Remote.State, store.ErrStale))
			return
		}
		var in siteCall
		if err := json.Unmarshal(body, &in); err != nil {
			s.fail(c, fmt.Errorf("site: %w: %w", errBadInput, err))
			return
		}
		if len(in.Entries) > maxEntries {
			s.fail(c, &fieldError{Field: "entries", Key: "site-entries"})
			return
		}
		if err := h(c, site, in); err != nil {
			s.fail(c, fmt.Errorf("site %s: %w", site.Remote.Name, err))
		}
	}
}

func subject(site engine.Site, in siteCall) (string, error) {
	if in.UserID <= 0 {
		return "", &fieldError{Field: "user_id", Key: "site-user"}
	}
	uuid := siteUUID.FindString(strings.SplitN(site.Remote.Identity, " ", 2)[0])
	if uuid == "" {
		return "", fmt.Errorf("the site was not checked yet: %w", store.ErrStale)
	}
	return uuid + ":" + strconv.FormatInt(in.UserID, 10), nil
}

// siteBadge is one record of the user's, as it stands here.
type siteBadge struct {
	engine.Entry
	State      string     `json:"state"` // offered, claimed, declined, revoked, elsewhere
	Visibility string     `json:"visibility"`
	Public     bool       `json:"public"` // anybody may be shown it
	Title      string     `json:"title"`
	PageURL    string     `json:"page_url,omitempty"`   // the public page, where there is one to be seen
	ManageURL  string     `json:"manage_url,omitempty"` // the member's own page here, by the site's sign-in
	VerifyURL  string     `json:"verify_url,omitempty"`
	ShareURL   string     `json:"share_url,omitempty"` // LinkedIn's form, filled in
	Baked      bool       `json:"baked"`
	Copies     []siteCopy `json:"copies"`
	Can        []string   `json:"can"` // acts that make sense now
	SendTo     []siteGoal `json:"send_to,omitempty"`
}

// siteGoal is a backpack that the member has connected and that the badge can be
// sent to.
type siteGoal struct {
	ID    string `json:"id"`
	Place string `json:"place"`
}

type siteCopy struct {
	Place string `json:"place"`
	State string `json:"state"` // of copyLine.Key
	Words string `json:"words"`
	URL   string `json:"url,omitempty"`
}

func (s *Server) siteBadges(c *gin.Context, site engine.Site, in siteCall) error {
	person, known, err := s.ofUser(c, site, in)
	if err != nil {
		return err
	}
	var conns []store.Connection
	if s.cfg.Connections != nil && person != "" {
		if conns, err = s.cfg.Store.ConnectionsOf(c.Request.Context(), person); err != nil {
			return fmt.Errorf("other backpacks: %w", err)
		}
	}
	out := make([]siteBadge, 0, len(known))
	for _, k := range known {
		b, err := s.siteBadge(c, site, in, person, k)
		if err == nil {
			err = s.addBackpacks(c, &b, conns, k.Award.ID)
		}
		if err != nil {
			return err
		}
		out = append(out, b)
	}
	writeJSON(c, http.StatusOK, map[string]any{"badges": out, "gateway": s.cfg.BaseURL(c.Request.Context())})
	return nil
}

// ofUser is the user's person here, "" nobody yet, and what is known of the
// user's records.
func (s *Server) ofUser(c *gin.Context, site engine.Site, in siteCall) (person string, known []engine.Known, err error) {
	ctx := c.Request.Context()
	if in.UserID != 0 { // else for a wall that everybody sees
		sub, err := subject(site, in)
		if err != nil {
			return "", nil, err
		}
		person, err = s.cfg.Login.Known(ctx, site.Issuer, sub)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return "", nil, err
		}
	}
	known, err = s.cfg.Engine.KnownAt(ctx, site.Remote.Name, in.Entries)
	if errors.Is(err, adapters.ErrRejected) {
		err = &fieldError{Field: "entries", Key: "site-entries"}
	}
	return person, known, err
}

func (s *Server) siteBadge(c *gin.Context, site engine.Site, in siteCall, person string, k engine.Known) (siteBadge, error) {
	ctx := c.Request.Context()
	b, err := s.completeBadge(ctx, k.Award)
	if err != nil {
		return siteBadge{}, err
	}
	mine := in.UserID != 0 && (b.PersonID != "" && b.PersonID == person || b.PersonID == "" && k.Link.Role == store.RoleOrigin)
	out := siteBadge{Entry: k.Entry, State: string(b.Claim), Visibility: string(b.Visibility), Title: b.Content.Name, Copies: []siteCopy{}, Can: []string{}}
	out.Public = b.Claim == store.Claimed && b.Visibility == store.Public && !b.Revoked
	if out.Public || mine && b.Claim == store.Claimed && b.Visibility == store.ByLink && !b.Revoked {
		out.PageURL, out.ShareURL = b.PublicURL(), linkedIn(b)
		out.VerifyURL = b.BaseURL + "/verify?input=" + queryEscape(b.PublicURL()+".json")
	}
	switch {
	case b.Revoked:
		out.State = "revoked"
		return out, nil
	case !mine:
		out.State, out.Visibility = "elsewhere", ""
		return out, nil
	case b.Claim == store.Offered && b.PageURL != "":
		out.State = "elsewhere" // it is accepted at its origin
		return out, nil
	}
	out.Baked = s.canBake(ctx, b)
	if site.Provider {
		out.ManageURL = b.BaseURL + "/login/start/" + string(site.Remote.Name) + "?return=" + queryEscape("/badges/"+b.ID+"#copies")
	}
	switch b.Claim {
	case store.Offered:
		out.Can = []string{"claim", "decline"}
	case store.Declined:
		out.Can = []string{"claim"}
	case store.Claimed:
		out.Can = []string{"publish", "link", "hide"}
	}
	lines, err := s.copies(ctx, b)
	if err != nil {
		return siteBadge{}, err
	}
	words := s.wordsOf(c)
	for _, l := range lines {
		if l.Remote == site.Remote.Name {
			continue
		}
		out.Copies = append(out.Copies, siteCopy{Place: l.Place, State: l.Key, Words: words.T("copy."+l.Key, "Place", l.Place), URL: l.URL})
	}
	return out, nil
}

// addBackpacks says of a claimed badge where else its member sent it, and where
// they could.
func (s *Server) addBackpacks(c *gin.Context, out *siteBadge, conns []store.Connection, awardID string) error {
	if out.State != string(store.Claimed) {
		return nil
	}
	at, err := s.badgeAt(c.Request.Context(), awardID, conns)
	if err != nil {
		return err
	}
	for _, a := range at {
		if a.Deposit != "" {
			out.Copies = append(out.Copies, siteCopy{Place: a.Title, State: string(a.Deposit), Words: s.wordsOf(c).T("backpacks.badge." + string(a.Deposit))})
		}
		if a.Sendable() && a.State == store.ConnectionActive {
			out.SendTo = append(out.SendTo, siteGoal{a.ID, a.Title})
		}
	}
	return nil
}

// siteAct does what the user asked for at the site, as the person whom the site
// vouches for.
func (s *Server) siteAct(c *gin.Context, site engine.Site, in siteCall) error {
	ctx := c.Request.Context()
	if len(in.Entries) != 1 {
		return &fieldError{Field: "entries", Key: "site-entries"}
	}
	sub, err := subject(site, in)
	if err != nil {
		return err
	}
	known, err := s.cfg.Engine.KnownAt(ctx, site.Remote.Name, in.Entries)
	if err != nil {
		return err
	}
	if len(known) == 0 {
		return store.ErrNotFound
	}
	person, err := s.cfg.Login.Vouch(ctx, string(site.Remote.Name), login.Vouched{
		Issuer: site.Issuer, Subject: sub, GivenName: in.Member.GivenName, FamilyName: in.Member.FamilyName, Locale: in.Member.Locale,
		Email: in.Member.Email, Verified: in.Member.EmailProven,
	})
	if err != nil {
		return err
	}
	if err := s.cfg.Engine.AdoptFrom(ctx, site.Remote.Name, person, known); err != nil {
		return err
	}
	id := known[0].Award.ID
	switch in.Act {
	case "claim":
		err = s.cfg.Engine.Claim(ctx, id, person)
	case "decline":
		err = s.cfg.Engine.Decline(ctx, id, person)
	case "publish":
		err = s.cfg.Engine.SetVisibility(ctx, id, person, store.Public)
	case "link":
		err = s.cfg.Engine.SetVisibility(ctx, id, person, store.ByLink)
	case "hide":
		err = s.cfg.Engine.SetVisibility(ctx, id, person, store.Private)
	case "send":
		err = s.sendFromSite(ctx, person, in.To, id)
	default:
		err = &fieldError{Field: "act", Key: "site-act"}
	}
	if err != nil {
		return err
	}
	s.Changed(id)
	return s.siteBadges(c, site, in)
}

// sendFromSite puts a badge on its way to a backpack that the member has
// connected here.
func (s *Server) sendFromSite(ctx context.Context, person, to, awardID string) error {
	if s.cfg.Connections == nil {
		return store.ErrNotFound
	}
	p, err := s.cfg.Connections.Push(ctx, person, to, []string{awardID})
	if err == nil && p.Left > 0 {
		err = fmt.Errorf("send: not claimed, or revoked: %w", store.ErrStale)
	}
	return err
}

// siteBaked gives the user's own baked image, whoever may see the page.
func (s *Server) siteBaked(c *gin.Context, site engine.Site, in siteCall) error {
	person, known, err := s.ofUser(c, site, in)
	if err != nil {
		return err
	}
	if len(known) != 1 || person == "" || known[0].Award.PersonID != person {
		return store.ErrNotFound
	}
	b, err := s.completeBadge(c.Request.Context(), known[0].Award)
	if err != nil {
		return err
	}
	doc, err := s.baked(c.Request.Context(), b, bakedForSites, false)
	if err != nil {
		return err
	}
	c.Data(http.StatusOK, doc.MediaType, doc.Body)
	return nil
}

// siteErasure answers what stays elsewhere when the site erases a user's data.
// The erasure itself comes with the site's records.
func (s *Server) siteErasure(c *gin.Context, site engine.Site, in siteCall) error {
	ctx, words := c.Request.Context(), s.wordsOf(c)
	sub, err := subject(site, in)
	if err != nil {
		return err
	}
	stays := []string{}
	person, err := s.cfg.Login.Known(ctx, site.Issuer, sub)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return err
	default:
		stays = append(stays, words.T("erasure.account", "Place", s.cfg.BaseURL(ctx)))
		awards, err := s.cfg.Store.AwardsOf(ctx, person, maxBadges)
		if err != nil {
			return err
		}
		places := map[string]bool{}
		for _, a := range awards {
			links, err := s.cfg.Store.LinksOf(ctx, a.ID)
			if err != nil {
				return err
			}
			for _, l := range links {
				_, place := s.remoteTitle(ctx, l.Remote)
				if l.Role == store.RoleCopy && l.State == store.LinkPresent && l.Remote != site.Remote.Name && !places[place] {
					places[place] = true
					stays = append(stays, words.T("erasure.copies", "Place", place))
				}
			}
		}
	}
	if err := s.cfg.Engine.RequestSync(ctx, site.Remote.Name); err != nil {
		return err
	}
	writeJSON(c, http.StatusOK, map[string]any{"stays": stays})
	return nil
}

// siteRekey replaces the pairing's key, as the site asked. The site hears of it
// in a call of its own, so this one does not wait for it.
func (s *Server) siteRekey(c *gin.Context, site engine.Site, _ siteCall) error {
	ctx := c.Request.Context()
	s.cfg.Go(func(stop context.Context) { s.rekey(stop, ctx, site.Remote.Name) })
	writeJSON(c, http.StatusAccepted, map[string]string{"status": "accepted"})
	return nil
}

// siteCut ends the connection, as the site has done already.
func (s *Server) siteCut(c *gin.Context, site engine.Site, _ siteCall) error {
	ctx := c.Request.Context()
	if err := s.cfg.Engine.PauseRemote(ctx, site.Remote.Name, s.wordsOf(c).T("remote.cut-there")); err != nil {
		return err
	}
	s.cfg.SitesChanged(ctx)
	writeJSON(c, http.StatusOK, map[string]string{"status": "cut"})
	return nil
}

func (s *Server) rekey(stop, ctx context.Context, name adapters.Remote) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longCall)
	defer cancel()
	defer context.AfterFunc(stop, cancel)()
	if err := s.cfg.Engine.Rekey(ctx, name); err != nil {
		s.cfg.Log.WarnContext(ctx, "the key was not replaced; asking again goes on", "remote", name, "error", err)
		return
	}
	s.cfg.SitesChanged(ctx)
}
