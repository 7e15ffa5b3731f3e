package engine

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
)

// maxImport bounds the badges of one import.
const maxImport = 5000

// ImportWish is one badge that an admin wants.
type ImportWish struct {
	ClassID string // the badge at the remote that it comes from
	// TargetID is the badge that it is joined with; "" makes one.
	TargetID string
}

// StartImport notes an import and has it done in the background: badges of from
// are made at to (or joined with badges that are there), and mapped with a policy
// that lets nothing flow. by is the admin's person id. It is an
// adapters.ErrRejected that says what is wrong with a wish.
func (e *Engine) StartImport(ctx context.Context, from, to adapters.Remote, by string, wishes []ImportWish) (store.Import, error) {
	fail := func(words string) (store.Import, error) {
		return store.Import{}, &adapters.Error{Op: "import badges", Kind: adapters.ErrRejected, Words: words}
	}
	switch {
	case len(wishes) == 0:
		return fail("No badge was chosen.")
	case len(wishes) > maxImport:
		return fail(fmt.Sprintf("One import takes %d badges at most; choose fewer and import the rest afterwards.", maxImport))
	case from == to:
		return fail("The badges would be imported to where they come from. Choose another remote.")
	}
	_, adapter, err := e.adapter(ctx, e.cfg.Store, to)
	if err != nil {
		return store.Import{}, fmt.Errorf("import badges: %w", err)
	}
	_, writes := adapter.(adapters.CatalogWriter)
	items := make([]store.ImportItem, 0, len(wishes))
	seen := map[string]bool{}
	for _, w := range wishes {
		class, err := e.cfg.Store.Class(ctx, w.ClassID)
		if err != nil || class.Remote != from {
			return fail("One of the badges is not (or no longer) one of " + string(from) + ". Open the gallery again and choose anew.")
		}
		if seen[class.ID] {
			continue
		}
		seen[class.ID] = true
		if w.TargetID == "" && !writes {
			return fail(fmt.Sprintf("%s can't be given badges by the gateway. Join %q with a badge that is there.", to, class.Content.Name))
		}
		if w.TargetID != "" {
			if target, err := e.cfg.Store.Class(ctx, w.TargetID); err != nil || target.Remote != to {
				return fail(fmt.Sprintf("The badge that %q shall be joined with is not one of %s.", class.Content.Name, to))
			}
		}
		items = append(items, store.ImportItem{ClassID: class.ID, TargetID: w.TargetID, Warnings: Missing(class)})
	}
	imp, err := e.cfg.Store.CreateImport(ctx, store.Import{From: from, To: to, CreatedBy: by}, items)
	if err != nil {
		return imp, fmt.Errorf("import badges: %w", err)
	}
	e.Wake()
	return imp, nil
}

// Missing says what a badge lacks that consumers look for: "criteria", "issuer",
// "image", and "draft" when it can't be awarded where it comes from.
func Missing(c store.Class) []string {
	var out []string
	if c.Content.Criteria.ID == "" && strings.TrimSpace(c.Content.Criteria.Narrative) == "" {
		out = append(out, "criteria")
	}
	if c.Content.Issuer.Name == "" {
		out = append(out, "issuer")
	}
	if c.Content.Image == nil || c.Content.Image.ID == "" {
		out = append(out, "image")
	}
	if !c.Issuable {
		out = append(out, "draft")
	}
	return out
}

// importPatience is how long an import rests when the other side does not answer.
const importPatience = 20 * time.Second

