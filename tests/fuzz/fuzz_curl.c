/* Any text as a pasted curl command: what is read of it has a URL and a method, and headers that are some;
 * what is refused is told. */
#include "probe/curl_command.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str text = { (const char *)bytes, len };
    struct curl_command command;
    struct err err = { .text = "" };

    (void)curl_command_is(text);
    if (curl_command_parse(&command, text, &err) != RESULT_OK) {
        FUZZ_CHECK(err.text[0]);
        return 0;
    }
    FUZZ_CHECK(command.url.len && command.method.len);
    FUZZ_CHECK(command.header_count <= CURL_COMMAND_HEADERS_MAX);
    for (size_t i = 0; i < command.header_count; i++) {
        FUZZ_CHECK(memchr(command.headers[i].data, ':', command.headers[i].len));
    }
    FUZZ_CHECK(command.has_body || !command.body.len);
    curl_command_release(&command);
    return 0;
}
