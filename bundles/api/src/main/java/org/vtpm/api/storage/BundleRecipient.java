package org.vtpm.api.storage;

/** Who can open a bundle. The arrays stay the caller's, who zeroes them if they are secret. */
public sealed interface BundleRecipient {
    /**
     * Whoever knows a pass phrase.
     *
     * @param phrase at least {@value #SHORTEST} bytes, which all count
     */
    record Passphrase(byte[] phrase) implements BundleRecipient {
        /** How many bytes a pass phrase has at least: who has the bundle can try phrases without anybody noticing. */
        public static final int SHORTEST = 12;

        /** Names nothing of the phrase. */
        @Override
        public String toString() {
            return "Passphrase";
        }
    }

    /**
     * One host.
     *
     * @param key its {@link StorageAdministration#hostKey}
     */
    record Host(byte[] key) implements BundleRecipient {}
}
