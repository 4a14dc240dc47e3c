package org.vtpm.engine.tpm12.command;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Every ordinal of TPM 1.2, one row each, to be held against the ordinal table of TPM Main Part 2, section 17, and the
 * command descriptions of Part 3. Dispatch, GetCapability, audit and transport sessions read their rules here. A
 * command works when a chapter registers a handler for its row; without one it answers TPM_BAD_ORDINAL.
 *
 * <pre>
 * tags         the allowed numbers of authorisation blocks
 * in, out      bytes of the handle area in the request and in the response: left out of authorisation digests and
 *              never encrypted in a transport session
 * available    D disabled, X deactivated, O without owner, I before Startup, L before the self-test, F in failure mode;
 *              n stands for: while nvLocked is FALSE, h for: the handler decides
 * K            refused while the dictionary-attack lockout runs, unless it comes without authorisation
 * P            needs physical presence; h: the handler decides
 * loc          localities; h: the handler decides
 * audit        audited by default (on), only when asked for (off), or never
 * T            may be wrapped in a transport session
 * B            brief, unless the state of the TPM gives it more to do: some microseconds, at most SHA-1 over the request;
 *              no private key, and no change of permanent state
 * keys         key handles that a transport session logs; h: one, if the resource type that follows is TPM_RT_KEY
 * owner, key   bit of the delegation's per1 that allows it
 * </pre>
 */
