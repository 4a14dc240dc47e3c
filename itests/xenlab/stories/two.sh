#!/bin/bash
# Two guests work at the same time and never see anything of each other's TPM.
. /lab/lib.sh

# What one guest does: each round measures into PCR 11, asks for a random number and writes NV, and stops at the first
# surprise. The PCR's value is kept in a file, so that every answer is checked.
rounds=10
work() {
    cat <<END
echo $zeros >/tmp/pcr; round=0; while [ \$round -lt $rounds ]; do round=\$((round + 1)); \
digest=\$(echo $1 \$round | sha1sum | cut -c1-40); \
expected=\$(echo \$(cat /tmp/pcr)\$digest | xxd -r -p | sha1sum | cut -c1-40); \
actual=\$(tpm_extend 11 \$digest) && [ \$actual = \$expected ] || { echo "PCR 11 is \$actual, not \$expected"; return 1; }; echo \$actual >/tmp/pcr; \
tpm_random 20 >/dev/null && tpm_nv_write 00011103 $1\$(printf %04x \$round) || return 1; \
actual=\$(tpm_nv_read 00011103 4); [ \$actual = $1\$(printf %04x \$round) ] || { echo "NV is \$actual"; return 1; }; \
done; echo \$round rounds
END
}

lab_begin
declare -A line=()
mark=(aaaa bbbb)
for i in 0 1; do
    guest_configure "g$i" "$(vtpm "$(instance_create "two$i")")"
    guest_create "g$i"
done
for i in 0 1; do
    guest_wait "g$i"
done
stage "both guests are up"

for i in 0 1; do
    in_guest "g$i" 'tpm_nv_define 00011103 4'
done
# Functions of the guest's shell may return, lines may not.
for i in 0 1; do
    line[$i]=$(guest_send "g$i" "work() { $(work "${mark[$i]}"); }; work")
done
for i in 0 1; do
    expect_equal "The work of guest g$i" "$rounds rounds" "$(guest_answer "g$i" "${line[$i]}" 200)"
done
stage "$rounds rounds in both"

for i in 0 1; do
    expect_equal "NV of guest g$i" "${mark[$i]}$(printf %04x $rounds)" "$(in_guest "g$i" 'tpm_nv_read 00011103 4')"
done
expect_different "Endorsement keys" "$(in_guest g0 tpm_ek)" "$(in_guest g1 tpm_ek)"
expect_different "PCR 11 of both" "$(in_guest g0 'tpm_pcr 11')" "$(in_guest g1 'tpm_pcr 11')"
stage "state compared"

guest_destroy g0
expect_match "Random bytes of a guest after the other has gone" '^[0-9a-f]{40}$' "$(in_guest g1 'tpm_random 20')"
guest_destroy g1
stage "one goes, the other works on"
