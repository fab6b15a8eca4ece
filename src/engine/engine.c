#include "engine/engine.h"

#include "base/json_text.h"
#include "base/units.h"
#include "engine/accounts.h"
#include "engine/auth.h"
#include "engine/command.h"
#include "engine/cookie_jar.h"
#include "engine/core.h"
#include "engine/cpu.h"
#include "engine/credential_watch.h"
#include "engine/descriptors.h"
#include "engine/detail.h"
#include "engine/discover.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/exchanges.h"
#include "engine/failures.h"
#include "engine/feed.h"
#include "engine/judge.h"
#include "engine/ladder.h"
#include "engine/limit.h"
#include "engine/login.h"
#include "engine/mark.h"
#include "engine/metrics.h"
#include "engine/observe.h"
#include "engine/opinion.h"
#include "engine/pace.h"
#include "engine/pace_sweep.h"
#include "engine/poll.h"
#include "engine/proxy_watch.h"
#include "engine/pump.h"
#include "engine/recall.h"
#include "engine/restore.h"
#include "engine/sample.h"
#include "engine/seal.h"
#include "engine/session_totals.h"
#include "engine/settle.h"
#include "engine/steer.h"
#include "engine/table.h"
#include "engine/unresponsive_hosts.h"
#include "plan/pages/page_guess.h"
#include "plan/pages/pages.h"
#include "plan/quota.h"
#include "plan/retry.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define TICK_MS 100
#define SAMPLE_US (10 * US_PER_S) /* between the samples in events.jsonl */
#define SAMPLE_DENSE_US                                                                            \
    (60 * US_PER_S) /* at the beginning one a second: short runs have a story too */

/* --- ticks ---------------------------------------------------------------------------------------- */

/* Once for each time that it gets short. */
static void tell_memory(struct engine *e)
{
    char limit[UNITS_TEXT_MAX];
    size_t waiting = fetch_waiting(e->fetch);

    if (waiting && !e->ticks.memory_is_short) {
        units_format_bytes(e->job->network.memory_bytes, limit);
        events_add(&e->events, EVENT_WARNING, "memory", "",
                   "bodies in flight come up to %s (--memory): the largest wait for others", limit);
    }
    e->ticks.memory_is_short = waiting > 0;
}

static void on_tick(uv_timer_t *timer)
{
    struct engine *e = timer->data;
    uint64_t now_us = engine_now_us(e);

    fetch_look(e->fetch);
    unresponsive_hosts_look(e, now_us);
    hist_record(&e->cpu.lag, now_us > e->ticks.due_us ? now_us - e->ticks.due_us : 0);
    e->ticks.due_us = now_us + TICK_MS * US_PER_MS;
    metrics_tick(&e->metrics, now_us, e->pace.cap, (unsigned)fetch_in_flight(e->fetch));
    accounts_tick(&e->accounts, now_us);
    limit_tell(e, now_us);
    tell_memory(e);
    cookie_jar_look(e, now_us);
    pace_sweep(e, now_us);
    ladder_tick(&e->pace.ladder, pace_is_under_way(e), now_us);
    if (now_us >= e->ticks.cpu_due_us) {
        cpu_sample(&e->cpu, now_us);
        e->ticks.cpu_due_us = now_us + CPU_SAMPLE_US;
    }
    if (now_us >= e->ticks.sample_due_us && engine_is_active(e)) {
        observe_sample(e);
        if (now_us >= e->session.totals_due_us) {
            session_totals_note(e);
        }
        e->ticks.sample_due_us =
            now_us + (now_us - e->metrics.started_us < SAMPLE_DENSE_US ? US_PER_S : SAMPLE_US);
    }
    engine_want_turn(e);
}

bool engine_is_done(const struct engine *e)
{
    return e->phase == ENGINE_DONE;
}

/* --- the store's trouble ------------------------------------------------------------------------- */

static void on_trouble(void *context, enum result result, const struct err *err)
{
    struct engine *e = context;
    char text[sizeof e->storage.trouble];

    if (result == RESULT_OK) {
        events_add(&e->events, EVENT_NOTICE, "disk", "", "%s: going on",
                   e->storage.state == RESULT_BUSY ? "the ledger is free again" : "space returned");
        e->storage.state = RESULT_OK;
        e->storage.trouble[0] = '\0';
        engine_want_turn(e);
        return;
    }
    snprintf(e->storage.trouble, sizeof e->storage.trouble, "%s", err->text);
    memcpy(e->storage.code, err->code, sizeof e->storage.code);
    e->storage.state = result;
    if (e->phase == ENGINE_CLOSING) {
        e->storage.last = *err;
    }
    engine_trouble_text(e, text, sizeof text);
    events_add(&e->events, result == RESULT_BUSY ? EVENT_WARNING : EVENT_ERROR, "disk", "", "%s",
               text);
    if (result != RESULT_FULL && result != RESULT_BUSY && e->phase != ENGINE_CLOSING) {
        engine_stop(e, err->text);
        fetch_cancel_all(e->fetch);
    }
    engine_want_turn(e);
}

