package engine_test

import (
	"strings"
	"testing"

	"badgebridge/store"
)

// An erasure is a request of the member; it takes the member's data and not the
// award.
func TestAnErasureAtTheSiteTakesNameAndAddressAndKeepsTheAward(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.give(w.ada)
	w.pull()
	a := w.award("wp")
	before, err := w.store.LinksOf(ctx, a.ID)
	must(t, err)
	if doc, err := w.store.Document(ctx, before[0].DocumentSHA); err != nil || !strings.Contains(string(doc.Body), "ada@example.org") {
		t.Fatalf("the record came as %s, %v", doc.Body, err)
	}
	must(t, w.site.EraseMember(w.ada))
	w.pull()
	if a = w.award("wp"); a.Recipient.Identity != "" || a.Recipient.GivenName != "" || a.Revoked || a.Flag != "erased" {
		t.Errorf("after the erasure it is %+v", a)
	}
	arrivals, err := w.store.ProvenanceOf(ctx, a.ID)
	must(t, err)
	for _, p := range arrivals {
		if doc, err := w.store.Document(ctx, p.DocumentSHA); err != nil || strings.Contains(string(doc.Body), "ada@") {
			t.Errorf("it is still kept: %s, %v", doc.Body, err)
		}
	}
	w.round()
	w.quiet()
}

func TestADeletedMemberFlagsTheAwardUntilTheMemberIsBack(t *testing.T) {
	w := newWorld(t)
	w.give(w.ada)
	w.pull()
	must(t, w.site.RemoveMember(w.ada))
	w.pull()
	if a := w.award("wp"); a.Revoked || a.Flag != "member-deleted" || a.Recipient.Identity != "ada@example.org" {
		t.Errorf("it is %+v", a)
	}
	flagged, err := w.store.Awards(t.Context(), store.AwardFilter{Flagged: true, Limit: 10})
	must(t, err)
	if len(flagged) != 1 {
		t.Errorf("%d awards are flagged", len(flagged))
	}
}
