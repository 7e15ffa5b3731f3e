// Package storetest is the contract suite of the package store: every engine
// passes it.
package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
)

// Run holds the engine to the contract. open returns an empty store that lives
// until t ends; its clock is the wall clock, and it has no job queue.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for name, test := range map[string]func(t *testing.T, s store.Store){
		"settings":     settings,
		"documents":    documents,
		"transactions": transactions,
		"values":       values,
		"remotes":      remotes,
		"remote lease": remoteLease,
		"cursors":      cursors,
		"issuers":      issuers,
		"classes":      classes,
		"people":       people,
		"codes":        codes,
		"awards":       awards,
		"award lists":  awardLists,
		"assertions":   assertions,
		"links":        links,
		"unlisted":     unlisted,
		"mappings":     mappings,
		"imports":      imports,
		"destinations": destinations,
		"pushes":       pushes,
		"push lease":   pushLease,
		"push save":    pushSave,
		"push races":   pushRaces,
		"runs":         runs,
		"hints":        hints,
		"sessions":     sessions,
		"keys":         keys,
		"status lists": statusLists,
		"status races": statusRaces,
		"queue":        queue,
		"collected":    collected,
		"collections":  collections,
		"shelf":        shelf,
		"batches":      batches,
		"earnables":    earnables,
		"grants":       grants,
		"connections":  connections,
		"addresses":    addresses,
		"merging":      merging,
		"erasing":      erasing,
		"notices":      notices,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// t0 is some moment with microseconds.
var t0 = time.Date(2026, 3, 14, 15, 9, 26, 535897000, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sha(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

func got[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

// world is a store with what awards need: a remote on either side, a badge, a
// person.
type world struct {
	store.Store
	t      *testing.T
	class  store.Class
	person store.Person
}

func newWorld(t *testing.T, s store.Store) *world {
	t.Helper()
	ctx := t.Context()
	for _, name := range []adapters.Remote{"campus", "credly"} {
		must(t, s.CreateRemote(ctx, store.Remote{Name: name, Kind: "test", State: store.RemoteActive}))
	}
	class, _, err := s.PutClass(ctx, store.Class{Remote: "campus", Ref: "badge-1", Content: openbadges.BadgeClass{Name: "Navigator"}})
	must(t, err)
	person, err := s.CreatePerson(ctx, store.Person{GivenName: "Ada", FamilyName: "Demo"})
	must(t, err)
	return &world{Store: s, t: t, class: class, person: person}
}

// award is a plain award to address, from the record of the campus named ref.
func (w *world) award(address, ref string) store.Award {
	return store.Award{
		ClassID: w.class.ID, ClassVersionID: w.class.VersionID, Origin: "campus", OriginRef: adapters.Ref(ref),
		EarnerKey: "earner-" + address,
		Recipient: openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: address},
		IssuedOn:  t0, Claim: store.Offered, Visibility: store.Private,
	}
}

func (w *world) made(a store.Award) store.Award {
	w.t.Helper()
	a, err := w.CreateAward(w.t.Context(), a)
	must(w.t, err)
	return a
}

func (w *world) pushed(p store.Push) store.Push {
	w.t.Helper()
	if p.Key == "" {
		p.Key = adapters.Key(store.NewID())
	}
	if p.Op == "" {
		p.Op = store.OpIssue
	}
	if p.Remote == "" {
		p.Remote = "credly"
	}
	if p.State == "" {
		p.State = store.PushQueued
	}
	p, err := w.CreatePush(w.t.Context(), p)
	must(w.t, err)
	return p
}

// atOnce runs f n times side by side and returns when all have ended.
func atOnce(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

func ids[T any](list []T, id func(T) string) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		out = append(out, id(v))
	}
	return out
}

func settings(t *testing.T, s store.Store) {
	ctx := t.Context()
	must(t, s.Ping(ctx))
	_, err := s.Setting(ctx, "base-url")
	wantErr(t, err, store.ErrNotFound)
	must(t, s.PutSetting(ctx, "base-url", "https://badges.example.org"))
	must(t, s.PutSetting(ctx, "base-url", "https://b.example.org"))
	same(t, "setting", got[string](t)(s.Setting(ctx, "base-url")), "https://b.example.org")
	wantErr(t, s.CreateSetting(ctx, "base-url", "other"), store.ErrExists)
	same(t, "setting after a second create", got[string](t)(s.Setting(ctx, "base-url")), "https://b.example.org")
	must(t, s.DeleteSetting(ctx, "base-url"))
	_, err = s.Setting(ctx, "base-url")
	wantErr(t, err, store.ErrNotFound)

	// Replicas agree on who set it first.
	var mu sync.Mutex
	var winner string
	wins := 0
	atOnce(8, func(i int) {
		value := fmt.Sprint("replica ", i)
		switch err := s.CreateSetting(ctx, "first", value); {
		case err == nil:
			mu.Lock()
			winner, wins = value, wins+1
			mu.Unlock()
		case !errors.Is(err, store.ErrExists):
			t.Errorf("create setting: %v", err)
		}
	})
	same(t, "number of replicas that set it first", wins, 1)
	same(t, "setting", got[string](t)(s.Setting(ctx, "first")), winner)
}

func documents(t *testing.T, s store.Store) {
	ctx := t.Context()
	_, err := s.Document(ctx, "no such digest")
	wantErr(t, err, store.ErrNotFound)
	large := make([]byte, 200_000)
	for i := range large {
		large[i] = byte(i * 7) // every byte value, NUL too
	}
	for name, body := range map[string][]byte{"large": large, "small": []byte(`{"a":"\u0000 é"}`), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			sha := got[string](t)(s.PutDocument(ctx, "application/ld+json", body))
			same(t, "length of the digest", len(sha), 64)
			same(t, "digest of the same bytes", got[string](t)(s.PutDocument(ctx, "text/plain", body)), sha)
			d := got[store.Document](t)(s.Document(ctx, sha))
			if string(d.Body) != string(body) {
				t.Fatal("the bytes are not those that were put")
			}
			same(t, "media type as first put", d.MediaType, "application/ld+json")
			if d.CreatedAt.IsZero() {
				t.Fatal("it does not say when it was made")
			}
			must(t, s.EraseDocument(ctx, sha))
			d = got[store.Document](t)(s.Document(ctx, sha))
			same(t, "media type of what was erased", d.MediaType, store.ErasedDocument)
			same(t, "bytes that are left", len(d.Body), 0)
			same(t, "digest of the bytes put again", got[string](t)(s.PutDocument(ctx, "text/plain", body)), sha)
			same(t, "bytes that came back", len(got[store.Document](t)(s.Document(ctx, sha)).Body), 0)
			must(t, s.EraseDocument(ctx, "no such digest"))
		})
	}
}

