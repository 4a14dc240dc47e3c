package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.stream.IntStream;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Authorizations;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.Packet;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Endorsement;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.StClearState;
import org.vtpm.engine.tpm12.state.TransportSession;
import org.vtpm.tpm12.session.TransportCipher;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.CurrentTicks;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ResourceType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.SignInfo;
import org.vtpm.tpm12.structure.StorePubkey;
import org.vtpm.tpm12.structure.TpmException;
import org.vtpm.tpm12.structure.TransportAuth;
import org.vtpm.tpm12.structure.TransportLogIn;
import org.vtpm.tpm12.structure.TransportLogOut;
import org.vtpm.tpm12.structure.TransportPublic;

/**
 * Transport sessions, in which commands come wrapped: encrypted, or logged for a verifier, or without any other in between
 * (TPM Main Part 3, section 24).
 */
public final class TransportChapter implements Chapter {
    private static final int BLOCK = 0;
    private static final byte[] NO_KEYS = new byte[Sha1.LENGTH];

    record EstablishTransport(
            int encHandle,
            TransportPublic transPublic,
            @Sized byte[] secret) {}

    record EstablishedTransport(int transHandle, Opening opening) {}

    /** What a response says besides the handle, and the log with it. */
    record Opening(
            int locality,
            CurrentTicks currentTicks,
            @Fixed(20) byte[] transNonceEven) {}

    record ExecuteTransport(@Sized byte[] wrappedCmd) {}

    record ExecutedTransport(
            long currentTicks, int locality, @Sized byte[] wrappedRsp) {}

    /** What the digest of a request says before H1. */
    record RequestHead(int ordinal, int wrappedCmdSize) {}

    /** What the digest of a response says before H2. */
    record ResponseHead(int returnCode, int ordinal, long currentTicks, int locality, int wrappedRspSize) {}

    record ReleaseTransportSigned(int keyHandle, @Fixed(20) byte[] antiReplay) {}

