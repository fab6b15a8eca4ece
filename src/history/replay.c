#include "history/replay.h"

#include "base/clock.h"
#include "base/grow.h"
#include "base/json_scan.h"
#include "base/timestamp.h"
#include "base/units.h"
#include "base/utf8.h"
#include "engine/totals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8
#define GAP_US (60 * (int64_t)US_PER_S) /* longer without a sample: no process was at work */
#define RUNG_LEAST_US (3 * US_PER_S)    /* a cap held for less says nothing */

struct moment {
    int64_t at_us;
    uint64_t ran_us; /* that sessions had run by then */
    bool begins;     /* nothing grows towards it: the first of its session, or after a gap */
    bool is_first;   /* of its session: its counts begin anew */
    struct sample sample;
};

struct past_event {
    int64_t at_us;
    enum event_level level;
    bool is_cap;
    char text[SNAPSHOT_EVENT_TEXT];
};

struct replay {
    char name[80];
    struct moment *moments;
    size_t moment_count, moment_allocated;
    struct past_event *events;
    size_t event_count, event_allocated;
    bool session_begins;
    int64_t session_us;    /* when it did, by its "start" line */
    struct totals *totals; /* the last that were told, or NULL */
    size_t totals_at;      /* so many moments had been by then */
};

/* --- reading ------------------------------------------------------------------------------------- */

static enum event_level level_of(struct str raw)
{
    return str_equal(raw, STR("error"))     ? EVENT_ERROR
           : str_equal(raw, STR("warning")) ? EVENT_WARNING
           : str_equal(raw, STR("notice"))  ? EVENT_NOTICE
                                            : EVENT_INFO;
}

/* A session has run for a while when its first sample is taken, and a short one has no other. */
static uint64_t since_start(const struct replay *r, int64_t at_us)
{
    int64_t since_us = r->session_begins ? at_us - r->session_us : 0;

    return since_us > 0 && since_us <= GAP_US ? (uint64_t)since_us : 0;
}

static enum result add_totals(struct replay *r, struct str line)
{
    if (!r->totals) {
        r->totals = malloc(sizeof *r->totals);
    }
    if (!r->totals) {
        return RESULT_NOMEM;
    }
    totals_read(line, r->totals);
    r->totals_at = r->moment_count;
    return RESULT_OK;
}

static enum result add_moment(struct replay *r, int64_t at_us, struct str line)
{
    const struct moment *last = r->moment_count ? &r->moments[r->moment_count - 1] : NULL;
    int64_t since_us = last ? at_us - last->at_us : 0;
    struct moment *grown;
    struct moment m = { .at_us = at_us };

    if (since_us < 0) {
        return RESULT_OK; /* the clock was set back: what it says again is passed over */
    }
    m.is_first = !last || r->session_begins;
    m.begins = m.is_first || since_us > GAP_US;
    m.ran_us = last ? last->ran_us : 0;
    m.ran_us += m.is_first ? since_start(r, at_us) : m.begins ? 0 : (uint64_t)since_us;
    sample_read(line, &m.sample);
    grown = grow_by_one(r->moments, r->moment_count, &r->moment_allocated, sizeof *grown);
    if (!grown) {
        return RESULT_NOMEM;
    }
    r->moments = grown;
    r->moments[r->moment_count++] = m;
    r->session_begins = false;
    return RESULT_OK;
}

static enum result add_event(struct replay *r, int64_t at_us, struct str kind, struct str level,
                             struct str text)
{
    struct past_event *grown =
        grow_by_one(r->events, r->event_count, &r->event_allocated, sizeof *grown);
    struct past_event *event;
    struct buf plain = { 0 };
    enum result result;

    if (!grown) {
        return RESULT_NOMEM;
    }
    r->events = grown;
    event = &r->events[r->event_count++];
    *event = (struct past_event){ .at_us = at_us, .level = level_of(level) };
    event->is_cap = str_equal(kind, STR("cap"));
    result = json_unescape(&plain, text, NULL);
    utf8_display(event->text, sizeof event->text, buf_view(&plain), sizeof event->text);
    buf_release(&plain);
    return result;
}

