package college

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"time"
)

const contextV2 = "https://w3id.org/openbadges/v2"

func contextsV3() []any {
	return []any{"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"}
}

func (c *College) issuer() map[string]any {
	return map[string]any{"@context": contextV2, "type": "Issuer", "id": c.cfg.BaseURL + "/issuer", "name": c.cfg.Name, "url": c.cfg.BaseURL, "email": "badges@college.example"}
}

func (c *College) class(b Badge) map[string]any {
	return map[string]any{
		"@context": contextV2, "type": "BadgeClass", "id": c.cfg.BaseURL + "/badges/" + b.Slug, "name": b.Name, "description": b.Description,
		"image": c.image(b), "criteria": map[string]any{"narrative": b.Criteria}, "issuer": c.cfg.BaseURL + "/issuer", "tags": b.Skills,
	}
}

func (c *College) image(b Badge) string { return c.cfg.BaseURL + "/badges/" + b.Slug + "/image.png" }

func (c *College) assertion(b Badge) map[string]any {
	doc := map[string]any{
		"@context": contextV2, "type": "Assertion", "id": c.Address(b.Slug), "badge": c.cfg.BaseURL + "/badges/" + b.Slug,
		"recipient":    map[string]any{"type": "email", "hashed": true, "salt": b.Slug, "identity": hashed(b.Email, b.Slug)},
		"issuedOn":     c.from(b),
		"verification": map[string]any{"type": "HostedBadge"},
	}
	if until := c.until(b); until != "" {
		doc["expires"] = until
	}
	if b.Evidence != "" {
		doc["evidence"] = []any{map[string]any{"type": "Evidence", "narrative": b.Evidence}}
	}
	return doc
}

func (c *College) from(b Badge) string {
	return c.state.Opened.Add(-b.Age).Format(time.RFC3339)
}

// until is when the award ends, "" when it holds for good.
func (c *College) until(b Badge) string {
	if b.Holds == 0 {
		return ""
	}
	return c.state.Opened.Add(b.Holds - b.Age).Format(time.RFC3339)
}

// profile is the issuer of credentials, and the one who says which key is theirs.
func (c *College) profile() map[string]any {
	id := c.cfg.BaseURL + "/profile"
	key := append([]byte{0xed, 0x01}, c.key.Public().(ed25519.PublicKey)...) // Multikey, Ed25519
	return map[string]any{
		"@context": append(contextsV3(), "https://w3id.org/security/multikey/v1"), "id": id, "type": []any{"Profile"}, "name": c.cfg.Name, "url": c.cfg.BaseURL,
		"verificationMethod": []any{map[string]any{"id": id + "#key", "type": "Multikey", "controller": id, "publicKeyMultibase": base58(key)}},
		"assertionMethod":    []any{id + "#key"},
	}
}

func (c *College) credential(b Badge) map[string]any {
	doc := map[string]any{
		"@context": contextsV3(), "id": c.cfg.BaseURL + "/credentials/" + b.Slug, "type": []any{"VerifiableCredential", "OpenBadgeCredential"}, "name": b.Name,
		"issuer": map[string]any{"id": c.cfg.BaseURL + "/profile", "type": []any{"Profile"}, "name": c.cfg.Name, "url": c.cfg.BaseURL}, "validFrom": c.from(b),
		"credentialSubject": map[string]any{
			"type":       []any{"AchievementSubject"},
			"identifier": []any{map[string]any{"type": "IdentityObject", "identityType": "emailAddress", "hashed": true, "salt": b.Slug, "identityHash": hashed(b.Email, b.Slug)}},
			"achievement": map[string]any{
				"id": c.cfg.BaseURL + "/badges/" + b.Slug, "type": []any{"Achievement"}, "achievementType": "Course", "name": b.Name, "description": b.Description,
				"criteria": map[string]any{"narrative": b.Criteria}, "image": map[string]any{"id": c.image(b), "type": "Image"}, "tag": b.Skills,
			},
		},
	}
	if until := c.until(b); until != "" {
		doc["validUntil"] = until
	}
	if b.Evidence != "" {
		doc["evidence"] = []any{map[string]any{"type": []any{"Evidence"}, "narrative": b.Evidence}}
	}
	return doc
}

// sign adds an eddsa-jcs-2022 proof (W3C Data Integrity EdDSA Cryptosuites,
// section 3.3).
func (c *College) sign(doc map[string]any) ([]byte, error) {
	proof := map[string]any{
		"@context": doc["@context"], "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "created": c.state.Opened.Format(time.RFC3339),
		"verificationMethod": c.cfg.BaseURL + "/profile#key", "proofPurpose": "assertionMethod",
	}
	options, body := sha256.Sum256(canonical(proof)), sha256.Sum256(canonical(doc))
	proof["proofValue"] = base58(ed25519.Sign(c.key, append(options[:], body[:]...)))
	doc["proof"] = []any{proof}
	return canonical(doc), nil
}

// canonical writes a document as RFC 8785 has it; the college's documents hold
// texts and truth values alone, where Go's own order and forms are the same.
func canonical(doc map[string]any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(doc); err != nil {
		panic(fmt.Errorf("a document of the college: %w", err)) // texts always have a form
	}
	return bytes.TrimSpace(b.Bytes())
}

// base58 is the Bitcoin alphabet's, with multibase's prefix.
func base58(data []byte) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	var out []byte
	for n, base, mod := new(big.Int).SetBytes(data), big.NewInt(58), new(big.Int); n.Sign() > 0; {
		n.DivMod(n, base, mod)
		out = append(out, alphabet[mod.Int64()])
	}
	for _, b := range data {
		if b != 0 {
			break
		}
		out = append(out, alphabet[0])
	}
	slices.Reverse(out)
	return "z" + string(out)
}
