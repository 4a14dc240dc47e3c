#!/usr/bin/env python3
"""Moves a key between TPMs with TrouSerS's library, a step at a time; each step talks to the tcsd of one TPM.

    migrate.py srk SRK                             the storage root key's public part
    migrate.py create KEY PUB                      a signing key below the storage root key, which can be migrated
    migrate.py rewrap KEY SRK KEY                  encrypts it for another TPM's storage root key
    migrate.py migrate KEY SRK BLOB RANDOM         encrypts it for that, below a mask
    migrate.py convert BLOB RANDOM KEY             takes the mask away: the key is below the own storage root key
    migrate.py sign KEY FILE SIGNATURE             signs the SHA-1 of a file
    migrate.py certified PORT KEY PUB MOVED        a certifiable key, made and moved to the TPM of the tcsd at this port as
                                                   a migration authority approves

All other arguments are files: keys as TPM_KEY, public parts as TPM_PUBKEY. The secrets of owner and storage root key are the
well-known one; TSS_TCSD_HOSTNAME and TSS_TCSD_PORT tell the daemon. A step that the TPM or TrouSerS refuses ends with
status 1 and its code.
"""

import ctypes
import hashlib
import os
import struct
import subprocess
import sys
import tempfile

# tss/tss_defines.h
OBJECT_POLICY, OBJECT_RSAKEY, OBJECT_HASH, OBJECT_MIGDATA = 0x01, 0x02, 0x05, 0x08
POLICY_USAGE, POLICY_MIGRATION = 1, 2
SECRET_MODE_SHA1 = 0x1000
HASH_SHA1 = 1
PS_TYPE_SYSTEM = 2
KEY_AUTHORIZATION, KEY_MIGRATABLE, KEY_SIZE_2048 = 0x1, 0x8, 0x300
KEY_SIGNING, KEY_STORAGE = 0x10, 0x20
SIGNING_KEY = KEY_SIGNING | KEY_SIZE_2048 | KEY_MIGRATABLE | KEY_AUTHORIZATION
CERTIFIED_KEY = SIGNING_KEY | 0x1000 | 0x8000  # KEY_CERTIFIED_MIGRATABLE, as a TPM_KEY12
KEY_BLOB, KEY_BLOB_BLOB, KEY_BLOB_PUBLIC = 0x40, 0x08, 0x10
CMK_INFO, CMK_MA_APPROVAL, CMK_MA_DIGEST = 0x400, 0x10, 0x20
MS_MIGRATE, MS_REWRAP, MS_RESTRICT_APPROVE_DOUBLE = 0x20, 0x21, 0x24
MIGRATION_BLOB, MSA_LIST, AUTHORITY, DESTINATION, SOURCE = 0x10, 0x103, 0x104, 0x105, 0x106
MIGRATION_TICKET = 0x20
AUTHORITY_DATA, AUTHORITY_DIGEST, AUTHORITY_HMAC = 0x30, 0x301, 0x302
TICKET_DATA, TICKET_SIGNATURE = 0x50, 0x502

WELL_KNOWN = bytes(20)
USAGE = hashlib.sha1(b"usage").digest()
MIGRATION = hashlib.sha1(b"migration").digest()


class Uuid(ctypes.Structure):
    """TSS_UUID."""

    _fields_ = [
        ("time_low", ctypes.c_uint32),
        ("time_mid", ctypes.c_uint16),
        ("time_high", ctypes.c_uint16),
        ("clock_high", ctypes.c_uint8),
        ("clock_low", ctypes.c_uint8),
        ("node", ctypes.c_uint8 * 6),
    ]


SRK = Uuid(node=(0, 0, 0, 0, 0, 1))


class Refused(Exception):
    """A function of the library did not succeed."""


