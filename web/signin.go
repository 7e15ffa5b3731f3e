package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"badgebridge/auth/login"
)

// What the session keeps between the steps of a sign-in.
const (
	keptCode    = "login-code"
	keptEmail   = "login-email"
	keptPending = "login-pending"
	keptProof   = "proof-code"
	keptAddress = "proof-email"
)

func (s *Server) signInRoutes(g *gin.RouterGroup) {
	get(g, "/login", s.loginPage)
	g.GET("/login/start/:provider", s.loginStart)
	g.GET("/login/callback/:provider", s.loginCallback)
	g.POST("/login/email", s.loginEmail)
	get(g, "/login/code", s.codePage)
	g.POST("/login/code", s.codeForm)
	get(g, "/login/join", s.joinPage)
	g.POST("/login/join", s.joinSend)
	g.POST("/login/separate", s.joinSeparate)
	g.POST("/logout", s.logout)
	get(g, "/me/address", s.addressPage)
	g.POST("/me/address/code", s.addressCode)
	s.setupRoutes(g)
}

type loginView struct {
	ReturnTo string
	Choices  []login.Choice
	Email    string
	Problem  string // key under "error."
	People   []DemoPerson
	Known    bool   // only those sign up whom a badge was awarded to
	OutURL   string // the provider's own sign-out
	OutTitle string
}

// startPage is the front door for those who are not signed in.
func (s *Server) startPage(c *gin.Context) {
	s.render(c, http.StatusOK, "start", s.loginView(c, "/"))
}

func (s *Server) loginView(c *gin.Context, returnTo string) loginView {
	return loginView{ReturnTo: login.SafeReturn(returnTo), Choices: s.cfg.Login.Choices(c.Request.Context()), People: s.demoPeople(), Known: s.cfg.KnownOnly}
}

func (s *Server) demoPeople() []DemoPerson {
	if !s.cfg.Demo {
		return nil
	}
	return s.cfg.DemoPeople
}

func (s *Server) loginPage(c *gin.Context) {
	v := s.loginView(c, c.Query("return"))
	if visitorOf(c) != nil {
		c.Redirect(http.StatusSeeOther, v.ReturnTo)
		return
	}
	if name := c.Query("out"); name != "" {
		for _, p := range v.Choices {
			if p.Name == name {
				v.OutTitle, v.OutURL = p.Title, s.cfg.Login.LogoutURL(c.Request.Context(), name, "")
			}
		}
	}
	s.render(c, http.StatusOK, "login", v)
}

func (s *Server) loginStart(c *gin.Context) {
	redirect, cookie, err := s.cfg.Login.Begin(c.Request.Context(), c.Param("provider"), c.Query("return"))
	if err != nil {
		s.fail(c, err)
		return
	}
	http.SetCookie(c.Writer, cookie)
	c.Header("Cache-Control", "no-store")
	c.Redirect(http.StatusSeeOther, redirect)
}

