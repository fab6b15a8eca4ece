/* When rules by event fire: what is counted over a time, and for how long it has held. */

#include "plan/on_state.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T0 (UINT64_C(1000) * US_PER_S)

struct watched {
    struct on_rule rule;
    struct on_counts counts;
    struct on_state state;
    uint64_t now_us;
};

static void begin(struct watched *w, const char *line)
{
    *w = (struct watched){ .now_us = T0 };
    assert_int_equal(on_rule_parse_line(&w->rule, str_view(line), NULL), RESULT_OK);
    assert_int_equal(on_counts_init(&w->counts, &w->rule, w->now_us, NULL), RESULT_OK);
}

static void add(struct watched *w, unsigned hits, unsigned others)
{
    for (unsigned i = 0; i < hits + others; i++) {
        on_counts_add(&w->counts, i < hits, w->now_us);
    }
}

/* How often it fires, looked at once a second. */
static unsigned pass(struct watched *w, unsigned seconds)
{
    unsigned fired = 0;

    while (seconds--) {
        double value;
        bool is_known;

        w->now_us += US_PER_S;
        is_known = on_counts_value(&w->counts, &w->rule, w->now_us, &value);
        fired += on_state_look(&w->state, &w->rule, is_known ? &value : NULL, w->now_us);
    }
    return fired;
}

static void share__is_not_known__before_there_are_enough(void **state)
{
    struct watched w;

    (void)state;
    begin(&w, "failed > 5%: pause");
    add(&w, ON_EVIDENCE_MIN - 1, 0);
    assert_int_equal(pass(&w, 1), 0);
    add(&w, 1, 0);
    assert_int_equal(pass(&w, 1), 1);
    on_counts_release(&w.counts);
}

static void rule__fires_once__and_again_after_it_was_false(void **state)
{
    struct watched w;

    (void)state;
    begin(&w, "429 in 10s > 10%: cap /2");
    add(&w, 5, 25);
    assert_int_equal(pass(&w, 5), 1);
    add(&w, 5, 25);
    assert_int_equal(pass(&w, 5), 0); /* still so */
    add(&w, 0, 200);
    assert_int_equal(pass(&w, 1), 0); /* not any more */
    assert_false(w.state.is_true);
    add(&w, 100, 0);
    assert_int_equal(pass(&w, 1), 1);
    assert_int_equal(w.state.fired, 2);
    on_counts_release(&w.counts);
}

static void rule__waits_for_its_time__without_a_break(void **state)
{
    struct watched w;

    (void)state;
    begin(&w, "429 > 10% for 30s: cap /2");
    add(&w, 10, 20);
    assert_int_equal(pass(&w, 20), 0);
    add(&w, 0, 500); /* one look at which it does not hold */
    assert_int_equal(pass(&w, 1), 0);
    add(&w, 500, 0);
    assert_int_equal(pass(&w, 30), 0);
    assert_int_equal(pass(&w, 1), 1); /* 30 s after the first look at which it held */
    on_counts_release(&w.counts);
}

static void count__forgets__what_is_older_than_its_time(void **state)
{
    struct watched w;
    double value;

    (void)state;
    begin(&w, "failed > 3: pause");
    add(&w, 3, 0);
    assert_int_equal(pass(&w, 30), 0);
    add(&w, 1, 0);
    assert_int_equal(pass(&w, 1), 1);
    assert_int_equal(pass(&w, 28), 0); /* the first three are over after a minute */
    assert_true(on_counts_value(&w.counts, &w.rule, w.now_us, &value));
    assert_float_equal(value, 4, 0.0001);
    assert_int_equal(pass(&w, 2), 0);
    assert_true(on_counts_value(&w.counts, &w.rule, w.now_us, &value));
    assert_float_equal(value, 1, 0.0001);
    w.now_us += UINT64_C(86400) * US_PER_S; /* nobody looked for a day */
    assert_true(on_counts_value(&w.counts, &w.rule, w.now_us, &value));
    assert_float_equal(value, 0, 0.0001);
    on_counts_release(&w.counts);
}

