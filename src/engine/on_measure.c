#include "engine/on_measure.h"

#include "engine/answer.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "plan/host_hold.h"

bool on_measure_counts(const struct on_rule *rule, const struct answer *answer)
{
    unsigned status = answer->status > 0 ? (unsigned)answer->status : 0;

    switch (rule->measure) {
    case ON_STATUS:
        return status >= rule->low && status <= rule->high;
    case ON_REFUSED:
        return status == 403 || status == 429 || status == 503;
    case ON_NETWORK:
        return status == 0;
    case ON_RETRIED:
        return answer->response->request->attempt > 1;
    default:
        return false;
    }
}

static double hosts_held(const struct engine *e, uint64_t now_us)
{
    double held = 0;

    for (uint32_t i = 0; i < e->hosts.count; i++) {
        const struct host *host = e->hosts.hosts[i];

        held += host->origin[0] && host->refs && host_hold(host, now_us).until_us > now_us;
    }
    return held;
}

/* Since then; nothing has to have been there before. */
static double since(uint64_t then_us, uint64_t now_us)
{
    return now_us > then_us ? (double)(now_us - then_us) : 0;
}

/* When somebody last heard something: the last answer, or the start. */
static uint64_t heard_us(const struct engine *e)
{
    return e->on.answered_us ? e->on.answered_us : e->metrics.started_us;
}

uint64_t on_measure_pause_us(const struct engine *e, uint64_t now_us)
{
    uint64_t from_us = e->on.paused_at_us;

    if (!from_us) {
        return 0;
    }
    from_us = from_us > heard_us(e) ? from_us : heard_us(e);
    return now_us > from_us ? now_us - from_us : 0;
}

static bool value_now(const struct engine *e, enum on_measure measure, const struct snapshot *s,
                      uint64_t now_us, double *value)
{
    uint64_t began_us = e->metrics.started_us;

    switch (measure) {
    case ON_IN_FLIGHT:
        *value = (double)s->in_flight;
        return true;
    case ON_QUEUE:
        *value = (double)s->queued;
        return true;
    case ON_WAITING:
        *value = (double)s->waiting;
        return true;
    case ON_HELD:
        *value = hosts_held(e, now_us);
        return true;
    case ON_CAP:
        *value = s->cap;
        return true;
    case ON_DISK_FREE:
        *value = (double)s->disk_free_bytes;
        return s->disk_free_bytes > 0 || s->storage_trouble;
    case ON_RSS:
        *value = (double)s->rss_bytes;
        return s->rss_bytes > 0;
    case ON_LOOP_LAG:
        *value = (double)s->loop_lag_p99_us;
        return true;
    case ON_ETA:
        *value = (double)s->eta_high_us;
        return s->eta_known;
    case ON_IDLE:
        *value = since(heard_us(e) + e->on.rested_us + on_measure_pause_us(e, now_us), now_us);
        return true;
    case ON_PAUSED:
        *value = since(e->on.paused_at_us, now_us);
        return e->on.paused_at_us > 0;
    case ON_ELAPSED:
        *value = since(began_us, now_us);
        return true;
    case ON_DONE_TOTAL:
        *value = (double)s->ok;
        return true;
    case ON_FAILED_TOTAL:
        *value = (double)s->failed;
        return true;
    case ON_BYTES_TOTAL:
        *value = (double)s->bytes;
        return true;
    default:
        return false;
    }
}

bool on_measure_value(struct engine *e, struct on_watched *w, const struct snapshot *now,
                      uint64_t now_us, double *value)
{
    if (on_measures[w->rule.measure].kind != ON_KIND_NOW) {
        return on_counts_value(&w->counts, &w->rule, now_us, value);
    }
    return now && value_now(e, w->rule.measure, now, now_us, value);
}
