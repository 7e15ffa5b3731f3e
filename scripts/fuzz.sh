#!/bin/bash
# Runs each fuzz test for the given time, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOTOOLCHAIN=${GOTOOLCHAIN:-local}
time=${1:-10s}
git grep -l --untracked '^func Fuzz' -- '*_test.go' | sort | while read -r file; do
	for name in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		echo "== ./$(dirname "$file") $name"
		go test -tags nomsgpack -run '^$' -fuzz "^$name\$" -fuzztime "$time" -parallel 2 "./$(dirname "$file")" </dev/null
	done
done
