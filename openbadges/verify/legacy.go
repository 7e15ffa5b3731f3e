package verify

import (
	"encoding/json"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	v2 "badgebridge/openbadges/v2"
)

// upgrade1 gives a document of OB 1.0 or 1.1 the names and forms of 2.0, so that
// one set of rules serves all. What is wrong stays wrong.
func upgrade1(url string, doc map[string]any) map[string]any {
	out := maps.Clone(doc)
	if v, ok := out["verify"]; ok && out["verification"] == nil {
		out["verification"] = v
	}
	if idOf(out) == "" {
		out["id"] = url // 1.0 has no ids: a document is where it is
	}
	for _, name := range []string{"issuedOn", "expires"} {
		if v, ok := out[name]; ok {
			out[name] = upgradeTime(v)
		}
	}
	if v, ok := out["alignment"]; ok {
		var upgraded []any
		for _, e := range list(v) {
			m, ok := e.(map[string]any)
			if !ok {
				upgraded = append(upgraded, e)
				continue
			}
			a := maps.Clone(m)
			for from, to := range map[string]string{"name": "targetName", "url": "targetUrl", "description": "targetDescription"} {
				if old, ok := a[from]; ok && a[to] == nil {
					a[to] = old
				}
			}
			upgraded = append(upgraded, a)
		}
		out["alignment"] = upgraded
	}
	return out
}

// upgradeTime turns ten digits (seconds since 1970) and a date alone into an
// ISO 8601 time; anything else stays.
func upgradeTime(v any) any {
	s := ""
	switch x := single(v).(type) {
	case string:
		s = x
	case json.Number:
		s = x.String()
	}
	if len(s) == 10 {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return v2.FormatTime(time.Unix(n, 0))
		}
		if _, err := time.Parse(time.DateOnly, s); err == nil {
			return s + "T00:00:00Z"
		}
	}
	return v
}

// hosted05 verifies an OB 0.5 assertion: one document with badge and issuer in
// it, hosted at the issuer's origin.
func (s *session) hosted05(rawURL string, doc map[string]any) {
	s.rep.Version, s.rep.Verification, s.rep.Subject = string(version05), "hosted", rawURL
	s.rep.pass("format", rawURL, "Open Badges 0.5")
	b := object(doc["badge"])
	issuer := object(b["issuer"])
	origin, _ := issuer["origin"].(string)
	base, err := url.Parse(rawURL)
	if o, err2 := url.Parse(origin); err != nil || err2 != nil || !isWebURL(origin) || o.User != nil || o.Scheme != base.Scheme || hostPort(o) != hostPort(base) {
		s.rep.fail("scope", rawURL, "the issuer's origin is not the place that hosts the badge")
	} else {
		s.rep.pass("scope", rawURL, "hosted at the issuer's origin")
		base = o
	}
	absolute := func(v any) string {
		text, _ := v.(string)
		ref, err := url.Parse(text)
		if err != nil || text == "" {
			return ""
		}
		return base.ResolveReference(ref).String()
	}
	good := true
	text := func(where string, m map[string]any, name string, required bool) {
		v, there := m[name]
		if t, ok := v.(string); there && !ok || required && strings.TrimSpace(t) == "" {
			good = false
			s.rep.fail("schema", rawURL, "%s: %s is missing or no text", where, name)
		}
	}
	text("assertion", doc, "salt", false)
	for _, name := range []string{"name", "description", "image", "criteria"} {
		text("badge", b, name, true)
	}
	text("issuer", issuer, "name", true)
	if name, _ := b["name"].(string); utf8.RuneCountInString(name) > 128 {
		good = false
		s.rep.fail("schema", rawURL, "badge: name is longer than 128 characters")
	}
	up := map[string]any{"id": rawURL, "evidence": doc["evidence"]}
	for from, to := range map[string]string{"issued_on": "issuedOn", "expires": "expires"} {
		v, there := doc[from]
		if !there {
			continue
		}
		up[to] = upgradeTime(v)
		if _, ok := timeOf(up[to]); !ok {
			good = false
			s.rep.fail("schema", rawURL, "assertion: %s is no date", from)
		}
	}
	identity, _ := doc["recipient"].(string)
	r := map[string]any{"type": "email", "identity": identity, "hashed": !strings.Contains(identity, "@"), "salt": doc["salt"]}
	why := wrongRecipient(r, true, true)
	if _, salted := doc["salt"]; salted && why == "" && r["hashed"] == false {
		why = "has a salt, but is not hashed"
	}
	if why != "" {
		good = false
		s.rep.fail("recipient", rawURL, "the recipient %s", why)
	}
	up["recipient"] = r
	if good {
		s.rep.pass("schema", rawURL, "all members are there and of the right kind")
	}
	class := map[string]any{"name": b["name"], "description": b["description"], "image": absolute(b["image"]), "criteria": absolute(b["criteria"])}
	issuerUp := map[string]any{"name": issuer["name"], "url": origin, "email": issuer["contact"]}
	s.image(rawURL, "badge", rawURL, class["image"])
	s.validity(rawURL, up)
	s.recipient(rawURL, up)
	s.conclude(up, nil, badge{doc: class, issuer: profile{doc: issuerUp}})
}