// RunImport does what is left of an import, badge by badge, and returns it as it
// is then. Each badge is finished before the next is begun, and making one twice
// makes one, so that it can be ended and begun again at any moment. An import that
// another process works on gives store.ErrStale. When the other side is away the
// import stays running and is tried again later.
func (e *Engine) RunImport(ctx context.Context, id string) (store.Import, error) {
	st := e.cfg.Store
	imp, err := st.Import(ctx, id)
	if err != nil {
		return imp, fmt.Errorf("import %s: %w", id, err)
	}
	after := 0
	for {
		if ok, err := e.leaseImport(ctx, id, e.leaseFor()+e.cfg.CallTimeout); err != nil || !ok {
			return imp, errors.Join(err, fmt.Errorf("import %s has ended, or another process does it: %w", id, store.ErrStale))
		}
		items, err := st.ImportItems(ctx, id, after, 1)
		if err != nil {
			return imp, fmt.Errorf("import %s: %w", id, err)
		}
		if len(items) == 0 {
			break
		}
		item := items[0]
		after = item.Position
		if item.State != store.ItemWaiting {
			continue
		}
		err = e.importOne(ctx, imp, &item)
		if ctx.Err() != nil {
			return imp, ctx.Err() // it goes on with this badge
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, adapters.ErrUnauthorized), errors.Is(err, adapters.ErrIdentity):
			imp.State, imp.Message, imp.EndedAt = store.ImportFailed, adapters.Words(err), store.Moment(e.cfg.Now())
			if err := st.EndImport(ctx, imp); err != nil {
				return imp, fmt.Errorf("import %s: %w", id, err)
			}
			return st.Import(ctx, id)
		case adapters.Temporary(err), adapters.IsAmbiguous(err):
			item.Message = adapters.Words(err)
			if err := st.PutImportItem(ctx, item); err != nil {
				return imp, fmt.Errorf("import %s: %w", id, err)
			}
			if _, err := e.leaseImport(ctx, id, max(importPatience, adapters.RetryAfter(err))); err != nil {
				return imp, fmt.Errorf("import %s: %w", id, err)
			}
			return st.Import(ctx, id)
		}
		item.State, item.Message = store.ItemFailed, adapters.Words(err)
		if err := st.PutImportItem(ctx, item); err != nil {
			return imp, fmt.Errorf("import %s: %w", id, err)
		}
	}
	imp.State, imp.EndedAt = store.ImportDone, store.Moment(e.cfg.Now())
	if err := st.EndImport(ctx, imp); err != nil {
		return imp, fmt.Errorf("import %s: %w", id, err)
	}
	return st.Import(ctx, id)
}

func (e *Engine) leaseImport(ctx context.Context, id string, d time.Duration) (bool, error) {
	now := e.cfg.Now()
	return e.cfg.Store.LeaseImport(ctx, id, e.cfg.Owner, now, now.Add(d))
}

// ResumeImport has a failed import go on, its failed badges included.
func (e *Engine) ResumeImport(ctx context.Context, id string) error {
	if err := e.cfg.Store.ResumeImport(ctx, id); err != nil {
		return err
	}
	e.Wake()
	return nil
}

// importDue works on what is to be imported and says how long to wait.
func (e *Engine) importDue(ctx context.Context) time.Duration {
	ids, err := e.cfg.Store.DueImports(ctx, e.cfg.Now(), 1)
	if err == nil && len(ids) > 0 {
		_, err = e.RunImport(ctx, ids[0])
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrStale) {
		e.cfg.Log.Error("import stopped", "error", err)
	}
	return idle
}

// importOne makes one badge, or takes the one that was chosen, and maps it. The
// item is saved when it was done.
func (e *Engine) importOne(ctx context.Context, imp store.Import, item *store.ImportItem) error {
	class, err := e.cfg.Store.Class(ctx, item.ClassID)
	if err != nil {
		return fmt.Errorf("the badge is gone: %w", err)
	}
	item.Warnings = Missing(class)
	var target store.Class
	var key adapters.Key
	if item.TargetID != "" {
		if target, err = e.cfg.Store.Class(ctx, item.TargetID); err != nil {
			return fmt.Errorf("the badge that was chosen is gone: %w", err)
		}
	} else if done, err := e.importedBefore(ctx, imp, item); err != nil || done {
		return err
	} else if target, key, err = e.makeBadge(ctx, imp.To, &class, item); err != nil {
		return err
	}
	return e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		m, err := e.mapOff(ctx, tx, target.ID, class.ID, imp.CreatedBy)
		if err != nil {
			return err
		}
		if m.Base == "" || key != "" {
			if err := tx.SetMappingBase(ctx, m.ID, baseOf(class).String(), key); err != nil {
				return err
			}
		}
		item.TargetID, item.MappingID, item.State, item.Message = target.ID, m.ID, store.ItemDone, ""
		return tx.PutImportItem(ctx, *item)
	})
}

// importedBefore finishes an item whose badge was imported earlier: what the site
// has made of it since stays as it is.
func (e *Engine) importedBefore(ctx context.Context, imp store.Import, item *store.ImportItem) (bool, error) {
	all, err := e.cfg.Store.MappingsOf(ctx, item.ClassID)
	if err != nil {
		return false, err
	}
	for _, m := range all {
		other := m.ClassA
		if other == item.ClassID {
			other = m.ClassB
		}
		target, err := e.cfg.Store.Class(ctx, other)
		if err != nil {
			return false, err
		}
		if target.Remote == imp.To && target.State != GoneState {
			item.TargetID, item.MappingID, item.State, item.Message = target.ID, m.ID, store.ItemDone, ""
			return true, e.cfg.Store.PutImportItem(ctx, *item)
		}
	}
	return false, nil
}

