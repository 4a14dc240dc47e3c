#!/usr/bin/env python3
"""Plays Xen 3.x against the legacy listener: the kernel's backend and the hotplug scripts.

    xen.py FOLDER [--instance N] [--commands COUNT] [--seed SEED]
    xen.py FOLDER [--instance N] --leave FILE
    xen.py FOLDER [--instance N] --arrive FILE

FOLDER holds the listener's FIFOs (data/vtpm/fifos in Karaf's folder); the sockets of HVM guests are beside it, in socks.
Instances N to N+2 must not exist; they are made, used and deleted. With --leave, a guest works with its new TPM N, is shut
down, and writes to FILE what its TPM holds; with --arrive it boots with TPM N, which has to hold that, and TPM N is
deleted. Ends with status 0 if everything was as it must be, else with 1 and what was wrong. Integers on the wire are
big-endian.
"""

import argparse
import errno
import hashlib
import json
import os
import random
import select
import socket
import struct
import sys
import time

VTPM_TAG_REQ = 0x01C1
OPEN, CLOSE, DELETE = 0x01000001, 0x01000002, 0x01000003
TPMCOMMAND = 0x00000003
GET_MIG_KEY, LOAD_MIG_KEY, MIGRATE_IN, MIGRATE_OUT = 0x00000004, 0x00000005, 0x01000004, 0x01000005
STARTUP_CLEAR, STARTUP_STATE = 1, 2
MIGRATABLE, PV, HVM = 1, 1, 2

TPM_TAG_RQU_COMMAND, TPM_TAG_RSP_COMMAND = 0x00C1, 0x00C4
ORD_EXTEND, ORD_PCR_READ, ORD_GET_RANDOM, ORD_READ_PUBEK, ORD_SAVE_STATE = 0x14, 0x15, 0x46, 0x7C, 0x98
ORD_NV_DEFINE, ORD_NV_WRITE, ORD_NV_READ = 0xCC, 0xCD, 0xCF

SUCCESS, BADINDEX, BAD_PARAMETER, DISABLED_CMD, FAIL = 0x00, 0x02, 0x03, 0x08, 0x09
BADTAG, IOERROR, BAD_LOCALITY = 0x1E, 0x1F, 0x3D

NV_INDEX, NV_SIZE = 0x00010001, 256
NV_PER_PPWRITE = 0x00000001
# A TPM without an owner takes 64 writes from anyone, and no more (TPM Main Part 3, section 20.2).
NV_WRITES = 40

PCRS = range(0, 8)
ORDER_TIMEOUT = 120  # an OPEN may have to make an RSA key
COMMAND_TIMEOUT = 30


class Wrong(Exception):
    """Something was not as it must be."""


def expect(what, got, wanted):
    if got != wanted:
        raise Wrong("%s: got %s, expected %s" % (what, show(got), show(wanted)))


def show(value):
    return value.hex() if isinstance(value, bytes) else repr(value)


class Pair:
    """One pair of FIFOs, as a peer of the listener opens it."""

    def __init__(self, folder, to_listener, from_listener):
        self.name = from_listener
        self.inbox = os.open(os.path.join(folder, from_listener), os.O_RDONLY | os.O_NONBLOCK)
        try:
            self.outbox = os.open(os.path.join(folder, to_listener), os.O_WRONLY | os.O_NONBLOCK)
        except OSError as e:
            if e.errno == errno.ENXIO:
                raise Wrong("nobody serves %s" % os.path.join(folder, to_listener)) from e
            raise
        os.set_blocking(self.outbox, True)
        while select.select([self.inbox], [], [], 0)[0] and os.read(self.inbox, 65536):
            pass  # answers to somebody who is gone

    def send(self, dmi, command):
        os.write(self.outbox, struct.pack(">I", dmi) + command)

    def receive(self, timeout):
        """One answer: its prefix, tag, code and body."""
        end = time.monotonic() + timeout
        dmi, tag, size, code = struct.unpack(">IHII", self._read(14, end))
        if not 10 <= size <= 4096:
            raise Wrong("%s: an answer gives a size of %d" % (self.name, size))
        return dmi, tag, code, self._read(size - 10, end)

    def _read(self, count, end):
        data = b""
        while len(data) < count:
            if not select.select([self.inbox], [], [], max(0, end - time.monotonic()))[0]:
                raise Wrong("%s: no answer in time, %d of %d bytes came" % (self.name, len(data), count))
            data += os.read(self.inbox, count - len(data))
        return data


