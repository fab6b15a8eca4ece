#include "engine/snapshot_fill.h"

#include "engine/core.h"
#include "engine/cpu.h"
#include "engine/descriptors.h"
#include "engine/detail.h"
#include "engine/discover.h"
#include "engine/endpoint_stats.h"
#include "engine/engine.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/failed_recent.h"
#include "engine/feed.h"
#include "engine/ladder.h"
#include "engine/limit.h"
#include "engine/login.h"
#include "engine/metrics.h"
#include "engine/pace_sweep.h"
#include "engine/poll.h"
#include "engine/proxy_watch.h"
#include "engine/report_endpoints.h"
#include "engine/report_rules.h"
#include "engine/sample.h"
#include "engine/snapshot.h"
#include "engine/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COPY(field, text) snprintf(field, sizeof(field), "%s", text)
#define COPY_STR(field, s) snprintf(field, sizeof(field), "%.*s", STR_ARG(s))

#define NETWORK_DOWN_FAILURES 3

/* --- lists -------------------------------------------------------------------------------------- */

struct filling {
    struct engine *engine;
    struct snapshot *snapshot;
    uint64_t now_us;
};

static bool add_flight(void *context, const struct fetch_row *row)
{
    static const enum flight_state states[] = {
        [FETCH_DNS] = FLIGHT_DNS,   [FETCH_CONNECT] = FLIGHT_CONNECT, [FETCH_TLS] = FLIGHT_TLS,
        [FETCH_WAIT] = FLIGHT_WAIT, [FETCH_RECEIVE] = FLIGHT_RECEIVE,
    };
    struct filling *f = context;
    const struct request *r = row->request;
    struct snapshot_flight *flight;

    if (f->snapshot->flight_count == SNAPSHOT_FLIGHTS_MAX) {
        return false;
    }
    flight = &f->snapshot->flights[f->snapshot->flight_count++];
    flight->id = r->id;
    flight->state = states[row->phase];
    flight->attempt = r->attempt;
    flight->attempts_max = f->engine->job->retry.attempts;
    flight->age_us = f->now_us > r->since_us ? f->now_us - r->since_us : 0;
    flight->body_bytes = row->body_bytes;
    flight->first_byte_us = row->first_byte_us;
    flight->status = row->status;
    COPY_STR(flight->host, host_at(&f->engine->hosts, r->host)->label);
    engine_request_text(f->engine, r, flight->request);
    COPY_STR(flight->key, r->key);
    return true;
}

static void add_waits(struct filling *f)
{
    const struct request *list[SNAPSHOT_WAITS_MAX];
    size_t count = frontier_waits(f->engine->frontier, list, SNAPSHOT_WAITS_MAX);

    for (size_t i = 0; i < count; i++) {
        const struct request *r = list[i];
        const struct host *host = host_at(&f->engine->hosts, r->host);
        struct snapshot_wait *wait = &f->snapshot->waits[i];
        uint64_t due_us;
        const struct due *due = limit_due_of(r, host, f->now_us, &due_us);

        wait->id = r->id;
        wait->due_in_us = due_us == TIME_NEVER ? UINT64_MAX
                          : due_us > f->now_us ? due_us - f->now_us
                                               : 0;
        wait->attempt = r->attempt;
        wait->attempts_max = f->engine->job->retry.attempts;
        wait->why = r->last.failure;
        wait->due = *due;
        engine_reason_text(f->engine, r, wait->reason, sizeof wait->reason);
        if (due->host[0] && wait->due_in_us) {
            COPY(wait->host, due->host);
        } else {
            COPY_STR(wait->host, host->label);
        }
        wait->kept_by = wait->due_in_us ? LIMIT_NONE : limit_of_ready(f->engine, r, f->now_us);
        engine_request_text(f->engine, r, wait->request);
        COPY_STR(wait->key, r->key);
    }
    f->snapshot->wait_count = count;
}

static void count_wait(void *context, const struct request *request)
{
    struct snapshot *s = context;
    const struct last_try *last = &request->last;

    if (last->calm_down || last->status == 429) {
        s->wait_mix.throttled++;
    } else if (last->failure.class != FAILURE_STATUS && last->failure.class != FAILURE_NO_RECORDS &&
               last->failure.class != FAILURE_RULE) {
        s->wait_mix.network++;
    } else if (last->status >= 500) {
        s->wait_mix.server++;
    } else {
        s->wait_mix.other++;
    }
}

