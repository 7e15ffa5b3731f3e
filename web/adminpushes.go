package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/engine"
	"badgebridge/sync/outbox"
	"badgebridge/web/locale"
)

const pushPage = 50

type pushLine struct {
	store.Push
	Badge string
	Image string
	Who   string
	Place string
	Sign  string
	Tone  string
}

type pushesView struct {
	Pushes  []pushLine
	States  []store.PushState
	Counts  map[store.PushState]int
	State   store.PushState
	Remote  adapters.Remote
	Remotes map[adapters.Remote]string
	Next    string
}

// pushStates is the order of the filter: what needs a person first.
func pushStates() []store.PushState {
	return []store.PushState{
		store.PushHeld, store.PushRejected, store.PushWaiting, store.PushQueued, store.PushSent, store.PushDone, store.PushCancelled,
	}
}

func pushTone(st store.PushState) (sign, tone string) {
	switch st {
	case store.PushDone:
		return "✓", "ok"
	case store.PushHeld, store.PushRejected:
		return "!", "warn"
	case store.PushCancelled:
		return "–", ""
	}
	return "…", ""
}

func (s *Server) pushLine(ctx context.Context, p store.Push) (pushLine, badge, error) {
	line := pushLine{Push: p}
	line.Sign, line.Tone = pushTone(p.State)
	_, line.Place = s.remoteTitle(ctx, p.Remote)
	b, err := s.loadBadge(ctx, p.AwardID)
	if err != nil {
		return line, b, err
	}
	line.Badge, line.Image, line.Who = b.Content.Name, b.Image, earnerOf(b)
	return line, b, nil
}

// earnerOf is who an admin sees: a name, or the shortened address.
func earnerOf(b badge) string {
	if n := b.Earner(); n != "" {
		return n
	}
	return shortAddress(b.Recipient.Identity)
}

func (s *Server) pushes(c *gin.Context) {
	ctx := c.Request.Context()
	v := pushesView{States: pushStates(), State: store.PushState(c.Query("state")), Remote: adapters.Remote(c.Query("remote"))}
	list, err := s.cfg.Store.Pushes(ctx, store.PushFilter{Remote: v.Remote, State: v.State, Before: c.Query("before"), Limit: pushPage + 1})
	if err == nil {
		v.Counts, err = s.cfg.Store.CountPushes(ctx)
	}
	if err == nil {
		v.Remotes, err = s.places(c)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("pushes: %w", err))
		return
	}
	if len(list) > pushPage {
		list = list[:pushPage]
		v.Next = list[pushPage-1].ID
	}
	for _, p := range list {
		line, _, err := s.pushLine(ctx, p)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			s.fail(c, fmt.Errorf("pushes: %w", err))
			return
		}
		v.Pushes = append(v.Pushes, line)
	}
	s.render(c, http.StatusOK, "admin/pushes", v)
}

// Count is for the page.
func (v pushesView) Count(st store.PushState) int { return v.Counts[st] }

// step is one part of a push's story: Key is under "story.".
type step struct {
	Key    string
	Args   map[string]any
	Detail string // a plain fact: a ref
	Reason string // key under "reason.", "" none
	Words  string // the remote's own
	By     string // the person who asked for it, "" nobody
	At     time.Time
	Sign   string
	Tone   string
}

type pushView struct {
	pushLine
	Award    badge
	Steps    []step
	Next     string // key under "next."
	Places   []copyLine
	Hosted   bool
	SendMay  bool
	CancelMy bool
	Attend   bool
	// What a person can decide about a doubtful issue.
	LinkMay, AbsentMay bool
	Record             string // what they typed
	Problem            string // key under "error.", "" none
}

func (v pushView) title(w *locale.Words) string {
	return w.T("push.title", "Badge", v.Badge, "Person", v.Who)
}

// push tells one push as a story: what happened, in the other side's own words,
// and what to do next.
func (s *Server) push(c *gin.Context) { s.showPush(c, http.StatusOK, pushView{}) }

func (s *Server) showPush(c *gin.Context, status int, v pushView) {
	ctx := c.Request.Context()
	p, err := s.cfg.Store.Push(ctx, c.Param("id"))
	if err != nil {
		s.fail(c, fmt.Errorf("push: %w", err))
		return
	}
	if v.pushLine, v.Award, err = s.pushLine(ctx, p); err != nil {
		s.fail(c, fmt.Errorf("push: %w", err))
		return
	}
	if v.Steps, err = s.story(ctx, v.pushLine, v.Award); err == nil {
		v.Places, err = s.copies(ctx, v.Award)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("push: %w", err))
		return
	}
	if _, err := s.cfg.Store.AssertionOf(ctx, v.Award.ID, openbadges.V20); err == nil {
		v.Hosted = v.Award.Claim == store.Claimed && !v.Award.Revoked
	}
	v.Attend = p.State == store.PushHeld || p.State == store.PushRejected
	v.SendMay = v.Attend || (p.State == store.PushCancelled && p.Reason == "person") || p.State == store.PushQueued
	v.CancelMy = v.Attend || p.State == store.PushWaiting || p.State == store.PushQueued
	v.Next = string(p.State)
	if v.Attend && p.State == store.PushHeld {
		if v.LinkMay, v.AbsentMay, err = s.cfg.Engine.Decidable(ctx, p); err != nil {
			// A remote whose configuration can't be used offers nothing to decide.
			s.cfg.Log.WarnContext(ctx, "what can be decided about a push is not known", "push", p.ID, "error", err)
		}
	}
	s.render(c, status, "admin/push", v)
}

