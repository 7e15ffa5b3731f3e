package verify

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"badgebridge/openbadges"
)

// A document of OB 2.0 is JSON-LD: its own contexts may give the terms of Open
// Badges other names ("developers who wish to write code in a language other than
// English", section "Internationalization"), prefixes and whole IRIs may stand in
// their place, and a context may also take a term away ("properties that cannot be
// mapped … are not considered part of the badge object's meaning"). Two readers
// must not see two badges, so a document gets the plain terms before it is looked at.

// prefixes2 are those of the OB 2.0 context.
func prefixes2() map[string]string {
	return map[string]string{
		"obi": "https://w3id.org/openbadges#", "extensions": "https://w3id.org/openbadges/extensions#", "cred": "https://w3id.org/credentials#",
		"dc": "http://purl.org/dc/terms/", "schema": "http://schema.org/", "sec": "https://w3id.org/security#", "xsd": "http://www.w3.org/2001/XMLSchema#",
	}
}

// words2 are the terms of the OB 2.0 context by prefix. A term that has another
// name there follows after "=".
func words2() map[string]string {
	return map[string]string{
		"obi": "Assertion BadgeClass Criteria Evidence Extension IdentityObject Image HostedBadge Issuer Profile RevocationList SignedBadge " +
			"VerificationObject TypeValidation alignment allowedOrigins audience badge criteria endorsementComment evidence hashed identity=identityHash " +
			"issuedOn=issueDate issuer narrative recipient revocationList revocationReason revoked salt targetCode uid verification=verify verificationProperty",
		"schema": "AlignmentObject author caption description email genre image name tags=keywords targetDescription targetFramework=educationalFramework " +
			"targetName targetUrl telephone url version",
		"sec":  "CryptographicKey=Key expires=expiration owner publicKey publicKeyPem",
		"dc":   "created creator related=relation",
		"cred": "Endorsement=Credential claim endorsement=credential",
	}
}

// vocabulary2 is what the OB 2.0 context says, both ways.
type vocabulary2 struct {
	iri  map[string]string // of a term
	term map[string]string // of an IRI
}

func newVocabulary2() *vocabulary2 {
	v := &vocabulary2{iri: map[string]string{}, term: map[string]string{}}
	prefixes := prefixes2()
	for prefix, words := range words2() {
		for _, w := range strings.Fields(words) {
			term, name, other := strings.Cut(w, "=")
			if !other {
				name = term
			}
			v.iri[term], v.term[prefixes[prefix]+name] = prefixes[prefix]+name, term
		}
	}
	const quality = "http://purl.org/dqm-vocabulary/v1/dqm#startsWith"
	v.iri["startsWith"], v.term[quality] = quality, "startsWith"
	// The second names of some terms.
	for alias, term := range map[string]string{"verify": "verification", "hosted": "HostedBadge", "signed": "SignedBadge", "revokedAssertions": "revoked"} {
		v.iri[alias] = v.iri[term]
	}
	v.term["http://schema.org/targetFramework"] = "targetFramework" // until October 2020
	v.iri["id"], v.iri["type"] = "@id", "@type"
	v.term["@id"], v.term["@type"] = "id", "type"
	return v
}

// plain2 gives a document of OB 2.0 the plain terms. It returns any other document,
// and one where nothing is to be done, as it is, which is nearly always.
func (s *session) plain2(node string, doc map[string]any) map[string]any {
	if versionOf(doc) != openbadges.V20 || !unusual(doc, true) {
		return doc
	}
	r := &renamer{s: s, v: newVocabulary2()}
	out := r.object(doc, map[string]string{})
	if !sameJSON(out, doc) {
		s.rep.warn("context", node, "the document calls some members by other names than Open Badges does; they were read by what its contexts make of them")
	}
	return out
}

// unusual tells whether a document says anything by other than the plain terms.
// Extensions have a context of their own and are looked at apart.
func unusual(v any, top bool) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return unusual(e, false) })
	case map[string]any:
		if !top && slices.Contains(typesOf(v), "Extension") {
			return false
		}
		for key, e := range v {
			switch {
			case key == "@context":
				if slices.ContainsFunc(list(e), func(c any) bool { text, ok := c.(string); return !ok || !isContext2(text) }) {
					return true
				}
			case key == "@value" || key == "verify" || strings.Contains(key, ":") && !strings.HasPrefix(key, "extensions:"):
				return true
			case key == "type" || key == "@type":
				if slices.ContainsFunc(list(e), func(t any) bool {
					text, _ := t.(string)
					return strings.Contains(text, ":") && !strings.HasPrefix(text, "extensions:")
				}) {
					return true
				}
			case unusual(e, false):
				return true
			}
		}
	}
	return false
}

// renamer does the work of plain2 for one document.
type renamer struct {
	s *session
	v *vocabulary2
}

