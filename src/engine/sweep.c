#include "engine/sweep.h"

#include "base/clock.h"
#include "base/units.h"
#include "job/job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum result sweep_parse(struct sweep *s, struct str text, struct err *err)
{
    *s = (struct sweep){ .cap_count = 0 };
    while (text.data) {
        uint64_t cap;
        struct str one = str_trim(str_cut(&text, ','));

        if (s->cap_count == SWEEP_STEPS_MAX) {
            return err_set(err, RESULT_INVALID, "E-ARG1", "more than %d caps to sweep",
                           SWEEP_STEPS_MAX);
        }
        if (units_parse_count(one, 1, JOB_CAP_MAX, &cap, err) != RESULT_OK) {
            return RESULT_INVALID;
        }
        if (s->cap_count && cap <= s->caps[s->cap_count - 1]) {
            return err_set(err, RESULT_INVALID, "E-ARG1",
                           "caps to sweep must rise: %llu comes after %u", (unsigned long long)cap,
                           s->caps[s->cap_count - 1]);
        }
        s->caps[s->cap_count++] = (unsigned)cap;
    }
    return RESULT_OK;
}

static void begin_step(struct sweep *s, uint64_t now_us)
{
    memset(&s->meter, 0, sizeof s->meter);
    s->meter.entered_us = now_us;
}

void sweep_repeat(struct sweep *s, uint64_t now_us)
{
    begin_step(s, now_us);
}

void sweep_begin(struct sweep *s, uint64_t now_us)
{
    s->row_count = 0;
    s->recommended = 0;
    s->why[0] = '\0';
    s->is_active = s->cap_count > 0;
    begin_step(s, now_us);
}

unsigned sweep_cap(const struct sweep *s)
{
    return s->caps[s->row_count < s->cap_count ? s->row_count : s->cap_count - 1];
}

/* Refusals count from the first request on: a ramp that is refused needs no measuring. */
static void note_refusal(struct sweep_meter *m, uint64_t ended_us)
{
    m->throttled++;
    if (!m->refused_us) {
        m->refused_us = ended_us;
    }
}

/* How long of its time, which ends at `until_us`, lies within what is measured. */
static uint64_t measured_us(const struct sweep_meter *m, uint64_t started_us, uint64_t until_us)
{
    uint64_t from_us = started_us > m->from_us ? started_us : m->from_us;

    return until_us > from_us ? until_us - from_us : 0;
}

void sweep_answer(struct sweep *s, const struct answer *one)
{
    struct sweep_meter *m = &s->meter;
    uint64_t whole_us = one->ended_us > one->started_us ? one->ended_us - one->started_us : 1;

    if (!s->is_active || one->started_us < m->entered_us) {
        return;
    }
    m->ended++;
    if (one->throttled) {
        note_refusal(m, one->ended_us);
        return;
    }
    if (one->latency_us) {
        hist_record(&m->latency, one->latency_us);
    }
    if (!m->from_us) {
        m->ramp_us += (double)(one->ended_us - one->started_us);
        return;
    }
    if (one->ended_us <= one->started_us) { /* no time at all is wholly within */
        m->work++;
    } else {
        uint64_t within_us = measured_us(m, one->started_us, one->ended_us);

        m->work += (double)within_us / (double)whole_us;
        m->busy_us += (double)within_us;
    }
    m->counted++;
}

bool sweep_wants_flights(const struct sweep *s, uint64_t now_us)
{
    return s->is_active && s->meter.from_us && now_us >= s->meter.second_us + US_PER_S;
}

void sweep_flight(struct sweep *s, uint64_t started_us, uint64_t now_us)
{
    struct sweep_meter *m = &s->meter;
    double within_us = (double)measured_us(m, started_us, now_us);
    double age_us = now_us > started_us ? (double)(now_us - started_us) : 0;
    double mean_us = m->work > 0 ? m->busy_us / m->work : m->ramp_mean_us;

    if (started_us >= m->entered_us && age_us > 0 && mean_us > 0) {
        m->flying_work += within_us / fmax(age_us, mean_us);
        m->flying_us += within_us;
    }
}

