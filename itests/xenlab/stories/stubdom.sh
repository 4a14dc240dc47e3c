#!/bin/bash
# Domains that are TPMs themselves keep their keys with the manager and find them again; a guest reaches no key by their commands.
. /lab/lib.sh

one=57b0d000-0000-4000-8000-000000000001
two=57b0d000-0000-4000-8000-000000000002
key_of_one=$(printf 'a7%.0s' {1..52})
key_of_two=$(printf 'b8%.0s' {1..64})
# Commands as vtpm-stubdom sends them.
load=01c10000000a00000002
random=00c10000000e0000004600000008
save() {
    printf '01c1%08x00000001%s' $((10 + ${#1} / 2)) "$1"
}
succeeded=01c40000000a00000000
never_saved=01c40000000a00000003
loaded() {
    printf '01c4%08x00000000%s' $((10 + ${#1} / 2)) "$1"
}

# ask NAME COMMAND...: the answers, a line each.
ask() {
    in_guest "$1" "frontend connect$(printf ' command %s' "${@:2}")"
}

tpm_domain() {
    guest_configure "$1" "$(vtpm "$2")" "$without_driver"
    guest_create "$1"
    guest_wait "$1"
}

lab_begin
listener_set stubdoms "$one,$two"
stage "the listener knows two TPMs in domains of their own"
tpm_domain tpm1 "$one"
stage "the first one's domain is up"
expect_equal "The first key, before and after it was saved" "$never_saved $succeeded $(loaded "$key_of_one")" \
    "$(ask tpm1 $load "$(save "$key_of_one")" $load | xargs)"
expect_match "Random numbers of the host" '^00c40000001600000000' "$(ask tpm1 $random)"
expect_equal "GET_BOOT_HASH without a label, an administrator's command, TPM_OwnerClear" \
    "01c40000000a00000003 01c50000000a00000001 00c40000000a00000008" \
    "$(ask tpm1 01c10000000a00000003 01c20000000a02000101 00c10000000a0000005b | xargs)"
stage "its key is saved, and what it may not is refused"

tpm_domain tpm2 "$two"
expect_equal "The second key, before and after it was saved" "$never_saved $succeeded $(loaded "$key_of_two")" \
    "$(ask tpm2 $load "$(save "$key_of_two")" $load | xargs)"
stage "the second one has a key of its own"
guest_destroy tpm1
tpm_domain tpm1 "$one"
expect_equal "The first key in a new domain" "$(loaded "$key_of_one")" "$(ask tpm1 $load)"
stage "the first one's domain is made anew, and finds its key"
expect_match "The list of devices" "xen:[0-9]+/0 .*tpm1 .*key of $one" "$(shell vtpm:xen)"
expect_equal "Who has a key" "$one $two" "$(shell 'vtpm:legacy keys' | grep -oE '[0-9a-f]{8}-[0-9a-f-]{27}' | xargs)"
guest_destroy tpm2

guest_configure g1 "$(vtpm "$(instance_create stubdom-guest)")" "$without_driver"
guest_create g1
guest_wait g1
for command in $load "$(save "$key_of_two")" 01c10000000a00000003 01c20000000a02000101; do
    expect_equal "A guest's command ${command:0:20}" 00c40000000a0000001e "$(ask g1 "$command")"
done
expect_match "A guest's TPM" '^00c40000001600000000' "$(ask g1 $random)"
expect_equal "The first key after a guest tried" "$(loaded "$key_of_one")" "$(ask tpm1 $load)"
expect_match "The log" 'Guest xen:[0-9]+/0 sent a request that was refused: tag 0x01C1' "$(cat "$manager/data/log/karaf.log")"
stage "a guest is refused"
guest_destroy g1
guest_destroy tpm1
