package sitecontract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

func setBody(r *http.Request, v any) {
	body, _ := json.Marshal(v)
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.GetBody = nil
}

func post(in grant) call { return call{method: "POST", path: "/awards", body: in} }

func (s *suite) grantTwice(t *testing.T) {
	badgeID, memberID, email := s.fresh(t)
	before := s.now(t)
	in := grant{Key: random(52), BadgeID: badgeID, Email: email, IssuedOn: "2023-11-05T05:30:00Z", PageURL: "https://gateway.example.org/b/demo"}
	var first, second, byKey award
	s.want(t, post(in), http.StatusCreated, &first)
	s.want(t, post(in), http.StatusOK, &second)
	s.get(t, "/awards/by-key/"+in.Key, nil, &byKey)
	if first.EntryID != second.EntryID || first.EntryID != byKey.EntryID || first.Version != byKey.Version {
		t.Errorf("three answers: %+v, %+v, %+v", first, second, byKey)
	}
	if first.Key != in.Key || first.Badge.ID != badgeID || first.Member == nil || first.Member.ID != memberID {
		t.Errorf("granted %+v", first)
	}
	// The hour that clocks in New York show twice is a hard one to keep.
	if got := first.IssuedOn.UTC().Format(time.RFC3339); got != in.IssuedOn {
		t.Errorf("issued on %s, not %s", got, in.IssuedOn)
	}
	if n := s.count(t, badgeID); n != 1 {
		t.Errorf("%d awards of the badge", n)
	}
	changes, _ := s.changes(t, before, 0)
	if of := about(changes, first.EntryID); len(of) != 1 || of[0].Kind != "granted" || of[0].Fingerprint != first.Fingerprint || of[0].Award == nil || of[0].Award.Key != in.Key {
		t.Errorf("the feed says %+v", of)
	}
	// An address is the same in capitals, and the key still counts.
	in.Email = "MEMBER" + email[len("member"):]
	s.want(t, post(in), http.StatusOK, &second)
	if second.EntryID != first.EntryID {
		t.Errorf("another award: %+v", second)
	}
}

// count gives how many awards of a badge there are.
func (s *suite) count(t *testing.T, badgeID int64) (n int) {
	t.Helper()
	all, _ := s.list(t, 500)
	for _, a := range all {
		if a.Badge.ID == badgeID {
			n++
		}
	}
	return n
}

func (s *suite) grantAtOnce(t *testing.T) {
	badgeID, _, email := s.fresh(t)
	in := grant{Key: random(52), BadgeID: badgeID, Email: email, IssuedOn: "2024-01-02T03:04:05Z"}
	answers := make([]answer, 4)
	errs := make([]error, len(answers))
	var group sync.WaitGroup
	for i := range answers {
		group.Add(1)
		go func() {
			defer group.Done()
			answers[i], errs[i] = s.send(post(in))
		}()
	}
	group.Wait()
	created := 0
	for i, a := range answers {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if err := s.conforms(post(in), a); err != nil {
			t.Error(err)
		}
		if a.status == http.StatusCreated {
			created++
		}
	}
	if created != 1 {
		t.Errorf("%d of %d calls say that they awarded", created, len(answers))
	}
	if n := s.count(t, badgeID); n != 1 {
		t.Errorf("%d awards of the badge", n)
	}
}

func (s *suite) grantTwoMembers(t *testing.T) {
	badgeID, first, email := s.fresh(t)
	_, second, other := s.fresh(t)
	for member, address := range map[int64]string{first: email, second: other} {
		var a award
		s.want(t, post(grant{Key: random(52), BadgeID: badgeID, Email: address, IssuedOn: "2024-01-02T03:04:05Z"}), http.StatusCreated, &a)
		if a.Member == nil || a.Member.ID != member {
			t.Errorf("awarded to %+v, not to member %d", a.Member, member)
		}
	}
	if n := s.count(t, badgeID); n != 2 {
		t.Errorf("%d awards of the badge", n)
	}
}

func (s *suite) grantRefused(t *testing.T) {
	badgeID, _, email := s.fresh(t)
	good := grant{Key: random(52), BadgeID: badgeID, Email: email, IssuedOn: "2024-01-02T03:04:05Z"}
	change := func(f func(*grant)) call {
		in := good
		f(&in)
		return post(in)
	}
	s.refused(t, change(func(g *grant) { g.Email = "nobody-" + random(8) + "@example.org" }), http.StatusNotFound, "no_such_member")
	s.refused(t, change(func(g *grant) { g.BadgeID = 987654321 }), http.StatusNotFound, "no_such_badge")
	s.refused(t, change(func(g *grant) { g.Key = "short" }), http.StatusUnprocessableEntity, "invalid")
	s.refused(t, change(func(g *grant) { g.IssuedOn = "yesterday" }), http.StatusUnprocessableEntity, "invalid")
	s.refused(t, change(func(g *grant) { g.IssuedOn = "2024-02-30T03:04:05Z" }), http.StatusUnprocessableEntity, "invalid")
	s.refused(t, call{method: "POST", path: "/awards", body: []string{"no grant"}}, http.StatusUnprocessableEntity, "invalid")
	s.refused(t, call{method: "GET", path: "/awards/by-key/" + good.Key}, http.StatusNotFound, "not_found")
	// Nothing of that used the key up.
	s.want(t, post(good), http.StatusCreated, nil)
}

