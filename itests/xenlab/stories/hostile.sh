#!/bin/bash
# A guest breaks every rule of the ring and of xenstore: the manager and another guest notice nothing.
. /lab/lib.sh

lab_begin
guest_configure good "$(vtpm "$(instance_create hostile-good)")"
evil=$(instance_create hostile-evil)
guest_configure evil "$(vtpm "$evil")" "$without_driver"
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
# Answers by the rules, as patterns: random numbers, and refusals that the listener gives itself.
random_numbers='00c4000000160000000000000008[0-9a-f]{16}'
bad_size=00c40000000a00000019
bad_tag=00c40000000a0000001e
bad_locality=00c40000000a0000003d

# page_with LOCALITY EXTRA REFUSAL: the page's header after such a request was refused, and the refusal.
page_with() {
    echo "0a00000002${1}00$2$3"
}

# attack WHAT STEPS [PATTERN]: has the hostile guest do it, and compares what it prints, lines with spaces between them.
attack() {
    local answers
    answers=$(in_guest evil "frontend $2" 200 | xargs)
    expect_match "What the hostile guest gets for: $1" "^${3:-}\$" "$answers"
    unharmed "$1"
}

# What operators are told of the hostile guest's device.
reported() {
    xenstore-read "/local/domain/0/error/backend/vtpm/$(xl domid evil)/0/error"
}

attack "a request by the rules" "connect command $random" "$random_numbers"
attack "lengths that do not fit" \
    "connect$(printf ' header %s answer' ffffffff01000000 0000000001000000 0900000001000000 f90f000001000000 "0f00000001000000$random")" \
    "$(page_with 00 00 $bad_size)( $(page_with 00 00 $bad_size)){4}"
attack "extra pages" "connect header 0a00000001ff00ff answer header f80f000001000001 answer" \
    "$(page_with ff ff $bad_size) $(page_with 00 01 $bad_size)"
attack "localities of the hardware" "connect header 0e00000001030000$random answer header 0e00000001ff0000$random answer" \
    "$(page_with 03 00 $bad_locality) $(page_with ff 00 $bad_locality)"
attack "commands of managers" "connect command 01c10000000a00000002 command 01c20000000a02000101" "$bad_tag $bad_tag"
attack "garbage in the page" "connect garbage 200"
attack "a flood of events" "connect flood 20000 command $random" "$random_numbers"
attack "a length and a packet that change after they were submitted" "connect race $random 100"
attack "a connection without a page" "connect set ring-ref garbage set state 3 wait 6"
expect_equal "What is reported of it" "19 the frontend gave no ring-ref or event-channel" "$(reported)"
attack "nodes of xenstore that make no sense" "set ring-ref 4294967295 set event-channel -1 set state 4 sleep 500 set state 99 set state 1 wait 2"
attack "somebody else's event channel" "set ring-ref 8 set event-channel 1 set state 3 wait 6"
expect_match "What is reported of it" '^19 Cannot (map|bind) ' "$(reported)"
attack "a request by the rules after all that" "set state 6 connect command $random" "$random_numbers"
expect_equal "What is reported when it works again" "" "$(reported 2>/dev/null || true)"
attack "states in a row" "connect$(for _ in $(seq 30); do printf ' set state 5 set state 6 set state 1 set state 3 set state 4'; done) sleep 1000"
attack "somebody else's device" "connect set backend /local/domain/0/backend/vtpm/$(xl domid good)/0 set state 3 sleep 1000 set backend /local/domain/0/backend/vtpm/$(xl domid evil)/0"
expect_equal "Lines of the log that repeat what the guest wrote" "" "$(grep garbage "$manager/data/log/karaf.log" || true)"

guest_destroy evil
unharmed "the hostile guest is destroyed"
guest_configure evil "$(vtpm "$evil")"
guest_create evil
guest_wait evil
expect_match "Random bytes of a guest in the hostile one's place" '^[0-9a-f]{40}$' "$(in_guest evil 'tpm_random 20')"
unharmed "its TPM serves a new guest"
