#!/bin/bash
# A guest finds its virtual TPM by its kernel's driver, and uses it: PCRs, random numbers, NV.
. /lab/lib.sh

lab_begin
uuid=$(instance_create boot)
stage "an instance is created"
guest_configure g1 "$(vtpm "$uuid")"
guest_create g1
stage "xl create"
guest_wait g1
stage "the guest is up"

expect_equal "The device's family in the guest" 1 "$(in_guest g1 'cat /sys/class/tpm/tpm0/tpm_version_major')"
expect_match "The PCRs that the guest's kernel reads" '^PCR-10: (00 ){19}00' "$(in_guest g1 'cat /sys/class/tpm/tpm0/device/pcrs')"
stage "the guest's kernel reads PCRs"

random=$(in_guest g1 'tpm_random 16')
expect_match "Random bytes" '^[0-9a-f]{32}$' "$random"
expect_different "Random bytes" "$random" "$(in_guest g1 'tpm_random 16')"
measured=$(printf abc | sha1sum | cut -c1-40)
expect_equal "PCR 10 after a measurement" "$(extended "$zeros" "$measured")" "$(in_guest g1 "tpm_extend 10 $measured")"
expect_equal "PCR 10 read again" "$(extended "$zeros" "$measured")" "$(in_guest g1 'tpm_pcr 10')"
stage "random numbers and a measurement"

in_guest g1 'tpm_nv_define 00011101 16'
in_guest g1 'tpm_nv_write 00011101 00112233445566778899aabbccddeeff'
expect_equal "NV" 00112233445566778899aabbccddeeff "$(in_guest g1 'tpm_nv_read 00011101 16')"
stage "NV defined, written, read"

expect_match "The manager's list" 'boot +\| RUNNING' "$(shell vtpm:list)"
guest_destroy g1
eventually 30 "The instance is powered off" instance_is boot STOPPED
stage "the guest is gone"
