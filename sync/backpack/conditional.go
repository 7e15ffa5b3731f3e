package backpack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"badgebridge/openbadges/verify"
)

// Memory keeps what can be asked for anew. All of it may be forgotten at any
// time.
type Memory interface {
	Get(ctx context.Context, key string) (value []byte, ok bool)
	Put(ctx context.Context, key string, value []byte, ttl time.Duration)
}

// Conditional is a Fetcher that asks for a document again only if it changed
// (RFC 9110, section 13): a server that answers 304 spares both sides the rest. It
// asks each time, so that what was taken back is never missed.
type Conditional struct {
	Client *http.Client // a guarded one
	Memory Memory
}

const (
	// rememberFor is longer than the longest time between two checks.
	rememberFor = 2 * recheckMost
	// rememberMost bounds one remembered document in bytes; pictures are not asked
	// for when a badge is checked again.
	rememberMost = 256 << 10
)

// remembered is an answer that can be asked for with a condition.
type remembered struct {
	URL     string      `json:"url"` // that answered in the end
	Tag     string      `json:"tag,omitempty"`
	Changed string      `json:"changed,omitempty"`
	Header  http.Header `json:"header"`
	Body    []byte      `json:"body"`
}

// Fetch implements verify.Fetcher.
func (c Conditional) Fetch(ctx context.Context, address, accept string, maxBytes int64) (verify.Resource, error) {
	key := rememberedKey(address, accept)
	var old remembered
	if data, ok := c.Memory.Get(ctx, key); ok && (json.Unmarshal(data, &old) != nil || int64(len(old.Body)) > maxBytes) {
		old = remembered{}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return verify.Resource{}, err
	}
	req.Header.Set("Accept", accept)
	if old.Tag != "" {
		req.Header.Set("If-None-Match", old.Tag)
	}
	if old.Changed != "" {
		req.Header.Set("If-Modified-Since", old.Changed)
	}
	res, err := c.Client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // the rest repeats the address
		}
		return verify.Resource{}, err
	}
	defer res.Body.Close()
	at := res.Request.URL.String()
	if res.StatusCode == http.StatusNotModified && at == old.URL {
		return verify.Resource{Status: http.StatusOK, Header: old.Header, Body: old.Body, URL: at}, nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBytes+1))
	if err != nil {
		return verify.Resource{}, err
	}
	if int64(len(body)) > maxBytes {
		return verify.Resource{}, errTooLong
	}
	c.remember(ctx, key, at, res, body)
	return verify.Resource{Status: res.StatusCode, Header: res.Header, Body: body, URL: at}, nil
}

var errTooLong = errors.New("the answer is too large")

// remember keeps an answer whose server said how to ask for it again.
func (c Conditional) remember(ctx context.Context, key, at string, res *http.Response, body []byte) {
	m := remembered{URL: at, Tag: res.Header.Get("ETag"), Changed: res.Header.Get("Last-Modified"), Header: http.Header{}, Body: body}
	if res.StatusCode != http.StatusOK || m.Tag == "" && m.Changed == "" || len(body) > rememberMost {
		return
	}
	for _, name := range []string{"Content-Type", "Link", "Access-Control-Allow-Origin"} { // what a verification looks at
		if v := res.Header.Values(name); len(v) > 0 {
			m.Header[name] = v
		}
	}
	if data, err := json.Marshal(m); err == nil {
		c.Memory.Put(ctx, key, data, rememberFor)
	}
}

func rememberedKey(address, accept string) string {
	sum := sha256.Sum256([]byte(accept + "\x00" + address))
	return "recheck/" + hex.EncodeToString(sum[:])
}
