/* engine/sample and history/replay: figures written and read again; a run of the past, also a damaged one. */

#include "history/replay.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START_US INT64_C(1795234500000000) /* 2026-11-21T04:15:00.000Z */
#define SECOND ((int64_t)US_PER_S)

static const char run[] =
    "{\"at\":\"2026-11-21T04:15:00.000Z\",\"event\":\"start\",\"level\":\"info\",\"text\":"
    "\"start\"}\n"
    "{\"at\":\"2026-11-21T04:15:00.000Z\",\"event\":\"sample\",\"state\":\"RUN\",\"total\":100,"
    "\"ok\":0,"
    "\"cap\":5}\n"
    "{\"at\":\"2026-11-21T04:15:10.000Z\",\"event\":\"sample\",\"state\":\"RUN\",\"total\":100,"
    "\"ok\":20,"
    "\"cap\":5,\"p95_ms\":300,\"answers\":{\"2xx\":20,\"429\":0}}\n"
    "{\"at\":\"2026-11-21T04:15:10.500Z\",\"event\":\"cap\",\"level\":\"notice\",\"from\":5,"
    "\"cap\":10,"
    "\"text\":\"cap 5 -> 10 \\\"by\\\" you\"}\n"
    "{\"at\":\"2026-11-21T04:15:11.000Z\",\"event\":\"sample\",\"state\":\"RUN\",\"total\":100,"
    "\"ok\":24,"
    "\"cap\":10,\"p95_ms\":300,\"answers\":{\"2xx\":24,\"429\":0}}\n"
    "{\"at\":\"2026-11-21T04:15:21.000Z\",\"event\":\"sample\",\"state\":\"RUN\",\"total\":100,"
    "\"ok\":64,"
    "\"cap\":10,\"p95_ms\":400,\"answers\":{\"2xx\":64,\"429\":10}}\n"
    "{\"at\":\"2026-11-22T04:15:00.000Z\",\"event\":\"start\",\"level\":\"info\",\"text\":"
    "\"resumed\"}\n"
    "{\"at\":\"2026-11-22T04:15:00.000Z\",\"event\":\"sample\",\"state\":\"RUN\",\"total\":100,"
    "\"ok\":64,"
    "\"cap\":10}\n"
    "{\"at\":\"2026-11-22T04:15:10.000Z\",\"event\":\"sample\",\"state\":\"DONE\",\"total\":100,"
    "\"ok\":100,\"cap\":10}\n";

static struct replay *open_run(const char *lines)
{
    struct replay *replay;
    struct err err;