static bool is_busier(const struct host *a, const struct host *b)
{
    return a->in_flight != b->in_flight ? a->in_flight > b->in_flight : a->requests > b->requests;
}

static void add_host(struct filling *f, const struct host *host, const char *proxy,
                     struct snapshot_host *out)
{
    double wall_s = (double)(f->now_us - f->engine->metrics.started_us) / 1e6;
    const struct allowance *quota = &host_busiest_bucket(host)->allowance;
    struct host_hold hold = host_hold(host, f->now_us);

    *out = (struct snapshot_host){ .quota_left = -1, .quota_limit = -1 };
    if (allowance_is_of_now(quota, f->now_us)) {
        out->quota_left = (int64_t)quota->left;
        out->quota_limit = quota->limit ? (int64_t)quota->limit : -1;
        out->quota_reset_in_us = quota->reset_at_us - f->now_us;
    }
    COPY_STR(out->host, host->label);
    if (proxy) {
        COPY(out->proxy, proxy);
    }
    out->cap = host_cap(&f->engine->hosts, host, f->now_us);
    out->in_flight = host->in_flight;
    out->queued = host->ready_count;
    out->requests = host->requests;
    out->throttled = host->throttled;
    out->requests_per_s = wall_s > 0 ? (double)host->requests / wall_s : 0;
    if (host->hold_is_user) {
        out->hold_in_us = UINT64_MAX;
        out->due = (struct due){ .by = host->is_stopped ? DUE_SAME_ANSWER : DUE_USER };
    } else if (hold.due) {
        out->hold_in_us = hold.until_us - f->now_us;
        out->due = *hold.due;
    }
}

/* The busiest SNAPSHOT_HOSTS_MAX of perhaps thousands, by insertion. */
static void add_hosts(struct filling *f)
{
    const struct host *top[SNAPSHOT_HOSTS_MAX];
    uint32_t indices[SNAPSHOT_HOSTS_MAX];
    const struct host_table *table = &f->engine->hosts;
    size_t count = 0;

    for (uint32_t i = 0; i < table->count; i++) {
        const struct host *host = table->hosts[i];
        size_t at;

        if (!host->origin[0]) {
            continue;
        }
        if (count < SNAPSHOT_HOSTS_MAX) {
            at = count++;
        } else if (is_busier(host, top[count - 1])) {
            at = count - 1;
        } else {
            continue;
        }
        while (at > 0 && is_busier(host, top[at - 1])) {
            top[at] = top[at - 1];
            indices[at] = indices[at - 1];
            at--;
        }
        top[at] = host;
        indices[at] = i;
    }
    for (size_t i = 0; i < count; i++) {
        add_host(f, top[i], proxy_shown(f->engine, indices[i]), &f->snapshot->hosts[i]);
    }
    f->snapshot->host_count = count;
}

static void add_failures(struct filling *f)
{
    const struct engine *e = f->engine;

    for (size_t i = 0; i < e->failures.kind_count; i++) {
        const struct failure_kind *kind = &e->failures.kinds[i];
        struct snapshot_failure *out = &f->snapshot->failures[i];

        out->why = kind->why;
        COPY(out->example, kind->example);
        COPY(out->said, kind->said);
        out->example_id = kind->example_id;
        out->count = kind->count;
        out->last_ago_us = f->now_us - kind->last_us;
    }
    f->snapshot->failure_count = e->failures.kind_count;
}

/* Of an earlier session only the number is known until somebody looks. */
static void make_words(struct engine *e, struct failed_one *one)
{
    struct request *request = NULL;

    if (frontier_make(e->frontier, one->id, &request, NULL) == RESULT_OK && request) {
        engine_request_text(e, request, one->request);
        frontier_forget(e->frontier, request);
    } else {
        snprintf(one->request, sizeof one->request, "request %llu", (unsigned long long)one->id);
    }
}

