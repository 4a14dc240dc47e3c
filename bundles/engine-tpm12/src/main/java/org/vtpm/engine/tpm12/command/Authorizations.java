package org.vtpm.engine.tpm12.command;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Fixed;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.Mgf1;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.state.DelegationTables;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.engine.tpm12.state.StClearState;
import org.vtpm.engine.tpm12.state.TransportSession;
import org.vtpm.tpm12.session.Authorization;
import org.vtpm.tpm12.session.SecretInsertion;
import org.vtpm.tpm12.structure.Adip;
import org.vtpm.tpm12.structure.CmkDelegate;
import org.vtpm.tpm12.structure.DelegatePublic;
import org.vtpm.tpm12.structure.Delegations;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyFlag;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * The authorisation blocks of a command: verifies the request's, writes the response's (TPM Main Part 1, section 13).
 */
public final class Authorizations {
    private static final int HEADER = 10;
    private static final byte[] COVER = "XOR".getBytes(StandardCharsets.US_ASCII);

    /** A block as it stands in the request. */
    record Request(
            int handle,
            @Fixed(20) byte[] nonceOdd,
            boolean continueSession,
            @Fixed(20) byte[] auth) {}

    /** What stands for parameters where it is not SHA-1 over them. */
    private record Digests(byte[] authorized, byte[] audited) {}

    private static final class Block {
        private final Request request;
        private final boolean transport;
        private boolean continueSession;
        private byte @Nullable [] key;
        private byte @Nullable [] nonceEven;
        private @Nullable DelegatePublic delegation;

        Block(Request request, boolean transport) {
            this.request = request;
            this.transport = transport;
            this.continueSession = request.continueSession();
        }
    }

    private final Transaction tx;
    private final byte[] request;
    private final List<Block> blocks = new ArrayList<>(2);
    private int parametersEnd;
    private byte @Nullable [] digest;
    private @Nullable Digests wrappedInput;
    private @Nullable Digests wrappedOutput;

    Authorizations(Transaction tx, byte[] request) {
        this.tx = tx;
        this.request = request;
    }

    /** Reads the blocks that follow the parameters. */
    void read(ByteReader in, int count) throws CodecException {
        parametersEnd = in.position();
        for (int i = 0; i < count; i++) {
            boolean transport = tx.command().usesTransport() && i == count - 1;
            blocks.add(new Block(Codec.of(Request.class).read(in), transport));
        }
    }

    /** The number of blocks in the request. */
    public int count() {
        return blocks.size();
    }

    /** The session of a block. */
    public Session session(int block) {
        Session session = tx.stClear().session(blocks.get(block).request.handle());
        if (session == null) {
            throw new TpmException(ReturnCode.INVALID_AUTHHANDLE);
        }
        return session;
    }

    /** The nonce that the guest chose for a block; not a copy. */
    public byte[] nonceOdd(int block) {
        return blocks.get(block).request.nonceOdd();
    }

    /** Refuses a session of another protocol than {@code protocol}. */
    public void requireProtocol(int block, int protocol) {
        TpmException.require(session(block).protocol() == protocol, ReturnCode.BAD_MODE);
    }

    /** Refuses a session that has no shared secret to encrypt new secrets with. */
    public void requireSharedSecret(int block) {
        TpmException.require(session(block).protocol() != Session.OIAP, ReturnCode.BAD_MODE);
    }

    /** Verifies that the last block is the owner's. A session that does not exist is reported before a missing owner. */
    public void verifyOwner() {
        int block = blocks.size() - 1;
        verifyOwner(block, failure(block));
    }