func (s *Server) loginCallback(c *gin.Context) {
	ctx, q := c.Request.Context(), c.Request.URL.Query()
	res, err := s.cfg.Login.Finish(ctx, c.Param("provider"), q, c.Request.Cookies())
	if q.Get("state") != "" && len(q.Get("state")) <= 200 {
		http.SetCookie(c.Writer, s.cfg.Login.ForgetCookie(ctx, q))
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	if res.Pending != "" {
		s.cfg.Sessions.Keep(ctx, keptPending, res.Pending)
		s.cfg.Sessions.Keep(ctx, keptEmail, res.Unproven)
		c.Redirect(http.StatusSeeOther, "/login/join")
		return
	}
	s.enter(c, res)
	if res.Unproven != "" && !res.EmailTaken {
		s.say(c, "note", "address-unproven", map[string]any{"Address": res.Unproven})
	}
}

// enter signs in and sends the browser where it wanted to go.
func (s *Server) enter(c *gin.Context, res login.Result) {
	ctx := c.Request.Context()
	if err := s.cfg.Sessions.SignIn(ctx, res.PersonID, res.Provider, res.IDToken, res.Roles); err != nil {
		s.fail(c, err)
		return
	}
	for _, name := range []string{keptCode, keptEmail, keptPending} {
		s.cfg.Sessions.Drop(ctx, name)
	}
	c.Redirect(http.StatusSeeOther, login.SafeReturn(res.ReturnTo))
}

func (s *Server) codeRequest(c *gin.Context, email string) login.CodeRequest {
	return login.CodeRequest{Email: email, Locale: s.wordsOf(c).Lang, IP: c.ClientIP(), ReturnTo: c.PostForm("return")}
}

// codeProblem maps the errors that belong beside a field; "" is for fail.
func codeProblem(err error) string {
	switch {
	case errors.Is(err, login.ErrAddress):
		return "address"
	case errors.Is(err, login.ErrTooMany):
		return "too-many-codes"
	case errors.Is(err, login.ErrCodeWrong):
		return "code-wrong"
	case errors.Is(err, login.ErrCodeExpired):
		return "code-expired"
	case errors.Is(err, login.ErrNoSignUp):
		return "address-no-sign-up"
	case errors.Is(err, login.ErrAddressTaken):
		return "address-taken"
	}
	return ""
}

func problemStatus(problem string) int {
	if problem == "too-many-codes" {
		return http.StatusTooManyRequests
	}
	return http.StatusUnprocessableEntity
}

func (s *Server) loginEmail(c *gin.Context) {
	ctx, email := c.Request.Context(), c.PostForm("email")
	id, err := s.cfg.Login.SendCode(ctx, s.codeRequest(c, email))
	if problem := codeProblem(err); problem != "" {
		v := s.loginView(c, c.PostForm("return"))
		v.Email, v.Problem = email, problem
		s.render(c, problemStatus(problem), "login", v)
		return
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.cfg.Sessions.Keep(ctx, keptCode, id)
	s.cfg.Sessions.Keep(ctx, keptEmail, email)
	s.cfg.Sessions.Drop(ctx, keptPending)
	c.Redirect(http.StatusSeeOther, "/login/code")
}

type codeView struct {
	Email   string
	Problem string
	Again   bool // a new code is needed
	Action  string
	Back    string
	Mailbox bool
}

func (s *Server) codePage(c *gin.Context) { s.showCode(c, http.StatusOK, "") }

func (s *Server) showCode(c *gin.Context, status int, problem string) {
	ctx := c.Request.Context()
	if s.cfg.Sessions.Kept(ctx, keptCode) == "" {
		c.Redirect(http.StatusSeeOther, "/login")
		return
	}
	s.render(c, status, "code", codeView{
		Email: s.cfg.Sessions.Kept(ctx, keptEmail), Problem: problem, Again: problem == "code-expired" || problem == "too-many-codes" || problem == "address-no-sign-up",
		Action: "/login/code", Back: "/login", Mailbox: s.cfg.Demo && s.cfg.Mailbox != nil,
	})
}

func (s *Server) codeForm(c *gin.Context) {
	ctx := c.Request.Context()
	if !s.allow(c, "try-code", 30, tryPeriod) {
		s.fail(c, errTooMany)
		return
	}
	id, pending := s.cfg.Sessions.Kept(ctx, keptCode), s.cfg.Sessions.Kept(ctx, keptPending)
	var res login.Result
	var err error
	if pending != "" {
		res, err = s.cfg.Login.CheckPending(ctx, id, c.PostForm("code"), pending)
	} else {
		res, err = s.cfg.Login.CheckCode(ctx, id, c.PostForm("code"))
	}
	if problem := codeProblem(err); problem != "" {
		s.showCode(c, problemStatus(problem), problem)
		return
	}
	if err == nil && res.Proved {
		err = fmt.Errorf("a code for another purpose: %w", login.ErrUnknownState)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.enter(c, res)
}

// joinPage asks whether the account that has the address is theirs.
func (s *Server) joinPage(c *gin.Context) {
	ctx := c.Request.Context()
	if s.cfg.Sessions.Kept(ctx, keptPending) == "" {
		c.Redirect(http.StatusSeeOther, "/login")
		return
	}
	s.render(c, http.StatusOK, "join", codeView{Email: s.cfg.Sessions.Kept(ctx, keptEmail)})
}

func (s *Server) joinSend(c *gin.Context) {
	ctx := c.Request.Context()
	r := s.codeRequest(c, s.cfg.Sessions.Kept(ctx, keptEmail))
	if r.Pending = s.cfg.Sessions.Kept(ctx, keptPending); r.Pending == "" {
		c.Redirect(http.StatusSeeOther, "/login")
		return
	}
	id, err := s.cfg.Login.SendCode(ctx, r)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.cfg.Sessions.Keep(ctx, keptCode, id)
	c.Redirect(http.StatusSeeOther, "/login/code")
}

func (s *Server) joinSeparate(c *gin.Context) {
	res, err := s.cfg.Login.Separate(c.Request.Context(), s.cfg.Sessions.Kept(c.Request.Context(), keptPending))
	if err != nil {
		s.fail(c, err)
		return
	}
	s.enter(c, res)
}

// logout ends the session here. The provider's own is its own: the next page
// has a link to it, because a form may not lead to another host.
func (s *Server) logout(c *gin.Context) {
	ctx := c.Request.Context()
	provider := s.cfg.Sessions.Current(ctx).Provider
	if err := s.cfg.Sessions.SignOut(ctx); err != nil {
		s.fail(c, err)
		return
	}
	to := "/"
	if provider != "" && provider != login.CodeProvider {
		to = "/login?out=" + queryEscape(provider)
	}
	c.Redirect(http.StatusSeeOther, to)
}
