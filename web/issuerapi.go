package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/openbadges/verify"
	"badgebridge/store"
	"badgebridge/sync/backpack"
)

// ticketLife is how long a page may wait for what a person decides.
const ticketLife = 30 * time.Minute

// maxPushed is how many badges one page may offer at once.
const maxPushed = 50

// issuerRoutes are Mozilla's Issuer API: a script for other sites' pages that
// offers badges to whoever looks at the page. The script shows a frame, and the
// frame opens a window of ours: browsers keep cookies from frames within other
// sites. What the person decides there reaches the frame by a ticket, and the
// page by the script's callback.
func (s *Server) issuerRoutes(g *gin.Engine, site *gin.RouterGroup) {
	get(g, "/issuer.js", s.issuerScript)
	get(g, "/issuer/frame", s.issuerFrame)
	get(g, "/issuer/ticket/:ticket", s.issuerTicket)
	get(site, "/issuer/welcome", s.issuerWelcome)
	g.POST("/issuer/frameless", s.issuerFrameless)
	site.POST("/issuer/send", s.needMember, s.issuerSend)
	get(site, "/issuer/assertion", s.issuerLook)
	site.POST("/issuer/assertion", s.issuerKeep)
}

func (s *Server) issuerScript(c *gin.Context) {
	openTo(c, "Accept")
	a := s.pages.assets["issuer.js"]
	c.Header("Cache-Control", "public, max-age=3600")
	c.Data(http.StatusOK, a.mediaType, a.body)
}

// issuerFrame may be framed by any site: it knows nobody and does nothing but
// open a window.
func (s *Server) issuerFrame(c *gin.Context) {
	c.Header("Content-Security-Policy", strings.NewReplacer("frame-ancestors 'none'", "frame-ancestors *").Replace(pageCSP))
	c.Writer.Header().Del("X-Frame-Options")
	c.Header("Cross-Origin-Resource-Policy", "cross-origin")
	s.render(c, http.StatusOK, "issuer-frame", struct{ Host string }{hostPort(s.cfg.BaseURL(c.Request.Context()))})
}

// pushTicket is what a page offers and what became of it.
type pushTicket struct {
	Assertions []string      `json:"assertions"`
	Origin     string        `json:"origin"`
	Done       bool          `json:"done"`
	Errors     []pushFailure `json:"errors"`
	Successes  []string      `json:"successes"`
}

type pushFailure struct {
	Assertion string `json:"assertion"`
	Reason    string `json:"reason"` // DENIED, EXISTS, INACCESSIBLE, MALFORMED, INVALID
}

func ticketKey(ticket string) string { return "push-ticket/" + tokenHash(ticket) }

func (s *Server) ticket(c *gin.Context, ticket string) (pushTicket, error) {
	var t pushTicket
	if len(ticket) < 20 || len(ticket) > 64 {
		return t, store.ErrNotFound
	}
	data, err := s.cfg.Store.Session(c.Request.Context(), ticketKey(ticket), s.cfg.Now())
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	return t, err
}

func (s *Server) putTicket(c *gin.Context, ticket string, t pushTicket) error {
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return s.cfg.Store.PutSession(c.Request.Context(), ticketKey(ticket), "", data, s.cfg.Now().Add(ticketLife))
}

// issuerFrameless takes the badges that another site's page offers, by a form
// that comes from there, and leads to the page where the person decides. Nothing
// is kept by it, so it needs no proof of where it came from.
func (s *Server) issuerFrameless(c *gin.Context) {
	if !s.allow(c, "issuer", 60, time.Minute) {
		s.fail(c, errTooMany)
		return
	}
	list := c.PostFormArray("assertions")
	if len(list) == 0 || len(list) > maxPushed {
		c.String(http.StatusBadRequest, "assertion must be url or signature")
		return
	}
	for _, a := range list {
		if !parsesAsWeb(a) && !(strings.HasPrefix(a, "eyJ") && strings.Count(a, ".") == 2) || len(a) > 100_000 {
			c.String(http.StatusBadRequest, "assertion must be url or signature")
			return
		}
	}
	ticket := c.PostForm("ticket")
	if len(ticket) < 20 || len(ticket) > 64 {
		ticket = store.NewID()
	}
	if _, err := s.ticket(c, ticket); err == nil {
		c.String(http.StatusBadRequest, "the ticket was used")
		return
	}
	t := pushTicket{Assertions: list, Origin: originOf(c.PostForm("page"))}
	if err := s.putTicket(c, ticket, t); err != nil {
		s.fail(c, fmt.Errorf("push: %w", err))
		return
	}
	c.Redirect(http.StatusSeeOther, "/issuer/welcome?ticket="+url.QueryEscape(ticket))
}

