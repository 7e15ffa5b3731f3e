package oldcredly

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	_ "image/gif"  // what WordPress takes for a featured image
	_ "image/jpeg" // likewise
	_ "image/png"  // likewise
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"badgebridge/adapters"
	"badgebridge/openbadges"
)

// The limits of the old API, in characters, and of an image.
const (
	maxTitle       = 128
	maxShort       = 128
	maxText        = 500
	maxTestimonial = 1000
	maxImage       = 5 << 20
	maxSide        = 8000 // pixels
	maxYears       = 100
)

// lifetime is the member of a badge's Unknown that keeps "expires_in", the
// seconds after which an award of it expires.
const lifetime = "expires_in"

// ReadBadge implements adapters.Door. Fields: title, short_description,
// description, criteria (a text or a URL), attachment (an image in base64),
// expires_in (seconds, 0 never). is_giveable and categories mean nothing here.
func (a *Adapter) ReadBadge(form url.Values) (openbadges.BadgeClass, []byte, error) {
	c := openbadges.BadgeClass{Name: text(form, "title", maxTitle), Description: text(form, "description", maxText)}
	if c.Name == "" {
		return c, nil, refused("title", "is required")
	}
	if short := text(form, "short_description", maxShort); c.Description == "" {
		c.Description = short
	}
	if what := text(form, "criteria", maxText); isPage(what) {
		c.Criteria.ID = what
	} else {
		c.Criteria.Narrative = what
	}
	if s := form.Get("expires_in"); s != "" && s != "0" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 || n > maxYears*366*24*3600 {
			return c, nil, refused("expires_in", "must be a number of seconds, at most a hundred years")
		}
		c.Unknown = map[string]json.RawMessage{lifetime: json.RawMessage(strconv.FormatInt(n, 10))}
	}
	picture, err := attachment(form.Get("attachment"))
	return c, picture, err
}

// attachment decodes an image. A "+" that was not escaped arrives as a space.
func attachment(s string) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	if base64.StdEncoding.DecodedLen(len(s)) > maxImage+maxImage/8 {
		return nil, refused("attachment", "must be an image of at most 5 MB")
	}
	s = strings.NewReplacer(" ", "+", "\r", "", "\n", "").Replace(s)
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, refused("attachment", "must be an image in base64")
	}
	cfg, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil || len(b) > maxImage || cfg.Width > maxSide || cfg.Height > maxSide {
		return nil, refused("attachment", "must be a PNG, JPEG or GIF image of at most 5 MB")
	}
	return b, nil
}

// Recipient implements adapters.Door.
func (a *Adapter) Recipient(form url.Values) (badge adapters.Ref, email string, err error) {
	badge = adapters.Ref(form.Get("badge_id"))
	if n, err := strconv.ParseInt(string(badge), 10, 64); err != nil || n <= 0 {
		return "", "", refused("badge_id", "must be a badge's number, as it was answered when the badge was saved")
	}
	email = openbadges.NormalizeEmail(form.Get("email"))
	if email == "" && form.Get("member_id") != "" {
		return "", "", refused("member_id", "is of the Credly that was switched off; give the recipient's e-mail address")
	}
	if at := strings.LastIndexByte(email, '@'); at <= 0 || at == len(email)-1 || len(email) > 254 || strings.ContainsAny(email, " \t\r\n<>,") {
		return "", "", refused("email", "must be the recipient's e-mail address")
	}
	return badge, email, nil
}

// ReadAward implements adapters.Door. Fields: badge_id, email, first_name,
// last_name, evidence_file (an address, despite its name), testimonial. The API
// knows no date: at is when the award was first seen.
func (a *Adapter) ReadAward(form url.Values, class openbadges.BadgeClass, at time.Time) (adapters.Record, error) {
	badge, email, err := a.Recipient(form)
	if err != nil {
		return adapters.Record{}, err
	}
	class.ID = string(badge)
	award := openbadges.Award{
		BadgeClass: class, IssuedOn: at, Narrative: text(form, "testimonial", maxTestimonial),
		Recipient: openbadges.Recipient{
			Type: openbadges.IdentityEmail, Identity: email,
			GivenName: text(form, "first_name", maxTitle), FamilyName: text(form, "last_name", maxTitle),
		},
	}
	if seconds, err := strconv.ParseInt(string(class.Unknown[lifetime]), 10, 64); err == nil && seconds > 0 {
		award.Expires = at.Add(time.Duration(seconds) * time.Second)
	}
	if page := form.Get("evidence_file"); isPage(page) && len(page) <= 2000 {
		award.Evidence = []openbadges.Evidence{{ID: page}}
	}
	kept := url.Values{}
	for _, name := range []string{"badge_id", "email", "first_name", "last_name", "evidence_file", "testimonial"} {
		if v := form.Get(name); v != "" {
			kept.Set(name, v)
		}
	}
	raw, err := json.Marshal(kept)
	return adapters.Record{Ref: a.ref(badge, email), Raw: raw, Award: award}, err
}

// text is a field's text, cut as BadgeOS cuts it.
func text(form url.Values, name string, limit int) string {
	s := strings.ToValidUTF8(strings.TrimSpace(form.Get(name)), "")
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) > limit {
		s = string([]rune(s)[:limit])
	}
	return s
}

func isPage(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

func refused(field, why string) error {
	return &adapters.Error{Op: "read the old API's call", Kind: adapters.ErrRejected, Words: fmt.Sprintf("%s: %s", field, why)}
}
