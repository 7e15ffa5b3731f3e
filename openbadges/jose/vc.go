package jose

import (
	"bytes"
	"crypto"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"badgebridge/openbadges/jsonld"
)

// VC is a credential that came as a JWT. Nothing of it is verified yet but its
// form.
type VC struct {
	JWS JWS
	// Claims is the whole payload.
	Claims map[string]any
	// Credential is the credential itself, without the JWT's claims. In the VC 1.1
	// form what it leaves to the claims is filled in from them (VC Data Model 1.1,
	// section 6.3.1).
	Credential map[string]any
	// Wrapped: the credential stood in the claim "vc" (VC 1.1).
	Wrapped bool
	// Mismatches are all differences between claims and credential; see Mismatch.
	Mismatches []Mismatch
}

// Mismatch is one claim that does not say what the credential says (Open Badges
// 3.0, section "JSON Web Token Proof Format": a verifier has to reject it).
type Mismatch struct {
	Claim  string // "iss", "jti", "nbf", "exp", "sub"
	Member string // of the credential: "issuer.id", "id", "validFrom", ...
	// Missing: only one of the two is there, so nothing is contradicted. The
	// specification demands iss, jti, nbf and sub of the token; its publisher itself
	// leaves sub out, which deserves a warning. An exp alone sets the credential's
	// end: see VC.Ends.
	Missing bool
	Problem string // for people
}

func (m Mismatch) String() string { return m.Problem }

// ParseVC reads a credential in a compact JWS of at most DefaultMax bytes, in
// the VC 2.0 form, where it is the payload, and in the VC 1.1 form, where it is
// the claim "vc". The payload is read as jsonld.Parse reads, so no key stands
// twice. Errors: those of Parse.
func ParseVC(compact []byte) (VC, error) {
	j, err := Parse(compact, DefaultMax)
	if err != nil {
		return VC{}, err
	}
	claims, err := jsonld.ParseObject(j.Payload, jsonld.Limits{MaxBytes: DefaultMax})
	if err != nil {
		return VC{}, fmt.Errorf("%w: the payload: %w", ErrMalformed, err)
	}
	vc := VC{JWS: j, Claims: claims}
	inner, wrapped := claims["vc"]
	if wrapped {
		if _, both := claims["@context"]; both {
			return VC{}, fmt.Errorf("%w: one credential is the payload, another in its claim vc", ErrMalformed)
		}
		o, ok := inner.(map[string]any)
		if !ok {
			return VC{}, fmt.Errorf("%w: the claim vc is no object", ErrMalformed)
		}
		vc.Wrapped, vc.Credential = true, o
		vc.fill()
	} else {
		vc.Credential = maps.Clone(claims)
		for _, c := range []string{"iss", "sub", "jti", "nbf", "exp", "iat", "aud"} {
			delete(vc.Credential, c)
		}
	}
	vc.compare()
	return vc, nil
}

// Ends is the token's exp, by which the credential ends where it does not say so
// itself (Open Badges 3.0, section "Verify a Credential VC-JWT Signature").
func (v VC) Ends() (time.Time, bool) { return numericDate(v.Claims["exp"]) }

// dates are the members that nbf and exp repeat.
func (v *VC) dates() (from, until string) {
	_, old := v.Credential["issuanceDate"]
	if _, current := v.Credential["validFrom"]; v.Wrapped && (old || !current) {
		return "issuanceDate", "expirationDate"
	}
	return "validFrom", "validUntil"
}

// fill completes a VC 1.1 credential by the claims that stand for its members.
func (v *VC) fill() {
	c := maps.Clone(v.Credential)
	v.Credential = c
	from, until := v.dates()
	set := func(member string, value any) {
		if _, there := c[member]; !there && value != nil {
			c[member] = value
		}
	}
	set("id", v.Claims["jti"])
	set("issuer", v.Claims["iss"])
	if o, ok := c["issuer"].(map[string]any); ok && o["id"] == nil && v.Claims["iss"] != nil {
		o = maps.Clone(o)
		o["id"] = v.Claims["iss"]
		c["issuer"] = o
	}
	for member, claim := range map[string]string{from: "nbf", until: "exp"} {
		if t, ok := numericDate(v.Claims[claim]); ok {
			set(member, t.Format(time.RFC3339))
		}
	}
	if o, ok := c["credentialSubject"].(map[string]any); ok && o["id"] == nil && v.Claims["sub"] != nil {
		o = maps.Clone(o)
		o["id"] = v.Claims["sub"]
		c["credentialSubject"] = o
	}
}

