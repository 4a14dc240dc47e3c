#!/bin/bash
# A guest gets a virtual TPM while it runs, loses it, and finds its state when it gets it again.
. /lab/lib.sh

lab_begin
uuid=$(instance_create attach)
guest_configure g1
guest_create g1
guest_wait g1
expect_equal "Devices of a guest without TPM" 0 "$(in_guest g1 'ls /sys/class/tpm | wc -l')"
stage "a guest without TPM is up"

guest_has_device() {
    guest_try g1 '[ -c /dev/tpm* ]'
}
guest_has_no_device() {
    ! guest_has_device
}

xl vtpm-attach g1 "uuid=$uuid" backend=0
eventually 60 "The guest finds the TPM that was attached" guest_has_device
stage "attached"
in_guest g1 'tpm_nv_define 00011104 2'
in_guest g1 'tpm_nv_write 00011104 beef'
stage "NV written"

xl vtpm-detach g1 "$uuid"
eventually 60 "The guest has lost the TPM that was detached" guest_has_no_device
eventually 30 "The instance is powered off" instance_is attach STOPPED
expect_equal "Nodes of the device after it was detached" "" \
    "$(xenstore-list "/local/domain/0/backend/vtpm/$(xl domid g1)" 2>/dev/null || true)"
stage "detached"

xl vtpm-attach g1 "uuid=$uuid" backend=0
eventually 60 "The guest finds the TPM again" guest_has_device
expect_equal "NV after the TPM came back" beef "$(in_guest g1 'tpm_nv_read 00011104 2')"
stage "attached again"
guest_destroy g1
eventually 30 "The instance is powered off" instance_is attach STOPPED
