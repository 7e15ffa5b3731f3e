#!/bin/bash
# Runs the tests that use WordPress against a real BadgeOS or GamiPress, which are
# no part of this repository: test-provider.sh BADGEOS_DIR|GAMIPRESS_DIR FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
export "$1=$2"
export GOTOOLCHAIN=${GOTOOLCHAIN:-local}
# Packages whose tests reach the code that starts WordPress, and that code itself.
packages=$(go list -test -tags nomsgpack -f '{{if .ForTest}}{{.ForTest}} {{.Deps}}{{end}}' ./... |
	awk '$1 ~ /internal\/testenv\/wordpress$/ || /badgebridge\/internal\/testenv\/wordpress[] ]/ { print $1 }' | sort -u)
# shellcheck disable=SC2086 # one word a package
go test -tags nomsgpack -timeout 25m -p 1 -count 1 -json $packages | go run ./scripts/testreport
