package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"badgebridge/store"
	"badgebridge/sync/backpack"
)

// Refused is a badge that did not come back, and why.
type Refused struct {
	Name   string          `json:"name"`
	Reason backpack.Reason `json:"reason"`
	Check  string          `json:"check,omitempty"` // what verification said
}

// Progress is how far a reading is, and what became of the badges so far.
type Progress struct {
	Total       int       `json:"total"`
	Done        int       `json:"done"`
	Restored    int       `json:"restored"` // they are here now, and were not
	There       int       `json:"there"`    // they were here already
	Waiting     int       `json:"waiting"`  // they await the proof of an address
	Refused     []Refused `json:"refused"`
	Collections int       `json:"collections"` // made or completed
}

// maxRefused bounds how many refusals are told one by one.
const maxRefused = 200

// Read brings back what is in an archive. Each badge is verified as if it were
// brought for the first time; what is here already stays as it is, so that reading
// twice changes nothing. told, where not nil, hears the progress after each badge.
// ErrNoArchive, ErrTooLarge, ErrNewer and ErrDamaged mean that nothing was changed.
func (a *Archive) Read(ctx context.Context, personID string, r io.ReaderAt, size int64, told func(Progress)) (Progress, error) {
	in, err := open(r, size)
	if err != nil {
		return Progress{}, fmt.Errorf("read archive: %w", err)
	}
	var badges []Badge
	var collections []Collection
	var account Account
	for name, v := range map[string]any{badgesName: &badges, collectionsName: &collections, accountName: &account} {
		if err := in.readJSON(name, v); err != nil {
			return Progress{}, fmt.Errorf("read archive: %w", err)
		}
	}
	if len(badges) > backpack.MaxBadges || len(collections) > 1000 {
		return Progress{}, fmt.Errorf("read archive: %w", ErrTooLarge)
	}
	p := Progress{Total: len(badges), Refused: []Refused{}}
	now := map[string]string{} // id there -> award here
	for _, b := range badges {
		if err := ctx.Err(); err != nil {
			return p, err
		}
		id, err := a.readBadge(ctx, personID, in, b, &p)
		if err != nil {
			return p, fmt.Errorf("read archive: badge %q: %w", b.Name, err)
		}
		if id != "" {
			now[b.ID] = id
		}
		p.Done++
		if told != nil {
			told(p)
		}
	}
	for _, c := range collections {
		if err := a.readCollection(ctx, personID, c, now, &p); err != nil {
			return p, fmt.Errorf("read archive: collection: %w", err)
		}
	}
	if err := a.readProfile(ctx, personID, account); err != nil {
		return p, fmt.Errorf("read archive: profile: %w", err)
	}
	if told != nil {
		told(p)
	}
	return p, nil
}

// opened is an archive whose manifest was read. Files are read one at a time, into
// memory and never to disk: a name in it leads nowhere.
type opened struct {
	files    map[string]*zip.File
	manifest map[string]File
}

func open(r io.ReaderAt, size int64) (*opened, error) {
	if size > MaxSize {
		return nil, ErrTooLarge
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, ErrNoArchive
	}
	if len(z.File) > maxFiles {
		return nil, ErrTooLarge
	}
	in := &opened{files: map[string]*zip.File{}, manifest: map[string]File{}}
	var total uint64
	for _, f := range z.File {
		total += f.UncompressedSize64
		if f.UncompressedSize64 > maxIndex || total > maxTotal {
			return nil, ErrTooLarge
		}
		if !fs.ValidPath(f.Name) || in.files[f.Name] != nil || !f.Mode().IsRegular() {
			return nil, ErrNoArchive
		}
		in.files[f.Name] = f
	}
	var m Manifest
	body, err := in.bytes(manifestName, maxIndex)
	if err != nil || json.Unmarshal(body, &m) != nil || m.Format != Format {
		return nil, ErrNoArchive
	}
	if m.Version > Version {
		return nil, ErrNewer
	}
	for _, f := range m.Files {
		in.manifest[f.Path] = f
	}
	return in, nil
}

// bytes reads a file. What its header says of its size is not believed.
func (in *opened) bytes(name string, limit int64) ([]byte, error) {
	f := in.files[name]
	if f == nil {
		return nil, ErrDamaged
	}
	r, err := f.Open()
	if err != nil {
		return nil, ErrDamaged
	}
	defer func() { _ = r.Close() }()
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, ErrDamaged // its check sum, too
	}
	if int64(len(body)) > limit {
		return nil, ErrTooLarge
	}
	return body, nil
}

// file reads a file that the manifest names, and compares it with what that says.
func (in *opened) file(name string, limit int64) ([]byte, error) {
	want, ok := in.manifest[name]
	if !ok {
		return nil, ErrDamaged
	}
	body, err := in.bytes(name, limit)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != want.SHA256 {
		return nil, ErrDamaged
	}
	return body, nil
}

