#!/bin/bash
# Runs stories of the Xen lab, in an emulated machine with Xen, our manager in dom0, and guests. Stories follow each other in
# one machine; after one that failed the next gets a new one.
#   run.sh                 all stories
#   run.sh STORY...        some
#   run.sh --list          what there is
#   run.sh --install ...   also installs the Debian packages that this machine lacks
# XENLAB_CACHE    folder of the images            (target/images beside this script)
# XENLAB_RESULTS  folder for what stories leave   (target/results beside this script)
# XENLAB_ASSEMBLY the manager                      (karaf-assembly/target/karaf-assembly-*.tar.gz)
# XENLAB_ACCEL    kvm or tcg                      (kvm where it works)
# XENLAB_SECONDS  time limit of a story           (600)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XENLAB_CACHE:-$here/target/images}
results=${XENLAB_RESULTS:-$here/target/results}
limit=${XENLAB_SECONDS:-600}
assembly=${XENLAB_ASSEMBLY:-$(echo "$here"/../../karaf-assembly/target/karaf-assembly-*.tar.gz)}

die() {
    printf 'xenlab: %s\n' "$@" >&2
    exit 1
}

stories() {
    local story
    for story in "$here"/stories/*.sh; do
        basename "$story" .sh
    done
}

# The sentence at the top of a story.
purpose() {
    sed -n '2s/^# //p' "$here/stories/$1.sh"
}

# /dev/kvm alone says little: where machines are nested it may run simple programs, and not Xen.
kvm_works() {
    [ -w /dev/kvm ] || return 1
    timeout 30 qemu-system-x86_64 -accel kvm -cpu host -m 1024 -smp 2 -nodefaults -display none -no-reboot -monitor none \
        -serial "file:$work/kvm.log" -kernel "$cache/kernel/xen" -append "console=com1 com1=115200,8n1 dom0=pv" \
        -initrd "$cache/kernel/vmlinux console=hvc0 panic=1" </dev/null >/dev/null 2>&1
    grep -aq 'Linux version' "$work/kvm.log"
}

# Starts the manager in a folder, on this machine, and gives it its first orders; fails if its shell cannot be reached.
first_start() {
    local home=$1 end=$((SECONDS + 90)) port
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    export ORG_APACHE_KARAF_SHELL_SSHPORT=$port
    KARAF_EXEC=exec "$home/bin/karaf" server </dev/null >"$work/karaf.out" 2>&1 &
    karaf=$!
    until printf '%s\n' 'vtpm:create first' 'vtpm:delete first' 'feature:install vtpm-listener-xen' |
        "$home/bin/client" -b >"$work/client.out" 2>&1; do
        kill -0 "$karaf" 2>/dev/null && [ $SECONDS -lt $end ] || return 1
        sleep 1
    done
}

# The manager as it is built, as a disk. It has been started once on this machine, where Karaf's first start and the authority's
# key take seconds, and not minutes as under emulation; what is bound to this machine is left out.
build_product() {
    local home=$work/product attempt log
    [ -e "$assembly" ] || die "There is no $assembly. Build it with" \
        "    mvn -B -ntp -DskipTests -pl karaf-assembly -am package"
    # Once in many runs Karaf started, and nothing listened on the port of its shell, which another program may have taken.
    for attempt in first second; do
        mkdir "$home"
        tar -xzf "$assembly" -C "$home" --strip-components=1
        first_start "$home" && break
        log=$(tail -n 20 "$work/karaf.out" "$work/client.out" "$home/data/log/karaf.log" 2>&1)
        [ $attempt = first ] || die "The manager does not start on this machine:" "$log"
        echo "xenlab: the manager's shell could not be reached, so it is started anew: $log"
        kill -KILL "$karaf" 2>/dev/null
        wait "$karaf" 2>/dev/null
        rm -rf "$home"
    done
    local end=$((SECONDS + 60))
    kill "$karaf"
    while kill -0 "$karaf" 2>/dev/null; do
        [ $SECONDS -lt $end ] || die "The manager, process $karaf, does not stop."
        sleep 0.5
    done
    karaf=
    unset ORG_APACHE_KARAF_SHELL_SSHPORT
    # The stored configurations name folders of this machine; those in etc/ are read anew without them.
    rm -rf "$home"/data/cache/bundle*/data/config "$home"/data/{log,tmp} "$home"/{instances,lock,karaf.pid}
    mkdir -p "$home/data/tmp"
    mksquashfs "$home" "$work/product.squashfs" -comp lz4 -all-root -noappend -quiet -no-progress >/dev/null ||
        die "Cannot make a disk of the manager."
    rm -rf "$home"
}