static void add_failed_ones(struct filling *f)
{
    struct failed_one *one;
    size_t count = 0;

    while ((one = failed_recent_at(&f->engine->failures.recent, count))) {
        struct snapshot_failed *out = &f->snapshot->failed_ones[count++];

        if (!one->request[0]) {
            make_words(f->engine, one);
        }
        out->id = one->id;
        out->why = one->why;
        out->before = !one->at_us;
        out->ago_us = one->at_us ? f->now_us - one->at_us : 0;
        COPY(out->request, one->request);
        COPY(out->said, one->said);
    }
    f->snapshot->failed_one_count = count;
}

_Static_assert(SNAPSHOT_ENDPOINTS_MAX >= JOB_ENDPOINTS_MAX, "every endpoint has its line");

static void count_endpoint_wait(void *context, const struct request *request)
{
    struct filling *f = context;

    f->snapshot->endpoints[request->endpoint].waiting++;
}

/* What is known of an endpoint's pages while the run goes on; when all is settled, the ledger's word. */
static void add_pages(const struct engine *e, uint32_t endpoint, struct snapshot_endpoint *out)
{
    const struct page_account *pages = discover_account(e, endpoint);

    if (pages) {
        report_pages_words(pages, out->note, sizeof out->note);
    }
    if (e->job->endpoints[endpoint].pages.kind == JOB_PAGES_NONE) {
        return;
    }
    out->pages_known = true;
    if (pages) {
        out->pages_expected = pages->expected;
        out->pages_got = pages->got;
        out->pages_missing = page_account_missing(pages);
        out->pages_cut = pages->is_cut;
        out->listings = pages->listings;
        out->pages_end = pages->end;
        out->records = pages->records;
        out->records_missing = pages->records_missing;
        return;
    }
    out->pages_expected = discover_announced(e, endpoint);
    out->pages_got = out->done;
    out->pages_missing = out->failed;
}

/* One endpoint alone says no more than the header does. */
static void add_endpoints(struct filling *f)
{
    const struct engine *e = f->engine;
    struct snapshot *s = f->snapshot;
    size_t count = e->endpoint_stats.count;

    if (count < 2 && (!count || e->job->endpoints[0].pages.kind == JOB_PAGES_NONE)) {
        return;
    }
    s->endpoint_count = count;
    endpoint_stats_list(&e->endpoint_stats, s->endpoints);
    for (uint32_t i = 0; i < count; i++) {
        struct snapshot_endpoint *out = &s->endpoints[i];

        COPY(out->name, e->job->endpoints[i].name);
        out->planned = frontier_planned(e->frontier, i);
        out->rows = table_rows_of(e, i);
        add_pages(e, i, out);
    }
    frontier_each_wait(e->frontier, count_endpoint_wait, f);
}

static void add_events(struct filling *f)
{
    const struct snapshot_event *event;
    size_t count = 0;

    while ((event = events_at(&f->engine->events, count))) {
        f->snapshot->events[count++] = *event;
    }
    f->snapshot->event_count = count;
}

/* --- state ---------------------------------------------------------------------------------------- */

static bool is_writing_table(const struct snapshot *s)
{
    enum normalise_state state = s->normalise.state;

    return state == NORMALISE_COLUMNS || state == NORMALISE_ROWS || state == NORMALISE_CANCELLING;
}

static void count_unreached(void *context, const struct request *request)
{
    size_t *count = context;

    *count += failure_is_unanswered(request->last.failure) && !request->last.reached;
}

/* Nobody is reached: none of the hosts that have work left, one of which was reached before, unless none
 * ever was; and not one request waits for anything else. A refused port is no sign of it: somebody was
 * there to refuse. Nor are names alone that never resolved: they are wrong, most often. */
static bool is_network_down(const struct engine *e, const struct snapshot *s)
{
    bool was_reached = false, is_lost = false, is_address = false;
    size_t unreached = 0;
    uint64_t failures = 0;

    for (uint32_t i = 0; i < e->hosts.count; i++) {
        const struct host *host = e->hosts.hosts[i];

        if (!host->origin[0]) {
            continue;
        }
        if (host->refs && !host->unreached_in_row) {
            return false;
        }
        failures += host->unreached_in_row;
        was_reached |= host->was_reached;
        is_lost |= host->was_reached && host->unreached_in_row;
        is_address |= host->unreached_in_row && host->silence != OUTCOME_DNS;
    }
    frontier_each_wait(e->frontier, count_unreached, &unreached);
    return failures >= NETWORK_DOWN_FAILURES && (is_lost || (!was_reached && is_address)) &&
           unreached && unreached == s->waiting;
}

