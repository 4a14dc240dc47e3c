#!/bin/bash
# The manager starts in dom0 and makes an instance, and a guest boots.
. /lab/lib.sh

lab_begin
expect_match "The UUID of a new instance" '^[0-9a-f]{8}-' "$(instance_create boot)"
stage "an instance is created"
guest_configure g1
guest_create g1
stage "xl create"
guest_wait g1
stage "the guest is up"
expect_match "The guest's kernel" '^Linux ' "$(in_guest g1 'uname -a')"
guest_destroy g1
stage "the guest is gone"
