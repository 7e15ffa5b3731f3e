package adaptertest

import (
	"errors"
	"testing"
	"time"

	"badgebridge/adapters"
)

func runCheck(t *testing.T, s Suite) {
	t.Run("check with the right credentials succeeds and writes nothing", func(t *testing.T) {
		st := newStand(t, s)
		h, err := st.adapter.Check(newContext(t))
		if err != nil {
			t.Fatalf("Check: %v", err)
		}
		if h.Name == "" && h.Identity == "" {
			t.Error("Check names neither the remote nor its identity")
		}
		for _, c := range st.proxy.Calls() {
			if c.Method != "GET" && c.Method != "HEAD" && c.Method != "OPTIONS" {
				t.Errorf("Check made the call %s %s", c.Method, c.URL)
			}
		}
	})
	t.Run("check with wrong credentials is ErrUnauthorized", func(t *testing.T) {
		st := newStand(t, s)
		_, err := st.Refused(t, st.url, st.hc).Check(newContext(t))
		if !errors.Is(err, adapters.ErrUnauthorized) {
			t.Fatalf("Check = %v, want ErrUnauthorized", err)
		}
		if adapters.Temporary(err) {
			t.Error("refused credentials count as temporary")
		}
	})
}

func runSource(t *testing.T, s Suite) {
	ready := func(t *testing.T) (*stand, adapters.Source) {
		st := newStand(t, s)
		need(t, "Add", st.Add != nil)
		need(t, "Change", st.Change != nil)
		return st, st.adapter.(adapters.Source)
	}
	t.Run("an empty remote lists nothing and is complete", func(t *testing.T) {
		_, src := ready(t)
		got, _ := listAll(t, src)
		if len(got) != 0 {
			t.Errorf("listed %d records of an empty remote", len(got))
		}
	})
	t.Run("a complete list names every record, over several pages", func(t *testing.T) {
		st, src := ready(t)
		want := st.add(t, st.Many)
		got, _ := listAll(t, src)
		mustHold(t, "List", got, want)
		for _, r := range got {
			wellFormed(t, r)
		}
	})
	t.Run("what is added during a listing is in the list or in the changes after it", func(t *testing.T) {
		st, src := ready(t)
		want := st.add(t, st.Many)
		got, from := map[adapters.Ref]adapters.Record{}, adapters.Cursor("")
		var changes adapters.Cursor
		for i := 0; ; i++ {
			p, err := src.List(newContext(t), from)
			if err != nil {
				t.Fatalf("List: %v", err)
			}
			keep(got, p.Records)
			changes = p.ChangesFrom
			if i == 0 {
				want = append(want, st.add(t, 2)...)
			}
			if !p.More {
				break
			}
			from = p.Next
		}
		if changes == "" {
			t.Error("List gave no ChangesFrom")
		}
		after, _ := drain(t, src, changes)
		for k, v := range after {
			got[k] = v
		}
		mustHold(t, "List and Changes", got, want)
	})
	t.Run("changes from the start name every record", func(t *testing.T) {
		st, src := ready(t)
		want := st.add(t, st.Many)
		got, _ := drain(t, src, "")
		mustHold(t, "Changes", got, want)
	})
	t.Run("changes may repeat but never skip: new and changed records after the cursor", func(t *testing.T) {
		st, src := ready(t)
		old := st.add(t, 3)
		_, cur := drain(t, src, "")
		for round := range 3 {
			st.advance(time.Hour)
			fresh := st.add(t, 2)
			st.Change(t, old[round])
			var got map[adapters.Ref]adapters.Record
			got, cur = drain(t, src, cur)
			mustHold(t, "Changes", got, append(fresh, old[round]))
		}
	})
	t.Run("a large backlog of changes is not skipped", func(t *testing.T) {
		st, src := ready(t)
		st.add(t, 1)
		_, cur := drain(t, src, "")
		want := st.add(t, st.Many)
		got, _ := drain(t, src, cur)
		mustHold(t, "Changes", got, want)
	})
	t.Run("the same cursor read twice names the same changes", func(t *testing.T) {
		st, src := ready(t)
		st.add(t, 2)
		_, cur := drain(t, src, "")
		want := st.add(t, 3)
		for range 2 {
			got, _ := drain(t, src, cur)
			mustHold(t, "Changes", got, want)
		}
	})
	t.Run("a record that becomes visible late is not skipped", func(t *testing.T) {
		st, src := ready(t)
		f, ok := st.adapter.(adapters.Finder)
		if !ok || f.Settle() == 0 {
			return // the adapter knows no such delay at its remote
		}
		need(t, "Hide", st.Hide != nil && st.Advance != nil)
		st.add(t, 1)
		_, cur := drain(t, src, "")
		st.Hide(f.Settle())
		late := st.add(t, 1)
		st.Hide(0)
		seen := st.add(t, 1)
		got, cur := drain(t, src, cur)
		mustHold(t, "Changes", got, seen)
		st.Advance(f.Settle())
		got, _ = drain(t, src, cur)
		mustHold(t, "Changes after the delay", got, late)
	})
	t.Run("asking for changes when nothing changed costs the same however many records there are", func(t *testing.T) {
		cost := func(n int) int {
			st, src := ready(t)
			st.add(t, n)
			st.advance(24 * time.Hour)
			_, cur := drain(t, src, "")
			st.advance(24 * time.Hour)
			_, cur = drain(t, src, cur)
			before := len(st.proxy.Calls())
			drain(t, src, cur)
			return len(st.proxy.Calls()) - before
		}
		st := newStand(t, s)
		if few, many := cost(1), cost(st.Many); many > few {
			t.Errorf("%d calls with one record, %d with %d", few, many, st.Many)
		}
	})
	t.Run("a deleted record is gone from the list", func(t *testing.T) {
		st, src := ready(t)
		switch src.Absence() {
		case adapters.AbsenceRevoked, adapters.AbsenceDeleted, adapters.AbsenceUnknown:
		default:
			t.Errorf("Absence() = %q", src.Absence())
		}
		if st.Delete == nil {
			return // this remote never forgets a record
		}
		refs := st.add(t, 2)
		st.Delete(t, refs[0])
		got, _ := listAll(t, src)
		if r, ok := got[refs[0]]; ok && r.Gone == nil {
			t.Error("List still names a deleted record")
		}
		mustHold(t, "List", got, refs[1:])
	})
}

