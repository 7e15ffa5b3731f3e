package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/connections"
	"badgebridge/web/locale"
)

// kindBackpack is the driver that people connect by an address.
const kindBackpack = "backpack"

const (
	backpacksPath = "/me/backpacks"
	// backPath is where another backpack leads people back; the offer's id follows.
	backPath = backpacksPath + "/back/"
)

// backpackRoutes are a member's own connections to other backpacks.
func (s *Server) backpackRoutes(site *gin.RouterGroup) {
	g := site.Group(backpacksPath, s.needMember)
	get(g, "", s.backpacks)
	g.POST("", s.offerBackpack)
	get(g, "/:id", s.backpackPage)
	g.POST("/:id/push", s.pushToBackpack)
	g.POST("/:id/auto", s.autoBackpack)
	g.POST("/:id/retry", s.retryBackpack)
	g.POST("/:id/disconnect", s.disconnectBackpack)
	get(site, backPath+":id", s.backFromBackpack)
}

// backpackLine is a connection with what became of what went through it.
type backpackLine struct {
	store.Connection
	There   int
	Open    int // on their way
	Refused int // or given up
	Waiting int // for the person to connect again
}

// Total is how many badges were meant to go there.
func (l backpackLine) Total() int { return l.There + l.Open + l.Refused + l.Waiting }

// Settled is how many need no more attempt by themselves.
func (l backpackLine) Settled() int { return l.There + l.Refused }

func (s *Server) backpackLine(ctx context.Context, c store.Connection) (backpackLine, error) {
	n, err := s.cfg.Store.CountDeposits(ctx, c.ID)
	if err != nil {
		return backpackLine{}, fmt.Errorf("other backpacks: %w", err)
	}
	return backpackLine{
		Connection: c, There: n[store.PushDone], Open: n[store.PushQueued] + n[store.PushSent],
		Refused: n[store.PushRejected] + n[store.PushHeld], Waiting: n[store.PushWaiting],
	}, nil
}

