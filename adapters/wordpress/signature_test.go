package wordpress_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"badgebridge/adapters/wordpress"
)

func TestTheTargetIsSortedAndEscaped(t *testing.T) {
	for want, query := range map[string]url.Values{
		"/badgebridge/v1/awards":                       {"rest_route": {"/badgebridge/v1/awards"}},
		"/badgebridge/v1/awards?after=4%7C2&limit=200": {"limit": {"200"}, "after": {"4|2"}, "rest_route": {"/x"}},
		"/badgebridge/v1/awards?email=a%2Bb%20~%40x":   {"email": {"a+b ~@x"}},
	} {
		if got := wordpress.Target("/badgebridge/v1/awards", query); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The value was computed with openssl from the contract's text:
// printf 'v1\nPOST\n/badgebridge/v1/awards\n1767225600\nabcdefghijklmnop\n<sha256 of {}>' | openssl dgst -sha256 -hmac <secret>
func TestASignatureIsTheContractsOne(t *testing.T) {
	got := wordpress.Sign("a-shared-secret-of-a-pairing", "post", "/badgebridge/v1/awards", 1767225600, "abcdefghijklmnop", []byte("{}"))
	const want = "0d8daaf3a75a88066c94952b5c6368ece22f3684389893a72c947d8dc2bec837"
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestASignatureHoldsForThisCallOnly(t *testing.T) {
	now := time.Unix(1767225600, 0)
	const secret = "a-shared-secret-of-a-pairing"
	h := http.Header{}
	wordpress.SignRequest(h, "key-1", secret, "POST", "/webhooks/x", now, []byte("{}"))
	good := wordpress.Expected{KeyID: "key-1", Secret: secret, Method: "POST", Target: "/webhooks/x", Now: now}
	if err := wordpress.VerifyRequest(h, []byte("{}"), good); err != nil {
		t.Fatalf("the genuine call: %v", err)
	}
	for name, c := range map[string]struct {
		change func(*wordpress.Expected)
		want   error
	}{
		"another method":         {func(e *wordpress.Expected) { e.Method = "PUT" }, wordpress.ErrBadSignature},
		"another path":           {func(e *wordpress.Expected) { e.Target = "/webhooks/y" }, wordpress.ErrBadSignature},
		"another key":            {func(e *wordpress.Expected) { e.KeyID = "key-2" }, wordpress.ErrBadSignature},
		"another secret":         {func(e *wordpress.Expected) { e.Secret += "x" }, wordpress.ErrBadSignature},
		"no secret":              {func(e *wordpress.Expected) { e.Secret = "" }, wordpress.ErrBadSignature},
		"too late":               {func(e *wordpress.Expected) { e.Now = now.Add(301 * time.Second) }, wordpress.ErrClock},
		"too early":              {func(e *wordpress.Expected) { e.Now = now.Add(-301 * time.Second) }, wordpress.ErrClock},
		"a nonce that was there": {func(e *wordpress.Expected) { e.Fresh = func(string) bool { return false } }, wordpress.ErrReplayed},
	} {
		e := good
		c.change(&e)
		if err := wordpress.VerifyRequest(h, []byte("{}"), e); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for _, name := range []string{wordpress.HeaderKey, wordpress.HeaderTime, wordpress.HeaderNonce, wordpress.HeaderSignature} {
		less := h.Clone()
		less.Del(name)
		if err := wordpress.VerifyRequest(less, []byte("{}"), good); !errors.Is(err, wordpress.ErrUnsigned) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	for _, nonce := range []string{"short", strings.Repeat("n", 65), "with spaces in it"} {
		bad := h.Clone()
		bad.Set(wordpress.HeaderNonce, nonce)
		bad.Set(wordpress.HeaderSignature, wordpress.Sign(secret, "POST", "/webhooks/x", now.Unix(), nonce, []byte("{}")))
		if err := wordpress.VerifyRequest(bad, []byte("{}"), good); !errors.Is(err, wordpress.ErrBadSignature) {
			t.Errorf("nonce %q: %v", nonce, err)
		}
	}
}
