package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/store"
)

const (
	pairLife    = 15 * time.Minute
	pairSetting = "pair-code."
)

// pairCode is what is kept of a one-time code; the code itself is not.
type pairCode struct {
	Expires time.Time `json:"expires"`
	By      string    `json:"by"` // person id
}

// newPairCode makes a code like "K3QF-7XNB-2MTA": 60 random bits, good once and
// for 15 minutes.
func (s *Server) newPairCode(ctx context.Context, personID string) (string, error) {
	var b [8]byte
	_, _ = rand.Read(b[:])
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])[:12]
	kept, err := json.Marshal(pairCode{Expires: s.cfg.Now().Add(pairLife), By: personID})
	if err != nil {
		return "", err
	}
	if err := s.cfg.Store.CreateSetting(ctx, pairSetting+hashCode(text), string(kept)); err != nil {
		return "", fmt.Errorf("make pairing code: %w", err)
	}
	return text[:4] + "-" + text[4:8] + "-" + text[8:], nil
}

// hashCode takes a code as people type it.
func hashCode(code string) string {
	code = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.TrimSpace(code)))
	sum := sha256.Sum256([]byte("pair:" + code))
	return hex.EncodeToString(sum[:])
}

// takePairCode uses a code up. Of two callers at once one gets it.
func (s *Server) takePairCode(ctx context.Context, code string) error {
	name, now := pairSetting+hashCode(code), s.cfg.Now()
	return s.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		text, err := tx.Setting(ctx, name)
		if errors.Is(err, store.ErrNotFound) {
			return errCode
		}
		if err != nil {
			return err
		}
		var kept pairCode
		if json.Unmarshal([]byte(text), &kept) != nil || now.After(kept.Expires) {
			return errCode
		}
		fresh, err := tx.UseOnce(ctx, "pair", name, now, kept.Expires.Add(time.Minute))
		if err != nil {
			return err
		}
		if !fresh {
			return errCode
		}
		return nil
	})
}

// pairRequest and pairResponse are PairRequest and PairResponse of
// wordpress/site-api.yaml.
type pairRequest struct {
	Code          string `json:"code"`
	SiteUUID      string `json:"site_uuid"`
	HomeURL       string `json:"home_url"`
	RestURL       string `json:"rest_url"`
	Name          string `json:"name"`
	PluginVersion string `json:"plugin_version"`
	OIDCIssuer    string `json:"oidc_issuer"`
}

type pairResponse struct {
	Remote     string `json:"remote"`
	KeyID      string `json:"key_id"`
	Secret     string `json:"secret"`
	WebhookURL string `json:"webhook_url"`
}

// siteConfig is the configuration of the driver "wordpress".
type siteConfig struct {
	RestURL     string `json:"rest_url"`
	SiteUUID    string `json:"site_uuid"`
	HomeURL     string `json:"home_url"`
	KeyID       string `json:"key_id"`
	Secret      string `json:"secret"`
	WebhookPath string `json:"webhook_path"`
	OIDCIssuer  string `json:"oidc_issuer,omitempty"`
}

var siteUUID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func (p pairRequest) check() error {
	web := func(field, u string) error {
		parsed, err := url.Parse(u)
		if err != nil || (parsed.Scheme != "https" && parsed.Scheme != "http") || parsed.Host == "" || parsed.User != nil || len(u) > 2000 {
			return &fieldError{Field: field, Key: "pair-address"}
		}
		return nil
	}
	if len(p.Code) == 0 || len(p.Code) > 40 {
		return errCode
	}
	if !siteUUID.MatchString(p.SiteUUID) {
		return &fieldError{Field: "site_uuid", Key: "pair-uuid"}
	}
	if err := web("home_url", p.HomeURL); err != nil {
		return err
	}
	if err := web("rest_url", p.RestURL); err != nil {
		return err
	}
	if p.OIDCIssuer != "" {
		if err := web("oidc_issuer", p.OIDCIssuer); err != nil {
			return err
		}
		// The issuer proves who people are; it must be the paired site itself.
		home, _ := url.Parse(p.HomeURL)
		issuer, _ := url.Parse(p.OIDCIssuer)
		if !strings.EqualFold(home.Host, issuer.Host) {
			return &fieldError{Field: "oidc_issuer", Key: "pair-issuer"}
		}
	}
	if p.Name == "" || len(p.Name) > 200 {
		return &fieldError{Field: "name", Key: "pair-name"}
	}
	return nil
}

