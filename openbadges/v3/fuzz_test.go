package v3_test

import (
	"encoding/json"
	"testing"

	v3 "badgebridge/openbadges/v3"
)

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],"id":"urn:c","type":["VerifiableCredential","OpenBadgeCredential"],
		"issuer":{"id":"urn:i","type":["Profile"],"name":"I"},"validFrom":"2026-01-01T00:00:00Z","credentialSubject":{"type":["AchievementSubject"],"identifier":[{"type":"IdentityObject","hashed":true,"identityHash":"sha256$00","identityType":"emailAddress"}],
		"achievement":{"id":"urn:a","type":["Achievement"],"name":"A","description":"D","criteria":{"narrative":"C"}}}}`))
	f.Add([]byte(`{"vc":{"credentialSubject":[{"achievement":[{}],"identifier":[[],{}],"result":7}],"issuer":{"parentOrg":{"parentOrg":{}}},"proof":[null]},"iss":1,"nbf":"x"}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		c, _, err := v3.DecodeCredential(doc)
		if err == nil {
			if out, _, err := v3.EncodeCredential(c); err == nil && !json.Valid(out) {
				t.Fatalf("not JSON: %s", out)
			}
		}
		if c, _, err := v3.DecodeAchievement(doc); err == nil {
			v3.EncodeAchievement(c)
		}
		if p, _, err := v3.DecodeProfile(doc); err == nil {
			v3.EncodeProfile(p)
		}
	})
}
