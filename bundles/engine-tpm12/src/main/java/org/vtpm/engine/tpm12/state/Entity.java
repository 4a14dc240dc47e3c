package org.vtpm.engine.tpm12.state;

import java.util.Arrays;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.EntityType;

/**
 * What a session is bound to, or what a command is authorised for.
 *
 * @param type low byte of TPM_ENTITY_TYPE
 * @param id tells entities of one type apart: of a key its pubDataDigest, of others their index
 */
public record Entity(@U8 int type, @Fixed(Sha1.LENGTH) byte[] id) {
    /** What an OIAP session is bound to. */
    public static final Entity NONE = new Entity(0, new byte[Sha1.LENGTH]);

    public static final Entity OWNER = new Entity(EntityType.OWNER, new byte[Sha1.LENGTH]);
    public static final Entity SRK = new Entity(EntityType.SRK, new byte[Sha1.LENGTH]);
    public static final Entity OPERATOR = new Entity(EntityType.OPERATOR, new byte[Sha1.LENGTH]);

    /** An NV area. */
    public static Entity nv(int nvIndex) {
        return numbered(EntityType.NV, nvIndex);
    }

    /** A monotonic counter, by the value that it started with. */
    static Entity counter(int firstValue) {
        return numbered(EntityType.COUNTER, firstValue);
    }

    private static Entity numbered(int type, int number) {
        return new Entity(
                type,
                new ByteWriter(Sha1.LENGTH)
                        .i32(number)
                        .bytes(new byte[Sha1.LENGTH - Integer.BYTES])
                        .finish());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Entity entity && type == entity.type && Arrays.equals(id, entity.id);
    }

    @Override
    public int hashCode() {
        return 31 * type + Arrays.hashCode(id);
    }
}
