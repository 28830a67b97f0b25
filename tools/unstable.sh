#!/usr/bin/env bash
# unstable.sh DIR COMMAND...: runs a command in a Debian unstable that lives in DIR, with this folder at the same place, all
# its CPythons and what the tests need. As root. It is made by debootstrap the first time (ten minutes, 3 GB), and kept.
set -euo pipefail

root=$1
shift
here=$PWD
stamp=$root/var/lib/marey-pythons

fail() { echo "unstable.sh: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "has to be run as root"

if [ ! -x "$root/usr/bin/apt-get" ]; then
    command -v debootstrap >/dev/null || fail "needs debootstrap. On Debian: apt install debootstrap"
    echo "Making a Debian unstable in $root"
    debootstrap --variant=minbase --include=ca-certificates sid "$root" >"$root.log" 2>&1 || fail "debootstrap failed, see $root.log"
fi

mounted=()
leave() { for place in "${mounted[@]}"; do umount -l "$place"; done; }
trap leave EXIT
enter() { # PLACE: the same in there as here
    mkdir -p "$root$1"
    mountpoint -q "$root$1" && return
    mount --bind "$1" "$root$1"
    mounted=("$root$1" "${mounted[@]}")
}
for place in /proc /sys /dev /dev/pts /dev/shm "$here"; do enter "$place"; done
[ -e "$root/etc/resolv.conf" ] || cp /etc/resolv.conf "$root/etc/resolv.conf"

if [ ! -e "$stamp" ]; then
    # A clock that is ahead of the archive's lists is no reason to stop: what they are signed with is checked all the same,
    # and that they are old, which is what their end date is against, costs a test nothing but the newest Python.
    echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/50old-lists"
    chroot "$root" apt-get update -q
    # apt finds what all of it needs, which debootstrap does not always. Pythons: those that unstable has at the moment, and
    # their debug builds; g++: for packages of theirs that have no wheel yet.
    mapfile -t pythons < <(chroot "$root" apt-cache search --names-only '^python3\.[0-9]+-(dev|venv|dbg)$' | cut -d' ' -f1)
    DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -q -y --no-install-recommends g++ git make "${pythons[@]}"
    touch "$stamp"
fi

# Packages come by the certificates that this machine trusts.
certificates=/etc/ssl/certs/ca-certificates.crt
[ ! -e $certificates ] || cp $certificates "$root/tmp/trusted.crt"
run() {
    chroot "$root" /usr/bin/env -C "$here" -u PYTHON HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        {PIP_CERT,SSL_CERT_FILE,REQUESTS_CA_BUNDLE}=/tmp/trusted.crt "$@"
}
run tools/system.sh test
run "$@"
