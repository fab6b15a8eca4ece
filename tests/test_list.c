#include "job/list.h"

#include "base/url.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A list of those bytes, in an unlinked file. */
static struct list *list_of(const char *bytes, size_t len)
{
    FILE *file = tmpfile();
    struct list *list;
    int fd;

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fflush(file), 0);
    fd = dup(fileno(file));
    fclose(file);
    assert_true(fd >= 0);
    assert_int_equal(list_open_fd(&list, fd, "urls.txt", NULL), RESULT_OK);
    return list;
}

static void assert_entry(struct list *list, uint64_t *offset, const char *name, const char *url)
{
    struct list_entry entry;
    struct err err = { 0 };

    if (list_next(list, offset, &entry, &err) != RESULT_OK) {
        fail_msg("want %s, got: %s", url, err.text);
    }
    if (!str_equal(entry.url, str_view(url)) || !str_equal(entry.name, str_view(name))) {
        fail_msg("want \"%s\" %s, got \"%.*s\" %.*s", name, url, STR_ARG(entry.name),
                 STR_ARG(entry.url));
    }
}

static void assert_end(struct list *list, uint64_t *offset)
{
    struct list_entry entry;

    assert_int_equal(list_next(list, offset, &entry, NULL), RESULT_NOT_FOUND);
}

#define LIST(text) list_of(text, sizeof(text) - 1)

static void next__gives_every_url__when_lines_are_mixed(void **state)
{
    struct list *list = LIST("\xEF\xBB\xBFhttp://h/1\r\n"
                             "\n"
                             "   \t\n"
                             "# a comment\n"
                             "  http://h/[2]{3}\t\n"
                             "{\"name\": \"third\", \"url\": \"https://other.test/3\"}\r\n"
                             "{\"url\":\"http://h/4\"}\n"
                             "http://h/5");
    uint64_t offset = 0;

    (void)state;
    assert_entry(list, &offset, "", "http://h/1");
    assert_entry(list, &offset, "", "http://h/[2]{3}");
    assert_entry(list, &offset, "third", "https://other.test/3");
    assert_entry(list, &offset, "", "http://h/4");
    assert_entry(list, &offset, "", "http://h/5");
    assert_end(list, &offset);
    list_free(list);
}

static void next__resumes__when_given_an_earlier_offset(void **state)
{
    struct list *list = LIST("http://h/1\nhttp://h/2\nhttp://h/3\n");
    uint64_t offset = 0, after_first;

    (void)state;
    assert_entry(list, &offset, "", "http://h/1");
    after_first = offset;
    assert_int_equal(after_first, 11);
    assert_entry(list, &offset, "", "http://h/2");
    assert_entry(list, &offset, "", "http://h/3");
    assert_end(list, &offset);
    assert_entry(list, &after_first, "", "http://h/2");
    offset = 1000; /* after the end: a list that was cut */
    assert_end(list, &offset);
    list_free(list);
}

static void next__crosses_its_buffer__when_list_is_long(void **state)
{
    enum { LINES = 60000 };
    const size_t size = LINES * 40;
    char *text = malloc(size);
    char want[64];
    size_t len = 0;
    struct list *list;
    struct list_report report;
    uint64_t offset = 0;

    (void)state;
    assert_non_null(text);
    for (int i = 0; i < LINES; i++) {
        len += (size_t)snprintf(text + len, size - len, "http://host.test/items/%d\n", i);
    }
    list = list_of(text, len);
    for (int i = 0; i < LINES; i++) {
        snprintf(want, sizeof want, "http://host.test/items/%d", i);
        assert_entry(list, &offset, "", want);
    }
    assert_end(list, &offset);
    assert_int_equal(list_check(list, &report, NULL), RESULT_OK);
    assert_int_equal(report.urls, LINES);
    assert_int_equal(report.size, len);
    list_free(list);
    free(text);
}