/* Half the interval that the mean of the seconds lies in with 95 %, as a part of it (normal). */
static double interval_part(const struct sweep_meter *m)
{
    double mean = m->sum / m->seconds, variance;

    if (m->seconds < 2 || mean <= 0) {
        return 1;
    }
    variance = (m->square_sum - m->sum * mean) / (m->seconds - 1);
    return 1.96 * sqrt(fmax(variance, 0) / m->seconds) / mean;
}

/* Of all that has ended since the cap was set. */
static double throttled_part(const struct sweep_meter *m)
{
    return m->ended ? (double)m->throttled / m->ended : 0;
}

static struct sweep_row read_row(const struct sweep *s)
{
    const struct sweep_meter *m = &s->meter;
    double time_s = (double)(m->second_us - m->from_us) / (double)US_PER_S;

    return (struct sweep_row){
        .cap = sweep_cap(s),
        .requests_per_s = time_s > 0 ? m->work_told / time_s : 0,
        .interval_part = interval_part(m),
        .ideal_per_s =
            m->busy_told_us > 0 ? sweep_cap(s) * m->work_told / m->busy_told_us * US_PER_S : 0,
        .time_s = time_s,
        .requests = (uint64_t)m->counted + m->throttled,
        .mean_us = (uint64_t)hist_mean_us(&m->latency),
        .p50_us = hist_percentile_us(&m->latency, 50),
        .p95_us = hist_percentile_us(&m->latency, 95),
        .throttled_part = throttled_part(m),
    };
}

static uint64_t lowest_p95(const struct sweep *s)
{
    uint64_t lowest = s->rows[0].p95_us;

    for (size_t i = 1; i < s->row_count; i++) {
        lowest = s->rows[i].p95_us < lowest ? s->rows[i].p95_us : lowest;
    }
    return lowest;
}

static bool is_admissible(const struct sweep *s, const struct sweep_row *row)
{
    return row->throttled_part <= SWEEP_THROTTLED_MAX &&
           (double)row->p95_us <= SWEEP_LATENCY_MAX * (double)lowest_p95(s);
}

/* Why no larger cap need be tried after the last row; false when one should. */
static bool has_seen_enough(const struct sweep *s, char why[64])
{
    const struct sweep_row *last = &s->rows[s->row_count - 1];
    double before = s->row_count > 1 ? s->rows[s->row_count - 2].requests_per_s : 0;

    if (last->throttled_part > SWEEP_THROTTLED_MAX) {
        snprintf(why, 64, "%.1f %% 429s at cap %u", 100 * last->throttled_part, last->cap);
    } else if (!is_admissible(s, last)) {
        snprintf(why, 64, "p95 at cap %u is over twice the lowest", last->cap);
    } else if (before > 0 && last->requests_per_s < (1 + SWEEP_GAIN_MIN) * before) {
        snprintf(why, 64, "cap %u gave %+.1f %%", last->cap,
                 100 * (last->requests_per_s / before - 1));
    } else if (s->row_count == s->cap_count) {
        snprintf(why, 64, "cap %u was the last to try", last->cap);
    } else {
        return false;
    }
    return true;
}

static void recommend(struct sweep *s, const char *ended)
{
    const struct sweep_row *best = NULL;

    for (size_t i = 0; i < s->row_count; i++) {
        const struct sweep_row *row = &s->rows[i];

        if (is_admissible(s, row) && (!best || row->requests_per_s > best->requests_per_s)) {
            best = row;
        }
    }
    for (size_t i = 0; best && i < s->row_count && !s->recommended; i++) {
        const struct sweep_row *row = &s->rows[i];

        if (is_admissible(s, row) &&
            row->requests_per_s >= (1 - SWEEP_GAIN_MIN) * best->requests_per_s) {
            s->recommended = row->cap;
        }
    }
    if (s->recommended) {
        snprintf(s->why, sizeof s->why, "%s; %u is the smallest within 5 %% of the best rate",
                 ended, s->recommended);
    } else {
        snprintf(s->why, sizeof s->why, "%s; no cap can be recommended", ended);
    }
}

