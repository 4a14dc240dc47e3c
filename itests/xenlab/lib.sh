# What stories are told with. A story sources this file, in dom0. A step that fails ends it.
set -euE
trap 'echo "FAILED: ${BASH_SOURCE[0]##*/} line $LINENO: $BASH_COMMAND" >&2' ERR

manager=/opt/vtpm
# What starts quickest where every instruction is emulated: no verification of byte code, and little compiled, for code that
# changes must be translated again.
manager_java_options="-XX:TieredStopAtLevel=1 -XX:CompileThresholdScaling=30 -XX:+UseSerialGC"
manager_java_options+=" -XX:-BytecodeVerificationRemote -XX:-UsePerfData -Xms192m"

uptime_seconds() {
    cut -d' ' -f1 /proc/uptime
}
stage_began=$(uptime_seconds)

# stage NAME: names what was just done and says how long it took.
stage() {
    local now
    now=$(uptime_seconds)
    awk -v now="$now" -v began="$stage_began" -v name="$1" \
        'BEGIN { printf "[%7.1f s] %-52s %6.1f s\n", now, name, now - began }'
    printf '%s\t%s\n' "$1" "$(awk -v a="$now" -v b="$stage_began" 'BEGIN { printf "%.1f", a - b }')" >>"$RESULTS/timings.tsv"
    stage_began=$now
}

fail() {
    echo "FAILED: $*" >&2
    trap - ERR
    exit 1
}

# expect_equal WHAT EXPECTED ACTUAL
expect_equal() {
    [ "$2" = "$3" ] || fail "$1: expected '$2', but it is '$3'"
}

# expect_match WHAT PATTERN ACTUAL: the pattern is an extended regular expression.
expect_match() {
    grep -qE -- "$2" <<<"$3" || fail "$1: expected to match '$2', but it is '$3'"
}

# expect_different WHAT UNEXPECTED ACTUAL
expect_different() {
    [ "$2" != "$3" ] || fail "$1: expected something else than '$2'"
}

zeros=$(printf %040d 0)

# extended VALUE DIGEST: a PCR of that value after the digest was measured into it.
extended() {
    printf %s "$1$2" | busybox xxd -r -p | sha1sum | cut -c1-40
}

# eventually SECONDS WHAT COMMAND...: waits until the command succeeds.
eventually() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "$what (waited for it until $SECONDS s)"
        sleep 1
    done
}

# lab_begin: what every story begins with: a manager that answers, and no guest.
lab_begin() {
    local guest
    for guest in $(xl list | awk 'NR > 2 { print $1 }'); do
        guest_destroy "$guest"
    done
    stage "dom0 is up"
    if ! manager_runs; then
        manager_start
        stage "the manager is up"
    fi
}

# --- the manager --------------------------------------------------------------------------------------------------------

# manager_start: starts it and waits until it answers.
manager_start() {
    # What an earlier start said must not pass for this one's.
    [ ! -e "$manager/data/log/karaf.log" ] || mv "$manager/data/log/karaf.log" "$RESULTS/karaf-$(date +%H%M%S).log"
    if [ ! -e /root/.ssh/id_ecdsa ]; then
        mkdir -p -m 700 /root/.ssh
        ssh-keygen -q -t ecdsa -b 256 -N '' -f /root/.ssh/id_ecdsa
        # The user of this key is one of Karaf's administrators; a client by ssh is much quicker than bin/client, a JVM.
        printf '%s\n' "lab=$(cut -d' ' -f2 /root/.ssh/id_ecdsa.pub),_g_:admingroup" \
            '_g_\:admingroup = group,admin,manager,viewer,systembundles,ssh' >"$manager/etc/keys.properties"
        chmod 600 "$manager/etc/keys.properties"
    fi
    JAVA_HOME=$(echo /usr/lib/jvm/java-17-openjdk-*) EXTRA_JAVA_OPTS=$manager_java_options KARAF_EXEC=exec \
        setsid "$manager/bin/karaf" server </dev/null >>"$RESULTS/karaf.out" 2>&1 &
    echo $! >/run/manager.pid
    manager_wait
}

# A client that asks before there is an answer costs much time under emulation, so the log is looked at first.
manager_wait() {
    eventually 400 "The manager starts" grep -q 'vTPM manager started' "$manager/data/log/karaf.log"
    eventually 120 "The manager's shell answers" shell vtpm:list
}

manager_pid() {
    cat /run/manager.pid
}

manager_runs() {
    [ -e /run/manager.pid ] && kill -0 "$(manager_pid)" 2>/dev/null
}

manager_is_dead() {
    ! manager_runs
}

manager_kill() {
    kill -9 "$(manager_pid)"
}

# shell COMMAND: one line for Karaf's shell.
shell() {
    timeout 120 ssh -q -p 8101 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes \
        -i /root/.ssh/id_ecdsa lab@127.0.0.1 "$1" </dev/null | sed 's/\x1b\[[0-9;]*m//g'
    return "${PIPESTATUS[0]}"
}

times_serving() {
    grep -c 'Serving the TPM devices' "$manager/data/log/karaf.log" || true
}

serves_anew() {
    [ "$(times_serving)" -gt "$1" ]
}

# listener_set KEY VALUE: changes the configuration of the listener for Xen, and waits until it serves by that.
listener_set() {
    local before
    before=$(times_serving)
    shell "config:property-set -p org.vtpm.listener.xen $1 $2"
    eventually 60 "The listener serves with $1 = $2" serves_anew "$before"
}

