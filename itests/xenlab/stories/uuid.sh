#!/bin/bash
# A uuid that no instance has makes a TPM, and the next boot finds it; where the operator refuses such uuids, only who has one is refused.
. /lab/lib.sh

uuid=0dd0dd00-0000-4000-8000-000000000001
stranger=0dd0dd00-0000-4000-8000-000000000002

lab_begin
guest_configure g1 "$(vtpm "$uuid")"
guest_create g1
stage "xl create of a guest with a uuid that no instance has"
guest_wait g1
expect_match "The new instance" "\"uuid\": \"$uuid\"" "$(shell 'vtpm:show g1 --json')"
in_guest g1 'tpm_nv_define 00011108 4'
in_guest g1 'tpm_nv_write 00011108 ab1dab1d'
endorsement_key=$(in_guest g1 tpm_ek)
stage "it has a TPM, which is written to"

guest_destroy g1
eventually 30 "The instance is powered off" instance_is g1 STOPPED
guest_create g1
guest_wait g1
expect_equal "NV at the next boot" ab1dab1d "$(in_guest g1 'tpm_nv_read 00011108 4')"
expect_equal "The endorsement key at the next boot" "$endorsement_key" "$(in_guest g1 tpm_ek)"
expect_equal "Warnings of a new instance for g1" 1 \
    "$(grep -c "was created for guest g1 .* no instance had the uuid $uuid" "$manager/data/log/karaf.log")"
stage "the next boot has the same TPM"

listener_set unknown refuse
reason="no instance has the uuid $stranger; vtpm:create one with --uuid"
guest_configure g2 "$(vtpm "$stranger")"
xl create /root/g2.cfg >/tmp/xl-create-g2.log 2>&1 &
creation=$!
xenstore_has_reason() {
    xenstore-ls -f /local/domain/0/error/backend/vtpm | grep -qF "19 $reason"
}
eventually 60 "XenStore says why the device is refused" xenstore_has_reason
expect_match "What vtpm:xen says" "xen:[0-9]+/0 does not work: $reason" "$(shell vtpm:xen)"
status=0
wait $creation || status=$?
expect_different "The status of xl create for a guest whose TPM is refused" 0 $status
eventually 30 "The guest that xl gave up is gone" guest_gone g2
expect_match "The log" "The TPM device xen:[0-9]+/0 of guest g2 does not work: $reason" "$(cat "$manager/data/log/karaf.log")"
stage "a guest with another such uuid is refused"

expect_equal "Instances with the refused uuid" "" "$(shell vtpm:list | grep -E "^g2 |$stranger" || true)"
expect_equal "NV of the guest that has its TPM" ab1dab1d "$(in_guest g1 'tpm_nv_read 00011108 4')"
guest_configure g2
guest_create g2
guest_wait g2
expect_equal "TPMs of a guest without the line" 0 "$(in_guest g2 'ls /sys/class/tpm | wc -l')"
stage "it boots without the line, and the other guest has noticed nothing"
listener_set unknown create
guest_destroy g2
guest_destroy g1