func (s *suite) grantAfterRevoke(t *testing.T) {
	badgeID, _, email := s.fresh(t)
	in := grant{Key: random(52), BadgeID: badgeID, Email: email, IssuedOn: "2024-01-02T03:04:05Z"}
	var a award
	s.want(t, post(in), http.StatusCreated, &a)
	s.want(t, revoke(a.EntryID, a.Fingerprint), http.StatusOK, nil)
	s.refused(t, post(in), http.StatusConflict, "revoked")
	if n := s.count(t, badgeID); n != 0 {
		t.Errorf("%d awards of the badge", n)
	}
	// A new key is a new decision.
	in.Key = random(52)
	var b award
	s.want(t, post(in), http.StatusCreated, &b)
	if b.EntryID == a.EntryID {
		t.Error("the entry id was used again")
	}
}

func (s *suite) revokeTwice(t *testing.T) {
	badgeID, memberID, _ := s.fresh(t)
	id := s.Control.AwardBadge(t, badgeID, memberID)
	other := s.Control.AwardBadge(t, badgeID, memberID)
	a := s.entry(t, id)
	before := s.now(t)
	for range 2 {
		var got struct {
			Revoked bool `json:"revoked"`
		}
		s.want(t, revoke(id, a.Fingerprint), http.StatusOK, &got)
		if !got.Revoked {
			t.Error("revoked: false")
		}
	}
	s.refused(t, call{method: "GET", path: "/awards/" + strconv.FormatInt(id, 10)}, http.StatusNotFound, "not_found")
	all, _ := s.list(t, 500)
	if _, there := all[id]; there {
		t.Error("it is still listed")
	}
	if _, there := all[other]; !there {
		t.Error("the member's other award of the badge is gone too")
	}
	changes, _ := s.changes(t, before, 0)
	of := about(changes, id)
	if len(of) != 1 || of[0].Kind != "revoked" || of[0].Award != nil || of[0].Reason != "awarded in error" || of[0].Fingerprint != a.Fingerprint {
		t.Errorf("the feed says %+v", of)
	}
}

func (s *suite) revokeAnother(t *testing.T) {
	badgeID, memberID, _ := s.fresh(t)
	id := s.Control.AwardBadge(t, badgeID, memberID)
	s.refused(t, revoke(id, "0123456789abcdef"), http.StatusConflict, "another_award")
	s.refused(t, revoke(id, "nonsense"), http.StatusUnprocessableEntity, "invalid")
	s.refused(t, revoke(2000000000, "0123456789abcdef"), http.StatusNotFound, "not_found")
	s.entry(t, id)
}

func (s *suite) tombstone(t *testing.T) {
	badgeID, memberID, _ := s.fresh(t)
	id := s.Control.AwardBadge(t, badgeID, memberID)
	a := s.entry(t, id)
	before := s.now(t)
	s.Control.RevokeAward(t, id)
	changes, _ := s.changes(t, before, 0)
	of := about(changes, id)
	if len(of) != 1 || of[0].Kind != "revoked" || of[0].Award != nil || of[0].Fingerprint != a.Fingerprint {
		t.Errorf("the feed says %+v", of)
	}
	// Who comes late still learns it: the grant's own entry has no award any more.
	all, _ := s.changes(t, "", 500)
	for _, c := range about(all, id) {
		if c.Award != nil {
			t.Errorf("the feed still gives the award in %+v", c)
		}
	}
	s.want(t, revoke(id, a.Fingerprint), http.StatusOK, nil)
}

func (s *suite) silentDelete(t *testing.T) {
	badgeID, memberID, _ := s.fresh(t)
	id := s.Control.AwardBadge(t, badgeID, memberID)
	kept := s.Control.AwardBadge(t, badgeID, memberID)
	before := s.now(t)
	s.Control.DeleteSilently(t, id)
	all, _ := s.list(t, 500)
	if _, there := all[id]; there {
		t.Error("it is listed")
	}
	if _, there := all[kept]; !there {
		t.Error("the other one is not listed")
	}
	changes, _ := s.changes(t, before, 0)
	for _, c := range about(changes, id) {
		if c.Kind == "revoked" {
			t.Errorf("the feed says %+v, though nobody revoked it", c)
		}
	}
}

