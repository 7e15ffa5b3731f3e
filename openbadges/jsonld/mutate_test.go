package jsonld_test

import (
	"maps"
	"slices"
	"strconv"

	"pgregory.net/rapid"
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

// generate makes a document of the built-in contexts' terms, mostly one that
// means something.
func generate(t *rapid.T) map[string]any {
	pick := func(name string, n int) int { return rapid.IntRange(0, n-1).Draw(t, name) }
	urls, keys, types, scalars := contextURLs(), keys(), types(), scalars()
	var value func(depth int) any
	node := func(depth int) map[string]any {
		m := map[string]any{}
		if pick("typed", 5) > 0 {
			list := []any{}
			for range 1 + pick("types", 2) {
				list = append(list, types[pick("type", len(types)-5)])
			}
			m["type"] = list
		}
		if pick("named", 3) == 0 {
			m["id"] = scalars[3+pick("id", 5)]
		}
		for range pick("keys", 6) {
			m[keys[2+pick("key", len(keys)-12)]] = value(depth + 1)
		}
		return m
	}
	value = func(depth int) any {
		switch n := pick("kind", 8); {
		case n < 4 || depth > 5:
			return scalars[pick("scalar", len(scalars))]
		case n == 4:
			list := []any{}
			for range pick("items", 3) {
				list = append(list, value(depth+1))
			}
			return list
		}
		return node(depth)
	}
	doc := node(0)
	list := []any{urls[pick("data model", 2)*2]}
	for range pick("contexts", 3) {
		list = append(list, urls[1+pick("context", len(urls)-2)])
	}
	doc["@context"] = list
	doc["type"] = []any{types[pick("root", 5)], types[pick("root", 5)]}
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