static void on_event_line(void *context, struct str line)
{
    struct engine *e = context;

    if (e->committer) {
        committer_event(e->committer, line);
    }
    if (e->options.on_event) {
        e->options.on_event(e->options.context, line);
    }
}

/* --- making and unmaking ------------------------------------------------------------------------- */

static size_t all_header_count(const struct job *job)
{
    size_t count = job->header_count;

    for (size_t i = 0; i < job->endpoint_count; i++) {
        count += job->endpoints[i].header_count;
    }
    return count;
}

/* Those that are the same for all requests of the endpoint. */
static size_t list_own(const char **lines, const struct job_endpoint *endpoint)
{
    size_t count = 0;

    for (size_t i = 0; i < endpoint->header_count; i++) {
        if (!header_is_filled(endpoint, &endpoint->headers[i])) {
            lines[count++] = endpoint->headers[i].sent;
        }
    }
    return count;
}

/* The job's headers stand first in e->sending.headers, those of each endpoint behind. The login call comes after
 * the job's endpoints. */
static void describe_endpoints(struct engine *e)
{
    const struct job *job = e->job;
    const char **own = e->sending.headers + job->header_count, **names = e->sending.rule_headers;

    for (size_t i = 0; i < job->header_count; i++) {
        e->sending.headers[i] = job->headers[i].sent;
    }
    for (size_t i = 0; i < job->endpoint_count; i++) {
        const struct job_endpoint *from = &job->endpoints[i];

        e->sending.endpoints[i] = (struct fetch_endpoint){
            .method = from->method,
            .body = from->body,
            .headers = own,
            .header_count = list_own(own, from),
            .keep = { pages_header(from->pages.total), pages_header(from->pages.total_pages) },
            .keep_too = names,
            .keep_too_count = rulebook_headers(e->rules.book, (uint32_t)i, names),
            .whole_errors = rulebook_reads_bodies(e->rules.book, (uint32_t)i),
        };
        names += e->sending.endpoints[i].keep_too_count;
        own += e->sending.endpoints[i].header_count;
    }
    e->sending.endpoints[job->endpoint_count] = auth_endpoint(&e->auth);
}

/* Headers that somebody reads besides fetch itself. */
static bool is_header_wanted(struct str name)
{
    return quota_is_field(name) || pages_guess_wants_header(name);
}

static enum fetch_cookies cookies_of(const struct job *job)
{
    return job->cookies.is_off                         ? FETCH_COOKIES_NONE
           : job->cookies.is_kept || job->cookies.from ? FETCH_COOKIES_BESIDE_GIVEN
                                                       : FETCH_COOKIES_UNLESS_GIVEN;
}

static enum result build_fetch(struct engine *e, struct err *err)
{
    const struct job *job = e->job;
    struct fetch_options o = {
        .loop = e->options.loop,
        .clock = e->options.clock,
        .endpoint_count = job->endpoint_count + 1, /* the last is the login call */
        .header_count = job->header_count,
        .network = &job->network,
        .ca_file = job->network.ca_file,
        .insecure = job->network.insecure,
        .http2 = job->network.http2,
        .connect_timeout_us = job->network.connect_timeout_us,
        .stall_timeout_us = job->network.stall_timeout_us,
        .total_timeout_us = job->network.total_timeout_us,
        .body_max_bytes = job->network.body_max_bytes,
        .memory_bytes = job->network.memory_bytes,
        .cookies = cookies_of(job),
        .on_cookie = cookie_jar_note,
        .keeps = is_header_wanted,
        .on_response = judge_response,
        .on_stood_still = command_stood_still,
        .context = e,
    };

