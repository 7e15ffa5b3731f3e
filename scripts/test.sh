#!/bin/bash
# Everything that has to hold, in one go: what is cheap comes first. With CI=true
# a test that was skipped is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOTOOLCHAIN=${GOTOOLCHAIN:-local}
tags=nomsgpack

step() {
	printf '\n== %s (%d s so far)\n' "$1" "$SECONDS"
}

step "packages"
scripts/install-test-deps.sh

step "format"
scripts/gofmt.sh

step "vet"
# Vet alone is content with a package that needs names of its own tests.
go build -tags $tags ./...
go vet -tags $tags ./...

step "lint"
scripts/lint.sh

step "plugin: PHP syntax"
# One wrong file makes xargs answer 123, and pipefail passes that on.
git ls-files -z --cached --others --exclude-standard -- '*.php' |
	xargs -0 -n 1 -P 2 php -d display_errors=1 -l | { grep -v '^No syntax errors' || true; }

step "plugin: rules"
scripts/phpcs.sh

step "plugin: the archive is the same every time"
mkdir -p build
go run ./scripts/pluginzip build/plugin-1.zip
go run ./scripts/pluginzip build/plugin-2.zip
cmp build/plugin-1.zip build/plugin-2.zip

step "docker-compose.yml"
docker-compose --env-file .env.example -f docker-compose.yml config --quiet

step "build"
make --no-print-directory build

step "tests with many cases, without the race detector"
go test -tags $tags -timeout 15m -json -run 'HoweverCredlyBehaves|WhateverCredlyTurnsOut|TheFiveThatDecide' ./adapters/credly ./sync/engine |
	go run ./scripts/testreport

step "tests"
# Two packages at a time: most of them start servers of their own. SQLite is C
# made into Go, and its memory is none that the race detector watches: left as
# it is, it takes half the time and hides nothing.
go test -tags $tags -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false -timeout 25m -p 2 -json "$@" ./... | go run ./scripts/testreport

printf '\nall is well, after %d s\n' "$SECONDS"