func (s *Server) backpackLines(ctx context.Context, personID string) ([]backpackLine, error) {
	conns, err := s.cfg.Store.ConnectionsOf(ctx, personID)
	if err != nil {
		return nil, fmt.Errorf("other backpacks: %w", err)
	}
	out := make([]backpackLine, 0, len(conns))
	for _, c := range conns {
		l, err := s.backpackLine(ctx, c)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

type backpacksView struct {
	Lines   []backpackLine
	Address string
	Problem string     // key under "error.", "" none
	For     *badgeGoes // the badge for which one is to be connected
}

// badgeGoes is a badge of the visitor's that goes to a backpack when that one is
// connected.
type badgeGoes struct{ ID, Name, Image string }

// badgeGoes reads the visitor's badge that a request names; nil where it names
// none that they could send.
func (s *Server) badgeGoes(c *gin.Context, id string) (*badgeGoes, error) {
	if id == "" {
		return nil, nil
	}
	b, err := s.loadBadge(c.Request.Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("other backpacks: %w", err)
	case b.PersonID != visitorOf(c).PersonID || b.Claim != store.Claimed || b.Revoked:
		return nil, nil
	}
	return &badgeGoes{b.ID, b.Content.Name, b.Image}, nil
}

func (v backpacksView) refresh() int {
	for _, l := range v.Lines {
		if l.Open > 0 && l.State == store.ConnectionActive {
			return 5
		}
	}
	return 0
}

func (s *Server) backpacks(c *gin.Context) {
	goes, err := s.badgeGoes(c, c.Query("badge"))
	if err != nil {
		s.fail(c, err)
		return
	}
	s.showBackpacks(c, http.StatusOK, backpacksView{For: goes})
}

func (s *Server) showBackpacks(c *gin.Context, status int, v backpacksView) {
	var err error
	if v.Lines, err = s.backpackLines(c.Request.Context(), visitorOf(c).PersonID); err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, status, "backpacks", v)
}

// offerBackpack shows what would be sent, and to whom, before anything is: the
// person's consent is the way on from there.
func (s *Server) offerBackpack(c *gin.Context) {
	v := backpacksView{Address: c.PostForm("address")}
	if !s.allow(c, "backpack-connect", 20, time.Minute) {
		s.fail(c, errTooMany)
		return
	}
	var err error
	if v.For, err = s.badgeGoes(c, c.PostForm("badge")); err != nil {
		s.fail(c, err)
		return
	}
	award := ""
	if v.For != nil {
		award = v.For.ID
	}
	o, err := s.cfg.Connections.Begin(c.Request.Context(), visitorOf(c).PersonID, kindBackpack, v.Address, backPath, award)
	switch {
	case err == nil:
		s.render(c, http.StatusOK, "backpack-offer", offerView{o, v.For})
		return
	case errors.Is(err, connections.ErrAddress):
		v.Problem = "backpack-address"
	case errors.Is(err, connections.ErrNotReady):
		v.Problem = "backpack-not-ready"
	case errors.Is(err, adapters.ErrNotFound):
		v.Problem = "backpack-none"
	case adapters.Temporary(err):
		v.Problem = "backpack-away"
	default:
		s.fail(c, fmt.Errorf("connect a backpack: %w", err))
		return
	}
	s.showBackpacks(c, http.StatusUnprocessableEntity, v)
}

type offerView struct {
	connections.Offer
	For *badgeGoes
}

// backFromBackpack is where the other side leads the person back, with the grant
// in the query: it stays in no address, page or cache.
func (s *Server) backFromBackpack(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.Header("Referrer-Policy", "no-referrer")
	v := visitorOf(c)
	if v == nil {
		c.Redirect(http.StatusSeeOther, "/login?return="+url.QueryEscape(backpacksPath))
		return
	}
	done, err := s.cfg.Connections.Finish(c.Request.Context(), v.PersonID, c.Param("id"), c.Request.URL.Query())
	back := backpacksPath
	if done.AwardID != "" {
		back = badgeAtBackpacks(done.AwardID)
	}
	switch {
	case err == nil && done.Pushed.Sends()+done.Pushed.There > 0:
		s.say(c, "ok", "backpack-connected-sent", map[string]any{"Host": done.Title})
		c.Redirect(http.StatusSeeOther, back)
		return
	case err == nil:
		s.say(c, "ok", "backpack-connected", map[string]any{"Host": done.Title})
		c.Redirect(http.StatusSeeOther, backpacksPath+"/"+done.ID)
		return
	case errors.Is(err, adapters.ErrRejected) && c.Query("error") != "":
		s.say(c, "note", "backpack-denied", nil)
	case errors.Is(err, store.ErrNotFound), errors.Is(err, adapters.ErrUnauthorized), errors.Is(err, adapters.ErrRejected):
		s.say(c, "error", "backpack-not-connected", nil)
	default:
		s.fail(c, fmt.Errorf("connect a backpack: %w", err))
		return
	}
	c.Redirect(http.StatusSeeOther, back)
}

// badgeAtBackpacks is where a badge's page says in which other backpacks it is.
func badgeAtBackpacks(id string) string { return "/badges/" + url.PathEscape(id) + "#backpacks" }

// depositLine is one badge that did not arrive.
type depositLine struct {
	store.Deposit
	Name  string
	Image string
}

type collectionChoice struct {
	ID    string
	Name  string
	Count int
}

type backpackView struct {
	backpackLine
	Undone      []depositLine // refused or given up
	More        bool
	Sendable    int
	Collections []collectionChoice
}

func (v backpackView) title(*locale.Words) string { return v.Title }

func (v backpackView) refresh() int {
	if v.Open > 0 && v.State == store.ConnectionActive {
		return 2
	}
	return 0
}

// maxUndone bounds the refusals that one page shows.
const maxUndone = 50

func (s *Server) backpackPage(c *gin.Context) {
	ctx := c.Request.Context()
	who := visitorOf(c).PersonID
	conn, err := s.cfg.Store.Connection(ctx, c.Param("id"))
	if err == nil && conn.PersonID != who {
		err = store.ErrNotFound
	}
	var v backpackView
	if err == nil {
		v.backpackLine, err = s.backpackLine(ctx, conn)
	}
	if err == nil {
		err = s.undone(ctx, &v)
	}
	if err == nil {
		v.Sendable, err = s.cfg.Store.CountAwards(ctx, store.AwardFilter{PersonID: who, Claim: store.Claimed})
	}
	if err == nil {
		v.Collections, err = s.collectionChoices(ctx, who)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("other backpack: %w", err))
		return
	}
	s.render(c, http.StatusOK, "backpack", v)
}

