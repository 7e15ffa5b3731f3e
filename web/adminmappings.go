package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/engine"
	"badgebridge/web/locale"
)

// classLine is a badge with where it is known.
type classLine struct {
	store.Class
	Image  string
	Place  string // the remote's title
	Kind   string
	Awards int
	Mapped bool
}

// classLineOf is a badge with its remote looked up.
func (s *Server) classLineOf(ctx context.Context, cl store.Class) classLine {
	if cl.Remote == "" {
		return s.classLine(cl, "", "")
	}
	kind, place := s.remoteTitle(ctx, cl.Remote)
	return s.classLine(cl, kind, place)
}

func (s *Server) classLine(cl store.Class, kind, place string) classLine {
	line := classLine{Class: cl, Image: s.pages.assetURL("no-image.svg"), Kind: kind, Place: place}
	if cl.ImageSHA != "" {
		line.Image = "/ob/images/" + cl.ImageSHA
	}
	return line
}

type classGroup struct {
	Remote adapters.Remote
	Place  string
	Kind   string
	Lines  []classLine
}

// classGroups lists the badges by remote, where asked with how often each was
// awarded and whether it is mapped.
func (s *Server) classGroups(ctx context.Context, count bool) ([]classGroup, error) {
	list, err := s.cfg.Store.Classes(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("badges: %w", err)
	}
	awards, mapped := map[string]int{}, map[string]bool{}
	if count {
		if awards, err = s.cfg.Store.CountAwardsByClass(ctx); err != nil {
			return nil, fmt.Errorf("badges: %w", err)
		}
		mappings, err := s.cfg.Store.Mappings(ctx)
		if err != nil {
			return nil, fmt.Errorf("badges: %w", err)
		}
		for _, m := range mappings {
			mapped[m.ClassA], mapped[m.ClassB] = true, true
		}
	}
	at := map[adapters.Remote]int{}
	var out []classGroup
	for _, cl := range list {
		i, ok := at[cl.Remote]
		if !ok {
			i = len(out)
			at[cl.Remote] = i
			g := classGroup{Remote: cl.Remote}
			if cl.Remote != "" {
				g.Kind, g.Place = s.remoteTitle(ctx, cl.Remote)
			}
			out = append(out, g)
		}
		line := s.classLine(cl, out[i].Kind, out[i].Place)
		line.Awards, line.Mapped = awards[cl.ID], mapped[cl.ID]
		out[i].Lines = append(out[i].Lines, line)
	}
	return out, nil
}

func (s *Server) classes(c *gin.Context) {
	groups, err := s.classGroups(c.Request.Context(), true)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "admin/badges", groups)
}

type mappingLine struct {
	store.Mapping
	A, B classLine
}

// LeavesOld says that awards from before the policy are left alone.
func (m mappingLine) LeavesOld() bool { return !m.SinceAB.IsZero() || !m.SinceBA.IsZero() }

// MailedBy is who tells the member, for people; "" the gateway.
func (m mappingLine) MailedBy() string {
	switch m.Mailer {
	case store.MailA:
		return m.A.Place
	case store.MailB:
		return m.B.Place
	}
	return ""
}

// Off reports whether the policy lets nothing flow.
func (m mappingLine) Off() bool {
	return quiet(m.AToB) && quiet(m.BToA) && !m.RevokeAB && !m.RevokeBA
}

func quiet(w store.When) bool { return w == store.Never || w == "" }

func (s *Server) mappingLine(ctx context.Context, m store.Mapping) (mappingLine, error) {
	line := mappingLine{Mapping: m}
	for id, to := range map[string]*classLine{m.ClassA: &line.A, m.ClassB: &line.B} {
		cl, err := s.cfg.Store.Class(ctx, id)
		if err != nil {
			return line, fmt.Errorf("badge of the mapping: %w", err)
		}
		*to = s.classLineOf(ctx, cl)
	}
	return line, nil
}

func (s *Server) mappingLines(ctx context.Context) ([]mappingLine, error) {
	list, err := s.cfg.Store.Mappings(ctx)
	if err != nil {
		return nil, fmt.Errorf("mappings: %w", err)
	}
	groups, err := s.classGroups(ctx, false)
	if err != nil {
		return nil, err
	}
	known := map[string]classLine{}
	for _, g := range groups {
		for _, line := range g.Lines {
			known[line.ID] = line
		}
	}
	out := make([]mappingLine, 0, len(list))
	for _, m := range list {
		a, hasA := known[m.ClassA]
		b, hasB := known[m.ClassB]
		line := mappingLine{Mapping: m, A: a, B: b}
		if !hasA || !hasB { // one that is no longer listed
			if line, err = s.mappingLine(ctx, m); err != nil {
				return nil, err
			}
		}
		out = append(out, line)
	}
	return out, nil
}

