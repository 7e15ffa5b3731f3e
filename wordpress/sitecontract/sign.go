package sitecontract

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"sort"
	"strings"
)

// signature is written from the contract's text alone, apart from the gateway's
// own, so that a mistake in one does not hide in the other.
func signature(secret, method, path string, query url.Values, time, nonce string, body []byte) string {
	names := make([]string, 0, len(query))
	for name := range query {
		if name != "rest_route" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	var pairs []string
	for _, name := range names {
		pairs = append(pairs, escape(name)+"="+escape(query.Get(name)))
	}
	target := path
	if len(pairs) > 0 {
		target += "?" + strings.Join(pairs, "&")
	}
	sum := sha256.Sum256(body)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strings.Join([]string{"v1", method, target, time, nonce, hex.EncodeToString(sum[:])}, "\n")))
	return hex.EncodeToString(mac.Sum(nil))
}

// escape encodes as RFC 3986 says: all but unreserved characters.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
