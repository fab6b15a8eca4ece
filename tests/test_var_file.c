/* job/var_file: files of values in each of their forms, and what is said of one that cannot be read. */
#include "job/var_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct job_faults faults;
static struct err err;

/* The name gives the form; the text comes by "-", whose form is told by its beginning, where it is NULL. */
static enum result open_text(struct var_file **f, const char *name, struct str text)
{
    char path[64];
    enum result result;
    int fd;

    faults.count = 0;
    err = (struct err){ .result = RESULT_OK };
    *f = NULL;
    if (!name) {
        return var_file_open(f, "-", NULL, text, &faults, &err);
    }
    snprintf(path, sizeof path, "/tmp/scrapetop-var-XXXXXX%s", name);
    fd = mkstemps(path, (int)strlen(name));
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.data, text.len), text.len);
    close(fd);
    result = var_file_open(f, path, NULL, STR_NONE, &faults, &err);
    unlink(path);
    return result;
}

static void assert_row(const struct var_file *f, uint64_t row, struct str field, const char *want)
{
    struct buf json = { 0 };
    enum result result = var_file_value(f, row, field, &json);

    if (!want) {
        assert_int_equal(result, RESULT_NOT_FOUND);
    } else {
        assert_int_equal(result, RESULT_OK);
        assert_string_equal(buf_cstr(&json), want);
    }
    buf_release(&json);
}

static void form__is_told_by_the_name__else_by_the_text(void **state)
{
    static const struct {
        const char *name;
        struct str text;
        struct str field;
        uint64_t count;
        const char *last;
    } cases[] = {
        { ".csv", STR_INIT("a,b\n1,2\n3,4\n"), STR_INIT("b"), 2, "\"4\"" },
        { ".tsv", STR_INIT("a\tb,c\n1\t2\n"), STR_INIT("b,c"), 1, "\"2\"" },
        { ".txt", STR_INIT("one\n{\"a\":1}\n two \n"), { NULL, 0 }, 3, "\"two\"" },
        { ".jsonl", STR_INIT("{\"a\":{\"b\":7}}\n"), STR_INIT("a.b"), 1, "7" },
        { NULL, STR_INIT("{\"a\":1.50}\n"), STR_INIT("a"), 1, "1.50" },
        { NULL, STR_INIT("\"x\"\n\"y\"\n"), { NULL, 0 }, 2, "\"y\"" },
        { NULL, STR_INIT("17\n18\n"), { NULL, 0 }, 2, "18" },
        { NULL, STR_INIT("id\n17\n"), STR_INIT("id"), 1, "\"17\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct var_file *f;

        if (open_text(&f, cases[i].name, cases[i].text) != RESULT_OK) {
            fail_msg("case %zu: %s", i, err.text);
        }
        assert_int_equal(var_file_count(f), cases[i].count);
        assert_true(var_file_has_field(f, cases[i].field));
        assert_row(f, cases[i].count - 1, cases[i].field, cases[i].last);
        var_file_free(f);
    }
}

static void csv__has_quotes_empty_lines_and_ends_of_any_kind(void **state)
{
    struct var_file *f;

    (void)state;
    assert_int_equal(open_text(&f, ".csv",
                               STR("\xEF\xBB\xBF id ,\"a \"\"b\"\"\"\r\n\r\n1,\"x,\n\"\"y\"\r\n"
                                   "  \n2,\"\"\r\n3, z ")),
                     RESULT_OK);
    assert_int_equal(var_file_count(f), 3);
    assert_true(str_equal(var_file_field(f, 0), STR("id")));
    assert_true(str_equal(var_file_field(f, 1), STR("a \"b\"")));
    assert_null(var_file_field(f, 2).data);
    assert_row(f, 0, STR("a \"b\""), "\"x,\\n\\\"y\"");
    assert_row(f, 1, STR("a \"b\""), "\"\"");
    assert_row(f, 2, STR("a \"b\""), "\" z \""); /* blanks are part of a value */
    assert_row(f, 0, STR("A"), NULL);
    assert_row(f, 0, STR_NONE, NULL); /* a row of a table is no value */
    var_file_free(f);
}

/* As spreadsheets write it where commas are of numbers. */
static void csv__may_be_parted_by_semicolons_or_tabs__as_its_first_line_says(void **state)
{
    struct var_file *f;

    (void)state;
    assert_int_equal(open_text(&f, ".csv", STR("id;\"a, b\"\r\n1;\"x; y\"\r\n2;1,5\r\n")),
                     RESULT_OK);
    assert_true(str_equal(var_file_field(f, 1), STR("a, b")));
    assert_row(f, 0, STR("a, b"), "\"x; y\"");
    assert_row(f, 1, STR("a, b"), "\"1,5\"");
    var_file_free(f);
    assert_int_equal(open_text(&f, ".csv", STR("id\tcity\n1\ta;b\n")), RESULT_OK);
    assert_row(f, 0, STR("city"), "\"a;b\"");
    var_file_free(f);
    assert_int_equal(open_text(&f, ".csv", STR("id,a;b\n1,2\n")), RESULT_OK);
    assert_row(f, 0, STR("a;b"), "\"2\"");
    var_file_free(f);
}

static void json__gives_parts_of_any_depth__but_no_object_and_no_null(void **state)
{
    struct var_file *f;

    (void)state;
    assert_int_equal(
        open_text(&f, ".jsonl", STR("{\"a\":[10,{\"b\":\"\\u00e9\"}],\"n\":null}\n\n 12 \n")),
        RESULT_OK);
    assert_int_equal(var_file_count(f), 2);
    assert_row(f, 0, STR("a.0"), "10");
    assert_row(f, 0, STR("a.1.b"), "\"\\u00e9\""); /* as it was written */
    assert_row(f, 0, STR("n"), NULL);
    assert_row(f, 0, STR("z"), NULL);
    assert_row(f, 0, STR_NONE, NULL);
    assert_row(f, 1, STR_NONE, "12");
    var_file_free(f);
}

static void bad_lines__are_all_told__with_their_numbers(void **state)
{
    static const struct {
        const char *name;
        struct str text;
        size_t faults;
        const char *code, *says;
    } cases[] = {
        { ".csv", STR_INIT("a,b\n1\n2,3\n4,5,6\n"), 2, "E-IN1", ":2: has not as many fields" },
        { ".csv", STR_INIT("a\n\"1\n"), 1, "E-IN1", ":2: a quote or a NUL" },
        { ".csv", STR_INIT("a\n\"1\"x\n"), 1, "E-IN1", ":2: a quote or a NUL" },
        { ".csv", STR_INIT("a\n1\0\n"), 1, "E-IN1", ":2: a quote or a NUL" },
        { ".csv", STR_INIT("\"a\n1\n"), 0, "E-IN1", ":1: a quote out of place" },
        { ".csv", STR_INIT("a\n1\n\xE9t\xE9\n"), 1, "E-IN1", ":3: is not UTF-8" },
        { ".csv",
          STR_INIT("\xFF\xFE"
                   "a\0\n\0"),
          0, "E-IN1", "UTF-16" },
        { ".csv", STR_INIT("a,b\n"), 0, "E-IN2", "no values in" },
        { ".txt", STR_INIT(" \n\n"), 0, "E-IN2", "no values in" },
        { ".txt", STR_INIT("a\n\0b\n"), 1, "E-IN1", ":2: holds a NUL" },
        { ".jsonl", STR_INIT("1\n\n{\"a\":}\n[1\n"), 2, "E-IN1", ":3: " },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct var_file *f;
        enum result result = open_text(&f, cases[i].name, cases[i].text);
        const struct err *told = cases[i].faults > 1 ? &faults.errors[0] : &err;

        assert_int_equal(result, RESULT_INVALID);
        assert_null(f);
        assert_int_equal(faults.count, cases[i].faults);
        assert_string_equal(err.code, cases[i].code);
        if (!strstr(told->text, cases[i].says)) {
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, told->text, cases[i].says);
        }
    }
}