    if (replay_new(&replay, str_view(lines), "night", &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
    return replay;
}

static void sample__is_read_as_it_was_written(void **state)
{
    struct sample in = { .state = RUN_HELD,
                         .limit = LIMIT_HOST_CAP,
                         .total = 90000,
                         .ok = 61192,
                         .failed = 12,
                         .retried = 204,
                         .waiting = 7,
                         .in_flight = 24,
                         .bytes = UINT64_C(1) << 60,
                         .cap = 24,
                         .requests_per_s = 38.2,
                         .cpu_s = 55.25,
                         .p50_us = 560000,
                         .p90_us = 900000,
                         .p95_us = 1100000,
                         .p99_us = 1900000,
                         .mix = { 1, 2, 3, 4, 5, 6 } };
    struct sample out;
    char fields[SAMPLE_FIELDS_MAX], line[SAMPLE_FIELDS_MAX + 64];

    (void)state;
    sample_write(&in, fields);
    snprintf(line, sizeof line, "{\"event\":\"sample\"%s}", fields);
    sample_read(str_view(line), &out);
#define SAME(member) assert_true(out.member == in.member)
    SAME(state);
    SAME(limit);
    SAME(total);
    SAME(ok);
    SAME(failed);
    SAME(retried);
    SAME(waiting);
    SAME(in_flight);
    SAME(bytes);
    SAME(cap);
    SAME(requests_per_s);
    SAME(cpu_s);
    SAME(p50_us);
    SAME(p90_us);
    SAME(p95_us);
    SAME(p99_us);
#undef SAME
    assert_memory_equal(&out.mix, &in.mix, sizeof in.mix);
}

static void sample__fits_its_line__with_the_largest_figures(void **state)
{
    struct sample in;
    char fields[SAMPLE_FIELDS_MAX];

    (void)state;
    memset(&in, 0xFF, sizeof in);
    in.state = RUN_ALL_WAITING;
    in.limit = LIMIT_ALL_WAITING;
    in.requests_per_s = in.cpu_s = 1e15;
    sample_write(&in, fields);
    assert_int_equal(fields[strlen(fields) - 1], '}');
}

static void replay__grows_evenly_within_a_session_and_not_between_two(void **state)
{
    struct replay *r = open_run(run);
    struct sample sample;
    uint64_t ran_us;

    (void)state;
    assert_int_equal(replay_first_us(r), START_US);
    assert_int_equal(replay_last_us(r), START_US + (86400 + 10) * SECOND);
    replay_sample(r, START_US + 5 * SECOND, &sample, &ran_us);
    assert_int_equal(sample.ok, 10);
    assert_int_equal(ran_us, 5 * US_PER_S);
    replay_sample(r, START_US + 3600 * SECOND, &sample, &ran_us);
    assert_int_equal(sample.ok, 64);
    assert_int_equal(ran_us, 21 * US_PER_S);
    replay_sample(r, INT64_MAX, &sample, &ran_us);
    assert_int_equal(sample.ok, 100);
    assert_int_equal(sample.state, RUN_DONE);
    assert_int_equal(ran_us, 31 * US_PER_S);
    replay_sample(r, INT64_MIN, &sample, NULL);
    assert_int_equal(sample.ok, 0);
    replay_free(r);
}

static void replay__shows_what_had_happened_by_then(void **state)
{
    static struct snapshot s;
    struct replay *r = open_run(run);

    (void)state;
    replay_snapshot(r, START_US + 5 * SECOND, 1, &s);
    assert_int_equal(s.event_count, 1);
    assert_int_equal(s.second_count, 5);
    assert_int_equal(s.seconds[0].done, 2);
    assert_true(s.is_replay);
    replay_snapshot(r, START_US + 20 * SECOND, 1, &s);
    assert_string_equal(s.events[0].text, "cap 5 -> 10 \"by\" you");
    assert_int_equal(s.events[0].level, EVENT_NOTICE);
    assert_int_equal(s.cap, 10);
    assert_int_equal(s.seconds[0].throttled, 1);
    for (size_t i = 0; i < s.second_count; i++) {
        assert_int_equal(s.seconds[i].cap_changed, i == 9);
        assert_int_equal(s.seconds[i].cap, i <= 9 ? 10 : 5);
    }
    replay_free(r);
}

static void replay__tells_what_each_cap_gave(void **state)
{
    struct snapshot_rung rungs[SNAPSHOT_RUNGS_MAX];
    struct replay *r = open_run(run);

    (void)state;
    assert_int_equal(replay_rungs(r, START_US + 60 * SECOND, rungs), 2);
    assert_int_equal(rungs[0].cap, 5);
    assert_int_equal(rungs[0].time_us, 10 * US_PER_S);
    assert_true(rungs[0].requests_per_s > 1.99 && rungs[0].requests_per_s < 2.01);
    assert_int_equal(rungs[1].cap, 10);
    assert_true(rungs[1].requests_per_s > 3.99 && rungs[1].requests_per_s < 4.01);
    assert_true(rungs[1].throttled_part > 0.19 && rungs[1].throttled_part < 0.21);
    assert_int_equal(rungs[1].p95_us, 400000);
    replay_free(r);
}

#define AT(day, time, event) "{\"at\":\"2026-11-" day "T04:15:" time "Z\",\"event\":\"" event "\""

/* A start tells when a short session began; its samples alone would be no time at all. */
static void replay__whole__adds_up_sessions(void **state)
{
    static const char lines[] = AT("21", "00.000", "start") "}\n" AT(
        "21", "04.000",
        "sample") ",\"total\":100,\"ok\":60,\"retried\":5,\"bytes\":600,"
                  "\"p50_ms\":100,\"answers\":{\"2xx\":60,\"429\":5}}\n" AT(
                      "22", "00.000",
                      "start") "}\n" AT("22", "01.000",
                                        "sample") ",\"total\":100,\"ok\":80,\"retried\":1,"
                                                  "\"bytes\":200,"
                                                  "\"p50_ms\":200,\"answers\":{\"2xx\":20,\"429\":"
                                                  "1}}\n" AT(
                                                      "22", "05.000",
                                                      "sample") ",\"total\":100,\"ok\":100,"
                                                                "\"retried\":1,\"bytes\":400,"
                                                                "\"p50_ms\":200,\"answers\":{"
                                                                "\"2xx\":39,\"429\":1}}\n" AT(
                                                                    "23", "00.000",
                                                                    "start") "}\n" AT("23",
                                                                                      "01.000",
                                                                                      "sample") ","
                                                                                                "\""
                                                                                                "to"
                                                                                                "ta"
                                                                                                "l"
                                                                                                "\""
                                                                                                ":1"
                                                                                                "00"
                                                                                                ","
                                                                                                "\""
                                                                                                "ok"
                                                                                                "\""
                                                                                                ":1"
                                                                                                "00"
                                                                                                "}"
                                                                                                "\n";
    static const char totals[] =
        AT("23", "01.000",
           "totals") ",\"retried\":7,\"bytes\":2000,\"answers\":{\"2xx\":100},"
                     "\"latency_us\":{\"min\":1000,\"max\":200000,\"buckets\":{\"31\":1}}}\n" AT(
                         "24", "00.000",
                         "start") "}\n" AT("24", "02.000",
                                           "sample") ",\"total\":101,\"ok\":101,\"bytes\":10,"
                                                     "\"answers\":{\"2xx\":1}}\n";
    char both[sizeof lines + sizeof totals];
    struct replay *r = open_run(lines);
    struct sample whole;
    uint64_t ran_us;

    (void)state;
    replay_whole(r, &whole, &ran_us);
    assert_true(ran_us == 10 * US_PER_S);
    assert_true(whole.ok == 100 && whole.retried == 6 && whole.bytes == 1000);
    assert_true(whole.mix.ok == 99 && whole.mix.throttled == 6);
    assert_in_range(whole.p50_us, 138000, 139000); /* 65 answers of 100 ms, 40 of 200 */
    replay_free(r);

    snprintf(both, sizeof both, "%s%s", lines, totals);
    r = open_run(both);
    replay_whole(r, &whole, &ran_us);
    assert_true(ran_us == 12 * US_PER_S);
    assert_true(whole.ok == 101 && whole.retried == 7 && whole.bytes == 2010);
    assert_true(whole.mix.ok == 101 && whole.mix.throttled == 0);
    assert_int_equal(whole.p50_us, 1000); /* the bucket's, within what there was */
    replay_free(r);
}

static void replay__passes_over__what_is_damaged(void **state)
{
    static const char *const bad[] = {
        "",
        "\n\n",
        "{",
        "{\"at\":\"2026-11-21T04:15:00.000Z\",\"event\":\"sam",
        "null",
        "[1,2]",
        "{\"at\":17,\"event\":\"sample\"}",
        "{\"at\":\"2026-99-21T04:15:00.000Z\",\"event\":\"sample\"}",
        "{\"at\":\"2026-11-21 04:15:00\",\"event\":\"sample\"}",
        "{\"at\":\"2026-11-21T04:15:00.000Z\",\"event\":\"note\"}",
        "{\"event\":\"sample\",\"ok\":3}",
    };
    struct replay *r;
    struct err err;
    char lines[sizeof run + 4096];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(replay_new(&r, str_view(bad[i]), "night", &err), RESULT_NOT_FOUND);
        snprintf(lines, sizeof lines, "%s\n%s%s", bad[i], run, bad[i]);
        r = open_run(lines);
        assert_int_equal(replay_last_us(r), START_US + (86400 + 10) * SECOND);
        replay_free(r);
    }
}

static void replay__reads_any_figures__without_overflow(void **state)
{
    static struct snapshot s;
    struct replay *r = open_run(
        "{\"at\":\"2026-11-21T04:15:00.000Z\",\"event\":\"sample\",\"ok\":18446744073709551615,"
        "\"cap\":99999999999,\"req_per_s\":1e999,\"p95_ms\":18446744073709551615,"
        "\"state\":\"\\u0000\",\"answers\":[1],\"bytes\":-3,\"total\":\"x\"}\n"
        "{\"at\":\"2026-11-21T04:15:01.000Z\",\"event\":\"sample\",\"ok\":7,\"cpu_s\":-1e300}\n"
        "{\"at\":\"2026-11-21T04:14:00.000Z\",\"event\":\"sample\",\"ok\":9}\n");

    (void)state;
    for (int64_t at_us = START_US - SECOND; at_us < START_US + 3 * SECOND; at_us += SECOND / 7) {
        replay_snapshot(r, at_us, 1, &s);
        assert_int_equal(s.cap, 0);
        assert_true(s.requests_per_s == 0);
    }
    replay_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample__is_read_as_it_was_written),
        cmocka_unit_test(sample__fits_its_line__with_the_largest_figures),
        cmocka_unit_test(replay__grows_evenly_within_a_session_and_not_between_two),
        cmocka_unit_test(replay__shows_what_had_happened_by_then),
        cmocka_unit_test(replay__tells_what_each_cap_gave),
        cmocka_unit_test(replay__whole__adds_up_sessions),
        cmocka_unit_test(replay__passes_over__what_is_damaged),
        cmocka_unit_test(replay__reads_any_figures__without_overflow),
    };

    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
