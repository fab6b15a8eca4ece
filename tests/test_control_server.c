#include "control/control_client.h"

#include "base/json_scan.h"
#include "control/control_server.h"
#include "control/snapshot_json.h"
#include "control_desk.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void expect_closed(struct control_client *c)
{
    struct str line;

    assert_false(hear(c, &line));
}

static void hello__is_answered_with_who_it_is(void **state)
{
    struct control_client c;

    (void)state;
    connect_client(&c);
    ask(&c, "{\"hello\":1}");
    expect(&c, "\"job\":\"catalog\"");
    ask(&c, "{\"seq\":\"a\",\"report\":true}");
    expect(&c, "{\"seq\":\"a\",\"ok\":true,\"report\":{\"ok\":12}}");
    control_client_close(&c);
}

static void words__are_handed_on__and_their_answer_comes_back(void **state)
{
    struct control_client c;

    (void)state;
    connect_client(&c);
    ask(&c, "{\"hello\":1,\"events\":true,\"name\":\"jo@pts/3\"}");
    expect(&c, "hello");
    ask(&c, "{\"seq\":7,\"do\":\"cap 20\"}");
    expect(&c, "{\"event\":{\"event\":\"cap\"");
    expect(&c, "{\"seq\":7,\"ok\":true,\"reply\":\"one\\ntwo \\u001b[31m\"}");
    assert_string_equal(d.words, "cap 20");
    assert_string_equal(d.who, "jo@pts/3");
    ask(&c, "{\"seq\":8,\"do\":\"nonsense\"}");
    expect(&c, "{\"event\":");
    expect(&c, "{\"seq\":8,\"ok\":false,\"error\":\"E-CTL1\"");
    control_client_close(&c);
}

static void viewers__only_look(void **state)
{
    struct control_client c;

    (void)state;
    connect_client(&c);
    ask(&c, "{\"hello\":1,\"as\":\"viewer\",\"frames\":\"snapshot\"}");
    expect(&c, "\"as\":\"viewer\"");
    expect(&c, "{\"snapshot\":{");
    ask(&c, "{\"seq\":1,\"do\":\"cap 5\"}");
    for (;;) {
        struct str line, seq;

        assert_true(hear(&c, &line));
        if (json_find(line, STR("/seq"), &seq)) {
            assert_non_null(memmem(line.data, line.len, "E-CTL2", 6));
            break;
        }
    }
    assert_string_equal(d.words, "");
    assert_int_equal(d.drivers, 0);
    control_client_close(&c);
}

static void frames__come_at_their_rate__with_each_client_s_own_detail(void **state)
{
    static struct snapshot s;
    struct control_client one, other;
    struct str line, value;
    unsigned looks;

    (void)state;
    connect_client(&one);
    connect_client(&other);
    ask(&one, "{\"hello\":1,\"frames\":\"snapshot\",\"every_ms\":1000}");
    ask(&other, "{\"hello\":1,\"frames\":\"totals\",\"every_ms\":1000}");
    expect(&one, "hello");
    expect(&other, "hello");
    assert_true(hear(&one, &line));
    assert_int_equal(d.drivers, 1);
    assert_true(json_find(line, STR("/snapshot"), &value));
    snapshot_json_read_all(value, &s);
    assert_int_equal(s.cap, 17);
    assert_int_equal(s.state, RUN_PAUSED);
    assert_int_equal(s.flight_count, SNAPSHOT_FLIGHTS_MAX);
    assert_int_equal(s.detail.id, 0);
    ask(&one, "{\"seq\":1,\"detail\":\"4711\"}");
    do {
        assert_true(hear(&one, &line));
    } while (!json_find(line, STR("/snapshot"), &value));
    snapshot_json_read_all(value, &s);
    assert_int_equal(s.detail.id, 4711);
    expect(&other, "{\"totals\":{");
    looks = d.looks;
    for (int i = 0; i < 10000; i++) { /* ten seconds of the server's clock */
        turn();
        (void)!control_client_read(&one, 0, NULL);
        while (control_client_line(&one, &line)) {
        }
        (void)!control_client_read(&other, 0, NULL);
        while (control_client_line(&other, &line)) {
        }
        usleep(20);
    }
    assert_in_range(d.looks - looks, 1, 22);
    control_client_close(&one);
    control_client_close(&other);
}