func (s *Server) mappings(c *gin.Context) {
	lines, err := s.mappingLines(c.Request.Context())
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "admin/mappings", lines)
}

type newMappingView struct {
	Groups []classGroup // of the sites
	Others []classGroup
	A, B   string
	Line   *mappingLine // both are chosen
	Exists string       // the mapping that joins them already
}

// newMapping lets an admin choose the two badges, then the policy.
func (s *Server) newMapping(c *gin.Context) {
	ctx := c.Request.Context()
	v := newMappingView{A: c.Query("a"), B: c.Query("b")}
	if v.A != "" && v.B != "" {
		line, err := s.mappingLine(ctx, store.Mapping{
			ClassA: v.A, ClassB: v.B, AToB: store.OnClaim, BToA: store.Never, RevokeAB: true, OnReject: store.RejectKeeps, Mailer: store.MailGateway,
		})
		if err != nil {
			s.fail(c, err)
			return
		}
		v.Line = &line
		s.render(c, http.StatusOK, "admin/mapping-new", v)
		return
	}
	groups, err := s.classGroups(ctx, false)
	if err != nil {
		s.fail(c, err)
		return
	}
	for _, g := range groups {
		switch {
		case g.Remote == "": // the gateway's own: there is nothing to send there
		case isSite(g.Kind):
			v.Groups = append(v.Groups, g)
		default:
			v.Others = append(v.Others, g)
		}
	}
	s.render(c, http.StatusOK, "admin/mapping-new", v)
}

func (s *Server) mapping(c *gin.Context) {
	ctx := c.Request.Context()
	m, err := s.cfg.Store.Mapping(ctx, c.Param("id"))
	if err != nil {
		s.fail(c, fmt.Errorf("mapping: %w", err))
		return
	}
	line, err := s.mappingLine(ctx, m)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "admin/mapping", line)
}

// mappingFrom reads the policy form.
func (s *Server) mappingFrom(c *gin.Context) (store.Mapping, error) {
	ctx := c.Request.Context()
	var before store.Mapping
	m := store.Mapping{ClassA: c.PostForm("a"), ClassB: c.PostForm("b"), CreatedBy: visitorOf(c).PersonID}
	if id := c.PostForm("id"); id != "" {
		old, err := s.cfg.Store.Mapping(ctx, id)
		if err != nil {
			return m, fmt.Errorf("mapping: %w", err)
		}
		version, err := strconv.Atoi(c.PostForm("version"))
		if err != nil {
			return m, fmt.Errorf("version: %w", errBadInput)
		}
		m = old
		m.Version = version // what the admin looked at: a change since is refused
		before = old
	}
	for name, to := range map[string]*store.When{"a_to_b": &m.AToB, "b_to_a": &m.BToA} {
		switch w := store.When(c.PostForm(name)); w {
		case store.Never, store.OnClaim, store.AtOnce:
			*to = w
		default:
			return m, fmt.Errorf("%s: %w", name, errBadInput)
		}
	}
	m.RevokeAB, m.RevokeBA = c.PostForm("revoke_ab") == "yes", c.PostForm("revoke_ba") == "yes"
	switch m.OnReject = cmp.Or(store.OnReject(c.PostForm("on_reject")), store.RejectKeeps); m.OnReject {
	case store.RejectKeeps, store.RejectRevokes:
	default:
		return m, fmt.Errorf("on_reject: %w", errBadInput)
	}
	switch m.Mailer = cmp.Or(store.Mailer(c.PostForm("mailer")), store.MailGateway); m.Mailer {
	case store.MailGateway, store.MailA, store.MailB:
	default:
		return m, fmt.Errorf("mailer: %w", errBadInput)
	}
	if m = s.cfg.Engine.FromNowOn(m, before); c.PostForm("old") == "yes" {
		m = engine.WithOld(m)
	}
	return m, nil
}

// countLine is one line of a dry run's summary: Key is under "preview.".
type countLine struct {
	Key   string
	Count int
	Sends bool
}

type previewView struct {
	mappingLine
	Preview  engine.Preview
	Counts   []countLine
	Sends    int // what would leave now
	Old      engine.Preview
	OldCount []countLine
	OldSends int  // how much more would leave if old awards are reached, too
	Backfill bool // the page is about the old awards alone
}

// Reaches says whether old awards are left alone that could be reached.
func (v previewView) Reaches() bool {
	return v.Old.Total > 0 && v.Old.Counts["none"] < v.Preview.Counts["none"]
}

func (v previewView) title(w *locale.Words) string { return w.T("title.admin.preview") }

