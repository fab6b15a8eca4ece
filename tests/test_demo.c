/*
 * The embedded API's life and weather: start and stop, limits, mishaps, the log, hostile bytes. No
 * test waits for time to pass.
 */
#include "demo_client.h"

#include "base/clock.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

/* --- life ------------------------------------------------------------------------------------ */

static void start__refuses__options_without_sense(void **state)
{
    const struct demo_options bad[] = {
        { .fail = 1.5 },           { .hang = -0.1 },
        { .truncate = 0.0 / 0.0 }, { .fail = 0.5, .hang = 0.4, .truncate = 0.2 },
        { .max_concurrent = 5 },   { .limit = { 0, 1000000 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct demo *demo;
        struct err err = { 0 };

        assert_int_equal(demo_start(&demo, &bad[i], &err), RESULT_INVALID);
        assert_null(demo);
        assert_true(strlen(err.text) > 0);
    }
}

static void start__says_busy__when_the_port_is_taken(void **state)
{
    struct demo *first = start_calm(1), *second;
    struct demo_options options = { .port = demo_port(first) };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(demo_start(&second, &options, &err), RESULT_BUSY);
    assert_null(second);
    assert_string_equal(err.code, "E-DEMO3");
    demo_stop(first);
}

static void start__says_where__when_the_log_cannot_be_opened(void **state)
{
    struct demo_options options = { .log_path = "/dev/null/log" };
    struct demo *demo;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(demo_start(&demo, &options, &err), RESULT_NOT_FOUND);
    assert_non_null(strstr(err.text, "/dev/null/log"));
}

static void stop__returns__while_requests_wait(void **state)
{
    struct demo *demo = start(&(struct demo_options){ .latency_us = UINT64_C(3600000000) });
    int fds[50];
    struct answer a;

    (void)state;
    for (size_t i = 0; i < 50; i++) {
        fds[i] = dial(demo);
        say(fds[i], STR("GET /posts/1 HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    demo_stop(demo);
    for (size_t i = 0; i < 50; i++) {
        read_answer(fds[i], &a);
        assert_int_equal(a.status, 0);
        drop(&a);
    }
    demo_stop(NULL);
}

/* --- weather --------------------------------------------------------------------------------- */

static void limit__answers_429__and_says_when_to_come_back(void **state)
{
    /* Four an hour: nothing is refilled while this runs. */
    struct demo *demo =
        start(&(struct demo_options){ .limit = { 4, UINT64_C(3600000000) }, .limit_burst = 3 });
    struct answer a;

    (void)state;
    for (int left = 2; left >= 0; left--) {
        a = get(demo, "/posts/1");
        assert_int_equal(a.status, 200);
        assert_string_equal(header_of(&a, "X-RateLimit-Limit"), "3");
        assert_int_equal(atoi(header_of(&a, "X-RateLimit-Remaining")), left);
        assert_null(header_of(&a, "Retry-After"));
        drop(&a);
    }
    a = get(demo, "/posts/1");
    assert_int_equal(a.status, 429);
    assert_in_range(atoi(header_of(&a, "Retry-After")), 1, 900);
    assert_string_equal(header_of(&a, "X-RateLimit-Remaining"), "0");
    assert_true(atoll(header_of(&a, "X-RateLimit-Reset")) > 1700000000);
    cJSON_Delete(json_of(&a));
    drop(&a);
    demo_stop(demo);
}

/* What became of one ask, as a letter. */
static char outcome_of(const struct demo *demo, const char *target)
{
    struct answer a = get(demo, target);
    const char *announced = header_of(&a, "Content-Length");
    char letter = '?';

    if (a.status == 0) {
        letter = a.is_reset ? 'R' : '0';
    } else if (a.status == 200) {
        letter = (size_t)atoi(announced) == a.body.len ? '.' : 'T';
    } else if (a.status == 503) {
        letter = header_of(&a, "Retry-After") ? 'W' : '3';
    } else if (a.status == 500) {
        letter = '5';
    }
    drop(&a);
    return letter;
}

/* Three asks of each of `count` posts. */
static void record_outcomes(const struct demo *demo, int count, char *letters)
{
    for (int i = 0; i < count; i++) {
        char target[32];

        snprintf(target, sizeof target, "/posts/%d", i + 1);
        for (int ask = 0; ask < 3; ask++) {
            *letters++ = outcome_of(demo, target);
        }
    }
    *letters = '\0';
}

static void mishaps__repeat__with_the_seed(void **state)
{
    struct demo_options options = { .seed = 21, .fail = 0.3, .truncate = 0.2 };
    struct demo *one = start(&options), *two = start(&options), *other;
    char a[301], b[301], c[301];

    (void)state;
    options.seed = 22;
    other = start(&options);
    record_outcomes(one, 100, a);
    record_outcomes(two, 100, b);
    record_outcomes(other, 100, c);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    for (const char *kind = ".53WRT"; *kind; kind++) { /* every kind is met */
        if (!strchr(a, *kind)) {
            fail_msg("no '%c' in %s", *kind, a);
        }
    }
    assert_null(strpbrk(a, "?0"));
    demo_stop(one);
    demo_stop(two);
    demo_stop(other);
}

static void mishaps__end__at_the_third_ask(void **state)
{
    struct demo *demo = start(&(struct demo_options){ .seed = 4, .fail = 0.7, .truncate = 0.3 });
    char letters[61];

    (void)state;
    record_outcomes(demo, 20, letters);
    for (int i = 0; i < 60; i++) {
        if ((letters[i] == '.') != (i % 3 == 2)) {
            fail_msg("ask %d of post %d in %s", i % 3 + 1, i / 3 + 1, letters);
        }
    }
    demo_stop(demo);
}

static void hang__is_silent__and_ends_at_the_third_ask(void **state)
{
    struct demo *demo = start(&(struct demo_options){ .hang = 1 });
    struct pollfd wait[3];
    struct answer a;
    int answered = 0;

    (void)state;
    for (int i = 0; i < 3; i++) {
        wait[i] = (struct pollfd){ .fd = dial(demo), .events = POLLIN };
        say(wait[i].fd, STR("GET /posts/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    }
    assert_int_equal(poll(wait, 3, -1), 1); /* whichever arrived third */
    while (!wait[answered].revents) {
        answered++;
    }
    read_answer(wait[answered].fd, &a);
    assert_int_equal(a.status, 200);
    drop(&a);
    close(wait[(answered + 1) % 3].fd); /* one gives up, one hangs until the end */
    demo_stop(demo);
    close(wait[(answered + 2) % 3].fd);
}

static void latency__is_kept__by_every_answer(void **state)
{
    struct demo *demo = start(&(struct demo_options){ .latency_us = 20000, .jitter_us = 5000 });
    struct clock clock = clock_system();
    uint64_t began_us = clock_now_us(&clock);
    int fds[64];
    struct answer a;

    (void)state;
    for (size_t i = 0; i < 64; i++) {
        fds[i] = dial(demo);
        say(fds[i], STR("GET /posts/9 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    }
    for (size_t i = 0; i < 64; i++) {
        read_answer(fds[i], &a);
        assert_int_equal(a.status, 200);
        drop(&a);
    }
    assert_true(clock_now_us(&clock) - began_us >= 15000); /* no upper bound: machines are slow */
    demo_stop(demo);
}

/* --- the log, and hostile bytes -------------------------------------------------------------- */

static void log__has_one_clean_line__for_each_request(void **state)
{
    char dir[] = "/tmp/test_demo.XXXXXX", path[64], line[512], method[16], url[256], wall[32];
    unsigned long long arrived_us, took_us;
    unsigned status, in_flight;
    struct demo *demo;
    struct answer a;
    FILE *log;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/access.log", dir);
    demo = start(&(struct demo_options){ .log_path = path });
    expect_status(demo, "/posts/1", 200);
    expect_status(demo, "/no\x1b[31m\xFFpe", 404);
    a = ask_with(demo, "POST", "/posts", "", "x");
    drop(&a);
    demo_stop(demo);
    log = fopen(path, "r");
    assert_non_null(log);
    for (int i = 0; i < 3; i++) {
        static const char *const urls[] = { "/posts/1", "/no%1B[31m%FFpe", "/posts" };
        static const unsigned statuses[] = { 200, 404, 405 };

        assert_non_null(fgets(line, sizeof line, log));
        assert_int_equal(sscanf(line, "%llu %31s %u %15s %255s %u %llu\n", &arrived_us, wall,
                                &status, method, url, &in_flight, &took_us),
                         7);
        assert_string_equal(url, urls[i]);
        assert_int_equal(status, statuses[i]);
        assert_string_equal(method, i == 2 ? "POST" : "GET");
        assert_int_equal(in_flight, 1);
        assert_true(arrived_us > 0);
    }
    assert_null(fgets(line, sizeof line, log));
    fclose(log);
    unlink(path);
    rmdir(dir);
}

static void hostile_bytes__hurt_nobody(void **state)
{
    static const struct str attacks[] = {
        STR_INIT("\r\n\r\n\r\n"),
        STR_INIT("\0\0\0\0GET / HTTP/1.1\r\nConnection: close\r\n\r\n"),
        STR_INIT("GET\r\n\r\n"),
        STR_INIT("GET /posts/1\r\n\r\n"),
        STR_INIT("GET /posts/1 HTTP/9.9\r\n\r\n"),
        STR_INIT("GET /a b c d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        STR_INIT("GET /posts?%00=%00&&==&_page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        STR_INIT(
            "GET /nope HTTP/1.1\r\nHost: \"><script>\r\nConnection: close\r\nX:\r\n: y\r\n\r\n"),
        STR_INIT("POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n"),
        STR_INIT("POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999"
                 "\r\n\r\n"),
        STR_INIT("POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "FFFFFFFFFFFFFFFF\r\n{}"),
        STR_INIT("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"), /* somebody speaks TLS */
    };
    struct demo *demo = start(&(struct demo_options){ .latency_us = 100 });

    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        /* A server may leave a half-closed connection to its idle timeout: no answer is one, too. */
        struct timeval patience = { .tv_sec = 1 };
        int fd = dial(demo);
        struct answer a;

        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        say(fd, attacks[i]);
        shutdown(fd, SHUT_WR);
        read_answer(fd, &a);
        assert_true(a.status != 200);
        drop(&a);
    }
    demo_stop(demo);
}

static void long_requests__are_refused__not_swallowed(void **state)
{
    struct demo *demo = start_calm(1);
    struct buf request = { 0 };
    struct answer a;

    (void)state;
    assert_int_equal(buf_append_str(&request, STR("GET /")), RESULT_OK);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(buf_append_char(&request, 'a'), RESULT_OK);
    }
    assert_int_equal(buf_append_str(&request, STR(" HTTP/1.1\r\nHost: x\r\n\r\n")), RESULT_OK);
    a = ask_raw(demo, buf_view(&request));
    assert_true(a.status == 0 || a.status == 414 || a.status == 431);
    drop(&a);
    buf_reset(&request);
    assert_int_equal(buf_append_str(&request, STR("GET /headers HTTP/1.1\r\nHost: x\r\n"
                                                  "Connection: close\r\n")),
                     RESULT_OK);
    for (int i = 0; i < 150; i++) { /* more than are kept, fewer bytes than are read */
        assert_int_equal(buf_printf(&request, "X-%d: %d\r\n", i, i), RESULT_OK);
    }
    assert_int_equal(buf_append_str(&request, STR("\r\n")), RESULT_OK);
    a = ask_raw(demo, buf_view(&request));
    assert_int_equal(a.status, 200);
    cJSON_Delete(json_of(&a));
    drop(&a);
    buf_release(&request);
    demo_stop(demo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start__refuses__options_without_sense),
        cmocka_unit_test(start__says_busy__when_the_port_is_taken),
        cmocka_unit_test(start__says_where__when_the_log_cannot_be_opened),
        cmocka_unit_test(stop__returns__while_requests_wait),
        cmocka_unit_test(limit__answers_429__and_says_when_to_come_back),
        cmocka_unit_test(mishaps__repeat__with_the_seed),
        cmocka_unit_test(mishaps__end__at_the_third_ask),
        cmocka_unit_test(hang__is_silent__and_ends_at_the_third_ask),
        cmocka_unit_test(latency__is_kept__by_every_answer),
        cmocka_unit_test(log__has_one_clean_line__for_each_request),
        cmocka_unit_test(hostile_bytes__hurt_nobody),
        cmocka_unit_test(long_requests__are_refused__not_swallowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
