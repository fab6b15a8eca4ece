#include "store/event_log.h"

#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct desk {
    struct temp temp;
    struct run_dir dir;
    struct event_log log;
};

static int begin(void **state)
{
    struct desk *d = calloc(1, sizeof *d);

    assert_non_null(d);
    temp_init(&d->temp);
    assert_int_equal(run_dir_open(&d->dir, d->temp.run, NULL), RESULT_OK);
    assert_int_equal(event_log_open(&d->log, &d->dir, NULL), RESULT_OK);
    *state = d;
    return 0;
}

static int end(void **state)
{
    struct desk *d = *state;

    event_log_close(&d->log);
    run_dir_close(&d->dir);
    temp_release(&d->temp);
    free(d);
    return 0;
}

static void assert_file(const struct desk *d, const char *name, const char *want)
{
    size_t len;
    char *got = file_read(&d->dir, name, &len);

    assert_string_equal(got, want);
    free(got);
}

static void assert_kept(const struct desk *d, const char *want)
{
    struct buf got = { 0 };

    assert_int_equal(event_log_read(&d->dir, 1000, &got, NULL), RESULT_OK);
    assert_string_equal(buf_cstr(&got), want);
    buf_release(&got);
}

static void assert_tail(const struct desk *d, size_t max, const char *want)
{
    struct buf got = { 0 };

    assert_int_equal(event_log_tail(&d->dir, max, &got), RESULT_OK);
    assert_string_equal(buf_cstr(&got), want);
    buf_release(&got);
}

static void append(struct desk *d, const char *lines)
{
    event_log_append(&d->log, str_view(lines));
}

static void reopen(struct desk *d)
{
    event_log_close(&d->log);
    assert_int_equal(event_log_open(&d->log, &d->dir, NULL), RESULT_OK);
    d->log.max_bytes = 20;
}

static void log__is_set_aside__before_it_is_too_large(void **state)
{
    struct desk *d = *state;
    struct stat st;

    d->log.max_bytes = 20;
    append(d, "{\"a\":1}\n");
    append(d, "{\"b\":2}\n");
    assert_int_not_equal(fstatat(d->dir.fd, EVENT_LOG_ASIDE, &st, 0), 0);
    assert_kept(d, "{\"a\":1}\n{\"b\":2}\n");
    append(d, "{\"c\":3}\n");
    assert_file(d, EVENT_LOG_ASIDE, "{\"a\":1}\n{\"b\":2}\n");
    assert_file(d, EVENT_LOG_NAME, "{\"c\":3}\n");
    assert_kept(d, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
    reopen(d); /* what is there already counts */
    append(d, "{\"d\":4}\n");
    append(d, "{\"e\":5}\n");
    assert_kept(d, "{\"c\":3}\n{\"d\":4}\n{\"e\":5}\n");
    append(d, "{\"more than the file may ever have\":6}\n"); /* at once: lines are not cut */
    assert_kept(d, "{\"e\":5}\n{\"more than the file may ever have\":6}\n");
}

static void log__grows__within_its_bound_however_much_comes(void **state)
{
    struct desk *d = *state;
    struct stat st;

    d->log.max_bytes = 1000;
    for (int i = 0; i < 5000; i++) {
        append(d, "{\"n\":1}\n{\"n\":2}\n");
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fstatat(d->dir.fd, i ? EVENT_LOG_ASIDE : EVENT_LOG_NAME, &st, 0), 0);
        assert_in_range(st.st_size, 1, 1000);
    }
}

static void line__is_ended__before_the_file_is_set_aside(void **state)
{
    struct desk *d = *state;

    append(d, "{\"a\":1}\n{\"b\":");
    reopen(d);
    append(d, "{\"c\":3}\n");
    assert_kept(d, "{\"a\":1}\n{\"b\":\n{\"c\":3}\n");
}

static void log__grows_on__when_it_cannot_be_set_aside(void **state)
{
    struct desk *d = *state;

    d->log.max_bytes = 10;
    append(d, "{\"a\":1}\n");
    assert_int_equal(mkdirat(d->dir.fd, EVENT_LOG_ASIDE, 0700), 0);
    append(d, "{\"b\":2}\n");
    assert_file(d, EVENT_LOG_NAME, "{\"a\":1}\n{\"b\":2}\n");
    assert_int_equal(unlinkat(d->dir.fd, EVENT_LOG_ASIDE, AT_REMOVEDIR), 0);
    append(d, "{\"c\":3}\n");
    assert_kept(d, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
}

static void tail__reaches_into_what_was_set_aside(void **state)
{
    struct desk *d = *state;

    d->log.max_bytes = 20;
    append(d, "{\"a\":1}\n{\"b\":2}\n");
    assert_tail(d, 100, "{\"a\":1}\n{\"b\":2}\n");
    assert_tail(d, 9, "\n{\"b\":2}\n");
    append(d, "{\"c\":3}\n");
    assert_tail(d, 8, "{\"c\":3}\n");
    assert_tail(d, 12, ":2}\n{\"c\":3}\n");
    assert_tail(d, 100, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
}

static void log__begins_anew__when_the_file_was_removed(void **state)
{
    struct desk *d = *state;

    append(d, "{\"a\":1}\n");
    assert_int_equal(unlinkat(d->dir.fd, "events.jsonl", 0), 0);
    append(d, "{\"b\":2}\n");
    assert_file(d, "events.jsonl", "{\"b\":2}\n");
}

static void log__is_refused__when_it_is_no_file(void **state)
{
    struct desk *d = *state;
    struct event_log log;
    struct err err;

    assert_int_equal(unlinkat(d->dir.fd, "events.jsonl", 0), 0);
    assert_int_equal(mkfifoat(d->dir.fd, "events.jsonl", 0600), 0);
    assert_int_equal(event_log_open(&log, &d->dir, &err), RESULT_DENIED);
    assert_string_equal(err.code, "E-DIR3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(log__is_set_aside__before_it_is_too_large, begin, end),
        cmocka_unit_test_setup_teardown(log__grows__within_its_bound_however_much_comes, begin,
                                        end),
        cmocka_unit_test_setup_teardown(line__is_ended__before_the_file_is_set_aside, begin, end),
        cmocka_unit_test_setup_teardown(log__grows_on__when_it_cannot_be_set_aside, begin, end),
        cmocka_unit_test_setup_teardown(log__begins_anew__when_the_file_was_removed, begin, end),
        cmocka_unit_test_setup_teardown(log__is_refused__when_it_is_no_file, begin, end),
        cmocka_unit_test_setup_teardown(tail__reaches_into_what_was_set_aside, begin, end),
    };

    return cmocka_run_group_tests_name("event_log", tests, NULL, NULL);
}
