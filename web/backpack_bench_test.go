package web_test

import (
	"fmt"
	"testing"
)

// BenchmarkBackpack opens the pages of a member with 1,000 badges and 20
// collections, in a store that holds nothing else and in one that holds 100,000
// badges of 5,000 people more. Of each page it tells the statements that it
// takes and the rows that they return; beside the others, also how many times
// as long it takes as alone ("x-alone"): what it should be is 1.
func BenchmarkBackpack(b *testing.B) {
	alone := map[string]float64{}
	for _, others := range []int{0, 100_000} {
		name := fmt.Sprintf("others=%d", others)
		b.Run(name, func(b *testing.B) {
			s := newStocked(b, stock{badges: 1000, collections: 20, others: others})
			_, err := s.db.SQL().ExecContext(b.Context(), "PRAGMA optimize")
			must(b, err)
			for _, p := range s.pages {
				b.Run(p.name, func(b *testing.B) {
					s.open(b, p)
					statements, rows := 0, 0
					for b.Loop() {
						if a := p.by.get(p.path); a.status != 200 {
							b.Fatalf("%s: %d", p.path, a.status)
						}
						if statements == 0 {
							text, n := s.asked.take()
							statements, rows = len(text), n
						}
					}
					each := float64(b.Elapsed()) / float64(b.N)
					b.ReportMetric(float64(statements), "statements/op")
					b.ReportMetric(float64(rows), "rows/op")
					if others == 0 {
						alone[p.name] = each
					} else if alone[p.name] > 0 {
						b.ReportMetric(each/alone[p.name], "x-alone")
					}
				})
			}
		})
	}
}
