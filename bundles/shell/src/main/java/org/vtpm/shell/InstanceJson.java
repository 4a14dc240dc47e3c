package org.vtpm.shell;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.manager.EndpointInfo;
import org.vtpm.api.manager.InstanceInfo;

/** An instance as the members of a JSON object. The names are a contract with operators' scripts. */
final class InstanceJson {
    private InstanceJson() {}

    static List<Object> of(List<InstanceInfo> instances) {
        List<Object> elements = new ArrayList<>();
        instances.forEach(instance -> elements.add(of(instance)));
        return elements;
    }

    static Map<String, @Nullable Object> of(InstanceInfo instance) {
        InstanceRecord instanceRecord = instance.record();
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        members.put("name", instanceRecord.name());
        members.put("uuid", instanceRecord.uuid().toString());
        members.put("family", instanceRecord.family().label());
        members.put("state", instance.state().name());
        members.put("reason", instance.reason());
        members.put("isolation", Words.label(instanceRecord.isolation()));
        members.put("startup", Words.label(instanceRecord.startup()));
        members.put("transport", instance.transport());
        members.put("chosenTransport", instanceRecord.transport());
        members.put("pid", instance.pid().isPresent() ? (Long) instance.pid().getAsLong() : null);
        members.put("commands", instance.commands());
        members.put("created", instanceRecord.created().toString());
        List<Object> endpoints = new ArrayList<>();
        for (EndpointInfo endpoint : instance.endpoints()) {
            Map<String, @Nullable Object> address = new LinkedHashMap<>();
            address.put("uri", endpoint.uri().toString());
            address.put("open", endpoint.open());
            address.put("problem", endpoint.problem());
            endpoints.add(address);
        }
        members.put("endpoints", endpoints);
        return members;
    }
}
