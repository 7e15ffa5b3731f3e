#!/bin/bash
# The benchmarks behind docs/architecture.md ("What it costs"). They print ratios
# within this run, because the seconds of one machine say nothing on another.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOTOOLCHAIN=${GOTOOLCHAIN:-local}
tags=nomsgpack

# bench PACKAGE PATTERN WHAT [FLAG...]
bench() {
	local out
	echo
	echo "== $3"
	if ! out=$(go test -tags $tags -run '^$' -bench "$2" -benchmem -timeout 2h "${@:4}" "./$1" 2>&1); then
		echo "$out"
		return 1
	fi
	grep -q '^Benchmark' <<<"$out" || {
		echo "no benchmark $2 in ./$1"
		return 0
	}
	grep -E '^(Benchmark|---|    )' <<<"$out"
}

bench openbadges/bake '.' "bake a PNG, beside copying its bytes"
bench bench/badges '^BenchmarkVerify$' "verify an Open Badges 3.0 credential, beside one raw Ed25519 verification"
bench bench/badges 'IssueAndVerify' "issue and verify a credential; beside it Digital Bazaar's libraries under node"
bench bench/badges 'Hosted' "verify a hosted badge, resources in memory; beside it 1EdTech's validator in Python"
bench internal/e2e '^BenchmarkTenThousand$' "carry 10,000 old awards to Credly: calls and issue calls for each badge, memory of the gateway" -benchtime 1x
bench web '^BenchmarkBackpack$' "pages of a backpack with 1,000 badges, alone in the store and beside 100,000 others: SQL statements and rows for each page; x-alone: how many times as long it takes beside them"
bench store/sqlstore 'RecordAwards' "record awards, on both engines"
bench internal/e2e '^BenchmarkPull$' "pull from a real WordPress with 100,000 awards and 20,000 members (BADGEBRIDGE_BENCH_AWARDS, _MEMBERS: others)" -benchtime 1x

echo
echo "== start, memory, and a hosted assertion beside nginx"
go run -tags $tags ./bench/serve -binary bin/badgebridge "$@"
