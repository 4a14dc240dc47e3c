package org.vtpm.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonTest {
    @Test
    void writesEveryKindOfValue() {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("text", "demo");
        members.put("number", 7L);
        members.put("small", 1);
        members.put("flag", true);
        members.put("none", null);
        members.put("list", Arrays.asList("a", null));
        members.put("empty", List.of());
        members.put("nothing", Map.of());

        assertThat(Json.write(members)).isEqualTo("""
                        {
                          "text": "demo",
                          "number": 7,
                          "small": 1,
                          "flag": true,
                          "none": null,
                          "list": [
                            "a",
                            null
                          ],
                          "empty": [],
                          "nothing": {}
                        }""");
    }

    @Test
    void escapesWhatWouldEndOrBreakString() {
        assertThat(Json.write("\" \\ \n \r \t \u0000 \u001b \u007f ü \ud83d"))
                .isEqualTo("\"\\\" \\\\ \\n \\r \\t \\u0000 \\u001b \\u007f ü \\ud83d\"");
    }

    @Test
    void refusesWhatIsNotJson() {
        assertThatThrownBy(() -> Json.write(new Object())).isInstanceOf(IllegalArgumentException.class);
    }
}
