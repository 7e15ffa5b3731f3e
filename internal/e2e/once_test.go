package e2e

import (
	"testing"
	"time"

	"badgebridge/internal/testenv/postgres"
	"badgebridge/internal/testenv/redis"
)

// tenth is the share of Credly's calls that fail: 429, 500, answers cut off, and
// a connection that ends after the call was carried out.
const tenth = 0.1

func TestAThousandAwardsAreAThousandBadgesThroughFaultsAndFiveKills(t *testing.T) {
	e := errand{awards: 1000, kills: 5, faults: tenth, seed: 42, within: 5 * time.Minute}
	e.tested(t)
}

func TestTwoReplicasAreTogetherStillOnlyOnceWithTheirAwards(t *testing.T) {
	e := errand{awards: 1000, kills: 5, faults: tenth, seed: 7, within: 5 * time.Minute, replicas: 2,
		databaseURL: postgres.Start(t), redisURL: redis.Start(t).URL}
	e.tested(t)
}

func (e errand) tested(t *testing.T) {
	t.Helper()
	got := e.run(t)
	if got.killed != e.kills {
		t.Errorf("killed %d times: the test did not test", got.killed)
	}
	t.Logf("%d awards, %d kills, %d issue calls, %d calls in all, %s", e.awards, got.killed, got.posts, got.calls, got.took.Round(time.Second))
}

// BenchmarkTenThousand carries 10,000 old awards to Credly: what each badge costs
// in calls, and the gateway in memory.
func BenchmarkTenThousand(b *testing.B) {
	for name, e := range map[string]errand{
		"calm":              {},
		"faults+five-kills": {faults: tenth, kills: 5},
	} {
		b.Run(name, func(b *testing.B) {
			e.awards, e.seed, e.within = 10000, 1, 30*time.Minute
			for b.Loop() {
				got := e.run(b)
				b.ReportMetric(float64(got.calls)/float64(e.awards), "calls/badge")
				b.ReportMetric(float64(got.posts)/float64(e.awards), "posts/badge")
				b.ReportMetric(float64(got.peakMiB), "MiB-resident")
				b.ReportMetric(float64(e.awards)/got.took.Seconds(), "badges/s")
			}
		})
	}
}
