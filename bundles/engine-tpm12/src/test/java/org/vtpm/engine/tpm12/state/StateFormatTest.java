package org.vtpm.engine.tpm12.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.DelegatePublic;
import org.vtpm.tpm12.structure.Delegations;
import org.vtpm.tpm12.structure.FamilyTableEntry;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyFlags;
import org.vtpm.tpm12.structure.KeyParms;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.PcrSelection;
import org.vtpm.tpm12.structure.StorePubkey;
import org.vtpm.tpm12.structure.TpmKey;
import org.vtpm.tpm12.structure.TransportPublic;

/** States of older versions of the product. */
class StateFormatTest {
    private static final byte[] VERSION_1 = HexFormat.of().parseHex("76543132" + "01" + "0001");
    private static final byte[] VERSION_2 = HexFormat.of().parseHex("76543132" + "01" + "0002");
    private static final byte[] SAVED_VERSION_1 = HexFormat.of().parseHex("76543132" + "02" + "0001");
    private static final byte[] SAVED_VERSION_2 = HexFormat.of().parseHex("76543132" + "02" + "0002");

    @Test
    void aFactoryStateOfVersion1IsRead() throws EngineStateException {
        byte[] old = new ByteWriter()
                .bytes(VERSION_1)
                .i32(PermanentFlags.FACTORY.bits())
                .bytes(new byte[2 + 2 * 20 + 4 + 4 + 2])
                .finish();
        assertThat(StateFormat.encodePermanent(StateFormat.decodePermanent(old)))
                .isEqualTo(StateFormat.encodePermanent(PermanentState.factory(null)));
    }

    @Test
    void anOwnerOfVersion1KeepsEverything() throws EngineStateException {
        byte[] ownerAuth = filled(20, 1);
        TpmKey srk = storageKey();
        RsaPrivateKey privateKey =
                new RsaPrivateKey(filled(3, 3), filled(4, 4), filled(5, 5), filled(6, 6), filled(7, 7));
        Version1.FirstOwner owner = new Version1.FirstOwner(
                ownerAuth, filled(20, 8), filled(16, 9), filled(16, 10), srk, filled(20, 11), privateKey);
        NvArea dir = NvArea.dir(filled(20, 12));
        PermanentFlags flags = PermanentFlags.FACTORY.with(PermanentFlags.Flag.NV_LOCKED, true);
        Version1.Permanent old =
                new Version1.Permanent(flags, null, owner, filled(20, 13), filled(20, 14), 15, 16, List.of(dir));

        PermanentState read = StateFormat.decodePermanent(new ByteWriter()
                .bytes(VERSION_1)
                .bytes(Codec.of(Version1.Permanent.class).encode(old))
                .finish());

        PermanentState expected = PermanentState.factory(null)
                .withFlags(flags)
                .withOwner(new Owner(
                        ownerAuth,
                        filled(20, 8),
                        filled(16, 9),
                        filled(16, 10),
                        LoadedKey.srk(srk, privateKey, filled(20, 11), filled(20, 8)),
                        List.of()))
                .withOperatorAuth(filled(20, 13))
                .withDir(filled(20, 14))
                .withNoOwnerNvWrites(15)
                .withRestrictDelegate(16)
                .withNvAreas(List.of(dir));
        assertThat(StateFormat.encodePermanent(read)).isEqualTo(StateFormat.encodePermanent(expected));
    }

    @Test
    void aSavedStateOfVersion1KeepsEverything() throws EngineStateException {
        Version1.FirstSession session =
                new Version1.FirstSession(5, Session.OSAP, 0, Entity.OWNER, filled(20, 1), filled(20, 2));
        Version1.Saved old = new Version1.Saved(
                new StClearFlags(0x15),
                PcrBank.initial().with(3, filled(20, 3)),
                new Lockout(2, 7, true),
                Handles.OWNER,
                4,
                List.of(session),
                List.of(new NvLocks(9, true, false)));

        StClearState read = StateFormat.decodeSaved(new ByteWriter()
                .bytes(SAVED_VERSION_1)
                .bytes(Codec.of(Version1.Saved.class).encode(old))
                .finish());

        StClearState expected = StClearState.initial(true)
                .withFlag(StClearFlags.Flag.PHYSICAL_PRESENCE, true)
                .withFlag(StClearFlags.Flag.GLOBAL_LOCK, true)
                .withPcrs(PcrBank.initial().with(3, filled(20, 3)))
                .withLockout(new Lockout(2, 7, true))
                .withDeferredPhysicalPresence(4)
                .withSession(new Session(5, Session.OSAP, 0, Entity.OWNER, filled(20, 1), filled(20, 2), null))
                .withNvLocks(new NvLocks(9, true, false));
        assertThat(StateFormat.encodeSaved(read)).isEqualTo(StateFormat.encodeSaved(expected));
    }