    record ReleasedTransport(
            int locality, CurrentTicks currentTicks, @Sized byte[] signature) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("EstablishTransport", EstablishTransport.class, TransportChapter::establish);
        handlers.on("ExecuteTransport", ExecuteTransport.class, (tx, request) -> execute(handlers, tx, request));
        handlers.on("ReleaseTransportSigned", ReleaseTransportSigned.class, TransportChapter::release);
    }

    private static Record establish(Transaction tx, EstablishTransport request) {
        TransportPublic pub = request.transPublic();
        byte[] authData = request.encHandle() == Handles.TRANSPORT ? plainSecret(tx, request) : decrypt(tx, request);
        if (pub.has(TransportPublic.ENCRYPT)) {
            requireSupported(pub, tx.is(PermanentFlags.Flag.FIPS));
        }
        require(tx.stClear().transports().size() < StClearState.MAX_TRANSPORTS, ReturnCode.RESOURCES);
        byte[] nonceEven = tx.environment().random(Sha1.LENGTH);
        TransportSession session =
                new TransportSession(freeHandle(tx), authData, pub, nonceEven, new byte[Sha1.LENGTH]);
        CurrentTicks ticks = Ticks.current(tx);
        Opening opening = new Opening(tx.locality(), ticks, nonceEven);
        byte[] outDigest =
                tx.authorizations().outputDigest(Codec.of(Opening.class).encode(opening));
        tx.stClear(tx.stClear()
                .withTransport(
                        session.logged(new TransportLogIn(tx.authorizations().inputDigest(), NO_KEYS))
                                .logged(new TransportLogOut(ticks, outDigest, tx.locality()))));
        return new EstablishedTransport(session.handle(), opening);
    }

    /** Without a key, the secret is in the open, and so is all that is wrapped. */
    private static byte[] plainSecret(Transaction tx, EstablishTransport request) {
        require(tx.authorizations().count() == 0, ReturnCode.BADTAG);
        require(!request.transPublic().has(TransportPublic.ENCRYPT), ReturnCode.BAD_SCHEME);
        require(request.secret().length == Sha1.LENGTH, ReturnCode.BAD_PARAM_SIZE);
        return request.secret();
    }

    /**
     * Refuses encryption that this TPM does not have.
     *
     * @param fips whether only approved algorithms may be used
     * @throws TpmException with BAD_KEY_PROPERTY for the algorithm, with INAPPROPRIATE_ENC for its scheme
     */
    private static void requireSupported(TransportPublic pub, boolean fips) {
        switch (pub.algId()) {
            case Algorithm.MGF1 -> require(!fips && pub.encScheme() == Algorithm.ES_NONE, ReturnCode.INAPPROPRIATE_ENC);
            case Algorithm.AES128 ->
                require(
                        pub.encScheme() == Algorithm.ES_SYM_CTR || pub.encScheme() == Algorithm.ES_SYM_OFB,
                        ReturnCode.INAPPROPRIATE_ENC);
            default -> throw new TpmException(ReturnCode.BAD_KEY_PROPERTY);
        }
    }

    private static byte[] decrypt(Transaction tx, EstablishTransport request) {
        LoadedKey key = Keys.usable(tx, request.encHandle());
        Keys.requireUsage(key, KeyUsage.STORAGE, KeyUsage.LEGACY);
        Keys.authorize(tx, key);
        byte[] plain = Decryption.withKey(tx, key, request.secret());
        try {
            return Codec.of(TransportAuth.class).read(new ByteReader(plain)).authData();
        } catch (CodecException e) {
            throw new TpmException(
                    e.kind() == CodecException.Kind.BAD_TAG ? ReturnCode.INVALID_STRUCTURE : ReturnCode.BAD_PARAM_SIZE);
        } finally {
            Secrets.zero(plain);
        }
    }

    private static Record execute(Handlers handlers, Transaction tx, ExecuteTransport request) {
        Authorizations authorizations = tx.authorizations();
        TransportSession session = authorizations.transport();
        byte[] nonceOdd = authorizations.nonceOdd(BLOCK);
        Packet encrypted = Packet.request(handlers, request.wrappedCmd());
        Packet wrapped = encrypted.withData(TransportCipher.apply(
                session.pub(),
                session.authData(),
                session.nonceEven(),
                nonceOdd,
                TransportCipher.Direction.IN,
                encrypted.data()));
        try {
            byte[] h1 = wrapped.requestDigest();
            RequestHead head = new RequestHead(tx.command().ordinal(), request.wrappedCmd().length);
            authorizations.replaceInputDigest(
                    Sha1.of(Codec.of(RequestHead.class).encode(head), h1), h1);
            authorizations.verifyTransport(session);
            require(wrapped.command().wrappable(), ReturnCode.NO_WRAP_TRANSPORT);
            TransportSession logged =
                    session.logs() ? session.logged(new TransportLogIn(h1, pubKeyHash(tx, wrapped))) : session;
            Packet response = wrapped.response(tx.execute(session, wrapped.bytes()));
            try {
                return respond(tx, logged, response);
            } finally {
                response.destroy();
            }
        } finally {
            wrapped.destroy();
        }
    }

    /** The session goes on, if the wrapped command did not end it. */
    private static Record respond(Transaction tx, TransportSession session, Packet response) {
        Authorizations authorizations = tx.authorizations();
        CurrentTicks ticks = Ticks.current(tx);
        byte[] h2 = response.responseDigest();
        if (tx.stClear().transport(session.handle()) != null) {
            tx.stClear(tx.stClear().withTransport(session.logged(new TransportLogOut(ticks, h2, tx.locality()))));
        }
        ResponseHead head = new ResponseHead(
                ReturnCode.SUCCESS.code(),
                tx.command().ordinal(),
                ticks.currentTicks(),
                tx.locality(),
                response.bytes().length);
        authorizations.replaceOutputDigest(Sha1.of(Codec.of(ResponseHead.class).encode(head), h2), h2);
        byte[] data = TransportCipher.apply(
                session.pub(),
                session.authData(),
                authorizations.nextNonceEven(BLOCK),
                authorizations.nonceOdd(BLOCK),
                TransportCipher.Direction.OUT,
                response.data());
        return new ExecutedTransport(
                ticks.currentTicks(), tx.locality(), response.withData(data).bytes());
    }

    /** What the log says of the keys that a wrapped command names, instead of their handles. */
    private static byte[] pubKeyHash(Transaction tx, Packet wrapped) {
        int keys = wrapped.command().keyHandles();
        if (keys < 0) {
            keys = wrapped.word(1) == ResourceType.KEY ? 1 : 0;
        }
        if (keys == 0) {
            return NO_KEYS;
        }
        ByteWriter hashes = new ByteWriter();
        IntStream.range(0, keys).forEach(index -> {
            StorePubkey pubKey = pubKey(tx, wrapped.word(index));
            hashes.bytes(Sha1.of(Codec.of(StorePubkey.class).encode(pubKey)));
        });
        return Sha1.of(hashes.finish());
    }

    private static StorePubkey pubKey(Transaction tx, int handle) {
        Endorsement endorsement = tx.permanent().endorsement();
        if (handle == Handles.EK && endorsement != null) {
            return endorsement.publicKey().pubKey();
        }
        return Keys.readable(tx, handle).key().pubKey();
    }

    /** Ends a session whose log is what the verifier gets signed. */
    private static Record release(Transaction tx, ReleaseTransportSigned request) {
        Authorizations authorizations = tx.authorizations();
        int block = authorizations.count() - 1;
        TransportSession session = authorizations.transport();
        LoadedKey key = Keys.usable(tx, request.keyHandle());
        Signature.requireScheme(
                key, ReturnCode.INAPPROPRIATE_SIG, Algorithm.SS_RSASSAPKCS1V15_SHA1, Algorithm.SS_RSASSAPKCS1V15_INFO);
        if (block == 0) {
            Keys.requireNoAuthorization(key);
        } else {
            authorizations.session(0);
        }
        Keys.requireUsage(key, KeyUsage.SIGNING);
        if (block > 0) {
            authorizations.verify(0, key);
        }
        authorizations.verifyTransport(session);
        require(session.logs(), ReturnCode.BAD_MODE);
        CurrentTicks ticks = Ticks.current(tx);
        byte[] digest = session.logged(new TransportLogOut(ticks, authorizations.inputDigest(), tx.locality()))
                .digest();
        SignInfo info = SignInfo.of("TRAN", request.antiReplay(), digest);
        authorizations.close(block);
        return new ReleasedTransport(tx.locality(), ticks, Signature.ofDigest(tx, key, info.digest()));
    }

    /** A handle that no transport session has. */
    static int freeHandle(Transaction tx) {
        int handle;
        do {
            handle = (ResourceType.TRANSPORT << 24) | tx.environment().random().nextInt(1 << 24);
        } while (tx.stClear().transport(handle) != null);
        return handle;
    }
}
