package engine

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
)

// doors calls each with the remotes that write by an API of old, until it
// answers true.
func (e *Engine) doors(ctx context.Context, each func(store.Remote, adapters.Door) bool) error {
	all, err := e.cfg.Store.Remotes(ctx)
	if err != nil {
		return fmt.Errorf("doors: %w", err)
	}
	for _, r := range all {
		a, _, err := e.remote.get(r)
		if err != nil {
			e.cfg.Log.WarnContext(ctx, "a remote can't be opened", "remote", r.Name, "error", err)
			continue
		}
		if d, ok := a.(adapters.Door); ok && each(r, d) {
			return nil
		}
	}
	return nil
}

// DoorLogin exchanges the account of a door for its token. adapters.ErrUnauthorized
// when it is no door's.
func (e *Engine) DoorLogin(ctx context.Context, user, password string) (token string, err error) {
	found := false
	err = e.doors(ctx, func(_ store.Remote, d adapters.Door) bool {
		token, found = d.Login(user, password)
		return found
	})
	if err == nil && !found {
		err = fmt.Errorf("sign in at a door: %w", adapters.ErrUnauthorized)
	}
	return token, err
}

// DoorOf finds the door that a token opens. adapters.ErrUnauthorized when there
// is none, store.ErrStale when it is paused.
func (e *Engine) DoorOf(ctx context.Context, token string) (adapters.Remote, error) {
	var of store.Remote
	err := e.doors(ctx, func(r store.Remote, d adapters.Door) bool {
		if token != "" && d.Admits(token) {
			of = r
		}
		return of.Name != ""
	})
	switch {
	case err != nil:
		return "", err
	case of.Name == "":
		return "", fmt.Errorf("door: %w", adapters.ErrUnauthorized)
	case of.State != store.RemoteActive:
		return "", fmt.Errorf("door %s is %s: %w", of.Name, of.State, store.ErrStale)
	}
	return of.Name, nil
}

func (e *Engine) door(ctx context.Context, name adapters.Remote) (store.Remote, adapters.Door, error) {
	r, a, err := e.adapter(ctx, e.cfg.Store, name)
	if err != nil {
		return r, nil, err
	}
	d, ok := a.(adapters.Door)
	if !ok {
		return r, nil, store.ErrNotFound
	}
	return r, d, nil
}

// PutDoorBadge records a badge that came through a door, and returns its number
// there. number 0 is a new badge, unless one of the same name and picture is
// there already: BadgeOS forgets a number when an answer is lost.
// store.ErrNotFound for a number that was never given out.
func (e *Engine) PutDoorBadge(ctx context.Context, name adapters.Remote, number int64, form url.Values) (int64, error) {
	_, d, err := e.door(ctx, name)
	if err != nil {
		return 0, err
	}
	content, picture, err := d.ReadBadge(form)
	if err != nil {
		return 0, err
	}
	if picture != nil {
		sum := sha256.Sum256(picture)
		content.Image = &openbadges.Image{SHA256: hex.EncodeToString(sum[:]), MediaType: http.DetectContentType(picture)}
	}
	err = e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		n, err := e.doorNumber(ctx, tx, name, number, content)
		if err != nil {
			return err
		}
		number = n
		content.ID = strconv.FormatInt(n, 10)
		class, _, err := e.putClass(ctx, tx, adapters.Class{Ref: adapters.Ref(content.ID), BadgeClass: content, Issuable: true}, name, true)
		if err != nil || picture == nil {
			return err
		}
		sha, err := tx.PutDocument(ctx, content.Image.MediaType, picture)
		if err != nil || class.ImageSHA == sha {
			return err
		}
		return tx.SetVersionImage(ctx, class.VersionID, sha)
	})
	if err != nil {
		return 0, fmt.Errorf("badge from %s: %w", name, err)
	}
	return number, nil
}

// doorNumber is the number of a badge. A new one has a number made from what it
// says, so that the same badge sent twice at one moment gets one number.
func (e *Engine) doorNumber(ctx context.Context, tx store.Tx, name adapters.Remote, number int64, c openbadges.BadgeClass) (int64, error) {
	if number != 0 {
		_, err := tx.ClassByRef(ctx, name, adapters.Ref(strconv.FormatInt(number, 10)))
		return number, err
	}
	known, err := tx.Classes(ctx, name)
	if err != nil {
		return 0, err
	}
	taken := map[adapters.Ref]bool{}
	for _, k := range known {
		if taken[k.Ref] = true; k.Content.Name == c.Name && pictureOf(k.Content) == pictureOf(c) {
			return strconv.ParseInt(string(k.Ref), 10, 64)
		}
	}
	sum := sha256.Sum256([]byte(string(name) + "\n" + c.Name + "\n" + pictureOf(c)))
	// Below 2^31: BadgeOS may run where numbers are that small.
	n := int64(binary.BigEndian.Uint32(sum[:4])>>2) + 1
	for taken[adapters.Ref(strconv.FormatInt(n, 10))] {
		n++
	}
	return n, nil
}

func pictureOf(c openbadges.BadgeClass) string {
	if c.Image == nil {
		return ""
	}
	return c.Image.SHA256
}

// AwardFromDoor records an award that came through a door and returns its id.
// The same badge to the same address is the same award, however often it comes:
// the first time counts. tell says whether the member is to be mailed.
// store.ErrNotFound when there is no such badge.
func (e *Engine) AwardFromDoor(ctx context.Context, name adapters.Remote, form url.Values, tell bool) (id string, fresh bool, err error) {
	r, d, err := e.door(ctx, name)
	if err != nil {
		return "", false, err
	}
	badge, _, err := d.Recipient(form)
	if err != nil {
		return "", false, err
	}
	var got outcome
	err = e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		class, err := tx.ClassByRef(ctx, name, badge)
		if err != nil {
			return err
		}
		rec, err := d.ReadAward(form, class.Content, store.Moment(e.cfg.Now()))
		if err != nil {
			return err
		}
		// This locks the badge's row: of two clicks at one moment the second waits
		// here, and then finds what the first made.
		if _, _, err := e.takeClass(ctx, tx, name, rec.Award.BadgeClass); err != nil {
			return err
		}
		link, err := tx.Link(ctx, name, rec.Ref)
		if err == nil {
			id = link.AwardID
			return nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if got, err = e.take(ctx, tx, arrival{remote: r, live: tell}, rec); err != nil {
			return err
		}
		link, err = tx.Link(ctx, name, rec.Ref)
		id = link.AwardID
		return err
	})
	if err != nil {
		return "", false, fmt.Errorf("award from %s: %w", name, err)
	}
	for _, a := range got.awards {
		e.cfg.Changed(a)
	}
	if got.pushes > 0 {
		e.Wake()
	}
	return id, got.new > 0, nil
}

// OldLinks lists what a site still has of its link to the old Credly.
// store.ErrNotFound when the remote is none that could have one.
func (e *Engine) OldLinks(ctx context.Context, name adapters.Remote) (adapters.OldLinks, error) {
	_, a, err := e.adapter(ctx, e.cfg.Store, name)
	if err != nil {
		return adapters.OldLinks{}, err
	}
	site, ok := a.(adapters.OldLinker)
	if !ok {
		return adapters.OldLinks{}, store.ErrNotFound
	}
	call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	return site.OldLinks(call)
}