public final class CommandTable {
    private static final String ROWS = """
            # name                       ordinal   tags in  out  D X O I L F  K   P  loc  audit  T  B  keys owner  key
            OIAP                         0000000A  0     0  24   y y y - - -  y   -  any  off    y  y    0    -     -
            OSAP                         0000000B  0    26  44   y y - - - -  y   -  any  off    y  y    0    -     -
            ChangeAuth                   0000000C  2     4   0   - - - - - -  y   -  any  off    y  -    1    -     6
            TakeOwnership                0000000D  1     0   0   - y y - - -  y   -  any  on     y  -    0    -     -
            ChangeAuthAsymStart          0000000E  01    4   0   - - - - - -  y   -  any  off    y  -    1    -    26
            ChangeAuthAsymFinish         0000000F  01    8   0   - - - - - -  y   -  any  off    y  -    2    -    25
            ChangeAuthOwner              00000010  1     0   0   - - - - - -  y   -  any  on     y  -    0    -     -
            DSAP                         00000011  0    30  44   y y - - - -  y   -  any  off    y  -    0    -     -
            CMK_CreateTicket             00000012  1     0   0   - - - - - -  y   -  any  off    y  -    0   26     -
            CMK_CreateKey                00000013  1     4   0   - - - - - -  y   -  any  off    y  -    1    -    24
            Extend                       00000014  0     0   0   y y y - y -  y   -  h    off    y  y    0    -     -
            PcrRead                      00000015  0     0   0   - - y - - -  y   -  any  off    y  y    0    -     -
            Quote                        00000016  01    4   0   - - - - - -  y   -  any  off    y  -    1    -     3
            Seal                         00000017  1     4   0   - - - - - -  y   -  any  off    y  -    1    -     1
            Unseal                       00000018  12    4   0   - - - - - -  y   -  any  off    y  -    1    -     2
            DirWriteAuth                 00000019  1     0   0   - - y - - -  y   -  any  off    y  -    0   29     -
            DirRead                      0000001A  0     0   0   - - y - - -  y   -  any  off    y  y    0    -     -
            CMK_CreateBlob               0000001B  1     4   0   - - - - - -  y   -  any  off    y  -    1    -    10
            CMK_SetRestrictions          0000001C  1     0   0   - - - - - -  y   -  any  off    y  -    0    -     -
            CMK_ApproveMA                0000001D  1     0   0   - - - - - -  y   -  any  off    y  -    0   28     -
            UnBind                       0000001E  01    4   0   - - - - - -  y   -  any  off    y  -    1    -     4
            CreateWrapKey                0000001F  1     4   0   - - - - - -  y   -  any  on     y  -    1    -    11
            LoadKey                      00000020  01    4   0   - - - - - -  y   -  any  off    y  -    1    -     0
            GetPubKey                    00000021  01    4   0   - - - - - -  y   -  any  off    y  -    1    -     5
            EvictKey                     00000022  0     4   0   - - - - - -  y   -  any  off    y  -    1    -     -
            KeyControlOwner              00000023  1     4   0   - - - - - -  y   -  any  off    y  -    1   31     -
            CMK_ConvertMigration         00000024  1     4   0   - - - - - -  y   -  any  off    y  -    1    -    28
            MigrateKey                   00000025  01    4   0   - - - - - -  y   -  any  off    y  -    1    -    23
            CreateMigrationBlob          00000028  12    4   0   - - - - - -  y   -  any  on     y  -    1    -     9
            DAA_Join                     00000029  1     4   0   - - - - - -  y   -  any  off    y  -    0   23     -
            ConvertMigrationBlob         0000002A  01    4   0   - - - - - -  y   -  any  on     y  -    1    -     8
            AuthorizeMigrationKey        0000002B  1     0   0   - - - - - -  y   -  any  on     y  -    0   22     -
            CreateMaintenanceArchive     0000002C  1     0   0   - - - - - -  y   -  any  on     y  -    0   21     -
            LoadMaintenanceArchive       0000002D  1     0   0   - - - - - -  y   -  any  on     y  -    0   20     -
            KillMaintenanceFeature       0000002E  1     0   0   - - - - - -  y   -  any  on     y  -    0   19     -
            LoadManuMaintPub             0000002F  0     0   0   - - y - - -  y   -  any  on     y  -    0    -     -
            ReadManuMaintPub             00000030  0     0   0   - - y - - -  y   -  any  on     y  -    0    -     -
            DAA_Sign                     00000031  1     4   0   - - - - - -  y   -  any  off    y  -    0    0     -
            CertifyKey                   00000032  012   8   0   - - - - - -  y   -  any  off    y  -    2    -    12
            CertifyKey2                  00000033  012   8   0   - - - - - -  y   -  any  off    y  -    2    -    13
            Sign                         0000003C  01    4   0   - - - - - -  y   -  any  off    y  -    1    -    14
            Sealx                        0000003D  1     4   0   - - - - - -  y   -  any  off    y  -    1    -    18
            Quote2                       0000003E  01    4   0   - - - - - -  y   -  any  off    y  -    1    -    19
            SetCapability                0000003F  01    0   0   y y y - - -  y   h  h    off    y  -    0   12     -
            ResetLockValue               00000040  1     0   0   - - - - - -  -   -  any  off    y  -    0   17     -
            LoadKey2                     00000041  01    4   4   - - - - - -  y   -  any  off    y  -    1    -    22
            GetRandom                    00000046  0     0   0   - - y - - -  y   -  any  off    y  y    0    -     -
            StirRandom                   00000047  0     0   0   - - y - - -  y   -  any  off    y  -    0    -     -
            SelfTestFull                 00000050  0     0   0   y y y - y -  y   -  any  off    y  -    0    -     -
            CertifySelfTest              00000052  01    4   0   - - - - - -  y   -  any  off    y  -    1    -     -
            ContinueSelfTest             00000053  0     0   0   y y y - y -  y   -  any  off    y  -    0    -     -
            GetTestResult                00000054  0     0   0   y y y - y y  y   -  any  off    y  y    0    -     -
            Reset                        0000005A  0     0   0   y y y - - -  y   -  any  off    y  -    0    -     -
            OwnerClear                   0000005B  1     0   0   - - - - - -  y   -  any  on     y  -    0   16     -
            DisableOwnerClear            0000005C  1     0   0   - - - - - -  y   -  any  on     y  -    0   15     -
            ForceClear                   0000005D  0     0   0   - - y - - -  y   y  any  on     y  -    0    -     -
            DisableForceClear            0000005E  0     0   0   - - y - - -  y   -  any  on     y  -    0    -     -
            GetCapabilitySigned          00000064  01    4   0   - - - - - -  y   -  any  off    y  -    0    -     -
            GetCapability                00000065  0     0   0   y y y - y h  y   -  any  off    y  y    0    -     -
            GetCapabilityOwner           00000066  1     0   0   - - - - - -  y   -  any  off    y  -    0    -     -
            OwnerSetDisable              0000006E  1     0   0   y y - - - -  y   -  any  on     y  -    0   13     -
            PhysicalEnable               0000006F  0     0   0   y y y - - -  y   y  any  on     y  -    0    -     -
            PhysicalDisable              00000070  0     0   0   - y y - - -  y   y  any  on     y  -    0    -     -
            SetOwnerInstall              00000071  0     0   0   - - y - - -  y   h  any  on     y  -    0    -     -
            PhysicalSetDeactivated       00000072  0     0   0   - y y - - -  y   y  any  on     y  -    0    -     -
            SetTempDeactivated           00000073  01    0   0   y - y - - -  y   h  any  on     y  -    0    -     -
            SetOperatorAuth              00000074  0     0   0   - - y - - -  y   y  any  off    y  -    0    -     -
            SetOwnerPointer              00000075  0     0   0   - - - - - -  y   -  any  off    y  -    0    -     -
            CreateEndorsementKeyPair     00000078  0     0   0   - - y - - -  y   -  any  off    y  -    0    -     -
            MakeIdentity                 00000079  12    0   0   - - - - - -  y   -  any  on     y  -    0   11    17
            ActivateIdentity             0000007A  12    4   0   - - - - - -  y   -  any  on     y  -    1   10    16
            ReadPubek                    0000007C  0     0   0   - - y - - -  y   -  any  on     y  -    0    -     -
            OwnerReadPubek               0000007D  1     0   0   - - - - - -  y   -  any  on     y  -    0    9     -
            DisablePubekRead             0000007E  1     0   0   - - - - - -  y   -  any  on     y  -    0    8     -
            CreateRevocableEK            0000007F  0     0   0   - - y - - -  y   -  any  off    y  -    0    -     -
            RevokeTrust                  00000080  0     0   0   - - y - - -  y   h  any  off    y  -    0    -     -
            OwnerReadInternalPub         00000081  1     0   0   - - - - - -  y   -  any  off    y  -    1   18     -
            GetAuditEvent                00000082  0     0   0   - - - - - -  y   -  any  never  y  -    0    -     -
            GetAuditEventSigned          00000083  01    0   0   - - - - - -  y   -  any  never  y  -    0    -     -
            GetAuditDigest               00000085  0     0   0   - - y - - -  y   -  any  never  y  -    0    -     -
            GetAuditDigestSigned         00000086  01    4   0   - - - - - -  y   -  any  never  y  -    1    -    15
            GetOrdinalAuditStatus        0000008C  0     0   0   - - - - - -  y   -  any  never  y  -    0    -     -
            SetOrdinalAuditStatus        0000008D  1     0   0   - - - - - -  y   -  any  on     y  -    0   30     -
            Terminate_Handle             00000096  0     4   0   y y y - - -  y   -  any  off    y  y    0    -     -
            Init                         00000097  0     0   0   y y y y y -  -   -  any  off    y  -    0    -     -
            SaveState                    00000098  0     0   0   y y y - - -  y   -  any  off    y  -    0    -     -
            Startup                      00000099  0     0   0   y y y y y y  -   -  any  off    y  -    0    -     -
            SetRedirection               0000009A  1     4   0   - - - - - -  y   -  any  off    y  -    1    7     -
            SHA1Start                    000000A0  0     0   0   y y y - y -  y   -  any  off    y  y    0    -     -
            SHA1Update                   000000A1  0     0   0   y y y - y -  y   -  any  off    y  y    0    -     -
            SHA1Complete                 000000A2  0     0   0   y y y - y -  y   -  any  off    y  y    0    -     -
            SHA1CompleteExtend           000000A3  0     0   0   y y y - y -  y   -  h    off    y  y    0    -     -
            FieldUpgrade                 000000AA  01    0   0   - - - - - -  y   h  any  off    y  -    0    6     -
            SaveKeyContext               000000B4  0     4   0   - - y - - -  y   -  any  off    y  -    1    -     -
            LoadKeyContext               000000B5  0     0   4   - - y - - -  y   -  any  off    y  -    0    -     -
            SaveAuthContext              000000B6  0     4   0   - - y - - -  y   -  any  off    y  -    0    -     -
            LoadAuthContext              000000B7  0     0   4   - - y - - -  y   -  any  off    y  -    0    -     -
            SaveContext                  000000B8  0     4   0   - - - - - -  y   -  any  off    y  -    h    -     -
            LoadContext                  000000B9  0     4   4   - - - - - -  y   -  any  off    y  -    0    -     -
            FlushSpecific                000000BA  0     4   0   y y y - - -  y   -  any  off    y  y    h    -     -
            PCR_Reset                    000000C8  0     0   0   y y y - - -  y   -  h    off    y  y    0    -     -
            NV_DefineSpace               000000CC  01    0   0   n n y - - -  y   h  any  off    y  -    0   14     -
            NV_WriteValue                000000CD  01    0   0   y y y - - -  y   h  h    off    y  -    0   27     -
            NV_WriteValueAuth            000000CE  1     0   0   - - - - - -  y   h  h    off    y  -    0    -     -
            NV_ReadValue                 000000CF  01    0   0   y y y - - -  y   h  h    off    y  y    0   25     -
            NV_ReadValueAuth             000000D0  1     0   0   - - - - - -  y   h  h    off    y  y    0    -     -
            Delegate_UpdateVerification  000000D1  1     0   0   - - - - - -  y   -  any  off    y  -    0    5     -
            Delegate_Manage              000000D2  01    0   0   - - y - - -  y   -  any  off    y  -    0    2     -
            Delegate_CreateKeyDelegation 000000D4  1     4   0   - - - - - -  y   -  any  off    y  -    1    -     7
            Delegate_CreateOwnerDelegation 000000D5  1     0   0   - - - - - -  y   -  any  off    y  -    0    1     -
            Delegate_VerifyDelegation    000000D6  0     0   0   - - - - - -  y   -  any  off    y  -    0    -     -
            Delegate_LoadOwnerDelegation 000000D8  01    0   0   - - y - - -  y   -  any  off    y  -    0   24     -
            Delegate_ReadTable           000000DB  0     0   0   - - y - - -  y   -  any  off    y  -    0    -     -
            CreateCounter                000000DC  1     0   0   - - - - - -  y   -  any  off    y  -    0    4     -
            IncrementCounter             000000DD  1     0   0   - - - - - -  y   -  any  off    y  -    0    -     -
            ReadCounter                  000000DE  0     0   0   - - y - - -  y   -  any  off    y  y    0    -     -
            ReleaseCounter               000000DF  1     0   0   - - y - - -  y   -  any  off    y  -    0    -     -
            ReleaseCounterOwner          000000E0  1     0   0   - - - - - -  y   -  any  off    y  -    0    3     -
            EstablishTransport           000000E6  01    4   4   - - - - - -  y   -  any  off    -  -    1    -    21
            ExecuteTransport             000000E7  1     0   0   - - - - - -  y   -  any  off    -  -    0    -     -
            ReleaseTransportSigned       000000E8  12    4   0   - - - - - -  y   -  any  off    -  -    0    -    20
            GetTicks                     000000F1  0     0   0   - - y - - -  y   -  any  off    y  y    0    -     -
            TickStampBlob                000000F2  01    4   0   - - - - - -  y   -  any  off    y  -    1    -    27
            TSC_PhysicalPresence         4000000A  0     0   0   y y y - y -  y   -  any  off    y  -    0    -     -
            TSC_ResetEstablishmentBit    4000000B  0     0   0   y y y - y -  y   -  3,4  off    y  -    0    -     -
            """;

    private static final Map<String, Command> BY_NAME = ROWS.lines()
            .filter(line -> !line.startsWith("#"))
            .map(Command::parse)
            .collect(Collectors.toUnmodifiableMap(Command::name, Function.identity()));

    private CommandTable() {}

    /**
     * The row of a command by its name without the prefix {@code TPM_}.
     *
     * @throws IllegalArgumentException if there is no such command
     */
    public static Command byName(String name) {
        Command command = BY_NAME.get(name);
        if (command == null) {
            throw new IllegalArgumentException("no TPM 1.2 command " + name);
        }
        return command;
    }

    /** All rows, by rising ordinal. */
    public static List<Command> all() {
        return BY_NAME.values().stream()
                .sorted((a, b) -> Integer.compareUnsigned(a.ordinal(), b.ordinal()))
                .toList();
    }
}
