#!/bin/bash
# TrouSerS and tpm-tools of Debian take ownership of a guest's virtual TPM, keep a secret in its NV, and find both after a reboot.
. /lab/lib.sh

# Its log is buffered; its port tells that it serves.
start_tcsd() {
    # It gives up root before it opens the device.
    in_guest g1 'chown $(grep ^tss: /etc/passwd | cut -d: -f3) /dev/tpm0 && tcsd'
    in_guest g1 'n=0; until netstat -ltn | grep -q :30003; do n=$((n + 1)); [ $n -lt 100 ]; sleep 0.3; done' 60
}

read_secret() {
    in_guest g1 'tpm_nvread -i 0x00011109 -s 16 -f /tmp/read -z >/dev/null && cat /tmp/read && echo' 120
}

lab_begin
uuid=$(instance_create trousers)
guest_configure g1 "$(vtpm "$uuid")"
guest_with_trousers g1
guest_create g1
guest_wait g1
stage "a guest with TrouSerS is up"
start_tcsd
stage "tcsd serves"

# It prints more behind the vendor's four letters, whatever lies there in its memory.
expect_match "tpm_version" 'TPM 1.2 Version Info:.*Vendor ID: +VTPM' "$(in_guest g1 tpm_version | tr '\n\0' '  ')"
in_guest g1 'tpm_takeownership -y -z' 180
stage "ownership is taken"
in_guest g1 'tpm_nvdefine -i 0x00011109 -s 16 -p "OWNERREAD|OWNERWRITE" -y' 120 >/dev/null
in_guest g1 'printf 0123456789abcdef >/tmp/secret; tpm_nvwrite -i 0x00011109 -s 16 -f /tmp/secret -z' 120 >/dev/null
expect_equal "The secret" 0123456789abcdef "$(read_secret)"
stage "a secret is kept in NV"

guest_send g1 'reboot -f' >/dev/null
guest_wait g1
start_tcsd
expect_equal "The secret after the reboot" 0123456789abcdef "$(read_secret)"
! guest_try g1 'tpm_takeownership -y -z' >/tmp/owner || fail "Ownership is taken a second time"
# TPM_DISABLED_CMD: who has an owner tells its endorsement key to nobody else.
expect_match "Why ownership is not taken a second time" 'layer=tpm, code=0008' "$(cat /tmp/owner)"
stage "the guest has rebooted, and finds its owner and its secret"
guest_destroy g1
