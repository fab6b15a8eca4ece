/* A letter for the context, any text with placeholders, a line feed, and values: a template is refused with a word, or
 * gives what may stand there. */
#include "base/json_scan.h"
#include "job/template.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define OUT_MAX (64 << 10)

/* The index-th line of the values, where that is JSON. */
static bool look_up(void *context, size_t index, struct str *json)
{
    struct str rest = *(const struct str *)context;

    for (size_t i = 0; rest.data; i++) {
        *json = str_trim(str_cut(&rest, '\n'));
        if (i == index) {
            return json_check(*json, JSON_DEPTH_MAX, NULL);
        }
    }
    return false;
}

static bool is_line(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\r' || text.data[i] == '\n' || text.data[i] == '\0') {
            return false;
        }
    }
    return true;
}

/* A header's own text was looked at before: only what comes in is asked here. */
static void expand(const struct template *t, struct str text, enum template_context context,
                   struct str values)
{
    struct buf out = { .max = OUT_MAX };
    struct err err = { .text = "" };
    enum result result = template_expand(t, look_up, &values, &out, &err);

    FUZZ_CHECK(result == RESULT_OK || result == RESULT_NOT_FOUND || result == RESULT_INVALID ||
               result == RESULT_LIMIT);
    if (result == RESULT_OK && context == TEMPLATE_JSON) {
        FUZZ_CHECK(!json_check(text, 64, NULL) || json_check(buf_view(&out), JSON_DEPTH_MAX, NULL));
    } else if (result == RESULT_OK && context == TEMPLATE_HEADER) {
        FUZZ_CHECK(!is_line(text) || is_line(buf_view(&out)));
    }
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str values = { (const char *)bytes + (len ? 1 : 0), len ? len - 1 : 0 };
    struct str text = str_cut(&values, '\n');
    enum template_context context = (enum template_context)(len ? bytes[0] % 4 : 0);
    struct template *t;
    struct buf pointer = { 0 };
    struct err err = { .text = "" };

    (void)template_body_context(text);
    if (template_new(&t, text, context, &err) != RESULT_OK) {
        FUZZ_CHECK(err.text[0]);
        return 0;
    }
    FUZZ_CHECK(template_name_count(t) <= TEMPLATE_NAMES_MAX);
    for (size_t i = 0; i < template_name_count(t); i++) {
        struct str field, name = template_name(t, i);

        FUZZ_CHECK(name.len && name.len <= TEMPLATE_NAME_MAX);
        FUZZ_CHECK(template_head_is_valid(template_name_head(name, &field)));
        buf_reset(&pointer);
        (void)!template_field_pointer(field.data ? field : STR("a"), &pointer);
    }
    expand(t, text, context, values);
    buf_release(&pointer);
    template_free(t);
    return 0;
}
