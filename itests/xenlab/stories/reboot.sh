#!/bin/bash
# A guest that reboots keeps its NV and its endorsement key, and finds its PCRs reset.
. /lab/lib.sh

lab_begin
uuid=$(instance_create reboot)
guest_configure g1 "$(vtpm "$uuid")"
guest_create g1
guest_wait g1
stage "the guest is up"

in_guest g1 'tpm_nv_define 00011102 4'
in_guest g1 'tpm_nv_write 00011102 cafe0001'
endorsement_key=$(in_guest g1 tpm_ek)
expect_match "The modulus of the endorsement key" '^[0-9a-f]{512}$' "$endorsement_key"
expect_different "PCR 12 after a measurement" "$zeros" "$(in_guest g1 "tpm_extend 12 $zeros")"
stage "NV written, a PCR extended"

guest_send g1 'reboot -f' >/dev/null
guest_wait g1
stage "the guest has rebooted"
expect_equal "NV after the reboot" cafe0001 "$(in_guest g1 'tpm_nv_read 00011102 4')"
expect_equal "The endorsement key after the reboot" "$endorsement_key" "$(in_guest g1 tpm_ek)"
expect_equal "PCR 12 after the reboot" "$zeros" "$(in_guest g1 'tpm_pcr 12')"
stage "NV and EK kept, PCRs reset"
guest_destroy g1