    e->sending.endpoints = calloc(job->endpoint_count + 1, sizeof *e->sending.endpoints);
    e->sending.headers = calloc(all_header_count(job) + 1, sizeof *e->sending.headers);
    e->sending.fills = calloc(job->endpoint_count + 1, sizeof(struct header_fill *));
    e->sending.rule_headers =
        calloc(rulebook_header_room(e->rules.book) + 1, sizeof *e->sending.rule_headers);
    if (!e->sending.endpoints || !e->sending.headers || !e->sending.fills ||
        !e->sending.rule_headers) {
        return err_nomem(err, "preparing requests");
    }
    for (size_t i = 0; i < job->endpoint_count; i++) {
        enum result result = header_fill_new(&e->sending.fills[i], &job->endpoints[i], err);

        if (result != RESULT_OK) {
            return result;
        }
    }
    describe_endpoints(e);
    o.endpoints = e->sending.endpoints;
    o.headers = e->sending.headers;
    return fetch_new(&e->fetch, &o, err);
}

/* A record that the ledger does not name, of a job whose answers lead to no further requests: that key is the
 * plan's request of that number. */
static bool claim_orphan(void *context, const struct line_view *line, uint32_t *endpoint)
{
    struct engine *e = context;
    struct request *request;
    struct buf key = { 0 };
    bool is_ours;

    if (frontier_make(e->frontier, line->id, &request, NULL) != RESULT_OK) {
        return false;
    }
    *endpoint = request->endpoint;
    is_ours =
        json_text_decode(&key, line->key) == RESULT_OK && str_equal(buf_view(&key), request->key);
    frontier_forget(e->frontier, request);
    buf_release(&key);
    return is_ours;
}

static enum result open_store(struct engine *e, struct recovery *recovery, struct err *err)
{
    struct committer_options o = {
        .loop = e->options.loop,
        .dir = e->options.dir,
        .clock = e->options.clock,
        .boot = e->options.boot,
        .plan = e->discover.is_used ? &e->discover.plan : NULL,
        .job = e->options.job_text,
        .claim = e->discover.is_used ? NULL : claim_orphan,
        .sends_again = e->job->retry.repeats_posts,
        .on_committed = settle_committed,
        .on_found = discover_answered,
        .on_failed = recall_answered,
        .on_trouble = on_trouble,
        .context = e,
    };

    e->discover.plan.seeds = frontier_seeds(e->frontier);
    return committer_open(&e->committer, &o, recovery, err);
}

/* Of a kill it is a matter of course: their batch was written, and its rows were not. */
static void tell_adopted(struct engine *e, const struct recovery *r)
{
    if (r->ledger_was_old) {
        events_add(&e->events, EVENT_WARNING, "adopted", "",
                   "the ledger was older than raw/ (ledger.db-wal was lost, or ledger.db is a copy "
                   "of before): %llu record%s that it did not name %s taken in",
                   (unsigned long long)r->adopted, units_plural(r->adopted),
                   r->adopted == 1 ? "is" : "are");
    } else if (r->adopted) {
        events_add(&e->events, EVENT_NOTICE, "adopted", "",
                   "%llu record%s without a row %s whole, and taken in",
                   (unsigned long long)r->adopted, units_plural(r->adopted),
                   r->adopted == 1 ? "is" : "are");
    }
}

static void tell_maybe_sent(struct engine *e, const struct recovery *r)
{
    const char *them = r->maybe_sent == 1 ? "it" : "they";

    if (r->maybe_sent && e->job->retry.repeats_posts) {
        events_add(&e->events, EVENT_WARNING, "maybe-sent", "",
                   "%llu that %s being sent when the run was cut off may have happened, and are "
                   "sent again (--repeat-posts)",
                   (unsigned long long)r->maybe_sent, r->maybe_sent == 1 ? "was" : "were");
    } else if (r->maybe_sent) {
        events_add(&e->events, EVENT_WARNING, "maybe-sent", "",
                   "%llu %s being sent when the run was cut off: %s may have happened, and so %s "
                   "not sent again; --class maybe-sent does",
                   (unsigned long long)r->maybe_sent, r->maybe_sent == 1 ? "was" : "were", them,
                   r->maybe_sent == 1 ? "is" : "are");
    }
}

