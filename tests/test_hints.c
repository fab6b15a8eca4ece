/* What limits a run, in words: with the key that changes it on a screen, and without one elsewhere. */
#include "ui/hints.h"
#include "ui_scenes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct snapshot snapshot;

static const struct {
    struct snapshot_limit limit;
    const char *screen, *plain;
} told_limits[] = {
    { { .kind = LIMIT_NONE }, "nothing", "" },
    { { .kind = LIMIT_CAP, .by = LIMIT_BY_USER, .cap = 10 }, "CAP 10 (+ raises it)", "CAP 10" },
    { { .kind = LIMIT_CAP, .by = LIMIT_BY_AUTO, .cap = 10 },
      "CAP 10 (auto turns it)",
      "CAP 10 (auto turns it)" },
    { { .kind = LIMIT_CAP, .by = LIMIT_BY_SWEEP, .cap = 5 },
      "CAP 5 (sweep turns it; b ends it)",
      "CAP 5 (sweep turns it)" },
    { { .kind = LIMIT_HOST_CAP, .by = LIMIT_BY_SLOW_START, .cap = 1, .host = "a.test" },
      "HOST CAP a.test 1 (slow start)",
      "HOST CAP a.test 1 (slow start)" },
    { { .kind = LIMIT_HOST_CAP, .by = LIMIT_BY_FIRST_CONTACT },
      "HOST CAP (first contacts)",
      "HOST CAP (first contacts)" },
    { { .kind = LIMIT_RATE, .by = LIMIT_BY_USER, .rate = { 5, 1000000 } },
      "RATE 5/s (t changes it)",
      "RATE 5/s" },
    { { .kind = LIMIT_LEARNED,
        .rate = { 47.25, 1000000 },
        .refused_at = 52.3,
        .due = { .status = 429 },
        .is_only_host = true,
        .host = "a.test" },
      "LEARNED RATE 47/s (429s at 52/s; t sets another)",
      "LEARNED RATE 47/s (429s at 52/s)" },
    { { .kind = LIMIT_LEARNED, /* more goes well by now than was refused then */
        .rate = { 60, 1000000 },
        .refused_at = 52.3,
        .due = { .status = 429 },
        .is_only_host = true,
        .host = "a.test" },
      "LEARNED RATE 60/s (429s; t sets another)",
      "LEARNED RATE 60/s (429s)" },
    { { .kind = LIMIT_TROUBLE, .host = "a.test" },
      "TROUBLE a.test (different URLs fail in a row: few at once)",
      "TROUBLE a.test (different URLs fail in a row: few at once)" },
    { { .kind = LIMIT_HOST_CAP,
        .by = LIMIT_BY_SLOW_START,
        .cap = 1,
        .host = "a.test",
        .flight = "GET /x/17",
        .flight_us = 12900000 },
      "HOST CAP a.test 1 (slow start; GET /x/17 for 0:12)",
      "HOST CAP a.test 1 (slow start; GET /x/17 for 0:12)" },
    { { .kind = LIMIT_TROUBLE,
        .host = "a.test",
        .is_only_host = true,
        .flight = "GET /a/very/long/path/whose/end/is/not/what/matters",
        .flight_us = 61000000 },
      "TROUBLE (few at once; GET /a/very/long/path/whose/end/is/no... for 1:01)",
      "TROUBLE (few at once; GET /a/very/long/path/whose/end/is/no... for 1:01)" },
    { { .kind = LIMIT_QUEUE_EMPTY, .flight = "GET /x/17", .flight_us = 5000000 },
      "QUEUE EMPTY (the last are in flight; GET /x/17 for 0:05)",
      "QUEUE EMPTY (the last are in flight; GET /x/17 for 0:05)" },
    { { .kind = LIMIT_LEARNED }, "LEARNED RATE (t sets another)", "LEARNED RATE" },
    { { .kind = LIMIT_BUDGET,
        .quota_known = true,
        .quota_left = 2,
        .quota_limit = 100,
        .in_us = 61000000,
        .host = "a.test" },
      "BUDGET 2/100, resets 1:01 a.test",
      "BUDGET 2/100, resets 1:01 a.test" },
    { { .kind = LIMIT_BUDGET, .host = "a.test" },
      "BUDGET a.test (until an answer tells what the quota is now)",
      "BUDGET a.test (until an answer tells what the quota is now)" },
    /* r does nothing when nothing waits */
    { { .kind = LIMIT_HOLD,
        .in_us = 12000000,
        .host = "a.test",
        .due = { .by = DUE_RETRY_AFTER, .status = 429, .said = "30" } },
      "HOLD 0:12 a.test (429, Retry-After: 30)",
      "HOLD 0:12 a.test (429, Retry-After: 30)" },
    { { .kind = LIMIT_HOLD,
        .in_us = 12000000,
        .host = "a.test",
        .is_only_host = true,
        .have_waiting = true,
        .due = { .by = DUE_HOST_HOLD, .status = 503 } },
      "HOLD 0:12 (503 without a deadline; r asks a row now)",
      "HOLD 0:12 (503 without a deadline)" },
    { { .kind = LIMIT_HOLD,
        .in_us = 12000000,
        .is_only_host = true,
        .have_waiting = true,
        .reason = "connection refused",
        .due = { .by = DUE_BREAKER } },
      "HOLD 0:12 (failures in a row: connection refused; r asks a row now)",
      "HOLD 0:12 (failures in a row: connection refused)" },
    { { .kind = LIMIT_HOLD, .by = LIMIT_BY_USER, .in_us = LIMIT_NEVER, .have_waiting = true },
      "HOLD by you (H on the host releases it)",
      "HOLD by you" },
    { { .kind = LIMIT_ALL_WAITING,
        .in_us = 3000000,
        .reason = "connection refused",
        .have_waiting = true },
      "ALL WAITING, next in 0:03 (connection refused; r asks a row now)",
      "ALL WAITING, next in 0:03 (connection refused)" },
    { { .kind = LIMIT_DISK, .by = LIMIT_BY_FULL },
      "DISK FULL (free some space)",
      "DISK FULL (free some space)" },
    { { .kind = LIMIT_DISK, .by = LIMIT_BY_SLOW },
      "DISK (slower than the network; - lowers the cap)",
      "DISK (slower than the network)" },
    { { .kind = LIMIT_LOOP_CPU, .by = LIMIT_BY_LOAD, .cpu_percent = 97.6 },
      "LOOP CPU 98 % (--shard or --fleet uses other machines; - lowers the cap)",
      "LOOP CPU 98 % (--shard or --fleet uses other machines)" },
    { { .kind = LIMIT_LOOP_CPU, .by = LIMIT_BY_LOAD, .cpu_percent = 97.6, .threads = 2 },
      "LOOP CPU 98 % (--threads 2 or --shard uses more cores; - lowers the cap)",
      "LOOP CPU 98 % (--threads 2 or --shard uses more cores)" },
    { { .kind = LIMIT_PAUSED, .by = LIMIT_BY_USER }, "PAUSED (p resumes)", "PAUSED" },
    { { .kind = LIMIT_PAUSED, .by = LIMIT_BY_CAP_0 },
      "PAUSED (cap 0; + raises it)",
      "PAUSED (cap 0)" },
    { { .kind = LIMIT_DRAINING }, "DRAINING (q again aborts)", "DRAINING" },
    { { .kind = LIMIT_AUTH },
      "AUTH (requests wait for the login)",
      "AUTH (requests wait for the login)" },
};

