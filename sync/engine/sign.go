package engine

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jsonld"
	"badgebridge/store"
	"badgebridge/sync/signing"
)

// prove adds an eddsa-rdfc-2022 proof by the key in use, which issuer's document
// names. The document's bytes stay as they are; the proof follows them.
func (e *Engine) prove(ctx context.Context, tx store.Tx, issuer string, doc []byte) ([]byte, error) {
	key, err := e.keys.Active(ctx, tx, signing.EdDSA)
	if err != nil {
		return nil, err
	}
	obj, err := jsonld.ParseObject(doc, jsonld.Limits{})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnfit, err)
	}
	proc := e.processor()
	proof := map[string]any{
		"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": e.cfg.Now().UTC().Format(time.RFC3339),
		"verificationMethod": issuer + "#" + key.ID, "proofPurpose": "assertionMethod",
	}
	config := map[string]any{"@context": obj["@context"]}
	for k, v := range proof {
		config[k] = v
	}
	a, err := proc.Canonicalize(ctx, config, crypto.SHA256)
	if err != nil {
		return nil, err
	}
	b, err := proc.Canonicalize(ctx, obj, crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnfit, err)
	}
	ha, hb := sha256.Sum256(a), sha256.Sum256(b)
	sig, err := key.Private.Sign(nil, append(ha[:], hb[:]...), crypto.Hash(0))
	if err != nil {
		return nil, err
	}
	proof["proofValue"] = did.EncodeMultibase(sig)
	return withProof(doc, proof)
}

// withProof puts a proof at the end of a document whose other bytes stay.
func withProof(doc []byte, proof map[string]any) ([]byte, error) {
	text, err := json.Marshal(proof)
	if err != nil {
		return nil, err
	}
	body, ok := bytes.CutSuffix(bytes.TrimSpace(doc), []byte("}"))
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	out := append([]byte(nil), body...)
	out = append(out, `,"proof":`...)
	out = append(out, text...)
	return append(out, '}'), nil
}

// claims are what a credential says again in its JWT.
type claims struct {
	ID     string `json:"id"`
	Issuer struct {
		ID string `json:"id"`
	} `json:"issuer"`
	From  time.Time `json:"validFrom"`
	Until time.Time `json:"validUntil"`
}

// signJWT makes the JWT form of a credential (OB 3.0, section "JSON Web Token
// Proof Format"): the credential's own members are the claims. Its subject has no
// id, so there is no sub.
func signJWT(credential []byte, kid string, key signing.Signer) ([]byte, error) {
	var c claims
	var body map[string]any
	if err := errors.Join(json.Unmarshal(credential, &c), json.Unmarshal(credential, &body)); err != nil {
		return nil, err
	}
	body["iss"], body["jti"], body["nbf"] = c.Issuer.ID, c.ID, c.From.Unix()
	if !c.Until.IsZero() {
		body["exp"] = c.Until.Unix()
	}
	head, err := json.Marshal(map[string]string{"alg": string(key.Algorithm), "kid": kid, "typ": "JWT"})
	if err != nil {
		return nil, err
	}
	payload, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode(head) + "." + encode(payload)
	sum := sha256.Sum256([]byte(text))
	sig, err := key.Private.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return []byte(text + "." + encode(sig)), nil
}

// encodeStatus writes the bits of a status list (Bitstring Status List 1.0,
// section "Bitstring Encoding").
func encodeStatus(size int, revoked []int) (string, error) {
	bits := make([]byte, (size+7)/8)
	for _, p := range revoked {
		bits[p/8] |= 0x80 >> (p % 8)
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(bits); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return "u" + base64.RawURLEncoding.EncodeToString(out.Bytes()), nil
}
