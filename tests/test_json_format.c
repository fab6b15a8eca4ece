/* JSON Lines and JSON: every value as the server wrote it, in objects that have all columns. */
#include "normalise/file_source.h"
#include "table/table_run.h"
#include "table_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void build(const char *text, const struct table_spec *spec, const char *to,
                  struct table_report *report)
{
    struct path input = in_folder("in.json"), output = in_folder(to);
    const char *paths[] = { input.text };
    struct table_run_options options = {
        .table = { ONE_OUTPUT(output.text), .workers = 2, .spec = *spec },
    };

    put("in.json", str_view(text));
    assert_int_equal(file_source_open(&options.source, paths, 1, NULL, NULL), RESULT_OK);
    if (table_run(&options, report) != RESULT_OK) {
        fail_msg("%s", report->err.text);
    }
}

/* Both formats have the same objects. */
static uint64_t check(const char *text, const struct table_spec *spec, const char *lines,
                      const char *array)
{
    struct table_report report;
    uint64_t lone_surrogates;

    build(text, spec, "t.jsonl", &report);
    assert_file("t.jsonl", lines);
    lone_surrogates = report.lone_surrogates;
    build(text, spec, "t.json", &report);
    assert_file("t.json", array);
    assert_int_equal(report.lone_surrogates, lone_surrogates);
    return lone_surrogates;
}

static const struct table_spec all; /* that there is */

static void values__are_as_the_server_wrote_them(void **state)
{
    (void)state;
    check(
        "[{\"n\":1.50e+03,\"big\":123456789012345678901,\"s\":\"a\\/\\u00e9\\n\\\"\",\"t\":true,"
        "\"j\":[1, {\"k\" : \"x y\"}],\"z\":null,\"e\":\"\"}]",
        &all,
        "{\"n\":1.50e+03,\"big\":123456789012345678901,\"s\":\"a\\/\\u00e9\\n\\\"\",\"t\":true,"
        "\"j\":[1,{\"k\":\"x y\"}],\"z\":null,\"e\":\"\"}\n",
        "[\n{\"n\":1.50e+03,\"big\":123456789012345678901,\"s\":\"a\\/\\u00e9\\n\\\"\",\"t\":true,"
        "\"j\":[1,{\"k\":\"x y\"}],\"z\":null,\"e\":\"\"}\n]\n");
}

static void objects__have_all_columns__by_names_that_are_quoted(void **state)
{
    (void)state;
    check("[{\"a\\\"b\":1},{\"\\u0000\":2},{\"o\":{\"k\":3}},{}]", &all,
          "{\"a\\\"b\":1,\"\\u0000\":null,\"o.k\":null}\n"
          "{\"a\\\"b\":null,\"\\u0000\":2,\"o.k\":null}\n"
          "{\"a\\\"b\":null,\"\\u0000\":null,\"o.k\":3}\n"
          "{\"a\\\"b\":null,\"\\u0000\":null,\"o.k\":null}\n",
          "[\n{\"a\\\"b\":1,\"\\u0000\":null,\"o.k\":null},\n"
          "{\"a\\\"b\":null,\"\\u0000\":2,\"o.k\":null},\n"
          "{\"a\\\"b\":null,\"\\u0000\":null,\"o.k\":3},\n"
          "{\"a\\\"b\":null,\"\\u0000\":null,\"o.k\":null}\n]\n");
}

static void half_a_surrogate_pair__is_replaced_and_counted__wherever_it_stands(void **state)
{
    (void)state;
    assert_int_equal(check("[{\"a\":\"\\ud83d\\ude00\\ud83d\",\"b\":\"\\ude00\\\\ud83d\",\"c\":["
                           "\"\\uD800\\u0041\"]}]",
                           &all,
                           "{\"a\":\"\\ud83d\\ude00\\ufffd\",\"b\":\"\\ufffd\\\\ud83d\",\"c\":["
                           "\"\\ufffd\\u0041\"]}\n",
                           "[\n{\"a\":\"\\ud83d\\ude00\\ufffd\",\"b\":\"\\ufffd\\\\ud83d\",\"c\":["
                           "\"\\ufffd\\u0041\"]}\n]\n"),
                     3);
}

static void nothing__is_an_empty_file__or_array(void **state)
{
    (void)state;
    check("[]", &all, "", "[\n\n]\n");
    check("[{},{}]", &all, "{}\n{}\n", "[\n{},\n{}\n]\n");
}

static void explode__repeats_what_rows_have_in_common(void **state)
{
    static const struct table_spec spec = { .explode = "/i" };

    (void)state;
    assert_int_equal(check("[{\"id\":\"\\ud800\",\"i\":[{\"k\":1},{\"k\":2}]},{\"id\":2,\"i\":[]}]",
                           &spec,
                           "{\"id\":\"\\ufffd\",\"i.k\":1}\n{\"id\":\"\\ufffd\",\"i.k\":2}\n"
                           "{\"id\":2,\"i.k\":null}\n",
                           "[\n{\"id\":\"\\ufffd\",\"i.k\":1},\n{\"id\":\"\\ufffd\",\"i.k\":2},\n"
                           "{\"id\":2,\"i.k\":null}\n]\n"),
                     2); /* of each row */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(values__are_as_the_server_wrote_them),
        IN_FOLDER(objects__have_all_columns__by_names_that_are_quoted),
        IN_FOLDER(half_a_surrogate_pair__is_replaced_and_counted__wherever_it_stands),
        IN_FOLDER(nothing__is_an_empty_file__or_array),
        IN_FOLDER(explode__repeats_what_rows_have_in_common),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