class Hotplug:
    """The scripts that xend runs when a guest's device comes and goes."""

    def __init__(self, folder):
        self.pair = Pair(folder, "from_console.fifo", "to_console.fifo")

    def open(self, instance, startup=STARTUP_CLEAR, kind=PV):
        return self._order(OPEN, struct.pack(">BBBI", MIGRATABLE, startup, kind, instance))

    def host_tpm(self, request):
        return self._order(TPMCOMMAND, request)

    def open_as_in_2006(self, instance):
        return self._order(OPEN, struct.pack(">BBI", MIGRATABLE, STARTUP_CLEAR, instance))

    def close(self, instance):
        return self._order(CLOSE, struct.pack(">I", instance))

    def delete(self, instance):
        return self._order(DELETE, struct.pack(">I", instance))

    def migrate(self, instance, host):
        """What vtpm_migrator and vtpm_migratord order on both hosts, in their order."""
        name, key, envelope = sized(host.encode() + b"\0"), sized(b"") + sized(b"\xcc" * 256), sized(b"\xee" * 600)
        number = struct.pack(">I", instance)
        yield GET_MIG_KEY, self._order(GET_MIG_KEY, b"")
        yield LOAD_MIG_KEY, self._order(LOAD_MIG_KEY, name + key)
        yield MIGRATE_OUT, self._order(MIGRATE_OUT, number + name)
        yield MIGRATE_IN, self._order(MIGRATE_IN, number + envelope)

    def _order(self, ordinal, parameters):
        self.pair.send(0, struct.pack(">HII", VTPM_TAG_REQ, 10 + len(parameters), ordinal) + parameters)
        # The scripts skip ten bytes and look at the status.
        return self.pair.receive(ORDER_TIMEOUT)[2]


def sized(data):
    return struct.pack(">I", len(data)) + data


