package connections

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strings"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/openbadges/bake"
	"badgebridge/store"
)

// The reasons for which a deposit is not sent at all, beside those of outbox.
const (
	NotTheirs = "not-theirs" // it is not claimed by this person any more
	Revoked   = "revoked"    // it was taken back before it was sent
	NoForm    = "no-form"    // nothing that can be sent attests it
)

// pack reads what a deposit's call needs. reason is why it is not to be sent, ""
// when it is.
func (c *Connections) pack(ctx context.Context, conn store.Connection, d store.Deposit) (in adapters.Deposit, reason string, err error) {
	award, err := c.cfg.Store.Award(ctx, d.AwardID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return in, NotTheirs, nil
	case err != nil:
		return in, "", err
	case award.PersonID != conn.PersonID || award.Claim != store.Claimed:
		return in, NotTheirs, nil
	case award.Revoked:
		return in, Revoked, nil
	}
	forms, err := c.forms(ctx, award)
	if err != nil {
		return in, "", err
	}
	if len(forms) == 0 {
		return in, NoForm, nil
	}
	return adapters.Deposit{Key: d.Key, Assertion: forms[0].Assertion, URL: forms[0].URL, Others: forms[1:]}, "", nil
}

// forms are what attests an award, best first: our own documents, what others
// attest and was verified here, or what its origin hosts.
func (c *Connections) forms(ctx context.Context, award store.Award) ([]adapters.Form, error) {
	own, err := c.cfg.Store.AssertionOf(ctx, award.ID, openbadges.V20)
	if err == nil {
		base := c.cfg.BaseURL(ctx)
		doc, err := c.cfg.Store.Document(ctx, own.SHA256)
		if err != nil {
			return nil, err
		}
		// Open Badges 1.1 for backpacks of Mozilla's time.
		return []adapters.Form{{Assertion: doc.Body, URL: base + "/ob/v2/assertions/" + own.ID}, {URL: base + "/ob/v1/assertions/" + own.ID}}, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	docs, err := c.cfg.Store.CollectedOf(ctx, award.ID)
	if err != nil {
		return nil, err
	}
	var hosted, signed, other []adapters.Form
	for _, d := range docs {
		if d.Standing == store.RevokedNow || d.Standing == store.NotGenuine || d.Standing == store.AwaitsProof {
			continue
		}
		switch {
		case d.Verification == "hosted" && isWeb(d.Locator):
			hosted = append(hosted, adapters.Form{URL: d.Locator})
		case d.Verification == "hosted":
		default:
			compact, err := c.compact(ctx, d)
			if err != nil {
				return nil, err
			}
			if compact != nil {
				signed = append(signed, adapters.Form{Assertion: compact})
			} else if isWeb(d.Locator) {
				other = append(other, adapters.Form{URL: d.Locator})
			}
		}
	}
	out := append(append(hosted, signed...), other...)
	if len(out) == 0 && isWeb(award.AssertionURL) {
		out = append(out, adapters.Form{URL: award.AssertionURL})
	}
	return out, nil
}

// compact is the JWS or JWT that a collected badge came as, nil when it came as
// something else.
func (c *Connections) compact(ctx context.Context, d store.Collected) ([]byte, error) {
	for _, sha := range []string{d.OriginalSHA, d.DocumentSHA} {
		if sha == "" {
			continue
		}
		doc, err := c.cfg.Store.Document(ctx, sha)
		if err != nil {
			return nil, err
		}
		body := doc.Body
		if bake.Detect(body) != "" {
			p, err := bake.Unbake(body)
			if err != nil {
				continue
			}
			body = p.Text
		}
		if body = bytes.TrimSpace(body); bytes.HasPrefix(body, []byte("eyJ")) && bytes.Count(body, []byte(".")) == 2 {
			return body, nil
		}
	}
	return nil, nil
}

func isWeb(s string) bool { return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") }

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