func (s *suite) memberGone(t *testing.T) {
	badgeID, memberID, _ := s.fresh(t)
	id := s.Control.AwardBadge(t, badgeID, memberID)
	a := s.entry(t, id)
	before := s.now(t)
	s.Control.RemoveMember(t, memberID)
	if s.ForgetsAwards {
		changes, _ := s.changes(t, before, 0)
		if of := about(changes, id); len(of) != 1 || of[0].Kind != "deleted" || of[0].Cause != "user_deleted" || of[0].Fingerprint != a.Fingerprint {
			t.Errorf("the feed says %+v", of)
		}
		return
	}
	gone := s.entry(t, id)
	if gone.Member != nil || gone.Fingerprint != a.Fingerprint || gone.Version == a.Version {
		t.Errorf("before %+v, after %+v", a, gone)
	}
}

func (s *suite) erased(t *testing.T) {
	badgeID, memberID, email := s.fresh(t)
	id := s.Control.AwardBadge(t, badgeID, memberID)
	a, before := s.entry(t, id), s.now(t)
	s.Control.EraseMember(t, memberID, email)
	changes, _ := s.changes(t, before, 0)
	of := about(changes, id)
	if s.ForgetsAwards {
		if len(of) != 1 || of[0].Kind != "deleted" || of[0].Cause != "erased" || of[0].Award != nil || of[0].Fingerprint != a.Fingerprint {
			t.Errorf("the feed says %+v", of)
		}
		if all, _ := s.list(t, 500); all[id].EntryID == id {
			t.Error("it is still listed")
		}
		return
	}
	if len(of) != 1 || of[0].Kind != "updated" || of[0].Award == nil || !of[0].Award.Erased || of[0].Award.Member != nil {
		t.Fatalf("the feed says %+v", of)
	}
	all, _ := s.list(t, 500)
	if listed := all[id]; listed.Member != nil || !listed.Erased || listed.Fingerprint != a.Fingerprint || listed.Version == a.Version {
		t.Errorf("it is listed as %+v", listed)
	}
	if body := s.do(t, call{method: "GET", path: "/awards/" + strconv.FormatInt(id, 10)}).body; bytes.Contains(body, []byte(email)) {
		t.Errorf("the award still names the member: %s", body)
	}
}

func (s *suite) addressChanged(t *testing.T) {
	badgeID, memberID, _ := s.fresh(t)
	id := s.Control.AwardBadge(t, badgeID, memberID)
	a := s.entry(t, id)
	before := s.now(t)
	email := "moved-" + random(8) + "@example.org"
	s.Control.SetEmail(t, memberID, email)
	changes, _ := s.changes(t, before, 0)
	of := about(changes, id)
	if len(of) != 1 || of[0].Kind != "updated" || of[0].Fingerprint != a.Fingerprint || of[0].Award == nil {
		t.Fatalf("the feed says %+v", of)
	}
	if now := of[0].Award; now.Member == nil || now.Member.Email != email || now.Version == a.Version {
		t.Errorf("before %+v, after %+v", a, now)
	}
}

func (s *suite) restored(t *testing.T) {
	badgeID, memberID, _ := s.fresh(t)
	kept := s.Control.AwardBadge(t, badgeID, memberID)
	old := s.now(t)
	restore := s.Control.Snapshot(t)
	lost := s.Control.AwardBadge(t, badgeID, memberID)
	was := s.entry(t, lost)
	newer := s.now(t)
	restore(t)
	gone := func(what string) {
		t.Helper()
		s.refused(t, call{method: "GET", path: "/awards/changes", query: page(newer, 0)}, http.StatusGone, "cursor_gone")
		_ = what
	}
	gone("after the restore")
	if changes, _ := s.changes(t, old, 0); len(changes) != 0 {
		t.Errorf("from the older cursor: %+v", changes)
	}
	// The numbers are used again, for other awards.
	other := s.Control.AddMember(t, "other-"+random(8)+"@example.org", "Other", "Demo")
	again := s.Control.AwardBadge(t, badgeID, other)
	gone("when the feed has grown past it")
	all, from := s.list(t, 500)
	if _, there := all[kept]; !there {
		t.Error("what was in the backup is not listed")
	}
	if again == lost && all[again].Fingerprint == was.Fingerprint {
		t.Error("another award has the lost one's fingerprint")
	}
	if again == lost {
		s.refused(t, revoke(again, was.Fingerprint), http.StatusConflict, "another_award")
	}
	if changes, _ := s.changes(t, from, 0); len(changes) != 0 {
		t.Errorf("from changes_from: %+v", changes)
	}
}

func (s *suite) strangeCursor(t *testing.T) {
	end := s.now(t)
	for _, cursor := range []string{"nonsense", end + "0", fmt.Sprintf("x%s", end)} {
		s.refused(t, call{method: "GET", path: "/awards/changes", query: page(cursor, 0)}, http.StatusGone, "cursor_gone")
	}
}
