/* Any text as a URL pattern: what is taken expands to valid URLs at both ends and in the middle. */
#include "base/url.h"
#include "job/glob.h"
#include "tests/fuzz/fuzz.h"

static void check_index(const struct glob *glob, uint64_t index)
{
    struct buf url = { 0 }, key = { 0 };

    FUZZ_CHECK(glob_expand(glob, index, &url, &key) == RESULT_OK);
    FUZZ_CHECK(url.len > 0);
    FUZZ_CHECK(glob_count(glob) == 1 || key.len > 0 || url.len > 0);
    buf_release(&url);
    buf_release(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str pattern = { (const char *)bytes, len };

    for (int globoff = 0; globoff < 2; globoff++) {
        struct err err = { 0 };
        struct glob *glob;
        enum result result = glob_new(&glob, pattern, globoff, &err);

        if (result != RESULT_OK) {
            FUZZ_CHECK(!glob && err.result == result && err.code[0] && err.text[0]);
            continue;
        }
        FUZZ_CHECK(glob_count(glob) >= 1);
        FUZZ_CHECK(!globoff || glob_count(glob) == 1);
        check_index(glob, 0);
        check_index(glob, glob_count(glob) / 2);
        check_index(glob, glob_count(glob) - 1);
        glob_free(glob);
    }
    return 0;
}
