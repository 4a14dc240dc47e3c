# TPM 1.2 commands for guests. All data is hexadecimal, lower case.

# tpm REQUEST: sends one command, prints the whole response. Fails if nothing comes.
tpm() {
    local device
    # The number changes if the driver comes back while the device is still in use, as after a restore.
    device=/dev/$(ls /sys/class/tpm | head -n 1)
    [ -c "$device" ] && exec 3<>"$device" || return
    printf %s "$1" | xxd -r -p >&3 && dd bs=4096 count=1 <&3 2>/dev/null | xxd -p | tr -d '\n' >/tmp/response
    exec 3>&-
    [ -s /tmp/response ] && cat /tmp/response
}

# tpm_command ORDINAL PARAMETERS: a command without authorization; prints the response's parameters. Fails with the TPM's code.
tpm_command() {
    local response code
    response=$(tpm "00c1$(printf %08x $((10 + ${#2} / 2)))$1$2") || {
        echo "no response to command $1" >&2
        return 1
    }
    code=$(echo "$response" | cut -c13-20)
    if [ "$code" != 00000000 ]; then
        echo "command $1 failed with code $code" >&2
        return 1
    fi
    [ ${#response} = 20 ] || echo "$response" | cut -c21-
}

# tpm_random COUNT
tpm_random() {
    tpm_command 00000046 "$(printf %08x "$1")" | cut -c9-
}

# tpm_pcr NUMBER
tpm_pcr() {
    tpm_command 00000015 "$(printf %08x "$1")"
}

# tpm_extend NUMBER DIGEST: prints the new value.
tpm_extend() {
    tpm_command 00000014 "$(printf %08x "$1")$2"
}

# The modulus of the endorsement key; there must be no owner.
tpm_ek() {
    # A TPM_PUBKEY of 24 bytes of parameters and the modulus with its length; then the checksum.
    tpm_command 0000007c 0000000000000000000000000000000000000000 | cut -c57-568
}

# tpm_nv_define INDEX SIZE: for everyone to read and, as long as the TPM is not NV-locked, to write.
tpm_nv_define() {
    local any
    any=00030000001f$(printf %040d 0)
    # TPM_NV_DATA_PUBLIC: index, PCRs and locality for reading and writing, TPM_NV_PER_PPWRITE, flags, size; then a secret.
    tpm_command 000000cc "0018$1${any}${any}001700000001000000$(printf %08x "$2")$(printf %040d 0)"
}

# tpm_nv_write INDEX DATA
tpm_nv_write() {
    tpm_command 000000cd "${1}00000000$(printf %08x $((${#2} / 2)))$2"
}

# tpm_nv_read INDEX SIZE
tpm_nv_read() {
    tpm_command 000000cf "${1}00000000$(printf %08x "$2")" | cut -c9-
}