class Stack:
    """The TCG software stack on one TPM. Handles are numbers, and end with the process."""

    def __init__(self):
        self.library = ctypes.CDLL("libtspi.so.1")
        self.context = self.made("Context_Create")
        self.call("Context_Connect", self.context, None)
        self.tpm = self.made("Context_GetTpmObject", self.context)
        self.assign(self.made("GetPolicyObject", self.tpm, POLICY_USAGE), WELL_KNOWN)
        self.srk = self.made("Context_LoadKeyByUUID", self.context, PS_TYPE_SYSTEM, SRK)
        self.assign(self.made("GetPolicyObject", self.srk, POLICY_USAGE), WELL_KNOWN)

    def call(self, name, *arguments):
        result = getattr(self.library, "Tspi_" + name)(*arguments)
        if result != 0:
            raise Refused("Tspi_%s: 0x%x" % (name, result))

    def made(self, name, *arguments):
        """The handle that a function gives."""
        handle = ctypes.c_uint32()
        self.call(name, *arguments, ctypes.byref(handle))
        return handle.value

    def told(self, name, *arguments, count=1):
        """The buffers that a function gives, as a list."""
        pairs = [(ctypes.c_uint32(), ctypes.c_void_p()) for _ in range(count)]
        self.call(name, *arguments, *(ctypes.byref(each) for pair in pairs for each in pair))
        return [ctypes.string_at(at.value, size.value) if size.value else b"" for size, at in pairs]

    def object(self, kind, flags):
        return self.made("Context_CreateObject", self.context, kind, flags)

    def assign(self, policy, secret):
        self.call("Policy_SetSecret", policy, SECRET_MODE_SHA1, len(secret), secret)

    def secret(self, key, kind, secret):
        """Gives a key a secret of its own."""
        policy = self.object(OBJECT_POLICY, kind)
        self.assign(policy, secret)
        self.call("Policy_AssignToObject", policy, key)

    def blob(self, key, part):
        return self.told("GetAttribData", key, KEY_BLOB, part)[0]

    def give(self, target, flag, part, value):
        self.call("SetAttribData", target, flag, part, len(value), value)

    def load(self, blob):
        key = self.made("Context_LoadKeyByBlob", self.context, self.srk, len(blob), blob)
        self.secret(key, POLICY_USAGE, USAGE)
        return key

    def not_loaded(self, blob):
        """A key that the TPM has not."""
        key = self.object(OBJECT_RSAKEY, SIGNING_KEY)
        self.give(key, KEY_BLOB, KEY_BLOB_BLOB, blob)
        return key

    def others(self, public, usage=KEY_STORAGE):
        """A key of somebody else, of which only the public part is known."""
        key = self.object(OBJECT_RSAKEY, usage | KEY_SIZE_2048)
        self.give(key, KEY_BLOB, KEY_BLOB_PUBLIC, public)
        return key

    def ticket(self, destination, scheme):
        """The owner's consent to a migration to this key."""
        return self.told("TPM_AuthorizeMigrationTicket", self.tpm, self.others(destination), scheme)[0]

    def export(self, blob, public, scheme):
        """The migration blob of a key and its mask, with the owner's ticket for this destination."""
        ticket = self.ticket(public, scheme)
        key = self.not_loaded(blob)
        self.secret(key, POLICY_MIGRATION, MIGRATION)
        random, migration = self.told(
            "Key_CreateMigrationBlob", key, self.srk, len(ticket), ticket, count=2)
        return migration, random


class MigrationAuthority:
    """An RSA key outside of any TPM, by OpenSSL."""

    def __init__(self, folder):
        self.folder = folder
        self.openssl("genrsa", "-out", "key.pem", "2048")
        modulus = bytes.fromhex(self.openssl("rsa", "-in", "key.pem", "-noout", "-modulus").decode().split("=")[1])
        # TPM_PUBKEY: RSA, no encryption, PKCS#1 v1.5 signatures of SHA-1; 2048 bits, two primes, the usual exponent.
        self.public = struct.pack(">IHHIIIII", 1, 1, 2, 12, 2048, 2, 0, len(modulus)) + modulus

    def approve(self, destination, source):
        """Signs a TPM_CMK_AUTH: this key may go there."""
        approval = b"".join(hashlib.sha1(public).digest() for public in (self.public, destination, source))
        write(os.path.join(self.folder, "approval"), approval)
        return self.openssl("dgst", "-sha1", "-sign", "key.pem", "approval")

    def openssl(self, *arguments):
        return subprocess.run(
            ["openssl", *arguments], cwd=self.folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ).stdout


def srk(stack, public):
    write(public, srk_of(stack))


def srk_of(stack):
    return stack.told("TPM_OwnerGetSRKPubKey", stack.tpm)[0]


