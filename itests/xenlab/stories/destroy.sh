#!/bin/bash
# A guest is destroyed while its TPM makes a key: the domain goes at once, nothing is held, and the next guest gets the TPM.
. /lab/lib.sh

lab_begin
uuid=$(instance_create destroy --no-ek)
guest_configure g1 "$(vtpm "$uuid")"
guest_create g1
guest_wait g1
stage "the guest is up"

# TPM_CreateEndorsementKeyPair for RSA with 2048 bits takes seconds.
guest_send g1 "tpm_command 00000078 ${zeros}00000001000300010000000c000008000000000200000000" >/dev/null
sleep 1
guest_destroy g1
expect_equal "Domains beside dom0, which a page that is still mapped would keep" "" "$(xl list | awk 'NR > 2')"
stage "the guest is destroyed"

eventually 60 "The instance is powered off" instance_is destroy STOPPED
guest_create g1
guest_wait g1
expect_match "Random bytes of the next guest" '^[0-9a-f]{40}$' "$(in_guest g1 'tpm_random 20')"
stage "the next guest works"
guest_destroy g1
