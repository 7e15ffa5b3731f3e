package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/backpack"
)

// grantLife is how long an access token is good.
const grantLife = time.Hour

// connectRoutes are Mozilla's Backpack Connect: a site asks a person for the
// permission to push badges into their backpack, and then does.
func (s *Server) connectRoutes(g *gin.Engine, site *gin.RouterGroup) {
	get(site, "/access", s.connectAsk)
	site.POST("/accept", s.needMember, s.connectAccept)
	for _, path := range []string{"/api/token", "/api/issue", "/api/identity", "/api/revoke"} {
		g.OPTIONS(path, func(c *gin.Context) {
			openTo(c, "Content-Type, Authorization")
			c.Header("Access-Control-Expose-Headers", "WWW-Authenticate")
			c.Status(http.StatusOK)
		})
	}
	g.POST("/api/token", s.connectToken)
	g.POST("/api/issue", s.connectIssue)
	g.POST("/api/revoke", s.connectRevoke)
	get(g, "/api/identity", s.connectIdentity)
	site.POST("/me/sites/:id/revoke", s.needMember, s.revokeSite)
}

type connectView struct {
	Host     string
	Callback string
	Scope    string
	State    string
	Deny     string
	Who      string
	Return   string
}

// connectRequest reads and checks what a site asks for; the words of the errors
// are the protocol's.
func connectRequest(get func(string) string) (callback *url.URL, scopes []string, err error) {
	raw, scope := get("callback"), get("scope")
	switch {
	case raw == "":
		return nil, nil, errors.New("callback expected")
	case scope == "":
		return nil, nil, errors.New("scope expected")
	}
	callback, err = url.Parse(raw)
	switch {
	case err != nil || callback.Scheme != "http" && callback.Scheme != "https":
		return nil, nil, errors.New("invalid callback: invalid origin protocol")
	case callback.Host == "" || callback.User != nil || callback.Opaque != "" || len(raw) > 2000:
		return nil, nil, errors.New("invalid callback: invalid origin host")
	}
	callback.Fragment = ""
	var bad []string
	for _, one := range strings.Split(scope, ",") {
		one = strings.TrimSpace(one)
		if one != "issue" {
			bad = append(bad, one)
		}
	}
	if len(bad) > 0 {
		return nil, nil, fmt.Errorf("invalid scope: invalid permission(s): %s", strings.Join(bad, ", "))
	}
	return callback, []string{"issue"}, nil
}

func withQuery(u *url.URL, add url.Values) string {
	out := *u
	q := out.Query()
	for k, v := range add {
		q[k] = v
	}
	out.RawQuery = q.Encode()
	return out.String()
}

func (s *Server) connectAsk(c *gin.Context) {
	callback, _, err := connectRequest(c.Query)
	if err != nil {
		c.String(http.StatusBadRequest, "%s", err.Error())
		return
	}
	v := visitorOf(c)
	if v == nil {
		c.Redirect(http.StatusSeeOther, "/login?return="+url.QueryEscape(c.Request.URL.RequestURI()))
		return
	}
	deny := url.Values{"error": {"access_denied"}}
	if state := c.Query("state"); state != "" {
		deny.Set("state", state)
	}
	// The form's answer leads to the site that asks, which the page's policy has
	// to allow for this page.
	c.Header("Content-Security-Policy", strings.Replace(pageCSP, "form-action 'self'", "form-action 'self' "+originOf(callback.String()), 1))
	s.render(c, http.StatusOK, "connect", connectView{
		Host: callback.Host, Callback: callback.String(), Scope: "issue", State: c.Query("state"), Deny: withQuery(callback, deny),
		Who: v.Title(), Return: c.Request.URL.RequestURI(),
	})
}

func (s *Server) connectAccept(c *gin.Context) {
	callback, scopes, err := connectRequest(c.PostForm)
	if err != nil {
		c.String(http.StatusBadRequest, "%s", err.Error())
		return
	}
	g := store.Grant{PersonID: visitorOf(c).PersonID, Origin: originOf(callback.String()), Scopes: scopes, CreatedAt: s.cfg.Now()}
	access, refresh := s.newTokens(&g)
	if _, err := s.cfg.Store.CreateGrant(c.Request.Context(), g); err != nil {
		s.fail(c, fmt.Errorf("connect: %w", err))
		return
	}
	q := url.Values{
		"access_token": {access}, "refresh_token": {refresh}, "expires": {strconv.Itoa(int(grantLife.Seconds()))},
		"api_root": {s.cfg.BaseURL(c.Request.Context()) + "/api"},
	}
	if state := c.PostForm("state"); state != "" {
		q.Set("state", state)
	}
	c.Header("Cache-Control", "no-store")
	c.Header("Referrer-Policy", "no-referrer")
	c.Redirect(http.StatusSeeOther, withQuery(callback, q))
}

