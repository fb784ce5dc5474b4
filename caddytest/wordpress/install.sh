#!/bin/sh
# install.sh brings a Debian 12 machine to the state that the WordPress tests need. Run it as root; running it again changes nothing.
# It installs packages only: no daemon is started, and no data outside this folder's node_modules is written.
set -eu

cd "$(dirname "$0")"

packages="
	wordpress wordpress-theme-twentytwentyone wordpress-theme-twentytwentythree
	mariadb-server mariadb-client
	php php-fpm php-cli php-mysql php-xml php-gd php-curl php-mbstring php-intl php-zip
	nginx-light chromium fonts-dejavu-core unzip
"

missing=
for package in $packages; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done

if [ -n "$missing" ]; then
	# Packages of daemons start them from their maintainer scripts unless this policy forbids it.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		trap 'rm -f "$policy"' EXIT INT TERM
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	apt-get update
	# shellcheck disable=SC2086 # a list of words
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
fi

# The lock file names no registry: npm takes the one it is configured for.
npm ci --ignore-scripts --no-audit --no-fund
