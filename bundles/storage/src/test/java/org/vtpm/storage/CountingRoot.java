package org.vtpm.storage;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.vtpm.api.root.Examination;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.PlatformPolicies;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;

/** A root of trust with counters that lose power, refuse and vanish when a test wants it. */
final class CountingRoot implements RootOfTrust, MonotonicCounters {
    /** What happens at the next attempts to raise a counter. */
    enum Fault {
        NONE,
        /** It refuses. */
        REFUSES,
        /** It is raised, but nobody is told. */
        ANSWER_LOST
    }

    private final TestRoot root = new TestRoot();
    private final Map<Integer, Long> values = new HashMap<>();
    private final Map<Integer, byte[]> secrets = new HashMap<>();
    private Fault fault = Fault.NONE;
    private int raised;
    private int commandsLeft = Integer.MAX_VALUE;
    private boolean lastIsCarriedOut;
    private Runnable death = () -> {};

    void fault(Fault next) {
        fault = next;
    }

    /**
     * Lets the process that uses this die at a command.
     *
     * @param carriedOut whether the command is carried out before
     * @param also what else does not work from then on
     */
    void dieAfter(int commands, boolean carriedOut, Runnable also) {
        commandsLeft = commands;
        lastIsCarriedOut = carriedOut;
        death = also;
    }

    /** The next process may use this. */
    void live() {
        commandsLeft = Integer.MAX_VALUE;
    }

    /** Whether the command is carried out; who asks then calls {@link #answer}. */
    private void command() throws RootOfTrustException {
        if (commandsLeft <= 0 && !(commandsLeft == 0 && lastIsCarriedOut)) {
            commandsLeft = -1;
            answer();
        }
    }

    private void answer() throws RootOfTrustException {
        if (commandsLeft <= 0) {
            commandsLeft = -1;
            death.run();
            throw new RootOfTrustException("the process was killed");
        }
        commandsLeft--;
    }

    /** How often a counter was raised: hardware wears out. */
    int raised() {
        return raised;
    }

    void clear() {
        values.clear();
        secrets.clear();
    }

    @Override
    public byte[] create(byte[] secret, byte[] ownerAuth) {
        int number = values.size() + 1;
        values.put(number, 100L * number);
        secrets.put(number, secret.clone());
        return ByteBuffer.allocate(Integer.BYTES).putInt(number).array();
    }

    @Override
    public long read(byte[] counter, byte[] secret) throws RootOfTrustException {
        command();
        long value = value(counter, secret);
        answer();
        return value;
    }

    private long value(byte[] counter, byte[] secret) throws RootOfTrustException {
        int number = ByteBuffer.wrap(counter).getInt();
        if (!values.containsKey(number) || !Arrays.equals(secrets.get(number), secret)) {
            throw new RootOfTrustException("there is no such counter");
        }
        return values.get(number);
    }

    @Override
    public long increment(byte[] counter, byte[] secret) throws RootOfTrustException {
        command();
        if (fault == Fault.REFUSES) {
            throw new RootOfTrustException("the counter refuses");
        }
        long next = value(counter, secret) + 1;
        values.put(ByteBuffer.wrap(counter).getInt(), next);
        raised++;
        if (fault == Fault.ANSWER_LOST) {
            throw new RootOfTrustException("no answer");
        }
        answer();
        return next;
    }

    @Override
    public void release(byte[] counter, byte[] secret, byte[] ownerAuth) {
        values.remove(ByteBuffer.wrap(counter).getInt());
    }

    @Override
    public String name() {
        return root.name();
    }

    @Override
    public String place() {
        return root.place();
    }

    @Override
    public boolean developmentOnly() {
        return false;
    }

    @Override
    public byte[] seal(byte[] secret, SealingTerms terms) {
        return root.seal(secret, terms);
    }

    @Override
    public byte[] terms(byte[] sealed) {
        return root.terms(sealed);
    }

    @Override
    public byte[] reseal(byte[] sealed, byte[] secret, byte[] ownerAuth) {
        return root.reseal(sealed, secret, ownerAuth);
    }

    @Override
    public byte[] unseal(byte[] sealed) throws RootOfTrustException {
        command();
        byte[] secret = root.unseal(sealed);
        answer();
        return secret;
    }

    @Override
    public Examination examine(byte[] sealed) {
        return root.examine(sealed);
    }

    @Override
    public Optional<PlatformPolicies> policies() {
        return Optional.empty();
    }

    @Override
    public Optional<MonotonicCounters> counters() {
        return Optional.of(this);
    }
}