# The machine, until it switches itself off.
machine() {
    local xen="console=com1 com1=115200,8n1 loglvl=warning guest_loglvl=warning dom0=pv dom0_mem=1280M,max:1280M"
    local dom0="console=hvc0 quiet loglevel=4 panic=5 mitigations=off audit=0"
    # Measures against faults of processors cost much under emulation, and protect nothing here.
    xen+=" xpti=no pv-l1tf=false spec-ctrl=no smep=0 smap=0 vpmu=0 watchdog=0"
    dom0+=" xenlab.seconds=$limit xenlab.clock=$(date +%s)"
    local processor=host
    # Emulated vector instructions are suspected of having crashed guests and JVMs.
    [ "$accel" = kvm ] || processor=max,xsave=off,avx=off,avx2=off,pku=off,mpx=off
    local virtio=disable-legacy=on,iommu_platform=on disk
    local devices=()
    for disk in "$cache/root/root.squashfs" "$cache/initramfs/guest.squashfs" "$work/product.squashfs"; do
        devices+=(-drive "file=$disk,format=raw,if=none,id=disk${#devices[@]},readonly=on,cache=unsafe"
            -device "virtio-blk-pci,drive=disk${#devices[@]},$virtio")
    done
    exec qemu-system-x86_64 -name xenlab -machine pc -accel "$accel" -cpu "$processor" -m 2304 -smp 2 \
        -nodefaults -no-user-config -display none -no-reboot -monitor none -serial "file:$results/console.log" \
        -kernel "$cache/kernel/xen" -append "$xen" \
        -initrd "$cache/kernel/vmlinux ${dom0//,/,,},$cache/initramfs/dom0.cpio" "${devices[@]}" \
        -fsdev "local,id=lab,path=$here,security_model=none,multidevs=remap,readonly=on" \
        -device "virtio-9p-pci,fsdev=lab,mount_tag=lab,$virtio" \
        -fsdev "local,id=results,path=$results,security_model=none,multidevs=remap" \
        -device "virtio-9p-pci,fsdev=results,mount_tag=results,$virtio" \
        -device "virtio-rng-pci,$virtio"
}

# Follows the machine's stories while it runs, and tells what they say. Leaves them in the arrays verdicts and lasted.
follow() {
    local story folder began tail
    for story in "$@"; do
        folder=$results/$story
        began=$SECONDS
        echo
        echo "$story: $(purpose "$story")"
        tail -n +1 -s 0.5 -f "$folder/story.log" &
        tail=$!
        # The machine ends its stories in time by itself; this is for one that hangs.
        until [ -e "$folder/status" ] || ! kill -0 "$qemu" 2>/dev/null || [ $((SECONDS - began)) -gt $((limit + 120)) ]; do
            sleep 0.5
        done
        sleep 1
        kill $tail
        wait $tail 2>/dev/null
        lasted[$story]=$((SECONDS - began))
        if [ "$(cat "$folder/status" 2>/dev/null)" = 0 ]; then
            verdicts[$story]=passed
            continue
        fi
        verdicts[$story]=FAILED
        if [ ! -e "$folder/status" ]; then
            echo "FAILED: the machine did not come to the end of this story; its console and QEMU's messages end with:"
            tail -n 20 "$results/console.log" "$results/qemu.log"
        fi
        cp "$results/console.log" "$folder/console.log"
        return
    done
}

install=()
if [ "${1:-}" = --install ]; then
    install=(--install)
    shift
fi
if [ "${1:-}" = --list ]; then
    stories | while read -r story; do
        printf '%-12s %s\n' "$story" "$(purpose "$story")"
    done
    exit
fi
chosen=("$@")
[ $# -gt 0 ] || mapfile -t chosen < <(stories)
for story in "${chosen[@]}"; do
    [ -e "$here/stories/$story.sh" ] || die "There is no story '$story'. There are: $(stories | tr '\n' ' ')"
done

bash "$here/build.sh" "${install[@]}" || exit 1
for tool in /usr/lib/jvm/java-17-*/bin/java; do
    [ -n "${JAVA_HOME:-}" ] || [ ! -x "$tool" ] || export JAVA_HOME=${tool%/bin/java}
done
work=$(mktemp -d "$cache/run.XXXXXX")
mkdir -p "$results"
qemu=
karaf=
cleanup() {
    [ -z "$qemu" ] || kill "$qemu" 2>/dev/null
    [ -z "$karaf" ] || kill "$karaf" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
accel=${XENLAB_ACCEL:-$(kvm_works && echo kvm || echo tcg)}
build_product

declare -A verdicts=() lasted=()
while :; do
    left=()
    for story in "${chosen[@]}"; do
        [ -n "${verdicts[$story]:-}" ] || left+=("$story")
    done
    [ ${#left[@]} -gt 0 ] || break
    for story in "${left[@]}"; do
        rm -rf "${results:?}/$story"
        mkdir "$results/$story"
        : >"$results/$story/story.log"
    done
    printf '%s\n' "${left[@]}" >"$results/stories"
    machine </dev/null >"$results/qemu.log" 2>&1 &
    qemu=$!
    follow "${left[@]}"
    # A machine whose story failed has nothing left to do; one that hangs is ended.
    for _ in $(seq 60); do
        kill -0 "$qemu" 2>/dev/null || break
        sleep 0.5
    done
    kill "$qemu" 2>/dev/null
    wait "$qemu" 2>/dev/null
    qemu=
done

passed=0
echo
echo "Stories of the Xen lab, with $accel; what each left is in its folder of $results"
for story in "${chosen[@]}"; do
    printf '  %-12s %s %5d s\n' "$story" "${verdicts[$story]}" "${lasted[$story]}"
    [ "${verdicts[$story]}" != passed ] || passed=$((passed + 1))
done
echo "$passed passed, $((${#chosen[@]} - passed)) failed"
[ $passed = ${#chosen[@]} ]