static void who_steers__sees_a_frame_at_once(void **state)
{
    struct control_client c;

    (void)state;
    connect_client(&c);
    ask(&c, "{\"hello\":1,\"frames\":\"totals\",\"every_ms\":60000}");
    expect(&c, "hello");
    expect(&c, "{\"totals\":{");
    ask(&c, "{\"seq\":1,\"do\":\"cap 20\"}");
    d.time_stands = true; /* so that the next one is not due */
    expect(&c, "{\"seq\":1,\"ok\":true");
    expect(&c, "{\"totals\":{");
    d.time_stands = false;
    control_client_close(&c);
}

static void bad_lines__are_told_and_closed(void **state)
{
    static const struct {
        const char *line, *answer;
    } lines[] = {
        { "{\"seq\":1,\"do\":\"cap 5\"}", "E-CTL1" },
        { "{\"hello\":2}", "E-CTL3" },
        { "hello", "E-CTL7" },
        { "[1]", "E-CTL7" },
        { "{\"hello\":1,\"name\":\"\xff\"}", "E-CTL7" },
        { "{\"a\":[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]}", "E-CTL7" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct control_client c;

        connect_client(&c);
        ask(&c, lines[i].line);
        expect(&c, lines[i].answer);
        expect_closed(&c);
        control_client_close(&c);
    }
    assert_string_equal(d.words, "");
}

static void a_line_without_end__is_not_kept(void **state)
{
    static char bytes[70000];
    struct control_client c;
    size_t sent = 0;

    (void)state;
    connect_client(&c);
    memset(bytes, '{', sizeof bytes);
    while (sent < sizeof bytes) {
        ssize_t now_sent = send(c.fd, bytes + sent, sizeof bytes - sent, MSG_NOSIGNAL);

        sent += now_sent > 0 ? (size_t)now_sent : 0;
        turn();
        if (now_sent < 0 && errno != EAGAIN) {
            break;
        }
    }
    expect(&c, "E-CTL7");
    expect_closed(&c);
    control_client_close(&c);
}

static void too_many_requests__are_refused(void **state)
{
    struct control_client c;
    unsigned refused = 0;
    struct str line;
    static char many[3 * 1100 + 1];

    (void)state;
    connect_client(&c);
    ask(&c, "{\"hello\":1}");
    expect(&c, "hello");
    d.now_us += 10000000;
    for (int i = 0; i < 80; i++) {
        ask(&c, "{\"do\":\"cap 5\"}");
    }
    for (int i = 0; i < 80; i++) {
        assert_true(hear(&c, &line));
        refused += memmem(line.data, line.len, "E-CTL4", 6) != NULL;
    }
    assert_true(refused >= 25);
    d.now_us += 10000000;
    for (size_t i = 0; i + 3 < sizeof many; i += 3) {
        memcpy(many + i, "{}\n", 3);
    }
    ask(&c, many);
    while (hear(&c, &line)) {
        refused++;
    }
    assert_in_range(refused, 900, 1080);
    control_client_close(&c);
}

static void who_says_nothing__or_reads_nothing__is_closed(void **state)
{
    struct control_client silent, full;
    unsigned looks;

    (void)state;
    connect_client(&silent);
    connect_client(&full);
    ask(&full, "{\"hello\":1,\"frames\":\"snapshot\",\"every_ms\":100}");
    expect(&full, "hello");
    d.now_us += 3000000;
    expect_closed(&silent);
    control_client_close(&silent);
    /* It reads nothing more: what the socket holds is full after some frames, and then none is made for it. */
    for (int i = 0; i < 2000; i++) {
        d.now_us += 10000;
        turn();
        usleep(100);
    }
    looks = d.looks;
    assert_true(looks < 400);
    d.now_us += 31000000;
    for (int i = 0; i < TURNS_MAX && d.drivers; i++) {
        d.now_us += 10000;
        turn();
        usleep(
            100); /* the server's ticks are of the real time: a fast machine turns too often for them */
    }
    assert_int_equal(d.drivers, 0);
    control_client_close(&full);
}

static void more_clients_than_there_may_be__are_turned_away(void **state)
{
    struct control_client clients[CONTROL_CLIENTS_MAX], late;

    (void)state;
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        connect_client(&clients[i]);
        ask(&clients[i], "{\"hello\":1}");
        expect(&clients[i], "hello");
    }
    connect_client(&late);
    expect_closed(&late);
    control_client_close(&late);
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        control_client_close(&clients[i]);
    }
    for (int i = 0; i < 100; i++) {
        turn();
    }
    connect_client(&late);
    ask(&late, "{\"hello\":1}");
    expect(&late, "hello");
    control_client_close(&late);
}

