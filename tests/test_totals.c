#include "engine/totals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct metrics session;
static struct totals totals, again;

static void answer(int status, uint64_t us)
{
    session.attempts++;
    session.status[status]++;
    metrics_count_mix(&session.mix, status);
    hist_record(&session.latency, us);
}

static void written_and_read(void)
{
    struct buf line = { 0 };

    assert_int_equal(
        buf_append_str(&line,
                       STR("torn}\n{\"event\":\"totals\",\"bytes\":1}\n{\"event\":\"totals\"")),
        RESULT_OK);
    assert_int_equal(totals_write(&totals, &line), RESULT_OK);
    assert_int_equal(buf_append_str(&line, STR("}\n{\"event\":\"end\"}\n")), RESULT_OK);
    assert_true(totals_find(buf_view(&line), &again));
    buf_release(&line);
}

static void totals__add_up__over_what_is_written_between(void **state)
{
    (void)state;
    memset(&totals, 0, sizeof totals);
    for (int i = 0; i < 2; i++) {
        metrics_init(&session, 0);
        for (uint64_t n = 0; n < 100; n++) {
            answer(n == 7 ? 429 : 200, 1000 * (n + 1));
        }
        session.retried = 3;
        session.bytes = 5000;
        session.reused = 90;
        totals_add(&totals, &session, 1);
        written_and_read();
        totals = again;
    }
    assert_true(totals.attempts == 200 && totals.retried == 6 && totals.bytes == 10000);
    assert_true(totals.reused == 180 && totals.logins == 2);
    assert_true(totals.status[200] == 198 && totals.status[429] == 2);
    assert_true(totals.mix.ok == 198 && totals.mix.throttled == 2);
    assert_int_equal(totals.latency.count, 200);
    assert_in_range(hist_percentile_us(&totals.latency, 50), 48000, 53000);
    assert_true(totals.latency.min_us == 1000 && totals.latency.max_us == 100000);
    assert_true(hist_mean_us(&totals.latency) == 50500);
}

/* A session that was killed wrote less than the ledger has; what it wrote beyond that stays. */
static void totals__are_raised__to_what_the_ledger_has(void **state)
{
    struct totals ended = { 0 };

    (void)state;
    totals = (struct totals){ .attempts = 30, .retried = 9, .status = { [200] = 20, [500] = 9 } };
    totals.mix.ok = 20;
    for (int i = 0; i < 25; i++) {
        totals_note_ended(&ended, i == 0 ? 2 : 1, i == 1 ? 404 : 200);
    }
    totals_note_ended(&ended, 0, 0); /* never asked */
    totals_raise(&totals, &ended);
    assert_true(totals.attempts == 30 && totals.retried == 9);
    assert_true(totals.status[200] == 24 && totals.status[404] == 1 && totals.status[500] == 9);
    assert_true(totals.mix.ok == 24 && totals.mix.client_error == 1);
    assert_true(totals.status[0] == 0);
}

static void totals__pass_over__what_is_none(void **state)
{
    static const char *const lines[] = {
        "{\"event\":\"totals\",\"attempts\":-1,\"bytes\":1e3,\"retried\":\"7\",\"status\":[200]}",
        "{\"event\":\"totals\",\"status\":{\"600\":1,\"-1\":2,\"99999999999999999999\":3,\"x\":4}}",
        "{\"event\":\"totals\",\"latency_us\":{\"buckets\":{\"4294967296\":1,\"7\":4294967296}}}",
        "{\"event\":\"totals\",\"latency_us\":{\"buckets\":{\"8\":-1}}}",
        "{\"event\":\"totals\",\"latency_us\":7,\"answers\":{\"2xx\":[]}}",
    };
    static const struct totals none;

    (void)state;
    assert_false(totals_find(STR("\n[]\n{\"event\":\"sample\",\"bytes\":1}\n{\"event\":\"totals\""),
                             &totals));
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_true(totals_find(str_view(lines[i]), &totals));
        assert_memory_equal(&totals, &none, sizeof none);
    }
    /* The same bucket twice counts once, and the sum follows. */
    assert_true(totals_find(
        STR("{\"event\":\"totals\",\"latency_us\":{\"buckets\":{\"7\":9,\"7\":2,\"8\":1}}}"),
        &totals));
    assert_int_equal(totals.latency.count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals__add_up__over_what_is_written_between),
        cmocka_unit_test(totals__are_raised__to_what_the_ledger_has),
        cmocka_unit_test(totals__pass_over__what_is_none),
    };

    return cmocka_run_group_tests_name("totals", tests, NULL, NULL);
}
