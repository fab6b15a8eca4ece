/* plan/record_where: conditions as they are typed, and records that meet them. */
#include "plan/record_where.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW_S INT64_C(1767225600) /* 2026-01-01T00:00:00Z */

struct sample {
    const char *where, *record;
    bool holds;
};

static const struct sample samples[] = {
    { "/status = open", "{\"status\":\"open\"}", true },
    { "/status=open", "{\"status\":\"open\"}", true },
    { "/status == open", "{\"status\":\"open\"}", true },
    { "/status = open", "{\"status\":\"OPEN\"}", false },
    { "/status = in progress", "{\"status\":\"in progress\"}", true },
    { "/status = \"a and b\"", "{\"status\":\"a and b\"}", true },
    { "/status = \"\\u00fc\\\"\"", "{\"status\":\"\\u00fc\\\"\"}", true },
    { "/status = \"\"", "{\"status\":\"\"}", true },
    { "/status != closed", "{\"status\":\"open\"}", true },
    { "/status != closed", "{\"status\":\"closed\"}", false },
    { "/status != closed", "{}", true },
    { "/status != closed", "{\"status\":null}", true },
    { "/status = null", "{}", true },
    { "/status = \"null\"", "{}", false },
    { "/status < x", "{\"status\":\"a\"}", false },
    /* Numbers, also those in texts. */
    { "/n >= 10", "{\"n\":9}", false },
    { "/n >= 10", "{\"n\":10}", true },
    { "/n >= 10", "{\"n\":\"11\"}", true },
    { "/n = 10", "{\"n\":10.0}", true },
    { "/n > 9007199254740992", "{\"n\":9007199254740993}", true },
    { "/n > 1e3", "{\"n\":1001}", true },
    { "/n < 1e3", "{\"n\":1e2}", true },
    { "/n < 5", "{\"n\":null}", false },
    { "/n < 5", "{\"n\":\"few\"}", false },
    { "/n = \"5\"", "{\"n\":\"5\"}", true },
    { "/n = \"5\"", "{\"n\":5}", false },
    { "/paid = false", "{\"paid\":false}", true },
    /* Moments and days. */
    { "/at > 2025-12-31", "{\"at\":\"2025-12-31T00:00:01Z\"}", true },
    { "/at <= 2025-12-31", "{\"at\":\"2025-12-31T00:00:00Z\"}", true },
    { "/at > -7d", "{\"at\":\"2025-12-26T00:00:00Z\"}", true },
    { "/at > -7d", "{\"at\":\"2025-12-24T00:00:00Z\"}", false },
    { "/at > -7d", "{\"at\":1766966400}", true },
    { "/at > -7d", "{\"at\":1766361600000}", false },
    { "/at >= today", "{\"at\":\"2026-01-01\"}", true },
    { "/at > -6h", "{\"at\":\"2025-12-31T23:00:00Z\"}", true },
    { "/at > -6h", "{\"at\":\"2025-12-31T17:00:00Z\"}", false },
    /* Whether it is there. */
    { "/draft", "{\"draft\":true}", true },
    { "/draft", "{\"draft\":0}", true },
    { "/draft", "{\"draft\":false}", false },
    { "/draft", "{\"draft\":null}", false },
    { "/draft", "{}", false },
    { "!/draft", "{}", true },
    { "! /draft", "{\"draft\":\"x\"}", false },
    /* Several. */
    { "/a = 1 and /b = 2", "{\"a\":1,\"b\":2}", true },
    { "/a = 1 and /b = 2", "{\"a\":1,\"b\":3}", false },
    { "/a and !/b and /c > 1", "{\"a\":1,\"c\":2}", true },
    { "/a = \"x\" and /b", "{\"a\":\"x\",\"b\":1}", true },
    { "/items/*/state = failed", "{\"items\":[{\"state\":\"ok\"},{\"state\":\"failed\"}]}", true },
    { "/items/*/state = failed", "{\"items\":[{\"state\":\"ok\"}]}", false },
    { "/a~1b = 1", "{\"a/b\":1}", true },
};

static void record__is_meant__or_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct record_where where = { .count = 0 };
        struct err err;

        if (record_where_add(&where, str_view(samples[i].where), NOW_S, &err) != RESULT_OK) {
            fail_msg("%s: %s", samples[i].where, err.text);
        }
        if (record_where_holds(&where, str_view(samples[i].record)) != samples[i].holds) {
            fail_msg("%s of %s", samples[i].where, samples[i].record);
        }
    }
}

static void alternatives__are_enough_each(void **state)
{
    struct record_where where = { .count = 0 };
    struct err err;

    (void)state;
    assert_false(record_where_holds(&where, STR("{}")));
    assert_int_equal(record_where_add(&where, STR("/a = 1 and /b = 1"), NOW_S, &err), RESULT_OK);
    assert_int_equal(record_where_add(&where, STR("/c = 1"), NOW_S, &err), RESULT_OK);
    assert_true(record_where_holds(&where, STR("{\"a\":1,\"b\":1}")));
    assert_true(record_where_holds(&where, STR("{\"c\":1}")));
    assert_true(record_where_holds(&where, STR("{\"a\":1,\"c\":1}")));
    assert_false(record_where_holds(&where, STR("{\"a\":1,\"c\":2}")));
}

static void body__is_meant__by_one_of_its_records(void **state)
{
    struct record_where where = { .count = 0 };
    struct json_pointer records;
    struct err err;

    (void)state;
    assert_int_equal(record_where_add(&where, STR("/a = 1"), NOW_S, &err), RESULT_OK);
    assert_true(record_where_any(&where, STR("[{\"a\":0},{\"a\":1}]"), NULL));
    assert_true(record_where_any(&where, STR("{\"a\":1}"), NULL));
    assert_false(record_where_any(&where, STR("{\"items\":[{\"a\":1}]}"), NULL));
    assert_int_equal(json_pointer_parse(&records, STR("/items"), &err), RESULT_OK);
    assert_true(record_where_any(&where, STR("{\"items\":[{\"a\":1}]}"), &records));
    assert_false(record_where_any(&where, STR("{\"items\":[]}"), &records));
    assert_false(record_where_any(&where, STR(""), &records));
}

static void text__is_refused__that_is_no_condition(void **state)
{
    static const char *const texts[] = {
        "",
        "status = open",
        "/a =",
        "/a = 1 and",
        "/a = \"x",
        "/a = \"x\"y",
        "!/a = 1",
        "/a~2 = 1",
        "/a ~ 1",
        "/a and or /b",
        "= 1",
        "/a = \"\\x41\"",
        "/a = \"x\" or /b",
        " ! ",
        "/a = x or /b = y",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct record_where where = { .count = 0 };
        struct err err;

        if (record_where_add(&where, str_view(texts[i]), NOW_S, &err) != RESULT_INVALID) {
            fail_msg("%s is taken", texts[i]);
        }
        assert_true(err.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record__is_meant__or_not),
        cmocka_unit_test(alternatives__are_enough_each),
        cmocka_unit_test(body__is_meant__by_one_of_its_records),
        cmocka_unit_test(text__is_refused__that_is_no_condition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