static void end_step(struct sweep *s, uint64_t now_us)
{
    char why[64];

    s->rows[s->row_count] = read_row(s);
    s->row_count++;
    if (has_seen_enough(s, why)) {
        s->is_active = false;
        recommend(s, why);
    } else {
        begin_step(s, now_us);
    }
}

/* A second or a little more is over: what was done in it, for the interval. */
static void close_second(struct sweep_meter *m, uint64_t now_us)
{
    double work = m->work + m->flying_work;
    double per_s = (work - m->work_told) * (double)US_PER_S / (double)(now_us - m->second_us);

    m->sum += per_s;
    m->square_sum += per_s * per_s;
    m->seconds++;
    m->second_us = now_us;
    m->work_told = work;
    m->busy_told_us = m->busy_us + m->flying_us;
}

/* One refusal of a few answers may be chance: three are not, nor is what three seconds have not outweighed. */
static bool is_refused(const struct sweep_meter *m, uint64_t now_us)
{
    return throttled_part(m) > SWEEP_THROTTLED_MAX &&
           (m->throttled >= SWEEP_REFUSALS || now_us >= m->refused_us + SWEEP_REFUSED_US);
}

/* What was refused in its ramp has no second to tell of: its rate is that of the ramp. */
static void measure_ramp(struct sweep_meter *m, uint64_t now_us)
{
    m->from_us = m->entered_us;
    m->second_us = m->from_us;
    m->counted = m->ended - m->throttled;
    m->work = m->counted;
    m->busy_us = m->ramp_us;
    if (now_us > m->second_us) {
        close_second(m, now_us);
    }
}

static void begin_measuring(struct sweep_meter *m, uint64_t now_us)
{
    unsigned well = m->ended - m->throttled;

    m->from_us = m->second_us = now_us;
    m->ramp_mean_us = well ? m->ramp_us / well : 0;
    hist_reset(&m->latency);
}

bool sweep_step(struct sweep *s, uint64_t now_us)
{
    struct sweep_meter *m = &s->meter;
    bool is_enough;

    if (!s->is_active) {
        return false;
    }
    if (!m->from_us && is_refused(m, now_us)) {
        measure_ramp(m, now_us);
        end_step(s, now_us);
        return true;
    }
    if (!m->from_us) {
        if (m->ended >= sweep_cap(s) && now_us >= m->entered_us + US_PER_S) {
            begin_measuring(m, now_us);
        }
        return false;
    }
    if (sweep_wants_flights(s, now_us)) {
        close_second(m, now_us);
    }
    m->flying_work = m->flying_us = 0;
    is_enough = (m->seconds >= SWEEP_SECONDS_MIN && interval_part(m) <= SWEEP_INTERVAL) ||
                now_us >= m->from_us + SWEEP_STEP_MAX_US;
    if (!is_enough && !is_refused(m, now_us)) {
        return false;
    }
    end_step(s, now_us);
    return true;
}

void sweep_end(struct sweep *s, uint64_t now_us)
{
    if (!s->is_active) {
        return;
    }
    if (!s->meter.from_us && is_refused(&s->meter, now_us)) {
        measure_ramp(&s->meter, now_us);
    }
    if (s->meter.seconds >= 2 || is_refused(&s->meter, now_us)) {
        s->rows[s->row_count] = read_row(s);
        s->row_count++;
    }
    s->is_active = false;
    recommend(s, "the job ended first");
}

double sweep_speedup(const struct sweep *s)
{
    double alone = 0;

    if (!s->recommended || !s->rows[0].mean_us) {
        return 0;
    }
    /* Cap 1 as it was measured, or as the latency at the lowest cap promises. */
    alone = s->rows[0].cap == 1 ? s->rows[0].requests_per_s : 1e6 / (double)s->rows[0].mean_us;
    for (size_t i = 0; i < s->row_count; i++) {
        if (s->rows[i].cap == s->recommended && alone > 0) {
            /* So many in flight give no more than so many times one: the rest is chance. */
            return fmin(s->rows[i].requests_per_s / alone, s->recommended);
        }
    }
    return 0;
}
