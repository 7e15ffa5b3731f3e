package jsonld_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"badgebridge/openbadges/jsonld"
)

func contextURLs() []any {
	return []any{
		"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
		"https://www.w3.org/2018/credentials/v1", "https://purl.imsglobal.org/spec/ob/v3p0/context.json",
		"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json",
		"https://purl.imsglobal.org/spec/ob/v3p0/extensions.json", "https://w3id.org/security/data-integrity/v1",
		"https://w3id.org/security/data-integrity/v2", "https://w3id.org/security/multikey/v1", "https://w3id.org/security/suites/ed25519-2020/v1",
		"https://www.w3.org/ns/did/v1", "https://www.w3.org/ns/credentials/status/v1", "https://w3id.org/vc/status-list/2021/v1",
		"https://purl.imsglobal.org/spec/ob/v3p0/context/ob_v3p0.jsonld", "https://www.w3.org/ns/credentials/undefined-terms/v2",
	}
}

// keys are properties of the built-in contexts that differ in what becomes of
// their values, and some that there is no such property of.
func keys() []string {
	return []string{
		"id", "type", "name", "description", "image", "issuer", "credentialSubject", "validFrom", "validUntil", "issuanceDate", "awardedDate", "evidence",
		"endorsement", "endorsementJwt", "proof", "verifiableCredential", "holder", "credentialStatus", "credentialSchema", "refreshService", "termsOfUse", "achievement",
		"criteria", "narrative", "tag", "alignment", "creator", "creditsAvailable", "creditsEarned", "identifier", "identityHash", "hashed", "result", "resultDescription",
		"allowedValue", "related", "version", "inLanguage", "otherIdentifier", "official", "parentOrg", "address", "geo", "latitude", "source", "achievedLevel", "status",
		"value", "statusPurpose", "statusListIndex", "encodedList", "ttl", "proofPurpose", "verificationMethod", "created", "cryptosuite", "proofValue", "previousProof",
		"assertionMethod", "authentication", "controller", "publicKeyMultibase", "jsonSchema", "relatedResource", "digestSRI", "renderMethod", "service", "alsoKnownAs",
		"jti", "salt", "url", "phone", "email", "targetUrl", "caption", "points", "level", "evil", "@id", "@type", "@value", "@graph", "@list", "@language", "https://example.org/p", "xsd:x", "",
	}
}

func types() []any {
	return []any{
		"VerifiableCredential", "VerifiablePresentation", "AchievementCredential", "OpenBadgeCredential", "EndorsementCredential", "AchievementSubject", "Achievement", "Profile",
		"Image", "Evidence", "Criteria", "Alignment", "IdentityObject", "IdentifierEntry", "Address", "GeoCoordinates", "Result", "ResultDescription", "RubricCriterionLevel",
		"Related", "EndorsementSubject", "DataIntegrityProof", "Ed25519Signature2020", "Multikey", "BitstringStatusList", "BitstringStatusListEntry", "StatusList2021Entry", "JsonSchema",
		"1EdTechRevocationList", "1EdTechJsonSchemaValidator2019", "JsonWebKey", "urn:own", "_:b", "id", "name", "Evil", "xsd:x", "",
	}
}

func scalars() []any {
	return []any{
		"text", "", "2026-01-01T00:00:00Z", "https://example.org/x", "urn:uuid:7c4f5b63-0c3c-4b6c-9d5e-2f3a8d1b0001", "urn:p", "_:a", "_:b", "assertionMethod", "authentication", "name",
		"type", "@id", "@none", "xsd:date", "sec:x", "https://example.org/a b", "a:b", "1:2", "é\n\"\\\x7f", "Profile", true, false, nil, 0.0, 1.0, -1.5, 42.0, 1e21, 1e-7, 9007199254740993.0, "relative", "#f",
	}
}

// vocabulary is what a list of built-in contexts defines: properties that are known
// everywhere, and types with the properties that are known in them.
type vocabulary struct {
	base  []string
	types []string
	of    map[string][]string
}

func newVocabulary(t *rapid.T, p *jsonld.Processor, urls []any) vocabulary {
	v := vocabulary{of: map[string][]string{}}
	for _, url := range urls {
		doc, err := p.Context(url.(string))
		if err != nil {
			t.Fatal(err)
		}
		terms, _ := doc["@context"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(terms)) {
			def, _ := terms[name].(map[string]any)
			scoped, isType := def["@context"].(map[string]any)
			switch {
			case strings.HasPrefix(name, "@") || name == "id" || name == "type":
			case isType || name[0] >= 'A' && name[0] <= 'Z':
				v.types = append(v.types, name)
				for _, key := range slices.Sorted(maps.Keys(scoped)) {
					if !strings.HasPrefix(key, "@") && key != "id" && key != "type" {
						v.of[name] = append(v.of[name], key)
					}
				}
			default:
				v.base = append(v.base, name)
			}
		}
	}
	return v
}

