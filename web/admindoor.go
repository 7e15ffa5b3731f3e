package web

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/store"
)

// oldCredly is the kind of driver behind the old Credly API.
const oldCredly = "old-credly"

// isSite tells the kinds of remote that are an association's own site.
func isSite(kind string) bool { return kind == "wordpress" || kind == oldCredly }

// keptDoor keeps the account of a door that was just made for the page that
// shows it once.
const keptDoor = "door"

type connectDoorView struct {
	Site    string
	Problem string
	Made    *madeDoor
	Define  string // the line for the site's wp-config.php
}

type madeDoor struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

func (s *Server) connectDoor(c *gin.Context) {
	ctx := c.Request.Context()
	v := connectDoorView{Define: "define( 'BADGEOS_CREDLY_API_URL', '" + s.cfg.BaseURL(ctx) + "/legacy/credly/v0.2/' );"}
	var made madeDoor
	if kept := s.cfg.Sessions.Kept(ctx, keptDoor); kept != "" && json.Unmarshal([]byte(kept), &made) == nil {
		s.cfg.Sessions.Drop(ctx, keptDoor)
		v.Made = &made
	}
	s.render(c, http.StatusOK, "admin/connect-door", v)
}

// makeDoor makes an account of the old API for one site. The password is shown
// once; BadgeOS exchanges it for a token.
func (s *Server) makeDoor(c *gin.Context) {
	ctx := c.Request.Context()
	v := connectDoorView{Site: strings.TrimSpace(c.PostForm("site"))}
	at, err := url.Parse(v.Site)
	if err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http" || at.User != nil || len(v.Site) > 200 {
		v.Problem = "door-site"
		s.render(c, http.StatusUnprocessableEntity, "admin/connect-door", v)
		return
	}
	host := strings.ToLower(at.Hostname())
	made := madeDoor{Title: host, Email: "badgeos@" + host, Password: random(20)}
	if made.Name, err = s.freeName(ctx, "old-"+host); err == nil {
		raw, merr := json.Marshal(map[string]string{"email": made.Email, "password": made.Password, "token": random(40), "salt": random(40)})
		if err = merr; err == nil {
			_, err = s.cfg.Engine.AddRemote(ctx, adapters.Remote(made.Name), oldCredly, made.Title, raw, "")
		}
	}
	if err != nil {
		s.fail(c, fmt.Errorf("make a door: %w", err))
		return
	}
	kept, err := json.Marshal(made)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.cfg.Sessions.Keep(ctx, keptDoor, string(kept))
	c.Redirect(http.StatusSeeOther, "/admin/connect/old-credly")
}

// freeName makes a remote's name of a host's.
func (s *Server) freeName(ctx context.Context, from string) (string, error) {
	base := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, from), "-")
	if len(base) > 36 {
		base = strings.Trim(base[:36], "-")
	}
	name := base
	for i := 2; i < 100; i++ {
		_, err := s.cfg.Store.Remote(ctx, adapters.Remote(name))
		if errors.Is(err, store.ErrNotFound) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
		name = fmt.Sprintf("%s-%d", base, i)
	}
	return "", fmt.Errorf("name %s: %w", base, store.ErrExists)
}

// random is n letters and digits, five bits each.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)[:n])
}
