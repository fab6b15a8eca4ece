#include "engine/snapshot_lists.h"

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
#include "plan/host_hold.h"

#include <stdio.h>

#define COPY(field, text) snprintf(field, sizeof(field), "%s", text)
#define COPY_STR(field, s) snprintf(field, sizeof(field), "%.*s", STR_ARG(s))

_Static_assert(SNAPSHOT_ENDPOINTS_MAX >= JOB_ENDPOINTS_MAX, "every endpoint has its line");

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

void snapshot_lists_wait(struct engine *e, const struct request *r, uint64_t now_us,
                         struct snapshot_wait *wait)
{
    const struct host *host = host_at(&e->hosts, r->host);
    uint64_t due_us;
    const struct due *due = limit_due_of(r, host, now_us, &due_us);

    wait->id = r->id;
    wait->due_in_us = due_us == TIME_NEVER ? UINT64_MAX : due_us > now_us ? due_us - now_us : 0;
    wait->attempt = r->attempt;
    wait->attempts_max = e->job->retry.attempts;
    wait->why = r->last.failure;
    wait->due = *due;
    engine_reason_text(e, r, wait->reason, sizeof wait->reason);
    if (due->host[0] && wait->due_in_us) {
        COPY(wait->host, due->host);
    } else {
        COPY_STR(wait->host, host->label);
    }
    wait->kept_by = wait->due_in_us ? LIMIT_NONE : limit_of_ready(e, r, now_us);
    engine_request_text(e, r, wait->request);
    COPY_STR(wait->key, r->key);
}

static void add_waits(struct filling *f)
{
    const struct request *list[SNAPSHOT_WAITS_MAX];
    size_t count = frontier_waits(f->engine->frontier, list, SNAPSHOT_WAITS_MAX);

    for (size_t i = 0; i < count; i++) {
        snapshot_lists_wait(f->engine, list[i], f->now_us, &f->snapshot->waits[i]);
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
    uint64_t ended_us = f->engine->session.ended_us, end_us = ended_us ? ended_us : f->now_us;
    double wall_s = (double)(end_us - f->engine->metrics.started_us) / 1e6;
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
    if (token_name(f->engine, host)) {
        COPY(out->token, token_name(f->engine, host));
    }
    if (host->is_aside) {
        out->hold_in_us = UINT64_MAX;
        out->due = (struct due){ .by = DUE_TOKEN };
    } else if (host->hold_is_user) {
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
        out->planned = frontier_planned(e->frontier, i) - e->endpoint_stats.list[i].earlier;
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

void snapshot_lists_fill(struct filling *f)
{
    struct engine *e = f->engine;

    fetch_each(e->fetch, add_flight, f);
    add_waits(f);
    frontier_each_wait(e->frontier, count_wait, f->snapshot);
    add_hosts(f);
    add_failures(f);
    add_failed_ones(f);
    add_endpoints(f);
    add_events(f);
}
