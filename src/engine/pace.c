/*
 * Pace: what answers tell about how fast their hosts may be asked, handed to those who keep account of
 * it (the host's allowance, budget and breaker; the controller; the ladder), and what follows.
 */
#include "engine/engine_state.h"
#include "plan/quota.h"

#include <stdio.h>

#define QUOTA_FIELDS_MAX 32

void pace_init(struct engine *e, uint64_t now_us)
{
    const struct job_pace *pace = &e->job->pace;

    ladder_init(&e->ladder, e->cap, now_us);
    pacer_init(&e->auto_pacer, (struct rate){ 0 });
    tuner_init(&e->tuner, e->cap, pace_cap_max(e), now_us);
    e->auto_on = pace->is_auto;
    if (e->options.sweep) {
        e->cap = e->cap_before = e->metrics.cap_max = e->options.sweep->caps[0];
        ladder_init(&e->ladder, e->cap, now_us);
    }
}

/* Said once, before it shows: a cap that cannot be reached is a wish. */
void pace_tell_files(struct engine *e)
{
    if (e->cap > e->connections_max) {
        events_add(&e->events, EVENT_WARNING, "files", ",\"code\":\"W-RES1\"",
                   "cap %u, but only %u files may be open: at most %u at once (ulimit -n raises "
                   "it) [W-RES1]",
                   e->cap, limit_open_files(), e->connections_max);
    }
}

unsigned pace_cap_max(const struct engine *e)
{
    const struct job_pace *pace = &e->job->pace;

    return pace->cap_max                  ? pace->cap_max
           : pace->cap > JOB_CAP_AUTO_MAX ? pace->cap
                                          : JOB_CAP_AUTO_MAX;
}

bool pace_change_cap(struct engine *e, unsigned cap, const char *why)
{
    unsigned before = e->cap;
    size_t in_flight = fetch_in_flight(e->fetch);
    uint64_t now_us = engine_now_us(e);
    char fields[64];

    if (cap == before) {
        return false;
    }
    ladder_tick(&e->ladder, pace_is_under_way(e), now_us);
    ladder_enter(&e->ladder, cap, now_us);
    e->cap = cap;
    e->cap_before = cap < in_flight ? before : cap;
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
    e->auto_on = on;
    pacer_set_rate(&e->auto_pacer, (struct rate){ 0 });
    tuner_init(&e->tuner, e->cap, pace_cap_max(e), engine_now_us(e));
    e->tuner_kept_back = true; /* the round begins now */
    events_add(&e->events, EVENT_NOTICE, "auto", on ? ",\"on\":true" : ",\"on\":false",
               on ? "auto on: cap %u, at most %u" : "auto off: cap %u stays", e->cap,
               e->tuner.cap_max);
}

/* Time that a cap should not be blamed for does not count for it. */
bool pace_is_under_way(const struct engine *e)
{
    switch (e->limit) {
    case LIMIT_HOLD:
    case LIMIT_ALL_WAITING:
    case LIMIT_PAUSED:
    case LIMIT_DRAINING:
    case LIMIT_DISK:
    case LIMIT_AUTH:
    case LIMIT_ROUND:
        return false;
    default:
        return engine_is_active(e);
    }
}

/* Once for every pump: what kept the last one back was neither the controller's cap nor its rate. */
void pace_note_limit(struct engine *e, uint64_t now_us)
{
    bool by_rate = e->limit == LIMIT_RATE && pacer_wait_us(&e->auto_pacer, now_us) > 0;

    e->tuner_kept_back |= e->limit != LIMIT_CAP && e->limit != LIMIT_NONE && !by_rate;
}

/* Written down once it has stood for a second: a run changes its limit with every answer. */
void pace_tell_limit(struct engine *e, uint64_t now_us)
{
    char fields[128], words[LIMIT_TEXT_MAX];
    struct snapshot_limit limited;

    limit_fill(e, now_us, &limited);
    if (e->limit_ticked_us) {
        e->limit_us[limited.kind] += now_us - e->limit_ticked_us;
    }
    e->limit_ticked_us = now_us;
    if (limit_is_same(&limited, &e->limit_told)) {
        e->limit_since_us = now_us;
        return;
    }
    if (now_us - e->limit_since_us < US_PER_S) {
        return;
    }
    e->limit_told = limited;
    e->limit_since_us = now_us;
    limit_words(&limited, NULL, words);
    snprintf(fields, sizeof fields, ",\"limit\":\"%s\",\"by\":\"%s\"", run_limit_word(limited.kind),
             limited.due.by ? due_by_word(limited.due.by) : limit_by_word(limited.by));
    events_note(&e->events, "limit", fields, words);
}

void pace_tune(struct engine *e, uint64_t now_us)
{
    double rate;

    if (!e->auto_on || e->phase != ENGINE_RUNNING ||
        !tuner_step(&e->tuner, e->tuner_kept_back, now_us)) {
        e->tuner_kept_back = false;
        return;
    }
    e->tuner_kept_back = false;
    rate = e->tuner.rate;
    pacer_set_rate(&e->auto_pacer, (struct rate){ rate, rate > 0 ? US_PER_S : 0 });
    if (!pace_change_cap(e, e->tuner.cap, e->tuner.reason)) {
        events_add(&e->events, EVENT_NOTICE, "rate", "", "%s", e->tuner.reason);
    }
}