class Qemu:
    """The TIS device of an HVM guest, which has a socket of its own."""

    def __init__(self, folder, instance):
        self.instance = instance
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(COMMAND_TIMEOUT)
        path = os.path.join(os.path.dirname(os.path.normpath(folder)), "socks", "%d.socket" % instance)
        self.socket.connect(path)

    def ask(self, locality, request):
        """Return code and body of an answer."""
        prefix = struct.pack(">I", locality << 29 | self.instance)
        self.socket.sendall(prefix + request)
        expect("prefix of an answer", self._read(4), prefix)
        _, size, code = struct.unpack(">HII", self._read(10))
        return code, self._read(size - 10)

    def _read(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise Wrong("the socket of guest %d was closed" % self.instance)
            data += part
        return data

    def close(self):
        self.socket.close()


class Backend:
    """The kernel's /dev/vtpm, with the guests behind it."""

    def __init__(self, folder):
        self.pair = Pair(folder, "dummy_in.fifo", "dummy_out.fifo")
        self.commands = 0

    def raw(self, instance, command):
        self.pair.send(instance, command)
        dmi, tag, code, body = self.pair.receive(COMMAND_TIMEOUT)
        self.commands += 1
        expect("prefix of an answer", dmi, instance)
        expect("tag of an answer", tag, TPM_TAG_RSP_COMMAND)
        return code, body


def command(ordinal, parameters=b""):
    return struct.pack(">HII", TPM_TAG_RQU_COMMAND, 10 + len(parameters), ordinal) + parameters


class Guest:
    """A guest's TPM driver, which remembers what its TPM must hold."""

    def __init__(self, backend, instance, rng):
        self.backend, self.instance, self.rng = backend, instance, rng
        self.pcrs = {}
        self.nv = bytearray(b"\xff" * NV_SIZE)
        self.writes = 0
        self.reset_pcrs()

    def reset_pcrs(self):
        self.pcrs = {index: bytes(20) for index in PCRS}

    def ask(self, ordinal, parameters=b"", code=SUCCESS):
        got, body = self.backend.raw(self.instance, command(ordinal, parameters))
        expect("return code of ordinal 0x%02X" % ordinal, got, code)
        return body

    def extend_command(self):
        index, digest = self.rng.choice(PCRS), self.rng.randbytes(20)
        self.pcrs[index] = hashlib.sha1(self.pcrs[index] + digest).digest()
        return command(ORD_EXTEND, struct.pack(">I", index) + digest), self.pcrs[index]

    def extend(self):
        request, value = self.extend_command()
        code, body = self.backend.raw(self.instance, request)
        expect("return code of TPM_Extend", code, SUCCESS)
        expect("answer of TPM_Extend", body, value)

    def read_pcr(self, index=None):
        index = self.rng.choice(PCRS) if index is None else index
        expect("PCR %d" % index, self.ask(ORD_PCR_READ, struct.pack(">I", index)), self.pcrs[index])

    def get_random(self):
        wanted = self.rng.randint(1, 32)
        (count,) = struct.unpack(">I", self.ask(ORD_GET_RANDOM, struct.pack(">I", wanted))[:4])
        if not 1 <= count <= wanted:
            raise Wrong("TPM_GetRandom gave %d bytes for %d" % (count, wanted))

    def define_nv(self):
        any_pcrs = struct.pack(">H3sB20s", 3, bytes(3), 0x1F, bytes(20))
        public = (
            struct.pack(">HI", 0x0018, NV_INDEX)
            + any_pcrs * 2
            + struct.pack(">HI3sI", 0x0017, NV_PER_PPWRITE, bytes(3), NV_SIZE)
        )
        self.ask(ORD_NV_DEFINE, public + bytes(20))

    def write_nv(self):
        offset = self.rng.randrange(NV_SIZE)
        data = self.rng.randbytes(self.rng.randint(1, NV_SIZE - offset))
        self.ask(ORD_NV_WRITE, struct.pack(">III", NV_INDEX, offset, len(data)) + data)
        self.nv[offset : offset + len(data)] = data
        self.writes += 1

    def read_nv(self):
        body = self.ask(ORD_NV_READ, struct.pack(">III", NV_INDEX, 0, NV_SIZE))
        expect("NV area", body, struct.pack(">I", NV_SIZE) + bytes(self.nv))

    def endorsement_key(self):
        return self.ask(ORD_READ_PUBEK, self.rng.randbytes(20))[:-20]  # without the checksum over the nonce

    def work(self, count):
        """That many commands of a guest that measures, draws random numbers and keeps something in NV."""
        self.define_nv()
        self.write_nv()
        for _ in range(count - 2):
            steps = [self.extend, self.read_pcr, self.get_random, self.read_nv]
            if self.writes < NV_WRITES:
                steps.append(self.write_nv)
            self.rng.choice(steps)()

    def check(self):
        """The TPM holds what it must."""
        for index in PCRS:
            self.read_pcr(index)
        self.read_nv()


def step(text):
    print("xen.py: " + text, flush=True)


def play(folder, instance, commands, seed):
    rng = random.Random(seed)
    hotplug, backend = Hotplug(folder), Backend(folder)
    guest, neighbour = (Guest(backend, number, rng) for number in (instance, instance + 1))

    step("OPEN of a new guest, %d commands" % commands)
    expect("OPEN", hotplug.open(instance), SUCCESS)
    key = guest.endorsement_key()
    guest.work(commands)
    guest.check()

    step("a second OPEN is refused and disturbs nothing")
    expect("second OPEN", hotplug.open(instance), BAD_PARAMETER)
    guest.check()

    step("a migration is refused and disturbs nothing")
    for ordinal, code in hotplug.migrate(instance, "other.example"):
        expect("status of order 0x%08X" % ordinal, code, DISABLED_CMD)
    guest.check()

    step("the manager's private tags are refused from a guest")
    for tag in (0x01C1, 0x01C2):
        code, _ = backend.raw(instance, struct.pack(">HIII", tag, 14, CLOSE, instance))
        expect("return code for tag 0x%04X" % tag, code, BADTAG)
    guest.check()

    step("two guests at the same time")
    expect("OPEN of the neighbour", hotplug.open_as_in_2006(instance + 1), SUCCESS)
    neighbour.define_nv()
    for _ in range(50):
        wanted = {}
        for one in (guest, neighbour):
            request, wanted[one.instance] = one.extend_command()
            backend.pair.send(one.instance, request)
        for _ in wanted.copy():
            dmi, _, code, body = backend.pair.receive(COMMAND_TIMEOUT)
            expect("return code of TPM_Extend", code, SUCCESS)
            expect("answer of guest %d" % dmi, body, wanted.pop(dmi))
    guest.check()
    neighbour.check()

    step("SaveState, CLOSE, OPEN to resume: PCRs, NV and endorsement key are back")
    guest.ask(ORD_SAVE_STATE)
    expect("CLOSE", hotplug.close(instance), SUCCESS)
    expect("second CLOSE", hotplug.close(instance), BAD_PARAMETER)
    code, _ = backend.raw(instance, command(ORD_PCR_READ, struct.pack(">I", 0)))
    expect("return code while closed", code, FAIL)
    neighbour.check()
    expect("OPEN to resume", hotplug.open(instance, STARTUP_STATE), SUCCESS)
    guest.check()
    expect("endorsement key", guest.endorsement_key(), key)

    step("CLOSE without SaveState, OPEN to resume: PCRs are as they were")
    guest.extend()
    expect("CLOSE", hotplug.close(instance), SUCCESS)
    expect("OPEN to resume", hotplug.open(instance, STARTUP_STATE), SUCCESS)
    guest.check()

    step("CLOSE, OPEN to boot: PCRs are reset, NV and endorsement key are back")
    expect("CLOSE", hotplug.close(instance), SUCCESS)
    expect("OPEN", hotplug.open(instance), SUCCESS)
    guest.reset_pcrs()
    guest.check()
    expect("endorsement key", guest.endorsement_key(), key)
    guest.extend()

    step("DELETE of a closed and of an open guest; the next OPEN makes a new TPM")
    expect("CLOSE", hotplug.close(instance), SUCCESS)
    expect("DELETE", hotplug.delete(instance), SUCCESS)
    expect("second DELETE", hotplug.delete(instance), BAD_PARAMETER)
    expect("OPEN to resume without a TPM", hotplug.open(instance, STARTUP_STATE), BAD_PARAMETER)
    expect("OPEN", hotplug.open(instance), SUCCESS)
    guest.ask(ORD_NV_READ, struct.pack(">III", NV_INDEX, 0, NV_SIZE), BADINDEX)
    if guest.endorsement_key() == key:
        raise Wrong("a new TPM has the endorsement key of the deleted one")
    expect("DELETE", hotplug.delete(instance), SUCCESS)
    neighbour.check()
    expect("DELETE of the neighbour", hotplug.delete(instance + 1), SUCCESS)

    step("an HVM guest, whose QEMU tells the locality")
    hvm = instance + 2
    expect("OPEN of an HVM guest", hotplug.open(hvm, kind=HVM), SUCCESS)
    qemu = Qemu(folder, hvm)
    # PCR 20 is for localities 1 to 3 (PC Client specification for TPM 1.2).
    extend = command(ORD_EXTEND, struct.pack(">I", 20) + b"\x01" * 20)
    for locality, wanted in ((0, BAD_LOCALITY), (2, SUCCESS), (7, BAD_LOCALITY)):
        code, _ = qemu.ask(locality, extend)
        expect("TPM_Extend of PCR 20 at locality %d" % locality, code, wanted)
    expect("CLOSE of the HVM guest", hotplug.close(hvm), SUCCESS)
    expect("OPEN to resume the HVM guest", hotplug.open(hvm, STARTUP_STATE, HVM), SUCCESS)
    qemu.close()
    qemu = Qemu(folder, hvm)
    _, value = qemu.ask(0, command(ORD_PCR_READ, struct.pack(">I", 20)))
    if value in (b"\x00" * 20, b"\xff" * 20):
        raise Wrong("PCR 20 lost what was measured into it")
    expect("DELETE of the HVM guest", hotplug.delete(hvm), SUCCESS)

    step("a command for the host's TPM, where no root of trust is one")
    expect("TPMCOMMAND", hotplug.host_tpm(command(ORD_GET_RANDOM, struct.pack(">I", 8))), IOERROR)
    return backend.commands


def leave(folder, instance, seed, file):
    hotplug, guest = Hotplug(folder), Guest(Backend(folder), instance, random.Random(seed))
    step("OPEN of a new guest that works and is shut down, to move to another host")
    expect("OPEN", hotplug.open(instance), SUCCESS)
    guest.work(50)
    guest.extend()
    with open(file, "w", encoding="ascii") as memory:
        json.dump({"key": guest.endorsement_key().hex(), "nv": guest.nv.hex()}, memory)
    expect("CLOSE", hotplug.close(instance), SUCCESS)


def arrive(folder, instance, seed, file):
    hotplug, guest = Hotplug(folder), Guest(Backend(folder), instance, random.Random(seed))
    with open(file, encoding="ascii") as memory:
        left = json.load(memory)
    step("OPEN of a guest that comes from another host: NV and endorsement key are as it left them, PCRs are reset")
    expect("OPEN", hotplug.open(instance), SUCCESS)
    guest.nv = bytearray.fromhex(left["nv"])
    guest.check()
    expect("endorsement key", guest.endorsement_key().hex(), left["key"])
    expect("DELETE", hotplug.delete(instance), SUCCESS)


def main():
    parser = argparse.ArgumentParser(description="Plays Xen's backend and hotplug scripts against the legacy listener.")
    parser.add_argument("folder", help="the folder of the FIFOs, such as data/vtpm/fifos in Karaf's folder")
    parser.add_argument("--instance", type=int, default=101, help="number of the first guest (default 101)")
    parser.add_argument("--commands", type=int, default=1000, help="commands after the first OPEN (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of everything that is drawn by lot (default 1)")
    moving = parser.add_mutually_exclusive_group()
    moving.add_argument("--leave", metavar="FILE", help="only leave this host, and write to FILE what the TPM holds")
    moving.add_argument("--arrive", metavar="FILE", help="only arrive from the host where FILE was written")
    arguments = parser.parse_args()
    try:
        if arguments.leave or arguments.arrive:
            move, file = (leave, arguments.leave) if arguments.leave else (arrive, arguments.arrive)
            move(arguments.folder, arguments.instance, arguments.seed, file)
            return 0
        answered = play(arguments.folder, arguments.instance, arguments.commands, arguments.seed)
    except (Wrong, OSError) as e:
        print("xen.py: WRONG: %s" % e, file=sys.stderr)
        return 1
    step("all as it must be (%d commands answered)" % answered)
    return 0


if __name__ == "__main__":
    sys.exit(main())
