#!/bin/bash
# Builds the lab's images from Debian packages: Xen, a kernel, the root of dom0, the initramfs of dom0 and of the guests.
#   build.sh            builds what is missing or out of date
#   build.sh --install  also installs the programs that this needs (as root, or by sudo without a password)
# XENLAB_CACHE: folder of the images; default: target/images beside this script.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XENLAB_CACHE:-$here/target/images}
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C.UTF-8

suite=bookworm
hypervisor=xen-hypervisor-4.17-amd64

# Programs on this machine, package:what must be there.
tools=(
    qemu-system-x86:qemu-system-x86_64
    seabios:/usr/share/seabios/bios-256k.bin
    mmdebstrap:mmdebstrap
    squashfs-tools:mksquashfs
    busybox-static:busybox
    cpio:cpio
    kmod:depmod
    python3:python3
    gcc:gcc
    libc6-dev:/usr/include/unistd.h
)
# Packages of dom0's root.
dom0_packages=(
    xen-utils-4.17 xenstore-utils busybox-static kmod procps openssh-client
    openjdk-17-jre-headless libgmp10
    trousers tpm-tools # dom0 does not run them: stories put them into a guest
)
# What dom0 and the guests load; dependencies are added.
dom0_modules=(
    virtio_pci virtio_blk 9pnet_virtio 9p squashfs overlay loop
    xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs
)
guest_modules=(xen-tpmfront xen-evtchn xen-gntalloc xenfs)

die() {
    printf 'xenlab: %s\n' "$@" >&2
    exit 1
}

missing_tools() {
    local tool
    for tool in "${tools[@]}"; do
        command -v "${tool#*:}" >/dev/null || [ -e "${tool#*:}" ] || printf '%s ' "${tool%%:*}"
    done
}

