package sitecontract

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"
)

type m = map[string]any

func put(key string, body m) call {
	return call{method: "PUT", path: "/badges/by-key/" + key, body: body}
}

// listed is the badge as the listing gives it; it must be there once.
func (s *suite) listed(t *testing.T, id int64) (found badge) {
	t.Helper()
	after, n := "", 0
	for {
		var p struct {
			Badges []badge `json:"badges"`
			Next   string  `json:"next"`
			More   bool    `json:"more"`
		}
		s.get(t, "/badges", page(after, 500), &p)
		for _, b := range p.Badges {
			if b.ID == id {
				found, n = b, n+1
			}
		}
		if after = p.Next; !p.More {
			break
		}
	}
	if n != 1 {
		t.Fatalf("badge %d is listed %d times", id, n)
	}
	return found
}

func (s *suite) putTwice(t *testing.T) {
	key := random(52)
	body := m{
		"title": `Star & Co "Helper" <3 ` + random(4), "description": "First line.\n\nA second paragraph & more.",
		"criteria": "1. Walk.\n2. *Rest*.", "criteria_url": "https://badges.example.org/criteria", "link_url": "https://badges.example.org/b/1",
		"image": picture(color.NRGBA{200, 30, 30, 255}),
	}
	var first, second badge
	s.want(t, put(key, body), http.StatusCreated, &first)
	s.want(t, put(key, body), http.StatusOK, &second)
	if first != second || first != s.listed(t, first.ID) {
		t.Errorf("three answers: %+v, %+v, %+v", first, second, s.listed(t, first.ID))
	}
	for what, pair := range map[string][2]string{
		"title":        {first.Title, body["title"].(string)},
		"description":  {first.Description, body["description"].(string)},
		"criteria":     {first.Criteria, body["criteria"].(string)},
		"criteria_url": {first.CriteriaURL, body["criteria_url"].(string)},
		"link_url":     {first.LinkURL, body["link_url"].(string)},
		"key":          {first.Key, key},
		"state":        {first.State, "published"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q, not %q", what, pair[0], pair[1])
		}
	}
	// It is a badge like any other: the gateway can award it.
	email := "member-" + random(8) + "@example.org"
	s.Control.AddMember(t, email, "Demo", "Member")
	var a award
	s.want(t, post(grant{Key: random(52), BadgeID: first.ID, Email: email, IssuedOn: "2024-01-02T03:04:05Z"}), http.StatusCreated, &a)
	if a.Badge.ID != first.ID {
		t.Errorf("awarded %+v", a.Badge)
	}
}

func (s *suite) putPart(t *testing.T) {
	key := random(52)
	var first, changed, again badge
	s.want(t, put(key, m{"title": "First " + random(4), "description": "Stays.", "criteria": "Stays too.", "image": picture(color.NRGBA{30, 200, 30, 255})}), http.StatusCreated, &first)
	title := "Second " + random(4)
	s.want(t, put(key, m{"title": title}), http.StatusOK, &changed)
	want := first
	want.Title, want.Version = title, changed.Version
	if changed != want || changed.Version == first.Version {
		t.Errorf("from %+v came %+v", first, changed)
	}
	s.want(t, put(key, m{}), http.StatusOK, &again)
	if again != changed {
		t.Errorf("an empty change made %+v of %+v", again, changed)
	}
}

func (s *suite) putImage(t *testing.T) {
	key := random(52)
	red, blue := picture(color.NRGBA{220, 10, 10, 255}), picture(color.NRGBA{10, 10, 220, 255})
	var first, again, changed badge
	s.want(t, put(key, m{"title": "Painted " + random(4), "image": red}), http.StatusCreated, &first)
	s.want(t, put(key, m{"image": red}), http.StatusOK, &again)
	s.want(t, put(key, m{"image": blue}), http.StatusOK, &changed)
	if first.ImageURL != again.ImageURL || first.ImageURL == changed.ImageURL || first.Version == changed.Version {
		t.Errorf("image addresses %q, %q, %q", first.ImageURL, again.ImageURL, changed.ImageURL)
	}
	response, err := s.Client.Get(changed.ImageURL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if want, _ := base64.StdEncoding.DecodeString(blue["data"].(string)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s holds %d other bytes than the %d that were sent (%v)", changed.ImageURL, len(got), len(want), err)
	}
}

func (s *suite) putExisting(t *testing.T) {
	id := s.Control.AddBadge(t, "Handmade "+random(4))
	key, title := random(52), "Adopted "+random(4)
	var got badge
	s.want(t, put(key, m{"badge_id": id, "title": title}), http.StatusOK, &got)
	if got.ID != id || got.Title != title || got.Key != key {
		t.Errorf("it is %+v", got)
	}
	s.want(t, put(key, m{"badge_id": id}), http.StatusOK, nil)
	s.want(t, put(key, m{"description": "By key alone."}), http.StatusOK, &got)
	if got.ID != id || got.Description != "By key alone." {
		t.Errorf("it is %+v", got)
	}
	other := s.Control.AddBadge(t, "Another "+random(4))
	s.refused(t, put(key, m{"badge_id": other}), http.StatusConflict, "another_badge")
	s.refused(t, put(random(52), m{"badge_id": id}), http.StatusConflict, "another_badge")
	s.refused(t, put(random(52), m{"badge_id": 2000000000}), http.StatusNotFound, "no_such_badge")
}

func (s *suite) putRefused(t *testing.T) {
	for name, body := range map[string]m{
		"no title":              {"description": "Nameless."},
		"an empty title":        {"title": " "},
		"a long title":          {"title": strings.Repeat("x", 201)},
		"a strange link":        {"title": "Badge", "link_url": "javascript:alert(1)"},
		"a strange state":       {"title": "Badge", "state": "secret"},
		"an image that is none": {"title": "Badge", "image": m{"media_type": "image/png", "data": base64.StdEncoding.EncodeToString([]byte("<svg/>"))}},
		"no base64":             {"title": "Badge", "image": m{"media_type": "image/png", "data": "%%%"}},
	} {
		t.Run(name, func(t *testing.T) { s.refused(t, put(random(52), body), http.StatusUnprocessableEntity, "invalid") })
	}
	s.refused(t, put("short", m{"title": "Badge"}), http.StatusUnprocessableEntity, "invalid")
}

// picture is a small image of one colour.
func picture(c color.Color) m {
	img := image.NewNRGBA(image.Rect(0, 0, 90, 90))
	for i := range 90 * 90 {
		img.Set(i%90, i/90, c)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err) // a picture of our own can always be written
	}
	return m{"media_type": "image/png", "data": base64.StdEncoding.EncodeToString(out.Bytes())}
}
