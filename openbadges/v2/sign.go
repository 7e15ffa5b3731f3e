package v2

import (
	"crypto"
	"crypto/rsa"
	"fmt"

	"badgebridge/openbadges/internal/wire"
	"badgebridge/openbadges/jose"
)

// SignAssertion writes a signed Assertion: a compact JWS over the document that
// EncodeAssertion would write, but with verification SignedBadge. The same holds
// for recipient, badge and notes.
//
// a.ID may be any absolute URI, as urn:uuid. a.Verification.Creator is the
// address of the key's document (see EncodeKey), which the issuer's document
// names in publicKey: without that, nobody can tell that the issuer signed. key is
// an RSA key of at least 2048 bits, and the algorithm RS256, which is all that
// readers of OB 2.0 can be expected to know. A signature can't be taken back: a
// revoked award is refused, and has to go on the issuer's revocation list.
//
// Errors: ErrIncomplete, jose.ErrKey, the signer's.
func SignAssertion(a Assertion, key crypto.Signer) ([]byte, Notes, error) {
	var missing Notes
	wire.NeedURI(&missing, "id", a.ID)
	wire.NeedURL(&missing, "verification.creator", a.Verification.Creator)
	if a.Verification.Type != "" && a.Verification.Type != SignedBadge {
		missing.Add("verification", "is not that of a signed assertion")
	}
	if a.Award.Revoked {
		missing.Add("revoked", "can't be said by a signed assertion")
	}
	if _, ok := key.Public().(*rsa.PublicKey); !ok {
		return nil, nil, fmt.Errorf("%w: OB 2.0 is signed with RSA, not %T", jose.ErrKey, key.Public())
	}
	verification := struct {
		Type    string `json:"type"`
		Creator string `json:"creator"`
	}{SignedBadge, a.Verification.Creator}
	doc, lost, err := writeAssertion(a, verification, missing)
	if err != nil {
		return nil, nil, err
	}
	compact, err := jose.Sign(jose.Header{Algorithm: jose.RS256}, doc, key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign the assertion: %w", err)
	}
	return []byte(compact), lost, nil
}

// EncodeKey writes the document of a key (class CryptographicKey), which is
// served under id. owner is the issuer's id. Errors: ErrIncomplete, jose.ErrKey.
func EncodeKey(id, owner string, key crypto.PublicKey) ([]byte, error) {
	var missing Notes
	wire.NeedURL(&missing, "id", id)
	wire.NeedURL(&missing, "owner", owner)
	pem, err := jose.MarshalPEM(key)
	if err != nil {
		return nil, fmt.Errorf("write the key: %w", err)
	}
	w := wire.NewWriter()
	w.Put("@context", Context)
	w.Put("type", "CryptographicKey")
	w.Put("id", id)
	w.Put("owner", owner)
	w.Put("publicKeyPem", pem)
	doc, _, err := finish("key", w, nil, missing)
	return doc, err
}
