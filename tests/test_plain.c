/* ui/plain: the lines, their pace, and a reader that has stopped. */

#include "tests/ui_scenes.h"
#include "ui/plain.h"

#include "base/clock.h"

#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define START_US (UINT64_C(1969) * US_PER_S)

struct fixture {
    int read_fd, write_fd;
    struct plain *plain;
    struct snapshot snapshot;
    char text[65536];
};

static int set_up(void **state)
{
    static struct fixture f;
    struct plain_options options = { .interval_us = 5 * US_PER_S };
    int ends[2];

    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("TZ", "UTC", 1);
    if (pipe(ends) != 0) {
        return -1;
    }
    f.read_fd = ends[0];
    f.write_fd = options.fd = ends[1];
    fcntl(f.read_fd, F_SETFL, O_NONBLOCK);
    ui_scene_fill(&f.snapshot, SCENE_RUNNING, 24, START_US);
    *state = &f;
    return plain_new(&f.plain, &options, NULL) == RESULT_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    plain_free(f->plain);
    close(f->read_fd);
    close(f->write_fd);
    return 0;
}

static const char *take(struct fixture *f)
{
    ssize_t got = read(f->read_fd, f->text, sizeof f->text - 1);

    f->text[got > 0 ? got : 0] = '\0';
    return f->text;
}

static void plain__tells_events_at_once__each_once_and_in_order(void **state)
{
    struct fixture *f = *state;
    const char *text;

    plain_update(f->plain, &f->snapshot);
    text = take(f);
    assert_non_null(strstr(text, "14:00:00 start: 90000 requests, resumed 0\n"));
    assert_non_null(strstr(text, "14:32:23 warning: x12 429 x3 /products"));
    assert_non_null(strstr(text, "14:30:51 error: 404 /meta/88017"));
    assert_true(strstr(text, "start:") < strstr(text, "checkpoint:"));
    plain_update(f->plain, &f->snapshot);
    assert_string_equal(take(f), "");
}

static void plain__writes_a_progress_line__once_an_interval(void **state)
{
    struct fixture *f = *state;

    f->snapshot.event_count = 0;
    plain_update(f->plain, &f->snapshot);
    f->snapshot.now_us += 4 * US_PER_S;
    plain_update(f->plain, &f->snapshot);
    assert_string_equal(take(f), "");
    f->snapshot.now_us += US_PER_S;
    plain_update(f->plain, &f->snapshot);
    plain_update(f->plain, &f->snapshot);
    assert_string_equal(take(f),
                        "14:32:49 76026/90000 84.5% ok 76014 failed 12 waiting 7 38.2 req/s cap 24 "
                        "ETA 12-15m limited by CAP 24\n");
}

static void plain__names_the_state__when_it_is_not_simply_running(void **state)
{
    struct fixture *f = *state;
    char line[PLAIN_LINE_MAX];

    ui_scene_fill(&f->snapshot, SCENE_DISK_FULL, 24, START_US);
    plain_progress(&f->snapshot, line);
    assert_ptr_equal(strstr(line, "DISK FULL "), line);
    assert_non_null(strstr(line, "trouble: disk full"));
    f->snapshot.total_known = false;
    plain_progress(&f->snapshot, line);
    assert_non_null(strstr(line, "76026 done ok"));
}

static void plain__tells_of_rounds__when_the_run_polls(void **state)
{
    struct fixture *f = *state;
    char line[PLAIN_LINE_MAX];

    plain_progress(&f->snapshot, line);
    assert_null(strstr(line, "round"));
    ui_scene_fill(&f->snapshot, SCENE_RESTING, 24, START_US);
    plain_progress(&f->snapshot, line);
    assert_ptr_equal(strstr(line, "NEXT ROUND "), line);
    assert_non_null(strstr(line, " unchanged 30000 round 41 "));
    assert_non_null(strstr(line, "limited by NEXT ROUND in 0:23 (every 30.0s)"));
}

static struct snapshot_event *add_failure(struct snapshot *s, uint64_t serial)
{
    memmove(s->events + 1, s->events, (SNAPSHOT_EVENTS_MAX - 1) * sizeof s->events[0]);
    s->event_count += s->event_count < SNAPSHOT_EVENTS_MAX;
    s->events[0] = (struct snapshot_event){ .serial = serial,
                                            .repeats = 1,
                                            .wall_us = s->wall_us,
                                            .level = EVENT_ERROR,
                                            .is_failure = true };
    snprintf(s->events[0].text, sizeof s->events[0].text, "GET /%llu failed: HTTP 404",
             (unsigned long long)serial);
    return &s->events[0];
}

static size_t count_lines(const char *text, const char *what)
{
    size_t count = 0;

    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what)) {
        count++;
    }
    return count;
}