    @Test
    void aSavedStateOfVersion2KeepsItsSessions() throws EngineStateException {
        Version2.Saved old = new Version2.Saved(
                new StClearFlags(0),
                PcrBank.initial(),
                Lockout.NONE,
                Handles.OWNER,
                0,
                List.of(new Version1.FirstSession(5, Session.OSAP, 6, Entity.SRK, filled(20, 1), filled(20, 2))),
                List.of(),
                List.of());

        StClearState read = StateFormat.decodeSaved(new ByteWriter()
                .bytes(SAVED_VERSION_2)
                .bytes(Codec.of(Version2.Saved.class).encode(old))
                .finish());

        StClearState expected = StClearState.initial(false)
                .withSession(new Session(5, Session.OSAP, 6, Entity.SRK, filled(20, 1), filled(20, 2), null));
        assertThat(StateFormat.encodeSaved(read)).isEqualTo(StateFormat.encodeSaved(expected));
    }

    @Test
    void delegationsAreKept() throws EngineStateException {
        PcrInfoShort anywhere = new PcrInfoShort(new PcrSelection(new byte[] {1}), 3, filled(20, 4));
        DelegatePublic pub = new DelegatePublic(65, anywhere, new Delegations(Delegations.OWNER_BITS, -1, 0), 7, 8);
        PermanentState permanent = PermanentState.factory(null)
                .withDelegation(DelegationTables.EMPTY
                        .withNew(new FamilyTableEntry(66, 7, 8, FamilyTableEntry.ENABLED))
                        .with(new DelegationTables.Delegate(2, pub, filled(20, 5))));
        StClearState saved = StClearState.initial(false)
                .withOwnerReference(2)
                .withSession(new Session(5, Session.DSAP, 0, Entity.OWNER, filled(20, 1), filled(20, 2), pub));

        PermanentState readPermanent = StateFormat.decodePermanent(StateFormat.encodePermanent(permanent));
        StClearState readSaved = StateFormat.decodeSaved(StateFormat.encodeSaved(saved));

        assertThat(StateFormat.encodePermanent(readPermanent)).isEqualTo(StateFormat.encodePermanent(permanent));
        assertThat(StateFormat.encodeSaved(readSaved)).isEqualTo(StateFormat.encodeSaved(saved));
    }

    @Test
    void transportSessionsAreKept() throws EngineStateException {
        TransportPublic pub = new TransportPublic(TransportPublic.ENCRYPT, Algorithm.AES128, Algorithm.ES_SYM_OFB);
        StClearState saved = StClearState.initial(false)
                .withTransport(new TransportSession(6, filled(20, 1), pub, filled(20, 2), filled(20, 3)))
                .withTransport(new TransportSession(7, filled(20, 4), pub, filled(20, 5), filled(20, 6)));

        StClearState read = StateFormat.decodeSaved(StateFormat.encodeSaved(saved));

        assertThat(read.transports()).extracting(TransportSession::handle).containsExactly(6, 7);
        assertThat(StateFormat.encodeSaved(read)).isEqualTo(StateFormat.encodeSaved(saved));
    }

    @Test
    void aStateOfVersion2KeepsItsEvictKeys() throws EngineStateException {
        RsaPrivateKey privateKey =
                new RsaPrivateKey(filled(3, 3), filled(4, 4), filled(5, 5), filled(6, 6), filled(7, 7));
        LoadedKey srk = LoadedKey.srk(storageKey(), privateKey, filled(20, 11), filled(20, 8));
        LoadedKey evictKey = new LoadedKey(0x01000007, storageKey(), privateKey, filled(20, 1), filled(20, 2), 1, true);
        Owner owner = new Owner(filled(20, 1), filled(20, 8), filled(16, 9), filled(16, 10), srk, List.of(evictKey));
        Version2.Permanent old = new Version2.Permanent(
                PermanentFlags.FACTORY, null, owner, filled(20, 13), filled(20, 14), 15, 16, List.of());

        PermanentState read = StateFormat.decodePermanent(new ByteWriter()
                .bytes(VERSION_2)
                .bytes(Codec.of(Version2.Permanent.class).encode(old))
                .finish());

        PermanentState expected = PermanentState.factory(null)
                .withFlags(PermanentFlags.FACTORY)
                .withOwner(owner)
                .withOperatorAuth(filled(20, 13))
                .withDir(filled(20, 14))
                .withNoOwnerNvWrites(15)
                .withRestrictDelegate(16);
        assertThat(StateFormat.encodePermanent(read)).isEqualTo(StateFormat.encodePermanent(expected));
    }

    private static TpmKey storageKey() {
        return new TpmKey.Key(
                0,
                KeyUsage.STORAGE,
                new KeyFlags(0),
                1,
                KeyParms.rsa(Algorithm.ES_RSAESOAEP_SHA1_MGF1, Algorithm.SS_NONE, 2048),
                null,
                new StorePubkey(filled(256, 2)),
                new byte[0]);
    }

    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
