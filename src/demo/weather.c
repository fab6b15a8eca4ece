#include "demo/weather.h"

#include "demo/draw.h"

static enum result check_fraction(double fraction, const char *name, struct err *err)
{
    if (!(fraction >= 0 && fraction <= 1)) { /* NaN too */
        return err_set(err, RESULT_INVALID, "E-DEMO1", "--%s: want a share within 0%% and 100%%",
                       name);
    }
    return RESULT_OK;
}

enum result weather_check(const struct demo_options *options, struct err *err)
{
    enum result result = check_fraction(options->fail, "fail", err);

    if (result == RESULT_OK) {
        result = check_fraction(options->hang, "hang", err);
    }
    if (result == RESULT_OK) {
        result = check_fraction(options->truncate, "truncate", err);
    }
    if (result == RESULT_OK && options->fail + options->hang + options->truncate > 1) {
        result = err_set(err, RESULT_INVALID, "E-DEMO1",
                         "--fail, --hang and --truncate together are above 100%%");
    }
    if (result == RESULT_OK && options->max_concurrent && !options->latency_us) {
        result = err_set(err, RESULT_INVALID, "E-DEMO2",
                         "--max-concurrent raises the latency: give --latency, too");
    }
    if (result == RESULT_OK && options->limit.per_us && !(options->limit.requests > 0)) {
        result = err_set(err, RESULT_INVALID, "E-DEMO1", "--limit: want a rate above 0");
    }
    return result;
}

struct weather weather_from(const struct demo_options *options)
{
    return (struct weather){
        .seed = options->seed,
        .latency_us = options->latency_us,
        .jitter_us = options->jitter_us,
        .max_concurrent = options->max_concurrent,
        .fail = options->fail,
        .hang = options->hang,
        .truncate = options->truncate,
    };
}

/* Half of the failures are 503, and half of those say when to come back. */
static enum fate draw_failure(struct draw *d)
{
    static const enum fate kinds[] = { FATE_500,   FATE_500,
                                       FATE_503,   FATE_503_RETRY_AFTER,
                                       FATE_503,   FATE_503_RETRY_AFTER,
                                       FATE_RESET, FATE_500 };

    return kinds[draw_below(d, sizeof kinds / sizeof *kinds)];
}

static enum fate draw_fate(const struct weather *w, struct draw *d, uint32_t asks_before)
{
    double at = draw_unit(d);

    if (asks_before % (WEATHER_RUN_MAX + 1) == WEATHER_RUN_MAX) {
        return FATE_FINE;
    }
    if (at < w->fail) {
        return draw_failure(d);
    }
    if (at < w->fail + w->hang) {
        return FATE_HANG;
    }
    return at < w->fail + w->hang + w->truncate ? FATE_TRUNCATE : FATE_FINE;
}

static uint64_t draw_delay(const struct weather *w, struct draw *d, unsigned in_flight)
{
    double us = (double)w->latency_us + (2 * draw_unit(d) - 1) * (double)w->jitter_us;

    if (w->max_concurrent && in_flight > w->max_concurrent) {
        us *= (double)in_flight / w->max_concurrent;
    }
    return us > 0 ? (uint64_t)us : 0;
}

struct forecast weather_forecast(const struct weather *w, struct asked *asked, struct str method,
                                 struct str url, unsigned in_flight)
{
    bool is_calm = !(w->fail + w->hang + w->truncate > 0);
    struct forecast forecast = { FATE_FINE, 0 };
    struct asked_slot *slot;
    struct draw d;
    uint64_t key;

    if (is_calm && !w->latency_us && !w->jitter_us) {
        return forecast; /* what benchmarks ask: nothing to count */
    }
    key = draw_hash(w->seed, DRAW_WEATHER_KEY, url) ^ draw_hash(w->seed, DRAW_FATE, method);
    slot = asked_slot(asked, key);
    d = draw_start(w->seed, DRAW_FATE, key + slot->count);
    forecast.delay_us = draw_delay(w, &d, in_flight);
    forecast.fate = draw_fate(w, &d, slot->count);
    slot->count++;
    slot->owed = forecast.fate != FATE_FINE;
    return forecast;
}