# instance_create NAME [OPTION...]: prints its UUID.
instance_create() {
    shell "vtpm:create $*" | awk '$1 == "uuid" { print $2 }'
}

# instance_is NAME STATE
instance_is() {
    shell vtpm:list | awk -v name="$1" -v state="$2" '$1 == name { found = $3 == state } END { exit !found }'
}

# --- guests -------------------------------------------------------------------------------------------------------------

declare -A ready_lines=()

console_of() {
    tr -d '\r' 2>/dev/null <"/var/log/xen/console/guest-$1.log" || true
}

# guest_configure NAME [LINE...]: writes what xl needs; more lines of its configuration may follow.
guest_configure() {
    cat >"/root/$1.cfg" <<END
name = "$1"
type = "pv"
kernel = "/guest/vmlinux"
ramdisk = "/guest/initramfs"
memory = 256
vcpus = 1
on_poweroff = "destroy"
on_reboot = "restart"
on_crash = "destroy"
extra = "console=hvc0 panic=1 mitigations=off"
END
    printf '%s\n' "${@:2}" >>"/root/$1.cfg"
}

# For the program frontend in the place of the kernel's driver: a line of a guest's configuration.
without_driver='extra = "console=hvc0 panic=1 mitigations=off xenlab.notpm"'

# vtpm UUID: the line of a guest's configuration that gives it a virtual TPM.
vtpm() {
    echo "vtpm = [ 'backend=0,uuid=$1' ]"
}

# guest_with_trousers NAME: adds TrouSerS and tpm-tools, as they are in dom0's root, to what a configured guest boots.
guest_with_trousers() {
    local root=/tmp/trousers file
    if [ ! -e "$root.initramfs" ]; then
        # glibc loads libgcc_s when tcsd ends the thread of its first client, and aborts where it is missing.
        for file in /usr/sbin/tcsd /usr/sbin/tpm_* /lib/x86_64-linux-gnu/libgcc_s.so.1 \
            $(ldd /usr/sbin/tcsd /usr/sbin/tpm_nvread | grep -o '/[^ :]* ' | sort -u); do
            mkdir -p "$root${file%/*}"
            cp -L "$file" "$root$file"
        done
        # tcsd insists on the owner and mode of its configuration.
        mkdir -p "$root/etc" "$root/var/lib/tpm"
        cp -p /etc/tcsd.conf /etc/passwd /etc/group /etc/nsswitch.conf "$root/etc/"
        echo '127.0.0.1 localhost' >"$root/etc/hosts"
        cp /guest/initramfs "$root.initramfs"
        (cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) >>"$root.initramfs"
    fi
    sed -i "s|^ramdisk = .*|ramdisk = \"$root.initramfs\"|" "/root/$1.cfg"
}

guest_create() {
    ready_lines[$1]=$(ready_count "$1")
    xl create "/root/$1.cfg" >"/tmp/xl-create-$1.log" 2>&1 || fail "xl creates guest $1: $(cat "/tmp/xl-create-$1.log")"
}

# How often a guest of that name has booted. Its console's log is one file for all of them.
ready_count() {
    console_of "$1" | grep -c '^xenlab-ready' || true
}

has_more_ready_lines() {
    [ "$(ready_count "$1")" -gt "${ready_lines[$1]}" ]
}

# guest_wait NAME: until it has booted, once more than when this was called last.
guest_wait() {
    eventually 180 "Guest $1 boots to its shell" has_more_ready_lines "$1"
    ready_lines[$1]=$(ready_count "$1")
    guest_locate "$1"
}

# guest_locate NAME: finds its console, which is another one after the guest was restored.
guest_locate() {
    xenstore-read "/local/domain/$(xl domid "$1")/console/tty" >"/run/guest-$1.tty"
}

guest_gone() {
    ! xl domid "$1" >/dev/null 2>&1
}

guest_destroy() {
    xl destroy "$1"
    eventually 60 "Guest $1 is gone" guest_gone "$1"
}

# guest_send NAME LINE: has the guest carry out a line, without waiting for it; prints the line's number.
guest_send() {
    local number=${EPOCHREALTIME/[.,]/}
    printf '%s %s\n' "$number" "$2" >"$(cat "/run/guest-$1.tty")"
    echo "$number"
}

# guest_answer NAME NUMBER [SECONDS]: waits for the end of a line, prints what it printed, returns its status.
guest_answer() {
    local end=$((SECONDS + ${3:-60}))
    until grep -q "^xenlab-end $2 " "/var/log/xen/console/guest-$1.log"; do
        [ $SECONDS -lt $end ] || fail "Guest $1 carries out line $2 within ${3:-60} s: $(console_of "$1" | grep -A 9 "^xenlab-begin $2")"
        sleep 0.3
    done
    console_of "$1" | awk -v number="$2" '
        $1 == "xenlab-end" && $2 == number { exit $3 }
        begun { print }
        $1 == "xenlab-begin" && $2 == number { begun = 1 }'
}

# guest_try NAME LINE [SECONDS]: has the guest carry out a line, prints what it printed, returns its status.
guest_try() {
    local number
    number=$(guest_send "$1" "$2")
    guest_answer "$1" "$number" "${3:-60}"
}

# in_guest NAME LINE [SECONDS]: the same for a line that must succeed.
in_guest() {
    local output
    output=$(guest_try "$@") || fail "Guest $1 carries out: $2: it ended with status $? and '$output'"
    [ -z "$output" ] || printf '%s\n' "$output"
}