// issuerTicket tells the frame what the person decided. Whoever knows the
// ticket made it.
func (s *Server) issuerTicket(c *gin.Context) {
	t, err := s.ticket(c, c.Param("ticket"))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		s.fail(c, fmt.Errorf("push: %w", err))
		return
	}
	writeJSON(c, http.StatusOK, gin.H{"known": err == nil, "done": t.Done, "errors": orNone(t.Errors), "successes": orNone(t.Successes)})
}

func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

type offeredBadge struct {
	Index       int
	Assertion   string
	Name        string
	Description string
	Image       string
	Issuer      string
	Host        string
	State       string // "ask", "exists", "invalid", "unverified", "malformed", "inaccessible": key under "incoming.offer."
	To          string
	Why         string
}

type welcomeView struct {
	Ticket string
	Origin string
	Who    string
	Ask    int
	Offers []offeredBadge
	Done   bool
	Sent   int
	Back   string
}

func (s *Server) issuerWelcome(c *gin.Context) {
	ticket := c.Query("ticket")
	t, err := s.ticket(c, ticket)
	if err != nil {
		s.fail(c, fmt.Errorf("push: %w", err))
		return
	}
	v := visitorOf(c)
	if v == nil {
		c.Redirect(http.StatusSeeOther, "/login?return="+url.QueryEscape("/issuer/welcome?ticket="+url.QueryEscape(ticket)))
		return
	}
	view := welcomeView{Ticket: ticket, Origin: hostOf(t.Origin), Who: v.Title(), Done: t.Done, Sent: len(t.Successes)}
	if !t.Done {
		for i, a := range t.Assertions {
			o, err := s.offer(c, v.PersonID, i, a)
			if err != nil {
				s.fail(c, fmt.Errorf("push: %w", err))
				return
			}
			if o.State == "ask" {
				view.Ask++
			}
			view.Offers = append(view.Offers, o)
		}
	}
	s.render(c, http.StatusOK, "issuer-welcome", view)
}

func pushedBadge(assertion, source string) backpack.Given {
	if parsesAsWeb(assertion) {
		return backpack.Given{URL: assertion, Source: source, NoWaiting: true}
	}
	return backpack.Given{Data: []byte(assertion), Source: source, NoWaiting: true}
}

func (s *Server) offer(c *gin.Context, personID string, i int, assertion string) (offeredBadge, error) {
	res, err := s.cfg.Backpack.Look(c.Request.Context(), personID, pushedBadge(assertion, "push"))
	if err != nil {
		return offeredBadge{}, err
	}
	o := offeredBadge{Index: i, Assertion: assertion, To: res.To, State: pushState(res)}
	if b := res.Report.Badge; b != nil {
		o.Name, o.Description, o.Issuer = b.Name, b.Description, b.Issuer.Name
		o.Host = hostOf(b.Issuer.ID)
	}
	if p := res.Report.Problems(); len(p) > 0 {
		o.Why = p[0]
	}
	return o, nil
}

func pushState(res backpack.Result) string {
	switch {
	case res.Fate == backpack.Known:
		return "exists"
	case res.Fate == backpack.Awaiting, res.Reason == backpack.ReasonRecipient:
		return "invalid"
	case res.Reason == backpack.ReasonNotThere:
		return "inaccessible"
	case res.Reason == backpack.ReasonUnreadable, res.Reason == backpack.ReasonNotABadge:
		return "malformed"
	case res.Reason == backpack.ReasonInvalid, res.Reason == backpack.ReasonRevoked:
		return "unverified"
	case res.Fate == backpack.Refused:
		return "inaccessible"
	}
	return "ask"
}

// pushReason is the protocol's word for why a badge was not taken.
func pushReason(res backpack.Result) string {
	switch state := pushState(res); state {
	case "ask":
		return "DENIED"
	case "unverified":
		return "INVALID"
	default:
		return strings.ToUpper(state)
	}
}

