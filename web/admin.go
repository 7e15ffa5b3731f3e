package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/signing"
)

func (s *Server) adminRoutes(g *gin.RouterGroup) {
	get(g, "", s.overview)
	get(g, "/remotes", s.remotes)
	get(g, "/remotes/:name", s.remote)
	g.POST("/remotes/:name/:action", s.remoteAction)
	get(g, "/connect/wordpress", s.connectSite)
	g.POST("/connect/wordpress", s.makePairCode)
	g.POST("/connect/wordpress/agree", s.agreeToPair)
	get(g, "/connect/credly", s.connectCredly)
	g.POST("/connect/credly", s.connectCredlyForm)
	get(g, "/connect/old-credly", s.connectDoor)
	get(g, "/remotes/:name/old-credly", s.oldLinks)
	g.POST("/connect/old-credly", s.makeDoor)
	get(g, "/badges", s.classes)
	s.importRoutes(g)
	get(g, "/mappings", s.mappings)
	get(g, "/mappings/new", s.newMapping)
	get(g, "/mappings/:id", s.mapping)
	get(g, "/mappings/:id/backfill", s.backfill)
	g.POST("/mappings/preview", s.previewMapping)
	g.POST("/mappings", s.saveMapping)
	g.POST("/mappings/:id/:action", s.mappingAction)
	get(g, "/runs", s.runs)
	get(g, "/runs/:id", s.run)
	get(g, "/pushes", s.pushes)
	get(g, "/pushes/:id", s.push)
	g.POST("/pushes/:id/link", s.linkPush)
	g.POST("/pushes/:id/:action", s.pushAction)
	get(g, "/people", s.people)
}

type remoteLine struct {
	store.Remote
	LastRun  *store.Run
	Links    int
	Attends  bool // a person must look
	StateKey string
	Sign     string
	Tone     string
	// Expires is when the remote stops taking our credentials, zero unknown;
	// ExpiresIn counts days up to it.
	Expires     time.Time
	ExpiresIn   int
	ExpiresSoon bool
	Expired     bool
}

// remoteLine says how a remote is, in one word.
func (s *Server) remoteLine(c *gin.Context, r store.Remote) (remoteLine, error) {
	ctx := c.Request.Context()
	line := remoteLine{Remote: r}
	switch {
	case r.State == store.RemoteReadOnly:
		line.StateKey, line.Sign, line.Tone, line.Attends = "identity", "!", "warn", true
	case r.State == store.RemotePaused:
		line.StateKey, line.Sign = "paused", "‖"
	case r.Health == "unauthorized":
		line.StateKey, line.Sign, line.Tone, line.Attends = "unauthorized", "!", "bad", true
	case r.Health == "failing":
		line.StateKey, line.Sign, line.Tone, line.Attends = "failing", "!", "warn", true
	case r.Health == "ok":
		line.StateKey, line.Sign, line.Tone = "ok", "✓", "ok"
	default:
		line.StateKey, line.Sign = "unchecked", "·"
	}
	var said struct {
		Expires time.Time `json:"expires"`
	}
	if json.Unmarshal(r.HealthDetails, &said) == nil && !said.Expires.IsZero() {
		line.Expires = said.Expires
		left := said.Expires.Sub(s.cfg.Now())
		line.ExpiresIn = int((left + 24*time.Hour - 1) / (24 * time.Hour))
		line.Expired = left <= 0
		line.ExpiresSoon = left > 0 && left <= 30*24*time.Hour
	}
	runs, err := s.cfg.Store.Runs(ctx, r.Name, 1)
	if err != nil {
		return line, fmt.Errorf("runs: %w", err)
	}
	if len(runs) > 0 {
		line.LastRun = &runs[0]
		line.Attends = line.Attends || runs[0].State == store.RunHeld
	}
	if line.Links, err = s.cfg.Store.CountLinks(ctx, r.Name); err != nil {
		return line, fmt.Errorf("links: %w", err)
	}
	return line, nil
}

func (s *Server) remoteLines(c *gin.Context) ([]remoteLine, error) {
	list, err := s.cfg.Store.Remotes(c.Request.Context())
	if err != nil {
		return nil, fmt.Errorf("remotes: %w", err)
	}
	out := make([]remoteLine, 0, len(list))
	for _, r := range list {
		line, err := s.remoteLine(c, r)
		if err != nil {
			return nil, err
		}
		out = append(out, line)
	}
	return out, nil
}

type overviewView struct {
	Remotes  []remoteLine
	Attend   []remoteLine
	Pushes   map[store.PushState]int
	Mappings int
	Paused   []mappingLine
	Awards   int
	Offered  int
	Flagged  int
	Runs     []store.Run
	Places   map[adapters.Remote]string
	Calm     bool
	HasSite  bool
	HasOther bool
	NoBase   bool
	Key      signing.Key // what signs credentials; zero before the first
	OldKeys  int
	Drifted  int           // mappings whose badge elsewhere changed
	Gone     int           // or is gone
	Import   *store.Import // under way, or ended badly
	Expiring []remoteLine  // their credentials end soon
}

