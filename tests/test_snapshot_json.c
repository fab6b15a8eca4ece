/* control/snapshot_json: a frame says all of a snapshot, and whatever comes in does no harm. */

#include "control/snapshot_json.h"
#include "tests/ui_scenes.h"

#include "base/clock.h"
#include "base/json_scan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START_US (UINT64_C(1969) * US_PER_S)

static struct snapshot before, after;

static void write(struct buf *out, const struct snapshot *s)
{
    buf_reset(out);
    assert_int_equal(snapshot_json_write(out, &snapshot_fields, s), RESULT_OK);
    assert_true(json_check(buf_view(out), JSON_DEPTH_MAX, NULL));
    assert_null(memchr(out->data, '\n', out->len));
    assert_null(memchr(out->data, '\033', out->len));
}

/* Twice the same text: nothing is lost on the way that a frame can say. */
static void expect_round_trip(const struct snapshot *s)
{
    struct buf first = { 0 }, second = { 0 };

    write(&first, s);
    snapshot_json_read_all(buf_view(&first), &after);
    write(&second, &after);
    if (!str_equal(buf_view(&first), buf_view(&second))) {
        fail_msg("%.*s\nbecomes\n%.*s", STR_ARG(buf_view(&first)), STR_ARG(buf_view(&second)));
    }
    buf_release(&first);
    buf_release(&second);
}

static void every_scene__comes_back_as_it_was(void **state)
{
    (void)state;
    for (int scene = 0; scene < SCENE_COUNT; scene++) {
        ui_scene_fill(&before, (enum ui_scene)scene, 24, START_US);
        if (scene ==
            SCENE_HOSTILE) { /* U+FFFD is longer than what it stands for: once cut, it stays so */
            struct buf out = { 0 };

            write(&out, &before);
            snapshot_json_read_all(buf_view(&out), &before);
            buf_release(&out);
        }
        expect_round_trip(&before);
        assert_int_equal(after.state, before.state);
        assert_int_equal(after.flight_count, before.flight_count);
        assert_int_equal(after.wait_count, before.wait_count);
        assert_int_equal(after.second_count, before.second_count);
        assert_memory_equal(after.latency_count, before.latency_count, sizeof after.latency_count);
        assert_memory_equal(&after.limit.rate, &before.limit.rate, sizeof after.limit.rate);
    }
}

/* All bytes of a member's place, to the last: what a row says of its size is so. */
static void figures__come_back_to_the_bit(void **state)
{
    (void)state;
    memset(&before, 0, sizeof before);
    before.wait_count = 1;
    before.waits[0].id = UINT64_MAX - 1;
    before.waits[0].due_in_us = UINT64_MAX;
    before.waits[0].why = (struct failure){ FAILURE_STATUS, 503 };
    before.waits[0].due = (struct due){ .by = DUE_RETRY_AFTER, .status = 503, .said = "30" };
    before.host_count = 1;
    before.hosts[0].quota_left = -1;
    before.hosts[0].requests_per_s = 0.1;
    before.core_count = 2;
    before.cores[1].busy_percent = 99.75F;
    before.bytes = UINT64_MAX;
    before.p50_us = UINT64_C(1) << 53 | 1;
    before.wait_mix.other = UINT32_MAX;
    before.detail.due_in_us = UINT64_MAX;
    expect_round_trip(&before);
    assert_int_equal(after.waits[0].id, UINT64_MAX - 1);
    assert_int_equal(after.waits[0].due_in_us, UINT64_MAX);
    assert_memory_equal(&after, &before, sizeof after);
    before.io_ratio = NAN;
    expect_round_trip(&before);
    assert_true(isnan(after.io_ratio));
}

static void bodies__are_texts__whatever_bytes_they_have(void **state)
{
    (void)state;
    memset(&before, 0, sizeof before);
    for (size_t i = 0; i < sizeof before.detail.body; i++) {
        before.detail.body[i] = (char)i;
    }
    before.detail.body_shown = sizeof before.detail.body;
    snprintf(before.run_dir, sizeof before.run_dir, "/srv/\033[31m\xff.run");
    {
        struct buf out = { 0 };

        write(&out, &before);
        snapshot_json_read_all(buf_view(&out), &after);
        buf_release(&out);
    }
    assert_true(after.detail.body_shown <= sizeof after.detail.body);
    assert_memory_equal(after.detail.body, "\0\1\2", 3);
    assert_string_equal(after.run_dir, "/srv/\033[31m\xef\xbf\xbd.run");
}

