#include "engine/engine.h"

#include "engine/command.h"
#include "engine/cookie_jar.h"
#include "engine/core.h"
#include "engine/cpu.h"
#include "engine/credential_watch.h"
#include "engine/descriptors.h"
#include "engine/detail.h"
#include "engine/discover.h"
#include "engine/endpoint_stats.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/exchanges.h"
#include "engine/failures.h"
#include "engine/feed.h"
#include "engine/fleet_link.h"
#include "engine/grow.h"
#include "engine/http_version.h"
#include "engine/judge.h"
#include "engine/listener_rows.h"
#include "engine/listeners.h"
#include "engine/login.h"
#include "engine/mark.h"
#include "engine/metrics.h"
#include "engine/on_list.h"
#include "engine/opinion.h"
#include "engine/pace.h"
#include "engine/pace_sweep.h"
#include "engine/poll.h"
#include "engine/proxy_watch.h"
#include "engine/since.h"
#include "engine/pump.h"
#include "engine/recall.h"
#include "engine/restore.h"
#include "engine/seal.h"
#include "engine/sending.h"
#include "engine/session_totals.h"
#include "engine/settle.h"
#include "engine/steer.h"
#include "engine/storage.h"
#include "engine/token_notes.h"
#include "engine/store_open.h"
#include "engine/table.h"
#include "plan/pages/page_guess.h"
#include "plan/quota.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

/* --- ticks ---------------------------------------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
    struct engine *e = timer->data;

    fetch_look(e->fetch);
    listeners_tick(e, engine_now_us(e));
    engine_want_turn(e);
}

bool engine_is_done(const struct engine *e)
{
    return e->phase == ENGINE_DONE;
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

/* --- the parts ------------------------------------------------------------------------------------------- */

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

static enum result events_start(struct engine *e, struct err *err)
{
    (void)err;
    e->events = (struct events){
        .clock = e->options.clock, .secrets = &e->secrets, .write = on_event_line, .context = e
    };
    return RESULT_OK;
}

static void events_stop(struct engine *e)
{
    events_release(&e->events);
    buf_release(&e->scratch.shown);
    buf_release(&e->scratch.redacted);
}

static enum result hosts_start(struct engine *e, struct err *err)
{
    (void)err;
    host_table_init(&e->hosts, e->job->pace.cap_per_host, e->job->pace.rate_per_host);
    e->hosts.is_gentle = e->job->pace.is_auto;
    return RESULT_OK;
}

static void hosts_stop(struct engine *e)
{
    host_table_release(&e->hosts);
}

static enum result pace_start(struct engine *e, struct err *err)
{
    uint64_t now_us = engine_now_us(e);

    (void)err;
    pacer_init(&e->pace.pacer, e->job->pace.rate);
    metrics_init(&e->metrics, now_us);
    cpu_init(&e->cpu, now_us);
    e->pace.cap = e->pace.cap_before = e->metrics.cap_max = e->job->pace.cap;
    pace_init(e, now_us);
    descriptors_raise();
    descriptors_reserve(e->options.loop);
    e->pace.connections_max =
        e->job->network.http == JOB_HTTP_2 || e->job->network.http == JOB_HTTP_2_AT_ONCE
            ? UINT_MAX
            : descriptors_for_connections();
    return RESULT_OK;
}

static enum result pools_start(struct engine *e, struct err *err)
{
    (void)err;
    work_init(&e->tables.pool, e->options.loop, work_limit_of_pool(work_pool_threads()));
    judge_init(e);
    return RESULT_OK;
}

static enum result stats_start(struct engine *e, struct err *err)
{
    return endpoint_stats_init(&e->endpoint_stats, e->job->endpoint_count, engine_now_us(e), err);
}

static void stats_stop(struct engine *e)
{
    endpoint_stats_release(&e->endpoint_stats);
}

static enum result poll_make(struct engine *e, struct err *err)
{
    (void)err;
    poll_init(e);
    return RESULT_OK;
}

static enum result discover_make(struct engine *e, struct err *err)
{
    return discover_init(&e->discover, e->job, e->grow.is_listed, err);
}

static void discover_stop(struct engine *e)
{
    discover_release(&e->discover);
}

static enum result frontier_start(struct engine *e, struct err *err)
{
    struct frontier_options o = { e->job, &e->hosts, e->options.list_fds, e->grow.is_listed };

    return frontier_new(&e->frontier, &o, err);
}

