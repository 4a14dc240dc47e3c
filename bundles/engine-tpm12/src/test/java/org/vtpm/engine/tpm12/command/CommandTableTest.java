package org.vtpm.engine.tpm12.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.vtpm.engine.tpm12.chapter.Chapters;
import org.vtpm.engine.tpm12.command.Command.Audit;
import org.vtpm.engine.tpm12.command.Command.Rule;

class CommandTableTest {
    @Test
    void hasEveryOrdinalOfTheSpecificationOnce() {
        List<Command> all = CommandTable.all();
        assertThat(all).hasSize(125);
        assertThat(all).extracting(Command::name).doesNotHaveDuplicates();
        assertThat(all.get(0).ordinal()).isEqualTo(0x0A);
        assertThat(all.get(124).ordinal()).isEqualTo(0x4000000B);
    }

    @Test
    void aRowSaysWhatItsColumnsSay() {
        Command unseal = CommandTable.byName("Unseal");
        assertThat(unseal.ordinal()).isEqualTo(0x18);
        assertThat(unseal.allows(0)).isFalse();
        assertThat(unseal.allows(1)).isTrue();
        assertThat(unseal.allows(2)).isTrue();
        assertThat(unseal.inHandleBytes()).isEqualTo(4);
        assertThat(unseal.disabled()).isEqualTo(Rule.NO);
        assertThat(unseal.lockout()).isTrue();
        assertThat(unseal.keyHandles()).isEqualTo(1);
        assertThat(unseal.keyDelegateBit()).isEqualTo(2);
        assertThat(unseal.ownerDelegateBit()).isEqualTo(-1);
        assertThat(unseal.audit()).isEqualTo(Audit.OFF);
        assertThat(unseal.brief()).isFalse();
        assertThat(CommandTable.byName("PcrRead").brief()).isTrue();
    }

    @Test
    void whatIsBriefIsNeitherAuditedByDefaultNorUsesAKey() {
        assertThat(CommandTable.all()).filteredOn(Command::brief).hasSize(19).allSatisfy(command -> {
            assertThat(command.audit()).isEqualTo(Audit.OFF);
            assertThat(command.keyHandles()).as("%s", command.name()).isLessThanOrEqualTo(0);
        });
    }

    @Test
    void onlyStartupWorksBeforeStartup() {
        assertThat(CommandTable.all())
                .filteredOn(command -> command.beforeStartup() == Rule.YES)
                .extracting(Command::name)
                .containsExactly("Init", "Startup");
    }

    @Test
    void delegationBitsAreUsedOnce() {
        assertThat(CommandTable.all())
                .extracting(Command::ownerDelegateBit)
                .filteredOn(bit -> bit >= 0)
                .hasSize(32)
                .doesNotHaveDuplicates();
        assertThat(CommandTable.all())
                .extracting(Command::keyDelegateBit)
                .filteredOn(bit -> bit >= 0)
                .hasSize(29)
                .doesNotHaveDuplicates();
    }

    @Test
    void auditCannotBeAskedForItself() {
        assertThat(CommandTable.byName("GetAuditDigest").audit()).isEqualTo(Audit.NEVER);
        assertThat(CommandTable.byName("GetAuditDigestSigned").audit()).isEqualTo(Audit.NEVER);
        assertThat(CommandTable.byName("OwnerClear").audit()).isEqualTo(Audit.ON);
    }

    @Test
    void commandsThatEstablishTransportsAreNotWrapped() {
        assertThat(CommandTable.all())
                .filteredOn(command -> !command.wrappable())
                .extracting(Command::name)
                .containsExactly("EstablishTransport", "ExecuteTransport", "ReleaseTransportSigned");
    }

    @Test
    void handlersExistOnlyForCommandsOfTheTable() {
        Handlers handlers = Chapters.handlers();
        assertThat(handlers.supports(CommandTable.byName("PcrRead").ordinal())).isTrue();
        assertThat(handlers.supports(CommandTable.byName("Init").ordinal())).isTrue();
        assertThat(handlers.supports(CommandTable.byName("FieldUpgrade").ordinal()))
                .isFalse();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> handlers.on("NoSuch", NoParameters.class, (tx, request) -> request));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> handlers.on("PcrRead", NoParameters.class, (tx, request) -> request));
    }
}
