package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"badgebridge/openbadges/dataintegrity"
	"badgebridge/openbadges/jose"
	"badgebridge/openbadges/jsonld"
	"badgebridge/store"
	"badgebridge/sync/signing"
)

// prove adds an eddsa-rdfc-2022 proof by the key in use, which issuer's document
// names. The document's bytes stay as they are; the proof follows them. errUnfit
// when it holds something that a signature would not cover.
func (e *Engine) prove(ctx context.Context, tx store.Tx, issuer string, doc []byte) ([]byte, error) {
	key, err := e.keys.Active(ctx, tx, signing.EdDSA)
	if err != nil {
		return nil, err
	}
	obj, err := jsonld.ParseObject(doc, jsonld.Limits{})
	if err != nil {
		return nil, unsafe(err)
	}
	proof, err := dataintegrity.Sign(ctx, e.processor(), obj, dataintegrity.Options{
		VerificationMethod: issuer + "#" + key.ID, Created: e.cfg.Now(),
	}, key.Private)
	if err != nil {
		return nil, unsafe(err)
	}
	text, err := json.Marshal(proof)
	if err != nil {
		return nil, err
	}
	body, ok := bytes.CutSuffix(bytes.TrimSpace(doc), []byte("}"))
	if !ok {
		return nil, fmt.Errorf("%w: no JSON object", errUnfit)
	}
	return bytes.Join([][]byte{body, []byte(`,"proof":`), text, []byte("}")}, nil), nil
}

// unsafe marks what JSON-LD does not let us sign as the document's fault.
func unsafe(err error) error {
	for _, is := range []error{jsonld.ErrSyntax, jsonld.ErrLimit, jsonld.ErrUnsafe, jsonld.ErrContext, jsonld.ErrInvalid, jsonld.ErrUnsupported} {
		if errors.Is(err, is) {
			return fmt.Errorf("%w: %w", errUnfit, err)
		}
	}
	return err
}

// signJWT makes the JWT form of a credential; kid is where the key's JWK is.
func signJWT(credential map[string]any, kid string, key signing.Signer) ([]byte, error) {
	text, err := jose.SignVC(credential, jose.Header{Algorithm: string(key.Algorithm), KeyID: kid}, key.Private)
	return []byte(text), err
}
