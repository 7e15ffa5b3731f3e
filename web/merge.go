package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"badgebridge/auth/login"
	"badgebridge/store"
)

// account is one of two that may become one, as the page shows it.
type account struct {
	Name      string
	Addresses []string
	Badges    int
}

func (s *Server) accountOf(ctx context.Context, personID string) (a account, err error) {
	p, err := s.cfg.Store.Person(ctx, personID)
	if err != nil {
		return a, err
	}
	a.Name = p.Name()
	if a.Addresses, err = s.provenAddresses(ctx, personID); err != nil {
		return a, err
	}
	a.Badges, err = s.cfg.Store.CountAwards(ctx, store.AwardFilter{PersonID: personID, Claim: store.Claimed})
	return a, err
}

type mergeView struct {
	Token string
	Email string
	// Ready: the visitor is signed in to the other account, and both are shown.
	Ready    bool
	Accounts []account
}

// mergePage leads through a merge: first it says what it takes, then, signed in to
// the other account, it shows both.
func (s *Server) mergePage(c *gin.Context) {
	ctx, v, token := c.Request.Context(), visitorOf(c), c.Param("token")
	o, err := s.cfg.Login.MergeOffer(ctx, token)
	if err == nil && v.PersonID != o.Into && v.PersonID != o.Other {
		err = fmt.Errorf("merge accounts: signed in to neither: %w", login.ErrUnknownState)
	}
	view := mergeView{Token: token, Email: o.Email, Ready: err == nil && v.PersonID == o.Other && !v.Since.Before(o.Since)}
	if view.Ready {
		for _, id := range []string{o.Into, o.Other} {
			var a account
			if a, err = s.accountOf(ctx, id); err != nil {
				break
			}
			view.Accounts = append(view.Accounts, a)
		}
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "merge", view)
}

// mergeSwitch signs out, and leads back to the merge by a sign-in to the other
// account.
func (s *Server) mergeSwitch(c *gin.Context) {
	if _, err := s.cfg.Login.MergeOffer(c.Request.Context(), c.Param("token")); err != nil {
		s.fail(c, err)
		return
	}
	if err := s.cfg.Sessions.SignOut(c.Request.Context()); err != nil {
		s.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/login?return="+queryEscape("/me/merge/"+c.Param("token")))
}

func (s *Server) mergeForm(c *gin.Context) {
	ctx, v := c.Request.Context(), visitorOf(c)
	o, err := s.cfg.Login.Merge(ctx, c.Param("token"), v.PersonID, v.Since)
	if err == nil {
		err = s.cfg.Sessions.SignIn(ctx, o.Into, v.Provider, v.IDTokenHint, v.Roles)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.say(c, "ok", "merged", nil)
	c.Redirect(http.StatusSeeOther, "/me#addresses")
}