static void frontier_stop(struct engine *e)
{
    proxy_pool_release(&e->proxy_pool);
    frontier_free(e->frontier);
}

static enum result store_start(struct engine *e, struct err *err)
{
    struct committer_options o = {
        .on_committed = settle_committed,
        .on_found = discover_answered,
        .on_failed = recall_answered,
        .on_trouble = storage_on_trouble,
        .on_tended = storage_on_tended,
    };

    return store_open(e, &o, err);
}

/* What earlier sessions left. */
static enum result earlier_start(struct engine *e, struct err *err)
{
    enum result result = exchanges_read(&e->exchanges, e->committer, err);

    if (result == RESULT_OK) {
        result = discover_restore(e, err);
    }
    if (result == RESULT_OK) {
        result = fleet_found_restore(e, err);
    }
    if (result == RESULT_OK) {
        result = poll_restore(e, err);
    }
    if (result == RESULT_OK) {
        result = since_restore(e, err);
    }
    if (result == RESULT_OK) {
        result = token_notes_restore(e, err);
    }
    if (result == RESULT_OK) {
        result = http_version_restore(e, err);
    }
    if (result == RESULT_OK) {
        result = restore_rows(e, err);
    }
    exchanges_release(&e->exchanges);
    e->metrics.ok_before = e->recovery.done;
    e->metrics.failed_before = e->recovery.failed;
    e->metrics.unchanged_before = e->recovery.unchanged;
    return result;
}

#define FILES_PER_THREAD 5 /* of its loop: epoll, what wakes it, signals */
#define FILES_BESIDE 40    /* the run's own */

/* What is wanting for so many threads may be descriptors. */
static void tell_few_files(unsigned threads, struct err *err)
{
    unsigned want = threads * FILES_PER_THREAD + FILES_BESIDE;

    if (descriptors_max() < want) {
        err_set(err, RESULT_NOMEM, "E-RES2",
                "%u threads that fetch want about %u open files, and at most %u may be open: raise "
                "that (ulimit -n), or give fewer --threads",
                threads, want, descriptors_max());
    }
}

static enum result network_start(struct engine *e, struct err *err)
{
    const struct job *job = e->job;
    struct fetch_options o = {
        .loop = e->options.loop,
        .threads = e->options.threads,
        .needs_threads = e->options.needs_threads,
        .clock = e->options.clock,
        .endpoint_count = job->endpoint_count + 1, /* the last is the login call */
        .header_count = job->header_count,
        .network = &job->network,
        .ca_file = job->network.ca_file,
        .insecure = job->network.insecure,
        .http = job->network.http,
        .connect_timeout_us = job->network.connect_timeout_us,
        .stall_timeout_us = job->network.stall_timeout_us,
        .total_timeout_us = job->network.total_timeout_us,
        .body_max_bytes = job->network.body_max_bytes,
        .memory_bytes = job->network.memory_bytes,
        .cookies = cookies_of(job),
        .on_cookie = cookie_jar_note,
        .keeps = is_header_wanted,
        .on_sending = mark_begins,
        .on_ended = judge_read_ahead,
        .on_response = judge_response,
        .on_stood_still = command_stood_still,
        .endpoints = e->sending.endpoints,
        .headers = e->sending.headers,
        .context = e,
    };
    enum result result;

    if (proxy_pool_init(&e->proxy_pool, (uint32_t)job->network.proxy.pool_count) != RESULT_OK) {
        return err_nomem(err, "preparing proxies");
    }
    result = fetch_new(&e->fetch, &o, err);
    if (result == RESULT_OK && o.threads > 1 && !fetch_threads_of(e->fetch)) {
        events_add(&e->events, EVENT_WARNING, "threads", ",\"code\":\"W-RES2\"",
                   "no %u threads that fetch are to be had: the loop fetches [W-RES2]", o.threads);
        e->options.threads = 1;
    }
    if (result == RESULT_NOMEM && o.threads > 1) {
        tell_few_files(o.threads, err);
    }
    return result;
}

/* Made in this order, and undone in reverse. What is NULL has nothing to make, or nothing to undo; the store and the
 * network are closed before (go_on_closing). */
