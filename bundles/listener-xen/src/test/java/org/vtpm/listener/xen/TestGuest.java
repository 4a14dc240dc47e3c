package org.vtpm.listener.xen;

import java.nio.ByteBuffer;
import java.util.UUID;
import org.vtpm.api.fake.FakeManager;
import org.vtpm.listener.xen.ring.TestPage;
import org.vtpm.listener.xen.ring.TpmRing;

/** A guest's driver, in the manner of Linux's: it says 3, sends its first command before the backend says 4, then says 4. */
final class TestGuest {
    final TestXen xen;
    final DeviceId id;
    final TestPage page = new TestPage();
    int ringRef;
    int port;

    TestGuest(TestXen xen, DeviceId id) {
        this.xen = xen;
        this.id = id;
    }

    /** A new domain with its device. */
    static TestGuest create(TestXen xen, String name, UUID tpm) throws InterruptedException {
        int domain = xen.domain(name);
        xen.attach(domain, 0, tpm);
        TestGuest guest = new TestGuest(xen, new DeviceId(domain, 0));
        xen.await(guest.id, "2");
        return guest;
    }

    void offer() {
        ringRef = xen.grant(id.domain(), page);
        port = xen.offerPort(id.domain());
        xen.store.writeAll(
                id.frontend() + "/ring-ref", String.valueOf(ringRef),
                id.frontend() + "/event-channel", String.valueOf(port),
                id.frontend() + "/feature-protocol-v2", "1");
    }

    void state(String state) {
        xen.store.write(id.frontend() + "/state", state);
    }

    TestGuest connect() throws InterruptedException {
        offer();
        state("3");
        xen.await(id, "4");
        state("4");
        return this;
    }

    void submit(int locality, byte[] command) {
        page.submit(locality, command);
        xen.signal(id.domain(), port);
    }

    byte[] transmit(byte[] command) throws InterruptedException {
        submit(0, command);
        if (!page.await(TpmRing.FINISH, 10_000)) {
            throw new AssertionError("no answer, the state is " + page.state());
        }
        return page.packet();
    }

    /** Adds to what the TPM forgets when it is powered off. */
    int extend(int value) throws InterruptedException {
        return FakeManager.value(transmit(FakeManager.command(FakeManager.EXTEND, value)));
    }

    /** Adds to what the TPM keeps. */
    int store(int value) throws InterruptedException {
        return FakeManager.value(transmit(FakeManager.command(FakeManager.STORE, value)));
    }

    int code(byte[] response) {
        return ByteBuffer.wrap(response).getInt(6);
    }
}
