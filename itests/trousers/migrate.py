#!/usr/bin/env python3
"""Moves a key between TPMs with TrouSerS's library, a step at a time; each step talks to the tcsd of one TPM.

    migrate.py srk SRK                             the storage root key's public part
    migrate.py create KEY PUB                      a signing key below the storage root key, which can be migrated
    migrate.py rewrap KEY SRK KEY                  encrypts it for another TPM's storage root key
    migrate.py migrate KEY SRK BLOB RANDOM         encrypts it for that, below a mask
    migrate.py convert BLOB RANDOM KEY             takes the mask away: the key is below the own storage root key
    migrate.py sign KEY FILE SIGNATURE             signs the SHA-1 of a file

All arguments are files: keys as TPM_KEY, public parts as TPM_PUBKEY. The secrets of owner and storage root key are the
well-known one; TSS_TCSD_HOSTNAME and TSS_TCSD_PORT tell the daemon. A step that the TPM or TrouSerS refuses ends with
status 1 and its code.
"""

import ctypes
import hashlib
import sys

# tss/tss_defines.h
OBJECT_POLICY, OBJECT_RSAKEY, OBJECT_HASH = 0x01, 0x02, 0x05
POLICY_USAGE, POLICY_MIGRATION = 1, 2
SECRET_MODE_SHA1 = 0x1000
HASH_SHA1 = 1
PS_TYPE_SYSTEM = 2
KEY_AUTHORIZATION, KEY_MIGRATABLE, KEY_SIZE_2048 = 0x1, 0x8, 0x300
KEY_SIGNING, KEY_STORAGE = 0x10, 0x20
SIGNING_KEY = KEY_SIGNING | KEY_SIZE_2048 | KEY_MIGRATABLE | KEY_AUTHORIZATION
KEY_BLOB, KEY_BLOB_BLOB, KEY_BLOB_PUBLIC = 0x40, 0x08, 0x10
MS_MIGRATE, MS_REWRAP = 0x20, 0x21

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

    def load(self, blob):
        key = self.made("Context_LoadKeyByBlob", self.context, self.srk, len(blob), blob)
        self.secret(key, POLICY_USAGE, USAGE)
        return key

    def not_loaded(self, blob):
        """A key that the TPM has not."""
        key = self.object(OBJECT_RSAKEY, SIGNING_KEY)
        self.call("SetAttribData", key, KEY_BLOB, KEY_BLOB_BLOB, len(blob), blob)
        return key

    def others(self, public):
        """A storage key of another TPM, of which only the public part is known."""
        key = self.object(OBJECT_RSAKEY, KEY_STORAGE | KEY_SIZE_2048)
        self.call("SetAttribData", key, KEY_BLOB, KEY_BLOB_PUBLIC, len(public), public)
        return key

    def export(self, blob, public, scheme):
        """The migration blob of a key and its mask, with the owner's ticket for this destination."""
        ticket = self.told("TPM_AuthorizeMigrationTicket", self.tpm, self.others(public), scheme)[0]
        key = self.not_loaded(blob)
        self.secret(key, POLICY_MIGRATION, MIGRATION)
        random, migration = self.told(
            "Key_CreateMigrationBlob", key, self.srk, len(ticket), ticket, count=2)
        return migration, random


def srk(stack, public):
    write(public, stack.told("TPM_OwnerGetSRKPubKey", stack.tpm)[0])


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


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


STEPS = {step.__name__: step for step in (srk, create, rewrap, migrate, convert, sign)}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in STEPS:
        sys.exit(__doc__)
    try:
        STEPS[sys.argv[1]](Stack(), *sys.argv[2:])
    except Refused as e:
        sys.exit(str(e))