    /**
     * Verifies that a block is the owner's, which fails with a code of the caller's choice. While an owner pointer is set,
     * a session that is bound to nothing is one of that delegation (TPM Main Part 3, section 28.2).
     */
    public void verifyOwner(int block, ReturnCode failure) {
        Session session = session(block);
        Owner owner = tx.permanent().owner();
        if (owner == null) {
            throw new TpmException(ReturnCode.AUTHFAIL);
        }
        int reference = tx.stClear().ownerReference();
        if (session.protocol() != Session.OIAP || reference == Handles.OWNER) {
            verify(block, Entity.OWNER, owner.ownerAuth(), failure);
            return;
        }
        DelegationTables.Delegate delegate = tx.permanent().delegation().delegate(reference);
        if (delegate == null) {
            throw new TpmException(failure);
        }
        requireDelegated(block, delegate.pub(), Entity.OWNER);
        verifyHmac(block, delegate.authValue(), failure);
    }

    /** What a block, once it was verified, was authorised by: null if that is not a delegation. */
    public @Nullable DelegatePublic delegation(int block) {
        return blocks.get(block).delegation;
    }

    /** Verifies that a block authorises the use of a key. */
    public void verify(int block, LoadedKey key) {
        verify(block, key, failure(block));
    }

    /** Verifies that a block authorises the use of a key; it fails with a code of the caller's choice. */
    public void verify(int block, LoadedKey key, ReturnCode failure) {
        requireEntity(block, key.entity());
        TpmException.require(delegation(block) == null || delegable(key), ReturnCode.INVALID_KEYUSAGE);
        verifyHmac(block, key.usageAuth(), failure);
    }

    /** The use of certifiable migration keys is delegated as far as the owner allows it (TPM Main Part 3, section 11.7). */
    private boolean delegable(LoadedKey key) {
        return !key.key().is(KeyFlag.MIGRATE_AUTHORITY)
                || (tx.permanent().restrictDelegate()
                                & CmkDelegate.bit(key.key().keyUsage()))
                        != 0;
    }

    /**
     * Verifies one block: the first fails with AUTHFAIL, the second with AUTH2FAIL.
     *
     * @param block 0 or 1
     * @param entity what must have been authorised: an OSAP session for anything else fails
     * @param secret the entity's secret; not copied
     */
    public void verify(int block, Entity entity, byte[] secret) {
        verify(block, entity, secret, failure(block));
    }

    private static ReturnCode failure(int block) {
        return block == 0 ? ReturnCode.AUTHFAIL : ReturnCode.AUTH2FAIL;
    }

    /** Verifies one block, which fails with a code of the caller's choice. */
    public void verify(int block, Entity entity, byte[] secret, ReturnCode failure) {
        requireEntity(block, entity);
        verifyHmac(block, secret, failure);
    }

    /** As in libtpms a session of something else fails with AUTHFAIL, whatever a wrong secret in this block fails with. */
    private void requireEntity(int block, Entity entity) {
        Session session = session(block);
        TpmException.require(
                session.protocol() == Session.OIAP || session.entity().equals(entity), ReturnCode.AUTHFAIL);
        DelegatePublic delegation = session.delegation();
        if (delegation != null) {
            requireDelegated(block, delegation, entity);
        }
    }

    /** Refuses what a delegation does not allow, or not now (TPM Main Part 1, section 29). */
    private void requireDelegated(int block, DelegatePublic delegation, Entity entity) {
        boolean owners = entity.equals(Entity.OWNER);
        Delegations permissions = delegation.permissions();
        int type = owners ? Delegations.OWNER_BITS : Delegations.KEY_BITS;
        int bit = owners ? tx.command().ownerDelegateBit() : tx.command().keyDelegateBit();
        TpmException.require(permissions.delegateType() == type && permissions.has(bit), ReturnCode.AUTHFAIL);
        TpmException.require(tx.stClear().pcrs().matches(delegation.pcrInfo()), ReturnCode.WRONGPCRVAL);
        TpmException.require(delegation.pcrInfo().allows(tx.locality()), ReturnCode.BAD_LOCALITY);
        blocks.get(block).delegation = delegation;
    }