func (in *opened) readJSON(name string, v any) error {
	body, err := in.file(name, maxIndex)
	if err != nil {
		return err
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(v); err != nil {
		return ErrDamaged
	}
	return nil
}

// readBadge brings one badge back and gives the award that it is here, "" none.
func (a *Archive) readBadge(ctx context.Context, personID string, in *opened, b Badge, p *Progress) (string, error) {
	if id, ok, err := a.stillTheirs(ctx, personID, b, p); ok || err != nil {
		return id, err
	}
	award, refusal := "", Refused{Name: clip(b.Name), Reason: backpack.ReasonUnreadable}
	best := backpack.Refused
	for _, d := range b.Documents {
		if d.Kind == "baked" || award != "" && d.Kind == "issued" {
			continue // the same as the one it was made of
		}
		body, err := in.file(d.Path, backpack.MaxGiven)
		if errors.Is(err, ErrDamaged) || errors.Is(err, ErrTooLarge) {
			refusal.Check = err.Error()
			continue
		}
		if err != nil {
			return "", err
		}
		res, err := a.cfg.Backpack.Collect(ctx, personID, backpack.Given{Data: body, Source: "restore"})
		if err != nil {
			return "", err
		}
		if res.Fate == backpack.Refused && best == backpack.Refused {
			refusal.Reason = res.Reason
			if problems := res.Report.Problems(); len(problems) > 0 {
				refusal.Check = problems[0]
			}
		}
		if res.AwardID != "" && award == "" {
			award = res.AwardID
		}
		if better(res.Fate, best) {
			best = res.Fate
		}
	}
	switch best {
	case backpack.Kept:
		p.Restored++
		return award, a.show(ctx, personID, award, b.Visibility)
	case backpack.Known, backpack.Joined, backpack.Updated:
		p.There++
	case backpack.Awaiting:
		p.Waiting++
	default:
		if len(p.Refused) < maxRefused {
			p.Refused = append(p.Refused, refusal)
		}
	}
	return award, nil
}

// better: of what became of a badge's documents, the best counts.
func better(f, than backpack.Fate) bool {
	rank := map[backpack.Fate]int{backpack.Refused: 0, backpack.Awaiting: 1, backpack.Known: 2, backpack.Updated: 3, backpack.Joined: 4, backpack.Kept: 5}
	return rank[f] > rank[than]
}

// stillTheirs finds a badge that this gateway's association issued, and that is the
// person's by the address that they have proven: it needs no document, and where it
// was claimed it is claimed again.
func (a *Archive) stillTheirs(ctx context.Context, personID string, b Badge, p *Progress) (id string, ok bool, err error) {
	award, err := a.cfg.Store.Award(ctx, b.ID)
	if errors.Is(err, store.ErrNotFound) || err == nil && (award.PersonID != personID || award.Origin == store.BackpackOrigin) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	if award.Claim != store.Offered || b.Claim != store.Claimed || award.Revoked || award.PageURL != "" {
		p.There++
		return award.ID, true, nil
	}
	if err := a.cfg.Claim(ctx, award.ID, personID); err != nil {
		if errors.Is(err, store.ErrStale) {
			p.There++
			return award.ID, true, nil
		}
		return "", false, err
	}
	p.Restored++
	return award.ID, true, a.show(ctx, personID, award.ID, b.Visibility)
}

// show gives a badge that came back the visibility that it had.
func (a *Archive) show(ctx context.Context, personID, awardID string, v store.Visibility) error {
	if v != store.ByLink && v != store.Public {
		return nil
	}
	award, err := a.cfg.Store.Award(ctx, awardID)
	if err != nil || award.PersonID != personID || award.Visibility != store.Private {
		return err
	}
	award.Visibility = v
	_, err = a.cfg.Store.PutAward(ctx, award)
	return err
}

// readCollection makes a collection, or completes the one of that name.
func (a *Archive) readCollection(ctx context.Context, personID string, c Collection, now map[string]string, p *Progress) error {
	name := strings.TrimSpace(c.Name)
	if name == "" || len(name) > 500 || len(c.Story) > 100_000 {
		return nil
	}
	return a.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		list, err := tx.CollectionsOf(ctx, personID)
		if err != nil {
			return err
		}
		var there store.Collection
		for _, have := range list {
			if have.Name == name {
				there = have
			}
		}
		if there.ID == "" {
			v := c.Visibility
			if v != store.ByLink && v != store.Public {
				v = store.Private
			}
			there, err = tx.CreateCollection(ctx, store.Collection{PersonID: personID, Name: name, Story: c.Story, Visibility: v, CoverID: now[c.Cover], Position: len(list)})
			if err != nil {
				return err
			}
		}
		badges, err := tx.CollectionBadges(ctx, there.ID)
		if err != nil {
			return err
		}
		in := map[string]bool{}
		for _, b := range badges {
			in[b.AwardID] = true
		}
		before := len(badges)
		for _, b := range c.Badges {
			if id := now[b.Badge]; id != "" && !in[id] {
				in[id] = true
				badges = append(badges, store.CollectionBadge{CollectionID: there.ID, AwardID: id, Note: clip(b.Note)})
			}
		}
		if len(badges) == before && before > 0 {
			return nil
		}
		p.Collections++
		return tx.SetCollectionBadges(ctx, there.ID, badges)
	})
}

// readProfile fills in what the profile lacks. Handle and visibility are the
// person's to choose anew: addresses may be others' by now.
func (a *Archive) readProfile(ctx context.Context, personID string, in Account) error {
	st := a.cfg.Store
	have, err := st.Profile(ctx, personID)
	if err != nil {
		return err
	}
	was := have
	if have.About == "" && len(in.Profile.About) <= 100_000 {
		have.About = in.Profile.About
	}
	if have.Link == "" && strings.HasPrefix(in.Profile.Link, "https://") && len(in.Profile.Link) <= 2000 {
		have.Link = in.Profile.Link
	}
	if have != was {
		if err := st.PutProfile(ctx, have); err != nil {
			return err
		}
	}
	p, err := st.Person(ctx, personID)
	if err != nil || p.Name() != "" {
		return err
	}
	p.GivenName, p.FamilyName = clip(in.GivenName), clip(in.FamilyName)
	return st.PutPerson(ctx, p)
}

func clip(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 1000 {
		s = strings.ToValidUTF8(s[:1000], "")
	}
	return s
}
