#!/bin/bash
# The Debian programs and libraries that the tests talk to.
#   peers.sh            tells what is missing and the line that installs it; fails if anything is
#   peers.sh --install  installs what is missing (as root, or by sudo without a password)
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

# package:what must be there (a command, or a shared library)
PEERS=(
    swtpm:swtpm              # the reference that our TPM is compared with
    swtpm-tools:swtpm_ioctl  # exports the reference's state
    trousers:tcsd            # the TCG software stack's daemon
    tpm-tools:tpm_version    # real clients
    tpm-quote-tools:tpm_getquote # the same, for attestation
    tpm2-tools:tpm2_getcap   # look into a TPM 2.0
    systemd:systemd-analyze  # reads the unit of the Debian package
    openssl:openssl          # signs operators' policies
    libgmp10:libgmp.so.10    # the native big-number provider
    openssh-client:ssh       # tries to log in to the shell
    libtspi1:libtspi.so.1    # the same, for migration: no tool does it
    python3:python3          # plays Xen's backend and hotplug scripts, and calls libtspi
)

present() {
    case $1 in
        *.so.*) ldconfig -p | grep -F "$1" >/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

missing() {
    local peer
    for peer in "${PEERS[@]}"; do
        present "${peer#*:}" || printf '%s ' "${peer%%:*}"
    done
}

read -ra packages <<<"$(missing)"
[ ${#packages[@]} -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=()
else
    as_root=(sudo)
fi
line="${as_root[*]:+${as_root[*]} }apt-get install -y --no-install-recommends ${packages[*]}"

fail() {
    echo "The tests need Debian packages that are not installed: ${packages[*]}" >&2
    echo "Install them with" >&2
    echo "    $line" >&2
    exit 1
}

[ "${1:-}" = --install ] || fail
command -v apt-get >/dev/null || fail
[ ${#as_root[@]} = 0 ] || sudo -n true 2>/dev/null || fail

apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@" </dev/null
}
echo "Installing ${packages[*]}"
# Without package lists, or with lists that are too old, the first attempt fails.
apt install --no-install-recommends "${packages[@]}" 2>/dev/null || {
    apt update
    apt install --no-install-recommends "${packages[@]}"
} || fail
read -ra packages <<<"$(missing)"
[ ${#packages[@]} = 0 ] || fail
