#!/bin/sh
# Install the engines that tests start for real. Does nothing where it cannot (no apt, not root): the tests
# that need a missing engine skip and say so.
set -u
missing=""
for pair in nginx:nginx tshark:tshark postgres:postgresql chromium:chromium; do
    program=${pair%%:*} package=${pair##*:}
    case $program in
        postgres) ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing $package" ;;
        *) command -v "$program" >/dev/null 2>&1 || [ -x "/usr/sbin/$program" ] || missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "not installed, so their tests skip:$missing"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null 2>&1
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 || echo "could not install:$missing"
exit 0