    /**
     * The transport session of the last block. Any other that is exclusive ends, also if this one does not exist.
     *
     * @throws TpmException with INVALID_AUTHHANDLE if it does not
     */
    public TransportSession transport() {
        int handle = blocks.get(blocks.size() - 1).request.handle();
        tx.stick(state -> state.withStClear(
                state.stClear().withoutTransports(other -> other.exclusive() && other.handle() != handle)));
        TransportSession session = tx.stClear().transport(handle);
        if (session == null) {
            throw new TpmException(ReturnCode.INVALID_AUTHHANDLE);
        }
        return session;
    }

    /**
     * Verifies the block of a transport session. As in libtpms it fails with AUTH2FAIL also where there is no other
     * (TPM Main Part 3, section 24.2, action 7 has AUTHFAIL), and does not count for the lockout: the secret is that of
     * whoever opened the session, and dies with it.
     */
    public void verifyTransport(TransportSession session) {
        Block own = blocks.get(blocks.size() - 1);
        TpmException.require(verified(own, session.authData(), session.nonceEven()), ReturnCode.AUTH2FAIL);
        own.key = session.authData();
    }

    private boolean verified(Block block, byte[] key, byte[] nonceEven) {
        byte[] expected = Authorization.hmac(
                key, inputDigest(), nonceEven, block.request.nonceOdd(), block.request.continueSession());
        return Secrets.equal(expected, block.request.auth());
    }

    private void verifyHmac(int block, byte[] secret, ReturnCode failure) {
        Session session = session(block);
        Block own = blocks.get(block);
        byte[] key = session.protocol() == Session.OIAP ? secret : session.sharedSecret();
        if (!verified(own, key, session.nonceEven())) {
            long now = tx.environment().nanoClock().getAsLong();
            tx.stick(state -> state.withStClear(
                    state.stClear().withLockout(state.stClear().lockout().failed(now))));
            throw new TpmException(failure);
        }
        own.key = key;
    }

    /**
     * Decrypts a new secret that came in the request (TPM Main Part 1, section 8.2). The session ends with the command,
     * since its secret must not encrypt a second one.
     */
    public byte[] decrypt(int block, byte[] encrypted) {
        return decrypt(block, encrypted, session(block).nonceEven());
    }

    /** Decrypts the second new secret of a command. */
    public byte[] decryptSecond(int block, byte[] encrypted) {
        return decrypt(block, encrypted, blocks.get(block).request.nonceOdd());
    }

    private byte[] decrypt(int block, byte[] encrypted, byte[] nonce) {
        Session session = session(block);
        close(block);
        return SecretInsertion.apply(session.adip(), session.sharedSecret(), nonce, encrypted);
    }

    /**
     * Covers data with the pad of a session and of this command, or uncovers what is covered with it (TPM Main Part 3,
     * sections 10.2 and 10.7).
     *
     * @param adip the scheme, see {@link Adip}
     * @return a new array of the same length
     */
    public byte[] cover(int block, int adip, byte[] data) {
        Session session = session(block);
        byte[] nonceOdd = blocks.get(block).request.nonceOdd();
        if (adip == Adip.AES128_CTR) {
            byte[] key = Arrays.copyOf(session.sharedSecret(), AesCtr.KEY_LENGTH);
            byte[] counter = Arrays.copyOf(Sha1.of(session.nonceEven(), nonceOdd), AesCtr.COUNTER_LENGTH);
            byte[] covered = AesCtr.apply(key, counter, data);
            Secrets.zero(key);
            return covered;
        }
        byte[] seed = new ByteWriter()
                .bytes(session.nonceEven())
                .bytes(nonceOdd)
                .bytes(COVER)
                .bytes(session.sharedSecret())
                .finish();
        byte[] covered = Mgf1.sha1(seed, data.length);
        Secrets.zero(seed);
        for (int i = 0; i < data.length; i++) {
            covered[i] ^= data[i];
        }
        return covered;
    }

    /** Ends the session of a block with this command, whatever the request asked for. */
    public void close(int block) {
        blocks.get(block).continueSession = false;
    }

