package adaptertest

import (
	"bytes"
	"image"
	"image/png"
	"testing"

	"badgebridge/adapters"
	"badgebridge/openbadges"
)

func runCatalogWriter(t *testing.T, s Suite) {
	draft := func(name string) adapters.ClassDraft {
		var picture bytes.Buffer
		if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 60, 60))); err != nil {
			t.Fatal(err)
		}
		return adapters.ClassDraft{
			Key: "KEY-OF-A-BADGE-0123456789", Image: picture.Bytes(), LinkURL: "https://badges.example.org/origin",
			BadgeClass: openbadges.BadgeClass{Name: name, Description: "What it is.", Criteria: openbadges.Criteria{Narrative: "What it takes."}},
		}
	}
	count := func(t *testing.T, st *stand) int {
		n, from := 0, adapters.Cursor("")
		for {
			p, err := st.adapter.(adapters.Catalog).BadgeClasses(newContext(t), from)
			if err != nil {
				t.Fatalf("BadgeClasses: %v", err)
			}
			if n += len(p.Classes); !p.More {
				return n
			}
			from = p.Next
		}
	}
	t.Run("a badge put twice with one key is one, and what is left out stays", func(t *testing.T) {
		st := newStand(t, s)
		writer, before := st.adapter.(adapters.CatalogWriter), count(t, st)
		first, err := writer.PutBadgeClass(newContext(t), draft("First name"))
		if err != nil || first.Ref == "" || !first.Issuable {
			t.Fatalf("PutBadgeClass = %+v, %v", first, err)
		}
		second, err := writer.PutBadgeClass(newContext(t), adapters.ClassDraft{Key: draft("").Key, BadgeClass: openbadges.BadgeClass{Name: "Second name"}})
		if err != nil {
			t.Fatalf("the second call: %v", err)
		}
		if got := second.BadgeClass; second.Ref != first.Ref || got.Name != "Second name" || got.Description != "What it is." ||
			got.Criteria.Narrative != "What it takes." || got.Image == nil || got.Image.ID != first.BadgeClass.Image.ID {
			t.Errorf("from %+v came %+v", first, second)
		}
		if n := count(t, st) - before; n != 1 {
			t.Errorf("%d badges were made", n)
		}
	})
	t.Run("a badge whose answer was lost is made once", func(t *testing.T) {
		st := newStand(t, s)
		writer, before := st.adapter.(adapters.CatalogWriter), count(t, st)
		st.proxy.Inject(Fault{Kind: DropAfter, Times: 1, Match: Writes})
		if _, err := writer.PutBadgeClass(newContext(t), draft("Name")); !adapters.IsAmbiguous(err) {
			t.Errorf("PutBadgeClass with a lost answer = %v, want an ambiguous error", err)
		}
		st.proxy.Clear()
		if _, err := writer.PutBadgeClass(newContext(t), draft("Name")); err != nil {
			t.Fatalf("the second call: %v", err)
		}
		if n := count(t, st) - before; n != 1 {
			t.Errorf("%d badges were made", n)
		}
	})
}
