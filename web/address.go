package web

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/openbadges"
	"badgebridge/store"
)

const tryPeriod = 10 * time.Minute

// addAddress mails a code to one more address of a member.
func (s *Server) addAddress(c *gin.Context) {
	ctx, email := c.Request.Context(), c.PostForm("email")
	id, err := s.cfg.Login.ProveAddress(ctx, visitorOf(c).PersonID, s.codeRequest(c, email))
	if problem := codeProblem(err); problem != "" {
		s.showProfile(c, problemStatus(problem), profileView{Address: email, AddressError: problem})
		return
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.cfg.Sessions.Keep(ctx, keptProof, id)
	s.cfg.Sessions.Keep(ctx, keptAddress, email)
	c.Redirect(http.StatusSeeOther, "/me/address")
}

func (s *Server) addressPage(c *gin.Context) { s.showAddressCode(c, http.StatusOK, "") }

func (s *Server) showAddressCode(c *gin.Context, status int, problem string) {
	ctx := c.Request.Context()
	if visitorOf(c) == nil || s.cfg.Sessions.Kept(ctx, keptProof) == "" {
		c.Redirect(http.StatusSeeOther, "/me")
		return
	}
	s.render(c, status, "code", codeView{
		Email: s.cfg.Sessions.Kept(ctx, keptAddress), Problem: problem, Again: problem == "code-expired" || problem == "too-many-codes",
		Action: "/me/address/code", Back: "/me", Mailbox: s.cfg.Demo && s.cfg.Mailbox != nil,
	})
}

func (s *Server) addressCode(c *gin.Context) {
	ctx := c.Request.Context()
	v := visitorOf(c)
	if v == nil {
		s.fail(c, errSignIn)
		return
	}
	if !s.allow(c, "try-code", 30, tryPeriod) {
		s.fail(c, errTooMany)
		return
	}
	email, merge, err := s.cfg.Login.CheckProof(ctx, v.PersonID, s.cfg.Sessions.Kept(ctx, keptProof), c.PostForm("code"))
	if merge != "" {
		s.cfg.Sessions.Drop(ctx, keptProof)
		s.cfg.Sessions.Drop(ctx, keptAddress)
		c.Redirect(http.StatusSeeOther, "/me/merge/"+merge)
		return
	}
	if problem := codeProblem(err); problem != "" {
		s.showAddressCode(c, problemStatus(problem), problem)
		return
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.cfg.Sessions.Drop(ctx, keptProof)
	s.cfg.Sessions.Drop(ctx, keptAddress)
	s.say(c, "ok", "address-added", map[string]any{"Address": email})
	c.Redirect(http.StatusSeeOther, "/me")
}

// mailAddress chooses where letters go.
func (s *Server) mailAddress(c *gin.Context) {
	ctx, v, email := c.Request.Context(), visitorOf(c), c.PostForm("email")
	id, err := s.cfg.Store.Identifier(ctx, openbadges.IdentityEmail, email)
	if err == nil && id.PersonID != v.PersonID {
		err = store.ErrNotFound
	}
	if err == nil {
		p := v.Person
		p.Mail = email
		err = s.cfg.Store.PutPerson(ctx, p)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("choose an address: %w", err))
		return
	}
	s.say(c, "ok", "address-mail", map[string]any{"Address": email})
	c.Redirect(http.StatusSeeOther, "/me#addresses")
}

// removeAddress takes an address from the visitor, unless there would be no way in
// any more.
func (s *Server) removeAddress(c *gin.Context) {
	ctx, v, email := c.Request.Context(), visitorOf(c), c.PostForm("email")
	err := s.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		ids, err := tx.IdentifiersOf(ctx, v.PersonID)
		if err != nil {
			return err
		}
		ways, err := tx.SignInsOf(ctx, v.PersonID)
		if err != nil {
			return err
		}
		if len(ids) < 2 && len(ways) == 0 {
			return &fieldError{Field: "email", Key: "address-last"}
		}
		return tx.RemoveIdentifier(ctx, v.PersonID, openbadges.IdentityEmail, email)
	})
	var last *fieldError
	if errors.As(err, &last) {
		s.showProfile(c, http.StatusUnprocessableEntity, profileView{AddressError: last.Key})
		return
	}
	if err != nil {
		s.fail(c, fmt.Errorf("remove an address: %w", err))
		return
	}
	s.say(c, "ok", "address-removed", map[string]any{"Address": email})
	c.Redirect(http.StatusSeeOther, "/me#addresses")
}
