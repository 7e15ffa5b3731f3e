package archive

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/bake"
	"badgebridge/store"
)

const pageOfAwards = 200

// Write writes all that the person has into w, as it goes: it never holds more than
// one document. An error may leave half a file in w; a whole one ends with its
// manifest. store.ErrNotFound when there is no such person.
func (a *Archive) Write(ctx context.Context, w io.Writer, personID string) error {
	p, err := a.cfg.Store.Person(ctx, personID)
	if err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	z := &writer{zip: zip.NewWriter(w), now: a.cfg.Now().UTC().Truncate(time.Second), seen: map[string]bool{}}
	for _, part := range []func(context.Context, *writer, store.Person) error{a.writeAccount, a.writeBadges, a.writeCollections} {
		if err := part(ctx, z, p); err != nil {
			return fmt.Errorf("write archive: %w", err)
		}
	}
	if err := z.finish(a.cfg.BaseURL(ctx)); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	return nil
}

// writer adds files and remembers what they are.
type writer struct {
	zip   *zip.Writer
	now   time.Time
	files []File
	seen  map[string]bool
}

func (z *writer) add(path, mediaType string, body []byte) error {
	method := zip.Deflate
	if strings.HasPrefix(mediaType, "image/png") {
		method = zip.Store
	}
	f, err := z.zip.CreateHeader(&zip.FileHeader{Name: path, Method: method, Modified: z.now})
	if err != nil {
		return err
	}
	if _, err := f.Write(body); err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	z.seen[path] = true
	z.files = append(z.files, File{Path: path, MediaType: mediaType, Size: int64(len(body)), SHA256: hex.EncodeToString(sum[:])})
	return z.zip.Flush() // to whoever waits for it
}

func (z *writer) addJSON(path string, v any) error {
	body, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return z.add(path, "application/json", append(body, '\n'))
}

func (z *writer) finish(gateway string) error {
	body, err := json.MarshalIndent(Manifest{Format: Format, Version: Version, MadeAt: z.now, Gateway: gateway, Files: z.files}, "", " ")
	if err != nil {
		return err
	}
	f, err := z.zip.CreateHeader(&zip.FileHeader{Name: manifestName, Method: zip.Deflate, Modified: z.now})
	if err != nil {
		return err
	}
	if _, err := f.Write(append(body, '\n')); err != nil {
		return err
	}
	return z.zip.Close()
}

