/* Any text as a Link header, as an array of links in a body, and as a structured field: what is found lies within
 * it, and reading a field comes to an end. */
#include "base/json_scan.h"
#include "plan/link.h"
#include "plan/sfield.h"
#include "tests/fuzz/fuzz.h"

static void check_inside(struct str text, struct str part)
{
    FUZZ_CHECK(part.data >= text.data && part.data + part.len <= text.data + text.len);
}

static void find(struct str text, struct str relation)
{
    struct str target;

    if (link_find(text, relation, &target)) {
        check_inside(text, target);
    }
    if (json_check(text, JSON_DEPTH_MAX, NULL) && link_is_array(text) &&
        link_in_array(text, relation, &target)) {
        check_inside(text, target);
        FUZZ_CHECK(target.len >= 2 && target.data[0] == '"');
    }
}

/* Each member and each parameter takes a byte at least. */
static void read_field(struct str text)
{
    struct sfield field;
    struct sfield_value value;
    struct str key;
    size_t count = 0;

    sfield_begin(&field, text);
    while (sfield_member(&field, &key, &value)) {
        FUZZ_CHECK(++count <= text.len);
        FUZZ_CHECK(field.is_dictionary || !key.len);
        while (sfield_parameter(&field, &key, &value)) {
            FUZZ_CHECK(key.len && ++count <= text.len);
            check_inside(text, key);
        }
    }
    (void)sfield_is_whole(&field);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str text = { (const char *)bytes, len };

    find(text, STR("next"));
    find(text, STR("last"));
    read_field(text);
    return 0;
}