static enum run_state ended_state(const struct engine *e, const struct snapshot *s)
{
    return is_writing_table(s)             ? RUN_NORMALISING
           : e->storage.state != RESULT_OK ? RUN_FAILED
           : s->ok + s->failed < s->total  ? RUN_STOPPED
           : feed_is_cut(e->feed)          ? RUN_STOPPED
           : s->failed > s->ok             ? RUN_FAILED
           : snapshot_pages_are_missing(s) ? RUN_INCOMPLETE
                                           : RUN_DONE;
}

static enum run_state idle_state(const struct engine *e)
{
    return e->limits.now == LIMIT_HOLD          ? RUN_HELD
           : e->limits.now == LIMIT_AUTH        ? RUN_AUTH
           : e->limits.now == LIMIT_ROUND       ? RUN_RESTING
           : e->limits.now == LIMIT_ALL_WAITING ? RUN_ALL_WAITING
                                                : RUN_RUNNING;
}

static enum run_state state_of(const struct engine *e, const struct snapshot *s)
{
    switch (e->phase) {
    case ENGINE_NEW:
        return RUN_STARTING;
    case ENGINE_DRAINING:
        return e->storage.state == RESULT_FULL ? RUN_DISK_FULL : RUN_DRAINING;
    case ENGINE_TABLE:
    case ENGINE_DONE:
    case ENGINE_CLOSING:
        return ended_state(e, s);
    default:
        break;
    }
    if (e->storage.state == RESULT_FULL) {
        return RUN_DISK_FULL;
    }
    if (e->pace.is_paused || e->pace.cap == 0) {
        return RUN_PAUSED;
    }
    if (is_network_down(e, s)) {
        return RUN_NETWORK_DOWN;
    }
    if (s->in_flight == login_in_flight(e) && s->storing == 0) {
        return idle_state(e);
    }
    return s->sweep_steps ? RUN_SWEEP : RUN_RUNNING;
}

static void fill_progress(struct filling *f)
{
    struct engine *e = f->engine;
    struct snapshot *s = f->snapshot;
    uint64_t wake_us =
        e->poll.is_asleep ? poll_wake_us(e, f->now_us) : frontier_wake_us(e->frontier, f->now_us);
    uint64_t settled, busy;

    s->total_known = !feed_is_open(e->feed);
    s->total = frontier_total(e->frontier) + poll_left(e);
    if (e->poll.is_used) {
        s->rounds = e->poll.rounds.kept.begun;
        s->rounds_wanted = e->job->poll.count;
        s->rounds_skipped = e->poll.rounds.kept.skipped;
    }
    s->unchanged = e->metrics.unchanged + e->metrics.unchanged_before;
    s->ok = e->metrics.ok + e->metrics.ok_before;
    s->failed = e->metrics.failed + e->metrics.failed_before;
    s->retried = e->metrics.retried;
    s->in_flight = fetch_in_flight(e->fetch);
    s->waiting = frontier_waiting(e->frontier);
    s->storing = committer_pending(e->committer) + e->judging.count;
    settled = s->ok + s->failed;
    busy = settled + s->in_flight - login_in_flight(e) + s->waiting + s->storing;
    s->queued = s->total > busy ? s->total - busy : 0;
    s->next_due_in_us = wake_us == TIME_NEVER ? UINT64_MAX
                        : wake_us > f->now_us ? wake_us - f->now_us
                                              : 0;
    s->draining = e->phase == ENGINE_DRAINING || e->pace.is_paused ? s->in_flight
                  : s->in_flight > e->pace.cap                     ? s->in_flight - e->pace.cap
                                                                   : 0;
}

/* Requests are asked, and some have settled lately; what is held, paused or parked moves nothing. */
static bool is_moving(const struct engine *e, const struct snapshot *s)
{
    size_t lately_s = METRICS_RATE_WINDOW_S + (size_t)(2 * s->p95_us / US_PER_S);

    return (s->state == RUN_RUNNING || s->state == RUN_SWEEP) &&
           metrics_rate(&e->metrics, lately_s) > 0;
}