// newTokens makes a pair in the form that the protocol's tokens had.
func (s *Server) newTokens(g *store.Grant) (access, refresh string) {
	one := func() (string, string) {
		var b [24]byte
		_, _ = rand.Read(b[:])
		stamp := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(strconv.FormatInt(s.cfg.Now().UnixMilli(), 10)))
		token := base64.StdEncoding.EncodeToString(b[:]) + "_" + stamp
		return token, tokenHash(token)
	}
	access, g.AccessHash = one()
	refresh, g.RefreshHash = one()
	g.AccessUntil = s.cfg.Now().Add(grantLife)
	return access, refresh
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func (s *Server) connectToken(c *gin.Context) {
	openTo(c, "Content-Type, Authorization")
	c.Header("Cache-Control", "no-store")
	if !s.allow(c, "connect-token", 60, time.Minute) {
		c.String(http.StatusTooManyRequests, "too many requests")
		return
	}
	ctx := c.Request.Context()
	fields, err := formOrJSON(c)
	switch {
	case err != nil || len(fields) == 0:
		c.String(http.StatusBadRequest, "body expected")
		return
	case fields["grant_type"] != "refresh_token":
		c.String(http.StatusBadRequest, "invalid grant_type")
		return
	}
	was := tokenHash(fields["refresh_token"])
	g, err := s.cfg.Store.GrantByRefresh(ctx, was)
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) {
			s.fail(c, fmt.Errorf("connect: %w", err))
			return
		}
		c.String(http.StatusBadRequest, "invalid refresh_token")
		return
	}
	if origin := c.GetHeader("Origin"); origin != "" && origin != g.Origin {
		writeJSON(c, http.StatusUnauthorized, gin.H{"status": "unauthorized", "message": "invalid origin"})
		return
	}
	if g.RefreshHash != was && !g.UsedAt.IsZero() {
		// A refresh token that was turned in before, and what it was turned into was
		// used: somebody has a copy of it. Both lose the permission, and the person can
		// give it again. Before that use, the answer was lost on its way, and the site
		// asks again.
		if err := s.cfg.Store.DeleteGrant(ctx, g.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
			s.cfg.Log.ErrorContext(ctx, "connect", "error", err)
		}
		c.String(http.StatusBadRequest, "invalid refresh_token")
		return
	}
	current := g.RefreshHash
	g.OldRefreshHash, g.UsedAt = was, time.Time{}
	access, refresh := s.newTokens(&g)
	if err := s.cfg.Store.TurnGrant(ctx, g, current); err != nil {
		if errors.Is(err, store.ErrStale) || errors.Is(err, store.ErrNotFound) {
			c.String(http.StatusBadRequest, "invalid refresh_token")
			return
		}
		s.fail(c, fmt.Errorf("connect: %w", err))
		return
	}
	writeJSON(c, http.StatusOK, gin.H{"expires": int(grantLife.Seconds()), "access_token": access, "refresh_token": refresh})
}

// connectRevoke ends a permission by one of its tokens, as RFC 7009 has it: a
// token that is not known is as good as ended.
func (s *Server) connectRevoke(c *gin.Context) {
	openTo(c, "Content-Type, Authorization")
	c.Header("Cache-Control", "no-store")
	if !s.allow(c, "connect-token", 60, time.Minute) {
		c.String(http.StatusTooManyRequests, "too many requests")
		return
	}
	fields, err := formOrJSON(c)
	token := fields["token"]
	if err != nil || token == "" {
		writeJSON(c, http.StatusBadRequest, gin.H{"error": "invalid_request"})
		return
	}
	ctx := c.Request.Context()
	hash := tokenHash(token)
	g, err := s.cfg.Store.GrantByRefresh(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		g, err = s.cfg.Store.GrantByAccess(ctx, hash)
	}
	if err == nil {
		err = s.cfg.Store.DeleteGrant(ctx, g.ID)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		s.fail(c, fmt.Errorf("connect: %w", err))
		return
	}
	writeJSON(c, http.StatusOK, gin.H{"status": "okay"})
}

