package wordpress

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
)

// Everything in this file is pure: no clock, no I/O. The same bytes give the
// same record for ever, so that a corrected rule can run again over kept bytes.

// normalizeAward reads one Award of the site that has this uuid.
func normalizeAward(uuid string, raw []byte) (adapters.Record, error) {
	var w wireAward
	if err := json.Unmarshal(raw, &w); err != nil {
		return adapters.Record{}, err
	}
	ref, err := makeRef(uuid, w.EntryID, w.Fingerprint)
	if err != nil {
		return adapters.Record{}, err
	}
	if w.Badge.ID <= 0 {
		return adapters.Record{}, fmt.Errorf("entry %d: it names no badge", w.EntryID)
	}
	issued, err := parseTime(w.IssuedOn)
	if err != nil {
		return adapters.Record{}, fmt.Errorf("entry %d: issued_on: %w", w.EntryID, err)
	}
	award := openbadges.Award{BadgeClass: normalizeBadge(w.Badge), IssuedOn: issued}
	if w.ExpiresOn != "" {
		if award.Expires, err = parseTime(w.ExpiresOn); err != nil {
			return adapters.Record{}, fmt.Errorf("entry %d: expires_on: %w", w.EntryID, err)
		}
	}
	// The award of a user who is gone is still an award, only nobody's: it is
	// reported, so that a copy elsewhere is not taken for vanished.
	if w.Member != nil && strings.TrimSpace(w.Member.Email) != "" {
		award.Recipient = openbadges.Recipient{
			Type:       openbadges.IdentityEmail,
			Identity:   strings.TrimSpace(w.Member.Email),
			GivenName:  strings.TrimSpace(w.Member.GivenName),
			FamilyName: strings.TrimSpace(w.Member.FamilyName),
		}
	}
	return adapters.Record{
		Ref: ref, Version: w.Version, External: adapters.Key(w.Key), Raw: raw, Award: award, Erased: w.Erased, Notice: noticeOf(w),
	}, nil
}

// noticeOf is what an award itself shows to be looked at.
func noticeOf(w wireAward) adapters.Notice {
	switch {
	case w.Erased:
		return adapters.NoticeErased
	case w.Member == nil:
		return adapters.NoticeMember
	case w.NoBadge:
		return adapters.NoticeBadge
	}
	return ""
}

// goneNotices are the causes of a deletion that have a notice of their own.
var goneNotices = map[string]adapters.Notice{
	"points": adapters.NoticePoints, "user_deleted": adapters.NoticeMember, "badge_deleted": adapters.NoticeBadge, "erased": adapters.NoticeErased,
}

// normalizeBadge maps a site's badge. The id is the badge's Ref at the site. Its
// issuer is the association; a badge does not repeat it.
func normalizeBadge(w wireBadge) openbadges.BadgeClass {
	class := openbadges.BadgeClass{
		ID:          strconv.FormatInt(w.ID, 10),
		Version:     w.Version,
		Name:        strings.TrimSpace(w.Title),
		Description: strings.TrimSpace(w.Description),
		Criteria:    openbadges.Criteria{ID: w.CriteriaURL, Narrative: strings.TrimSpace(w.Criteria)},
	}
	if w.ImageURL != "" {
		class.Image = &openbadges.Image{ID: w.ImageURL}
	}
	return class
}

// normalizeClass reads one Badge of the catalog.
func normalizeClass(raw []byte) (adapters.Class, error) {
	var w wireBadge
	if err := json.Unmarshal(raw, &w); err != nil {
		return adapters.Class{}, err
	}
	if w.ID <= 0 {
		return adapters.Class{}, errors.New("a badge has no id")
	}
	class := normalizeBadge(w)
	return adapters.Class{
		Ref: adapters.Ref(class.ID), Version: w.Version, Raw: raw, BadgeClass: class,
		Issuable: w.State == "published", State: w.State,
	}, nil
}

// normalizeChange reads one Change. ok is false for an award that was granted or
// changed and is gone since: its tombstone follows later in the same feed.
func normalizeChange(uuid string, raw []byte) (r adapters.Record, ok bool, err error) {
	var w wireChange
	if err := json.Unmarshal(raw, &w); err != nil {
		return r, false, err
	}
	gone := adapters.GoneKind("")
	switch w.Kind {
	case "revoked":
		gone = adapters.GoneRevoked
	case "deleted":
		gone = adapters.GoneDeleted
	case "granted", "updated":
		if len(w.Award) == 0 || string(w.Award) == "null" {
			return r, false, nil
		}
		// The award's own bytes, so that a listing and the feed give one and the
		// same document.
		r, err = normalizeAward(uuid, w.Award)
		return r, err == nil, err
	default:
		return r, false, fmt.Errorf("change %d: its kind %.40q is none that this contract knows", w.Seq, w.Kind)
	}
	at, err := parseTime(w.At)
	if err != nil {
		return r, false, fmt.Errorf("change %d: at: %w", w.Seq, err)
	}
	ref, err := makeRef(uuid, w.EntryID, w.Fingerprint)
	if err != nil {
		return r, false, fmt.Errorf("change %d: %w", w.Seq, err)
	}
	return adapters.Record{
		Ref: ref, Raw: raw, Erased: gone == adapters.GoneDeleted && w.Cause == "erased", Gone: &adapters.Tombstone{Kind: gone, At: at, Reason: strings.TrimSpace(w.Reason), Notice: goneNotices[w.Cause]},
	}, true, nil
}

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%.40q is no RFC 3339 time", s)
	}
	if year := t.UTC().Year(); year < 1 || year > 9999 { // what RFC 3339 can write again
		return time.Time{}, fmt.Errorf("%.40q is out of range", s)
	}
	return t.UTC(), nil
}

// A Ref is "uuid/entry/fingerprint": sites count entries from one and a restored
// backup counts them again, so that only the three together name one award.

func makeRef(uuid string, entry int64, fingerprint string) (adapters.Ref, error) {
	if entry <= 0 {
		return "", errors.New("an award has no entry id")
	}
	if !fingerprintForm(fingerprint) {
		return "", fmt.Errorf("entry %d: its fingerprint is not 16 hex digits", entry)
	}
	return adapters.Ref(uuid + "/" + strconv.FormatInt(entry, 10) + "/" + fingerprint), nil
}

func splitRef(r adapters.Ref) (uuid string, entry int64, fingerprint string, err error) {
	parts := strings.Split(string(r), "/")
	if len(parts) == 3 && fingerprintForm(parts[2]) {
		if entry, err = strconv.ParseInt(parts[1], 10, 64); err == nil && entry > 0 {
			return parts[0], entry, parts[2], nil
		}
	}
	return "", 0, "", fmt.Errorf("%.80q is no reference of a site's award", string(r))
}

func fingerprintForm(s string) bool {
	if len(s) != 16 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