// story is what led to the push, and the push's own events.
func (s *Server) story(ctx context.Context, line pushLine, b badge) ([]step, error) {
	_, origin := s.remoteTitle(ctx, b.Origin)
	steps := []step{{Key: "awarded", Args: map[string]any{"Place": origin}, Detail: string(b.OriginRef), At: b.IssuedOn, Sign: "✓", Tone: "ok"}}
	claims, err := s.cfg.Store.ClaimsOf(ctx, b.ID)
	if err != nil {
		return nil, fmt.Errorf("story: %w", err)
	}
	for _, cl := range claims {
		st := step{Key: string(cl.State), Args: map[string]any{"Person": line.Who}, At: cl.At, Sign: "✓", Tone: "ok"}
		if cl.State == store.Declined {
			st.Sign, st.Tone = "–", ""
		}
		steps = append(steps, st)
	}
	if b.Revoked {
		steps = append(steps, step{Key: "revoked", Args: map[string]any{"Place": origin}, Words: b.RevocationReason, At: b.RevokedAt, Sign: "⊘", Tone: "bad"})
	}
	events, err := s.cfg.Store.PushEvents(ctx, line.ID)
	if err != nil {
		return nil, fmt.Errorf("story: %w", err)
	}
	for _, e := range events {
		st := step{Key: "push-" + string(e.State), Args: map[string]any{"Place": line.Place}, Reason: e.Reason, Words: e.Words, At: e.At}
		st.Sign, st.Tone = pushTone(e.State)
		if e.State == store.PushQueued || e.State == store.PushSent {
			st.Sign = "→"
		}
		if e.By != "" {
			if st.By, err = s.adminName(ctx, e.By); err != nil {
				return nil, fmt.Errorf("story: %w", err)
			}
		}
		switch e.Reason {
		case outbox.Vouched:
			st.Key = "decided-absent"
		case outbox.Pointed:
			st.Key = "decided-there"
		}
		steps = append(steps, st)
	}
	return steps, nil
}

// adminName is what a person is called in a story, "–" when they are not there any
// more or have no name.
func (s *Server) adminName(ctx context.Context, personID string) (string, error) {
	p, err := s.cfg.Store.Person(ctx, personID)
	if errors.Is(err, store.ErrNotFound) {
		return "–", nil
	}
	if err != nil {
		return "", err
	}
	if name := strings.TrimSpace(p.GivenName + " " + p.FamilyName); name != "" {
		return name, nil
	}
	ids, err := s.provenAddresses(ctx, personID)
	if err != nil || len(ids) == 0 {
		return "–", err
	}
	return shortAddress(ids[0]), nil
}

// linkPush takes an admin's word for which record a doubtful issue made.
func (s *Server) linkPush(c *gin.Context) {
	id := c.Param("id")
	v := pushView{Record: strings.TrimSpace(c.PostForm("record"))}
	v.Record = v.Record[:min(len(v.Record), maxRecord)]
	err := s.cfg.Engine.LinkThere(c.Request.Context(), id, visitorOf(c).PersonID, v.Record)
	switch {
	case err == nil:
		s.say(c, "ok", "push-linked", nil)
		c.Redirect(http.StatusSeeOther, "/admin/pushes/"+id)
		return
	case errors.Is(err, adapters.ErrRejected):
		v.Problem = "record-none"
	case errors.Is(err, adapters.ErrNotFound):
		v.Problem = "record-not-there"
	case errors.Is(err, engine.ErrOtherRecord):
		v.Problem = "record-other"
	case errors.Is(err, store.ErrExists):
		v.Problem = "record-taken"
	case adapters.Temporary(err):
		v.Problem = "record-away"
	default:
		s.fail(c, fmt.Errorf("push: %w", err))
		return
	}
	s.showPush(c, http.StatusUnprocessableEntity, v)
}

// maxRecord bounds what is read of an address that an admin pastes.
const maxRecord = 1000

func (s *Server) pushAction(c *gin.Context) {
	ctx, id, who := c.Request.Context(), c.Param("id"), visitorOf(c).PersonID
	var err error
	said := ""
	switch c.Param("action") {
	case "again":
		said, err = "push-again", s.cfg.Engine.SendAgain(ctx, id, who)
	case "absent":
		said, err = "push-absent", s.cfg.Engine.SendAbsent(ctx, id, who)
	case "cancel":
		said, err = "push-cancelled", s.cfg.Engine.CancelPush(ctx, id, who)
	default:
		err = store.ErrNotFound
	}
	if err != nil {
		s.fail(c, fmt.Errorf("push: %w", err))
		return
	}
	s.say(c, "ok", said, nil)
	c.Redirect(http.StatusSeeOther, "/admin/pushes/"+id)
}
