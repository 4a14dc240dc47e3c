#!/bin/bash
# A guest breaks every rule of the ring and of xenstore: the manager and another guest notice nothing.
. /lab/lib.sh

lab_begin
guest_configure good "$(vtpm "$(instance_create hostile-good)")"
evil=$(instance_create hostile-evil)
guest_configure evil "$(vtpm "$evil")" 'extra = "console=hvc0 panic=1 mitigations=off xenlab.notpm"'
guest_create good
guest_create evil
guest_wait good
guest_wait evil
in_guest good 'tpm_nv_define 00011107 4'
expected=$(in_guest good "tpm_extend 14 $zeros")
stage "both guests are up"

# The good guest works all the time; each attack is followed by a check that it was not disturbed.
unharmed() {
    manager_runs || fail "The manager survives: $1"
    expect_equal "PCR 14 of the good guest after: $1" "$expected" "$(in_guest good 'tpm_pcr 14')"
    expected=$(extended "$expected" "$zeros")
    expect_equal "The good guest's measurement after: $1" "$expected" "$(in_guest good "tpm_extend 14 $zeros")"
    stage "$1"
}

random=00c10000000e0000004600000008
attack() {
    guest_try evil "frontend $2" 200 || echo "         the hostile guest's program ended with status $?"
    unharmed "$1"
}

answer=$(in_guest evil "frontend connect command $random")
expect_match "The hostile guest's TPM by the rules" '^00c40000001600000000' "$answer"
stage "the hostile guest speaks by the rules first"
attack "lengths that do not fit" "connect $(printf ' header %s answer' ffffffff01000000 0000000001000000 f90f000001000000 0a00000001ff00ff f80f000001000001)"
attack "garbage in the page" "connect garbage 200"
attack "a flood of events" "connect flood 20000 command $random"
attack "a length and a packet that change after they were submitted" "connect race $random 100"
attack "nodes of xenstore that make no sense" "connect set ring-ref garbage set state 3 sleep 500 set ring-ref 4294967295 set event-channel -1 set state 4 sleep 500 set state 99 set state 1 sleep 500 set ring-ref 8 set event-channel 1 set state 3 sleep 1000"
attack "states in a row" "connect$(for _ in $(seq 30); do printf ' set state 5 set state 6 set state 1 set state 3 set state 4'; done) sleep 1000"
attack "somebody else's device" "connect set backend /local/domain/0/backend/vtpm/$(xl domid good)/0 set state 3 sleep 1000 set backend /local/domain/0/backend/vtpm/$(xl domid evil)/0"

guest_destroy evil
unharmed "the hostile guest is destroyed"
guest_configure evil "$(vtpm "$evil")"
guest_create evil
guest_wait evil
expect_match "Random bytes of a guest in the hostile one's place" '^[0-9a-f]{40}$' "$(in_guest evil 'tpm_random 20')"
unharmed "its TPM serves a new guest"
