#!/bin/sh
# Fetches what the lab needs beside Rust, and does nothing when all of it is there.
#
# Nothing is installed on the machine, but for a C compiler where there is none, and no service is started: Debian packages
# are downloaded and unpacked below target/lab, one folder for the common tools and one for each peer (strongSwan and
# libreswan own the same file names); the automation tools come from PyPI into virtual environments there. Called by
# `make setup`, and with the word `heavy` by `make test-automation`; works as an ordinary user where apt has its package lists.
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
unpack openssh openssh-server openssh-client
unpack rsyslog rsyslog

# A virtual environment needs an interpreter with its standard library, nothing else: pip comes as a file where it is missing.
python=$(command -v python3 || true)
if [ -z "$python" ]; then
    [ "$(id -u)" = 0 ] || fail "no python3; as root run: apt-get install --no-install-recommends python3"
    refresh python3
    apt-get install -y -qq --no-install-recommends python3
    python=$(command -v python3)
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$python is too old: the automation tools need Python 3.11 or newer"

# run_pip ENVIRONMENT ARGUMENT...: that environment's pip, or Debian's package of it.
run_pip() {
    venv=$1; shift
    if [ -x "$venv/bin/pip" ]; then "$venv/bin/pip" --quiet --disable-pip-version-check "$@"; return; fi
    "$venv/bin/python" "$(ls "$lab"/pip/usr/share/python-wheels/pip-*.whl)/pip" --quiet --disable-pip-version-check "$@"
}

# environment FOLDER FILE: a virtual environment in $lab/FOLDER with the packages that tests/automation/FILE pins.
environment() {
    "$python" -c 'import ensurepip' 2>/dev/null || unpack pip python3-pip-whl
    venv="$lab/$1"; list="$top/tests/automation/$2"
    pins="$("$python" -VV) $venv $(cat "$list")"
    [ -f "$venv.done" ] && [ "$(cat "$venv.done")" = "$pins" ] && return 0
    say "installing $2 into $venv"
    rm -rf "${venv:?}" "$venv.done"
    if [ -d "$lab/pip" ]; then bare=--without-pip; else bare=; fi
    # shellcheck disable=SC2086 # nothing or a word
    "$python" -m venv $bare "$venv" || fail "$python cannot make a virtual environment; install its venv module (Debian: python3-venv)"
    run_pip "$venv" install --requirement "$list" || fail "pip could not install what $list asks for"
    printf '%s' "$pins" >"$venv.done"
}

# PyPI has Ansible's collections only all together: three folders are taken out of the package.
collections() {
    folder="$lab/ansible"; list="$top/tests/automation/collections.txt"
    pins=$(cat "$list")
    [ -f "$folder.done" ] && [ "$(cat "$folder.done")" = "$pins" ] && return 0
    say "fetching the collections cisco.ios, ansible.netcommon and ansible.utils into $folder"
    rm -rf "${folder:?}" "$folder.done" "$lab/wheels"
    run_pip "$lab/automation" download --no-deps --only-binary :all: --dest "$lab/wheels" --requirement "$list" ||
        fail "pip could not download what $list asks for"
    "$lab/automation/bin/python" - "$folder" "$lab"/wheels/*.whl <<'END'
import sys, zipfile

wanted = tuple(f"ansible_collections/{name}/" for name in ("cisco/ios", "ansible/netcommon", "ansible/utils"))
with zipfile.ZipFile(sys.argv[2]) as wheel:
    for name in wheel.namelist():
        if name.startswith(wanted) and "/tests/" not in name:
            wheel.extract(name, sys.argv[1])
END
    rm -rf "${lab:?}/wheels"
    printf '%s' "$pins" >"$folder.done"
}

environment automation requirements.txt
collections
if [ "${1:-}" = heavy ]; then environment automation-heavy requirements-heavy.txt; fi

# What only the benchmark needs: FRR, to be measured beside.
if [ "${1:-}" = bench ]; then unpack frr frr; fi