/* A rate that bounds all that is left: set by the user, or learned of the only host. 0: none. */
static double bounding_rate(const struct snapshot_limit *l)
{
    bool bounds = (l->kind == LIMIT_RATE && l->by == LIMIT_BY_USER) ||
                  (l->kind == LIMIT_LEARNED && l->is_only_host);

    return bounds && l->rate.per_us ? l->rate.requests * 1e6 / (double)l->rate.per_us : 0;
}

/* When the last of those that wait, as far as they are shown, may be asked: before that it is not over. */
static uint64_t last_due_us(const struct snapshot *s)
{
    uint64_t last_us = 0;

    for (size_t i = 0; i < s->wait_count; i++) {
        if (s->waits[i].due_in_us != UINT64_MAX && s->waits[i].due_in_us > last_us) {
            last_us = s->waits[i].due_in_us;
        }
    }
    return last_us;
}

/* What the slowest host alone takes for what is known to be left there, at the rate that its refusals taught. */
static uint64_t slowest_host_us(const struct engine *e)
{
    double most_s = 0;

    for (uint32_t i = 0; i < e->hosts.count; i++) {
        const struct host *host = e->hosts.hosts[i];
        double rate = host->origin[0] ? host->bucket.learned.rate : 0;

        if (rate > 0 && host->other_count == 0 && !host->is_stopped && host->refs / rate > most_s) {
            most_s = host->refs / rate;
        }
    }
    return (uint64_t)(most_s * 1e6);
}

/* A range: the best and the worst of the rates over ten seconds, a minute and the whole session; under a
 * rate that and what comes of it now. Where there are several hosts, no sooner than the slowest of them. Nothing until five requests have ended, nor while nothing moves. */
static void fill_eta(struct filling *f)
{
    struct engine *e = f->engine;
    struct snapshot *s = f->snapshot;
    uint64_t left = s->total - s->ok - s->failed;
    uint64_t due_us = last_due_us(s), slowest_us = slowest_host_us(e);
    double bound = bounding_rate(&s->limit), best = 0, worst = 0;
    double rates[] = { metrics_rate(&e->metrics, METRICS_RATE_WINDOW_S),
                       metrics_rate(&e->metrics, 60), s->requests_per_s_average };

    if (e->metrics.ok + e->metrics.failed < 5 || e->phase != ENGINE_RUNNING || !left ||
        e->metrics.ring_count < 2 || !is_moving(e, s)) {
        return;
    }
    due_us = due_us > slowest_us ? due_us : slowest_us;
    if (bound > 0 && (!s->limit.host[0] || s->limit.is_only_host)) {
        rates[0] = bound;
        rates[1] = rates[2] = s->requests_per_s < bound ? s->requests_per_s : bound;
    }
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        if (rates[i] > 0) {
            best = rates[i] > best ? rates[i] : best;
            worst = worst == 0 || rates[i] < worst ? rates[i] : worst;
        }
    }
    if (best > 0) {
        s->eta_known = true;
        s->eta_low_us = (uint64_t)((double)left / best * 1e6);
        s->eta_high_us = (uint64_t)((double)left / worst * 1e6);
        s->eta_low_us = s->eta_low_us > due_us ? s->eta_low_us : due_us;
        s->eta_high_us = s->eta_high_us > due_us ? s->eta_high_us : due_us;
    }
}

