/* The parts of the embedded API that need no socket, told the time. */
#include "demo/asked.h"
#include "demo/draw.h"
#include "demo/limiter.h"
#include "demo/timers.h"
#include "demo/weather.h"
#include "demo/world.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void limiter__admits_the_burst__then_the_rate(void **state)
{
    struct limiter l;
    unsigned admitted = 0;

    (void)state;
    limiter_init(&l, (struct rate){ 20, US_PER_S }, 5, 1000);
    for (int i = 0; i < 5; i++) {
        assert_true(limiter_ask(&l, 1000).is_admitted);
    }
    assert_false(limiter_ask(&l, 1000).is_admitted);
    /* Asked each millisecond for ten seconds: what the rate gives, and not one more. */
    for (uint64_t now_us = 1000; now_us <= 1000 + 10 * US_PER_S; now_us += US_PER_MS) {
        admitted += limiter_ask(&l, now_us).is_admitted;
    }
    assert_int_equal(admitted, 200);
}

static void limiter__admits__who_waited_as_told(void **state)
{
    static const struct rate rates[] = {
        { 20, US_PER_S }, { 5, 15 * US_PER_S },   { 1, 7 * US_PER_S },
        { 3, US_PER_S },  { 7, 3600 * US_PER_S },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        uint64_t now_us = 123457;
        struct limiter_verdict v;
        struct limiter l;

        limiter_init(&l, rates[i], 0, now_us);
        for (int round = 0; round < 100; round++) {
            while ((v = limiter_ask(&l, now_us)).is_admitted) {
                now_us += 1013;
            }
            assert_true(v.retry_after_s >= 1);
            assert_int_equal(v.remaining, 0);
            now_us += v.retry_after_s * US_PER_S;
            assert_true(limiter_ask(&l, now_us).is_admitted);
        }
    }
}

static void limiter__says_nothing__without_a_limit(void **state)
{
    struct limiter l;

    (void)state;
    limiter_init(&l, (struct rate){ 0 }, 0, 0);
    assert_true(limiter_ask(&l, 5).is_admitted);
    assert_false(limiter_ask(&l, 5).is_limited);
}

static void timers__come_out__in_order_of_time(void **state)
{
    static char owners[1000];
    struct timers t = { 0 };
    struct draw d = draw_start(1, DRAW_FATE, 1);
    uint64_t last_us = 0;

    (void)state;
    assert_true(timers_next_us(&t) == TIME_NEVER);
    assert_null(timers_pop(&t, TIME_NEVER));
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(timers_add(&t, 1 + draw_below(&d, 500), &owners[i]), RESULT_OK);
    }
    assert_null(timers_pop(&t, timers_next_us(&t) - 1));
    for (size_t i = 0; i < 1000; i++) {
        uint64_t next_us = timers_next_us(&t);
        char *owner = timers_pop(&t, next_us);

        assert_true(next_us >= last_us);
        assert_non_null(owner);
        assert_int_equal(*owner, 0); /* each once */
        *owner = 1;
        last_us = next_us;
    }
    assert_int_equal(t.count, 0);
    timers_release(&t);
}

static void asked__counts__and_forgets_the_settled_first(void **state)
{
    struct asked *asked = asked_new();
    uint64_t owed_key = 5 + 99 * (uint64_t)ASKED_SETS;

    (void)state;
    assert_non_null(asked);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(asked_slot(asked, 5)->count++, i);
    }
    asked_slot(asked, owed_key)->count = 7;
    asked_slot(asked, owed_key)->owed = 1;
    for (uint64_t i = 1; i <= 50; i++) { /* all in the same set */
        asked_slot(asked, 5 + i * ASKED_SETS)->count++;
    }
    assert_int_equal(asked_slot(asked, owed_key)->count, 7);
    assert_int_equal(asked_slot(asked, 5)->count, 0);
    asked_free(asked);
}

static struct forecast forecast_of(const struct weather *w, const char *url, unsigned asks,
                                   unsigned in_flight)
{
    struct asked *asked = asked_new();
    struct forecast f = { 0 };

    assert_non_null(asked);
    for (unsigned i = 0; i <= asks; i++) {
        f = weather_forecast(w, asked, STR("GET"), str_view(url), in_flight);
    }
    asked_free(asked);
    return f;
}

static void latency__rises_in_proportion__past_max_concurrent(void **state)
{
    const struct demo_options options = { .latency_us = 100000, .max_concurrent = 10 };
    struct weather w = weather_from(&options);

    (void)state;
    assert_int_equal(forecast_of(&w, "/a", 0, 1).delay_us, 100000);
    assert_int_equal(forecast_of(&w, "/a", 0, 10).delay_us, 100000);
    assert_int_equal(forecast_of(&w, "/a", 0, 20).delay_us, 200000);
    assert_int_equal(forecast_of(&w, "/a", 0, 100).delay_us, 1000000);
}

