#include "engine/pace.h"

#include "engine/core.h"
#include "engine/descriptors.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/http_version.h"
#include "engine/ladder.h"
#include "engine/metrics.h"
#include "engine/proxy_watch.h"
#include "engine/refusal.h"
#include "engine/sweep.h"
#include "plan/host_silence.h"
#include "plan/quota.h"
#include "plan/twin.h"

#include <stdio.h>

void pace_init(struct engine *e, uint64_t now_us)
{
    const struct job_pace *pace = &e->job->pace;

    ladder_init(&e->pace.ladder, e->pace.cap, now_us);
    tuner_init(&e->pace.tuner, e->pace.cap, job_cap_max(&e->job->pace), now_us);
    e->pace.auto_on = pace->is_auto;
    if (e->options.sweep) {
        e->pace.cap = e->pace.cap_before = e->metrics.cap_max = e->options.sweep->caps[0];
        ladder_init(&e->pace.ladder, e->pace.cap, now_us);
    }
}

/* Said once, before it shows: a cap that cannot be reached is a wish. */
void pace_tell_files(struct engine *e)
{
    if (e->pace.cap > e->pace.connections_max) {
        events_add(&e->events, EVENT_WARNING, "files", ",\"code\":\"W-RES1\"",
                   "cap %u, but only %u files may be open: at most %u at once (ulimit -n raises "
                   "it) [W-RES1]",
                   e->pace.cap, descriptors_max(), e->pace.connections_max);
    }
}

bool pace_change_cap(struct engine *e, unsigned cap, const char *why)
{
    unsigned before = e->pace.cap;
    size_t in_flight = fetch_in_flight(e->fetch);
    uint64_t now_us = engine_now_us(e);
    char fields[64];

    if (cap == before) {
        return false;
    }
    ladder_tick(&e->pace.ladder, pace_is_under_way(e), now_us);
    ladder_enter(&e->pace.ladder, cap, now_us);
    e->pace.cap = cap;
    e->pace.cap_before = cap < in_flight ? before : cap;
    if (cap > e->metrics.cap_max) {
        e->metrics.cap_max = cap;
    }
    snprintf(fields, sizeof fields, ",\"from\":%u,\"cap\":%u", before, cap);
    events_add(&e->events, EVENT_NOTICE, "cap", fields, "%s", why);
    metrics_tick(&e->metrics, now_us, cap, (unsigned)in_flight);
    return true;
}

void pace_set_auto(struct engine *e, bool on)
{
    e->pace.auto_on = on;
    tuner_init(&e->pace.tuner, e->pace.cap, job_cap_max(&e->job->pace), engine_now_us(e));
    e->pace.is_kept_back = true; /* the round begins now */
    events_add(&e->events, EVENT_NOTICE, "auto", on ? ",\"on\":true" : ",\"on\":false",
               on ? "auto on: cap %u, at most %u" : "auto off: cap %u stays", e->pace.cap,
               e->pace.tuner.cap_max);
}

/* Time that a cap should not be blamed for does not count for it. */
bool pace_is_under_way(const struct engine *e)
{
    switch (e->limits.now) {
    case LIMIT_HOLD:
    case LIMIT_TROUBLE:
    case LIMIT_ALL_WAITING:
    case LIMIT_PAUSED:
    case LIMIT_DRAINING:
    case LIMIT_DISK:
    case LIMIT_AUTH:
    case LIMIT_ROUND:
    case LIMIT_FLEET:
        return false;
    default:
        return engine_is_active(e);
    }
}

/* Once for every pump: what kept the last one back was not the controller's cap. */
void pace_note_limit(struct engine *e)
{
    e->pace.is_kept_back |= e->limits.now != LIMIT_CAP && e->limits.now != LIMIT_NONE;
}

void pace_tune(struct engine *e, uint64_t now_us)
{
    if (!e->pace.auto_on || e->phase != ENGINE_RUNNING ||
        !tuner_step(&e->pace.tuner, e->pace.is_kept_back, now_us)) {
        e->pace.is_kept_back = false;
        return;
    }
    e->pace.is_kept_back = false;
    pace_change_cap(e, e->pace.tuner.cap, e->pace.tuner.reason);
}

void pace_note_no_memory(struct engine *e, uint64_t now_us)
{
    if (fetch_in_flight(e->fetch)) {
        e->pace.no_memory_since_us = 0;
    } else if (!e->pace.no_memory_since_us) {
        e->pace.no_memory_since_us = now_us;
    } else if (now_us - e->pace.no_memory_since_us >= PACE_NO_MEMORY_US) {
        engine_stop_for(e, "E-MEM1",
                        "out of memory: no request could be asked for 10 s, and none is in flight");
    }
}

void pace_started(struct engine *e, struct request *request, uint64_t now_us)
{
    request->crowd = (uint32_t)fetch_in_flight(e->fetch);
    if (now_us - e->pace.starts_since_us >= US_PER_S) {
        e->pace.starts_since_us = now_us;
        e->pace.starts = 0;
    }
    if (++e->pace.starts > e->pace.starts_peak) {
        e->pace.starts_peak = e->pace.starts;
    }
}

/* --- answers ------------------------------------------------------------------------------------ */