// pair joins a site with the one-time code that an admin carried over.
func (s *Server) pair(c *gin.Context) {
	ctx := c.Request.Context()
	if !s.allow(c, "pair", 10, 10*time.Minute) {
		s.fail(c, errTooMany)
		return
	}
	base := s.cfg.BaseURL(ctx)
	var p pairRequest
	if err := json.NewDecoder(c.Request.Body).Decode(&p); err != nil {
		s.fail(c, fmt.Errorf("%w: %w", errBadInput, err))
		return
	}
	err := p.check()
	if err == nil {
		err = s.takePairCode(ctx, p.Code)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("pair: %w", err))
		return
	}
	name, err := s.siteRemote(ctx, p)
	if err != nil {
		s.fail(c, fmt.Errorf("pair: %w", err))
		return
	}
	hook := rand.Text()
	path := "/webhooks/" + string(name) + "/" + hook
	cfg := siteConfig{
		RestURL: p.RestURL, SiteUUID: strings.ToLower(p.SiteUUID), HomeURL: p.HomeURL, OIDCIssuer: p.OIDCIssuer,
		KeyID: "bb-" + store.NewID(), Secret: rand.Text() + rand.Text(), WebhookPath: path,
	}
	raw, err := json.Marshal(cfg)
	if err == nil {
		err = s.addSite(ctx, name, p.Name, raw, hook)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("pair: %w", err))
		return
	}
	if err := s.cfg.Store.DeleteSetting(ctx, pairSetting+hashCode(p.Code)); err != nil && !errors.Is(err, store.ErrNotFound) {
		s.cfg.Log.WarnContext(ctx, "a used pairing code stays until it ends", "error", err)
	}
	s.cfg.SitesChanged(ctx)
	s.cfg.Log.InfoContext(ctx, "site paired", "remote", name)
	writeJSON(c, http.StatusOK, pairResponse{Remote: string(name), KeyID: cfg.KeyID, Secret: cfg.Secret, WebhookURL: base + path})
}

// addSite stores a site without asking it: it does not know the key yet, which
// is in our answer to its call. The first pull checks it and pins what it is;
// the configuration pins its uuid and home URL already.
func (s *Server) addSite(ctx context.Context, name adapters.Remote, title string, cfg json.RawMessage, hook string) error {
	r, err := s.cfg.Engine.DeclareRemote(ctx, name, "wordpress", title, cfg, hook)
	if err != nil {
		return err
	}
	r.Declared = false // it is ours to edit, not the configuration file's
	if err := s.cfg.Store.PutRemoteConfig(ctx, r); err != nil {
		return err
	}
	if r.State == store.RemoteReadOnly { // paired again: an admin just said which site it is
		return s.cfg.Store.SetRemoteState(ctx, name, store.RemoteActive, "")
	}
	return nil
}

// siteRemote names the remote of a site: the one it had when it is paired
// again, else a new name from its host.
func (s *Server) siteRemote(ctx context.Context, p pairRequest) (adapters.Remote, error) {
	remotes, err := s.cfg.Store.Remotes(ctx)
	if err != nil {
		return "", err
	}
	taken := map[adapters.Remote]bool{}
	for _, r := range remotes {
		taken[r.Name] = true
		if r.Kind == "wordpress" && r.Identity != "" && strings.Contains(strings.ToLower(r.Identity), strings.ToLower(p.SiteUUID)) {
			return r.Name, nil
		}
	}
	home, err := url.Parse(p.HomeURL)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errBadInput, err)
	}
	base := "wp-" + strings.ToLower(fileName(strings.TrimPrefix(home.Hostname(), "www.")))
	base = strings.TrimRight(base[:min(len(base), 36)], "-") // a remote's name has 40 characters at most
	name := adapters.Remote(base)
	for n := 2; taken[name]; n++ {
		name = adapters.Remote(fmt.Sprintf("%s-%d", base, n))
	}
	return name, nil
}
