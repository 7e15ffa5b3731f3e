package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/store"
)

// doorLimit bounds a form that carries an image in base64.
const doorLimit = 8 << 20

// oldCredlyRoutes are the six calls of the old Credly API, version 0.2, that
// BadgeOS up to 3.6.6 makes. What it gets is what it reads: a number for a
// badge, a list for a search, a hash for an award.
func (s *Server) oldCredlyRoutes(g *gin.Engine) {
	door := g.Group("/legacy/credly/v0.2")
	door.POST("/authenticate/", s.doorLogin)
	door.POST("/authenticate", s.doorLogin)
	door.POST("/badges", s.throughDoor(s.doorBadge))
	door.POST("/badges/:id", s.throughDoor(s.doorBadge))
	door.GET("/badges/categories", s.throughDoor(doorNothing))
	door.GET("/members", s.throughDoor(doorNothing))
	door.POST("/member_badges", s.throughDoor(s.doorAward))
}

// doorMeta is the envelope's head in the old API.
type doorMeta struct {
	Code    int    `json:"status_code"`
	Status  string `json:"status"`
	Message string `json:"message"`
	More    any    `json:"more_info"`
}

type doorAnswer struct {
	Meta doorMeta `json:"meta"`
	Data any      `json:"data"`
}

func answerDoor(c *gin.Context, status int, message string, data any) {
	word := "OK"
	if status >= http.StatusBadRequest {
		word = http.StatusText(status)
	}
	writeJSON(c, status, doorAnswer{Meta: doorMeta{Code: status, Status: word, Message: message}, Data: data})
}

// failDoor answers an error in the old API's form.
func (s *Server) failDoor(c *gin.Context, err error) {
	out := outcomeOf(err)
	words := s.wordsOf(c).T("fail." + out.code + ".text")
	switch {
	case errors.Is(err, adapters.ErrRejected):
		out.status, words = http.StatusBadRequest, adapters.Words(err)
	case errors.Is(err, adapters.ErrUnauthorized):
		out.status, words = http.StatusUnauthorized, s.wordsOf(c).T("door.unauthorized")
	case errors.Is(err, store.ErrStale):
		words = s.wordsOf(c).T("door.paused")
	case errors.Is(err, store.ErrNotFound):
		words = s.wordsOf(c).T("door.no-badge")
	}
	if out.status >= http.StatusInternalServerError {
		s.cfg.Log.ErrorContext(c.Request.Context(), "old Credly API", "id", requestIDOf(c.Request.Context()), "error", err)
	}
	answerDoor(c, out.status, words, nil)
}

func (s *Server) doorLogin(c *gin.Context) {
	user, password, ok := c.Request.BasicAuth()
	if !s.allow(c, "door-login", 10, tryPeriod) {
		s.failDoor(c, errTooMany)
		return
	}
	if !ok {
		s.failDoor(c, adapters.ErrUnauthorized)
		return
	}
	token, err := s.cfg.Engine.DoorLogin(c.Request.Context(), user, password)
	if err != nil {
		s.failDoor(c, fmt.Errorf("old Credly API: %w", err))
		return
	}
	answerDoor(c, http.StatusOK, "", gin.H{"token": token})
}

// throughDoor lets in what carries a door's token.
func (s *Server) throughDoor(h func(*gin.Context, adapters.Remote) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !s.allow(c, "door", 1200, time.Minute) {
			s.failDoor(c, errTooMany)
			return
		}
		name, err := s.cfg.Engine.DoorOf(c.Request.Context(), c.Query("access_token"))
		if err == nil {
			err = s.readDoorForm(c)
		}
		if err == nil {
			err = h(c, name)
		}
		if err != nil {
			s.failDoor(c, fmt.Errorf("old Credly API: %w", err))
		}
	}
}

func (s *Server) readDoorForm(c *gin.Context) error {
	err := c.Request.ParseForm()
	var big *http.MaxBytesError
	if err != nil && !errors.As(err, &big) {
		return fmt.Errorf("%w: %w", errBadInput, err)
	}
	return err
}

// doorNothing answers a search for categories, which mean nothing today, or for
// a member: then BadgeOS goes on with the address, and nobody learns here who
// has an account.
func doorNothing(c *gin.Context, _ adapters.Remote) error {
	answerDoor(c, http.StatusOK, "", []any{})
	return nil
}

func (s *Server) doorBadge(c *gin.Context, name adapters.Remote) error {
	var number int64
	if id := c.Param("id"); id != "" {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil || n <= 0 {
			return store.ErrNotFound
		}
		number = n
	}
	number, err := s.cfg.Engine.PutDoorBadge(c.Request.Context(), name, number, c.Request.Form)
	if err != nil {
		return err
	}
	answerDoor(c, http.StatusOK, "", number)
	return nil
}

// doorAward gives a badge. The hash that BadgeOS takes for success is the
// award's id: the award is recorded, whatever a mapping makes of it.
func (s *Server) doorAward(c *gin.Context, name adapters.Remote) error {
	form := c.Request.Form
	id, _, err := s.cfg.Engine.AwardFromDoor(c.Request.Context(), name, form, form.Get("notify") != "0")
	if err != nil {
		return err
	}
	answerDoor(c, http.StatusOK, "", gin.H{"id": id, "hash": id})
	return nil
}
