package web

import (
	"mime"
	"strconv"
	"strings"

	"badgebridge/openbadges"
)

// maxAccept bounds how many kinds of one Accept header are looked at.
const maxAccept = 20

// prefersJWT reports whether the caller would rather have the JWT form of a
// credential than the form with an embedded proof.
func prefersJWT(accept []string) bool {
	for _, line := range accept {
		if strings.Contains(line, "jwt") {
			jwt, json := weigh(accept)
			return jwt > json
		}
	}
	return false
}

// weigh gives the weights of both forms; at the same weight the one that is
// named first gains a little.
func weigh(accept []string) (jwt, json float64) {
	n := 0
	for _, line := range accept {
		for _, part := range strings.Split(line, ",") {
			if n++; n > maxAccept {
				return jwt, json
			}
			kind, params, err := mime.ParseMediaType(part)
			if err != nil {
				continue
			}
			q := 1.0
			if s, ok := params["q"]; ok {
				if q, err = strconv.ParseFloat(s, 64); err != nil || q < 0 || q > 1 {
					continue
				}
			}
			if q > 0 {
				q -= float64(n) / 1e6
			}
			switch kind {
			case mediaJWT, "application/jwt":
				jwt = max(jwt, q)
			case mediaCredential, mediaLD, mediaJSON, "application/vc":
				json = max(json, q)
			}
		}
	}
	return jwt, json
}

// asJWT is the path of a credential's JWT form.
func asJWT(path string) string {
	if strings.HasSuffix(path, ".jwt") {
		return path
	}
	return strings.TrimSuffix(path, ".json") + ".jwt"
}

// wantedVersion is the version of Open Badges that a query names, or that the
// kinds of document that are accepted imply; ok is false for a word that is none.
func wantedVersion(query, accept string) (v openbadges.Version, ok bool) {
	switch v := openbadges.Version(query); v {
	case openbadges.V11, openbadges.V20, openbadges.V30:
		return v, true
	case "":
	default:
		return "", false
	}
	if strings.Contains(accept, "application/vc") || strings.Contains(accept, "application/jwt") {
		return openbadges.V30, true
	}
	return openbadges.V20, true
}
