package org.vtpm.manager;

import java.lang.annotation.Annotation;
import java.lang.reflect.Proxy;
import java.util.Map;

/** The manager's configuration as the tests set it. */
final class TestConfig {
    private TestConfig() {}

    /** The configuration's defaults, but for those named here. */
    static ManagerConfig of(Map<String, Object> changes) {
        return (ManagerConfig) Proxy.newProxyInstance(
                ManagerConfig.class.getClassLoader(), new Class<?>[] {ManagerConfig.class}, (proxy, method, args) -> {
                    if (method.getDeclaringClass() == Annotation.class) {
                        return ManagerConfig.class;
                    }
                    return changes.getOrDefault(method.getName(), method.getDefaultValue());
                });
    }
}