void pace_quota_answer(struct engine *e, const struct answer *a)
{
    const struct response *response = a->response;
    struct host *host = host_at(&e->hosts, a->host);
    struct quota quota = refusal_read_quota(e, response);
    struct bucket *bucket;
    struct allowance_answer answer = {
        .refused = response->status == 429 ||
                   ((response->status == 403 || response->status == 503) && quota_is_spent(&quota)),
        .latency_us = a->ended_us - a->started_us,
    };
    uint64_t before;

    if (a->status == 0 || a->is_asleep || a->outcome == OUTCOME_PROXY ||
        proxy_has_left(e, response)) {
        return; /* nobody answered, or what was said is the proxy's own or of one that the host has left */
    }
    if (quota.resource.len) {
        host_names_resource(host, response->request, quota.resource);
    }
    bucket = host_bucket(host, response->request);
    before = bucket->allowance.concurrent;
    answer.newer = host_newer_than(host, response->request);
    allowance_tell(&bucket->allowance, &quota, &answer, a->ended_us);
    if (bucket->allowance.concurrent != before) {
        events_add_host(&e->events, EVENT_NOTICE, "quota", host->label, "",
                        "%.*s allows %llu at once", STR_ARG(host->label),
                        (unsigned long long)bucket->allowance.concurrent);
    }
}

static enum host_end end_of_status(struct engine *e, struct host *host,
                                   const struct response *response)
{
    return refusal_is(e, host, response) ? HOST_END_REFUSED
           : response->status >= 500     ? HOST_END_BROKEN
                                         : HOST_END_WELL;
}

/* What the attempt says of its host: a status is an answer, whatever it is. */
static enum host_end end_of(struct engine *e, struct host *host, const struct response *response)
{
    if (http_version_changes(e, response)) {
        return HOST_END_OURS;
    }
    switch (response->outcome) {
    case OUTCOME_STATUS:
        return end_of_status(e, host, response);
    case OUTCOME_DNS:
    case OUTCOME_TLS:
        return HOST_END_HOPELESS;
    case OUTCOME_CONNECT:
        return response->calm_down ? HOST_END_REFUSED : HOST_END_SILENT;
    case OUTCOME_TIMEOUT:
        return response->status ? HOST_END_BROKEN : HOST_END_SILENT;
    case OUTCOME_SHORT_BODY:
    case OUTCOME_ENCODING:
    case OUTCOME_PROTOCOL:
        return response->calm_down ? HOST_END_REFUSED : HOST_END_BROKEN;
    case OUTCOME_REFUSED:
    case OUTCOME_LOCAL:
    case OUTCOME_CANCELLED:
    case OUTCOME_DROPPED:
    case OUTCOME_PROXY:
        return HOST_END_OURS;
    default:
        return HOST_END_WELL;
    }
}

static void tell_news(struct engine *e, const struct host *host, const struct response *response,
                      enum host_news news)
{
    const struct host *origin = host_origin(host);
    struct str label = twin_origin_label(origin);
    char length[UNITS_TEXT_MAX], fields[96];

    switch (news) {
    case HOST_NEWS_NONE:
        break;
    case HOST_NEWS_DOWN:
        units_format_time(origin->down_due.wait_us, length);
        snprintf(fields, sizeof fields, ",\"failures\":%u,\"wait_ms\":%llu", origin->silent_in_row,
                 (unsigned long long)(origin->down_due.wait_us / US_PER_MS));
        events_add_host(&e->events, EVENT_WARNING, "breaker", label, fields,
                        "%.*s does not answer, %u times in a row: %.110s; next probe in %s",
                        STR_ARG(label), origin->silent_in_row, response->reason, length);
        break;
    case HOST_NEWS_UP:
        events_add_host(&e->events, EVENT_NOTICE, "up", label, "", "%.*s answers again",
                        STR_ARG(label));
        break;
    case HOST_NEWS_TROUBLE:
        events_add_host(
            &e->events, EVENT_WARNING, "trouble", host->label, "",
            "%.*s: different URLs fail in a row (%.60s): %u at once until one goes well",
            STR_ARG(host->label), response->reason, LANE_TROUBLE_WINDOW);
        break;
    }
}

#define SENT_AGAIN_MAX 8 /* that count */

void pace_sent_again(struct engine *e, const struct response *response)
{
    uint64_t now_us = engine_now_us(e);

    for (unsigned n = 1; n < response->sends && n <= SENT_AGAIN_MAX; n++) {
        pacer_start(&e->pace.pacer, now_us);
        pacer_start(&host_origin(host_at(&e->hosts, response->request->host))->pacer, now_us);
    }
}

void pace_ended(struct engine *e, struct host *host, const struct response *response, bool asleep,
                bool is_limit, uint64_t now_us)
{
    const struct request *request = response->request;
    enum host_end end = asleep     ? HOST_END_OURS
                        : is_limit ? HOST_END_REFUSED
                                   : end_of(e, host, response);

    if (end == HOST_END_SILENT || end == HOST_END_HOPELESS) {
        host_note_silence(host, response->outcome, response->reason);
    }
    tell_news(e, host, response, host_ended(&e->hosts, host, request, end, now_us));
}

void pace_tuner_answer(struct engine *e, const struct answer *a)
{
    struct tuner_sample sample = {
        .end = TUNER_WELL,
        .started_us = a->started_us,
        .latency_us = a->ended_us - a->started_us,
        .crowd = a->crowd,
    };

    if (a->is_asleep) {
        return;
    }
    if (a->outcome == OUTCOME_TIMEOUT) {
        sample.end = TUNER_FAILED;
    } else if (a->status == 0 || a->throttled || a->status >= 500) {
        return; /* what is broken or refused says nothing about speed */
    }
    tuner_note(&e->pace.tuner, &sample);
}