static enum result read_line(struct replay *r, struct str line)
{
    struct str at = STR_NONE, kind = STR_NONE, level = STR_NONE, text = STR_NONE, key, value;
    struct json_walk walk;
    int64_t at_us;

    if (!json_check(line, DEPTH_MAX, NULL)) {
        return RESULT_OK;
    }
    json_walk_begin(&walk, line);
    while (json_walk_next(&walk, &key, &value)) {
        struct str raw = json_string_raw(value);

        at = str_equal(key, STR("at")) ? raw : at;
        kind = str_equal(key, STR("event")) ? raw : kind;
        level = str_equal(key, STR("level")) ? raw : level;
        text = str_equal(key, STR("text")) ? raw : text;
    }
    if (at.len != CLOCK_TEXT_SIZE - 1 ||
        !timestamp_parse(at, &at_us)) { /* not clock_format_utc's */
        return RESULT_OK;
    }
    if (str_equal(kind, STR("sample"))) {
        return add_moment(r, at_us, line);
    }
    if (str_equal(kind, STR("totals"))) {
        return add_totals(r, line);
    }
    if (str_equal(kind, STR("start"))) {
        r->session_begins = true;
        r->session_us = at_us;
    }
    return text.data ? add_event(r, at_us, kind, level, text) : RESULT_OK;
}

enum result replay_new(struct replay **replay, struct str lines, const char *name, struct err *err)
{
    struct replay *r = calloc(1, sizeof *r);
    enum result result = r ? RESULT_OK : RESULT_NOMEM;

    while (result == RESULT_OK && lines.len) {
        result = read_line(r, str_cut(&lines, '\n'));
    }
    if (result == RESULT_OK && !r->moment_count) {
        result = err_set(err, RESULT_NOT_FOUND, "E-RPL1",
                         "%s: its events.jsonl has no samples to replay", name);
    } else if (result != RESULT_OK) {
        result = err_nomem(err, "reading events.jsonl");
    }
    if (result != RESULT_OK) {
        replay_free(r);
        return result;
    }
    snprintf(r->name, sizeof r->name, "%s", name);
    *replay = r;
    return RESULT_OK;
}

void replay_free(struct replay *r)
{
    if (r) {
        free(r->moments);
        free(r->events);
        free(r->totals);
        free(r);
    }
}

int64_t replay_first_us(const struct replay *r)
{
    return r->moments[0].at_us;
}

int64_t replay_last_us(const struct replay *r)
{
    return r->moments[r->moment_count - 1].at_us;
}

/* --- one moment ------------------------------------------------------------------------------------- */

