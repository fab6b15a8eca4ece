#include "table/format.h"
#include "table/packing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

struct named {
    const char *path, *format, *packing; /* format NULL: refused */
};

static void output__is_what_the_name_says__or_is_refused(void **state)
{
    static const struct named cases[] = {
        { "t.csv", "csv", NULL },
        { "a.b/T.CSV", "csv", NULL },
        { "t.tsv", "tsv", NULL },
        { "t.parquet", "parquet", NULL },
        { "t.jsonl", "jsonl", NULL },
        { "t.ndjson", "jsonl", NULL },
        { "t.JSON", "json", NULL },
        { "t.csv.gz", "csv", "gz" },
        { "t.json.GZ", "json", "gz" },
        { "t.jsonl.zst", "jsonl", "zst" },
        { "-", "csv", NULL },
        { "t", "csv", NULL },
        { "t.2026-11-21", "csv", NULL },
        { "t.7", "csv", NULL },
        { "x.json/t", "csv", NULL },
        { ".jsonl", "csv", NULL },
        { "t.", "csv", NULL },
        { "t.gz", NULL, NULL },
        { "t.xls", NULL, NULL },
        { "t.csv.xls", NULL, NULL },
        { "t.parquet.gz", NULL, NULL },
        { "t.csv.gz.gz", NULL, NULL },
        { "t.2026.gz", NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct table_output output;
        struct err err = { 0 };
        enum result result = table_output_init(&output, cases[i].path, NULL, &err);

        print_message("%s\n", cases[i].path);
        assert_int_equal(result, cases[i].format ? RESULT_OK : RESULT_INVALID);
        if (!cases[i].format) {
            assert_string_equal(err.code, "E-ARG1");
            continue;
        }
        assert_string_equal(output.format->name, cases[i].format);
        assert_string_equal(output.packing ? output.packing->ending : "",
                            cases[i].packing ? cases[i].packing : "");
    }
}

static void output__takes_the_format_that_is_asked_for__but_never_against_its_name(void **state)
{
    struct table_output output;
    struct err err;

    (void)state;
    assert_int_equal(table_output_init(&output, "t.dat", &jsonl_format, NULL), RESULT_OK);
    assert_ptr_equal(output.format, &jsonl_format);
    assert_int_equal(table_output_init(&output, "t.dat.gz", &jsonl_format, NULL), RESULT_OK);
    assert_ptr_equal(output.packing, &gzip_packing);
    assert_int_equal(table_output_init(&output, "-", &json_format, NULL), RESULT_OK);
    assert_int_equal(table_output_init(&output, "t.csv", &jsonl_format, &err), RESULT_INVALID);
    assert_string_equal(err.text, "t.csv: the name says csv, not jsonl");
    assert_int_equal(table_output_init(&output, "t.gz", &parquet_format, &err), RESULT_INVALID);
}

/* What is written by hand beside the table agrees with it. */
static void formats__have_names_and_endings_of_their_own(void **state)
{
    struct str words = str_view(TABLE_FORMAT_WORDS);
    struct buf seen = { 0 };
    char word_of[32];
    size_t i = 0;

    (void)state;
    assert_int_equal(buf_append_char(&seen, ' '), RESULT_OK);
    for (; table_formats[i]; i++) {
        const struct table_format *f = table_formats[i];
        struct str word = str_cut(&words, ','), endings = str_view(f->endings);

        word = str_trim(word);
        assert_true(str_equal(word, str_view(f->name)));
        assert_ptr_equal(table_format_named(word), f);
        assert_true(f->open && f->close && f->encoder_new && f->encoder_free && f->add);
        assert_true(!f->packable || !f->take); /* or its blocks are not the file's bytes */
        while (endings.data) {
            struct str ending = str_cut(&endings, ' ');

            assert_ptr_equal(table_format_ending(ending), f);
            snprintf(word_of, sizeof word_of, " %.*s ", STR_ARG(ending));
            assert_null(strstr(buf_cstr(&seen), word_of));
            assert_int_equal(buf_append_str(&seen, ending), RESULT_OK);
            assert_int_equal(buf_append_char(&seen, ' '), RESULT_OK);
        }
    }
    assert_null(words.data);
    buf_release(&seen);
    assert_false(table_format_ending(STR("xls")) || table_format_ending(STR("")) ||
                 table_format_ending(STR("gz")) || table_format_ending(STR("parquet.gz")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output__is_what_the_name_says__or_is_refused),
        cmocka_unit_test(output__takes_the_format_that_is_asked_for__but_never_against_its_name),
        cmocka_unit_test(formats__have_names_and_endings_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
