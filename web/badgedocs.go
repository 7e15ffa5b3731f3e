package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"badgebridge/openbadges"
	v1 "badgebridge/openbadges/v1"
	v2 "badgebridge/openbadges/v2"
	"badgebridge/store"
	"badgebridge/sync/engine"
)

const (
	credentialPath = "/ob/v3/credentials/"
	jwksPath       = "/.well-known/jwks.json"
	didPath        = "/.well-known/did.json"

	mediaLD         = "application/ld+json"
	mediaJSON       = "application/json"
	mediaCredential = "application/vc+ld+json"
	mediaJWT        = "application/vc+jwt"

	// awardCache is for what a revocation ends, keyCache for what a new key has to
	// be seen in soon, profileCache for the rest that may change.
	awardCache, keyCache, profileCache, fixedCache = "public, max-age=60", "public, max-age=60", "public, max-age=300", "public, max-age=86400"
)

// load makes the document of a path ready. ".json" may follow every id, ".jwt"
// that of a credential.
func (d *documents) load(ctx context.Context, path string) (*document, error) {
	switch path {
	case jwksPath:
		body, err := d.cfg.Engine.KeySet(ctx)
		return d.made(body, err, "application/jwk-set+json", keyCache)
	case didPath:
		body, err := d.cfg.Engine.DIDDocument(ctx, "")
		return d.made(body, err, mediaJSON, keyCache)
	}
	rest, ok := strings.CutPrefix(path, "/ob/")
	if !ok || len(rest) > 160 {
		return nil, store.ErrNotFound
	}
	if issuer, ok := strings.CutPrefix(rest, "v3/issuers/"); ok && strings.Contains(issuer, "/") {
		return d.ofIssuer(ctx, issuer)
	}
	kind, id, _ := cutLast(rest)
	id, jwt := strings.CutSuffix(id, ".jwt")
	if !jwt {
		id = strings.TrimSuffix(id, ".json")
	}
	if id == "" || len(id) > 64 || jwt && kind != "v3/credentials" {
		return nil, store.ErrNotFound
	}
	switch kind {
	case "images":
		return d.image(ctx, id)
	case "status":
		body, err := d.cfg.Engine.StatusList(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("status list: %w", err)
		}
		maxAge := "public, max-age=" + strconv.Itoa(int(engine.StatusTTL.Seconds()))
		return ready(http.StatusOK, body, mediaCredential, maxAge, "", anyAward, d.until()), nil
	}
	number, what, _ := strings.Cut(kind, "/")
	v := map[string]openbadges.Version{"v1": openbadges.V11, "v2": openbadges.V20, "v3": openbadges.V30}[number]
	assertions, classes := "assertions", "badgeclasses"
	if v == openbadges.V30 {
		assertions, classes = "credentials", "achievements"
	}
	switch {
	case v == "":
	case what == assertions:
		return d.assertion(ctx, id, v, jwt)
	case what == classes:
		return d.badgeClass(ctx, id, v)
	case what == "issuers":
		body, err := d.cfg.Engine.IssuerDocument(ctx, id, v)
		cache := profileCache
		if v == openbadges.V30 {
			cache = keyCache
		}
		return d.made(body, err, mediaLD, cache)
	}
	return nil, store.ErrNotFound
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

// made is a document that is made anew when it is asked for.
func (d *documents) made(body []byte, err error, mediaType, cacheControl string) (*document, error) {
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	// A claim or a JWT may have made a key that this one lacks: they change it.
	return ready(http.StatusOK, body, mediaType, cacheControl, "", anyAward, d.until()), nil
}

// ofIssuer finds what is under an issuer's own path: "ID/did.json" and
// "ID/keys/KEY".
func (d *documents) ofIssuer(ctx context.Context, path string) (*document, error) {
	id, rest, _ := strings.Cut(path, "/")
	if rest == "did.json" {
		body, err := d.cfg.Engine.DIDDocument(ctx, id)
		if id == "" {
			err = store.ErrNotFound
		}
		return d.made(body, err, mediaJSON, keyCache)
	}
	key, ok := strings.CutPrefix(rest, "keys/")
	if !ok || id == "" {
		return nil, store.ErrNotFound
	}
	body, err := d.cfg.Engine.KeyDocument(ctx, id, strings.TrimSuffix(key, ".json"))
	return d.made(body, err, mediaJSON, keyCache)
}

func (d *documents) assertion(ctx context.Context, id string, v openbadges.Version, jwt bool) (*document, error) {
	a, award, err := d.findAssertion(ctx, id, v)
	if err != nil {
		return nil, err
	}
	if award.Revoked {
		return d.gone(ctx, id, v, award)
	}
	if jwt {
		body, err := d.cfg.Engine.CredentialJWT(ctx, id)
		if err != nil {
			return nil, err
		}
		return ready(http.StatusOK, body, mediaJWT, awardCache, "", award.ID, d.until()), nil
	}
	body, err := d.stored(ctx, a.SHA256)
	if err != nil {
		return nil, err
	}
	mediaType := mediaLD
	if v == openbadges.V30 {
		mediaType = mediaCredential
	}
	return ready(http.StatusOK, body, mediaType, awardCache, "", award.ID, d.until()), nil
}

// findAssertion gives the assertion of a claimed award. One that was claimed
// before there were documents of this version gets them now.
func (d *documents) findAssertion(ctx context.Context, id string, v openbadges.Version) (store.Assertion, store.Award, error) {
	st := d.cfg.Store
	a, err := st.Assertion(ctx, id, v)
	missing := errors.Is(err, store.ErrNotFound) && v != openbadges.V20
	if missing {
		a, err = st.Assertion(ctx, id, openbadges.V20)
	}
	if err != nil {
		return a, store.Award{}, fmt.Errorf("assertion: %w", err)
	}
	award, err := st.Award(ctx, a.AwardID)
	if err != nil {
		return a, award, fmt.Errorf("award of the assertion: %w", err)
	}
	if award.Claim != store.Claimed {
		return a, award, fmt.Errorf("not claimed: %w", store.ErrNotFound)
	}
	if missing && !award.Revoked {
		if err := d.cfg.Engine.Complete(ctx, award.ID); err != nil {
			return a, award, err
		}
		if a, err = st.Assertion(ctx, id, v); err != nil {
			return a, award, fmt.Errorf("assertion: %w", err)
		}
	}
	return a, award, nil
}

// gone is the stub of a revoked award. Open Badges 3.0 has none; ours says
// where the status list is that says the same under a signature.
func (d *documents) gone(ctx context.Context, id string, v openbadges.Version, award store.Award) (*document, error) {
	base := d.cfg.BaseURL(ctx)
	var stub []byte
	var err error
	mediaType := mediaLD
	switch v {
	case openbadges.V11:
		stub = v1.EncodeRevoked()
	case openbadges.V30:
		mediaType = mediaJSON
		var out struct {
			ID      string          `json:"id"`
			Revoked bool            `json:"revoked"`
			Reason  string          `json:"revocationReason,omitempty"`
			Status  json.RawMessage `json:"credentialStatus,omitempty"`
		}
		out.ID, out.Revoked, out.Reason = base+credentialPath+id, true, award.RevocationReason
		if out.Status, err = d.cfg.Engine.StatusEntry(ctx, award.ID); err == nil {
			stub, err = json.Marshal(out)
		}
	default:
		stub, err = v2.EncodeRevoked(base+"/ob/v2/assertions/"+id, award.RevocationReason)
	}
	if err != nil {
		return nil, fmt.Errorf("revoked assertion: %w", err)
	}
	return ready(http.StatusGone, stub, mediaType, awardCache, "", award.ID, d.until()), nil
}

func (d *documents) badgeClass(ctx context.Context, id string, v openbadges.Version) (*document, error) {
	class, err := d.cfg.Store.ClassVersion(ctx, id)
	if err == nil && class.DocumentSHA == "" {
		err = store.ErrNotFound // never published
	}
	if err != nil {
		return nil, fmt.Errorf("badge class: %w", err)
	}
	sha := class.DocumentSHA
	if v != openbadges.V20 {
		if sha, err = d.classDocument(ctx, id, v); err != nil {
			return nil, fmt.Errorf("badge class: %w", err)
		}
	}
	body, err := d.stored(ctx, sha)
	if err != nil {
		return nil, err
	}
	return ready(http.StatusOK, body, mediaLD, fixedCache, "", "", d.until()), nil
}

func (d *documents) classDocument(ctx context.Context, id string, v openbadges.Version) (sha string, err error) {
	sha, err = d.cfg.Store.ClassDocument(ctx, id, v)
	if !errors.Is(err, store.ErrNotFound) {
		return sha, err
	}
	if err := d.cfg.Engine.CompleteClass(ctx, id); err != nil {
		return "", err
	}
	return d.cfg.Store.ClassDocument(ctx, id, v)
}