/* The last moment not after `at_us`, or the first of all. */
static size_t find_moment(const struct replay *r, int64_t at_us)
{
    size_t low = 0, high = r->moment_count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (r->moments[middle].at_us <= at_us) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint64_t between(uint64_t from, uint64_t to, double part)
{
    return to > from ? from + (uint64_t)((double)(to - from) * part) : from;
}

void replay_sample(const struct replay *r, int64_t at_us, struct sample *sample, uint64_t *ran_us)
{
    size_t i = find_moment(r, at_us);
    const struct moment *m = &r->moments[i], *next = m + 1;
    double part = 0;

    if (at_us > m->at_us && i + 1 < r->moment_count && !next->begins && next->at_us > m->at_us) {
        part = (double)(at_us - m->at_us) / (double)(next->at_us - m->at_us);
    }
    *sample = m->sample;
    if (part > 0) {
        sample->ok = between(m->sample.ok, next->sample.ok, part);
        sample->failed = between(m->sample.failed, next->sample.failed, part);
        sample->retried = between(m->sample.retried, next->sample.retried, part);
        sample->bytes = between(m->sample.bytes, next->sample.bytes, part);
        sample->mix.throttled = between(m->sample.mix.throttled, next->sample.mix.throttled, part);
    }
    if (ran_us) {
        *ran_us = part > 0 ? between(m->ran_us, next->ran_us, part) : m->ran_us;
    }
}

/* --- all of it ------------------------------------------------------------------------------------------ */

static uint64_t answers_of(const struct snapshot_status_mix *m)
{
    return m->ok + m->redirect + m->client_error + m->throttled + m->server_error + m->network;
}

static void add_growth(uint64_t *sum, uint64_t from, uint64_t to)
{
    *sum += to > from ? to - from : 0;
}

static void add_grown(struct sample *sum, const struct sample *from, const struct sample *to)
{
    add_growth(&sum->retried, from->retried, to->retried);
    add_growth(&sum->bytes, from->bytes, to->bytes);
    add_growth(&sum->mix.ok, from->mix.ok, to->mix.ok);
    add_growth(&sum->mix.redirect, from->mix.redirect, to->mix.redirect);
    add_growth(&sum->mix.client_error, from->mix.client_error, to->mix.client_error);
    add_growth(&sum->mix.throttled, from->mix.throttled, to->mix.throttled);
    add_growth(&sum->mix.server_error, from->mix.server_error, to->mix.server_error);
    add_growth(&sum->mix.network, from->mix.network, to->mix.network);
}

static bool is_last_of_session(const struct replay *r, size_t i)
{
    return i + 1 == r->moment_count || r->moments[i + 1].is_first;
}

/* Each session's own, by how many answers it had. */
static void mean_latencies(const struct replay *r, struct sample *whole)
{
    double p50 = 0, p90 = 0, p95 = 0, p99 = 0, answers = 0;

    for (size_t i = 0; i < r->moment_count; i++) {
        const struct sample *s = &r->moments[i].sample;
        double weight = is_last_of_session(r, i) ? (double)answers_of(&s->mix) : 0;

        answers += weight;
        p50 += weight * (double)s->p50_us;
        p90 += weight * (double)s->p90_us;
        p95 += weight * (double)s->p95_us;
        p99 += weight * (double)s->p99_us;
    }
    if (answers > 0) {
        whole->p50_us = (uint64_t)(p50 / answers);
        whole->p90_us = (uint64_t)(p90 / answers);
        whole->p95_us = (uint64_t)(p95 / answers);
        whole->p99_us = (uint64_t)(p99 / answers);
    }
}

void replay_whole(const struct replay *r, struct sample *whole, uint64_t *ran_us)
{
    const struct sample none = { .state = RUN_RUNNING };
    const struct moment *last = &r->moments[r->moment_count - 1];

    *whole = last->sample;
    *ran_us = last->ran_us;
    whole->retried = r->totals ? r->totals->retried : 0;
    whole->bytes = r->totals ? r->totals->bytes : 0;
    whole->mix = r->totals ? r->totals->mix : none.mix;
    for (size_t i = r->totals ? r->totals_at : 0; i < r->moment_count; i++) {
        const struct moment *m = &r->moments[i];

        add_grown(whole, m->is_first || !i ? &none : &r->moments[i - 1].sample, &m->sample);
    }
    if (r->totals && r->totals->latency.count) {
        whole->p50_us = hist_percentile_us(&r->totals->latency, 50);
        whole->p90_us = hist_percentile_us(&r->totals->latency, 90);
        whole->p95_us = hist_percentile_us(&r->totals->latency, 95);
        whole->p99_us = hist_percentile_us(&r->totals->latency, 99);
    } else {
        mean_latencies(r, whole);
    }
}

/* --- the picture --------------------------------------------------------------------------------------- */

static bool cap_changed_within(const struct replay *r, int64_t from_us, int64_t to_us)
{
    size_t low = 0, high = r->event_count;

    while (low < high) { /* the first event after from_us */
        size_t middle = low + (high - low) / 2;

        if (r->events[middle].at_us <= from_us) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < r->event_count && r->events[low].at_us <= to_us; low++) {
        if (r->events[low].is_cap) {
            return true;
        }
    }
    return false;
}

static void fill_seconds(const struct replay *r, int64_t at_us, struct snapshot *s)
{
    struct sample later, earlier, after; /* the sample after a change has the new cap */

    replay_sample(r, at_us, &later, NULL);
    while (s->second_count < SNAPSHOT_SECONDS) {
        struct snapshot_second *second = &s->seconds[s->second_count];
        int64_t before_us = at_us - (int64_t)US_PER_S;
        bool cap_changed = cap_changed_within(r, before_us, at_us);

        if (before_us < replay_first_us(r)) {
            break;
        }
        replay_sample(r, before_us, &earlier, NULL);
        replay_sample(r, at_us + (int64_t)US_PER_S, &after, NULL);
        *second = (struct snapshot_second){
            .done = later.ok > earlier.ok ? (uint32_t)(later.ok - earlier.ok) : 0,
            .failed = later.failed > earlier.failed ? (uint32_t)(later.failed - earlier.failed) : 0,
            .throttled = later.mix.throttled > earlier.mix.throttled
                             ? (uint32_t)(later.mix.throttled - earlier.mix.throttled)
                             : 0,
            .bytes = later.bytes > earlier.bytes ? later.bytes - earlier.bytes : 0,
            .cap = cap_changed ? after.cap : later.cap,
            .in_flight = (uint32_t)later.in_flight,
            .p95_ms = (uint32_t)(later.p95_us / US_PER_MS),
            .cap_changed = cap_changed,
        };
        s->second_count++;
        later = earlier;
        at_us = before_us;
    }
}

static void fill_events(const struct replay *r, int64_t at_us, struct snapshot *s)
{
    size_t end = r->event_count;

    while (end > 0 && r->events[end - 1].at_us > at_us) {
        end--;
    }
    for (; end > 0 && s->event_count < SNAPSHOT_EVENTS_MAX; end--) {
        const struct past_event *past = &r->events[end - 1];
        struct snapshot_event *event = &s->events[s->event_count++];

        event->serial = end;
        event->repeats = 1;
        event->wall_us = past->at_us;
        event->level = past->level;
        memcpy(event->text, past->text, sizeof event->text);
    }
}

static void fill_figures(const struct sample *sample, uint64_t ran_us, struct snapshot *s)
{
    uint64_t busy = sample->ok + sample->failed + sample->waiting + sample->in_flight;

    s->state = sample->state;
    s->total_known = sample->total > 0;
    s->total = sample->total;
    s->ok = sample->ok;
    s->failed = sample->failed;
    s->retried = sample->retried;
    s->waiting = sample->waiting;
    s->in_flight = sample->in_flight;
    s->queued = sample->total > busy ? sample->total - busy : 0;
    s->cap = s->cap_before = sample->cap;
    s->requests_per_s = sample->requests_per_s;
    s->requests_per_s_average =
        ran_us ? (double)(sample->ok + sample->failed) / ((double)ran_us / 1e6) : 0;
    s->bytes = sample->bytes;
    s->limit.kind = sample->limit;
    s->p50_us = sample->p50_us;
    s->p90_us = sample->p90_us;
    s->p95_us = sample->p95_us;
    s->p99_us = sample->p99_us;
    s->mix = sample->mix;
    s->cpu_s = sample->cpu_s;
    s->io_ratio = ran_us ? 1 - sample->cpu_s / ((double)ran_us / 1e6) : 0;
    s->io_ratio = s->io_ratio > 0 ? s->io_ratio : 0;
    s->started_ago_us = ran_us;
}

void replay_snapshot(const struct replay *r, int64_t at_us, uint64_t now_us, struct snapshot *s)
{
    struct sample sample;
    uint64_t ran_us;

    memset(s, 0, sizeof *s);
    replay_sample(r, at_us, &sample, &ran_us);
    memcpy(s->name, r->name, sizeof s->name);
    s->is_replay = true;
    s->now_us = now_us;
    s->wall_us = at_us;
    s->next_due_in_us = UINT64_MAX;
    snprintf(s->rate_limit, sizeof s->rate_limit, "--");
    fill_figures(&sample, ran_us, s);
    fill_seconds(r, at_us, s);
    for (size_t i = 0; i < 10 && i < s->second_count; i++) {
        s->bytes_per_s += (double)s->seconds[i].bytes / (s->second_count < 10 ? 1.0 : 10.0);
    }
    fill_events(r, at_us, s);
    s->rung_count = replay_rungs(r, at_us, s->rungs);
}

/* --- the ladder ------------------------------------------------------------------------------------------ */

struct rung_sum {
    unsigned cap;
    uint64_t time_us, settled, answers, throttled, p50_sum, p95_sum, samples;
};

static struct rung_sum *rung_of(struct rung_sum sums[SNAPSHOT_RUNGS_MAX], size_t *count,
                                unsigned cap)
{
    for (size_t i = 0; i < *count; i++) {
        if (sums[i].cap == cap) {
            return &sums[i];
        }
    }
    if (*count == SNAPSHOT_RUNGS_MAX) {
        return NULL;
    }
    sums[*count] = (struct rung_sum){ .cap = cap };
    return &sums[(*count)++];
}

static void add_step(struct rung_sum *sum, const struct moment *from, const struct moment *to)
{
    const struct sample *a = &from->sample, *b = &to->sample;
    uint64_t answers_a = answers_of(&a->mix), answers_b = answers_of(&b->mix);

    sum->time_us += (uint64_t)(to->at_us - from->at_us);
    sum->settled +=
        b->ok + b->failed > a->ok + a->failed ? b->ok + b->failed - a->ok - a->failed : 0;
    sum->answers += answers_b > answers_a ? answers_b - answers_a : 0;
    sum->throttled += b->mix.throttled > a->mix.throttled ? b->mix.throttled - a->mix.throttled : 0;
    sum->p50_sum += b->p50_us;
    sum->p95_sum += b->p95_us;
    sum->samples++;
}

static int compare_caps(const void *a, const void *b)
{
    unsigned x = ((const struct rung_sum *)a)->cap, y = ((const struct rung_sum *)b)->cap;

    return x < y ? -1 : x > y;
}

/* Latencies of a sample are those of its session so far, so a rung's are only near the truth; they are
 * given as the mean over the rung's samples. */
size_t replay_rungs(const struct replay *r, int64_t until_us,
                    struct snapshot_rung rungs[SNAPSHOT_RUNGS_MAX])
{
    struct rung_sum sums[SNAPSHOT_RUNGS_MAX];
    size_t count = 0, shown = 0;

    for (size_t i = 1; i < r->moment_count && r->moments[i].at_us <= until_us; i++) {
        const struct moment *from = &r->moments[i - 1], *to = &r->moments[i];
        struct rung_sum *sum = to->begins || from->sample.cap != to->sample.cap
                                   ? NULL /* a step in which the cap was changed is nobody's */
                                   : rung_of(sums, &count, to->sample.cap);

        if (sum) {
            add_step(sum, from, to);
        }
    }
    qsort(sums, count, sizeof sums[0], compare_caps);
    for (size_t i = 0; i < count; i++) {
        const struct rung_sum *sum = &sums[i];

        if (sum->time_us < RUNG_LEAST_US) {
            continue;
        }
        rungs[shown++] = (struct snapshot_rung){
            .cap = sum->cap,
            .time_us = sum->time_us,
            .requests_per_s = (double)sum->settled / ((double)sum->time_us / 1e6),
            .p50_us = sum->p50_sum / sum->samples,
            .p95_us = sum->p95_sum / sum->samples,
            .throttled_part = sum->answers ? (double)sum->throttled / (double)sum->answers : 0,
        };
    }
    return shown;
}
