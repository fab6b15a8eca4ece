/* Any bytes as a line of a raw segment: the store's reader and that of tables agree about it, its key is found
 * in every beginning that has it, and its body comes out. */
#include "base/json_scan.h"
#include "normalise/raw_line.h"
#include "store/line.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define BEGINNINGS_MAX 600

static void check_key(struct str line, const struct line_view *whole)
{
    size_t step = 1 + line.len / BEGINNINGS_MAX;
    bool found = false;

    for (size_t len = 0; len <= line.len; len += step) {
        struct line_view view;
        enum result result = line_parse_key((struct str){ line.data, len }, &view);

        FUZZ_CHECK(result == RESULT_OK || (result == RESULT_LIMIT && !found));
        if (result == RESULT_OK) {
            found = true;
            FUZZ_CHECK(view.id == whole->id && str_equal(view.key, whole->key));
        }
    }
}

static void check_body(const struct line_view *view)
{
    struct buf body = { 0 };
    enum result result = line_append_body(view, &body);

    FUZZ_CHECK(result == RESULT_OK || view->body_kind != LINE_BODY);
    if (view->body_kind == LINE_BODY) {
        FUZZ_CHECK(str_equal(buf_view(&body), view->body));
    }
    buf_release(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str line = { (const char *)bytes, len };
    struct line_view view;
    struct raw_line parts;
    struct json_error error;
    bool split = raw_line_split(line, &parts);

    (void)!line_parse_key(line, &view);
    if (line_parse(line, &view) != RESULT_OK) {
        return 0;
    }
    if (!split) { /* the store's reader does not look into what it has no use for */
        FUZZ_CHECK(!json_check(line, JSON_DEPTH_MAX, &error));
        return 0;
    }
    if (json_check(line, JSON_DEPTH_MAX, &error)) { /* what is none, its checksum tells */
        FUZZ_CHECK(str_equal(parts.key, view.key) && str_equal(parts.url, view.url));
        FUZZ_CHECK((parts.kind == RAW_BODY_JSON) == (view.body_kind == LINE_BODY));
        FUZZ_CHECK(view.body_kind != LINE_BODY || str_equal(parts.body, view.body));
    }
    FUZZ_CHECK(raw_line_is_whole(line, &parts, view.crc32c) == (line_crc32c(&view) == view.crc32c));
    check_key(line, &view);
    check_body(&view);
    return 0;
}
