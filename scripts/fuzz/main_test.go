package main

import (
	"testing"
	"time"
)

const output = `fuzz: elapsed: 0s, gathering baseline coverage: 0/4 completed
fuzz: elapsed: 3s, execs: 57543 (19178/sec), new interesting: 44 (total: 48)
fuzz: elapsed: 6s, execs: 1234567 (10806/sec), new interesting: 72 (total: 76)
`

func TestTheLastLineOfProgressCounts(t *testing.T) {
	if execs, found := counts([]byte(output)); execs != 1234567 || found != 72 {
		t.Errorf("%d executions, %d new", execs, found)
	}
	if got := grouped(1234567); got != "1,234,567" || grouped(999) != "999" {
		t.Errorf("written as %s", got)
	}
}

func TestOnlyGosOwnDeadlineIsNoFailure(t *testing.T) {
	const deadline = output + "--- FAIL: FuzzX (6.06s)\n    context deadline exceeded\nFAIL\n"
	if !ownDeadline([]byte(deadline)) {
		t.Error("Go's own deadline is taken for a failure")
	}
	if ownDeadline([]byte(deadline + "    Failing input written to testdata/fuzz/FuzzX/1\n")) {
		t.Error("a failing input is taken for Go's own deadline")
	}
}

func TestRoundsGetLongerAndStayBounded(t *testing.T) {
	targets := []*target{{execs: 1000, spent: time.Second}, {execs: 9000, spent: time.Second}, {failed: true}}
	if got := next(targets, 100_000); got != 11*time.Second {
		t.Errorf("100,000 at 10,000 in each second: %v for each test", got)
	}
	if got := next(targets, 100_000_000); got != time.Minute {
		t.Errorf("a round of %v", got)
	}
}