static void low_rate__is_not_known__before_the_time_is_whole(void **state)
{
    struct watched w;

    (void)state;
    begin(&w, "rate < 1/s: say slow");
    add(&w, 0, 30);
    assert_int_equal(pass(&w, 59), 0);
    assert_int_equal(pass(&w, 2), 1);
    on_counts_release(&w.counts);
    begin(&w, "rate > 1/s: say fast"); /* a high one is as soon as it is there */
    add(&w, 0, 61);
    assert_int_equal(pass(&w, 1), 1);
    on_counts_release(&w.counts);
}

static void latency__is_that_of_its_time__not_of_all(void **state)
{
    struct watched w;

    (void)state;
    begin(&w, "p95 > 1s: cap -5");
    for (int i = 0; i < 100; i++) {
        on_counts_latency(&w.counts, 100 * US_PER_MS, w.now_us);
    }
    assert_int_equal(pass(&w, 60), 0);
    for (int i = 0; i < ON_EVIDENCE_MIN - 1; i++) {
        on_counts_latency(&w.counts, 3 * US_PER_S, w.now_us);
    }
    assert_int_equal(pass(&w, 1), 0); /* too few of them */
    on_counts_latency(&w.counts, 3 * US_PER_S, w.now_us);
    assert_int_equal(pass(&w, 1), 1);
    assert_int_equal(pass(&w, 70), 0); /* they are over */
    assert_false(w.state.is_true);
    on_counts_release(&w.counts);
}

static void gap__proves_nothing__of_the_time_between(void **state)
{
    struct watched w;
    double value = 1;

    (void)state;
    begin(&w, "429 > 10% for 30s: cap /2");
    assert_false(on_state_look(&w.state, &w.rule, &value, T0));
    assert_false(on_state_look(&w.state, &w.rule, &value, T0 + 60 * US_PER_S)); /* it slept */
    assert_false(on_state_look(&w.state, &w.rule, &value, T0 + 62 * US_PER_S));
    for (unsigned s = 63; s < 90; s++) {
        assert_false(on_state_look(&w.state, &w.rule, &value, T0 + s * US_PER_S));
    }
    assert_true(on_state_look(&w.state, &w.rule, &value, T0 + 90 * US_PER_S));
    on_counts_release(&w.counts);
}

static void unknown__is_as_false__and_arms_it_again(void **state)
{
    struct watched w;
    double value = 11e6;

    (void)state;
    begin(&w, "paused > 10s: resume");
    assert_true(on_state_look(&w.state, &w.rule, &value, T0));
    assert_false(on_state_look(&w.state, &w.rule, &value, T0 + US_PER_S));
    assert_false(on_state_look(&w.state, &w.rule, NULL, T0 + 2 * US_PER_S));
    assert_true(on_state_look(&w.state, &w.rule, &value, T0 + 3 * US_PER_S));
    on_counts_release(&w.counts);
}

/* They fail again at once, whatever is done: it is done ever more rarely, not every other second. */
static void retry_failed__fires_ever_more_rarely__when_they_fail_again(void **state)
{
    struct on_rule rule;
    struct on_state s = { .is_true = false };
    unsigned fired = 0;
    uint64_t now_us = T0;
    double failed = 1;

    (void)state;
    assert_int_equal(on_rule_parse_line(&rule, STR("failed_total > 0: retry-failed"), NULL),
                     RESULT_OK);
    for (unsigned second = 0; second < 600; second++) {
        bool fires = on_state_look(&s, &rule, &failed, now_us);

        fired += fires;
        failed = fires ? 0 : 1;
        now_us += US_PER_S;
        assert_true(fired || second > 0);
    }
    assert_in_range(fired, 6, 7); /* after 0, 10, 30, 70, 150, 310 seconds, and a look more each */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry_failed__fires_ever_more_rarely__when_they_fail_again),
        cmocka_unit_test(share__is_not_known__before_there_are_enough),
        cmocka_unit_test(rule__fires_once__and_again_after_it_was_false),
        cmocka_unit_test(rule__waits_for_its_time__without_a_break),
        cmocka_unit_test(count__forgets__what_is_older_than_its_time),
        cmocka_unit_test(low_rate__is_not_known__before_the_time_is_whole),
        cmocka_unit_test(latency__is_that_of_its_time__not_of_all),
        cmocka_unit_test(gap__proves_nothing__of_the_time_between),
        cmocka_unit_test(unknown__is_as_false__and_arms_it_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
