#!/bin/bash
# Has the tests that drive a browser write pictures of the pages they see: each at
# 390 and 1440 px, light and dark. Arguments go to go test: -run KeepNobodyOut.
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
go test -tags nomsgpack -count 1 -timeout 45m -p 1 "$@" $packages
ls -1 "$BADGEBRIDGE_SCREENSHOTS"
