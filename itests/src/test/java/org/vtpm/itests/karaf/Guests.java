package org.vtpm.itests.karaf;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.security.SecureRandom;
import org.vtpm.itests.tpm12.SocketTpm;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;
import org.vtpm.itests.tpm12.Wire;

/** Guests of instances that listen on ports of the loopback interface. */
final class Guests {
    private static final int PROP_OWNER = 0x111;

    private Guests() {}

    static Tpm12Client at(int port) throws IOException {
        return new Tpm12Client(SocketTpm.tcp(port), new SecureRandom());
    }

    static boolean refused(int port) throws IOException {
        try {
            new Socket(InetAddress.getLoopbackAddress(), port).close();
            return false;
        } catch (ConnectException e) {
            return true;
        }
    }

    /** Whether TPM_GetCapability says that the TPM has an owner. */
    static boolean owned(Tpm12Client tpm) throws IOException {
        byte[] body = tpm.getCapability(Structures.CAP_PROPERTY, Wire.u32(PROP_OWNER))
                .orFail()
                .body();
        return body[body.length - 1] == 1;
    }
}