// issuerSend keeps what the person said yes to.
func (s *Server) issuerSend(c *gin.Context) {
	ticket := c.PostForm("ticket")
	t, err := s.ticket(c, ticket)
	if err == nil && t.Done {
		err = store.ErrStale
	}
	if err != nil {
		s.fail(c, fmt.Errorf("push: %w", err))
		return
	}
	yes := map[string]bool{}
	for _, i := range c.PostFormArray("yes") {
		yes[i] = true
	}
	source := "push"
	if t.Origin != "" {
		source += ":" + t.Origin
	}
	for i, a := range t.Assertions {
		reason := ""
		switch {
		case !yes[fmt.Sprint(i)]:
			res, err := s.cfg.Backpack.Look(c.Request.Context(), visitorOf(c).PersonID, pushedBadge(a, source))
			if err != nil {
				s.fail(c, fmt.Errorf("push: %w", err))
				return
			}
			reason = pushReason(res)
		default:
			res, err := s.cfg.Backpack.Collect(c.Request.Context(), visitorOf(c).PersonID, pushedBadge(a, source))
			if err != nil {
				s.fail(c, fmt.Errorf("push: %w", err))
				return
			}
			if res.Fate == backpack.Known || res.Fate == backpack.Refused {
				reason = pushReason(res)
			}
		}
		if reason == "" {
			t.Successes = append(t.Successes, a)
		} else {
			t.Errors = append(t.Errors, pushFailure{Assertion: a, Reason: reason})
		}
	}
	t.Done = true
	if err := s.putTicket(c, ticket, t); err != nil {
		s.fail(c, fmt.Errorf("push: %w", err))
		return
	}
	c.Redirect(http.StatusSeeOther, "/issuer/welcome?ticket="+url.QueryEscape(ticket))
}

// issuerLook and issuerKeep are the calls that Mozilla's own frame made.
func (s *Server) issuerLook(c *gin.Context) { s.issuerAssertion(c, false) }
func (s *Server) issuerKeep(c *gin.Context) { s.issuerAssertion(c, true) }

func (s *Server) issuerAssertion(c *gin.Context, keep bool) {
	c.Header("Cache-Control", "no-store")
	v := visitorOf(c)
	if v == nil {
		writeJSON(c, http.StatusForbidden, gin.H{"message": "user is not logged in, redirect to /backpack/login", "redirect_to": "/login"})
		return
	}
	if !s.allow(c, "issuer", 120, time.Minute) {
		writeJSON(c, http.StatusTooManyRequests, gin.H{"message": "too many requests"})
		return
	}
	var fields map[string]string
	if keep {
		var err error
		if fields, err = formOrJSON(c); err != nil {
			fields = nil
		}
	}
	s.takeAssertion(c, v.PersonID, assertionIn(c, fields), "push", keep)
}

// showAssertion answers what a badge is and whether it may come in.
func (s *Server) showAssertion(c *gin.Context, personID string, in backpack.Given) {
	res, err := s.cfg.Backpack.Look(c.Request.Context(), personID, in)
	if err != nil {
		s.cfg.Log.ErrorContext(c.Request.Context(), "push", "error", err)
		writeJSON(c, http.StatusInternalServerError, gin.H{"message": "the badge could not be looked at"})
		return
	}
	if res.Fate == backpack.Refused {
		code, message := refusalWords(res)
		writeJSON(c, http.StatusBadRequest, gin.H{"code": code, "message": message})
		return
	}
	assertion := in.URL
	if assertion == "" {
		assertion = string(in.Data)
	}
	out := gin.H{"exists": res.Fate == backpack.Known, "badge": reportBadge(res, assertion), "recipient": false}
	if res.Report.Recipient.Matched != nil && *res.Report.Recipient.Matched {
		out["owner"], out["recipient"] = true, s.matching(c, personID, res.Report)
	}
	writeJSON(c, http.StatusOK, out)
}

// matching is the person's address that a badge is made out to.
func (s *Server) matching(c *gin.Context, personID string, rep verify.Report) any {
	ids, err := s.cfg.Store.IdentifiersOf(c.Request.Context(), personID)
	if err != nil || rep.Assertion == nil {
		return false
	}
	for _, id := range ids {
		if ok, _ := rep.Assertion.Award.Recipient.Matches(id.Value); ok {
			return id.Value
		}
	}
	return false
}

func parseWeb(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err == nil && (u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil) {
		err = errBadInput
	}
	return u, err
}

func parseQuery(s string) (url.Values, error) { return url.ParseQuery(s) }

// hostPort is the host of an address with its port, for people.
func hostPort(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
