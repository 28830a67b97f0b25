#!/usr/bin/env bash
# unstable.sh DIR COMMAND...: runs a command in a Debian unstable that lives in DIR, with this folder at the same place
# and all its CPythons installed. As root. It is made by debootstrap the first time (four minutes, 1.5 GB), and kept.
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
    chroot "$root" apt-get -o Acquire::Check-Valid-Until=false update -q
    # apt finds what all of it needs, which debootstrap does not always. Pythons: those that unstable has at the moment.
    tools=(gcc g++ libc6-dev make cmake ninja-build pkg-config git zlib1g-dev libevent-dev nodejs npm)
    mapfile -t pythons < <(chroot "$root" apt-cache search --names-only '^python3\.[0-9]+-(dev|venv)$' | cut -d' ' -f1)
    DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -q -y --no-install-recommends "${tools[@]}" "${pythons[@]}"
    touch "$stamp"
fi

# Packages come by the certificates that this machine trusts.
certificates=/etc/ssl/certs/ca-certificates.crt
[ ! -e $certificates ] || cp $certificates "$root/tmp/trusted.crt"
chroot "$root" /usr/bin/env -C "$here" HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    {PIP_CERT,SSL_CERT_FILE,REQUESTS_CA_BUNDLE}=/tmp/trusted.crt "$@"