func transactions(t *testing.T, s store.Store) {
	ctx := t.Context()
	broken := errors.New("broken")

	t.Run("an error rolls back and comes out as it is", func(t *testing.T) {
		err := s.InTx(ctx, func(tx store.Tx) error {
			must(t, tx.PutSetting(ctx, "a", "1"))
			return broken
		})
		wantErr(t, err, broken)
		_, err = s.Setting(ctx, "a")
		wantErr(t, err, store.ErrNotFound)
	})
	t.Run("what was written is read in the same transaction and after it", func(t *testing.T) {
		must(t, s.InTx(ctx, func(tx store.Tx) error {
			if err := tx.PutSetting(ctx, "b", "1"); err != nil {
				return err
			}
			v, err := tx.Setting(ctx, "b")
			same(t, "setting inside", v, "1")
			return err
		}))
		same(t, "setting after", got[string](t)(s.Setting(ctx, "b")), "1")
	})
	t.Run("an ErrExists or ErrNotFound does not end the transaction", func(t *testing.T) {
		must(t, s.InTx(ctx, func(tx store.Tx) error {
			wantErr(t, tx.CreateSetting(ctx, "b", "2"), store.ErrExists)
			_, err := tx.Setting(ctx, "unknown")
			wantErr(t, err, store.ErrNotFound)
			return tx.PutSetting(ctx, "c", "3")
		}))
		same(t, "setting after", got[string](t)(s.Setting(ctx, "c")), "3")
	})
	t.Run("a panic rolls back", func(t *testing.T) {
		func() {
			defer func() { _ = recover() }()
			_ = s.InTx(ctx, func(tx store.Tx) error {
				must(t, tx.PutSetting(ctx, "d", "1"))
				panic("on purpose")
			})
		}()
		_, err := s.Setting(ctx, "d")
		wantErr(t, err, store.ErrNotFound)
	})
	t.Run("a context that ended commits nothing", func(t *testing.T) {
		ending, cancel := context.WithCancel(ctx)
		err := s.InTx(ending, func(tx store.Tx) error {
			must(t, tx.PutSetting(ctx, "e", "1"))
			cancel()
			return nil
		})
		if err == nil {
			t.Fatal("it reports no error")
		}
		_, err = s.Setting(ctx, "e")
		wantErr(t, err, store.ErrNotFound)
	})
	t.Run("writers that cross each other all get through", func(t *testing.T) {
		w := newWorld(t, s)
		a, b := w.made(w.award("a@example.org", "x1")), w.made(w.award("b@example.org", "x2"))
		atOnce(8, func(i int) {
			first, second := a, b
			if i%2 == 1 {
				first, second = b, a
			}
			err := s.InTx(ctx, func(tx store.Tx) error {
				for _, award := range []store.Award{first, second} {
					award.Narrative = fmt.Sprint("writer ", i)
					if _, err := tx.PutAward(ctx, award); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
		same(t, "the last writer wrote both",
			got[store.Award](t)(s.Award(ctx, a.ID)).Narrative, got[store.Award](t)(s.Award(ctx, b.ID)).Narrative)
	})
}

func values(t *testing.T, s store.Store) {
	ctx := t.Context()
	for _, text := range []string{"", "Grüße, 世界 🏅 \u202e\\ ' \" % _ $1", "line\nbreak\ttab", "<script>&amp;"} {
		must(t, s.PutSetting(ctx, "text", text))
		same(t, "text", got[string](t)(s.Setting(ctx, "text")), text)
	}
	for _, text := range []string{"nul \x00 in it", "broken \xff UTF-8"} {
		must(t, s.PutSetting(ctx, "odd", text)) // a remote's words must not stop a pull
		got[string](t)(s.Setting(ctx, "odd"))
	}

	berlin := time.FixedZone("", 3600)
	for _, at := range []time.Time{
		{}, t0, t0.In(berlin), t0.Add(999 * time.Nanosecond), time.Unix(0, 0),
		time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Date(2026, 1, 1, 0, 0, 0, 100000000, time.UTC),
	} {
		r, err := s.CreateRun(ctx, store.Run{Remote: "campus", Kind: "list", State: store.RunDone, StartedAt: t0, EndedAt: at})
		must(t, err)
		stored := got[store.Run](t)(s.Run(ctx, r.ID))
		same(t, "time", stored.EndedAt, store.Moment(at))
		same(t, "what create returned", stored, r)
		if stored.EndedAt.Location() != time.UTC {
			t.Fatalf("%v is not in UTC", stored.EndedAt)
		}
	}
}