// value is object for anything. own are the terms that the contexts so far define:
// term to IRI, "" for one that they take away.
func (r *renamer) value(v any, own map[string]string) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = r.value(e, own)
		}
		return out
	case map[string]any:
		if slices.Contains(typesOf(v), "Extension") {
			return v
		}
		if plain, ok := v["@value"].(string); ok && len(v) == 1 {
			return plain
		}
		return r.object(v, own)
	}
	return v
}

func (r *renamer) object(doc map[string]any, own map[string]string) map[string]any {
	if c, there := doc["@context"]; there {
		own = r.define(c, maps.Clone(own), 0)
	}
	out := make(map[string]any, len(doc))
	renamed := map[string]any{}
	for key, e := range doc {
		term := key
		if !strings.HasPrefix(key, "@") {
			term = r.plain(key, own)
		}
		switch term {
		case "": // taken away
			continue
		case "@context":
		case "type", "@type":
			e = r.types(e, own)
		default:
			e = r.value(e, own)
		}
		if term == key {
			out[key] = e
		} else {
			renamed[term] = e
		}
	}
	for term, e := range renamed {
		if _, there := out[term]; !there {
			out[term] = e
		}
	}
	return out
}

// plain is the plain term that a key stands for, "" when it stands for something
// that Open Badges does not know, though it looks like one of its terms.
func (r *renamer) plain(key string, own map[string]string) string {
	known, isTerm := r.v.iri[key]
	iri, defined := own[key]
	switch {
	case defined && isTerm && iri == known, !defined && isTerm && key != "verify":
		return key
	case !defined && key == "verify":
		iri = known
	case !defined:
		iri = r.expand(key, own)
	}
	if term, ok := r.v.term[iri]; ok {
		return term
	}
	if isTerm {
		return ""
	}
	return key
}

func (r *renamer) types(v any, own map[string]string) any {
	if text, ok := v.(string); ok {
		if strings.HasPrefix(text, "schema:") || strings.Contains(text, "schema.org/") { // of recipients, known as they are
			return text
		}
		if term := r.plain(text, own); term != "" {
			return term
		}
		return own[text]
	}
	entries, ok := v.([]any)
	if !ok {
		return v
	}
	out := make([]any, len(entries))
	for i, e := range entries {
		out[i] = r.types(e, own)
	}
	return out
}

// expand makes an IRI of a compact one.
func (r *renamer) expand(s string, own map[string]string) string {
	prefix, rest, ok := strings.Cut(s, ":")
	if !ok || strings.HasPrefix(rest, "//") {
		return s
	}
	if iri, defined := own[prefix]; defined {
		return iri + rest
	}
	if iri, defined := prefixes2()[prefix]; defined {
		return iri + rest
	}
	return s
}

// define adds what a context defines. One that can't be had is reported by the
// check of contexts.
func (r *renamer) define(c any, own map[string]string, depth int) map[string]string {
	if depth > 4 {
		return own
	}
	for _, e := range list(c) {
		switch e := e.(type) {
		case string:
			if isContext2(e) { // says its own terms anew
				maps.DeleteFunc(own, func(term, _ string) bool { _, known := r.v.iri[term]; return known })
				continue
			}
			if checkWebURL(e) != nil {
				continue
			}
			res, err := r.s.get(e, "application/ld+json, application/json", r.s.opt.MaxDocument)
			if err != nil || res.Status != http.StatusOK {
				continue
			}
			if doc, err := parseObject(res.Body); err == nil {
				own = r.define(doc["@context"], own, depth+1)
			}
		case map[string]any:
			for term, def := range e {
				if !strings.HasPrefix(term, "@") {
					own[term] = r.meaning(term, def, e, own, 0)
				}
			}
		}
	}
	return own
}

// meaning is the IRI that a definition gives a term, "" for none.
func (r *renamer) meaning(term string, def any, c map[string]any, own map[string]string, depth int) string {
	if m, ok := def.(map[string]any); ok {
		if _, reverse := m["@reverse"]; reverse {
			return ""
		}
		id, there := m["@id"]
		if !there { // only a type or a container is new
			if iri, known := r.v.iri[term]; known {
				return iri
			}
			return r.expand(term, own)
		}
		def = id
	}
	text, _ := def.(string)
	prefix, rest, compact := strings.Cut(text, ":")
	switch {
	case text == "" || depth > 4:
		return ""
	case strings.HasPrefix(text, "@"): // another name of a keyword
		return text
	case !compact:
		if iri, known := r.v.iri[text]; known { // by another term
			return iri
		}
		if other, there := c[text]; there && text != term {
			return r.meaning(text, other, c, own, depth+1)
		}
		return own[text]
	case strings.HasPrefix(rest, "//"):
		return text
	}
	if other, there := c[prefix]; there && prefix != term {
		return r.meaning(prefix, other, c, own, depth+1) + rest
	}
	return r.expand(text, own)
}
