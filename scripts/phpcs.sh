#!/bin/sh
# Holds the plugin's code against wordpress/phpcs.xml, with Debian's PHP_CodeSniffer.
set -eu
cd "$(dirname "$0")/../wordpress"
if ! command -v phpcs >/dev/null; then
	[ "${CI:-}" != true ] || { echo "phpcs is missing; install with: apt-get install -y --no-install-recommends php-codesniffer" >&2; exit 1; }
	echo "phpcs is missing; the plugin's rules are not checked" >&2
	exit 0
fi
exec phpcs -q --standard=phpcs.xml
