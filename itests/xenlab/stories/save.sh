#!/bin/bash
# A guest is saved to a file and restored: with its TPM suspended before, its PCRs go on; without, only NV and keys do.
. /lab/lib.sh

guest_answers() {
    guest_try g1 'tpm_random 8 2>/dev/null'
}

save_and_restore() {
    xl save g1 /tmp/g1.saved 2>/tmp/xl-save.log || fail "xl saves guest g1: $(cat /tmp/xl-save.log)"
    stage "saved, $(stat -c %s /tmp/g1.saved) bytes"
    eventually 30 "Guest g1 is gone" guest_gone g1
    xl restore /tmp/g1.saved 2>/tmp/xl-restore.log || fail "xl restores guest g1: $(cat /tmp/xl-restore.log)"
    guest_locate g1
    stage "restored"
    eventually 100 "The guest's TPM answers again" guest_answers
    expect_equal "NV after the guest was restored" 5afe5afe "$(in_guest g1 'tpm_nv_read 00011106 4')"
    expect_equal "The endorsement key after the guest was restored" "$endorsement_key" "$(in_guest g1 tpm_ek)"
}

lab_begin
uuid=$(instance_create save)
guest_configure g1 "$(vtpm "$uuid")"
guest_create g1
guest_wait g1
in_guest g1 'tpm_nv_define 00011106 4'
in_guest g1 'tpm_nv_write 00011106 5afe5afe'
pcr=$(in_guest g1 "tpm_extend 13 $zeros")
endorsement_key=$(in_guest g1 tpm_ek)
stage "NV written, a PCR extended"

shell 'vtpm:suspend save'
stage "vtpm:suspend"
save_and_restore
expect_equal "PCR 13 after the guest and its TPM were suspended" "$pcr" "$(in_guest g1 'tpm_pcr 13')"
stage "PCRs, NV and endorsement key are as they were"

save_and_restore
expect_equal "PCR 13 after the guest alone was suspended" "$zeros" "$(in_guest g1 'tpm_pcr 13')"
stage "NV and endorsement key are as they were, PCRs reset"
guest_destroy g1