static void check__tells_each_line__when_lines_are_bad(void **state)
{
    static const struct {
        const char *line;
        size_t len;
        const char *code, *text;
    } cases[] = {
#define BAD(line, code, text) { line, sizeof(line) - 1, code, text }
        BAD("http://h/a\0b", "E-IN1", "urls.txt:2: control character \\x00 at byte 11"),
        BAD("http://h/a\x1b[31m", "E-URL1",
            "urls.txt:2: control character \\x1b in URL at byte 11"),
        BAD("http://h/Z\xFCrich", "E-IN1", "urls.txt:2: is not UTF-8: save the list as that"),
        BAD("http://h/a b", "E-URL1", "urls.txt:2: space in URL at byte 11"),
        BAD("http://h/a\rb", "E-URL1", "urls.txt:2: control character \\x0d"),
        BAD("file:///etc/passwd", "E-URL3", "urls.txt:2: scheme \"file\" not allowed"),
        BAD("ftp://h/", "E-URL3", "urls.txt:2: scheme \"ftp\""),
        BAD("h/path", "E-URL4", "urls.txt:2: missing scheme"),
        BAD("http://u:p@h/", "E-URL5", "urls.txt:2: credentials in URL"),
        BAD("http://h:99999/", "E-URL2", "urls.txt:2: not a valid URL: port"),
        BAD("{\"url\":\"ws://h/\"}", "E-URL3", "urls.txt:2: scheme \"ws\""),
        BAD("{\"url\":\"http://h/\\n\"}", "E-URL1", "urls.txt:2: control character \\x0a"),
        BAD("{\"url\":\"http://h/\\u0000x\"}", "E-IN1", "urls.txt:2: not valid UTF-8, or \\u0000"),
        BAD("{\"url\":\"http://h/\",\"name\":\"\xff\"}", "E-IN1", "urls.txt:2: not valid UTF-8"),
        BAD("{\"url\":\"http://h/\",\"name\":\"a\\tb\"}", "E-IN1",
            "control character \\x09 in \"name\""),
        BAD("{\"url\":\"http://h/\",\"name\":7}", "E-IN1", "\"name\" must be a string"),
        BAD("{\"url\":\"http://h/\",\"name\":\"\"}", "E-IN1", "\"name\" must have 1 to 256 bytes"),
        BAD("{\"url\":\"http://h/\",\"url\":\"http://h/\"}", "E-IN1", "\"url\" is given twice"),
        BAD("{\"url\":\"http://h/\",\"method\":\"POST\"}", "E-IN1", "unknown key \"method\""),
        BAD("{\"name\":\"x\"}", "E-IN1", "must have a \"url\""),
        BAD("{\"url\":\"http://h/\"} trailing", "E-IN1", "not a JSON object"),
        BAD("{\"url\"", "E-IN1", "not a JSON object"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512] = "http://h/1\n";
        struct list_report report;
        struct err err = { 0 };
        struct list *list;

        memcpy(text + 11, cases[i].line, cases[i].len);
        list = list_of(text, 11 + cases[i].len);
        assert_int_equal(list_check(list, &report, &err), RESULT_INVALID);
        assert_int_equal(report.bad, 1);
        assert_int_equal(report.urls, 1);
        assert_string_equal(report.errors[0].code, cases[i].code);
        if (!strstr(report.errors[0].text, cases[i].text)) {
            fail_msg("\"%s\" lacks \"%s\"", report.errors[0].text, cases[i].text);
        }
        assert_string_equal(err.text, "urls.txt has 1 bad line; nothing was started");
        list_free(list);
    }
}

static void check__keeps_the_first_ten__when_all_lines_are_bad(void **state)
{
    char text[1024] = "";
    size_t len = 0;
    struct list_report report;
    struct err err = { 0 };
    struct list *list;

    (void)state;
    for (int i = 0; i < 25; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "nonsense\n");
    }
    assert_true(len < sizeof text);
    list = list_of(text, strlen(text));
    assert_int_equal(list_check(list, &report, &err), RESULT_INVALID);
    assert_int_equal(report.bad, 25);
    assert_non_null(strstr(report.errors[LIST_BAD_SHOWN - 1].text, "urls.txt:10: "));
    assert_string_equal(err.text, "urls.txt has 25 bad lines; nothing was started");
    list_free(list);
}

static void check__skips_the_line__when_it_is_too_long(void **state)
{
    size_t long_len = 1000 * 1000, len = 0;
    char *text = malloc(long_len + 64);
    struct list_report report;
    struct list_entry entry;
    struct list *list;
    uint64_t offset = 0;

    (void)state;
    assert_non_null(text);
    memcpy(text, "http://h/1\n", 11);
    len = 11;
    memset(text + len, 'x', long_len);
    len += long_len;
    memcpy(text + len, "\nhttp://h/3\n", 12);
    len += 12;
    list = list_of(text, len);
    assert_int_equal(list_check(list, &report, NULL), RESULT_INVALID);
    assert_int_equal(report.urls, 2);
    assert_int_equal(report.bad, 1);
    assert_string_equal(report.errors[0].text, "urls.txt:2: line over 65536 bytes");
    assert_entry(list, &offset, "", "http://h/1");
    assert_int_equal(list_next(list, &offset, &entry, NULL), RESULT_LIMIT);
    assert_entry(list, &offset, "", "http://h/3");
    list_free(list);
    free(text);
}