// PushCount is for the page: the map is keyed by a type of its own.
func (v overviewView) PushCount(state string) int { return v.Pushes[store.PushState(state)] }

// overview says first what needs a person.
func (s *Server) overview(c *gin.Context) {
	ctx := c.Request.Context()
	var v overviewView
	var err error
	if v.Remotes, err = s.remoteLines(c); err != nil {
		s.fail(c, err)
		return
	}
	v.Places = map[adapters.Remote]string{}
	for _, r := range v.Remotes {
		v.Places[r.Name] = r.Title
		if r.Attends {
			v.Attend = append(v.Attend, r)
		}
		v.HasSite = v.HasSite || isSite(r.Kind)
		v.HasOther = v.HasOther || !isSite(r.Kind)
	}
	if v.Pushes, err = s.cfg.Store.CountPushes(ctx); err == nil {
		v.Awards, err = s.cfg.Store.CountAwards(ctx, store.AwardFilter{})
	}
	if err == nil {
		v.Offered, err = s.cfg.Store.CountAwards(ctx, store.AwardFilter{Claim: store.Offered})
	}
	if err == nil {
		v.Flagged, err = s.cfg.Store.CountAwards(ctx, store.AwardFilter{Flagged: true})
	}
	if err == nil {
		v.Runs, err = s.cfg.Store.Runs(ctx, "", 6)
	}
	var lines []mappingLine
	if err == nil {
		lines, err = s.mappingLines(ctx)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("overview: %w", err))
		return
	}
	v.Mappings = len(lines)
	for _, m := range lines {
		if m.Paused != "" {
			v.Paused = append(v.Paused, m)
		}
	}
	keys, err := s.cfg.Engine.Keys().List(ctx)
	if err == nil {
		err = s.overviewDrift(ctx, &v)
	}
	if err == nil {
		v.Import, err = s.going(ctx)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("overview: %w", err))
		return
	}
	for _, k := range keys {
		if !k.RetiredAt.IsZero() {
			v.OldKeys++
		} else if k.Algorithm == signing.EdDSA {
			v.Key = k
		}
	}
	for _, r := range v.Remotes {
		if r.ExpiresSoon {
			v.Expiring = append(v.Expiring, r)
		}
	}
	v.NoBase = s.cfg.BaseURL(ctx) == ""
	v.Calm = v.Drifted+v.Gone+len(v.Expiring) == 0 && v.Import == nil && len(v.Attend) == 0 && len(v.Paused) == 0 && v.Flagged == 0 && !v.NoBase &&
		v.Pushes[store.PushHeld] == 0 && v.Pushes[store.PushRejected] == 0
	s.render(c, http.StatusOK, "admin/overview", v)
}

type personLine struct {
	store.Person
	Addresses []string
	SignIns   []store.SignIn
}

type peopleView struct {
	People []personLine
	Next   string
}

const peoplePage = 50

func (s *Server) people(c *gin.Context) {
	ctx := c.Request.Context()
	list, err := s.cfg.Store.Persons(ctx, c.Query("after"), peoplePage+1)
	if err != nil {
		s.fail(c, fmt.Errorf("people: %w", err))
		return
	}
	var v peopleView
	if len(list) > peoplePage {
		list = list[:peoplePage]
		v.Next = list[peoplePage-1].ID
	}
	if v.People, err = s.personLines(ctx, list); err != nil {
		s.fail(c, fmt.Errorf("people: %w", err))
		return
	}
	s.render(c, http.StatusOK, "admin/people", v)
}

func (s *Server) personLines(ctx context.Context, list []store.Person) ([]personLine, error) {
	out := make([]personLine, len(list))
	at, ids := map[string]*personLine{}, make([]string, len(list))
	for i, p := range list {
		out[i].Person, at[p.ID], ids[i] = p, &out[i], p.ID
	}
	known, err := s.cfg.Store.IdentifiersOf(ctx, ids...)
	if err != nil {
		return nil, err
	}
	for _, id := range known {
		if id.Type == openbadges.IdentityEmail {
			at[id.PersonID].Addresses = append(at[id.PersonID].Addresses, shortAddress(id.Value))
		}
	}
	signIns, err := s.cfg.Store.SignInsOf(ctx, ids...)
	for _, in := range signIns {
		at[in.PersonID].SignIns = append(at[in.PersonID].SignIns, in)
	}
	return out, err
}

// shortAddress is "b…@example.org".
func shortAddress(a string) string {
	local, domain, ok := strings.Cut(a, "@")
	if !ok || local == "" {
		return a
	}
	r := []rune(local)
	return string(r[0]) + "…@" + domain
}
