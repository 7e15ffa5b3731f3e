package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/store"
)

// freshFor is how long after a sign-in an account may be deleted.
const freshFor = 10 * time.Minute

type leaveView struct {
	Fresh     bool     // signed in so lately that it is sure to be they
	Addresses []string // to sign in again with
	Ways      []loginChoice
	Brought   int // badges that they brought: they go
	Own       int // awards of the association: facts that stay, without them
	Claimed   bool
	Places    []string // where copies are that stay
	Sites     []string // whose permission ends
	Backpacks []string // whose connection ends
	OnlyAdmin bool
	Problem   string
}

type loginChoice struct{ Name, Title string }

func (s *Server) leavePage(c *gin.Context) { s.showLeave(c, http.StatusOK, "") }

func (s *Server) showLeave(c *gin.Context, status int, problem string) {
	v, err := s.leaving(c)
	if err != nil {
		s.fail(c, fmt.Errorf("delete the account: %w", err))
		return
	}
	v.Problem = problem
	s.render(c, status, "leave", v)
}

// leaving gathers what goes and what stays.
func (s *Server) leaving(c *gin.Context) (v leaveView, err error) {
	ctx, who := c.Request.Context(), visitorOf(c)
	v.Fresh = s.fresh(who)
	if v.Addresses, err = s.provenAddresses(ctx, who.PersonID); err != nil {
		return v, err
	}
	ways, err := s.cfg.Store.SignInsOf(ctx, who.PersonID)
	if err != nil {
		return v, err
	}
	for _, p := range s.cfg.Login.Choices(ctx) {
		if slices.ContainsFunc(ways, func(w store.SignIn) bool { return w.Provider == p.Name }) {
			v.Ways = append(v.Ways, loginChoice{p.Name, p.Title})
		}
	}
	if v.OnlyAdmin, err = s.cfg.Access.OnlyAdmin(ctx, who.PersonID); err != nil {
		return v, err
	}
	grants, err := s.cfg.Store.GrantsOf(ctx, who.PersonID)
	if err != nil {
		return v, err
	}
	for _, g := range grants {
		v.Sites = append(v.Sites, hostOr(g.Origin))
	}
	connections, err := s.cfg.Store.ConnectionsOf(ctx, who.PersonID)
	if err != nil {
		return v, err
	}
	for _, k := range connections {
		v.Backpacks = append(v.Backpacks, k.Title)
	}
	return v, s.countLeaving(ctx, who.PersonID, &v)
}

func hostOr(origin string) string {
	if h := hostOf(origin); h != "" {
		return h
	}
	return origin
}

// countLeaving tells what a person brought from what the association awarded, and
// finds the places that have copies.
func (s *Server) countLeaving(ctx context.Context, personID string, v *leaveView) error {
	awards, err := s.cfg.Store.AwardsOf(ctx, personID, 0)
	if err != nil {
		return err
	}
	for _, a := range awards {
		if a.Origin == store.BackpackOrigin {
			v.Brought++
			continue
		}
		v.Own++
		v.Claimed = v.Claimed || a.Claim == store.Claimed && a.PageURL == ""
		links, err := s.cfg.Store.LinksOf(ctx, a.ID)
		if err != nil {
			return err
		}
		for _, l := range links {
			_, title := s.remoteTitle(ctx, l.Remote)
			if l.State == store.LinkPresent && !slices.Contains(v.Places, title) {
				v.Places = append(v.Places, title)
			}
		}
	}
	slices.Sort(v.Places)
	return nil
}

func (s *Server) fresh(v *visitor) bool {
	age := s.cfg.Now().Sub(v.Since)
	return age >= -time.Minute && age < freshFor
}

// leave deletes the visitor's account.
func (s *Server) leave(c *gin.Context) {
	ctx, v := c.Request.Context(), visitorOf(c)
	only, err := s.cfg.Access.OnlyAdmin(ctx, v.PersonID)
	if err != nil {
		s.fail(c, fmt.Errorf("delete the account: %w", err))
		return
	}
	switch {
	case !s.fresh(v):
		s.showLeave(c, http.StatusForbidden, "leave-stale")
		return
	case only:
		s.showLeave(c, http.StatusConflict, "leave-only-admin")
		return
	case c.PostForm("sure") != "yes":
		s.showLeave(c, http.StatusUnprocessableEntity, "leave-sure")
		return
	}
	if err := s.disconnect(ctx, v.PersonID); err != nil {
		s.fail(c, fmt.Errorf("delete the account: %w", err))
		return
	}
	out, err := s.cfg.Engine.Forget(ctx, v.PersonID, c.PostForm("records") == "keep")
	if err == nil {
		err = s.cfg.Access.Forget(ctx, out.Addresses)
	}
	if err == nil {
		err = s.cfg.Sessions.SignOut(ctx)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("delete the account: %w", err))
		return
	}
	c.Set(visitorKey, (*visitor)(nil)) // the page that follows is nobody's
	s.render(c, http.StatusOK, "left", nil)
}

// disconnect takes back what other backpacks gave us for the person. One that does
// not answer keeps nobody here: the token goes from here in any case.
func (s *Server) disconnect(ctx context.Context, personID string) error {
	if s.cfg.Disconnect == nil {
		return nil
	}
	list, err := s.cfg.Store.ConnectionsOf(ctx, personID)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, k := range list {
		if err := s.cfg.Disconnect(ctx, k); err != nil {
			s.cfg.Log.WarnContext(ctx, "a connection was not ended at the other side", "connection", k.ID, "error", err)
		}
	}
	return nil
}
