package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/engine"
	"badgebridge/web/locale"
)

func (s *Server) remotes(c *gin.Context) {
	lines, err := s.remoteLines(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "admin/remotes", lines)
}

type remoteView struct {
	remoteLine
	Runs     []store.Run
	Details  map[string]string
	Warnings []string
	Held     *store.Run
	Webhook  webhookView
}

// webhookView is what an admin enters at a remote, and what came of it.
type webhookView struct {
	Entered bool   // an admin enters the address at this remote
	URL     string // "" when there is none, or it was given elsewhere and not kept
	Public  bool   // the base URL is one that the remote can reach
	store.HintCounts
}

func (v remoteView) title(*locale.Words) string { return v.Title }

func (v remoteView) refresh() int {
	if len(v.Runs) > 0 && v.Runs[0].State == store.RunGoing {
		return 3
	}
	return 0
}

func (s *Server) remote(c *gin.Context) {
	ctx := c.Request.Context()
	r, err := s.cfg.Store.Remote(ctx, adapters.Remote(c.Param("name")))
	if err != nil {
		s.fail(c, fmt.Errorf("remote: %w", err))
		return
	}
	var v remoteView
	if v.remoteLine, err = s.remoteLine(c, r); err == nil {
		v.Runs, err = s.cfg.Store.Runs(ctx, r.Name, 10)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	if len(v.Runs) > 0 && v.Runs[0].State == store.RunHeld {
		v.Held = &v.Runs[0]
	}
	var said adapters.Health
	if json.Unmarshal(r.HealthDetails, &said) == nil {
		v.Details, v.Warnings = said.Details, said.Warnings
	}
	if r.Kind == "credly" {
		if v.Webhook, err = s.webhookView(ctx, r); err != nil {
			s.fail(c, err)
			return
		}
		c.Header("Cache-Control", "no-store") // it shows an address that is a secret
	}
	s.render(c, http.StatusOK, "admin/remote", v)
}

func (s *Server) webhookView(ctx context.Context, r store.Remote) (v webhookView, err error) {
	v.Entered = true
	path, err := s.cfg.Engine.WebhookPath(r)
	if err != nil {
		return v, err
	}
	base := s.cfg.BaseURL(ctx)
	v.Public = strings.HasPrefix(base, "https://")
	if path != "" && base != "" {
		v.URL = base + path
	}
	v.HintCounts, err = s.cfg.Store.CountHints(ctx, r.Name)
	return v, err
}

// longWork is how long a listing that an admin asked for may take.
const longWork = time.Hour

func (s *Server) remoteAction(c *gin.Context) {
	ctx, name := c.Request.Context(), adapters.Remote(c.Param("name"))
	if _, err := s.cfg.Store.Remote(ctx, name); err != nil {
		s.fail(c, fmt.Errorf("remote: %w", err))
		return
	}
	action, said, to := c.Param("action"), "", "/admin/remotes/"+url.PathEscape(string(name))
	var err error
	switch action {
	case "sync":
		said, err = "sync-asked", s.cfg.Engine.RequestSync(ctx, name)
	case "list":
		said = "list-asked"
		s.listAll(ctx, name)
	case "check":
		said = "checked"
		if _, err = s.cfg.Engine.CheckRemote(ctx, name); err != nil && outcomeOf(err).status == http.StatusBadGateway {
			said, err = "", nil // its health says it
		}
	case "pause":
		said, err = "remote-paused", s.cfg.Engine.PauseRemote(ctx, name, s.wordsOf(c).T("remote.paused-by", "Person", visitorOf(c).Title()))
	case "resume":
		said, err = "remote-resumed", s.cfg.Engine.ResumeRemote(ctx, name)
	case "accept":
		said, err = "remote-accepted", s.cfg.Engine.AcceptIdentity(ctx, name)
	case "remove":
		if c.PostForm("sure") != "yes" {
			err = fmt.Errorf("not confirmed: %w", errBadInput)
			break
		}
		said, to = "remote-removed", "/admin/remotes"
		if _, err = s.cfg.Engine.CutRemote(ctx, name); err == nil {
			s.cfg.SitesChanged(ctx)
		}
	case "rehook":
		said, err = "rehooked", s.cfg.Engine.RenewWebhook(ctx, name)
	case "rekey":
		if said, err = "rekeyed", s.cfg.Engine.Rekey(ctx, name); err == nil {
			s.cfg.SitesChanged(ctx)
		}
	default:
		err = store.ErrNotFound
	}
	if err != nil {
		s.fail(c, fmt.Errorf("%s %s: %w", action, name, err))
		return
	}
	if said != "" {
		s.say(c, "ok", said, nil)
	}
	c.Redirect(http.StatusSeeOther, to)
}

// turnWait is how long a listing waits for a pull that is under way.
const turnWait = time.Minute

func (s *Server) active(ctx context.Context, name adapters.Remote) bool {
	r, err := s.cfg.Store.Remote(ctx, name)
	return err == nil && r.State == store.RemoteActive
}

// listAll lists a remote in full, beside the request that asked for it and after
// a pull that is under way.
func (s *Server) listAll(ctx context.Context, name adapters.Remote) {
	ctx = context.WithoutCancel(ctx)
	s.cfg.Go(func(stop context.Context) {
		ctx, cancel := context.WithTimeout(ctx, longWork)
		defer cancel()
		defer context.AfterFunc(stop, cancel)()
		for until := s.cfg.Now().Add(turnWait); ; {
			_, err := s.cfg.Engine.Sync(ctx, name, engine.SyncOptions{Cause: "person", Full: true})
			if errors.Is(err, store.ErrStale) && s.cfg.Now().Before(until) && s.active(ctx, name) {
				select {
				case <-ctx.Done():
					return
				case <-time.After(200 * time.Millisecond):
					continue
				}
			}
			if err != nil && ctx.Err() == nil {
				s.cfg.Log.WarnContext(ctx, "list all", "remote", name, "error", err)
			}
			return
		}
	})
}

const keptPairCode = "pair-code"

type connectSiteView struct {
	Code    string
	BaseURL string
	Until   time.Time
	Plugin  string // where the plugin is downloaded; "" where this gateway carries none
	Ask     *pairAsk
}

func (s *Server) connectSite(c *gin.Context) {
	ctx := c.Request.Context()
	v := connectSiteView{BaseURL: s.cfg.BaseURL(ctx)}
	if s.cfg.SitePlugin != nil {
		v.Plugin = sitePluginPath
	}
	if v.Ask = readPairAsk(c.Query); v.Ask != nil {
		// The form's answer leads to the site that asks, which the page's policy has
		// to allow for this page.
		c.Header("Content-Security-Policy", strings.Replace(pageCSP, "form-action 'self'", "form-action 'self' "+originOf(v.Ask.Return), 1))
		s.render(c, http.StatusOK, "admin/connect-site", v)
		return
	}
	if until, code, ok := strings.Cut(s.cfg.Sessions.Kept(ctx, keptPairCode), " "); ok {
		t, err := time.Parse(time.RFC3339, until)
		if err == nil && s.cfg.Now().Before(t) {
			v.Code, v.Until = code, t
		} else {
			s.cfg.Sessions.Drop(ctx, keptPairCode)
		}
	}
	s.render(c, http.StatusOK, "admin/connect-site", v)
}

func (s *Server) makePairCode(c *gin.Context) {
	ctx := c.Request.Context()
	code, err := s.newPairCode(ctx, visitorOf(c).PersonID)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.cfg.Sessions.Keep(ctx, keptPairCode, s.cfg.Now().Add(pairLife).UTC().Format(time.RFC3339)+" "+code)
	c.Redirect(http.StatusSeeOther, "/admin/connect/wordpress")
}

const (
	credlyProduction = "https://api.credly.com/v1"
	credlySandbox    = "https://sandbox-api.credly.com/v1"
)

type connectCredlyView struct {
	Organization string
	ClientID     string // of an OAuth application; "" with a token
	Where        string // "production", "sandbox", "custom"
	Custom       string // the address that is allowed, "" none
	Problem      string // key under "error."
	Words        string // Credly's own
}

func (s *Server) connectCredly(c *gin.Context) {
	v := connectCredlyView{Where: "production", Custom: s.cfg.CredlyBaseURL}
	if v.Custom != "" {
		v.Where = "custom"
	}
	s.render(c, http.StatusOK, "admin/connect-credly", v)
}

// credlyConfig is the configuration of the driver "credly".
type credlyConfig struct {
	OrganizationID string `json:"organization_id"`
	Token          string `json:"token,omitempty"`
	ClientID       string `json:"client_id,omitempty"`
	ClientSecret   string `json:"client_secret,omitempty"`
	BaseURL        string `json:"base_url"`
}

func (s *Server) connectCredlyForm(c *gin.Context) {
	ctx := c.Request.Context()
	v := connectCredlyView{Organization: strings.TrimSpace(c.PostForm("organization")), Where: c.PostForm("where"), Custom: s.cfg.CredlyBaseURL}
	v.ClientID = strings.TrimSpace(c.PostForm("client"))
	cfg := credlyConfig{
		OrganizationID: v.Organization, Token: strings.TrimSpace(c.PostForm("token")),
		ClientID: v.ClientID, ClientSecret: strings.TrimSpace(c.PostForm("secret")),
	}
	name := adapters.Remote("credly")
	switch v.Where {
	case "sandbox":
		cfg.BaseURL, name = credlySandbox, "credly-sandbox"
	case "custom":
		cfg.BaseURL = v.Custom
	default:
		cfg.BaseURL = credlyProduction
	}
	switch app := cfg.ClientID != "" || cfg.ClientSecret != ""; {
	case cfg.Token != "" && app:
		v.Problem = "credly-one"
	case cfg.OrganizationID == "" || cfg.BaseURL == "" || cfg.Token == "" && (cfg.ClientID == "" || cfg.ClientSecret == ""):
		v.Problem = "credly-both"
	}
	if v.Problem != "" {
		s.render(c, http.StatusUnprocessableEntity, "admin/connect-credly", v)
		return
	}
	raw, err := json.Marshal(cfg)
	if err == nil {
		_, err = s.cfg.Engine.AddRemote(ctx, name, "credly", "Credly", raw, "")
	}
	if err != nil {
		if v.Problem = credlyProblem(err); v.Problem == "" {
			s.fail(c, fmt.Errorf("connect credly: %w", err))
			return
		}
		switch v.Words = remoteWords(err); v.Problem {
		case "credly-config":
			v.Words = configWords(err)
		case "credly-token", "credly-expired":
			var said *adapters.Error
			if errors.As(err, &said) && said.Status != 0 {
				v.Words = "" // the page says the same
			}
		}
		s.cfg.Log.WarnContext(ctx, "connect credly", "id", requestIDOf(ctx), "error", err)
		s.render(c, http.StatusUnprocessableEntity, "admin/connect-credly", v)
		return
	}
	if r, err := s.cfg.Store.Remote(ctx, name); err == nil && !mayIssue(r) {
		s.say(c, "warn", "credly-read-only", nil)
	} else {
		s.say(c, "ok", "credly-connected", nil)
	}
	c.Redirect(http.StatusSeeOther, "/admin/remotes/"+string(name))
}

// mayIssue reports whether the token may write, as far as the remote said.
func mayIssue(r store.Remote) bool {
	var said adapters.Health
	return json.Unmarshal(r.HealthDetails, &said) != nil || said.Details["may issue"] != "no"
}

func credlyProblem(err error) string {
	switch {
	case errors.Is(err, engine.ErrConfig):
		return "credly-config"
	case adapters.ReasonOf(err) == adapters.ReasonExpired:
		return "credly-expired"
	case errors.Is(err, adapters.ErrUnauthorized):
		return "credly-token"
	case errors.Is(err, adapters.ErrNotFound):
		return "credly-organization"
	case errors.Is(err, adapters.ErrUnavailable), errors.Is(err, adapters.ErrRateLimited):
		return "credly-away"
	case errors.Is(err, adapters.ErrRejected):
		return "credly-refused"
	}
	return ""
}

// configWords is what a driver has against a configuration, without what names the
// operation.
func configWords(err error) string {
	_, words, _ := strings.Cut(err.Error(), engine.ErrConfig.Error()+": ")
	return strings.ReplaceAll(words, "credly: ", "")
}
