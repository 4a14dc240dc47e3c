package org.vtpm.crypto;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.crypto.threshold.ShamirSecretSplitter;
import org.bouncycastle.crypto.threshold.ShamirSplitSecret;
import org.bouncycastle.crypto.threshold.ShamirSplitSecretShare;

/** Shares of a secret of which a quorum tells it, and fewer tell nothing: Shamir's scheme over GF(2^8). */
public final class SecretSharing {
    /** Most shares that there can be of a secret. */
    public static final int MOST_SHARES = 16;

    private SecretSharing() {}

    /**
     * One share.
     *
     * @param number 1 to {@value #MOST_SHARES}; no two shares of a secret have the same
     * @param value as long as the secret; secret itself
     */
    public record Share(int number, byte[] value) {}

    /**
     * Makes the shares of a new random secret.
     *
     * @param length of the secret in bytes, at least {@value #MOST_SHARES}
     * @param quorum how many shares tell the secret, at least 1
     * @param count how many shares there are
     */
    public static List<Share> split(int length, int quorum, int count, SecureRandom random) {
        if (quorum < 1 || count < quorum || count > MOST_SHARES || length < MOST_SHARES) {
            throw new IllegalArgumentException("a quorum of " + quorum + " from " + count + " shares is not possible");
        }
        if (quorum == 1) {
            byte[] secret = new byte[length];
            random.nextBytes(secret);
            List<Share> same = new ArrayList<>();
            for (int number = 1; number <= count; number++) {
                same.add(new Share(number, secret.clone()));
            }
            Secrets.zero(secret);
            return same;
        }
        ShamirSecretSplitter splitter = new ShamirSecretSplitter(
                ShamirSecretSplitter.Algorithm.AES, ShamirSecretSplitter.Mode.Native, length, random);
        ShamirSplitSecretShare[] made = splitter.split(quorum, count).getSecretShares();
        List<Share> shares = new ArrayList<>();
        try {
            // The library makes room for as many shares as the secret has bytes, whatever their count is.
            for (int number = 1; number <= count; number++) {
                shares.add(new Share(number, made[number - 1].getEncoded()));
            }
        } catch (IOException e) {
            throw new IllegalStateException("a share in memory has an encoding", e);
        }
        return shares;
    }

    /**
     * The secret that shares tell. That they are enough and belong together shows when the secret is used.
     *
     * @param shares with different numbers, all of one length
     * @return the secret; the caller zeroes it
     */
    public static byte[] combine(List<Share> shares) {
        if (shares.size() == 1) {
            return shares.get(0).value().clone();
        }
        // The library keeps a share's number inside; two shares that are the same would divide by zero.
        if (shares.stream().map(Share::number).distinct().count() != shares.size()) {
            throw new IllegalArgumentException("the same share twice");
        }
        ShamirSplitSecretShare[] parts = shares.stream()
                .map(share -> new ShamirSplitSecretShare(share.value().clone(), share.number()))
                .toArray(ShamirSplitSecretShare[]::new);
        try {
            return new ShamirSplitSecret(ShamirSecretSplitter.Algorithm.AES, ShamirSecretSplitter.Mode.Native, parts)
                    .getSecret();
        } catch (IOException e) {
            throw new IllegalArgumentException("shares that do not belong together", e);
        }
    }
}
