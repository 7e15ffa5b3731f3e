package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"badgebridge/openbadges"
	"badgebridge/openbadges/jsonld"
	"badgebridge/openbadges/statuslist"
	v3 "badgebridge/openbadges/v3"
	"badgebridge/store"
	"badgebridge/sync/signing"
)

// credential writes the OB 3.0 credential with its proof. The award gets its
// place in a status list.
func (w *writing) credential(ctx context.Context, tx store.Tx) ([]byte, error) {
	a := w.award
	entry, err := tx.TakeStatus(ctx, a.ID, statusPlaces)
	if err != nil {
		return nil, err
	}
	status, err := statusEntry(w.base, entry)
	if err != nil {
		return nil, err
	}
	issuer := w.profile30()
	evidence := make([]openbadges.Evidence, 0, len(a.Evidence)+1)
	for _, v := range a.Evidence {
		v.Unknown = nil
		evidence = append(evidence, v)
	}
	evidence = append(evidence, openbadges.Evidence{
		ID: w.base + "/ob/v2/assertions/" + w.id, Types: []string{typeAssertion2},
		Name: "The same badge as Open Badges 2.0", Description: "The Open Badges 2.0 assertion of the same award.",
	})
	doc, _, err := v3.EncodeCredential(v3.Credential{
		ID: w.base + "/ob/v3/credentials/" + w.id, Name: w.class.Name, Issuer: issuer,
		Award: openbadges.Award{
			BadgeClass: w.achievement(w.class, a.ClassVersionID, issuer),
			Recipient:  w.recipient(),
			IssuedOn:   a.IssuedOn, Expires: a.Expires, Evidence: evidence, Narrative: a.Narrative,
		},
		Status: []json.RawMessage{status},
	})
	if err != nil {
		return nil, unfit(err)
	}
	return w.e.prove(ctx, tx, w.base+"/ob/v3/issuers/"+w.issuer.ID, doc)
}

// statusEntry is what a credential says of its place in a status list.
func statusEntry(base string, e store.StatusEntry) (json.RawMessage, error) {
	return json.Marshal(statuslist.Entry{
		Type: statuslist.TypeBitstring, Purpose: statuslist.Revocation, Index: e.Position, List: base + "/ob/status/" + e.List,
	}.Object())
}

// StatusEntry is what a credential of the award says of its place in a status
// list; nil when the award has none.
func (e *Engine) StatusEntry(ctx context.Context, awardID string) (json.RawMessage, error) {
	entry, err := e.cfg.Store.StatusOf(ctx, awardID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return statusEntry(e.cfg.BaseURL(ctx), entry)
}

// CredentialJWT is the JWT form of a credential of ours (OB 3.0, section "JSON Web
// Token Proof Format"), made when it is first asked for and kept. store.ErrNotFound
// when there is no such credential, it is not claimed, or it is revoked.
func (e *Engine) CredentialJWT(ctx context.Context, id string) ([]byte, error) {
	st := e.cfg.Store
	row, err := st.Assertion(ctx, id, openbadges.V30)
	if err != nil {
		return nil, err
	}
	a, err := st.Award(ctx, row.AwardID)
	if err != nil {
		return nil, err
	}
	if a.Claim != store.Claimed || a.Revoked {
		return nil, fmt.Errorf("JWT of credential %s: %w", id, store.ErrNotFound)
	}
	if row.JWTSHA == "" {
		if row.JWTSHA, err = e.makeJWT(ctx, row); err != nil {
			return nil, fmt.Errorf("JWT of credential %s: %w", id, err)
		}
		e.cfg.Changed(row.AwardID) // its key may be new
	}
	doc, err := st.Document(ctx, row.JWTSHA)
	return doc.Body, err
}

func (e *Engine) makeJWT(ctx context.Context, row store.Assertion) (kept string, err error) {
	if err := e.keys.Ensure(ctx, signing.RS256); err != nil {
		return "", err
	}
	st := e.cfg.Store
	key, err := e.keys.Active(ctx, st, signing.RS256)
	if err != nil {
		return "", err
	}
	stored, err := st.Document(ctx, row.SHA256)
	if err != nil {
		return "", err
	}
	credential, err := jsonld.ParseObject(stored.Body, jsonld.Limits{})
	if err != nil {
		return "", err
	}
	delete(credential, "proof") // the JWT is a proof of its own
	issuer, _ := credential["issuer"].(map[string]any)
	profile, _ := issuer["id"].(string)
	text, err := signJWT(credential, keyURL(profile, key.ID), key)
	if err != nil {
		return "", err
	}
	sha, err := st.PutDocument(ctx, mediaJWT, text)
	if err != nil {
		return "", err
	}
	return st.SetJWT(ctx, row.ID, openbadges.V30, sha)
}
