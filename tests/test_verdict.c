/* What is said of a run's pace at its end: what bound it, and never more of what did not. */
#include "engine/report_verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct report ten_seconds(void)
{
    return (struct report){
        .wall_s = 10, .cpu_s = 0.5, .io_ratio = 0.95, .session_ok = 100, .session_attempts = 100
    };
}

static void verdict__names__what_bound_longest(void **state)
{
    static const struct {
        enum run_limit limit;
        bool is_auto, advises_cap;
        const char *words;
    } rows[] = {
        { LIMIT_CAP, false, true, "network-bound: 95 % of wall time is waiting; raise the cap" },
        { LIMIT_CAP, true, false, "auto found no faster cap" },
        { LIMIT_HOST_CAP, false, false, "host-bound: for 90 % of the time" },
        { LIMIT_RATE, false, false, "rate-bound: 90 % of the time" },
        { LIMIT_BUDGET, false, false, "rate-bound: 90 % of the time" },
        { LIMIT_HOLD, false, false, "server-bound: 9 s were spent on holds" },
        { LIMIT_ALL_WAITING, false, false, "server-bound: for 9 s all that was left waited" },
        { LIMIT_PAGINATION, false, false, "listing-bound: for 90 % of the time" },
        { LIMIT_QUEUE_EMPTY, false, false, "the last requests were in flight" },
        { LIMIT_AUTH, false, false, "login-bound: for 90 %" },
        { LIMIT_DISK, false, false, "disk-bound: for 90 %" },
        { LIMIT_DESCRIPTORS, false, false, "bound by open files for 90 %" },
        { LIMIT_PAUSED, false, false, "paused or draining for 90 %" },
        { LIMIT_LOOP_CPU, false, false, "network-bound: 95 % of wall time is waiting" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct report r = ten_seconds();

        r.limited_s[rows[i].limit] += 9;
        r.limited_s[rows[i].limit == LIMIT_PAUSED ? LIMIT_CAP : LIMIT_DRAINING] += 1;
        report_judge(&r, &(struct verdict_facts){ .is_auto = rows[i].is_auto, .cores = 4 });
        if (!strstr(r.verdict, rows[i].words)) {
            fail_msg("%s: \"%s\"", run_limit_word(rows[i].limit), r.verdict);
        }
        assert_true(strlen(r.verdict) + 1 < sizeof r.verdict);
        assert_int_equal(strstr(r.verdict, "raise the cap") != NULL, rows[i].advises_cap);
        assert_null(strstr(r.verdict, "more cores"));
    }
}

/* Who answers "not now" may be asked less at once; who is down or does not answer may not. */
static void verdict__tells_holds_from_silence(void **state)
{
    struct report r = ten_seconds();

    (void)state;
    r.limited_s[LIMIT_HOLD] = 9;
    report_judge(&r, &(struct verdict_facts){ .cores = 4 });
    assert_string_equal(r.verdict, "server-bound: 9 s were spent on holds");
    r.status[429] = 1;
    report_judge(&r, &(struct verdict_facts){ .cores = 4 });
    assert_string_equal(r.verdict, "server-bound: 9 s were spent on holds; ask less at once");
    r.stopped_in_error = true; /* what answers said ended it: no advice on speed */
    report_judge(&r, &(struct verdict_facts){ .cores = 4 });
    assert_string_equal(r.verdict, "");
    r.stopped_in_error = false;
    r.silent_s = 8;
    r.limited_s[LIMIT_ALL_WAITING] = 1;
    report_judge(&r, &(struct verdict_facts){ .cores = 4 });
    assert_string_equal(r.verdict, "server-bound: for 8 s only hosts were left that do not answer");
}

/* A larger cap gives nothing to a machine that is full, nor do more cores to threads that wait. */
static void verdict__advises__only_what_binds(void **state)
{
    struct report r = ten_seconds();

    (void)state;
    r.limited_s[LIMIT_CAP] = 10;
    r.io_ratio = 0.3;
    report_judge(&r, &(struct verdict_facts){ .cores = 4 });
    assert_string_equal(r.verdict, "70 % of wall time is CPU: a larger cap gives little");
    r.loop_cpu_percent = 95;
    report_judge(&r, &(struct verdict_facts){ .cores = 4 });
    assert_string_equal(r.verdict, "loop thread 95 %: its core is full; --threads 2 uses others");
    r.threads = 2;
    report_judge(&r, &(struct verdict_facts){ .cores = 4 });
    assert_string_equal(r.verdict,
                        "loop thread 95 %: its core is full; --shard or --fleet uses others");

    r = ten_seconds();
    r.limited_s[LIMIT_CAP] = 2;
    r.table_part = 0.5;
    r.cpu_s = 2;
    report_judge(&r, &(struct verdict_facts){ .cores = 4 });
    assert_string_equal(r.verdict, "normalising is 50 % of the time");
    r.cpu_s = 19;
    report_judge(&r, &(struct verdict_facts){ .cores = 4 });
    assert_string_equal(r.verdict, "normalising is 50 % of the time: more cores would help");

    r = ten_seconds();
    r.session_ok = 0;
    report_judge(&r, &(struct verdict_facts){ .cores = 4 });
    assert_string_equal(r.verdict, "");
}

static void ideal__is_of_the_caps_that_it_had__and_none_under_a_rate(void **state)
{
    struct report r = ten_seconds();
    struct verdict_facts facts = { .cores = 4 };
    static const enum run_limit others[] = { LIMIT_RATE,        LIMIT_LEARNED, LIMIT_BUDGET,
                                             LIMIT_HOST_CAP,    LIMIT_TROUBLE, LIMIT_HOLD,
                                             LIMIT_ALL_WAITING, LIMIT_AUTH,    LIMIT_PAUSED };

    (void)state;
    r.rung_count = 2;
    r.rungs[0] = (struct snapshot_rung){ .cap = 1, .requests = 20, .ideal_per_s = 10 };
    r.rungs[1] = (struct snapshot_rung){ .cap = 10, .requests = 80, .ideal_per_s = 20 };
    report_fill_ideal(&r, &facts);
    assert_true(r.ideal_s > 5.99 && r.ideal_s < 6.01);
    assert_true(r.ideal_percent > 59.9 && r.ideal_percent < 60.1);
    r.wall_s = 5.9; /* by chance quicker than its own latency */
    report_fill_ideal(&r, &facts);
    assert_true(r.ideal_percent == 100);
    r.wall_s = 10;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        r.limited_s[others[i]] = 4;
        report_fill_ideal(&r, &facts);
        assert_true(r.ideal_percent == 0 && r.ideal_s == 0);
        r.limited_s[others[i]] = 0;
    }

    r = ten_seconds(); /* a cap that was not filled twice is no ideal */
    r.cap_max = 50;
    r.rung_count = 1;
    r.rungs[0] = (struct snapshot_rung){ .cap = 50, .requests = 100, .ideal_per_s = 50 };
    report_fill_ideal(&r, &facts);
    assert_true(r.ideal_s > 1.99 && r.ideal_s < 2.01);
    r.session_attempts = r.rungs[0].requests = 99;
    report_fill_ideal(&r, &facts);
    assert_true(r.ideal_s == 0 && r.ideal_percent == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdict__names__what_bound_longest),
        cmocka_unit_test(verdict__tells_holds_from_silence),
        cmocka_unit_test(verdict__advises__only_what_binds),
        cmocka_unit_test(ideal__is_of_the_caps_that_it_had__and_none_under_a_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
