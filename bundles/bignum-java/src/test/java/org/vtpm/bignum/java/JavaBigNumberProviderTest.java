package org.vtpm.bignum.java;

import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

class JavaBigNumberProviderTest {
    @TestFactory
    Stream<DynamicTest> conforms() {
        return BigNumberConformance.of(new JavaBigNumberProvider());
    }
}
