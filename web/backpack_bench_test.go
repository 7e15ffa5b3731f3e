package web_test

import (
	"cmp"
	"fmt"
	"testing"
	"time"
)

// BenchmarkBackpack opens the pages of a member with 1,000 badges and 20
// collections, in a store that holds nothing else and in one that holds 100,000
// badges of 5,000 people more. Of each page it tells the statements that it
// takes, the rows that they return, and the fastest opening ("ms-best"), which a
// busy machine disturbs least; beside the others, also how many times the one
// alone that is ("x-alone"): what it should be is 1.
func BenchmarkBackpack(b *testing.B) {
	alone := map[string]time.Duration{}
	for _, others := range []int{0, 100_000} {
		name := fmt.Sprintf("others=%d", others)
		b.Run(name, func(b *testing.B) {
			s := newStocked(b, stock{badges: 1000, collections: 20, others: others})
			_, err := s.db.SQL().ExecContext(b.Context(), "PRAGMA optimize")
			must(b, err)
			for _, p := range s.pages {
				b.Run(p.name, func(b *testing.B) {
					s.open(b, p)
					statements, rows, best := 0, 0, time.Hour
					for b.Loop() {
						began := time.Now()
						if a := p.by.get(p.path); a.status != 200 {
							b.Fatalf("%s: %d", p.path, a.status)
						}
						best = min(best, time.Since(began))
						if statements == 0 {
							text, n := s.asked.take()
							statements, rows = len(text), n
						}
					}
					b.ReportMetric(float64(statements), "statements/op")
					b.ReportMetric(float64(rows), "rows/op")
					b.ReportMetric(best.Seconds()*1e3, "ms-best")
					if others == 0 {
						alone[p.name] = min(best, cmp.Or(alone[p.name], best))
					} else if alone[p.name] > 0 {
						b.ReportMetric(float64(best)/float64(alone[p.name]), "x-alone")
					}
				})
			}
		})
	}
}