// compare notes where claims and credential differ.
func (v *VC) compare() {
	c := v.Credential
	issuer := c["issuer"]
	if o, ok := issuer.(map[string]any); ok {
		issuer = o["id"]
	}
	subject := c["credentialSubject"]
	if l, ok := subject.([]any); ok && len(l) == 1 {
		subject = l[0]
	}
	var subjectID any
	if o, ok := subject.(map[string]any); ok {
		subjectID = o["id"]
	}
	from, until := v.dates()
	v.compareText("iss", "issuer.id", issuer)
	v.compareText("jti", "id", c["id"])
	v.compareText("sub", "credentialSubject.id", subjectID)
	v.compareTime("nbf", from, c[from])
	v.compareTime("exp", until, c[until])
}

func (v *VC) mismatch(claim, member string, missing bool, format string, args ...any) {
	v.Mismatches = append(v.Mismatches, Mismatch{Claim: claim, Member: member, Missing: missing, Problem: fmt.Sprintf(format, args...)})
}

// absent deals with what only one of the two has.
func (v *VC) absent(claim, member string, value any) (done bool) {
	said, there := v.Claims[claim]
	switch {
	case !there && value == nil:
	case !there:
		v.mismatch(claim, member, true, "the token has no %s, though the credential has %s", claim, member)
	case value == nil:
		v.mismatch(claim, member, claim == "sub" || claim == "exp", "the token's %s is %.200q, but the credential has no %s", claim, fmt.Sprint(said), member)
	default:
		return false
	}
	return true
}

func (v *VC) compareText(claim, member string, value any) {
	if v.absent(claim, member, value) {
		return
	}
	said, ok := v.Claims[claim].(string)
	if has, isText := value.(string); !ok || !isText || said != has {
		v.mismatch(claim, member, false, "the token's %s is %.200q, the credential's %s %.200q", claim, fmt.Sprint(v.Claims[claim]), member, fmt.Sprint(value))
	}
}

// compareTime compares whole seconds: nbf has no others by the specification,
// while credentials may have fractions.
func (v *VC) compareTime(claim, member string, value any) {
	if v.absent(claim, member, value) {
		return
	}
	text, _ := value.(string)
	has, err := time.Parse(time.RFC3339, text)
	said, ok := numericDate(v.Claims[claim])
	if err != nil || !ok || has.Unix() != said.Unix() {
		v.mismatch(claim, member, false, "the token's %s is %v, the credential's %s %.60q", claim, shown(said, ok), member, fmt.Sprint(value))
	}
}

func shown(t time.Time, ok bool) string {
	if !ok {
		return "no time"
	}
	return t.Format(time.RFC3339)
}

// numericDate reads seconds since 1970, cut to whole ones.
func numericDate(v any) (time.Time, bool) {
	f, ok := v.(float64)
	if !ok || f < -62135596800 || f > 253402300799 { // years 1 to 9999
		return time.Time{}, false
	}
	return time.Unix(int64(math.Floor(f)), 0).UTC(), true
}

// SignVC writes a credential of VC 2.0, as Open Badges 3.0 has it, as a JWT: the
// credential with the claims iss, jti, nbf, and sub and exp where it has a
// subject's id and an end. The header gets typ JWT, and where h names no kid
// the key itself as jwk; a kid has to be an address at which the key's JWK is.
// The credential needs id, issuer and validFrom. It is not changed. Errors:
// ErrMalformed and those of Sign.
func SignVC(credential map[string]any, h Header, key crypto.Signer) (string, error) {
	payload := maps.Clone(credential)
	for _, claim := range []string{"iss", "sub", "jti", "nbf", "exp", "iat", "aud", "vc"} {
		if _, there := payload[claim]; there {
			return "", fmt.Errorf("%w: the credential has a member %q", ErrMalformed, claim)
		}
	}
	if c, _ := payload["@context"].([]any); !slices.Contains(c, any("https://www.w3.org/ns/credentials/v2")) {
		return "", fmt.Errorf("%w: not a credential of VC 2.0", ErrMalformed)
	}
	issuer := payload["issuer"]
	if o, ok := issuer.(map[string]any); ok {
		issuer = o["id"]
	}
	for claim, v := range map[string]any{"iss": issuer, "jti": payload["id"]} {
		s, ok := v.(string)
		if !ok || s == "" {
			return "", fmt.Errorf("%w: the credential has nothing for %s", ErrMalformed, claim)
		}
		payload[claim] = s
	}
	if o, ok := payload["credentialSubject"].(map[string]any); ok && o["id"] != nil {
		payload["sub"] = o["id"]
	}
	for claim, member := range map[string]string{"nbf": "validFrom", "exp": "validUntil"} {
		v, there := payload[member]
		if !there && claim == "exp" {
			continue
		}
		s, _ := v.(string)
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return "", fmt.Errorf("%w: %s is no time with a time zone", ErrMalformed, member)
		}
		payload[claim] = t.Unix()
	}
	h.Type = "JWT"
	if h.KeyID == "" && h.Key == nil {
		h.Key = &JWK{Key: key.Public()}
	}
	raw, err := text(payload)
	if err != nil {
		return "", err
	}
	return Sign(h, raw, key)
}

// text writes JSON without the escapes that are for HTML only.
func text(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