static void check__refuses__when_there_is_no_url(void **state)
{
    static const char *const texts[] = { "", "\n\n", "# only\n#comments", "\xEF\xBB\xBF" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct list_report report;
        struct err err = { 0 };
        struct list *list = list_of(texts[i], strlen(texts[i]));

        assert_int_equal(list_check(list, &report, &err), RESULT_INVALID);
        assert_string_equal(err.code, "E-IN2");
        assert_string_equal(err.text, "no URLs in urls.txt");
        list_free(list);
    }
}

static void check__checks_anew__when_the_host_changes(void **state)
{
    /* The fast path for a known origin must not take what only looks like it. */
    struct list *list = LIST("http://h/1\nhttp://h.evil:99999/\nhttp://h@evil/\nhttp://h/a\x7f\n"
                             "http://h:80/x\nhttp://h?x\n");
    struct list_report report;

    (void)state;
    assert_int_equal(list_check(list, &report, NULL), RESULT_INVALID);
    assert_int_equal(report.bad, 3);
    assert_int_equal(report.urls, 3);
    assert_string_equal(report.errors[0].code, "E-URL2");
    assert_string_equal(report.errors[1].code, "E-URL5");
    assert_string_equal(report.errors[2].code, "E-URL1");
    list_free(list);
}

static void check__sums_differ__when_one_byte_differs(void **state)
{
    static const char *const texts[] = { "http://h/1\nhttp://h/2\n", "http://h/1\nhttp://h/3\n",
                                         "http://h/2\nhttp://h/1\n", "http://h/1\n\nhttp://h/2\n",
                                         "http://h/1\nhttp://h/2\nhttp://h/2\n" };
    uint64_t sums[sizeof texts / sizeof texts[0]];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct list_report report;
        struct list *list = list_of(texts[i], strlen(texts[i]));

        assert_int_equal(list_check(list, &report, NULL), RESULT_OK);
        sums[i] = report.checksum;
        list_free(list);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(sums[i], sums[j]);
        }
    }
}

static void open__names_the_file__when_it_cannot_be_read(void **state)
{
    struct list *list;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(list_open(&list, "/nonexistent/urls.txt", &err), RESULT_NOT_FOUND);
    assert_string_equal(err.code, "E-IN2");
    assert_non_null(strstr(err.text, "/nonexistent/urls.txt"));
    assert_null(list);
    assert_int_equal(list_open(&list, "/", &err), RESULT_INVALID);
    assert_non_null(strstr(err.text, "is a directory"));
    assert_null(list);
}

static void open__reads_twice__when_the_list_is_a_pipe(void **state)
{
    struct list *list;
    struct list_report report;
    uint64_t offset = 0;
    FILE *copy = tmpfile();
    char text[64];
    int ends[2], saved = dup(STDIN_FILENO);

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "http://h/1\nhttp://h/2", 21), 21);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    assert_int_equal(list_open(&list, "-", NULL), RESULT_OK);
    dup2(saved, STDIN_FILENO);
    close(saved);
    assert_int_equal(list_check(list, &report, NULL), RESULT_OK);
    assert_entry(list, &offset, "", "http://h/1");
    assert_entry(list, &offset, "", "http://h/2");
    assert_end(list, &offset);
    assert_int_equal(list_copy(list, fileno(copy), NULL), RESULT_OK);
    assert_int_equal(pread(fileno(copy), text, sizeof text, 0), 21);
    assert_memory_equal(text, "http://h/1\nhttp://h/2", 21);
    fclose(copy);
    list_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next__gives_every_url__when_lines_are_mixed),
        cmocka_unit_test(next__resumes__when_given_an_earlier_offset),
        cmocka_unit_test(next__crosses_its_buffer__when_list_is_long),
        cmocka_unit_test(check__tells_each_line__when_lines_are_bad),
        cmocka_unit_test(check__keeps_the_first_ten__when_all_lines_are_bad),
        cmocka_unit_test(check__skips_the_line__when_it_is_too_long),
        cmocka_unit_test(check__refuses__when_there_is_no_url),
        cmocka_unit_test(check__checks_anew__when_the_host_changes),
        cmocka_unit_test(check__sums_differ__when_one_byte_differs),
        cmocka_unit_test(open__names_the_file__when_it_cannot_be_read),
        cmocka_unit_test(open__reads_twice__when_the_list_is_a_pipe),
    };

    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