static void fill_pace(struct filling *f)
{
    struct engine *e = f->engine;
    struct snapshot *s = f->snapshot;
    const struct metrics *m = &e->metrics;
    uint64_t end_us = e->session.ended_us ? e->session.ended_us : f->now_us;
    double wall_s = (double)(end_us - m->started_us) / 1e6;

    s->cap = e->pace.cap;
    s->cap_before = e->pace.cap_before;
    s->cap_max = e->pace.auto_on ? e->pace.tuner.cap_max : JOB_CAP_MAX;
    s->auto_on = e->pace.auto_on;
    if (pace_is_sweeping(e)) {
        s->sweep_step = (unsigned)e->sweep.now->row_count + 1;
        s->sweep_steps = (unsigned)e->sweep.now->cap_count;
    }
    s->rung_count = ladder_list(&e->pace.ladder, s->rungs);
    units_format_rate(e->pace.pacer.rate, s->rate_limit);
    s->requests_per_s = metrics_rate_now(m, hist_percentile_us(&m->latency, 50));
    s->requests_per_s_average = wall_s > 0 ? (double)(m->ok + m->failed) / wall_s : 0;
    s->bytes_per_s = metrics_byte_rate(m, METRICS_RATE_WINDOW_S);
    s->bytes = m->bytes;
    s->p50_us = hist_percentile_us(&m->latency, 50);
    s->p90_us = hist_percentile_us(&m->latency, 90);
    s->p95_us = hist_percentile_us(&m->latency, 95);
    s->p99_us = hist_percentile_us(&m->latency, 99);
    s->mix = m->mix;
    for (size_t i = 0; i < SNAPSHOT_LATENCY_BARS; i++) {
        uint64_t low = i ? (uint64_t)25000 << (i - 1) : 0; /* 25 ms, doubled: 0 .. 25.6 s */
        bool last = i + 1 == SNAPSHOT_LATENCY_BARS;

        s->latency_low_us[i] = low;
        s->latency_count[i] =
            hist_count_between(&m->latency, low, last ? UINT64_MAX : (uint64_t)25000 << i);
    }
    while (s->second_count < SNAPSHOT_SECONDS && metrics_second(m, s->second_count)) {
        s->seconds[s->second_count] = *metrics_second(m, s->second_count);
        s->second_count++;
    }
}

static void fill_machine(struct filling *f)
{
    struct engine *e = f->engine;
    struct snapshot *s = f->snapshot;
    double wall_s = (double)(f->now_us - e->metrics.started_us) / 1e6;

    s->core_count = e->cpu.core_count;
    for (size_t i = 0; i < s->core_count; i++) {
        s->cores[i].busy_percent = e->cpu.busy_percent[i];
    }
    s->loop_cpu_percent = e->cpu.thread_percent;
    s->cpu_s = cpu_process_s(&e->cpu);
    s->io_ratio = wall_s > 0 && s->cpu_s < wall_s ? 1 - s->cpu_s / wall_s : 0;
    s->loop_lag_p99_us = hist_percentile_us(&e->cpu.lag, 99);
    s->rss_bytes = cpu_rss_bytes();
    s->descriptors = descriptors_in_use();
    s->descriptors_max = descriptors_max();
    s->disk_free_bytes = engine_disk_free_bytes(e);
    s->reuse_ratio =
        e->metrics.requests ? (double)e->metrics.reused / (double)e->metrics.requests : 0;
}

void engine_snapshot(struct engine *e, struct snapshot *s)
{
    struct filling f = { e, s, engine_now_us(e) };

    memset(s, 0, sizeof *s);
    COPY(s->name, e->job->name);
    COPY(s->run_dir, e->options.dir->path);
    s->pid = (uint32_t)getpid();
    s->now_us = f.now_us;
    s->wall_us = clock_wall_us(&e->options.clock);
    s->started_ago_us =
        (e->session.ended_us ? e->session.ended_us : f.now_us) - e->metrics.started_us;
    s->storage_trouble = e->storage.state != RESULT_OK;
    engine_trouble_text(e, s->trouble, sizeof s->trouble);
    fill_progress(&f);
    fill_pace(&f);
    fill_machine(&f);
    fetch_each(e->fetch, add_flight, &f);
    add_waits(&f);
    frontier_each_wait(e->frontier, count_wait, s);
    add_hosts(&f);
    add_failures(&f);
    add_failed_ones(&f);
    add_endpoints(&f);
    report_rules_snapshot(e, s);
    add_events(&f);
    table_snapshot(e, &s->normalise);
    login_snapshot(e, f.now_us, &s->login);
    detail_fill(e, e->detail.id, f.now_us, &s->detail);
    limit_fill(e, f.now_us, &s->limit);
    s->state = state_of(e, s);
    fill_eta(&f);
}

void snapshot_fill_sample(struct engine *e)
{
    struct snapshot *s = malloc(sizeof *s);
    char fields[SAMPLE_FIELDS_MAX];
    struct sample sample;

    if (s) { /* without memory a sample is missing, which a replay bridges */
        engine_snapshot(e, s);
        sample_of(s, &sample);
        sample_write(&sample, fields);
        events_note(&e->events, "sample", fields, NULL);
    }
    free(s);
}