static void latency__stays_within_the_jitter(void **state)
{
    const struct demo_options options = { .latency_us = 1000, .jitter_us = 5000 };
    struct weather w = weather_from(&options);
    struct asked *asked = asked_new();
    uint64_t low_us = UINT64_MAX, high_us = 0;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        uint64_t us = weather_forecast(&w, asked, STR("GET"), STR("/a"), 1).delay_us;

        low_us = us < low_us ? us : low_us;
        high_us = us > high_us ? us : high_us;
    }
    assert_int_equal(low_us, 0); /* never below nothing */
    assert_in_range(high_us, 5900, 6000);
    asked_free(asked);
}

static void fate__has_the_shares__that_were_asked_for(void **state)
{
    const struct demo_options options = { .seed = 9, .fail = 0.02, .hang = 0.01, .truncate = 0.03 };
    struct weather w = weather_from(&options);
    struct asked *asked = asked_new();
    unsigned failed = 0, hung = 0, truncated = 0;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        char url[32];
        enum fate fate;

        snprintf(url, sizeof url, "/posts/%u", i);
        fate = weather_forecast(&w, asked, STR("GET"), str_view(url), 1).fate;
        hung += fate == FATE_HANG;
        truncated += fate == FATE_TRUNCATE;
        failed += fate != FATE_FINE && fate != FATE_HANG && fate != FATE_TRUNCATE;
    }
    assert_in_range(failed, 330, 470);
    assert_in_range(hung, 140, 260);
    assert_in_range(truncated, 510, 690);
    asked_free(asked);
}

static void ask__decodes__and_refuses_what_is_bad(void **state)
{
    struct ask ask = { 0 };
    uint64_t number = 7;
    char out[8];
    size_t len;

    (void)state;
    ask_set_target(&ask,
                   STR("/p?a=1%2B1+x&b=%4&c=%00&d=toolonger&e&n=12&n=13&m=9999999999999999999999"));
    assert_true(str_equal(ask.path, STR("/p")));
    assert_int_equal(ask_param(&ask, "a", out, sizeof out, &len), ASK_FOUND);
    assert_string_equal(out, "1+1 x");
    assert_int_equal(ask_param(&ask, "b", out, sizeof out, &len), ASK_MALFORMED);
    assert_int_equal(ask_param(&ask, "c", out, sizeof out, &len), ASK_MALFORMED);
    assert_int_equal(ask_param(&ask, "d", out, sizeof out, &len), ASK_MALFORMED);
    assert_int_equal(ask_param(&ask, "e", out, sizeof out, &len), ASK_FOUND);
    assert_int_equal(len, 0);
    assert_int_equal(ask_param(&ask, "f", out, sizeof out, &len), ASK_ABSENT);
    assert_true(ask_param_number(&ask, "f", 0, 9, &number));
    assert_int_equal(number, 7);
    assert_false(ask_param_number(&ask, "e", 0, 9, &number));
    assert_false(ask_param_number(&ask, "m", 0, UINT64_MAX, &number));
    assert_true(ask_param_number(&ask, "n", 12, 12, &number)); /* the first counts */
    assert_int_equal(number, 12);
}

static void auctions__have_the_sizes_and_the_troubles__of_real_ones(void **state)
{
    static const char *const troubles[] = {
        "\\\"",
        "\\n",
        "\\u00c9",
        "É",
        ":null",
        ":{}",
        "[]",
        "true",
        "\"note\":\"\"",
        "\"current_bid\":\"",
        "\"partner\":null",
        "\"depth\":null",
        "\\ud83c",
        "C:\\\\attic",
        "9007199",
    };
    struct world world = { .seed = 1 };
    struct buf all = { 0 };

    (void)state;
    for (unsigned id = 1; id <= 2000; id++) {
        struct ask ask = { .method = STR("GET") };
        struct reply reply;
        char target[64];

        snprintf(target, sizeof target, "/msapi/auctions/items?auctionid=%u", id);
        ask_set_target(&ask, str_view(target));
        reply_init(&reply);
        shape_auction_items(&world, &ask, &reply);
        assert_int_equal(reply.result, RESULT_OK);
        assert_in_range(reply.body.len, 1000, 40960);
        if (id <= 100) {
            assert_int_equal(buf_append_str(&all, buf_view(&reply.body)), RESULT_OK);
        }
        reply_release(&reply);
    }
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        if (!strstr(buf_cstr(&all), troubles[i])) {
            fail_msg("no %s", troubles[i]);
        }
    }
    buf_release(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limiter__admits_the_burst__then_the_rate),
        cmocka_unit_test(limiter__admits__who_waited_as_told),
        cmocka_unit_test(limiter__says_nothing__without_a_limit),
        cmocka_unit_test(timers__come_out__in_order_of_time),
        cmocka_unit_test(asked__counts__and_forgets_the_settled_first),
        cmocka_unit_test(latency__rises_in_proportion__past_max_concurrent),
        cmocka_unit_test(latency__stays_within_the_jitter),
        cmocka_unit_test(fate__has_the_shares__that_were_asked_for),
        cmocka_unit_test(ask__decodes__and_refuses_what_is_bad),
        cmocka_unit_test(auctions__have_the_sizes_and_the_troubles__of_real_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