need_tools() {
    local packages as_root=()
    read -ra packages <<<"$(missing_tools)"
    [ ${#packages[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    local advice="The lab needs Debian packages that are not installed; install them with
    ${as_root[*]:+sudo }apt-get install -y --no-install-recommends ${packages[*]}"
    [ "${1:-}" = --install ] || die "$advice"
    echo "Installing ${packages[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends \
        "${packages[@]}" </dev/null || die "$advice"
    [ -z "$(missing_tools)" ] || die "$advice"
}

# The archives that this machine's apt is configured for, as lines of a sources.list.
debian_sources() {
    apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
        awk -v suite="$suite" '$3 ~ "^" suite && $4 == "main"' | sort -u
}

# apt's own user may be unable to read the folders used here.
apt() {
    apt-get -q -o APT::Sandbox::User=root "$@" </dev/null
}

candidate() {
    apt-cache policy "$1" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

versions() {
    local package
    for package in "$@"; do
        echo "$package $(candidate "$package")"
    done
}

# image NAME RECIPE: runs build_NAME in an empty folder, unless NAME was built by the same recipe already. It is there as a
# whole or not at all.
image() {
    local made_of
    made_of=$(sha256sum <<<"$2" | cut -d' ' -f1)
    if [ "$(cat "$cache/$1/recipe" 2>/dev/null)" != "$made_of" ]; then
        local started=$SECONDS
        work=$cache/$1.new
        rm -rf "$work"
        mkdir -p "$work"
        TMPDIR=$work "build_$1"
        echo "$made_of" >"$work/recipe"
        rm -rf "${cache:?}/$1"
        mv "$work" "$cache/$1"
        echo "xenlab: built $1 in $((SECONDS - started)) s ($(du -sh "$cache/$1" | cut -f1))"
    fi
}

# Downloads a package, which apt checks against the signed lists, and unpacks it; it is not installed.
unpack() {
    (cd "$work" && apt download "$1") || die "Cannot download $1 from the Debian archive that apt is configured for."
    dpkg -x "$work/$1"_*.deb "$work/packages"
    rm "$work/$1"_*.deb
}

# Xen and xl read the ELF file inside a kernel too; unpacking it here saves the emulated machine about ten seconds per boot.
extract_elf() {
    python3 - "$1" "$2" <<'PYTHON'
import lzma, struct, sys

image = open(sys.argv[1], "rb").read()
# Linux/x86 boot protocol: setup_sects at 0x1f1, payload_offset and payload_length at 0x248.
sectors = image[0x1F1]
offset, length = struct.unpack_from("<II", image, 0x248)
start = (sectors + 1) * 512 + offset
kernel = lzma.LZMADecompressor().decompress(image[start : start + length])
if kernel[:4] != b"\x7fELF":
    sys.exit("The kernel holds no ELF file packed by xz.")
open(sys.argv[2], "wb").write(kernel)
PYTHON
}

build_kernel() {
    unpack "$hypervisor"
    unpack "$kernel"
    depmod -b "$work/packages" "$(basename "$work"/packages/lib/modules/*)"
    gunzip -c "$work"/packages/boot/xen-4.17-amd64.gz >"$work/xen" # QEMU loads no packed one
    extract_elf "$work"/packages/boot/vmlinuz-* "$work/vmlinux"
}

build_root() {
    echo "$sources" >"$work/sources.list"
    # Java's packages fail to install where the folder for manuals is missing.
    mmdebstrap --quiet --variant=minbase --components=main --include="$(IFS=,; echo "${dom0_packages[*]}")" \
        --aptopt='APT::Sandbox::User "root"' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --essential-hook='mkdir -p "$1/usr/share/man/man1"' \
        --customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/*' \
        --customize-hook='mkdir -p "$1"/lab "$1"/results "$1"/guest "$1"/opt/vtpm' \
        --format=tar "$suite" - "$work/sources.list" |
        # Complains of the name of the root itself.
        mksquashfs - "$work/root.squashfs" -tar -comp lz4 -noappend -quiet -no-progress 2>&1 >/dev/null |
        { grep -v '^Empty tar filename' || true; } >&2 ||
        die "Cannot build dom0's root from the Debian archive that apt is configured for; see above."
}

# initramfs NAME MODULE...: image/NAME-init with busybox and the modules. Not packed, so that more can be appended.
initramfs() {
    local root=$work/$1 applet module path packages=$cache/kernel/packages release
    release=$(basename "$packages"/lib/modules/*)
    mkdir -p "$root"/{bin,dev,proc,sys,run,tmp,lib/modules/"$release"}
    cp "$(command -v busybox)" "$root/bin/busybox"
    for applet in $(busybox --list); do
        [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
    done
    install -m 755 "$here/image/$1-init" "$root/init"
    for module in "${@:2}"; do
        modprobe -d "$packages" -S "$release" --show-depends "$module" | awk '$1 == "insmod" { print $2 }'
    done | sort -u | while read -r path; do
        install -D -m 644 "$path" "$root/lib/modules/${path#*/lib/modules/}"
    done
    cp "$packages/lib/modules/$release"/modules.{builtin,builtin.modinfo,order} "$root/lib/modules/$release/"
    depmod -b "$root" "$release"
}

pack() {
    (cd "$1" && find . | cpio --quiet -o -H newc -R 0:0) >"$2"
    rm -r "$1"
}

build_initramfs() {
    initramfs dom0 "${dom0_modules[@]}"
    pack "$work/dom0" "$work/dom0.cpio"

    initramfs guest "${guest_modules[@]}"
    install -m 644 "$here/image/guest-tpm.sh" "$work/guest/tpm.sh"
    gcc -O2 -Wall -Wextra -Werror -static -s -o "$work/guest/bin/frontend" "$here/image/frontend.c"
    # dom0 gets what its guests boot as a disk, which is quicker than a shared folder.
    mkdir "$work/boot"
    pack "$work/guest" "$work/boot/initramfs"
    ln "$cache/kernel/vmlinux" "$work/boot/vmlinux"
    mksquashfs "$work/boot" "$work/guest.squashfs" -comp lz4 -noappend -quiet -no-progress >/dev/null
    rm -r "$work/boot"
}

need_tools "$@"
sources=$(debian_sources)
[ -n "$sources" ] || die "The lab is built from Debian 12 ($suite), and apt is not configured for its archive on this machine."
[ -n "$(candidate "$hypervisor")" ] || apt update
[ -n "$(candidate "$hypervisor")" ] || die "apt knows no package $hypervisor, also after apt-get update: is the archive reachable?"
kernel=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image/ { print $2; exit }')

image kernel "$(declare -f build_kernel unpack extract_elf; versions "$hypervisor" "$kernel")"
image root "$(declare -f build_root; echo "$sources"; versions "${dom0_packages[@]}")"
image initramfs "$(declare -f build_initramfs initramfs pack; echo "${dom0_modules[*]} ${guest_modules[*]}"
    cat "$cache/kernel/recipe" "$here"/image/*)"
