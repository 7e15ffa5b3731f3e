package site

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	_ "image/jpeg" // what a site takes
	_ "image/png"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	maxImage  = 2 << 20 // bytes
	maxPixels = 2048    // on each side
)

var keyForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{16,200}$`)

// draft is the body of putBadge; nil: stays as it is.
type draft struct {
	BadgeID     int64   `json:"badge_id"`
	Title       *string `json:"title"`
	Description *string `json:"description"`
	Criteria    *string `json:"criteria"`
	CriteriaURL *string `json:"criteria_url"`
	LinkURL     *string `json:"link_url"`
	Type        *string `json:"type"`
	State       *string `json:"state"`
	Image       *struct {
		MediaType string `json:"media_type"`
		Data      string `json:"data"`
	} `json:"image"`
}

// putBadge makes the badge of a key, or changes it.
func (s *Site) putBadge(c *call) (int, any, *refusal) {
	if no := s.provided(); no != nil {
		return 0, nil, no
	}
	key := c.r.PathValue("key")
	if !keyForm.MatchString(key) {
		return 0, nil, invalid("key", "It must be 16 to 200 letters, digits or . _ ~ -.")
	}
	var in draft
	if err := json.Unmarshal(c.body, &in); err != nil {
		return 0, nil, invalid("", "The body is no JSON object of the contract.")
	}
	picture, no := in.check()
	if no != nil {
		return 0, nil, no
	}
	if s.st.BadgeKeys == nil {
		s.st.BadgeKeys = map[string]int64{}
	}
	id, known := s.st.BadgeKeys[key]
	switch {
	case known && in.BadgeID != 0 && in.BadgeID != id:
		return 0, nil, refused(http.StatusConflict, "another_badge", "The key names another badge already.")
	case !known && in.BadgeID != 0:
		id, known = in.BadgeID, true
	}
	status := http.StatusOK
	if !known {
		if in.Title == nil {
			return 0, nil, invalid("title", "A new badge needs one.")
		}
		id, status = s.st.addBadge(Badge{}), http.StatusCreated
	}
	b := s.st.badge(id)
	if b == nil {
		return 0, nil, refused(http.StatusNotFound, "no_such_badge", "The badge is not there, or not any more.")
	}
	for k, other := range s.st.BadgeKeys {
		if other == id && k != key {
			return 0, nil, refused(http.StatusConflict, "another_badge", "The badge has another key already.")
		}
	}
	before := s.wireBadge(*b).Version
	s.st.BadgeKeys[key], b.Key = id, key
	in.apply(b, status == http.StatusCreated)
	if picture != nil && !bytes.Equal(picture, b.Image) {
		b.Image, b.ImageNo = picture, b.ImageNo+1
	}
	if s.wireBadge(*b).Version != before {
		s.touch(func(e entry) bool { return e.Badge == id })
	}
	return status, s.wireBadge(*b), nil
}

func (d draft) apply(b *Badge, fresh bool) {
	for _, field := range []struct {
		from *string
		to   *string
	}{{d.Title, &b.Title}, {d.Description, &b.Description}, {d.Criteria, &b.Criteria}, {d.CriteriaURL, &b.CriteriaURL}, {d.LinkURL, &b.LinkURL}} {
		if field.from != nil {
			*field.to = strings.TrimSpace(*field.from)
		}
	}
	if d.Type != nil && fresh && *d.Type != "" {
		b.Type = *d.Type
	}
	if d.State != nil {
		b.Draft = *d.State == "draft"
	}
}

// check holds the body against the contract, and gives the image's bytes.
func (d draft) check() ([]byte, *refusal) {
	for _, field := range []struct {
		name  string
		value *string
		most  int
		link  bool
	}{
		{"title", d.Title, 200, false},
		{"description", d.Description, 10000, false},
		{"criteria", d.Criteria, 10000, false},
		{"criteria_url", d.CriteriaURL, 2000, true},
		{"link_url", d.LinkURL, 2000, true},
		{"type", d.Type, 100, false},
	} {
		switch {
		case field.value == nil:
		case utf8.RuneCountInString(*field.value) > field.most:
			return nil, invalid(field.name, "It is too long.")
		case field.name == "title" && strings.TrimSpace(*field.value) == "":
			return nil, invalid(field.name, "It is empty.")
		case field.link && *field.value != "":
			if u, err := url.Parse(*field.value); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
				return nil, invalid(field.name, "It is no http or https address.")
			}
		}
	}
	if d.State != nil && *d.State != "published" && *d.State != "draft" {
		return nil, invalid("state", "It must be published or draft.")
	}
	if d.Image == nil {
		return nil, nil
	}
	data, err := base64.StdEncoding.DecodeString(d.Image.Data)
	if err != nil || len(data) > maxImage {
		return nil, invalid("image.data", "It must be base64 of at most 2 MiB.")
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || "image/"+format != d.Image.MediaType || config.Width > maxPixels || config.Height > maxPixels {
		return nil, invalid("image.data", "It is no PNG or JPEG of at most 2048 x 2048 pixels.")
	}
	return data, nil
}
