#!/bin/bash
# Has the tests that drive a browser write pictures of the pages they see.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOTOOLCHAIN=${GOTOOLCHAIN:-local}
export BADGEBRIDGE_SCREENSHOTS=$PWD/build/screenshots
mkdir -p "$BADGEBRIDGE_SCREENSHOTS"
packages=$(git grep -l --untracked 'chromium\.Screenshot(' -- '*_test.go' | xargs -r -n 1 dirname | sort -u | sed 's|^|./|')
[ -n "$packages" ] || {
	echo "no test takes a picture" >&2
	exit 1
}
# shellcheck disable=SC2086 # one word a package
go test -tags nomsgpack -count 1 -timeout 15m -p 1 $packages
ls -1 "$BADGEBRIDGE_SCREENSHOTS"
