/* A line with a content type, then any bytes as the body: what is read of it is JSON, the same each time, and the hint
 * at what it is instead is a sentence. A body that is JSON stays what it is, whatever stands before it. */
#include "base/body_text.h"
#include "base/json_scan.h"
#include "normalise/not_json.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define HINT_MAX 120

static void check_read(struct str body, struct str content_type)
{
    struct buf out = { 0 }, again = { 0 };
    unsigned was, was_again;
    enum result result = body_text_read(body, content_type, &out, &was);

    FUZZ_CHECK(result == RESULT_OK || result == RESULT_INVALID);
    FUZZ_CHECK(body_text_read(body, content_type, &again, &was_again) == result);
    if (result == RESULT_OK) {
        FUZZ_CHECK(json_check(buf_view(&out), JSON_DEPTH_MAX, NULL));
        FUZZ_CHECK(str_equal(buf_view(&out), buf_view(&again)) && was == was_again);
        FUZZ_CHECK(was >> BODY_WAS_COUNT == 0);
    }
    buf_release(&out);
    buf_release(&again);
}

/* Behind a mark it is read as it is without one. */
static void check_marked(struct str body)
{
    struct buf marked = { 0 }, out = { 0 };
    unsigned was;

    FUZZ_CHECK(buf_append_str(&marked, STR("\xEF\xBB\xBF")) == RESULT_OK &&
               buf_append_str(&marked, body) == RESULT_OK);
    FUZZ_CHECK(body_text_read(buf_view(&marked), STR(""), &out, &was) == RESULT_OK);
    FUZZ_CHECK(was == BODY_WAS_MARKED && str_equal(buf_view(&out), body));
    buf_release(&marked);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str body = { (const char *)bytes, len };
    struct str content_type = str_cut(&body, '\n');
    struct json_error error;
    const char *hint;

    if (!body.data) {
        return 0;
    }
    check_read(body, content_type);
    if (json_check(body, JSON_DEPTH_MAX, &error)) {
        check_marked(body);
        return 0;
    }
    hint = not_json_hint(body, len & 1, &error);
    FUZZ_CHECK(!hint || strlen(hint) < HINT_MAX);
    return 0;
}
