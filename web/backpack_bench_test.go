package web_test

import (
	"fmt"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
)

// BenchmarkBackpack opens the pages of a member with 1,000 badges, in a store
// that holds nothing else and in one that holds 100,000 more. The figures to
// compare are the two of one page: they are to be the same.
func BenchmarkBackpack(b *testing.B) {
	for _, others := range []int{0, 100_000} {
		w := newWorld(b)
		member, col := manyBadges(b, w, 1000, others)
		for name, path := range map[string]string{
			"home": "/", "search": "/?q=navigator+7", "last-page": "/?page=42", "collection": "/c/" + col, "profile": "/p/many-badges", "arrange": "/collections/" + col,
		} {
			b.Run(fmt.Sprintf("%s/others=%d", name, others), func(b *testing.B) {
				for b.Loop() {
					if a := member.get(path); a.status != 200 {
						b.Fatalf("%s: %d", path, a.status)
					}
				}
			})
		}
	}
}

// manyBadges gives a member badges and a collection of 100 of them, and gives
// others to other people.
func manyBadges(b *testing.B, w *world, mine, others int) (*browser, string) {
	b.Helper()
	ctx := b.Context()
	member := w.signIn(ada)
	id, err := w.db.Identifier(ctx, openbadges.IdentityEmail, ada)
	must(b, err)
	must(b, w.db.CreateRemote(ctx, store.Remote{Name: "campus", Kind: "test", State: store.RemoteActive}))
	class, _, err := w.db.PutClass(ctx, store.Class{Remote: "campus", Ref: "1", Issuable: true, Content: openbadges.BadgeClass{Name: "Navigator", Description: "Finds the way in any weather."}})
	must(b, err)
	var people []string
	for range 1 + others/1000 {
		p, err := w.db.CreatePerson(ctx, store.Person{GivenName: "Demo"})
		must(b, err)
		people = append(people, p.ID)
	}
	var held []store.CollectionBadge
	start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for done := 0; done < mine+others; done += 1000 {
		must(b, w.db.InTx(ctx, func(tx store.Tx) error {
			for i := done; i < min(done+1000, mine+others); i++ {
				person := id.PersonID
				if i >= mine {
					person = people[(i-mine)/1000]
				}
				a, err := tx.CreateAward(ctx, store.Award{
					ClassID: class.ID, ClassVersionID: class.VersionID, Origin: "campus", OriginRef: adapters.Ref(fmt.Sprint(i)), PersonID: person,
					Claim: store.Claimed, Visibility: store.Public, IssuedOn: start.Add(time.Duration(i) * time.Hour),
				})
				if err != nil {
					return err
				}
				if len(held) < 100 {
					held = append(held, store.CollectionBadge{AwardID: a.ID})
				}
			}
			return nil
		}))
	}
	col, err := w.db.CreateCollection(ctx, store.Collection{PersonID: id.PersonID, Name: "Many", Visibility: store.Public})
	must(b, err)
	must(b, w.db.SetCollectionBadges(ctx, col.ID, held))
	member.post("/profile", "handle", "many-badges", "visibility", "public")
	return member, col.ID
}