static void tell_start(struct engine *e, const struct recovery *r)
{
    char discarded[UNITS_TEXT_MAX], fields[192];

    proxy_tell(e);
    snprintf(fields, sizeof fields,
             ",\"requests\":%llu,\"resumed\":%s,\"done\":%llu,\"failed\":%llu,\"waiting\":%llu,"
             "\"unclean\":%s",
             (unsigned long long)frontier_total(e->frontier), r->resumed ? "true" : "false",
             (unsigned long long)r->done, (unsigned long long)r->failed,
             (unsigned long long)r->waiting, r->unclean ? "true" : "false");
    if (!r->resumed) {
        events_add(&e->events, EVENT_INFO, "start", fields, "start: %llu request%s",
                   (unsigned long long)frontier_total(e->frontier),
                   units_plural(frontier_total(e->frontier)));
        return;
    }
    units_format_bytes(r->discarded_bytes, discarded);
    events_add(&e->events, EVENT_INFO, "start", fields,
               "resumed: %llu of %llu done, %llu failed, %llu waiting%s%s%s",
               (unsigned long long)r->done, (unsigned long long)frontier_total(e->frontier),
               (unsigned long long)r->failed, (unsigned long long)r->waiting,
               r->unclean ? "; the last session was cut off, " : "", r->unclean ? discarded : "",
               r->unclean ? " of uncommitted tail discarded" : "");
    tell_adopted(e, r);
    tell_maybe_sent(e, r);
}

static void free_parts(struct engine *e)
{
    poll_release(e);
    settle_release(e);
    detail_release(e);
    failures_release(e);
    discover_release(&e->discover);
    opinion_release(e);
    credential_release(e);
    login_release(e);
    cookie_jar_release(e);
    accounts_release(&e->accounts);
    frontier_free(e->frontier);
    host_table_release(&e->hosts);
    table_release(e);
    events_release(&e->events);
    buf_release(&e->scratch.shown);
    buf_release(&e->scratch.redacted);
    for (size_t i = 0; e->sending.fills && i < e->job->endpoint_count; i++) {
        header_fill_free(e->sending.fills[i]);
    }
    for (size_t i = 0; i < HEADER_FILL_MAX; i++) {
        buf_release(&e->sending.filled[i]);
    }
    seal_release(e);
    free(e->sending.fills);
    free(e->sending.endpoints);
    free(e->sending.headers);
    free(e->sending.rule_headers);
    free(e);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct engine *e = handle->data;
    void (*closed)(void *context, const struct err *trouble) = e->closing.done;
    void *context = e->options.context;
    struct err trouble = e->storage.last;

    if (--e->closing.handles == 0) {
        free_parts(e);
        closed(context, trouble.result == RESULT_OK ? NULL : &trouble);
    }
}

static void on_fetch_closed(void *context)
{
    struct engine *e = context;

    e->fetch = NULL;
    e->closing.handles = 4;
    uv_close((uv_handle_t *)&e->turns.after_poll, on_handle_closed);
    uv_close((uv_handle_t *)&e->turns.idle, on_handle_closed);
    uv_close((uv_handle_t *)&e->wake, on_handle_closed);
    uv_close((uv_handle_t *)&e->ticks.timer, on_handle_closed);
}

static void on_store_closed(void *context)
{
    struct engine *e = context;

    e->committer = NULL;
    if (e->fetch) {
        fetch_close(e->fetch, on_fetch_closed);
    } else {
        on_fetch_closed(e);
    }
}

/* One part after the other: what is on the pool reads from the store and hands bodies to it, and what
 * is in the store goes back to the network's spare responses. */
static void go_on_closing(struct engine *e)
{
    struct request *request;

    if (e->closing.is_begun || e->judging.count || table_is_running(e) || !feed_stop(e)) {
        return; /* the last of them wants a turn */
    }
    e->closing.is_begun = true;
    cookie_jar_close(e);
    while ((request = mark_next(e))) {
        mark_leave(e, request);
    }
    if (e->committer) {
        committer_close(e->committer, e->closing.is_well, on_store_closed);
    } else {
        on_store_closed(e);
    }
}

/* libuv's table of watched descriptors grows as they come, and without memory for that libuv aborts the
 * process. So it is made as large as nearly every run needs, before anything is stored; beyond that,
 * fetch/multi_uv.c looks for memory first. */
static void on_turn(struct engine *e)
{
    if (e->phase == ENGINE_CLOSING) {
        go_on_closing(e);
    } else {
        pump_turn(e);
    }
}

static enum result assemble(struct engine *e, struct recovery *recovery, struct err *err)
{
    struct frontier_options fo = { e->job, &e->hosts, e->options.list_fds };
    enum result result = login_init(e, err);