// previewMapping is the dry run: what the policy would do, before it is saved.
func (s *Server) previewMapping(c *gin.Context) {
	ctx := c.Request.Context()
	m, err := s.mappingFrom(c)
	var v previewView
	if err == nil {
		v.mappingLine, err = s.mappingLine(ctx, m)
	}
	if err == nil {
		v.Preview, err = s.cfg.Engine.DryRun(ctx, m)
	}
	if err == nil && (!m.SinceAB.IsZero() || !m.SinceBA.IsZero()) {
		v.Old, err = s.cfg.Engine.DryRun(ctx, engine.WithOld(m))
	}
	if err != nil {
		s.fail(c, fmt.Errorf("dry run: %w", err))
		return
	}
	v.Counts, v.Sends = countLines(v.Preview)
	v.OldCount, v.OldSends = countLines(v.Old)
	v.OldSends -= v.Sends
	s.render(c, http.StatusOK, "admin/preview", v)
}

// backfill is the dry run of a stored mapping's old awards.
func (s *Server) backfill(c *gin.Context) {
	ctx := c.Request.Context()
	m, err := s.cfg.Store.Mapping(ctx, c.Param("id"))
	v := previewView{Backfill: true}
	if err == nil {
		v.mappingLine, err = s.mappingLine(ctx, m)
	}
	if err == nil {
		v.Preview, err = s.cfg.Engine.DryRun(ctx, engine.WithOld(m))
	}
	if err != nil {
		s.fail(c, fmt.Errorf("backfill: %w", err))
		return
	}
	v.Counts, v.Sends = countLines(v.Preview)
	s.render(c, http.StatusOK, "admin/preview", v)
}

// countLines sums a dry run up, and says how much would leave at once.
func countLines(p engine.Preview) (lines []countLine, sends int) {
	// In the order in which they matter; what is not known by name comes last.
	order := []string{"issue", "revoke", "update", "remove", "wait:claim", "wait:name", "wait:address", "wait:not-issuable", "wait:paused", "cancel", "exists", "none"}
	known := map[string]bool{}
	for _, key := range order {
		known[key] = true
		if n := p.Counts[key]; n > 0 {
			line := countLine{Key: strings.ReplaceAll(key, ":", "-"), Count: n}
			switch key {
			case "issue", "revoke", "update", "remove":
				line.Sends = true
				sends += n
			}
			lines = append(lines, line)
		}
	}
	other := 0
	for key, n := range p.Counts {
		if !known[key] {
			other += n
		}
	}
	if other > 0 {
		lines = append(lines, countLine{Key: "other", Count: other})
	}
	return lines, sends
}

func (s *Server) saveMapping(c *gin.Context) {
	m, err := s.mappingFrom(c)
	if err == nil {
		m, err = s.cfg.Engine.PutMapping(c.Request.Context(), m)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("save mapping: %w", err))
		return
	}
	s.say(c, "ok", "mapping-saved", nil)
	c.Redirect(http.StatusSeeOther, "/admin/mappings/"+m.ID)
}

func (s *Server) mappingAction(c *gin.Context) {
	ctx, id := c.Request.Context(), c.Param("id")
	m, err := s.cfg.Store.Mapping(ctx, id)
	if err != nil {
		s.fail(c, fmt.Errorf("mapping: %w", err))
		return
	}
	said, to := "", "/admin/mappings/"+id
	switch c.Param("action") {
	case "pause":
		m.Paused, said = s.wordsOf(c).T("remote.paused-by", "Person", visitorOf(c).Title()), "mapping-paused"
		_, err = s.cfg.Engine.PutMapping(ctx, m)
	case "resume":
		m.Paused, said = "", "mapping-resumed"
		_, err = s.cfg.Engine.PutMapping(ctx, m)
	case "backfill":
		said = "mapping-backfilled"
		version, verr := strconv.Atoi(c.PostForm("version"))
		if err = verr; err != nil {
			err = fmt.Errorf("version: %w", errBadInput)
			break
		}
		err = s.cfg.Engine.Backfill(ctx, id, version)
	case "delete":
		if c.PostForm("sure") != "yes" {
			err = fmt.Errorf("not confirmed: %w", errBadInput)
			break
		}
		said, to = "mapping-deleted", "/admin/mappings"
		if err = s.cfg.Engine.DeleteMapping(ctx, id); errors.Is(err, store.ErrNotFound) {
			err = nil // somebody else was quicker
		}
	default:
		err = store.ErrNotFound
	}
	if err != nil {
		s.fail(c, fmt.Errorf("mapping: %w", err))
		return
	}
	s.say(c, "ok", said, nil)
	c.Redirect(http.StatusSeeOther, to)
}
