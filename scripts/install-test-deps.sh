#!/bin/sh
# Installs the Debian packages that the tests need and that are not there yet.
# No service is started: the tests start their own servers, on free ports.
set -eu

packages="ca-certificates curl redis-server postgresql nginx wrk chromium
mariadb-server wordpress wordpress-theme-twentytwentythree wordpress-theme-twentytwentyone libfaketime
php8.2-cli php8.2-mysql php8.2-gd php8.2-curl php8.2-xml php8.2-mbstring php8.2-zip php8.2-intl php-codesniffer
python3-venv docker-compose"

if ! command -v apt-get >/dev/null 2>&1; then
	echo "this is no Debian; install these yourself, in Debian's names:" >&2
	echo "$packages" >&2
	exit 1
fi

missing=
for p in $packages; do
	case $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true) in
	installed) ;;
	*) missing="$missing $p" ;;
	esac
done
[ -n "$missing" ] || exit 0
echo "installing:$missing"

root=
if [ "$(id -u)" != 0 ]; then
	root="sudo -n"
	$root true || {
		echo "not root, and sudo wants a password; run as root: apt-get install -y --no-install-recommends$missing" >&2
		exit 1
	}
fi

# invoke-rc.d asks this program, and 101 means "don't start anything". One that is
# there already is left as it is.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap '$root rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null
	$root chmod 755 $policy
fi

apt() {
	$root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -qq "$@"
}
apt update
# shellcheck disable=SC2086 # the list is meant to be split
apt install -y --no-install-recommends $missing >/dev/null
