#!/bin/sh
# Fails when a Go file of the repository is not formatted.
set -eu
cd "$(dirname "$0")/.."
files=$(git ls-files --cached --others --exclude-standard -- '*.go' | while read -r f; do [ ! -f "$f" ] || echo "$f"; done)
bad=$(echo "$files" | xargs gofmt -l)
[ -z "$bad" ] || {
	echo "not formatted (run gofmt -w on them):" >&2
	echo "$bad" >&2
	exit 1
}
