package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"badgebridge/auth/login"
	"badgebridge/auth/setup"
	"badgebridge/internal/mail"
	"badgebridge/internal/secret"
)

func (s *Server) setupRoutes(g *gin.RouterGroup) {
	if s.cfg.Setup == nil {
		return
	}
	get(g, "/setup/:token", s.setupPage)
	g.POST("/setup/:token", s.setupForm)
}

type setupView struct {
	setup.Form
	Token    string
	Fixed    bool // the configuration file says the base URL
	Port     string
	Problems map[string]string // field -> words
}

// Mail is never nil, for the page.
func (v setupView) Mail() mail.SMTP {
	if v.SMTP == nil {
		return mail.SMTP{}
	}
	return *v.SMTP
}

// setupPage opens by the one-time link alone; without a good token it does not
// exist.
func (s *Server) setupPage(c *gin.Context) {
	ctx := c.Request.Context()
	if !s.allow(c, "setup", 60, tryPeriod) {
		s.fail(c, errTooMany)
		return
	}
	form, err := s.cfg.Setup.Begin(ctx, c.Param("token"))
	if err != nil {
		s.failSetup(c, err)
		return
	}
	v := setupView{Form: form, Token: c.Param("token")}
	if form.BaseURL == "" {
		v.BaseURL = addressOf(c.Request)
	}
	s.showSetup(c, http.StatusOK, v)
}

func (s *Server) failSetup(c *gin.Context, err error) {
	if errors.Is(err, setup.ErrLink) {
		s.render(c, http.StatusNotFound, "setup-link", nil)
		return
	}
	s.fail(c, err)
}

// addressOf proposes the address under which the page was opened.
func addressOf(r *http.Request) string {
	scheme := "https://"
	if host := r.Host; strings.HasPrefix(host, "localhost") || strings.HasPrefix(host, "127.0.0.1") || strings.HasPrefix(host, "[::1]") {
		scheme = "http://"
	}
	return scheme + r.Host
}

func (s *Server) showSetup(c *gin.Context, status int, v setupView) {
	st, err := s.cfg.Setup.Status(c.Request.Context())
	if err != nil {
		s.fail(c, err)
		return
	}
	v.Fixed = st.BaseURLFixed
	if m := v.Mail(); m.Port != 0 {
		v.Port = strconv.Itoa(m.Port)
	}
	s.render(c, status, "setup", v)
}

func (s *Server) setupForm(c *gin.Context) {
	ctx := c.Request.Context()
	if !s.allow(c, "setup", 60, tryPeriod) {
		s.fail(c, errTooMany)
		return
	}
	f, err := setupFrom(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	res, err := s.cfg.Setup.Complete(ctx, c.Param("token"), f)
	var wrong setup.FieldErrors
	if errors.As(err, &wrong) {
		v := setupView{Form: f, Token: c.Param("token"), Problems: map[string]string{}}
		w := s.wordsOf(c)
		for field, p := range wrong {
			args := []any{}
			for k, a := range p.Args {
				args = append(args, k, a)
			}
			v.Problems[field] = w.T("setup-error."+p.Key, args...)
		}
		s.showSetup(c, http.StatusUnprocessableEntity, v)
		return
	}
	if err != nil {
		s.failSetup(c, err)
		return
	}
	s.say(c, "ok", "set-up", nil)
	s.enter(c, login.Result{PersonID: res.PersonID, Provider: "setup", ReturnTo: "/admin"})
}

func setupFrom(c *gin.Context) (setup.Form, error) {
	field := func(name string) string { return strings.TrimSpace(c.PostForm(name)) }
	if _, err := c.MultipartForm(); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return setup.Form{}, errors.Join(errBadInput, err)
	}
	f := setup.Form{
		BaseURL: field("base_url"), IssuerName: field("issuer_name"), IssuerURL: field("issuer_url"), IssuerEmail: field("issuer_email"),
		AdminEmail: field("admin_email"), GivenName: field("given"), FamilyName: field("family"),
	}
	logo, err := uploaded(c, "logo")
	if err != nil {
		return f, err
	}
	if len(logo) > 0 {
		f.Logo, f.LogoType = logo, http.DetectContentType(logo)
	}
	if field("smtp_host") != "" {
		port, _ := strconv.Atoi(field("smtp_port")) // 0: the usual one
		f.SMTP = &mail.SMTP{
			Host: field("smtp_host"), Port: port, User: field("smtp_user"), Password: secret.New(c.PostForm("smtp_password")),
			From: field("smtp_from"), TLS: field("smtp_tls"),
		}
	}
	return f, nil
}