static void plain__tells_some_failures__and_counts_the_rest(void **state)
{
    struct fixture *f = *state;
    struct snapshot *s = &f->snapshot;
    const char *text;

    s->event_count = 0;
    for (uint64_t i = 1; i <= 1000; i++) {
        add_failure(s, i);
        plain_update(f->plain, s);
    }
    text = take(f);
    assert_int_equal(count_lines(text, " failed: HTTP 404"), PLAIN_FAILURES);
    assert_int_equal(count_lines(text, "more failed"), 0);
    s->now_us += PLAIN_FAILURE_EACH_US;
    add_failure(s, 1001);
    plain_update(f->plain, s);
    text = take(f);
    assert_non_null(strstr(text, "error: 980 more failed; status --failed lists each\n"));
    assert_non_null(strstr(text, "GET /1001 failed: HTTP 404"));
    add_failure(s, 1002);
    add_failure(s, 1003);
    snprintf(s->events[0].text, sizeof s->events[0].text, "the host is lost");
    s->events[0].is_failure = false; /* another error is told whatever was before */
    plain_update(f->plain, s);
    text = take(f);
    assert_non_null(strstr(text, "error: the host is lost"));
    assert_null(strstr(text, "/1002"));
    plain_finish(f->plain, s);
    assert_non_null(strstr(take(f), "error: 1 more failed;"));
}

static void plain__tells_a_flood_of_failures__in_few_lines__and_does_not_count_too_few(void **state)
{
    struct fixture *f = *state;
    struct snapshot *s = &f->snapshot;
    const char *text;

    s->event_count = 0;
    add_failure(s, 1);
    plain_update(f->plain, s);
    for (uint64_t i = 1; i <= 100; i++) { /* of 500 in a turn the snapshot has the latest */
        s->event_count = 0;
        for (uint64_t serial = i * 500 + 1 - 50; serial <= i * 500; serial++) {
            add_failure(s, serial);
        }
        plain_update(f->plain, s);
    }
    text = take(f);
    assert_int_equal(count_lines(text, " failed: HTTP 404"), PLAIN_FAILURES);
    assert_int_equal(count_lines(text, "not shown"), 1); /* before the second that is told */
    s->now_us += PLAIN_FAILURE_EACH_US;
    add_failure(s, 50001);
    plain_update(f->plain, s);
    text = take(f);
    assert_non_null(strstr(text, "(44550 earlier events not shown; events.jsonl has all)\n"));
    assert_non_null(strstr(text, "error: at least 4981 more failed; status --failed lists each\n"));
    assert_int_equal(count_lines(text, "not shown"), 1);
}

static void plain__has_no_escape_byte__whatever_comes(void **state)
{
    struct fixture *f = *state;

    for (int scene = 0; scene < SCENE_COUNT; scene++) {
        ui_scene_fill(&f->snapshot, (enum ui_scene)scene, 24, START_US);
        f->snapshot.now_us += (uint64_t)scene * 10 * US_PER_S;
        for (size_t i = 0; i < f->snapshot.event_count; i++) {
            f->snapshot.events[i].serial += (uint64_t)scene * 1000;
        }
        plain_finish(f->plain, &f->snapshot);
        for (const char *p = take(f); *p; p++) {
            assert_true(*p == '\n' || (unsigned char)*p >= 0x20);
            assert_int_not_equal((unsigned char)*p, 0x7F);
        }
    }
}

static void plain__never_waits__for_a_reader_that_has_stopped(void **state)
{
    struct fixture *f = *state;
    size_t drained = 0;
    const char *text;

    for (uint64_t i = 0; i < 3000; i++) { /* more than a pipe holds; would hang here */
        f->snapshot.now_us += 5 * US_PER_S;
        f->snapshot.events[0].serial += 1;
        plain_update(f->plain, &f->snapshot);
    }
    while ((text = take(f))[0]) {
        drained += strlen(text);
        assert_int_equal(text[strlen(text) - 1], '\n'); /* lines are whole */
    }
    assert_in_range(drained, 1000, 1 << 20);
    f->snapshot.events[0].serial += 100;
    f->snapshot.event_count = 1;
    plain_update(f->plain, &f->snapshot);
    assert_non_null(strstr(take(f), "earlier events not shown"));
}

#define PLAIN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAIN_TEST(plain__tells_events_at_once__each_once_and_in_order),
        PLAIN_TEST(plain__writes_a_progress_line__once_an_interval),
        PLAIN_TEST(plain__names_the_state__when_it_is_not_simply_running),
        PLAIN_TEST(plain__tells_of_rounds__when_the_run_polls),
        PLAIN_TEST(plain__tells_some_failures__and_counts_the_rest),
        PLAIN_TEST(plain__tells_a_flood_of_failures__in_few_lines__and_does_not_count_too_few),
        PLAIN_TEST(plain__has_no_escape_byte__whatever_comes),
        PLAIN_TEST(plain__never_waits__for_a_reader_that_has_stopped),
    };

    return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