static void read(const char *text)
{
    assert_true(json_check(str_view(text), JSON_DEPTH_MAX, NULL));
    snapshot_json_read_all(str_view(text), &after);
}

static void other_versions_and_wrong_types__are_skipped(void **state)
{
    struct buf many = { 0 };

    (void)state;
    read("{\"new\":{\"a\":[1,2]},\"cap\":7,\"state\":\"dancing\",\"ok\":\"12\",\"failed\":-3,"
         "\"total\":1e3,\"name\":5,\"flights\":{\"a\":1},\"waits\":[5,\"x\",{\"id\":\"9\"}],"
         "\"limit\":[],\"seconds\":null,\"p50_us\":99999999999999999999999}");
    assert_int_equal(after.cap, 7);
    assert_int_equal(after.state, RUN_STARTING);
    assert_int_equal(after.ok, 0);
    assert_int_equal(after.failed, 0);
    assert_string_equal(after.name, "");
    assert_int_equal(after.flight_count, 0);
    assert_int_equal(after.wait_count, 3);
    assert_int_equal(after.waits[2].id, 9);
    read("[]");
    assert_int_equal(after.cap, 0);
    assert_int_equal(buf_append_str(&many, STR("{\"flights\":[")), RESULT_OK);
    for (size_t i = 0; i < 3 * SNAPSHOT_FLIGHTS_MAX; i++) {
        assert_int_equal(buf_printf(&many, "%s{\"attempt\":3}", i ? "," : ""), RESULT_OK);
    }
    assert_int_equal(buf_append_str(&many, STR("],\"name\":\"")), RESULT_OK);
    for (size_t i = 0; i < 3 * sizeof after.name; i++) {
        assert_int_equal(buf_append_str(&many, STR("\xc3\xa9")), RESULT_OK);
    }
    assert_int_equal(buf_append_str(&many, STR("\"}")), RESULT_OK);
    snapshot_json_read_all(buf_view(&many), &after);
    assert_int_equal(after.flight_count, SNAPSHOT_FLIGHTS_MAX);
    assert_int_equal(strlen(after.name) % 2, 0);
    assert_true(strlen(after.name) < sizeof after.name);
    buf_release(&many);
}

/* Every enum that a frame has reads back as itself. */
static void words__are_each_of_one_value(void **state)
{
    (void)state;
    for (int i = 0; i < RUN_STATE_COUNT; i++) {
        memset(&before, 0, sizeof before);
        before.state = (enum run_state)i;
        expect_round_trip(&before);
        assert_int_equal(after.state, i);
    }
    for (int i = 0; i < LIMIT_COUNT; i++) {
        memset(&before, 0, sizeof before);
        before.limit.kind = (enum run_limit)i;
        before.limit.by = (enum limit_by)(i <= LIMIT_BY_OTHER ? i : 0);
        before.limit.due.by = (enum due_by)(i < DUE_BY_COUNT ? i : 0);
        expect_round_trip(&before);
        assert_memory_equal(&after.limit, &before.limit, sizeof after.limit);
    }
    for (int i = FAILURE_NONE + 1; i < FAILURE_CLASS_COUNT; i++) {
        memset(&before, 0, sizeof before);
        before.failure_count = 1;
        before.failures[0].why.class = (enum failure_class)i;
        before.failures[0].why.status = i == FAILURE_STATUS ? 404 : 0;
        expect_round_trip(&before);
        assert_true(failure_equal(after.failures[0].why, before.failures[0].why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scene__comes_back_as_it_was),
        cmocka_unit_test(figures__come_back_to_the_bit),
        cmocka_unit_test(bodies__are_texts__whatever_bytes_they_have),
        cmocka_unit_test(other_versions_and_wrong_types__are_skipped),
        cmocka_unit_test(words__are_each_of_one_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