    if (result == RESULT_OK) {
        result = opinion_init(e, err);
    }
    if (result == RESULT_OK) {
        result = discover_init(&e->discover, e->job, err);
    }
    if (result == RESULT_OK) {
        result = frontier_new(&e->frontier, &fo, err);
    }
    if (result == RESULT_OK) {
        result = open_store(e, recovery, err);
    }
    if (result == RESULT_OK && frontier_seeds(e->frontier) < recovery->planned) {
        result = err_set(err, RESULT_INVALID, "E-IN5",
                         "%s began with %llu request%s and now makes up %llu: a list or a file of "
                         "values was cut, or the job changed; put it back from a copy, or begin "
                         "anew with --fresh (the old run is set aside, not deleted)",
                         e->options.dir->path, (unsigned long long)recovery->planned,
                         units_plural(recovery->planned),
                         (unsigned long long)frontier_seeds(e->frontier));
    }
    if (result == RESULT_OK) {
        result = exchanges_read(&e->exchanges, e->committer, err);
    }
    if (result == RESULT_OK) {
        result = discover_restore(e, err);
    }
    if (result == RESULT_OK) {
        result = poll_restore(e, err);
    }
    if (result == RESULT_OK) {
        result = restore_rows(e, err);
    }
    exchanges_release(&e->exchanges);
    if (result == RESULT_OK) {
        result = build_fetch(e, err);
    }
    if (result == RESULT_OK) {
        result = cookie_jar_open(e, err);
    }
    return result;
}

enum result engine_new(struct engine **engine, const struct engine_options *options,
                       struct err *err)
{
    struct engine *e = calloc(1, sizeof *e);
    struct recovery recovery = { 0 };
    enum result result;
    uint64_t now_us;

    *engine = NULL;
    if (!e) {
        return err_nomem(err, "setting up the run");
    }
    e->options = *options;
    e->job = options->job;
    e->random_state = options->seed;
    e->marks.end = &e->marks.first;
    now_us = engine_now_us(e);
    e->events = (struct events){
        .clock = options->clock, .secrets = &e->secrets, .write = on_event_line, .context = e
    };
    host_table_init(&e->hosts, e->job->pace.cap_per_host, e->job->pace.rate_per_host);
    pacer_init(&e->pace.pacer, e->job->pace.rate);
    metrics_init(&e->metrics, now_us);
    cpu_init(&e->cpu, now_us);
    e->pace.cap = e->pace.cap_before = e->metrics.cap_max = e->job->pace.cap;
    poll_init(e);
    pace_init(e, now_us);
    work_init(&e->tables.pool, options->loop, work_limit_of_pool(work_pool_threads()));
    work_init(&e->judging.pool, options->loop, 1);
    engine_turns_init(e, on_turn);
    uv_timer_init(options->loop, &e->wake);
    uv_timer_init(options->loop, &e->ticks.timer);
    e->wake.data = e->ticks.timer.data = e;
    descriptors_raise();
    descriptors_reserve(options->loop);
    e->pace.connections_max = e->job->network.http2 ? UINT_MAX : descriptors_for_connections();
    result = accounts_init(&e->accounts, e->job->endpoint_count, now_us, err);
    if (result == RESULT_OK) {
        result = assemble(e, &recovery, err);
    }
    *engine = e;
    if (result != RESULT_OK) {
        return result; /* the caller closes what there is */
    }
    e->metrics.ok_before = recovery.done;
    e->metrics.failed_before = recovery.failed;
    e->metrics.unchanged_before = recovery.unchanged;
    tell_start(e, &recovery);
    pace_tell_files(e);
    return RESULT_OK;
}

enum result engine_start(struct engine *e, struct err *err)
{
    enum result result = committer_start(e->committer, err);

    if (result != RESULT_OK) {
        return result;
    }
    engine_enter(e, ENGINE_RUNNING);
    if (e->options.follow_up.kind != FOLLOW_UP_NONE) {
        steer_follow_up(e);
    }
    poll_start(e);
    if (e->options.sweep) {
        pace_sweep_start(e, e->options.sweep);
    }
    e->ticks.due_us = engine_now_us(e) + TICK_MS * US_PER_MS;
    uv_timer_start(&e->ticks.timer, on_tick, TICK_MS, TICK_MS);
    committer_set_planned(e->committer, frontier_seeds(e->frontier));
    if (e->options.feed) {
        result = feed_start(e, e->options.feed, e->options.list_fds[e->options.feed_list], err);
    }
    pump_turn(e);
    return result;
}

void engine_close(struct engine *e, void (*closed)(void *context, const struct err *trouble))
{
    assert(!e->closing.done);
    e->closing.done = closed;
    e->closing.is_well = e->phase == ENGINE_DONE && e->storage.state == RESULT_OK;
    engine_enter(e, ENGINE_CLOSING);
    uv_timer_stop(&e->wake);
    uv_timer_stop(&e->ticks.timer);
    work_cancel(&e->judging.pool);
    table_cancel(e);
    if (e->fetch) {
        fetch_cancel_all(e->fetch);
    }
}