func runCatalog(t *testing.T, s Suite) {
	t.Run("the catalog names every badge", func(t *testing.T) {
		st := newStand(t, s)
		need(t, "Classes", st.Classes > 0)
		seen, from := map[adapters.Ref]bool{}, adapters.Cursor("")
		for range 1000 {
			p, err := st.adapter.(adapters.Catalog).BadgeClasses(newContext(t), from)
			if err != nil {
				t.Fatalf("BadgeClasses: %v", err)
			}
			for _, c := range p.Classes {
				if c.Ref == "" || c.BadgeClass.Name == "" || len(c.Raw) == 0 {
					t.Errorf("class without ref, name or raw bytes: %+v", c)
				}
				seen[c.Ref] = true
			}
			if !p.More {
				break
			}
			from = p.Next
		}
		if len(seen) != st.Classes {
			t.Errorf("the catalog names %d badges, the remote has %d", len(seen), st.Classes)
		}
	})
}

func runNotifier(t *testing.T, s Suite) {
	t.Run("a genuine webhook gives hints", func(t *testing.T) {
		st := newStand(t, s)
		need(t, "Webhook", st.Webhook != nil)
		h, body := st.Webhook(t)
		hints, err := st.adapter.(adapters.Notifier).ParseWebhook(h, body)
		if err != nil || len(hints) == 0 {
			t.Fatalf("ParseWebhook = %v, %v", hints, err)
		}
	})
	t.Run("a forged webhook is ErrUnauthorized", func(t *testing.T) {
		st := newStand(t, s)
		need(t, "Forged", st.Forged != nil)
		h, body := st.Forged(t)
		if hints, err := st.adapter.(adapters.Notifier).ParseWebhook(h, body); !errors.Is(err, adapters.ErrUnauthorized) || len(hints) != 0 {
			t.Errorf("ParseWebhook = %v, %v, want ErrUnauthorized", hints, err)
		}
	})
	t.Run("a webhook that is not even JSON is an error", func(t *testing.T) {
		st := newStand(t, s)
		need(t, "Webhook", st.Webhook != nil)
		h, _ := st.Webhook(t)
		for _, body := range []string{"", "{", "[]", "null", "<html>"} {
			if _, err := st.adapter.(adapters.Notifier).ParseWebhook(h, []byte(body)); err == nil {
				t.Errorf("ParseWebhook(%q) is no error", body)
			}
		}
	})
}

func (st *stand) add(t *testing.T, n int) []adapters.Ref {
	t.Helper()
	refs := make([]adapters.Ref, n)
	for i := range refs {
		refs[i] = st.Add(t)
	}
	return refs
}

func (st *stand) advance(d time.Duration) {
	if st.Advance != nil {
		st.Advance(d)
	}
}

// settle lets the time pass after which a write shows.
func (st *stand) settle() {
	if f, ok := st.adapter.(adapters.Finder); ok {
		st.advance(f.Settle())
	}
}

func listAll(t *testing.T, src adapters.Source) (map[adapters.Ref]adapters.Record, adapters.Cursor) {
	t.Helper()
	return readAll(t, "List", src.List, "")
}

// drain reads Changes to its end and returns the last word on each record.
func drain(t *testing.T, src adapters.Source, from adapters.Cursor) (map[adapters.Ref]adapters.Record, adapters.Cursor) {
	t.Helper()
	return readAll(t, "Changes", src.Changes, from)
}

func keep(into map[adapters.Ref]adapters.Record, records []adapters.Record) {
	for _, r := range records {
		into[r.Ref] = r
	}
}

func mustHold(t *testing.T, what string, got map[adapters.Ref]adapters.Record, want []adapters.Ref) {
	t.Helper()
	missing := 0
	for _, r := range want {
		if _, ok := got[r]; !ok {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%s skipped %d of %d records", what, missing, len(want))
	}
}

func wellFormed(t *testing.T, r adapters.Record) {
	t.Helper()
	if r.Ref == "" {
		t.Error("a record without Ref")
	}
	if r.Gone != nil {
		return
	}
	if len(r.Raw) == 0 {
		t.Errorf("record %s has no raw bytes", r.Ref)
	}
	if r.Award.BadgeClass.ID == "" || r.Award.BadgeClass.Name == "" {
		t.Errorf("record %s names no badge", r.Ref)
	}
	if r.Award.Recipient.Identity == "" || r.Award.Recipient.Type == "" {
		t.Errorf("record %s names no recipient", r.Ref)
	}
	for _, at := range []time.Time{r.Award.IssuedOn, r.Award.Expires, r.Award.RevokedOn} {
		if at.Location() != time.UTC {
			t.Errorf("record %s has a time that is not UTC: %v", r.Ref, at)
		}
	}
}