void pace_started(struct engine *e, struct request *request, uint64_t now_us)
{
    request->crowd = (uint32_t)fetch_in_flight(e->fetch);
    pacer_start(&e->auto_pacer, now_us);
    if (now_us - e->starts_since_us >= US_PER_S) {
        e->starts_since_us = now_us;
        e->starts = 0;
    }
    if (++e->starts > e->starts_peak) {
        e->starts_peak = e->starts;
    }
}

/* --- answers ------------------------------------------------------------------------------------ */

struct quota pace_read_quota(const struct response *response)
{
    struct quota_field fields[QUOTA_FIELDS_MAX];
    struct quota_field field;
    struct quota quota;
    size_t count = 0, at = 0;

    while (count < QUOTA_FIELDS_MAX &&
           response_header_next(response, &at, &field.name, &field.value)) {
        if (quota_is_field(field.name) || str_equal(field.name, STR("date"))) {
            fields[count++] = field;
        }
    }
    quota_read(fields, count, response->fetched_at_us, &quota);
    return quota;
}

static void note_quota(struct engine *e, struct host *host, const struct response *response,
                       uint64_t now_us)
{
    struct quota quota = pace_read_quota(response);
    uint64_t before = host->allowance.concurrent;
    struct allowance_answer answer = {
        .refused = response->status == 429 ||
                   ((response->status == 403 || response->status == 503) && quota_is_spent(&quota)),
        .newer = host->starts - response->request->host_start,
        .latency_us = now_us - response->request->since_us,
    };

    if (response->status == 0) {
        return; /* nobody answered */
    }
    allowance_tell(&host->allowance, &quota, &answer, now_us);
    if (host->allowance.concurrent != before) {
        events_add(&e->events, EVENT_NOTICE, "quota", "", "%.*s allows %llu at once",
                   STR_ARG(host->label), (unsigned long long)host->allowance.concurrent);
    }
}

/* No connection, no answer in time, or one that says that the server is broken: what may pass. A bad
 * certificate will not, so nobody waits for that; a 503 with a deadline is heeded as such. */
static bool is_host_failure(const struct response *response)
{
    switch (response->outcome) {
    case OUTCOME_DNS:
    case OUTCOME_CONNECT:
    case OUTCOME_TIMEOUT:
        return true;
    case OUTCOME_STATUS:
        return response->status >= 500 && !response_header(response, STR("retry-after")).data;
    default:
        return false;
    }
}

static void note_failure(struct engine *e, struct host *host, uint64_t now_us)
{
    uint64_t length_us = e->job->retry.backoff_cap_us;
    char length[UNITS_TEXT_MAX];

    if (e->hosts.work_left <= HOST_BREAKER_FAILURES) {
        return; /* nothing to be spared: the last few use up their tries, each with its own wait */
    }
    length_us = length_us < HOST_BREAKER_US ? length_us : HOST_BREAKER_US;
    if (!host_note_failure(host, length_us, now_us)) {
        return;
    }
    units_format_time(length_us, length);
    events_add(&e->events, EVENT_WARNING, "breaker", "",
               "%.*s: %u failures in a row, one probe in %s", STR_ARG(host->label),
               host->failures_in_row, length);
}

/* Refusals of a host that few of the requests go to are answered by its own hold: no reason to slow
 * down the others. */
static bool is_main_host(const struct engine *e, const struct host *host)
{
    return 2 * (host->in_flight + 1) >= fetch_in_flight(e->fetch);
}

static void note_for_tuner(struct engine *e, const struct host *host,
                           const struct response *response, uint64_t now_us)
{
    const struct request *request = response->request;
    struct tuner_sample sample = {
        .end = TUNER_WELL,
        .started_us = request->since_us,
        .latency_us = now_us - request->since_us,
        .crowd = request->crowd,
    };

    if (response->status == 429 || response->calm_down) {
        sample.end = TUNER_REFUSED;
    } else if (response->outcome == OUTCOME_TIMEOUT || response->status == 503) {
        sample.end = TUNER_FAILED;
    } else if (response->status == 0) {
        return; /* what is broken elsewhere says nothing about speed */
    }
    if (sample.end == TUNER_WELL || is_main_host(e, host)) {
        tuner_note(&e->tuner, &sample, now_us);
    }
}

void pace_answered(struct engine *e, struct host *host, const struct response *response,
                   uint64_t now_us)
{
    const struct request *request = response->request;

    ladder_note(&e->ladder, request->since_us, response->status ? response->timing.total_us : 0,
                response->status == 429);
    if (e->sweep) {
        sweep_note(e->sweep, request->since_us, response->status ? response->timing.total_us : 0,
                   response->status == 429);
    }
    note_for_tuner(e, host, response, now_us);
    note_quota(e, host, response, now_us);
    if (is_host_failure(response)) {
        note_failure(e, host, now_us);
    } else if (request->attempt > 1 && response->outcome == OUTCOME_OK) {
        retry_budget_success(&host->budget, now_us);
    }
}
