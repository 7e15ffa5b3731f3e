package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
)

// Field is a part of a badge that can drift from what it was taken from.
type Field string

// The fields.
const (
	FieldName        Field = "name"
	FieldDescription Field = "description"
	FieldCriteria    Field = "criteria"
	FieldImage       Field = "image"
)

// Fields is every field, in the order in which they are shown.
func Fields() []Field { return []Field{FieldName, FieldDescription, FieldCriteria, FieldImage} }

// base is what of a badge an admin last took over, or decided to leave. It is
// kept with the mapping as JSON.
type base struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Criteria    string `json:"criteria"`
	Image       string `json:"image"` // address
	ImageSHA    string `json:"image_sha"`
}

func (b base) String() string {
	out, err := json.Marshal(b)
	if err != nil {
		return "" // not for five strings
	}
	return string(out)
}

func baseOf(c store.Class) base {
	b := base{Name: c.Content.Name, Description: c.Content.Description, Criteria: criteriaText(c.Content.Criteria), ImageSHA: c.ImageSHA}
	if c.Content.Image != nil {
		b.Image = c.Content.Image.ID
	}
	return b
}

func criteriaText(c openbadges.Criteria) string {
	return strings.TrimSpace(strings.TrimSpace(c.Narrative) + "\n\n" + c.ID)
}

func (b base) field(f Field) string {
	switch f {
	case FieldName:
		return b.Name
	case FieldDescription:
		return b.Description
	case FieldCriteria:
		return b.Criteria
	case FieldImage:
		return b.Image
	}
	return ""
}

// differs says whether a field of b is another one in now. Of images the bytes
// count where both are known.
func (b base) differs(now base, f Field) bool {
	if f == FieldImage && b.ImageSHA != "" && now.ImageSHA != "" {
		return b.ImageSHA != now.ImageSHA
	}
	return b.field(f) != now.field(f)
}

// set takes a field of now into b.
func (b *base) set(now base, f Field) {
	switch f {
	case FieldName:
		b.Name = now.Name
	case FieldDescription:
		b.Description = now.Description
	case FieldCriteria:
		b.Criteria = now.Criteria
	case FieldImage:
		b.Image, b.ImageSHA = now.Image, now.ImageSHA
	}
}

// Change is a field that drifted. Of an image the three are the digests of
// stored documents, "" where they are not here.
type Change struct {
	Field Field
	Was   string // what was last taken over or left
	Ours  string // what the badge on our side says now
	New   string // what the badge there says now
}

// Drift is how a mapping's badge at B changed since an admin last looked.
type Drift struct {
	Mapping store.Mapping
	A, B    store.Class
	Changes []Change
	// State is the remote's word when B can't be awarded any more: "archived",
	// "draft", GoneState; "" it can.
	State string
}

// GoneState is the state of a badge that its remote no longer lists.
const GoneState = "gone"

// Any says whether there is something to decide or to know.
func (d Drift) Any() bool { return len(d.Changes) > 0 || d.State != "" }

// Drift compares a mapping's badge at B with what was decided about it.
func (e *Engine) Drift(ctx context.Context, m store.Mapping) (Drift, error) {
	return drift(ctx, e.cfg.Store, m)
}

func drift(ctx context.Context, tx store.Tx, m store.Mapping) (Drift, error) {
	a, err := tx.Class(ctx, m.ClassA)
	if err != nil {
		return Drift{Mapping: m}, fmt.Errorf("drift of mapping %s: %w", m.ID, err)
	}
	b, err := tx.Class(ctx, m.ClassB)
	if err != nil {
		return Drift{Mapping: m}, fmt.Errorf("drift of mapping %s: %w", m.ID, err)
	}
	return driftOf(m, a, b)
}

func driftOf(m store.Mapping, a, b store.Class) (Drift, error) {
	d := Drift{Mapping: m, A: a, B: b}
	if !d.B.Issuable {
		d.State = d.B.State
		if d.State == "" {
			d.State = GoneState
		}
	}
	var was base
	if m.Base == "" {
		return d, nil // nothing was decided yet
	}
	if err := json.Unmarshal([]byte(m.Base), &was); err != nil {
		return d, fmt.Errorf("drift of mapping %s: %w", m.ID, err)
	}
	ours, now := baseOf(d.A), baseOf(d.B)
	for _, f := range Fields() {
		if !was.differs(now, f) {
			continue
		}
		c := Change{Field: f, Was: was.field(f), Ours: ours.field(f), New: now.field(f)}
		if f == FieldImage {
			c.Was, c.Ours, c.New = was.ImageSHA, ours.ImageSHA, now.ImageSHA
		}
		d.Changes = append(d.Changes, c)
	}
	return d, nil
}