    /** A fatal error ends all sessions whose blocks were read. */
    void endAfter(ReturnCode code) {
        if (code.fatal() && !blocks.isEmpty()) {
            tx.stick(state -> {
                StClearState stClear = state.stClear();
                for (Block block : blocks) {
                    stClear = without(stClear, block);
                }
                return state.withStClear(stClear);
            });
        }
    }

    private static StClearState without(StClearState state, Block block) {
        int handle = block.request.handle();
        return block.transport
                ? state.withoutTransports(session -> session.handle() == handle)
                : state.withoutSessions(session -> session.handle() == handle);
    }

    /** The nonce that the response's block will have. */
    public byte[] nextNonceEven(int block) {
        return nextNonceEven(blocks.get(block));
    }

    private byte[] nextNonceEven(Block block) {
        byte[] nonce = block.nonceEven;
        if (nonce == null) {
            nonce = tx.environment().random(Sha1.LENGTH);
            block.nonceEven = nonce;
        }
        return nonce;
    }

    /**
     * Has other digests stand for the request's parameters, of which some are encrypted.
     *
     * @param authorized what is authorised
     * @param audited what an audit of the command extends the audit digest by
     */
    public void replaceInputDigest(byte[] authorized, byte[] audited) {
        wrappedInput = new Digests(authorized, audited);
    }

    /** Has other digests stand for the response's parameters, see {@link #replaceInputDigest}. */
    public void replaceOutputDigest(byte[] authorized, byte[] audited) {
        wrappedOutput = new Digests(authorized, audited);
    }

    /** The digest of a successful response: return code, ordinal, and the parameters without their handle area. */
    public byte[] outputDigest(byte[] parameters) {
        return wrappedOutput != null
                ? wrappedOutput.authorized()
                : Authorization.responseDigest(tx.command().ordinal(), parameters, 0, parameters.length);
    }

    /**
     * Writes the response's blocks, and moves the sessions on.
     *
     * @param outDigest of the response's parameters
     * @throws IllegalStateException if the handler did not verify a block
     */
    void respond(ByteWriter out, byte[] outDigest) {
        for (Block block : blocks) {
            byte[] nonceEven = nextNonceEven(block);
            boolean goesOn = block.continueSession && exists(block);
            byte[] key = block.key;
            if (key == null) {
                throw new IllegalStateException("an authorisation block was not verified");
            }
            out.bytes(nonceEven).bool(goesOn);
            out.bytes(Authorization.hmac(key, outDigest, nonceEven, block.request.nonceOdd(), goesOn));
            tx.stClear(goesOn ? renewed(tx.stClear(), block, nonceEven) : without(tx.stClear(), block));
        }
    }

    /** Whether the session of a block is still there: the command may have ended it. */
    private boolean exists(Block block) {
        int handle = block.request.handle();
        return block.transport
                ? tx.stClear().transport(handle) != null
                : tx.stClear().session(handle) != null;
    }

    private static StClearState renewed(StClearState state, Block block, byte[] nonceEven) {
        int handle = block.request.handle();
        if (block.transport) {
            TransportSession session = Objects.requireNonNull(state.transport(handle));
            return state.withTransport(session.withNonceEven(nonceEven));
        }
        Session session = Objects.requireNonNull(state.session(handle));
        return state.withSession(session.withNonceEven(nonceEven));
    }

    /** What an audit of the command extends the audit digest by for its request. */
    byte[] auditedInput() {
        return wrappedInput != null ? wrappedInput.audited() : inputDigest();
    }

    /** What an audit of the command extends the audit digest by for its response. */
    byte[] auditedOutput(byte[] outDigest) {
        return wrappedOutput != null ? wrappedOutput.audited() : outDigest;
    }

    /** The digest of the ordinal and the parameters that follow the handle area. */
    public byte[] inputDigest() {
        if (wrappedInput != null) {
            return wrappedInput.authorized();
        }
        byte[] computed = digest;
        if (computed == null) {
            computed = Authorization.requestDigest(
                    tx.command().ordinal(), request, HEADER + tx.command().inHandleBytes(), parametersEnd);
            digest = computed;
        }
        return computed;
    }
}
