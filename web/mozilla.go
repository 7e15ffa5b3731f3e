package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"

	"badgebridge/openbadges"
)

// The doors of Mozilla's Backpack: what displays, issues or pushes badges by
// Mozilla's protocols works here by changing the host's name. The protocols are
// kept as they were documented, with these exceptions, each for somebody's
// safety: see docs/decisions.

func (s *Server) mozillaRoutes(g *gin.Engine, site *gin.RouterGroup) {
	s.displayerRoutes(g)
	s.connectRoutes(g, site)
	s.issuerRoutes(g, site)
}

// callbackName is what a JSONP callback may be called: a function, and no code.
var callbackName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*){0,4}$`)

// openTo lets pages of any site read the answer. No cookie is ever looked at
// where this is called.
func openTo(c *gin.Context, headers string) {
	c.Header("Access-Control-Allow-Origin", "*")
	c.Header("Access-Control-Allow-Headers", headers)
	c.Header("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	c.Header("Cross-Origin-Resource-Policy", "cross-origin")
}

// answerJSONP writes v as JSON, or wrapped into the callback that the query
// names: then with status 200, as scripts can't read any other.
func (s *Server) answerJSONP(c *gin.Context, status int, v any) {
	c.Header("Cache-Control", "no-store")
	name := c.Query("callback")
	if name == "" {
		writeJSON(c, status, v)
		return
	}
	if len(name) > 100 || !callbackName.MatchString(name) {
		writeJSON(c, http.StatusBadRequest, gin.H{"status": "invalid", "error": "callback is not the name of a function"})
		return
	}
	body, err := json.Marshal(v) // escapes <, > and &, and the line ends of JavaScript
	if err != nil {
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	// The comment in front keeps the answer from being taken for anything but a
	// script (what is known as Rosetta Flash).
	c.Data(http.StatusOK, "application/javascript; charset=utf-8", []byte("/**/"+name+"("+string(body)+");"))
}

// mozillaBadge is an award in the form that Mozilla's protocols call the
// normalized assertion: Open Badges 1.x in one piece. uid names the award here. The
// recipient is hashed, whatever the document says.
func mozillaBadge(uid string, a openbadges.Award, issuer openbadges.Profile, url, verifyType string, r openbadges.Recipient) map[string]any {
	class := a.BadgeClass
	if issuer.Name == "" {
		issuer = class.Issuer
	}
	address := issuer.URL
	if address == "" {
		address = issuer.ID
	}
	profile := map[string]any{"name": issuer.Name, "url": address, "origin": originOf(address)}
	optional(profile, "_location", issuer.ID)
	optional(profile, "email", issuer.Email)
	optional(profile, "description", issuer.Description)
	badge := map[string]any{"name": class.Name, "description": class.Description, "criteria": class.Criteria.ID, "issuer": profile}
	optional(badge, "_location", class.ID)
	if class.Image != nil {
		optional(badge, "image", class.Image.ID)
	}
	if len(class.Tags) > 0 {
		badge["tags"] = class.Tags
	}
	out := map[string]any{
		"recipient": r.Identity, "badge": badge, "verify": map[string]any{"type": verifyType, "url": url},
		"_originalRecipient": map[string]any{"type": "email", "hashed": r.Hashed, "identity": r.Identity, "salt": r.Salt},
	}
	optional(out, "uid", uid)
	optional(out, "salt", r.Salt)
	if !a.IssuedOn.IsZero() {
		out["issuedOn"], out["issued_on"] = a.IssuedOn.Unix(), a.IssuedOn.Unix()
	}
	if !a.Expires.IsZero() {
		out["expires"] = a.Expires.Unix()
	}
	for _, e := range a.Evidence {
		if e.ID != "" {
			out["evidence"] = e.ID
			break
		}
	}
	return out
}

func optional(m map[string]any, name, value string) {
	if value != "" {
		m[name] = value
	}
}

// modelOf is an award of the store in the model's terms.
func modelOf(b badge) openbadges.Award {
	content := b.Content
	if content.Image == nil || !strings.HasPrefix(content.Image.ID, "http") {
		content.Image = &openbadges.Image{ID: b.ImageURL()}
	}
	if content.Criteria.ID == "" {
		content.Criteria.ID = b.PublicURL() + "/criteria"
	}
	return openbadges.Award{
		BadgeClass: content, Recipient: b.Recipient, IssuedOn: b.IssuedOn, Expires: b.Expires, Evidence: b.Award.Evidence, Narrative: b.Award.Narrative,
	}
}

// originOf is scheme://host[:port] of an address, "" when it has none.
func originOf(address string) string {
	u, err := parseWeb(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// formOrJSON reads the fields of a call that clients send as a form, as JSON, or
// as a form that is labelled JSON.
func formOrJSON(c *gin.Context) (map[string]string, error) {
	body, err := c.GetRawData()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	if b := bytes.TrimSpace(body); len(b) > 0 && b[0] == '{' {
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			return nil, err
		}
		for k, v := range m {
			if text, ok := v.(string); ok {
				out[k] = text
			}
		}
		return out, nil
	}
	values, err := parseQuery(string(bytes.TrimSpace(body)))
	if err != nil {
		return nil, err
	}
	for k := range values {
		out[k] = values.Get(k)
	}
	return out, nil
}