// Drifts lists every mapping that drifted, oldest mapping first.
func (e *Engine) Drifts(ctx context.Context) ([]Drift, error) {
	all, err := e.cfg.Store.Mappings(ctx)
	if err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	classes, err := e.cfg.Store.Classes(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	known := make(map[string]store.Class, len(classes))
	for _, c := range classes {
		known[c.ID] = c
	}
	var out []Drift
	for _, m := range all {
		a, hasA := known[m.ClassA]
		b, hasB := known[m.ClassB]
		d, err := driftOf(m, a, b)
		if !hasA || !hasB { // beyond what one list holds
			d, err = e.Drift(ctx, m)
		}
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if d.Any() {
			out = append(out, d)
		}
	}
	return out, nil
}

// Resolve decides drifted fields of a mapping: those in take are written to our
// side as they are at B now, those in keep stay as they are there and are not
// asked about again until they change once more. version is B's version that the
// admin looked at: store.ErrStale when it changed since.
func (e *Engine) Resolve(ctx context.Context, mappingID, versionOfB string, take, keep []Field) error {
	st := e.cfg.Store
	m, err := st.Mapping(ctx, mappingID)
	if err != nil {
		return fmt.Errorf("resolve drift: %w", err)
	}
	d, err := e.Drift(ctx, m)
	if err != nil {
		return err
	}
	if d.B.VersionID != versionOfB {
		return fmt.Errorf("resolve drift of mapping %s: %w", mappingID, store.ErrStale)
	}
	key := m.PutKey
	if len(take) > 0 {
		if key, err = e.takeOver(ctx, m, d, take); err != nil {
			return fmt.Errorf("resolve drift: %w", err)
		}
	}
	return st.InTx(ctx, func(tx store.Tx) error {
		m, err := tx.Mapping(ctx, mappingID)
		if err != nil {
			return err
		}
		was, now := baseOf(d.B), baseOf(d.B)
		if m.Base != "" {
			if err := json.Unmarshal([]byte(m.Base), &was); err != nil {
				return err
			}
		}
		for _, f := range append(take, keep...) {
			was.set(now, f)
		}
		return tx.SetMappingBase(ctx, m.ID, was.String(), key)
	})
}

// takeOver writes fields of B to A's remote and returns the key of the badge
// there.
func (e *Engine) takeOver(ctx context.Context, m store.Mapping, d Drift, take []Field) (adapters.Key, error) {
	_, adapter, err := e.adapter(ctx, e.cfg.Store, d.A.Remote)
	if err != nil {
		return "", err
	}
	writer, ok := adapter.(adapters.CatalogWriter)
	if !ok {
		return "", &adapters.Error{Op: "change a badge", Kind: adapters.ErrRejected,
			Words: string(d.A.Remote) + " does not take changes of badges from the gateway. Change it there, then keep ours here."}
	}
	draft := adapters.ClassDraft{Key: m.PutKey}
	if draft.Key == "" { // a badge of the remote's own, which gets a key now
		draft.Key, draft.Class = adoptKey(d.A), d.A.Ref
	}
	content := classText(d.B.Content)
	imageSHA := ""
	for _, f := range take {
		switch f {
		case FieldName:
			draft.BadgeClass.Name = content.Name
		case FieldDescription:
			draft.BadgeClass.Description = content.Description
		case FieldCriteria:
			draft.BadgeClass.Criteria = content.Criteria
		case FieldImage:
			if draft.Image, err = e.imageOf(ctx, &d.B); err != nil {
				return "", err
			}
			if draft.Image == nil {
				return "", &adapters.Error{Op: "change a badge", Kind: adapters.ErrRejected,
					Words: "The new image can't be had from " + string(d.B.Remote) + ", or is no PNG or JPEG of at most 2 MiB. Keep ours, or try again later."}
			}
			imageSHA = d.B.ImageSHA
		}
	}
	call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	made, err := writer.PutBadgeClass(call, draft)
	if err != nil {
		return "", err
	}
	_, err = e.keepClass(ctx, d.A.Remote, made, draft.Image, imageSHA)
	return draft.Key, err
}

// adoptKey names a badge that its remote made itself.
func adoptKey(c store.Class) adapters.Key {
	return importKey(c.Remote, c.Remote, c.Ref, 0)
}