// bearer finds the permission that a call bears, or answers the protocol's
// refusal. The token comes base64-encoded once more; clients that forget that
// are understood, too.
func (s *Server) bearer(c *gin.Context, scope string) (store.Grant, bool) {
	openTo(c, "Content-Type, Authorization")
	c.Header("Access-Control-Expose-Headers", "WWW-Authenticate")
	c.Header("Cache-Control", "no-store")
	refuse := func(code, description string) (store.Grant, bool) {
		challenge, message := `Bearer realm="openbadges"`, "access token expected"
		if code != "" {
			challenge += fmt.Sprintf(`, error=%q, error_description=%q`, code, description)
			message = code + ": " + description
		}
		c.Header("WWW-Authenticate", challenge)
		writeJSON(c, http.StatusUnauthorized, gin.H{"status": "unauthorized", "message": message})
		return store.Grant{}, false
	}
	kind, token, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(kind, "Bearer") || token == "" || len(token) > 500 {
		return refuse("", "")
	}
	hashes := []string{tokenHash(token)}
	if inner, err := base64.StdEncoding.DecodeString(token); err == nil {
		hashes = append([]string{tokenHash(string(inner))}, hashes...)
	}
	ctx := c.Request.Context()
	for _, h := range hashes {
		g, err := s.cfg.Store.GrantByAccess(ctx, h)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			s.fail(c, fmt.Errorf("connect: %w", err))
			return store.Grant{}, false
		}
		switch {
		case !s.cfg.Now().Before(g.AccessUntil):
			return refuse("invalid_token", "The access token expired")
		case !slices.Contains(g.Scopes, scope):
			return refuse("insufficient_scope", fmt.Sprintf("Scope '%s' is required", scope))
		}
		if origin := c.GetHeader("Origin"); origin != "" {
			c.Header("Access-Control-Allow-Origin", g.Origin)
			c.Header("Vary", "Origin")
			if origin != g.Origin {
				writeJSON(c, http.StatusUnauthorized, gin.H{"status": "unauthorized", "message": "invalid origin"})
				return store.Grant{}, false
			}
		}
		if err := s.cfg.Store.TouchGrant(ctx, g.ID, s.cfg.Now()); err != nil {
			s.cfg.Log.WarnContext(ctx, "connect", "error", err)
		}
		return g, true
	}
	return refuse("invalid_token", "Unknown access token")
}

func (s *Server) connectIssue(c *gin.Context) {
	g, ok := s.bearer(c, "issue")
	if !ok {
		return
	}
	if !s.allowKey(c, "connect-issue:"+g.ID, 300, time.Minute) {
		c.Header("Retry-After", "60")
		writeJSON(c, http.StatusTooManyRequests, gin.H{"message": "too many badges at once; try again in a minute"})
		return
	}
	fields, err := formOrJSON(c)
	if err != nil {
		fields = nil
	}
	s.takeAssertion(c, g.PersonID, assertionIn(c, fields), "push:"+g.Origin, true)
}

// connectIdentity tells the site whom it may push to, by a hash that is another
// one at each call.
func (s *Server) connectIdentity(c *gin.Context) {
	g, ok := s.bearer(c, "issue")
	if !ok {
		return
	}
	ids, err := s.cfg.Store.IdentifiersOf(c.Request.Context(), g.PersonID)
	if err != nil {
		s.fail(c, fmt.Errorf("connect: %w", err))
		return
	}
	for _, id := range ids {
		if id.Type == openbadges.IdentityEmail {
			salt := store.NewID()
			sum := sha256.Sum256([]byte(id.Value + salt))
			writeJSON(c, http.StatusOK, gin.H{"recipient": "sha256$" + hex.EncodeToString(sum[:]), "salt": salt, "type": "email"})
			return
		}
	}
	writeJSON(c, http.StatusNotFound, gin.H{"status": "missing", "message": "the person has no e-mail address"})
}

