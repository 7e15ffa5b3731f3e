package backpack

import (
	"context"
	"encoding/base64"
	"net/url"
	"strings"
	"sync"

	"badgebridge/openbadges/bake"
	"badgebridge/openbadges/verify"
)

// recorder is a Fetcher that remembers the pictures which pass through it, so
// that a badge keeps its picture when its issuer's site is gone.
type recorder struct {
	inner verify.Fetcher
	mu    sync.Mutex
	got   map[string][]byte
}

const maxPicture = 2 << 20 // bytes

// Fetch implements verify.Fetcher.
func (r *recorder) Fetch(ctx context.Context, url, accept string, maxBytes int64) (verify.Resource, error) {
	res, err := r.inner.Fetch(ctx, url, accept, maxBytes)
	if err == nil && res.Status == 200 && len(res.Body) <= maxPicture && bake.Detect(res.Body) != "" {
		r.mu.Lock()
		if r.got == nil {
			r.got = map[string][]byte{}
		}
		r.got[url] = res.Body
		r.mu.Unlock()
	}
	return res, err
}

// image is the badge's picture: as the badge class names it, or else the one
// that was given. It has no badge in it any more: others see the picture, and
// people with the same badge share it, while what was baked in may name somebody.
func (r *recorder) image(rep verify.Report, given []byte) []byte {
	picture, err := bake.Strip(r.picture(rep, given))
	if err != nil {
		return nil
	}
	return picture
}

func (r *recorder) picture(rep verify.Report, given []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rep.Assertion != nil && rep.Assertion.Award.BadgeClass.Image != nil {
		id := rep.Assertion.Award.BadgeClass.Image.ID
		if body := r.got[id]; body != nil {
			return body
		}
		if body := fromDataURL(id); body != nil {
			return body
		}
	}
	if len(given) <= maxPicture && bake.Detect(given) != "" {
		return given
	}
	return nil
}

// fromDataURL reads a picture that is written out in its address, nil for
// anything else.
func fromDataURL(s string) []byte {
	rest, ok := strings.CutPrefix(s, "data:")
	if !ok || len(rest) > 2*maxPicture {
		return nil
	}
	head, body, ok := strings.Cut(rest, ",")
	if !ok {
		return nil
	}
	var out []byte
	if strings.HasSuffix(head, ";base64") {
		var err error
		if out, err = base64.StdEncoding.DecodeString(strings.TrimSpace(body)); err != nil {
			return nil
		}
	} else if text, err := url.PathUnescape(body); err == nil {
		out = []byte(text)
	}
	if bake.Detect(out) == "" {
		return nil
	}
	return out
}