func (a *Archive) writeAccount(ctx context.Context, z *writer, p store.Person) error {
	out := Account{GivenName: p.GivenName, FamilyName: p.FamilyName, MadeAt: p.CreatedAt, Addresses: []string{}, SignIns: []string{},
		NoLetters: []string{}, Permissions: []Permission{}, Connections: []Connection{}}
	st := a.cfg.Store
	ids, err := st.IdentifiersOf(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		out.Addresses = append(out.Addresses, id.Value)
	}
	ways, err := st.SignInsOf(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, s := range ways {
		out.SignIns = append(out.SignIns, s.Issuer)
	}
	refused, err := st.Refusals(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, kind := range refused {
		out.NoLetters = append(out.NoLetters, string(kind))
	}
	profile, err := st.Profile(ctx, p.ID)
	if err != nil {
		return err
	}
	out.Profile = Profile{profile.Handle, profile.About, profile.Link, profile.ShowName, profile.Visibility}
	grants, err := st.GrantsOf(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, g := range grants {
		out.Permissions = append(out.Permissions, Permission{g.Origin, g.Scopes, g.CreatedAt})
	}
	connections, err := st.ConnectionsOf(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, c := range connections {
		out.Connections = append(out.Connections, Connection{c.Title, c.Kind, c.Auto, c.CreatedAt})
	}
	return z.addJSON(accountName, out)
}

func (a *Archive) writeBadges(ctx context.Context, z *writer, p store.Person) error {
	badges := []Badge{}
	for after := ""; ; {
		list, err := a.cfg.Store.Awards(ctx, store.AwardFilter{PersonID: p.ID, After: after, Limit: pageOfAwards})
		if err != nil {
			return err
		}
		for _, award := range list {
			b, err := a.writeBadge(ctx, z, award)
			if err != nil {
				return fmt.Errorf("badge %s: %w", award.ID, err)
			}
			badges = append(badges, b)
		}
		if len(list) < pageOfAwards {
			break
		}
		after = list[len(list)-1].ID
	}
	waiting, err := a.cfg.Store.CollectedWaiting(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, c := range waiting {
		b := Badge{ID: c.ID, Origin: string(store.BackpackOrigin), Claim: store.Offered, Visibility: store.Private, Documents: []Document{}}
		if err := a.writeCollected(ctx, z, &b, c, 0, nil); err != nil {
			return fmt.Errorf("waiting badge %s: %w", c.ID, err)
		}
		badges = append(badges, b)
	}
	return z.addJSON(badgesName, badges)
}

func (a *Archive) writeBadge(ctx context.Context, z *writer, award store.Award) (Badge, error) {
	b := Badge{
		ID: award.ID, Origin: string(award.Origin), Claim: award.Claim, Visibility: award.Visibility, IssuedOn: award.IssuedOn,
		Expires: award.Expires, Revoked: award.Revoked, Reason: award.RevocationReason, Narrative: award.Narrative, Evidence: award.Evidence,
		PageURL: award.PageURL, Documents: []Document{},
	}
	version, err := a.cfg.Store.ClassVersion(ctx, award.ClassVersionID)
	if err != nil {
		return b, err
	}
	b.Name, b.Issuer = version.Content.Name, version.Content.Issuer.Name
	var picture []byte
	if version.ImageSHA != "" {
		doc, err := a.document(ctx, version.ImageSHA)
		if err != nil {
			return b, err
		}
		if len(doc.Body) > 0 {
			picture, b.Image = doc.Body, "badges/"+award.ID+"/image"+ending(doc.MediaType)
			if err := z.add(b.Image, doc.MediaType, doc.Body); err != nil {
				return b, err
			}
		}
	}
	if err := a.writeIssued(ctx, z, &b, award, picture); err != nil {
		return b, err
	}
	collected, err := a.cfg.Store.CollectedOf(ctx, award.ID)
	if err != nil {
		return b, err
	}
	for i, c := range collected {
		if c.PersonID != award.PersonID {
			continue
		}
		if err := a.writeCollected(ctx, z, &b, c, i, picture); err != nil {
			return b, err
		}
	}
	return b, nil
}

// document reads bytes; those that are gone or were erased are none.
func (a *Archive) document(ctx context.Context, sha string) (store.Document, error) {
	doc, err := a.cfg.Store.Document(ctx, sha)
	if errors.Is(err, store.ErrNotFound) || err == nil && doc.MediaType == store.ErasedDocument {
		return store.Document{}, nil
	}
	return doc, err
}

// writeIssued writes what the gateway itself issued.
func (a *Archive) writeIssued(ctx context.Context, z *writer, b *Badge, award store.Award, picture []byte) error {
	for _, v := range []openbadges.Version{openbadges.V11, openbadges.V20, openbadges.V30} {
		row, err := a.cfg.Store.AssertionOf(ctx, award.ID, v)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		doc, err := a.document(ctx, row.SHA256)
		if err != nil {
			return err
		}
		at := "badges/" + award.ID + "/issued-" + string(v)
		if err := z.addDocument(b, Document{Kind: "issued", Path: at + ".json", Version: string(v)}, "application/ld+json", doc.Body); err != nil {
			return err
		}
		if row.JWTSHA != "" {
			jwt, err := a.document(ctx, row.JWTSHA)
			if err != nil {
				return err
			}
			if err := z.addDocument(b, Document{Kind: "issued", Path: at + ".jwt", Version: string(v)}, "text/plain", jwt.Body); err != nil {
				return err
			}
		}
		if v != openbadges.V11 && !award.Revoked {
			if err := z.addBaked(b, at, string(v), picture, doc.Body); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeCollected writes what somebody gave, and what its address answered.
func (a *Archive) writeCollected(ctx context.Context, z *writer, b *Badge, c store.Collected, i int, picture []byte) error {
	at := "badges/" + b.ID + "/" + strconv.Itoa(i+1)
	d := Document{Version: c.Version, Locator: c.Locator, Standing: c.Standing, GenuineAt: c.GenuineAt, Source: c.Source}
	carried := false // a picture already carries it
	var text []byte
	for _, part := range []struct{ kind, sha string }{{"original", c.OriginalSHA}, {"hosted", c.DocumentSHA}} {
		if part.sha == "" || part.kind == "hosted" && part.sha == c.OriginalSHA {
			continue
		}
		doc, err := a.document(ctx, part.sha)
		if err != nil {
			return err
		}
		d.Kind, d.Path = part.kind, at+"-"+part.kind+ending(doc.MediaType)
		if err := z.addDocument(b, d, doc.MediaType, doc.Body); err != nil {
			return err
		}
		if bake.Detect(doc.Body) != "" {
			carried = true
		} else if text == nil {
			text = doc.Body
		}
	}
	if carried || text == nil {
		return nil
	}
	return z.addBaked(b, at, c.Version, picture, text)
}

func (z *writer) addDocument(b *Badge, d Document, mediaType string, body []byte) error {
	if len(body) == 0 {
		return nil
	}
	b.Documents = append(b.Documents, d)
	return z.add(d.Path, mediaType, body)
}

// addBaked adds the picture with the document in it, where it can carry one.
func (z *writer) addBaked(b *Badge, at, version string, picture, text []byte) error {
	format := bake.Detect(picture)
	if format == "" || len(text) == 0 {
		return nil
	}
	kind := bake.OpenBadges
	if strings.HasPrefix(version, "3") {
		kind = bake.Credential
	}
	baked, err := bake.Bake(picture, kind, text)
	if err != nil {
		return nil //nolint:nilerr // a picture that can't carry a badge: the document itself is there
	}
	return z.addDocument(b, Document{Kind: "baked", Path: at + "-baked" + ending(format.MediaType()), Version: version}, format.MediaType(), baked)
}

func (a *Archive) writeCollections(ctx context.Context, z *writer, p store.Person) error {
	list, err := a.cfg.Store.CollectionsOf(ctx, p.ID)
	if err != nil {
		return err
	}
	out := make([]Collection, 0, len(list))
	for _, c := range list {
		badges, err := a.cfg.Store.CollectionBadges(ctx, c.ID)
		if err != nil {
			return err
		}
		one := Collection{Name: c.Name, Story: c.Story, Cover: c.CoverID, Visibility: c.Visibility, Badges: []CollectionBadge{}}
		for _, b := range badges {
			one.Badges = append(one.Badges, CollectionBadge{b.AwardID, b.Note})
		}
		out = append(out, one)
	}
	return z.addJSON(collectionsName, out)
}

// ending is the end of a file's name for its media type.
func ending(mediaType string) string {
	switch {
	case strings.HasPrefix(mediaType, "image/png"):
		return ".png"
	case strings.HasPrefix(mediaType, "image/svg"):
		return ".svg"
	case strings.HasPrefix(mediaType, "image/jpeg"):
		return ".jpg"
	case strings.Contains(mediaType, "json"):
		return ".json"
	}
	return ".txt"
}
