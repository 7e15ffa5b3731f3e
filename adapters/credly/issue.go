package credly

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"badgebridge/adapters"
	"badgebridge/openbadges"
)

// stampLayout is how Credly takes times: with an explicit zone.
const stampLayout = "2006-01-02 15:04:05 -0700"

// issuance is the body of an issue. issuer_earner_id is what Find looks for.
type issuance struct {
	Email        string         `json:"recipient_email,omitempty"` // absent in a replacement
	FirstName    string         `json:"issued_to_first_name"`
	LastName     string         `json:"issued_to_last_name"`
	Template     string         `json:"badge_template_id"`
	IssuedAt     string         `json:"issued_at"`
	ExpiresAt    any            `json:"expires_at,omitempty"` // a time; false never; absent the template's default
	EarnerID     string         `json:"issuer_earner_id,omitempty"`
	Locale       string         `json:"locale,omitempty"`
	SuppressMail *bool          `json:"suppress_badge_notification_email,omitempty"`
	Evidence     []evidenceSent `json:"evidence,omitempty"`
}

// evidenceSent is one of the two kinds of evidence that are documented letter by
// letter: UrlEvidence (name, value) and IdEvidence (title).
type evidenceSent struct {
	Type        string `json:"type"`
	Name        string `json:"name,omitempty"`
	Value       string `json:"value,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
}

func refuse(op, words string) error {
	return &adapters.Error{Op: "credly: " + op, Kind: adapters.ErrRejected, Reason: adapters.ReasonInvalid, Words: words}
}

// Issue implements adapters.Issuer. Credly keeps no key of ours, so that the
// same call twice is refused as a duplicate (ErrConflict) unless the template
// allows duplicates: after a doubtful outcome ask Find.
func (a *adapter) Issue(ctx context.Context, in adapters.Issuance) (adapters.Ref, error) {
	const op = "issue"
	body, err := a.issuance(op, in)
	if err != nil {
		return "", err
	}
	ref, err := a.post(ctx, op, a.orgURL("/badges", nil), body)
	return ref, a.explain(ctx, err, in.Class)
}

// post makes a badge and returns its id.
func (a *adapter) post(ctx context.Context, op, to string, body issuance) (adapters.Ref, error) {
	res, err := a.do(ctx, op, http.MethodPost, to, body)
	if err != nil {
		return "", err
	}
	var b badge
	if err := lenient(res.Data, &b); err != nil || b.ID.String() == "" {
		return "", &adapters.Error{Op: "credly: " + op, Kind: adapters.ErrUnavailable, Ambiguous: true,
			Err: errors.New("the answer names no badge")}
	}
	return adapters.Ref(b.ID.String()), nil
}

// explain looks whether it is for the template's state that Credly refused a badge
// for good: its own words name the template's id and not what is wrong with it.
func (a *adapter) explain(ctx context.Context, err error, template adapters.Ref) error {
	var e *adapters.Error
	if !errors.As(err, &e) || !errors.Is(err, adapters.ErrRejected) && !errors.Is(err, adapters.ErrNotFound) {
		return err
	}
	class, lookErr := a.template(ctx, string(template))
	why := ""
	switch {
	case errors.Is(lookErr, adapters.ErrNotFound):
		why = "Credly does not know this template (any more). Map the badge to another one."
	case lookErr != nil || class.Issuable:
		return err
	case class.State == "archived":
		why = "The template was archived at Credly. Make it active there again, or map the badge to another one."
	case class.State == "draft":
		why = "The template is a draft at Credly. Publish it there, or map the badge to another one."
	default:
		why = "The template is " + a.clean(class.State) + " at Credly, so that it can't be issued."
	}
	said := *e
	said.Kind = adapters.ErrRejected
	said.Reason, said.Words = adapters.ReasonClosed, why
	if e.Words != "" {
		said.Words = strings.TrimRight(e.Words, ". ") + ". " + why
	}
	return &said
}

// issuance checks what Credly would refuse anyway, in words that say the cure.
func (a *adapter) issuance(op string, in adapters.Issuance) (issuance, error) {
	r := in.Recipient
	switch {
	case in.Class == "":
		return issuance{}, refuse(op, "No Credly badge template is mapped to this badge.")
	case email(r) == "" || !strings.Contains(r.Identity, "@"):
		return issuance{}, refuse(op, "Credly issues to an e-mail address, and none is known for this recipient.")
	case !r.Named():
		return issuance{}, refuse(op, "Credly asks for a first and a last name, and this recipient lacks one.")
	case in.Award.IssuedOn.IsZero():
		return issuance{}, refuse(op, "Credly asks for the day of the award, and this award has none.")
	}
	quiet := !in.Notify
	out := issuance{
		Email: email(r), FirstName: strings.TrimSpace(r.GivenName), LastName: strings.TrimSpace(r.FamilyName),
		Template: string(in.Class), IssuedAt: in.Award.IssuedOn.UTC().Format(stampLayout), EarnerID: in.EarnerKey,
		Locale: a.locale, SuppressMail: &quiet, Evidence: a.proof(in.Award.Evidence),
	}
	switch {
	case !in.Award.Expires.IsZero():
		out.ExpiresAt = in.Award.Expires.UTC().Format(stampLayout)
	case a.expiry == expiryNever:
		out.ExpiresAt = false
	}
	return out, nil
}

// proof is the evidence that goes to Credly, where everybody can see it.
func (a *adapter) proof(in []openbadges.Evidence) []evidenceSent {
	var out []evidenceSent
	for _, e := range in {
		page, name := webURL(text(e.ID)), strings.TrimSpace(e.Name)
		if name == "" {
			name = "Evidence"
		}
		description := strings.TrimSpace(e.Description)
		if description == "" {
			description = strings.TrimSpace(e.Narrative)
		}
		switch {
		case a.evidence == evidenceNone:
		case page != "":
			out = append(out, evidenceSent{Type: "UrlEvidence", Name: name, Value: page, Description: e.Description})
		case a.evidence == evidenceAll && (e.Name != "" || description != ""):
			out = append(out, evidenceSent{Type: "IdEvidence", Title: name, Description: description})
		}
	}
	return out
}

func email(r openbadges.Recipient) string {
	if r.Hashed || r.Type != openbadges.IdentityEmail {
		return ""
	}
	return strings.TrimSpace(r.Identity)
}

// Replace implements adapters.Replacer. Credly replaces a badge once; of a row of
// replacements the last counts.
func (a *adapter) Replace(ctx context.Context, r adapters.Ref, in adapters.Issuance) (adapters.Ref, error) {
	const op = "replace"
	body, err := a.issuance(op, in)
	if err != nil {
		return "", err
	}
	body.Email, body.SuppressMail, body.Locale = "", nil, "" // it knows none of these
	for range maxRow {
		b, err := a.last(ctx, r)
		if err != nil {
			return "", err
		}
		if b.Replaces != "" && says(b, body) {
			return adapters.Ref(b.ID.String()), nil // an earlier call did it
		}
		ref, err := a.post(ctx, op, a.badgeURL(adapters.Ref(b.ID.String()))+"/replace", body)
		if adapters.ReasonOf(err) != adapters.ReasonReplaced {
			return ref, a.explain(ctx, err, in.Class)
		}
		r = adapters.Ref(b.ID.String()) // somebody else was first: begin at the end again
	}
	return "", &adapters.Error{Op: "credly: " + op, Kind: adapters.ErrConflict, Reason: adapters.ReasonReplaced,
		Words: "This badge was replaced again and again at Credly."}
}

// maxRow bounds how many replacements of one badge are followed.
const maxRow = 20

func (a *adapter) badgeURL(r adapters.Ref) string {
	return a.orgURL("/badges/"+url.PathEscape(string(r)), nil)
}

// last is the badge at the end of a row of replacements.
func (a *adapter) last(ctx context.Context, r adapters.Ref) (badge, error) {
	const op = "read a badge"
	for range maxRow {
		res, err := a.do(ctx, op, http.MethodGet, a.badgeURL(r), nil)
		if err != nil {
			return badge{}, err
		}
		var b badge
		if err := lenient(res.Data, &b); err != nil || b.ID.String() == "" {
			return badge{}, a.garbled(op, errors.New("a badge without id"))
		}
		next := b.Replacement.String()
		if next == "" {
			return b, nil
		}
		r = adapters.Ref(next)
	}
	return badge{}, a.garbled(op, errors.New("the badges that replace each other have no end"))
}

// says reports whether a badge holds already what a replacement would write.
func says(b badge, in issuance) bool {
	issued := parseWhen(in.IssuedAt)
	if b.Template.ID.String() != in.Template || b.FirstName.String() != in.FirstName || b.LastName.String() != in.LastName || !b.IssuedAt.Equal(issued) {
		return false
	}
	end, _ := in.ExpiresAt.(string)
	return end == "" || b.ExpiresAt.Equal(parseWhen(end))
}

// Revoke implements adapters.Revoker. Credly asks for a reason; an empty one
// becomes a plain sentence.
func (a *adapter) Revoke(ctx context.Context, r adapters.Ref, reason string) error {
	if strings.TrimSpace(reason) == "" {
		reason = "Revoked by the issuer."
	}
	at := a.badgeURL(r)
	_, err := a.do(ctx, "revoke", http.MethodPut, at+"/revoke", map[string]string{"reason": reason})
	if !errors.Is(err, adapters.ErrRejected) && !errors.Is(err, adapters.ErrConflict) {
		return err
	}
	// How Credly refuses to revoke a revoked badge is not documented. Its words may
	// say so, which counts even where reads lag behind; else look.
	if words := strings.ToLower(adapters.Words(err)); strings.Contains(words, "already") && strings.Contains(words, "revoked") {
		return nil
	}
	res, lookErr := a.do(ctx, "look at a badge before revoking it", http.MethodGet, at, nil)
	if lookErr != nil {
		if adapters.Temporary(lookErr) {
			return lookErr
		}
		return err
	}
	var b badge
	if lenient(res.Data, &b) == nil && b.State.String() == "revoked" {
		return nil
	}
	return err
}

// Remove implements adapters.Remover: it deletes the badge at Credly, which
// needs a token that may delete. A badge that is not there is no error.
func (a *adapter) Remove(ctx context.Context, r adapters.Ref) error {
	_, err := a.do(ctx, "delete", http.MethodDelete, a.badgeURL(r), nil)
	var e *adapters.Error
	if errors.As(err, &e) {
		switch {
		case errors.Is(err, adapters.ErrNotFound):
			return nil
		case e.Status == http.StatusForbidden:
			// The token may do all else: only this push is refused.
			e.Kind = adapters.ErrRejected
			e.Err = errors.New("the token may not delete; enable that for it in Credly")
		}
	}
	return err
}