// revokeSite takes a site's permission back: its tokens are dead at once.
func (s *Server) revokeSite(c *gin.Context) {
	ctx := c.Request.Context()
	grants, err := s.cfg.Store.GrantsOf(ctx, visitorOf(c).PersonID)
	if err == nil {
		err = store.ErrNotFound
		for _, g := range grants {
			if g.ID == c.Param("id") {
				err = s.cfg.Store.DeleteGrant(ctx, g.ID)
			}
		}
	}
	if err != nil {
		s.fail(c, fmt.Errorf("take a permission back: %w", err))
		return
	}
	s.say(c, "ok", "site-revoked", nil)
	c.Redirect(http.StatusSeeOther, "/me#sites")
}

// assertionIn finds the assertion of a call, in the order in which the protocol
// looks: an address or a JWS. An address that was encoded twice is decoded.
func assertionIn(c *gin.Context, fields map[string]string) string {
	for _, v := range []string{c.Query("assertion"), fields["assertion"], fields["badge"], c.Query("badge")} {
		if v = strings.TrimSpace(v); v != "" {
			if once, err := url.QueryUnescape(v); err == nil && parsesAsWeb(once) && !parsesAsWeb(v) {
				return once
			}
			return v
		}
	}
	return ""
}

func parsesAsWeb(s string) bool { _, err := parseWeb(s); return err == nil }

// takeAssertion puts a badge that a site pushes into a backpack and answers in
// the protocol's words.
func (s *Server) takeAssertion(c *gin.Context, personID, assertion, source string, keep bool) {
	in := backpack.Given{Source: source, NoWaiting: true}
	switch {
	case assertion == "":
		writeJSON(c, http.StatusBadRequest, gin.H{"message": "must provide either url or signature"})
		return
	case parsesAsWeb(assertion):
		in.URL = assertion
	case strings.Count(assertion, ".") == 2 && strings.HasPrefix(assertion, "eyJ"):
		in.Data = []byte(assertion)
	default:
		writeJSON(c, http.StatusBadRequest, gin.H{"message": "malformed assertion, must be a url or signature"})
		return
	}
	if !keep {
		s.showAssertion(c, personID, in)
		return
	}
	res, err := s.cfg.Backpack.Collect(c.Request.Context(), personID, in)
	if err != nil {
		s.cfg.Log.ErrorContext(c.Request.Context(), "push", "error", err)
		writeJSON(c, http.StatusInternalServerError, gin.H{"exists": false, "message": "badge error, it was not stored"})
		return
	}
	s.answerAssertion(c, res, assertion)
}

func (s *Server) answerAssertion(c *gin.Context, res backpack.Result, assertion string) {
	switch {
	case res.Fate == backpack.Refused && res.Reason == backpack.ReasonRecipient:
		writeJSON(c, http.StatusForbidden, gin.H{"message": "badge assertion is for a different user"})
	case res.Fate == backpack.Refused:
		code, message := refusalWords(res)
		writeJSON(c, http.StatusBadRequest, gin.H{"code": code, "message": message})
	case res.Fate == backpack.Known:
		c.Status(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
	default:
		writeJSON(c, http.StatusCreated, gin.H{"exists": false, "badge": reportBadge(res, assertion)})
	}
}

// refusalWords are the protocol's code and message for a refusal, and after it
// what our own verification found.
func refusalWords(res backpack.Result) (code, message string) {
	switch {
	case res.Reason == backpack.ReasonUnreachable:
		code, message = "http-unreachable", "Could not get all linked resources"
	case res.Reason == backpack.ReasonNotThere:
		code, message = "http-status", "Could not get all linked resources"
	case res.Reason == backpack.ReasonRevoked:
		code, message = "verify-revoked", "The badge has been revoked"
	case res.Reason == backpack.ReasonUnreadable, res.Reason == backpack.ReasonNotABadge:
		code, message = "structure", "Invalid assertion structure"
	case res.Reason == backpack.ReasonFull:
		code, message = "backpack-full", "The backpack holds as many badges as it can"
	default:
		code, message = "verify", "The badge could not be verified"
	}
	if p := res.Report.Problems(); len(p) > 0 {
		message += ": " + p[0]
	}
	return code, message
}

func reportBadge(res backpack.Result, assertion string) map[string]any {
	if res.Report.Assertion == nil {
		return nil
	}
	a := res.Report.Assertion
	kind := "hosted"
	if res.Report.Verification != "hosted" {
		kind = "signed"
	}
	return mozillaBadge(res.AwardID, a.Award, a.Issuer, assertion, kind, a.Award.Recipient)
}