// mapOff maps two badges and lets nothing flow, unless they are mapped already.
func (e *Engine) mapOff(ctx context.Context, tx store.Tx, a, b, by string) (store.Mapping, error) {
	all, err := tx.MappingsOf(ctx, a)
	if err != nil {
		return store.Mapping{}, err
	}
	if i := slices.IndexFunc(all, func(m store.Mapping) bool { return m.ClassA == b || m.ClassB == b }); i >= 0 {
		return all[i], nil
	}
	m := store.Mapping{ClassA: a, ClassB: b, CreatedBy: by}
	if err := e.checkMapping(ctx, tx, m); err != nil {
		return m, err
	}
	return tx.CreateMapping(ctx, m)
}

// makeBadge makes the badge at a remote, or finds the one that an earlier import
// made. A badge that was deleted there since is made anew: the admin asked for it.
func (e *Engine) makeBadge(ctx context.Context, to adapters.Remote, class *store.Class, item *store.ImportItem) (store.Class, adapters.Key, error) {
	_, adapter, err := e.adapter(ctx, e.cfg.Store, to)
	if err != nil {
		return store.Class{}, "", err
	}
	writer, ok := adapter.(adapters.CatalogWriter)
	if !ok {
		return store.Class{}, "", &adapters.Error{Op: "import badge", Kind: adapters.ErrRejected, Words: string(to) + " can't be given badges by the gateway."}
	}
	image, err := e.imageOf(ctx, class)
	if err != nil {
		return store.Class{}, "", err
	}
	if image == nil && !slices.Contains(item.Warnings, "image") {
		item.Warnings = append(item.Warnings, "image")
	}
	draft := adapters.ClassDraft{BadgeClass: class.Content, Image: image, LinkURL: class.PageURL}
	for generation := 1; ; generation++ {
		draft.Key = importKey(to, class.Remote, class.Ref, generation)
		call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
		made, err := writer.PutBadgeClass(call, draft)
		cancel()
		if errors.Is(err, adapters.ErrNotFound) && generation < 5 {
			continue
		}
		if err != nil {
			return store.Class{}, "", err
		}
		target, err := e.keepClass(ctx, to, made, image, class.ImageSHA)
		return target, draft.Key, err
	}
}

// keepClass records a badge as a remote gave it after it was written, with the
// image that was written to it.
func (e *Engine) keepClass(ctx context.Context, remote adapters.Remote, made adapters.Class, image []byte, imageSHA string) (store.Class, error) {
	var out store.Class
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		var err error
		if out, _, err = e.putClass(ctx, tx, made, remote, true); err != nil {
			return err
		}
		if image == nil || out.ImageSHA != "" || out.Content.Image == nil {
			return nil
		}
		out.ImageSHA = imageSHA
		return tx.SetVersionImage(ctx, out.VersionID, imageSHA)
	})
	return out, err
}

// maxImageOut bounds an image that is written to a remote.
const maxImageOut = 2 << 20

// imageOf is a badge's image as bytes that a remote takes (PNG, JPEG), fetched
// where it was not yet; nil when there is none, or none that can be had.
func (e *Engine) imageOf(ctx context.Context, class *store.Class) ([]byte, error) {
	if class.ImageSHA == "" && class.Content.Image != nil && class.Content.Image.ID != "" {
		r, err := e.cfg.Store.Remote(ctx, class.Remote)
		if err != nil {
			return nil, err
		}
		v, err := e.cfg.Store.ClassVersion(ctx, class.VersionID)
		if err != nil {
			return nil, err
		}
		if class.ImageSHA, err = e.fetchVersionImage(ctx, r, v); err != nil {
			e.cfg.Log.Warn("badge image not fetched", "remote", r.Name, "badge", class.Content.Name, "error", err)
			return nil, nil
		}
	}
	if class.ImageSHA == "" {
		return nil, nil
	}
	doc, err := e.cfg.Store.Document(ctx, class.ImageSHA)
	if err != nil {
		return nil, err
	}
	switch http.DetectContentType(doc.Body) {
	case "image/png", "image/jpeg":
		if len(doc.Body) <= maxImageOut {
			return doc.Body, nil
		}
	}
	return nil, nil
}

// importKey names the badge at to that stands for one of from, for ever.
func importKey(to, from adapters.Remote, ref adapters.Ref, generation int) adapters.Key {
	sum := sha256.Sum256(fmt.Appendf(nil, "import\x00%s\x00%s\x00%s\x00%d", to, from, ref, generation))
	return adapters.Key(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))
}

// classText is what of a badge is compared and written: its plain members.
func classText(c openbadges.BadgeClass) openbadges.BadgeClass {
	return openbadges.BadgeClass{Name: c.Name, Description: c.Description, Criteria: c.Criteria}
}
