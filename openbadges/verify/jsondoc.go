package verify

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"badgebridge/openbadges"
)

const (
	version05 openbadges.Version = "0.5"
	version10 openbadges.Version = "1.0"
)

// list gives the entries of an array, or the value itself as the only one; null
// and nothing are no entries.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			if e != nil {
				out = append(out, e)
			}
		}
		return out
	}
	return []any{v}
}

// single unwraps an array of one, which JSON-LD takes for the value itself.
func single(v any) any {
	if l, ok := v.([]any); ok && len(l) == 1 {
		return l[0]
	}
	return v
}

// object gives v as an object, nil if it is none.
func object(v any) map[string]any {
	m, _ := single(v).(map[string]any)
	return m
}

// linkOf is the id that a value names: a text, or an object with an id, which
// JSON-LD takes for the same.
func linkOf(v any) string {
	if s, ok := single(v).(string); ok {
		return s
	}
	return idOf(object(v))
}

func idOf(doc map[string]any) string {
	for _, name := range []string{"id", "@id"} {
		if s, ok := single(doc[name]).(string); ok {
			return s
		}
	}
	return ""
}

func typesOf(doc map[string]any) []string {
	v, ok := doc["type"]
	if !ok {
		v = doc["@type"]
	}
	var out []string
	for _, e := range list(v) {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// verificationTypeOf is "hosted", "signed", another word, or "".
func verificationTypeOf(doc map[string]any) string {
	v := object(doc["verification"])
	if v == nil {
		v = object(doc["verify"])
	}
	for _, t := range typesOf(v) {
		switch t {
		case "hosted", "HostedBadge":
			return "hosted"
		case "signed", "SignedBadge":
			return "signed"
		case "VerificationObject":
		default:
			return t
		}
	}
	return ""
}

// versionOf tells the version of a document by its context, and for those
// without one by their shape. "" when it is none of ours.
func versionOf(doc map[string]any) openbadges.Version {
	contexts := list(doc["@context"])
	for _, c := range contexts {
		s, _ := c.(string)
		switch {
		case isContext2(s):
			return openbadges.V20
		case s == "https://w3id.org/openbadges/v1" || s == "http://w3id.org/openbadges/v1":
			return openbadges.V11
		case s == "https://www.w3.org/ns/credentials/v2" || s == "https://www.w3.org/2018/credentials/v1":
			return openbadges.V30
		}
	}
	if len(contexts) > 0 || len(typesOf(doc)) > 0 || doc["verification"] != nil {
		return ""
	}
	switch b := single(doc["badge"]).(type) {
	case map[string]any:
		if object(b["issuer"])["origin"] != nil {
			return version05
		}
	case string:
		return version10
	}
	return ""
}

// isContext2 knows the addresses of the OB 2.0 context. The one with http
// redirects to the other.
func isContext2(s string) bool {
	switch s {
	case "https://w3id.org/openbadges/v2", "http://w3id.org/openbadges/v2",
		"https://openbadgespec.org/v2/context.json", "https://purl.imsglobal.org/spec/ob/v2p0/context.json":
		return true
	}
	return false
}

// sameJSON compares two documents by content, whatever their form.
func sameJSON(a, b any) bool { return reflect.DeepEqual(a, b) }

func isWebURL(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

var errUserName = errors.New("the address holds a user name")

// checkWebURL refuses what must not be fetched. A user name before the host
// ("https://issuer@evil") serves only to deceive.
func checkWebURL(s string) error {
	if len(s) > 4096 {
		return fmt.Errorf("the address is too long")
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(s, " \t\r\n"):
		return fmt.Errorf("it is no web address")
	case u.User != nil:
		return errUserName
	}
	return nil
}

// isIRI asks for a scheme and no blanks; what the scheme means is not asked.
func isIRI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" || strings.ContainsAny(s, " \t\r\n<>\"") {
		return false
	}
	for i, c := range []byte(scheme) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || !(c >= '0' && c <= '9' || strings.IndexByte("+-._", c) >= 0)) {
			return scheme == "_" // a blank node
		}
	}
	return true
}
