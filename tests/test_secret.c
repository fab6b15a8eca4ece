/* job/secret: secrets given as ${ENV} or @FILE, and header lines of a user. */
#include "job/secret.h"

#include "secret_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void expand__fills_in_variables__when_they_are_set(void **state)
{
    struct secrets secrets = { 0 };
    struct buf out = { 0 };

    (void)state;
    setenv("SCRAPETOP_T1", "first-value", 1);
    setenv("SCRAPETOP_T2", "", 1);
    assert_int_equal(secret_expand(STR("a ${SCRAPETOP_T1}${SCRAPETOP_T2} $b $${c} $$ {d}$"),
                                   &secrets, &out, NULL),
                     RESULT_OK);
    assert_content(&out, "a first-value $b ${c} $$ {d}$");
    assert_int_equal(secrets.count, 1);
    assert_string_equal(secrets.list[0].value, "first-value");
    secrets_release(&secrets);
}

static void expand__names_the_variable__when_it_is_missing(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "${SCRAPETOP_MISSING}", "environment variable SCRAPETOP_MISSING is not set" },
        { "${}", "without a variable's name" },
        { "${A", "without a variable's name" },
        { "${", "without a variable's name" },
        { "${1A}", "without a variable's name" },
        { "${A-B}", "without a variable's name" },
    };

    (void)state;
    unsetenv("SCRAPETOP_MISSING");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct secrets secrets = { 0 };
        struct buf out = { 0 };
        struct err err = { 0 };

        assert_int_not_equal(secret_expand(str_view(cases[i].text), &secrets, &out, &err),
                             RESULT_OK);
        assert_string_equal(err.code, "E-SEC2");
        assert_non_null(strstr(err.text, cases[i].want));
        buf_release(&out);
        secrets_release(&secrets);
    }
}

static void split__takes_the_line__when_it_is_well_formed(void **state)
{
    static const struct {
        const char *line, *name, *value;
    } cases[] = {
        { "X-A: b", "X-A", "b" },
        { "X-A:b", "X-A", "b" },
        { "X-A: \t b c \t", "X-A", "b c" },
        { "Authorization: Bearer a:b:c", "Authorization", "Bearer a:b:c" },
        { "!#$%&'*+-.^_`|~0z: \xC3\xA9", "!#$%&'*+-.^_`|~0z", "\xC3\xA9" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str name, value;

        assert_int_equal(header_split(str_view(cases[i].line), &name, &value, NULL), RESULT_OK);
        assert_true(str_equal(name, str_view(cases[i].name)));
        assert_true(str_equal(value, str_view(cases[i].value)));
    }
}

static void split__refuses_without_repeating_values__when_it_is_not(void **state)
{
    static const struct {
        const char *line;
        size_t len;
        const char *want;
    } cases[] = {
#define LINE(text, want) { text, sizeof(text) - 1, want }
        LINE("", "without a name"),
        LINE("s3cr3t", "without a name"),
        LINE(": s3cr3t", "without a name"),
        LINE("X A: s3cr3t", "header name: byte \\x20 at 2 is not allowed"),
        LINE("X-A : s3cr3t", "header name: byte \\x20 at 4"),
        LINE("X\0A: s3cr3t", "header name: byte \\x00 at 2"),
        LINE("X-\xC3\xA9: s3cr3t", "header name: byte \\xc3 at 3"),
        LINE("X-A: s3cr3t\r\nX-B: c", "header X-A: line break not allowed"),
        LINE("X-A: s3cr3t\n", "header X-A: line break not allowed"),
        LINE("X-A: s3cr3t\0b", "header X-A: control character \\x00"),
        LINE("X-A: s3cr3t\x1b[m", "header X-A: control character \\x1b"),
        LINE("X-A: s3cr3t\x7f", "header X-A: control character \\x7f"),
        LINE("X-A:", "header X-A has no value"),
        LINE("X-A: \t ", "header X-A has no value"),
        LINE("Host: evil", "header Host cannot be set: it follows from the URL"),
        LINE("content-length: 5", "header Content-Length cannot be set"),
        LINE("Transfer-Encoding: chunked", "header Transfer-Encoding cannot be set"),
        LINE("CONNECTION: close", "header Connection cannot be set"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str name, value, line = { cases[i].line, cases[i].len };
        struct err err = { 0 };

        assert_int_equal(header_split(line, &name, &value, &err), RESULT_INVALID);
        assert_string_equal(err.code, "E-HDR2");
        if (!strstr(err.text, cases[i].want)) {
            fail_msg("\"%s\" lacks \"%s\"", err.text, cases[i].want);
        }
        assert_null(strstr(err.text, "s3cr3t"));
    }
}

/* A temporary file with that mode; the caller unlinks and frees the path. */
static char *file_of(const char *text, size_t len, mode_t mode)
{
    char *path = strdup("/tmp/scrapetop-test-XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static void read_file__refuses__when_others_may_read_it(void **state)
{
    static const struct {
        mode_t mode;
        enum result result;
    } cases[] = { { 0600, RESULT_OK },     { 0400, RESULT_OK },     { 0644, RESULT_DENIED },
                  { 0640, RESULT_DENIED }, { 0604, RESULT_DENIED }, { 0620, RESULT_DENIED } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = file_of("X-A: b\n", 7, cases[i].mode);
        struct buf out = { 0 };
        struct err err = { 0 };

        assert_int_equal(secret_read_file(path, &out, &err), cases[i].result);
        if (cases[i].result == RESULT_OK) {
            assert_content(&out, "X-A: b\n");
        } else {
            assert_string_equal(err.code, "E-SEC1");
            assert_non_null(strstr(err.text, "is readable by others (0"));
            assert_non_null(strstr(err.text, "chmod 600"));
        }
        buf_release(&out);
        unlink(path);
        free(path);
    }
}

static void read_file__refuses__when_it_is_no_small_file(void **state)
{
    static char text[SECRET_FILE_MAX + 1];
    char *path = file_of(text, sizeof text, 0600);
    struct buf out = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(secret_read_file(path, &out, &err), RESULT_LIMIT);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(secret_read_file(path, &out, &err), RESULT_DENIED);
    assert_non_null(strstr(err.text, "is not a regular file"));
    unlink(path);
    assert_int_equal(secret_read_file(path, &out, &err), RESULT_NOT_FOUND);
    assert_int_equal(secret_read_file("/", &out, &err), RESULT_DENIED);
    buf_release(&out);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expand__fills_in_variables__when_they_are_set),
        cmocka_unit_test(expand__names_the_variable__when_it_is_missing),
        cmocka_unit_test(split__takes_the_line__when_it_is_well_formed),
        cmocka_unit_test(split__refuses_without_repeating_values__when_it_is_not),
        cmocka_unit_test(read_file__refuses__when_others_may_read_it),
        cmocka_unit_test(read_file__refuses__when_it_is_no_small_file),
    };

    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