static void limit__is_told__with_and_without_its_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof told_limits / sizeof told_limits[0]; i++) {
        char text[LIMIT_TEXT_MAX];

        snapshot.limit = told_limits[i].limit;
        hints_limit(&snapshot, text);
        assert_string_equal(text, told_limits[i].screen);
        limit_words(&snapshot.limit, NULL, text);
        assert_string_equal(text, told_limits[i].plain);
    }
}

/* A learned rate moves with every answer: a line for each would bury the others. */
static void limit__is_the_same__until_its_words_tell_something_new(void **state)
{
    struct snapshot_limit a = { .kind = LIMIT_LEARNED, .rate = { 50, 1000000 } }, b = a;

    (void)state;
    b.rate.requests = 51;
    b.in_us = 7;
    assert_true(limit_is_same(&a, &b));
    b.rate.requests = 60;
    assert_false(limit_is_same(&a, &b));
    a = b = (struct snapshot_limit){ .kind = LIMIT_RATE, .rate = { 50, 1000000 } };
    b.rate.requests = 50.5;
    assert_false(limit_is_same(&a, &b));
    a = b = (struct snapshot_limit){ .kind = LIMIT_HOST_CAP, .cap = 1, .flight = "GET /1" };
    b.flight_us = 6000000;
    assert_true(limit_is_same(&a, &b));
    snprintf(b.flight, sizeof b.flight, "GET /2");
    assert_false(limit_is_same(&a, &b));
}

/* A deadline that has passed holds nothing: the row names what does. */
static void wait__is_set_by_what_keeps_it_now(void **state)
{
    struct snapshot_wait wait = { .due = { .by = DUE_RETRY_AFTER, .said = "30" } };
    char text[DUE_TEXT_MAX];

    (void)state;
    snapshot_wait_set_by(&wait, text);
    assert_string_equal(text, "Retry-After: 30");
    wait.kept_by = LIMIT_LEARNED;
    snapshot_wait_set_by(&wait, text);
    assert_string_equal(text, "LEARNED RATE");
}

static void replay__tells_how_it_is_played(void **state)
{
    char text[LIMIT_TEXT_MAX];

    (void)state;
    snapshot = (struct snapshot){ .is_replay = true, .limit = { .kind = LIMIT_CAP } };
    hints_limit(&snapshot, text);
    assert_string_equal(text, "CAP");
    snapshot.replay_speed = 4;
    hints_limit(&snapshot, text);
    assert_string_equal(text, "replay x4");
    snapshot.replay_is_stopped = snapshot.replay_is_at_end = true;
    hints_limit(&snapshot, text);
    assert_string_equal(text, "replay x4, stopped (p goes on), at its end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit__is_told__with_and_without_its_key),
        cmocka_unit_test(limit__is_the_same__until_its_words_tell_something_new),
        cmocka_unit_test(wait__is_set_by_what_keeps_it_now),
        cmocka_unit_test(replay__tells_how_it_is_played),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
