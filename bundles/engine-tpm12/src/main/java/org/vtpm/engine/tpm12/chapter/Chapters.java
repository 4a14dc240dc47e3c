package org.vtpm.engine.tpm12.chapter;

import java.util.List;
import org.vtpm.engine.tpm12.command.Handlers;

/** The commands that this TPM supports: to add some, write a chapter and name it here. */
public final class Chapters {
    private Chapters() {}

    public static Handlers handlers() {
        return Handlers.of(List.of(
                new StartupChapter(),
                new SelfTestChapter(),
                new OptInChapter(),
                new OwnershipChapter(),
                new EndorsementChapter(),
                new AuthorizationChangeChapter(),
                new AsymmetricChangeChapter(),
                new PhysicalPresenceChapter(),
                new CapabilityChapter(),
                new SetCapabilityChapter(),
                new ManagementChapter(),
                new RandomChapter(),
                new Sha1Chapter(),
                new IntegrityChapter(),
                new SessionChapter(),
                new EvictionChapter(),
                new ContextChapter(),
                new KeyChapter(),
                new KeyControlChapter(),
                new SealChapter(),
                new BindChapter(),
                new CertifyChapter(),
                new MigrationChapter(),
                new CmkChapter(),
                new MaintenanceChapter(),
                new NvChapter(),
                new DelegationChapter(),
                new CounterChapter(),
                new AuditChapter(),
                new TickChapter(),
                new SigningChapter(),
                new QuoteChapter(),
                new IdentityChapter(),
                new DaaChapter(),
                new TransportChapter()));
    }
}
