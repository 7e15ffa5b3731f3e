package wordpress

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The headers of a signed call (wordpress/site-api.yaml, "Signature") and the
// two that name the site.
const (
	HeaderKey       = "Badgebridge-Key"
	HeaderTime      = "Badgebridge-Time"
	HeaderNonce     = "Badgebridge-Nonce"
	HeaderSignature = "Badgebridge-Signature"
	HeaderSite      = "Badgebridge-Site"
	HeaderHome      = "Badgebridge-Home"
)

const (
	// MaxSkew is how far a signature's time may be off the receiver's clock.
	MaxSkew = 300 * time.Second
	// NonceLife is how long a receiver has to remember a nonce.
	NonceLife = 600 * time.Second
)

// The ways in which a signature is refused, for errors.Is.
var (
	ErrUnsigned     = errors.New("the call is not signed")
	ErrBadSignature = errors.New("the signature is not the one of the agreed key")
	ErrClock        = errors.New("the signature's time is more than 300 seconds off this clock")
	ErrReplayed     = errors.New("the nonce was used before")
)

// Target is what a signature covers of the address: the route (of a call to the
// site its REST route without the wp-json part, of a call to the gateway the
// URL's path) and, where there are query parameters other than rest_route, "?"
// and those sorted by name, each encoded as RFC 3986 says.
func Target(route string, query url.Values) string {
	pairs := make([]string, 0, len(query))
	names := make([]string, 0, len(query))
	for name := range query {
		if name != "rest_route" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range query[name] {
			pairs = append(pairs, rfc3986(name)+"="+rfc3986(value))
		}
	}
	if len(pairs) == 0 {
		return route
	}
	return route + "?" + strings.Join(pairs, "&")
}

// rfc3986 escapes everything but unreserved characters. url.QueryEscape differs
// in one only: it writes a space as "+".
func rfc3986(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// Sign returns the value of Badgebridge-Signature: lower-case hex of
// HMAC-SHA256 over the six parts that the contract names. at is the value of
// Badgebridge-Time in seconds since 1970; target is what Target returns.
func Sign(secret, method, target string, at int64, nonce string, body []byte) string {
	digest := sha256.Sum256(body)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strings.Join([]string{
		"v1", strings.ToUpper(method), target, strconv.FormatInt(at, 10), nonce, hex.EncodeToString(digest[:]),
	}, "\n")))
	return hex.EncodeToString(mac.Sum(nil))
}

// SignRequest sets the four signature headers on h for one call, with a fresh
// nonce.
func SignRequest(h http.Header, keyID, secret, method, target string, now time.Time, body []byte) {
	var raw [18]byte
	rand.Read(raw[:]) // never fails (crypto/rand)
	nonce := base64.RawURLEncoding.EncodeToString(raw[:])
	at := now.Unix()
	h.Set(HeaderKey, keyID)
	h.Set(HeaderTime, strconv.FormatInt(at, 10))
	h.Set(HeaderNonce, nonce)
	h.Set(HeaderSignature, Sign(secret, method, target, at, nonce, body))
}

// Expected is what VerifyRequest holds a call against.
type Expected struct {
	KeyID, Secret  string
	Method, Target string
	Now            time.Time
	// Fresh reports whether the nonce was not seen within NonceLife, and
	// remembers it. It is asked last, so that only genuine calls fill the memory.
	// nil: nonces are not remembered.
	Fresh func(nonce string) bool
}

// VerifyRequest reports whether the headers sign this very call. The errors are
// ErrUnsigned, ErrBadSignature, ErrClock and ErrReplayed; none of them quotes
// what was sent.
func VerifyRequest(h http.Header, body []byte, e Expected) error {
	key, stamp, nonce, signature := h.Get(HeaderKey), h.Get(HeaderTime), h.Get(HeaderNonce), h.Get(HeaderSignature)
	if key == "" || stamp == "" || nonce == "" || signature == "" {
		return fmt.Errorf("%w: it needs the headers %s, %s, %s and %s", ErrUnsigned, HeaderKey, HeaderTime, HeaderNonce, HeaderSignature)
	}
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || strconv.FormatInt(at, 10) != stamp || !nonceForm(nonce) || e.Secret == "" {
		return ErrBadSignature
	}
	want := Sign(e.Secret, e.Method, e.Target, at, nonce, body)
	same := subtle.ConstantTimeCompare([]byte(want), []byte(signature)) & subtle.ConstantTimeCompare([]byte(e.KeyID), []byte(key))
	if same != 1 {
		return ErrBadSignature
	}
	// Only now, so that nobody without the secret learns anything of our clock.
	if skew := e.Now.Unix() - at; skew > int64(MaxSkew/time.Second) || skew < -int64(MaxSkew/time.Second) {
		return ErrClock
	}
	if e.Fresh != nil && !e.Fresh(nonce) {
		return ErrReplayed
	}
	return nil
}

func nonceForm(nonce string) bool {
	if len(nonce) < 16 || len(nonce) > 64 {
		return false
	}
	for i := range len(nonce) {
		switch c := nonce[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