static void bad_lines__are_counted__but_not_kept__beyond_the_first(void **state)
{
    struct buf text = { 0 };
    struct var_file *f;

    (void)state;
    for (int i = 0; i < 10 * JOB_FAULTS_SHOWN; i++) {
        assert_int_equal(buf_append_str(&text, STR("{\n")), RESULT_OK);
    }
    assert_int_equal(open_text(&f, ".jsonl", buf_view(&text)), RESULT_INVALID);
    assert_int_equal(faults.count, 10 * JOB_FAULTS_SHOWN);
    assert_non_null(strstr(err.text, "200 bad lines"));
    buf_release(&text);
}

static void columns__are_bounded(void **state)
{
    struct buf text = { 0 };
    struct var_file *f;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(buf_append_str(&text, STR("c,")), RESULT_OK);
    }
    assert_int_equal(buf_append_str(&text, STR("c\n1\n")), RESULT_OK);
    assert_int_equal(open_text(&f, ".csv", buf_view(&text)), RESULT_LIMIT);
    assert_non_null(strstr(err.text, "more than"));
    buf_release(&text);
}

static void what_is_no_file__is_refused__at_once(void **state)
{
    struct var_file *f = NULL;

    (void)state;
    assert_int_not_equal(var_file_open(&f, "/tmp", NULL, STR_NONE, NULL, &err), RESULT_OK);
    assert_string_equal(err.code, "E-IN2");
    assert_non_null(strstr(err.text, "not a regular file"));
    assert_int_not_equal(var_file_open(&f, "/tmp/scrapetop-none", NULL, STR_NONE, NULL, &err),
                         RESULT_OK);
    assert_string_equal(err.code, "E-IN2");
    assert_null(f);
}

static void crc32c__is_of_the_bytes(void **state)
{
    struct var_file *a, *b, *c;

    (void)state;
    assert_int_equal(open_text(&a, ".txt", STR("one\ntwo\n")), RESULT_OK);
    assert_int_equal(open_text(&b, ".txt", STR("one\ntwo\n")), RESULT_OK);
    assert_int_equal(open_text(&c, ".txt", STR("one\nTwo\n")), RESULT_OK);
    assert_int_equal(var_file_crc32c(a), var_file_crc32c(b));
    assert_int_not_equal(var_file_crc32c(a), var_file_crc32c(c));
    var_file_free(a);
    var_file_free(b);
    var_file_free(c);
    var_file_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(form__is_told_by_the_name__else_by_the_text),
        cmocka_unit_test(csv__may_be_parted_by_semicolons_or_tabs__as_its_first_line_says),
        cmocka_unit_test(csv__has_quotes_empty_lines_and_ends_of_any_kind),
        cmocka_unit_test(json__gives_parts_of_any_depth__but_no_object_and_no_null),
        cmocka_unit_test(bad_lines__are_all_told__with_their_numbers),
        cmocka_unit_test(bad_lines__are_counted__but_not_kept__beyond_the_first),
        cmocka_unit_test(columns__are_bounded),
        cmocka_unit_test(what_is_no_file__is_refused__at_once),
        cmocka_unit_test(crc32c__is_of_the_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
