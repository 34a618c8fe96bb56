#!/bin/sh
# Fetches what the lab needs beside Rust, and does nothing when all of it is there.
#
# Nothing is installed on the machine, but for a C compiler where there is none, and no service is started: Debian packages
# are downloaded and unpacked below target/lab, one folder for the common tools and one for each peer (strongSwan and
# libreswan own the same file names). Called by `make setup`; works as an ordinary user where apt has its package lists.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
lab=${CARGO_TARGET_DIR:-$top/target}/lab
mkdir -p "$lab"

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Brings apt's package lists up to date once, when a package asked for is unknown or gone from the mirror.
refreshed=
refresh() {
    [ -z "$refreshed" ] || return 1
    refreshed=yes
    [ "$(id -u)" = 0 ] || { say "apt cannot find: $*; as root run: apt-get update"; return 1; }
    say "apt-get update"
    apt-get update -qq
}

# The packages that installing "$@" would add to this machine, and "$@" themselves.
closure() {
    { apt-get -s install --no-install-recommends "$@" 2>/dev/null | awk '$1 == "Inst" { print $2 }'
      printf '%s\n' "$@"; } | sort -u
}

# unpack FOLDER PACKAGE...: downloads the packages and what they need, and unpacks them into $lab/FOLDER.
unpack() {
    folder=$1; shift
    stamp="$lab/$folder.done"
    wanted="$*"
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return 0
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
        fail "this machine has no apt; put these Debian packages' programs on the PATH by hand: $wanted"
    say "fetching $wanted into $lab/$folder"
    rm -rf "${lab:?}/$folder" "$stamp"
    mkdir -p "$lab/$folder/usr/bin" "$lab/$folder/usr/sbin" "$lab/$folder/usr/lib" "$lab/debs/$folder"
    # Debian's / has bin, sbin and lib as links into usr; older packages still ship files below them.
    for name in bin sbin lib; do ln -s "usr/$name" "$lab/$folder/$name"; done
    apt-cache show "$@" >/dev/null 2>&1 || refresh "$@" || fail "install these packages: $wanted"
    download "$folder" || { refresh "$@" && download "$folder"; } ||
        fail "could not download; as root run: apt-get install --no-install-recommends $wanted"
    for deb in "$lab/debs/$folder"/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --no-same-owner -C "$lab/$folder" \
            --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale --exclude=./usr/include
    done
    rm -rf "${lab:?}/debs"
    printf '%s' "$wanted" >"$stamp"
}

download() {
    # shellcheck disable=SC2046,SC2086 # a list of package names
    (cd "$lab/debs/$1" && apt-get download $(closure $wanted)) >"$lab/apt.log" 2>&1 || { tail -n 5 "$lab/apt.log" >&2; return 1; }
}

# Rust links with the C compiler, and one library is in part C; a compiler is not something to unpack beside the system's.
if ! command -v cc >/dev/null 2>&1; then
    [ "$(id -u)" = 0 ] || fail "no C compiler; as root run: apt-get install --no-install-recommends gcc libc6-dev"
    refresh gcc
    apt-get install -y -qq --no-install-recommends gcc libc6-dev
fi

missing=
have() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
PATH=$PATH:/usr/sbin:/sbin
have linux.uml user-mode-linux
have ip iproute2
# shellcheck disable=SC2086
if [ -n "$missing" ]; then unpack base $missing; fi

unpack strongswan strongswan-charon strongswan-libcharon strongswan-swanctl libstrongswan \
    libstrongswan-standard-plugins libstrongswan-extra-plugins libcharon-extra-plugins
unpack libreswan libreswan
