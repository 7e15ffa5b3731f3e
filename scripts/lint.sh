#!/bin/sh
# Runs golangci-lint in the version of tools/go.mod. It is built once and kept
# in the user's cache, under a name made from that file. Arguments name packages.
set -eu
cd "$(dirname "$0")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/badgebridge
name=golangci-lint-$(cat tools/go.mod tools/go.sum | sha256sum | cut -c1-12)
if [ ! -x "$cache/$name" ]; then
	echo "building golangci-lint (once)" >&2
	mkdir -p "$cache"
	(cd tools && CGO_ENABLED=0 go build -trimpath -o "$cache/$name.new.$$" github.com/golangci/golangci-lint/v2/cmd/golangci-lint)
	mv "$cache/$name.new.$$" "$cache/$name"
fi
exec "$cache/$name" run "${@:-./...}"
