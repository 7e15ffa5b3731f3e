package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/sync/backpack"
)

type addView struct {
	URL     string
	Problem string // key under "error.", "" none
	Fate    backpack.Fate
	Reason  backpack.Reason
	To      string // whom the badge is made out to, shortened
	Checks  []string
}

func (s *Server) addBadge(c *gin.Context) { s.render(c, http.StatusOK, "add", addView{}) }

// addBadgeForm takes a badge by its address (Credly's public page, too) or as a
// file, verifies it, and keeps it for the visitor.
func (s *Server) addBadgeForm(c *gin.Context) {
	v := addView{URL: strings.TrimSpace(c.PostForm("url"))}
	in := backpack.Given{URL: v.URL, Source: "url"}
	var tooBig *http.MaxBytesError
	if _, err := c.MultipartForm(); errors.As(err, &tooBig) {
		v.Problem = "too-large"
		s.render(c, http.StatusRequestEntityTooLarge, "add", v)
		return
	}
	if v.URL == "" {
		data, err := uploaded(c, "file")
		if err != nil {
			v.Problem = "upload"
		}
		in = backpack.Given{Data: data, Source: "file"}
		if len(data) == 0 && v.Problem == "" {
			v.Problem = "verify-nothing"
		}
	} else if webAddress(v.URL) == "" || len(v.URL) > 4000 {
		v.Problem = "upload"
	}
	if v.Problem == "" && !s.allow(c, "collect", 30, time.Minute) {
		s.fail(c, errTooMany)
		return
	}
	if v.Problem != "" {
		s.render(c, http.StatusUnprocessableEntity, "add", v)
		return
	}
	res, err := s.cfg.Backpack.Collect(c.Request.Context(), visitorOf(c).PersonID, in)
	if err != nil {
		s.fail(c, fmt.Errorf("add a badge: %w", err))
		return
	}
	switch res.Fate {
	case backpack.Kept, backpack.Joined, backpack.Updated, backpack.Known:
		s.say(c, "ok", "added-"+string(res.Fate), nil)
		c.Redirect(http.StatusSeeOther, "/badges/"+res.AwardID)
		return
	}
	v.Fate, v.Reason = res.Fate, res.Reason
	if res.To != "" {
		v.To = shortAddress(res.To)
	}
	for _, check := range res.Report.Checks {
		if check.Status == "fail" {
			v.Checks = append(v.Checks, check.Message)
		}
	}
	v.Checks = v.Checks[:min(len(v.Checks), 5)]
	s.render(c, http.StatusUnprocessableEntity, "add", v)
}
