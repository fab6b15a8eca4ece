#include "engine/sample.h"

#include "base/clock.h"
#include "base/json_scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW_SECONDS 10

/* The mean of the last seconds' own, by how much was done in each. */
static uint64_t p95_now_us(const struct snapshot *s)
{
    double sum_ms = 0, done = 0;

    for (size_t i = 0; i < s->second_count && i < NOW_SECONDS; i++) {
        if (s->seconds[i].p95_ms) {
            sum_ms += (double)s->seconds[i].p95_ms * s->seconds[i].done;
            done += s->seconds[i].done;
        }
    }
    return done > 0 ? (uint64_t)(sum_ms / done * US_PER_MS) : 0;
}

void sample_of(const struct snapshot *s, struct sample *sample)
{
    *sample = (struct sample){
        .state = s->state,
        .limit = s->limit.kind,
        .total = s->total,
        .ok = s->ok,
        .failed = s->failed,
        .retried = s->retried,
        .waiting = s->waiting,
        .in_flight = s->in_flight,
        .bytes = s->bytes,
        .cap = s->cap,
        .requests_per_s = s->requests_per_s,
        .cpu_s = s->cpu_s,
        .p50_us = s->p50_us,
        .p90_us = s->p90_us,
        .p95_us = s->p95_us,
        .p99_us = s->p99_us,
        .p95_now_us = p95_now_us(s),
        .mix = s->mix,
    };
}

void sample_write(const struct sample *s, char fields[SAMPLE_FIELDS_MAX])
{
    const struct snapshot_status_mix *m = &s->mix;

    snprintf(
        fields, SAMPLE_FIELDS_MAX,
        ",\"state\":\"%s\",\"limit\":\"%s\",\"total\":%llu,\"ok\":%llu,\"failed\":%llu,\"retried\":"
        "%llu,"
        "\"waiting\":%llu,\"in_flight\":%llu,\"cap\":%u,\"bytes\":%llu,\"req_per_s\":%.1f,"
        "\"cpu_s\":%.2f,\"p50_ms\":%llu,\"p90_ms\":%llu,\"p95_ms\":%llu,\"p99_ms\":%llu,"
        "\"p95_now_ms\":%llu,\"answers\":{\"2xx\":%llu,\"3xx\":%llu,\"4xx\":%llu,\"429\":%llu,"
        "\"5xx\":%llu,"
        "\"none\":%llu}",
        run_state_word(s->state), run_limit_word(s->limit), (unsigned long long)s->total,
        (unsigned long long)s->ok, (unsigned long long)s->failed, (unsigned long long)s->retried,
        (unsigned long long)s->waiting, (unsigned long long)s->in_flight, s->cap,
        (unsigned long long)s->bytes, s->requests_per_s, s->cpu_s,
        (unsigned long long)(s->p50_us / US_PER_MS), (unsigned long long)(s->p90_us / US_PER_MS),
        (unsigned long long)(s->p95_us / US_PER_MS), (unsigned long long)(s->p99_us / US_PER_MS),
        (unsigned long long)(s->p95_now_us / US_PER_MS), (unsigned long long)m->ok,
        (unsigned long long)m->redirect, (unsigned long long)m->client_error,
        (unsigned long long)m->throttled, (unsigned long long)m->server_error,
        (unsigned long long)m->network);
}

static double real_of(struct str value)
{
    char text[32];
    double number;

    if (json_type_of(value) != JSON_NUMBER || value.len >= sizeof text) {
        return 0;
    }
    snprintf(text, sizeof text, "%.*s", STR_ARG(value));
    number = strtod(text, NULL);
    return isfinite(number) && number > 0 ? number : 0;
}

static uint64_t count_of(struct str value)
{
    uint64_t number;

    return str_to_u64(str_trim(value), &number) ? number : 0;
}

static uint64_t us_of_ms(struct str value)
{
    uint64_t ms = count_of(value);

    return ms < UINT64_MAX / US_PER_MS ? ms * US_PER_MS : 0;
}

static enum run_state state_of(struct str raw)
{
    for (int state = 0; state < RUN_STATE_COUNT; state++) {
        if (json_raw_equal(raw, str_view(run_state_word((enum run_state)state)))) {
            return (enum run_state)state;
        }
    }
    return RUN_RUNNING;
}

static enum run_limit limit_of(struct str raw)
{
    for (int limit = LIMIT_CAP; limit < LIMIT_COUNT; limit++) {
        if (json_raw_equal(raw, str_view(run_limit_word((enum run_limit)limit)))) {
            return (enum run_limit)limit;
        }
    }
    return LIMIT_NONE;
}

static void read_answers(struct str answers, struct snapshot_status_mix *mix)
{
    struct json_walk walk;
    struct str key, value;

    json_walk_begin(&walk, answers);
    while (json_walk_next(&walk, &key, &value)) {
        uint64_t count = count_of(value);

        if (str_equal(key, STR("2xx"))) {
            mix->ok = count;
        } else if (str_equal(key, STR("3xx"))) {
            mix->redirect = count;
        } else if (str_equal(key, STR("4xx"))) {
            mix->client_error = count;
        } else if (str_equal(key, STR("429"))) {
            mix->throttled = count;
        } else if (str_equal(key, STR("5xx"))) {
            mix->server_error = count;
        } else if (str_equal(key, STR("none"))) {
            mix->network = count;
        }
    }
}

static void read_member(struct str key, struct str value, struct sample *s)
{
    const struct {
        struct str name;
        uint64_t *count;
    } counts[] = {
        { STR("total"), &s->total },     { STR("ok"), &s->ok },
        { STR("failed"), &s->failed },   { STR("retried"), &s->retried },
        { STR("waiting"), &s->waiting }, { STR("in_flight"), &s->in_flight },
        { STR("bytes"), &s->bytes },     { STR("throttled"), &s->mix.throttled },
    };
    const struct {
        struct str name;
        uint64_t *us;
    } times[] = {
        { STR("p50_ms"), &s->p50_us },         { STR("p90_ms"), &s->p90_us },
        { STR("p95_ms"), &s->p95_us },         { STR("p99_ms"), &s->p99_us },
        { STR("p95_now_ms"), &s->p95_now_us },
    };

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (str_equal(key, counts[i].name)) {
            *counts[i].count = count_of(value);
        }
    }
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (str_equal(key, times[i].name)) {
            *times[i].us = us_of_ms(value);
        }
    }
    if (str_equal(key, STR("state"))) {
        s->state = state_of(json_string_raw(value));
    } else if (str_equal(key, STR("limit"))) {
        s->limit = limit_of(json_string_raw(value));
    } else if (str_equal(key, STR("cap"))) {
        s->cap = count_of(value) < UINT32_MAX ? (unsigned)count_of(value) : 0;
    } else if (str_equal(key, STR("req_per_s"))) {
        s->requests_per_s = real_of(value);
    } else if (str_equal(key, STR("cpu_s"))) {
        s->cpu_s = real_of(value);
    } else if (str_equal(key, STR("answers"))) {
        read_answers(value, &s->mix);
    }
}

void sample_read(struct str line, struct sample *sample)
{
    struct json_walk walk;
    struct str key, value;

    *sample = (struct sample){ .state = RUN_RUNNING };
    json_walk_begin(&walk, line);
    while (json_walk_next(&walk, &key, &value)) {
        read_member(key, value, sample);
    }
}