def create(stack, key, public):
    made = stack.object(OBJECT_RSAKEY, SIGNING_KEY)
    stack.secret(made, POLICY_USAGE, USAGE)
    stack.secret(made, POLICY_MIGRATION, MIGRATION)
    stack.call("Key_CreateKey", made, stack.srk, 0)
    write(key, stack.blob(made, KEY_BLOB_BLOB))
    write(public, stack.blob(made, KEY_BLOB_PUBLIC))


def rewrap(stack, key, destination, moved):
    migration, random = stack.export(read(key), read(destination), MS_REWRAP)
    if random:
        raise Refused("a mask of %d bytes came with a key that was rewrapped" % len(random))
    write(moved, migration)


def migrate(stack, key, destination, blob, random):
    migration, mask = stack.export(read(key), read(destination), MS_MIGRATE)
    write(blob, migration)
    write(random, mask)


def convert(stack, blob, random, key):
    content, mask = read(blob), read(random)
    made = stack.object(OBJECT_RSAKEY, SIGNING_KEY)
    stack.call("Key_ConvertMigrationBlob", made, stack.srk, len(mask), mask, len(content), content)
    write(key, stack.blob(made, KEY_BLOB_BLOB))


def sign(stack, key, file, signature):
    digest = hashlib.sha1(read(file)).digest()
    made = stack.object(OBJECT_HASH, HASH_SHA1)
    stack.call("Hash_SetHashValue", made, len(digest), digest)
    write(signature, stack.told("Hash_Sign", made, stack.load(read(key)))[0])


def certified(source, port, key, public, moved):
    os.environ["TSS_TCSD_PORT"] = port
    # In one process, since TrouSerS takes what it moves from no other object than the one that it moved it into.
    destination = Stack()
    destination_srk = srk_of(destination)
    with tempfile.TemporaryDirectory() as folder:
        authority = MigrationAuthority(folder)
        data = source.object(OBJECT_MIGDATA, 0)
        source.give(data, MIGRATION_BLOB, MSA_LIST, authority.public)
        source.call("TPM_CMKApproveMA", source.tpm, data)
        made = source.object(OBJECT_RSAKEY, CERTIFIED_KEY)
        for part, told in ((CMK_MA_APPROVAL, AUTHORITY_HMAC), (CMK_MA_DIGEST, AUTHORITY_DIGEST)):
            source.give(made, CMK_INFO, part, source.told("GetAttribData", data, AUTHORITY_DATA, told)[0])
        source.secret(made, POLICY_USAGE, USAGE)
        source.secret(made, POLICY_MIGRATION, MIGRATION)
        source.call("Key_CreateKey", made, source.srk, 0)
        write(key, source.blob(made, KEY_BLOB_BLOB))
        write(public, source.blob(made, KEY_BLOB_PUBLIC))

        for part, value in ((AUTHORITY, authority.public), (DESTINATION, destination_srk), (SOURCE, read(public))):
            source.give(data, MIGRATION_BLOB, part, value)
        source.give(data, TICKET_DATA, TICKET_SIGNATURE, authority.approve(destination_srk, read(public)))
        source.call("TPM_CMKCreateTicket", source.tpm, source.others(authority.public, KEY_SIGNING), data)
        source.give(data, MIGRATION_TICKET, 0, source.ticket(destination_srk, MS_RESTRICT_APPROVE_DOUBLE))
        mask = source.told("Key_CMKCreateBlob", made, source.srk, data)[0]

        converted = destination.object(OBJECT_RSAKEY, CERTIFIED_KEY)
        conversion = ("Key_CMKConvertMigration", converted, destination.srk, data, len(mask), mask)
        try:
            destination.call(*conversion)
        except Refused:
            pass
        else:
            raise Refused("a TPM took the ticket that another TPM gave out")
        destination.call(
            "TPM_CMKCreateTicket", destination.tpm, destination.others(authority.public, KEY_SIGNING), data)
        destination.call(*conversion)
        write(moved, destination.blob(converted, KEY_BLOB_BLOB))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


STEPS = {step.__name__: step for step in (srk, create, rewrap, migrate, convert, sign, certified)}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in STEPS:
        sys.exit(__doc__)
    try:
        STEPS[sys.argv[1]](Stack(), *sys.argv[2:])
    except Refused as e:
        sys.exit(str(e))
