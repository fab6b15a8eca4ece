/* What a fleet's job looks like as a snapshot of a run. */
#include "base/clock.h"
#include "session/fleet_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct fleet_worker worker(const char *name, uint64_t ok, uint64_t failed)
{
    struct fleet_worker w = { .is_live = true, .in_flight = 2 };

    snprintf(w.name, sizeof w.name, "%s", name);
    w.said = (struct fleet_said){ .ok = ok, .failed = failed, .milli_per_s = 10000 };
    return w;
}

static struct snapshot *snapshot_of_nothing(void)
{
    struct snapshot *s = calloc(1, sizeof *s);

    assert_non_null(s);
    return s;
}

/* The plan says 500 are done before the workers say so of themselves: the total is no less for that. */
static void total__is_never_below_the_plan(void **state)
{
    struct fleet_worker workers[] = { worker("one", 300, 10), worker("two", 90, 0) };
    struct fleet_overview o = {
        .total = 4000, .done = 500, .is_open = true, .live = 2, .count = 2
    };
    struct snapshot *s = snapshot_of_nothing();

    (void)state;
    o.workers = workers;
    o.worker_count = 2;
    fleet_talk_fill(&o, s);
    assert_int_equal(s->total, 4000);
    assert_int_equal(s->ok, 390);
    assert_int_equal(s->failed, 10);
    assert_int_equal(s->in_flight, 4);
    assert_int_equal(s->worker_count, 2);
    assert_true(s->requests_per_s > 19.9 && s->requests_per_s < 20.1);
    assert_true(s->eta_known && s->eta_low_us == 175 * US_PER_S);
    free(s);
}

/* Requests that were found are more than the plan has. */
static void total__counts_what_was_found(void **state)
{
    struct fleet_worker workers[] = { worker("one", 120, 0) };
    struct fleet_overview o = { .total = 100, .done = 100, .is_open = true, .live = 1, .count = 1 };
    struct snapshot *s = snapshot_of_nothing();

    (void)state;
    workers[0].outbox = 20;
    o.found = 10;
    o.workers = workers;
    o.worker_count = 1;
    fleet_talk_fill(&o, s);
    assert_int_equal(s->total, 150);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(total__is_never_below_the_plan),
        cmocka_unit_test(total__counts_what_was_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