// generate makes a document of the built-in contexts' terms, mostly one that
// means something.
func generate(t *rapid.T, p *jsonld.Processor) map[string]any {
	pick := func(name string, n int) int { return rapid.IntRange(0, n-1).Draw(t, name) }
	urls, odd, scalars := contextURLs(), keys(), scalars()
	models := []any{urls[0], urls[2]}
	list := []any{models[pick("data model", 2)], urls[[]int{1, 3, 4, 5}[pick("Open Badges", 4)]]}
	for range pick("contexts", 3) {
		list = append(list, urls[6+pick("context", len(urls)-7)])
	}
	v := newVocabulary(t, p, list)
	var value func(depth int) any
	node := func(depth int, root ...string) map[string]any {
		m := map[string]any{}
		known := slices.Clone(v.base)
		types := []any{}
		for _, name := range root {
			types = append(types, name)
		}
		for range pick("types", 3) {
			types = append(types, v.types[pick("type", len(v.types))])
		}
		for _, name := range types {
			known = append(known, v.of[name.(string)]...)
		}
		switch len(types) {
		case 0:
		case 1:
			m["type"] = types[0]
		default:
			m["type"] = types
		}
		if pick("named", 3) == 0 {
			m["id"] = scalars[3+pick("id", 5)]
		}
		for range pick("keys", 6) {
			m[known[pick("key", len(known))]] = value(depth + 1)
		}
		if pick("odd", 60) == 0 {
			m[odd[pick("odd key", len(odd))]] = value(depth + 1)
		}
		return m
	}
	value = func(depth int) any {
		switch n := pick("kind", 9); {
		case n < 3 || depth > 4:
			return scalars[3+pick("scalar", 4)]
		case n == 3:
			return scalars[pick("any scalar", len(scalars))]
		case n == 4:
			list := []any{}
			for range pick("items", 3) {
				list = append(list, value(depth+1))
			}
			return list
		}
		return node(depth)
	}
	doc := node(0, "VerifiableCredential", []string{"AchievementCredential", "OpenBadgeCredential", "EndorsementCredential"}[pick("root", 3)])
	doc["@context"] = list
	return doc
}

// mutate changes a document as the program says: one byte for the place, one for
// what is done there, one to choose with.
func mutate(doc map[string]any, program []byte) {
	for len(program) >= 3 {
		where, what, which := int(program[0]), program[1]%10, int(program[2])
		program = program[3:]
		nodes := objects(doc, nil)
		m := nodes[where%len(nodes)]
		names := slices.Sorted(maps.Keys(m))
		if len(names) == 0 {
			continue
		}
		key := names[which%len(names)]
		switch what {
		case 0:
			delete(m, key)
		case 1:
			all := keys()
			m[all[which%len(all)]] = m[key]
		case 2:
			all := scalars()
			m[key] = all[where%len(all)]
		case 3:
			m[key] = []any{m[key]}
		case 4:
			if l, ok := m[key].([]any); ok && len(l) > 0 {
				m[key] = l[where%len(l)]
			}
		case 5:
			all := types()
			m["type"] = all[which%len(all)]
		case 6:
			all := contextURLs()
			list, _ := m["@context"].([]any)
			m["@context"] = append(slices.Clone(list), all[which%len(all)])
		case 7:
			if list, ok := m[key].([]any); ok {
				all := scalars()
				m[key] = append(slices.Clone(list), all[where%len(all)])
			}
		case 8:
			other := nodes[which%len(nodes)]
			m[keys()[where%len(keys())]] = clone(other, 0)
		case 9:
			all := keys()
			name := all[which%len(all)]
			m[name] = map[string]any{"id": "urn:n" + strconv.Itoa(where%3), "name": "n"}
		}
	}
}

// objects lists all objects of a document, always in the same order.
func objects(v any, into []map[string]any) []map[string]any {
	switch v := v.(type) {
	case map[string]any:
		into = append(into, v)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			into = objects(v[key], into)
		}
	case []any:
		for _, e := range v {
			into = objects(e, into)
		}
	}
	return into
}

// clone copies, so that no document holds itself.
func clone(v any, depth int) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for key, e := range v {
			if depth < 8 {
				m[key] = clone(e, depth+1)
			}
		}
		return m
	case []any:
		l := []any{}
		for _, e := range v {
			l = append(l, clone(e, depth+1))
		}
		return l
	}
	return v
}
