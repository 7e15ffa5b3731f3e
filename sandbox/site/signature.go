package site

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Written from the contract's text, without a look at the adapter.

var (
	nonceForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,64}$`)
	timeForm  = regexp.MustCompile(`^[0-9]{1,12}$`)
)

func mac(secret, method, target, stamp, nonce string, body []byte) string {
	h := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(h, "v1\n%s\n%s\n%s\n%s\n%x", method, target, stamp, nonce, sha256.Sum256(body))
	return fmt.Sprintf("%x", h.Sum(nil))
}

func target(path string, query url.Values) string {
	var pairs []string
	for name, values := range query {
		if name == "rest_route" {
			continue
		}
		for _, value := range values {
			pairs = append(pairs, percent(name)+"="+percent(value))
		}
	}
	if len(pairs) == 0 {
		return path
	}
	sort.Strings(pairs)
	return path + "?" + strings.Join(pairs, "&")
}

// percent escapes all bytes but RFC 3986's unreserved ones.
func percent(s string) string {
	var out strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

// verify returns the contract's code for what is wrong, "" when nothing is.
// The caller holds mu.
func (s *Site) verify(r *http.Request, body []byte) string {
	key, stamp := r.Header.Get("Badgebridge-Key"), r.Header.Get("Badgebridge-Time")
	nonce, signature := r.Header.Get("Badgebridge-Nonce"), r.Header.Get("Badgebridge-Signature")
	if key == "" || stamp == "" || nonce == "" || signature == "" {
		return "unsigned"
	}
	p := s.st.Pairing
	if p == nil || key != p.KeyID || !timeForm.MatchString(stamp) || !nonceForm.MatchString(nonce) {
		return "bad_signature"
	}
	want := mac(p.Secret, r.Method, target(r.URL.Path, r.URL.Query()), stamp, nonce, body)
	if !hmac.Equal([]byte(want), []byte(signature)) {
		return "bad_signature"
	}
	now := s.cfg.Now()
	at, _ := strconv.ParseInt(stamp, 10, 64) // timeForm has checked it
	if d := now.Unix() - at; d > 300 || d < -300 {
		return "clock"
	}
	for old, seen := range s.nonces {
		if now.Sub(seen) > 600*time.Second {
			delete(s.nonces, old)
		}
	}
	if _, used := s.nonces[nonce]; used {
		return "bad_signature"
	}
	s.nonces[nonce] = now
	return ""
}

// sign sets the headers of a call to the gateway.
func (p *Pairing) sign(r *http.Request, now time.Time, body []byte) {
	stamp, nonce := strconv.FormatInt(now.Unix(), 10), token()
	r.Header.Set("Badgebridge-Key", p.KeyID)
	r.Header.Set("Badgebridge-Time", stamp)
	r.Header.Set("Badgebridge-Nonce", nonce)
	r.Header.Set("Badgebridge-Signature", mac(p.Secret, r.Method, target(r.URL.EscapedPath(), r.URL.Query()), stamp, nonce, body))
}
