#!/bin/bash
# The manager is killed while a guest works, and started again: the guest goes on by itself, and what its TPM acknowledged is there.
. /lab/lib.sh

# Counts in NV and asks for random numbers until it is told to stop; a command that fails is tried again.
work='work() { n=0; failed=0; while [ ! -e /tmp/stop ]; do n=$((n + 1)); tpm_random 20 >/dev/null 2>&1 || failed=$((failed + 1)); '
work+='[ $((n % 4)) != 0 ] || ! tpm_nv_write 00011105 $(printf %08x $n) 2>/dev/null || echo $(printf %08x $n) >/tmp/written; sleep 0.2; done; echo $n $failed; }; work &'

lab_begin
uuid=$(instance_create kill)
guest_configure g1 "$(vtpm "$uuid")"
guest_create g1
guest_wait g1
endorsement_key=$(in_guest g1 tpm_ek)
in_guest g1 'tpm_nv_define 00011105 4'
in_guest g1 "$work" >/dev/null
stage "the guest works"

sleep 15
manager_kill
eventually 20 "The manager is dead" manager_is_dead
stage "the manager is killed"
sleep 5
manager_start
stage "the manager is up again"

guest_answers() {
    guest_try g1 'tpm_random 8 2>/dev/null' 120
}
eventually 200 "The guest's TPM answers again" guest_answers
stage "the guest's TPM answers again"
in_guest g1 'touch /tmp/stop; sleep 5; wait' 120 >/dev/null
# A write may have been carried out and not acknowledged, so the count may be ahead, never behind.
written=$(in_guest g1 'cat /tmp/written')
stored=$(in_guest g1 'tpm_nv_read 00011105 4')
[ $((16#$stored)) -ge $((16#$written)) ] || fail "NV holds $stored, which is older than $written, which was acknowledged"
expect_equal "The endorsement key" "$endorsement_key" "$(in_guest g1 tpm_ek)"
stage "nothing acknowledged is lost: $written of $stored"
guest_destroy g1
