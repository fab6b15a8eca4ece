/* plan/records: how many records a body holds, and where. */
#include "plan/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void records_look__counts__what_the_pointer_leads_to(void **state)
{
    static const struct {
        const char *body, *pointer;
        enum records_presence presence;
        uint64_t count;
    } cases[] = {
        { "[1,2,3]", "", RECORDS_SOME, 3 },
        { "{\"a\":1}", "", RECORDS_SOME, 1 },
        { "[]", "", RECORDS_NONE, 0 },
        { "{\"items\":[{},{}]}", "/items", RECORDS_SOME, 2 },
        { "{\"items\":[]}", "/items", RECORDS_NONE, 0 },
        { "{\"items\":null}", "/items", RECORDS_NONE, 0 },
        { "{\"items\":{\"id\":1}}", "/items", RECORDS_SOME, 1 },
        { "{\"other\":[1]}", "/items", RECORDS_ABSENT, 0 },
        { "{\"items\":\"none\"}", "/items", RECORDS_ABSENT, 0 },
        { "{\"data\":{\"a\":{\"rows\":[1,2]},\"b\":{\"rows\":[3]}}}", "/data/*/rows", RECORDS_SOME,
          3 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_pointer pointer = { .count = 0 };
        struct records_found found;

        if (cases[i].pointer[0]) {
            assert_int_equal(json_pointer_parse(&pointer, str_view(cases[i].pointer), NULL),
                             RESULT_OK);
        }
        found = records_look(str_view(cases[i].body), &pointer);
        if (found.presence != cases[i].presence || found.count != cases[i].count) {
            fail_msg("%s at \"%s\": presence %d, %llu records", cases[i].body, cases[i].pointer,
                     (int)found.presence, (unsigned long long)found.count);
        }
    }
}

static void records_look__sums_the_bytes__of_the_records_alone(void **state)
{
    struct json_pointer items;
    struct records_found a, b, c;

    (void)state;
    assert_int_equal(json_pointer_parse(&items, STR("/items"), NULL), RESULT_OK);
    a = records_look(STR("{\"items\":[{\"id\":1}],\"page\":1}"), &items);
    b = records_look(STR("{\"items\":[{\"id\":1}],\"page\":2}"), &items);
    c = records_look(STR("{\"items\":[{\"id\":2}],\"page\":1}"), &items);
    assert_int_equal(a.crc32c, b.crc32c);
    assert_int_not_equal(a.crc32c, c.crc32c);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_look__counts__what_the_pointer_leads_to),
        cmocka_unit_test(records_look__sums_the_bytes__of_the_records_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
