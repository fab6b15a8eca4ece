#include "engine/metrics.h"

#include "base/clock.h"

#include <math.h>

void metrics_init(struct metrics *m, uint64_t now_us)
{
    *m = (struct metrics){ .started_us = now_us, .second_began_us = now_us };
}

static void close_second(struct metrics *m, unsigned cap, unsigned in_flight)
{
    const struct snapshot_second *last = metrics_second(m, 0);

    m->second.cap = cap;
    m->second.in_flight = in_flight;
    m->second.p95_ms = (uint32_t)(hist_percentile_us(&m->recent, 95) / US_PER_MS);
    m->second.cap_changed = last && last->cap != cap;
    m->ring[m->ring_at] = m->second;
    m->ring_at = (m->ring_at + 1) % SNAPSHOT_SECONDS;
    if (m->ring_count < SNAPSHOT_SECONDS) {
        m->ring_count++;
    }
    m->second = (struct snapshot_second){ 0 };
    if (m->recent.count) {
        hist_reset(&m->recent);
    }
}

void metrics_tick(struct metrics *m, uint64_t now_us, unsigned cap, unsigned in_flight)
{
    if (now_us > m->second_began_us + SNAPSHOT_SECONDS * US_PER_S) {
        /* The machine slept: one pass over the ring is as much as anybody can see. */
        m->second_began_us = now_us - SNAPSHOT_SECONDS * US_PER_S;
    }
    while (now_us >= m->second_began_us + US_PER_S) {
        close_second(m, cap, in_flight);
        m->second_began_us += US_PER_S;
    }
}

void metrics_count_mix(struct snapshot_status_mix *mix, int status)
{
    if (status == 429) {
        mix->throttled++;
    } else if (status >= 500) {
        mix->server_error++;
    } else if (status >= 400) {
        mix->client_error++;
    } else if (status >= 300) {
        mix->redirect++;
    } else if (status >= 200) {
        mix->ok++;
    } else {
        mix->network++;
    }
}

void metrics_answer(struct metrics *m, const struct answer *a)
{
    unsigned again = a->sends > 1 + a->challenges ? a->sends - 1 - a->challenges : 0;
    unsigned refused = a->refusals < again ? a->refusals : again;
    int status = a->status;

    m->attempts += a->sends > 1 ? a->sends : 1;
    m->refused_streams += refused;
    m->resent += again - refused;
    m->reused += a->is_reused;
    m->bytes += a->wire_bytes;
    m->second.bytes += a->wire_bytes;
    m->second.throttled += status == 429;
    m->status[status > 0 && status < METRICS_STATUS_MAX ? status : 0]++;
    metrics_count_mix(&m->mix, a->outcome == OUTCOME_OK || a->outcome == OUTCOME_STATUS ||
                                       a->outcome == OUTCOME_REDIRECT
                                   ? status
                                   : 0);
    if (status > 0) {
        hist_record(&m->latency, a->latency_us);
        hist_record(&m->recent, a->latency_us);
    }
}

void metrics_settled(struct metrics *m, bool ok)
{
    if (ok) {
        m->ok++;
        m->second.done++;
    } else {
        m->failed++;
        m->second.failed++;
    }
}

void metrics_mark(struct metrics *m)
{
    m->second.marked = true;
}

const struct snapshot_second *metrics_second(const struct metrics *m, size_t back)
{
    if (back >= m->ring_count) {
        return NULL;
    }
    return &m->ring[(m->ring_at + SNAPSHOT_SECONDS - 1 - back) % SNAPSHOT_SECONDS];
}

double metrics_rate(const struct metrics *m, size_t seconds)
{
    uint64_t settled = 0;
    size_t n = seconds < m->ring_count ? seconds : m->ring_count;

    for (size_t i = 0; i < n; i++) {
        const struct snapshot_second *s = metrics_second(m, i);

        settled += s->done + s->failed;
    }
    return n ? (double)settled / (double)n : 0;
}

double metrics_rate_now(const struct metrics *m, uint64_t latency_us)
{
    uint64_t wave_s = 2 * latency_us / US_PER_S;
    size_t quick_s = METRICS_RATE_QUICK_S + (wave_s < 60 ? (size_t)wave_s : 60);
    double usual = metrics_rate(m, METRICS_RATE_WINDOW_S), now;

    if (quick_s >= METRICS_RATE_WINDOW_S) {
        return metrics_rate(m, quick_s);
    }
    now = metrics_rate(m, quick_s);
    /* Of events that come at random as many are expected, give or take three times the square root. */
    return fabs(now - usual) * (double)quick_s > 3 * sqrt(usual * (double)quick_s) + 1 ? now
                                                                                       : usual;
}

double metrics_byte_rate(const struct metrics *m, size_t seconds)
{
    uint64_t bytes = 0;
    size_t n = seconds < m->ring_count ? seconds : m->ring_count;

    for (size_t i = 0; i < n; i++) {
        bytes += metrics_second(m, i)->bytes;
    }
    return n ? (double)bytes / (double)n : 0;
}