// undone lists what did not arrive, with the other side's words.
func (s *Server) undone(ctx context.Context, v *backpackView) error {
	for _, state := range []store.PushState{store.PushRejected, store.PushHeld} {
		list, err := s.cfg.Store.DepositsIn(ctx, v.ID, state, maxUndone+1)
		if err != nil {
			return err
		}
		for _, d := range list {
			if len(v.Undone) == maxUndone {
				v.More = true
				return nil
			}
			b, err := s.loadBadge(ctx, d.AwardID)
			if err != nil {
				return err
			}
			v.Undone = append(v.Undone, depositLine{Deposit: d, Name: b.Content.Name, Image: b.Image})
		}
	}
	return nil
}

// sendable are the badges of a person that may go elsewhere.
func (s *Server) sendable(ctx context.Context, personID string) ([]string, error) {
	awards, err := s.cfg.Store.AwardsOf(ctx, personID, 0)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, a := range awards {
		if a.Claim == store.Claimed && !a.Revoked {
			out = append(out, a.ID)
		}
	}
	return out, nil
}

func (s *Server) collectionChoices(ctx context.Context, personID string) ([]collectionChoice, error) {
	all, err := s.cfg.Store.CollectionsOf(ctx, personID)
	if err != nil {
		return nil, err
	}
	var out []collectionChoice
	for _, col := range all {
		badges, err := s.cfg.Store.CollectionBadges(ctx, col.ID)
		if err != nil {
			return nil, err
		}
		if len(badges) > 0 {
			out = append(out, collectionChoice{ID: col.ID, Name: col.Name, Count: len(badges)})
		}
	}
	return out, nil
}

// pushToBackpack sends one badge, a collection, or all.
func (s *Server) pushToBackpack(c *gin.Context) {
	ctx := c.Request.Context()
	who, id := visitorOf(c).PersonID, c.Param("id")
	back := backpacksPath + "/" + id
	var awards []string
	var err error
	switch {
	case c.PostForm("award") != "":
		awards = []string{c.PostForm("award")}
		back = badgeAtBackpacks(awards[0])
	case c.PostForm("collection") != "":
		awards, err = s.inCollection(ctx, who, c.PostForm("collection"))
	case c.PostForm("all") != "":
		awards, err = s.sendable(ctx, who)
	default:
		err = errBadInput
	}
	var p connections.Pushed
	if err == nil {
		p, err = s.cfg.Connections.Push(ctx, who, id, awards)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("send to another backpack: %w", err))
		return
	}
	switch {
	case p.Sends() > 0:
		s.say(c, "ok", "backpack-sent", map[string]any{"Sent": p.Sends(), "There": p.There})
	case p.There > 0:
		s.say(c, "note", "backpack-there", nil)
	default:
		s.say(c, "warn", "backpack-nothing", nil)
	}
	c.Redirect(http.StatusSeeOther, back)
}

