package sqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
)

// BenchmarkRecordAwards is what one page of a first pull costs: 100 records of
// 1.5 kB, each with award, link, document and provenance, in one transaction.
func BenchmarkRecordAwards(b *testing.B) {
	const page = 100
	for name, url := range engines {
		b.Run(name, func(b *testing.B) {
			db := open(b, url(b), sqlstore.Options{})
			ctx := b.Context()
			class, _, err := db.PutClass(ctx, store.Class{Remote: "campus", Ref: "1", Content: openbadges.BadgeClass{Name: "Navigator"}})
			if err != nil {
				b.Fatal(err)
			}
			body := make([]byte, 1500)
			n := 0
			for b.Loop() {
				if err := db.InTx(ctx, func(tx store.Tx) error {
					for range page {
						n++
						ref := adapters.Ref(fmt.Sprint("record ", n))
						copy(body, ref)
						sha, err := tx.PutDocument(ctx, "application/json", body)
						if err != nil {
							return err
						}
						a, err := tx.CreateAward(ctx, store.Award{
							ClassID: class.ID, ClassVersionID: class.VersionID, Origin: "campus", OriginRef: ref, EarnerKey: "e",
							Recipient: openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: fmt.Sprintf("member%d@example.org", n)},
							IssuedOn:  time.Now(), ContentSHA: sha,
						})
						if err != nil {
							return err
						}
						if _, err := tx.PutLink(ctx, store.Link{Remote: "campus", Ref: ref, AwardID: a.ID, Role: store.RoleOrigin,
							State: store.LinkPresent, DocumentSHA: sha, SeenAt: time.Now()}); err != nil {
							return err
						}
						if err := tx.AddProvenance(ctx, store.Provenance{Remote: "campus", Ref: ref, AwardID: a.ID, DocumentSHA: sha, RunID: "r"}); err != nil {
							return err
						}
					}
					return nil
				}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "awards/s")
		})
	}
}

// BenchmarkReadAward is the read behind a badge's page.
func BenchmarkReadAward(b *testing.B) {
	for name, url := range engines {
		b.Run(name, func(b *testing.B) {
			db := open(b, url(b), sqlstore.Options{})
			ctx := b.Context()
			class, _, err := db.PutClass(ctx, store.Class{Remote: "campus", Ref: "1", Content: openbadges.BadgeClass{Name: "Navigator"}})
			if err != nil {
				b.Fatal(err)
			}
			a, err := db.CreateAward(ctx, store.Award{ClassID: class.ID, ClassVersionID: class.VersionID, Origin: "campus", OriginRef: "1"})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := db.Award(ctx, a.ID); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
