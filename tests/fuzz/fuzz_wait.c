/* Any line as a Retry-After: durations and moments in all their forms stay within their bounds, and one
 * more value in the list never makes the wait shorter. */
#include "base/clock.h"
#include "base/duration.h"
#include "base/moment.h"
#include "plan/retry_after.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define WALL_US (INT64_C(1795234500) * 1000000)
#define LINE_MAX_LEN 200

static void check_list(struct str line, uint64_t alone_us)
{
    char list[LINE_MAX_LEN + 8];
    uint64_t us = 0;

    memcpy(list, "7,", 2);
    memcpy(list + 2, line.data, line.len);
    FUZZ_CHECK(retry_after_read((struct str){ list, line.len + 2 }, US_PER_S, WALL_US, &us));
    FUZZ_CHECK(us >= alone_us || memchr(line.data, ',', line.len) ||
               memchr(line.data, ';', line.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str rest = { (const char *)bytes, len };

    while (rest.data) {
        struct str line = str_cut(&rest, '\n');
        uint64_t us = 0;
        int64_t at_us = 0;

        (void)moment_parse(line, WALL_US, &at_us);
        FUZZ_CHECK(!duration_parse(line, US_PER_MS, &us) || us <= DURATION_MAX_US);
        FUZZ_CHECK(!retry_after_read(line, US_PER_MS, WALL_US, &us) || us <= RETRY_AFTER_MAX_US);
        us = 0;
        if (retry_after_parse(line, line, WALL_US, &us)) {
            FUZZ_CHECK(us <= RETRY_AFTER_MAX_US);
        }
        us = 0;
        if (line.len && line.len <= LINE_MAX_LEN &&
            retry_after_read(line, US_PER_S, WALL_US, &us)) {
            check_list(line, us);
        }
    }
    return 0;
}