func (s *Server) inCollection(ctx context.Context, personID, id string) ([]string, error) {
	col, err := s.cfg.Store.Collection(ctx, id)
	if err == nil && col.PersonID != personID {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	places, err := s.cfg.Store.CollectionBadges(ctx, id)
	out := make([]string, 0, len(places))
	for _, p := range places {
		out = append(out, p.AwardID)
	}
	return out, err
}

func (s *Server) autoBackpack(c *gin.Context) {
	on := c.PostForm("on") == "yes"
	if err := s.cfg.Connections.SetAuto(c.Request.Context(), visitorOf(c).PersonID, c.Param("id"), on); err != nil {
		s.fail(c, err)
		return
	}
	if on {
		s.say(c, "ok", "backpack-auto", nil)
	} else {
		s.say(c, "ok", "backpack-manual", nil)
	}
	c.Redirect(http.StatusSeeOther, backpacksPath+"/"+url.PathEscape(c.Param("id")))
}

func (s *Server) retryBackpack(c *gin.Context) {
	if _, err := s.cfg.Connections.Retry(c.Request.Context(), visitorOf(c).PersonID, c.Param("id")); err != nil {
		s.fail(c, err)
		return
	}
	s.say(c, "ok", "backpack-retry", nil)
	c.Redirect(http.StatusSeeOther, backpacksPath+"/"+url.PathEscape(c.Param("id")))
}

func (s *Server) disconnectBackpack(c *gin.Context) {
	ctx := c.Request.Context()
	who, id := visitorOf(c).PersonID, c.Param("id")
	conn, err := s.cfg.Store.Connection(ctx, id)
	told := false
	if err == nil {
		told, err = s.cfg.Connections.Disconnect(ctx, who, id)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("disconnect: %w", err))
		return
	}
	if told {
		s.say(c, "ok", "backpack-disconnected", map[string]any{"Host": conn.Title})
	} else {
		s.say(c, "warn", "backpack-disconnected-here", map[string]any{"Host": conn.Title})
	}
	c.Redirect(http.StatusSeeOther, backpacksPath)
}

// badgeAt is where a badge is among its owner's other backpacks: for the badge's
// own page.
type badgeAt struct {
	store.Connection
	Award   string
	Deposit store.PushState // "" it was never sent there
	Reason  string
	Words   string
}

// Sendable tells whether the badge can be sent there: it is neither there nor on
// its way.
func (a badgeAt) Sendable() bool {
	return a.Deposit != store.PushDone && !a.Deposit.Open()
}

// badgeBackpacks is what the badge page shows of other backpacks; nil where there
// are no pages for them.
type badgeBackpacks struct {
	Award string
	At    []badgeAt
}

func (s *Server) badgeBackpacks(ctx context.Context, b badge) (*badgeBackpacks, error) {
	if s.cfg.Connections == nil || b.Claim != store.Claimed || b.Revoked {
		return nil, nil
	}
	conns, err := s.cfg.Store.ConnectionsOf(ctx, b.PersonID)
	if err != nil {
		return nil, fmt.Errorf("other backpacks: %w", err)
	}
	at, err := s.badgeAt(ctx, b.ID, conns)
	return &badgeBackpacks{Award: b.ID, At: at}, err
}

// badgeAt says of each connection what became of the badge there.
func (s *Server) badgeAt(ctx context.Context, awardID string, conns []store.Connection) ([]badgeAt, error) {
	if len(conns) == 0 {
		return nil, nil
	}
	deposits, err := s.cfg.Store.DepositsOfAward(ctx, awardID)
	if err != nil {
		return nil, fmt.Errorf("other backpacks: %w", err)
	}
	out := make([]badgeAt, 0, len(conns))
	for _, c := range conns {
		at := badgeAt{Connection: c, Award: awardID}
		for _, d := range deposits {
			if d.ConnectionID == c.ID {
				at.Deposit, at.Reason, at.Words = d.State, d.Reason, d.Words
			}
		}
		out = append(out, at)
	}
	return out, nil
}

// site is a site that may send a person badges.
type grantedSite struct {
	ID    string
	Host  string
	Since time.Time
	Used  time.Time
}

// grantedSites lists who may send the person badges, for their profile.
func (s *Server) grantedSites(ctx context.Context, personID string) ([]grantedSite, error) {
	grants, err := s.cfg.Store.GrantsOf(ctx, personID)
	if err != nil {
		return nil, fmt.Errorf("sites that may send badges: %w", err)
	}
	out := make([]grantedSite, 0, len(grants))
	for _, g := range grants {
		one := grantedSite{ID: g.ID, Host: hostPort(g.Origin), Since: g.CreatedAt, Used: g.UsedAt}
		if one.Host == "" {
			one.Host = g.Origin // an OAuth client's id
		}
		out = append(out, one)
	}
	return out, nil
}
