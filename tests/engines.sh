#!/bin/sh
# Install the engines that tests start for real, or those that are named (program:package, as `make
# bench-ingest` does). Does nothing where it cannot (no apt, not root): what needs a missing engine says so.
set -u
missing=""
[ $# -gt 0 ] || set -- nginx:nginx tshark:tshark postgres:postgresql chromium:chromium
for pair in "$@"; do
    program=${pair%%:*} package=${pair##*:}
    case $program in
        postgres) ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing $package" ;;
        *) command -v "$program" >/dev/null 2>&1 || [ -x "/usr/sbin/$program" ] || missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "not installed, and what needs them is left out:$missing"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null 2>&1
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 || echo "could not install:$missing"
exit 0