static void the_end__is_told_with_the_report(void **state)
{
    struct control_client c;
    char name[256];

    (void)state;
    snprintf(name, sizeof name, "%s/" RUN_DIR_CONTROL, d.run);
    assert_int_equal(access(name, F_OK), 0);
    connect_client(&c);
    ask(&c, "{\"hello\":1,\"events\":true}");
    expect(&c, "hello");
    control_server_event(d.server, STR("{\"event\":\"cap\"}\n"));
    expect(&c, "{\"event\":{\"event\":\"cap\"}}");
    control_server_close(d.server, 3, STR("{\"ok\":12}\n"), on_closed);
    expect(&c, "{\"end\":{\"exit\":3,\"report\":{\"ok\":12}}}");
    expect_closed(&c);
    control_client_close(&c);
    for (int i = 0; i < TURNS_MAX && !d.closed; i++) {
        turn();
    }
    d.server = NULL;
    assert_int_equal(access(name, F_OK), -1);
}

static void a_large_report__is_told__and_a_larger_one_said_so(void **state)
{
    static char large[CONTROL_REPORT_MAX + 1];
    struct control_client c;
    struct str line;

    (void)state;
    connect_client(&c);
    ask(&c, "{\"hello\":1}");
    expect(&c, "hello");
    d.report_more = 2 << 20;
    ask(&c, "{\"seq\":1,\"report\":true}");
    assert_true(hear(&c, &line));
    assert_true(line.len > 2 << 20);
    d.report_more = CONTROL_REPORT_MAX;
    ask(&c, "{\"seq\":2,\"report\":true}");
    expect(&c, "\"seq\":2,\"ok\":false,\"error\":\"E-CTL1\"");
    memset(large, ' ', sizeof large);
    control_server_close(d.server, 3, (struct str){ large, sizeof large }, on_closed);
    expect(&c, "{\"end\":{\"exit\":3}}");
    control_client_close(&c);
    for (int i = 0; i < TURNS_MAX && !d.closed; i++) {
        turn();
    }
    d.server = NULL;
}

static void who_has_said_all__hears_the_answers(void **state)
{
    struct control_client c;

    (void)state;
    connect_client(&c);
    ask(&c, "{\"hello\":1}");
    ask(&c, "{\"seq\":1,\"report\":true}");
    assert_int_equal(shutdown(c.fd, SHUT_WR), 0);
    expect(&c, "hello");
    expect(&c, "\"report\":{");
    expect_closed(&c);
    control_client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hello__is_answered_with_who_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(words__are_handed_on__and_their_answer_comes_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(viewers__only_look, set_up, tear_down),
        cmocka_unit_test_setup_teardown(frames__come_at_their_rate__with_each_client_s_own_detail,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_steers__sees_a_frame_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_lines__are_told_and_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_without_end__is_not_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many_requests__are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_says_nothing__or_reads_nothing__is_closed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(more_clients_than_there_may_be__are_turned_away, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_end__is_told_with_the_report, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_large_report__is_told__and_a_larger_one_said_so, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_has_said_all__hears_the_answers, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
