package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// A pairing that was begun at the site: its settings page sends the admin here with
// an address to return to and a secret of its own. The admin agrees here, as an
// admin of the gateway, and is led back with a one-time code; there they confirm, as
// an admin of the site. Neither alone pairs anything.

// pairAsk is a site that wants to be paired.
type pairAsk struct {
	Host   string
	Return string
	State  string
	Deny   string
}

// readPairAsk reads the question from a page's query or its form; nil where there
// is none that can be answered.
func readPairAsk(get func(string) string) *pairAsk {
	back, state := get("return"), get("state")
	u, err := url.Parse(back)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || len(back) > 2000 ||
		len(state) < 16 || len(state) > 200 || strings.Trim(state, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") != "" {
		return nil
	}
	return &pairAsk{Host: u.Host, Return: back, State: state, Deny: answerPairAsk(u, "error", "access_denied", state)}
}

func answerPairAsk(back *url.URL, name, value, state string) string {
	out := *back
	q := out.Query()
	q.Set(name, value)
	q.Set("state", state)
	out.RawQuery = q.Encode()
	return out.String()
}

// agreeToPair makes the code for a site that has asked for it, and takes it there.
func (s *Server) agreeToPair(c *gin.Context) {
	ask := readPairAsk(c.PostForm)
	if ask == nil {
		s.fail(c, errBadInput)
		return
	}
	code, err := s.newPairCode(c.Request.Context(), visitorOf(c).PersonID)
	if err != nil {
		s.fail(c, err)
		return
	}
	back, _ := url.Parse(ask.Return) // readPairAsk has parsed it
	c.Header("Cache-Control", "no-store")
	c.Header("Referrer-Policy", "no-referrer")
	c.Redirect(http.StatusSeeOther, answerPairAsk(back, "code", code, ask.State))
}