static const struct part {
    const char *name;
    enum result (*start)(struct engine *engine, struct err *err);
    void (*stop)(struct engine *engine);
} parts[] = {
    { "events", events_start, events_stop },
    { "hosts", hosts_start, hosts_stop },
    { "pace", pace_start, NULL },
    { "pools", pools_start, NULL },
    { "tables", NULL, table_release },
    { "endpoint stats", stats_start, stats_stop },
    { "cookies", NULL, cookie_jar_release },
    { "login", login_init, login_release },
    { "tokens", tokens_init, tokens_release },
    { "versions of HTTP", NULL, http_version_release },
    { "signing", NULL, signing_release },
    { "rules", opinion_init, opinion_release },
    { "rules by event", on_list_init, on_list_release },
    { "plan before", grow_look, NULL },
    { "discover", discover_make, discover_stop },
    { "frontier", frontier_start, frontier_stop },
    { "fleet", fleet_link_init, fleet_link_release },
    { "credentials", NULL, credential_release },
    { "poll", poll_make, poll_release },
    { "since", NULL, since_release },
    { "failures", NULL, failures_release },
    { "detail", NULL, detail_release },
    { "settlements", NULL, settle_release },
    { "seal", NULL, seal_release },
    { "store", store_start, NULL },
    { "marks", marks_init, marks_release },
    { "plan", grow_take_in, NULL },
    { "earlier sessions", earlier_start, NULL },
    { "sending", sending_init, sending_release },
    { "network", network_start, NULL },
    { "cookie jar", cookie_jar_open, NULL },
};

/* A part that fails is undone, too: it may be there by half. */
static enum result make_parts(struct engine *e, struct err *err)
{
    enum result result = RESULT_OK;

    while (result == RESULT_OK && e->parts < sizeof parts / sizeof parts[0]) {
        const struct part *part = &parts[e->parts++];

        result = part->start ? part->start(e, err) : RESULT_OK;
    }
    return result;
}

static void undo_parts(struct engine *e)
{
    while (e->parts > 0) {
        const struct part *part = &parts[--e->parts];

        if (part->stop) {
            part->stop(e);
        }
    }
    free(e);
}

/* --- making, starting, closing ------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct engine *e = handle->data;
    void (*closed)(void *context, const struct err *trouble) = e->closing.done;
    void *context = e->options.context;
    struct err trouble = e->storage.last;

    if (--e->closing.handles == 0) {
        undo_parts(e);
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

    if (e->closing.is_begun || e->judging.count || table_is_running(e) || !feed_stop(e) ||
        !fleet_link_stop(e)) {
        return; /* the last of them wants a turn */
    }
    e->closing.is_begun = true;
    cookie_jar_close(e);
    token_notes_close(e);
    while ((request = mark_next(e))) {
        mark_leave(e, request);
    }
    if (e->committer) {
        committer_close(e->committer, e->closing.is_well, on_store_closed);
    } else {
        on_store_closed(e);
    }
}

static void on_turn(struct engine *e)
{
    if (e->phase == ENGINE_CLOSING) {
        go_on_closing(e);
    } else {
        pump_turn(e);
    }
}

enum result engine_new(struct engine **engine, const struct engine_options *options,
                       struct err *err)
{
    struct engine *e = calloc(1, sizeof *e);
    enum result result;

    *engine = e;
    if (!e) {
        return err_nomem(err, "setting up the run");
    }
    e->options = *options;
    e->job = options->job;
    e->listeners = listener_rows;
    e->random_state = options->seed;
    engine_turns_init(e, on_turn);
    uv_timer_init(options->loop, &e->wake);
    uv_timer_init(options->loop, &e->ticks.timer);
    e->wake.data = e->ticks.timer.data = e;
    result = make_parts(e, err);
    if (result == RESULT_OK) { /* else the caller closes what there is */
        proxy_tell(e);
        store_tell_start(e);
        grow_tell(e);
        pace_tell_files(e);
    }
    return result;
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
    e->ticks.due_us = engine_now_us(e) + LISTENERS_TICK_MS * US_PER_MS;
    uv_timer_start(&e->ticks.timer, on_tick, LISTENERS_TICK_MS, LISTENERS_TICK_MS);
    committer_set_planned(e->committer, frontier_own(e->frontier));
    if (e->options.feed) {
        result = feed_start(e, e->options.feed, e->options.list_fds[e->options.feed_list], err);
    }
    if (result == RESULT_OK) {
        result = fleet_link_start(e, err);
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
    body_checks_cancel(e);
    login_stop(e);
    table_cancel(e);
    if (e->fetch) {
        fetch_cancel_all(e->fetch);
    }
}
