#include "engine/pump.h"

#include "engine/core.h"
#include "engine/cpu.h"
#include "engine/credential_watch.h"
#include "engine/discover.h"
#include "engine/engine_state.h"
#include "engine/signing.h"
#include "engine/events.h"
#include "engine/feed.h"
#include "engine/fleet_link.h"
#include "engine/fleet_obey.h"
#include "engine/give_up.h"
#include "engine/judge_end.h"
#include "engine/http_version.h"
#include "engine/login.h"
#include "engine/mark.h"
#include "engine/pace.h"
#include "engine/pace_sweep.h"
#include "engine/poll.h"
#include "engine/proxy_watch.h"
#include "engine/report_retries.h"
#include "engine/seal.h"
#include "engine/sending.h"
#include "engine/session_end.h"
#include "engine/session_totals.h"
#include "engine/settle.h"
#include "engine/snapshot_fill.h"
#include "engine/table.h"
#include "plan/host_hold.h"

#include <stdio.h>

#define STARTS_PER_TURN_MAX 256 /* about 5 ms of the loop */

/* --- start and end of a run -------------------------------------------------------------------- */

/* Nothing of ours is under way any more. What a broken or full disk keeps does not count: it comes
 * back when the store is closed. */
static bool is_quiet(const struct engine *e)
{
    /* What waits for another program to let go of the ledger is waited for, unless somebody aborts. */
    bool gives_up = e->storage.state != RESULT_OK &&
                    (e->storage.state != RESULT_BUSY || e->ending.exit != EXIT_WELL);

    return fetch_in_flight(e->fetch) == 0 && e->judging.count == 0 &&
           (committer_pending(e->committer) == 0 || gives_up);
}

static void on_done_turn(uv_timer_t *timer)
{
    struct engine *e = timer->data;

    e->options.on_done(e->options.context);
}

/* The caller hears of it in a turn of the loop of its own, since what has just ended may be deep
 * within libcurl, and engine_close is what the caller does next. */
static void become_done(struct engine *e)
{
    unsigned long long ok = e->metrics.ok + e->metrics.ok_before;
    unsigned long long failed = e->metrics.failed + e->metrics.failed_before;
    char fields[96];

    engine_enter(e, ENGINE_DONE);
    snapshot_fill_sample(e);
    session_totals_note(e);
    snprintf(fields, sizeof fields, ",\"stopped\":%s,\"ok\":%llu,\"failed\":%llu",
             e->ending.why[0] ? "true" : "false", ok, failed);
    events_add(&e->events, EVENT_INFO, "end", fields, "%s: %llu ok, %llu failed",
               e->ending.why[0] ? "stopped" : "all settled", ok, failed);
    uv_timer_start(&e->wake, on_done_turn, 0, 0);
}

/* One table after the other: the one that the user asked for may still be under way. */
static void next_table(struct engine *e)
{
    if (!table_next(e)) { /* else its end wants another turn */
        become_done(e);
    }
}

bool pump_revive(struct engine *e)
{
    if (e->ending.why[0] || e->storage.state != RESULT_OK || e->phase == ENGINE_CLOSING ||
        e->phase == ENGINE_DRAINING) {
        return false;
    }
    e->discover.accounts_read = false;
    if (e->phase != ENGINE_RUNNING) {
        uv_timer_stop(&e->wake); /* on_done, if it was still to come */
        engine_enter(e, ENGINE_RUNNING);
        e->session.ended_us = 0;
        table_forget_orders(e);
    }
    return true;
}

/* Nothing more will be fetched. A table under way is waited for unless somebody aborted; those that are to be made at
 * the end are made when all is settled. */
static void end_fetching(struct engine *e, bool all_settled)
{
    e->session.ended_us = engine_now_us(e);
    pace_sweep_end(e);
    e->session.cpu_s = cpu_process_s(&e->cpu);
    e->session.loop_cpu_s = cpu_thread_s(&e->cpu);
    if (all_settled) {
        table_order_due(e);
    }
    if (!all_settled || e->ending.why[0]) { /* whoever stops it does not wait for a database */
        table_wait_no_more(e);
    }
    uv_timer_stop(&e->wake);
    if (e->ending.exit == EXIT_WELL && e->storage.state == RESULT_OK) {
        engine_enter(e, ENGINE_TABLE);
        next_table(e);
    } else {
        become_done(e);
    }
}

void pump_drain(struct engine *e)
{
    if (e->phase == ENGINE_RUNNING) {
        if (e->storage.state == RESULT_OK) {
            engine_stop_as_wanted(e, "stopped by request");
        } else {
            engine_stop(e, e->storage.trouble);
        }
        events_add(&e->events, EVENT_NOTICE, "drain", "", "draining: %zu in flight finish",
                   fetch_in_flight(e->fetch));
    } else if (e->phase == ENGINE_TABLE) {
        table_wait_no_more(e);
    }
}

void pump_abort(struct engine *e, enum exit_code code)
{
    if (engine_is_active(e)) {
        engine_stop_as_wanted(e, "aborted");
        e->ending.exit = code;
        body_checks_cancel(e);
        login_stop(e);
        fetch_cancel_all(e->fetch);
        committer_flush(e->committer);
    } else if (e->phase == ENGINE_TABLE) {
        engine_stop_as_wanted(e, "aborted");
        e->ending.exit = code;
        table_forget_orders(e);
    }
    table_cancel(e);
}

/* --- the pump ------------------------------------------------------------------------------------ */

static unsigned effective_cap(struct engine *e, uint64_t now_us)
{
    unsigned cap;

    if (same_answer_is_slow(&e->judging.same_answer)) {
        return 1;
    }
    if (e->pace.clamp && now_us >= e->pace.clamp_until_us) {
        e->pace.clamp = e->pace.clamp * 2 < e->pace.cap ? e->pace.clamp * 2 : 0;
        e->pace.clamp_until_us = now_us + 10 * US_PER_S;
    }
    cap = e->pace.cap < e->pace.connections_max ? e->pace.cap : e->pace.connections_max;
    return e->pace.clamp && e->pace.clamp < cap ? e->pace.clamp : cap;
}

/* What counts against the cap: also what waits for its mark. */
static size_t in_flight(const struct engine *e)
{
    return fetch_in_flight(e->fetch) + e->marks.under_way;
}

/* Its thread, or one of those that fetch. */
static bool is_loop_busy(const struct engine *e)
{
    return cpu_busiest_percent(&e->cpu) >= ENGINE_LOOP_BUSY_PERCENT;
}

/* What forbids a start whatever the plan has to offer; LIMIT_NONE when nothing does. */
static enum run_limit standing_limit(struct engine *e, uint64_t now_us)
{
    unsigned cap = effective_cap(e, now_us);

    if (e->phase == ENGINE_DRAINING) {
        return LIMIT_DRAINING;
    }
    if (e->judging.bytes >= ENGINE_CHECKING_BYTES_MAX) {
        return LIMIT_LOOP_CPU;
    }
    if (e->storage.state != RESULT_OK || committer_is_full(e->committer)) {
        return LIMIT_DISK;
    }
    if (e->pace.is_paused || e->pace.cap == 0) {
        return LIMIT_PAUSED;
    }
    if (now_us < e->pace.shortage_until_us) {
        return LIMIT_DESCRIPTORS;
    }
    if (e->fleet_link && fleet_link_forbids(e, now_us, in_flight(e))) {
        return LIMIT_FLEET;
    }
    if (in_flight(e) >= cap) {
        return same_answer_is_slow(&e->judging.same_answer) ? LIMIT_CAP
               : cap < e->pace.cap                          ? LIMIT_DESCRIPTORS
               : is_loop_busy(e)                            ? LIMIT_LOOP_CPU
                                                            : LIMIT_CAP;
    }
    if (pacer_wait_us(&e->pace.pacer, now_us) > 0) {
        return LIMIT_RATE;
    }
    return LIMIT_NONE;
}

#define NO_SECRET "it was found with a credential in it that this session does not have"

#define NO_SIGNATURE "it cannot be signed: OpenSSL does not allow the digest on this machine"
#define NO_URL "it cannot be sent: with its secrets in it, its URL is none"

static void send_one(struct engine *e, struct request *request, uint64_t now_us)
{
    struct host *host = host_at(&e->hosts, request->host);
    bool tried = request->attempt > 0 && request->hops == 0;
    struct fetch_extra extra = { .query = STR_NONE };
    enum result opened;

    if (request->hops == 0) {
        request->attempt++;
    }
    request->since_us = now_us;
    e->held.early += host_hold_of(host, request, now_us).is_named;
    extra.http = http_version_of(e, host_origin(host));
    extra.proxy = proxy_of(e, request->host);
    login_carry(e, request, &extra, now_us);
    sending_fill(e, request, &extra);
    poll_carry(e, request, &extra);
    opened = seal_open(e, request, &extra);
    if (opened == RESULT_OK) {
        opened = signing_carry(e, request, &extra);
    }
    if (opened != RESULT_OK && opened != RESULT_NOMEM) { /* nor later */
        host_ended(&e->hosts, host, request, HOST_END_OURS, now_us);
        judge_refuse(e, request,
                     opened == RESULT_NOT_FOUND ? NO_SECRET
                     : opened == RESULT_DENIED  ? NO_SIGNATURE
                                                : NO_URL);
        return;
    }
    if (opened == RESULT_OK && fetch_start(e->fetch, request, &extra) == RESULT_OK) {
        e->session.sent++;
        pace_started(e, request, now_us);
        e->metrics.retried += tried;
        if (tried) {
            report_count_retry(e->retries, request->last.failure);
        }
        if (fetch_in_flight(e->fetch) > e->metrics.max_in_flight) {
            e->metrics.max_in_flight = (unsigned)fetch_in_flight(e->fetch);
        }
        return;
    }
    if (request->hops == 0) {
        request->attempt--;
    }
    host_ended(&e->hosts, host, request, HOST_END_OURS, now_us);
    e->pace.shortage_until_us = now_us + US_PER_S;
    pace_note_no_memory(e, now_us);
    events_add(&e->events, EVENT_WARNING, "shortage", "", "out of memory starting a request");
    settle_put_back(e, request);
}

static void start_one(struct engine *e, struct request *request, uint64_t now_us)
{
    pacer_start(&e->pace.pacer, now_us);
    if (e->fleet_link) {
        fleet_link_started(e);
    }
    if (mark_is_needless(e, request)) {
        send_one(e, request, now_us);
    } else {
        mark_first(e, request);
    }
}

/* Draining, too: what is marked is in flight. */
static void send_marked(struct engine *e, uint64_t now_us)
{
    struct request *request;

    while ((request = mark_next(e))) {
        if (engine_is_active(e) && e->ending.exit == EXIT_WELL) {
            send_one(e, request, now_us);
        } else {
            mark_leave(e, request);
        }
    }
}

/* It is not started, and stays to be asked by a later session. NULL is ignored. */
static void leave_pending(struct engine *e, struct request *request, uint64_t now_us)
{
    if (request) {
        host_ended(&e->hosts, host_at(&e->hosts, request->host), request, HOST_END_OURS, now_us);
        settle_leave(e, request);
    }
}

#define DEADLY "it is not asked: 3 workers of the fleet died of it"

/* It is asked, ends unasked, or is left to a later session. False when there is no memory for that. */
static bool begin(struct engine *e, struct request *request, uint64_t now_us)
{
    struct host *host = host_at(&e->hosts, request->host);
    bool is_cut = deep_limit_cuts(&e->judging.deep_limits, &request->page);

    if (e->fleet_link && fleet_link_is_deadly(e, request->id)) {
        events_add(&e->events, EVENT_ERROR, "fleet", "", "%.*s: " DEADLY, STR_ARG(request->key));
        host_ended(&e->hosts, host, request, HOST_END_OURS, now_us);
        judge_refuse(e, request, DEADLY);
        return true;
    }
    if (credential_is_lost(e, request)) {
        leave_pending(e, request, now_us);
        return true;
    }
    if (!is_cut && !host_origin(host)->is_dead) {
        start_one(e, request, now_us);
        return true;
    }
    host_ended(&e->hosts, host, request, HOST_END_OURS, now_us);
    return (is_cut ? judge_leave_out(e, request) : judge_unreached(e, request)) == RESULT_OK;
}

/* The last cap of a drain downwards is forgotten once it holds. */
static void note_cap_reached(struct engine *e)
{
    if (in_flight(e) <= e->pace.cap) {
        e->pace.cap_before = e->pace.cap;
    }
}

/* Nothing may start, but answers on their way may name further requests. */
static bool may_find_more(const struct engine *e)
{
    return e->discover.leads_on && (fetch_in_flight(e->fetch) || e->judging.count ||
                                    committer_pending(e->committer) || discover_is_pending(e));
}

/* Nothing of the plan may start, for what the frontier says. `err` is of FRONTIER_ERROR. */
static void note_limit(struct engine *e, const struct err *err)
{
    static const enum run_limit limits[] = {
        [FRONTIER_HELD] = LIMIT_HOLD,       [FRONTIER_HOST_FULL] = LIMIT_HOST_CAP,
        [FRONTIER_QUOTA] = LIMIT_BUDGET,    [FRONTIER_LEARNED] = LIMIT_LEARNED,
        [FRONTIER_TROUBLE] = LIMIT_TROUBLE, [FRONTIER_PACED] = LIMIT_RATE,
        [FRONTIER_LOGIN] = LIMIT_AUTH,      [FRONTIER_WAITING] = LIMIT_ALL_WAITING,
        [FRONTIER_ERROR] = LIMIT_DRAINING,
    };

    if (e->answer == FRONTIER_EMPTY) {
        e->limits.now = e->poll.is_asleep       ? LIMIT_ROUND
                        : may_find_more(e)      ? LIMIT_PAGINATION
                        : feed_is_open(e->feed) ? LIMIT_INPUT
                        : fleet_link_goes_on(e) ? LIMIT_FLEET
                                                : LIMIT_QUEUE_EMPTY;
        return;
    }
    e->limits.now = limits[e->answer];
    if (e->answer == FRONTIER_ERROR) {
        events_add(&e->events, EVENT_ERROR, "error", "", "%s", err->text);
        snprintf(e->storage.trouble, sizeof e->storage.trouble, "%s", err->text);
        e->ending.exit = EXIT_INTERNAL;
        engine_stop(e, err->text);
    }
}

/* Leaves in e->answer why it ended: FRONTIER_REQUEST when there may be more to start. That is so, with
 * no limit, when it has started so many that keys and answers must have their turn first. */
static void start_what_may(struct engine *e, uint64_t now_us)
{
    struct request *request;
    struct err err;

    login_look(e, now_us);
    e->answer = FRONTIER_REQUEST;
    for (unsigned started = 0;; started++) {
        e->limits.now = standing_limit(e, now_us);
        if (e->limits.now != LIMIT_NONE || started == STARTS_PER_TURN_MAX) {
            return;
        }
        if (login_is_due(e, now_us)) {
            if (!session_may_send(e)) {
                e->limits.now = LIMIT_DRAINING;
                return;
            }
            login_start(e, now_us);
            continue;
        }
        e->answer = frontier_next(e->frontier, now_us, &request, &err);
        if (e->answer == FRONTIER_LOGIN && login_wake_us(e) <= now_us) {
            continue;
        }
        if (e->answer != FRONTIER_EMPTY && e->answer != FRONTIER_ERROR && !session_may_send(e)) {
            leave_pending(e, e->answer == FRONTIER_REQUEST ? request : NULL, now_us);
            e->limits.now = LIMIT_DRAINING;
            return;
        }
        if (e->answer != FRONTIER_REQUEST) {
            break;
        }
        if (!begin(e, request, now_us)) {
            return;
        }
    }
    note_limit(e, &err);
}

static void on_wake(uv_timer_t *timer)
{
    engine_want_turn(timer->data);
}

/* When time alone will change what may start. What else may change it pumps by itself. */
static uint64_t wake_time(struct engine *e, uint64_t now_us)
{
    uint64_t login_us, frontier_us;
    uint64_t rate_us = pacer_wait_us(&e->pace.pacer, now_us);

    switch (e->limits.now) {
    case LIMIT_NONE:
        return now_us;
    case LIMIT_RATE: /* of the run, or else of a host */
        return rate_us ? now_us + rate_us : frontier_wake_us(e->frontier, now_us);
    case LIMIT_DESCRIPTORS:
        return e->pace.shortage_until_us > now_us ? e->pace.shortage_until_us
               : e->pace.clamp                    ? e->pace.clamp_until_us
                                                  : TIME_NEVER;
    case LIMIT_AUTH:
        login_us = login_wake_us(e);
        frontier_us = frontier_wake_us(e->frontier, now_us);
        return login_us < frontier_us ? login_us : frontier_us;
    case LIMIT_CAP:
    case LIMIT_DISK:
    case LIMIT_DRAINING:
    case LIMIT_LOOP_CPU:
    case LIMIT_PAUSED:
        return TIME_NEVER;
    case LIMIT_ROUND:
        return poll_wake_us(e, now_us);
    case LIMIT_FLEET:
        return fleet_link_wake_us(e, now_us);
    default:
        return frontier_wake_us(e->frontier, now_us);
    }
}

static void arm_wake(struct engine *e, uint64_t now_us)
{
    uint64_t wake_us = wake_time(e, now_us);

    if (wake_us == TIME_NEVER) {
        uv_timer_stop(&e->wake);
        return;
    }
    /* Rounded up: a millisecond late is fine, a microsecond early would break a server's word. */
    uv_timer_start(&e->wake, on_wake,
                   wake_us > now_us ? (wake_us - now_us + US_PER_MS - 1) / US_PER_MS : 1, 0);
}

/* Nothing is left that could use the token that is being asked for. */
static bool is_login_in_vain(const struct engine *e)
{
    size_t transfers = login_in_flight(e);

    return e->auth.is_asking && fetch_in_flight(e->fetch) == transfers &&
           e->judging.count == 1 - transfers && committer_pending(e->committer) == 0 &&
           (e->phase == ENGINE_DRAINING || e->answer == FRONTIER_EMPTY);
}

/* A stop that comes once the last answer is in leaves nothing behind, so its tables are due as well. */
static bool is_all_settled(const struct engine *e)
{
    return !engine_work_left(e) && !poll_left(e) && !feed_is_cut(e->feed) && !fleet_link_goes_on(e);
}

static void see_whether_over(struct engine *e, uint64_t now_us)
{
    if (is_login_in_vain(e)) {
        login_stop(e);
        fetch_cancel_all(e->fetch);
    }
    if (fetch_in_flight(e->fetch) == 0 && e->judging.count == 0 &&
        committer_pending(e->committer)) {
        committer_flush(e->committer);
    }
    if (!is_quiet(e)) {
        return;
    }
    if (e->phase == ENGINE_RUNNING &&
        (e->answer == FRONTIER_HELD || e->answer == FRONTIER_WAITING ||
         e->answer == FRONTIER_TROUBLE || e->answer == FRONTIER_LEARNED)) {
        if (give_up_waiting(e, now_us)) {
            engine_want_turn(e);
            return;
        }
    }
    if (e->phase == ENGINE_RUNNING && e->answer == FRONTIER_EMPTY && !discover_is_pending(e) &&
        credential_resume(e)) {
        engine_want_turn(e);
        return;
    }
    if (e->phase == ENGINE_RUNNING &&
        (e->answer != FRONTIER_EMPTY || discover_is_pending(e) || poll_goes_on(e) ||
         feed_is_open(e->feed) || fleet_link_goes_on(e))) {
        return;
    }
    if (fleet_link_publishes(e, now_us)) { /* the next tick looks again */
        return;
    }
    if (discover_settle_accounts(e)) { /* else its end comes back to here */
        end_fetching(e, e->phase == ENGINE_RUNNING || is_all_settled(e));
    }
}

/* What ends within fetch_kick wants another turn, which then sees whether all is over: by what the frontier answers
 * there. */
static void pump(struct engine *e)
{
    uint64_t now_us = engine_now_us(e);

    send_marked(e, now_us);
    session_look(e, now_us);
    if (e->phase == ENGINE_DRAINING) {
        feed_keep_quiet(e->feed);
    }
    e->hosts.work_left = engine_work_left(e);
    poll_turn(e);
    discover_feed(e);
    pace_tune(e, now_us);
    start_what_may(e, now_us);
    pace_note_limit(e);
    note_cap_reached(e);
    fetch_kick(e->fetch);
    if (engine_is_active(e) && !engine_is_turn_wanted(e)) {
        arm_wake(e, now_us);
        see_whether_over(e, now_us);
    }
}

void pump_turn(struct engine *e)
{
    switch (e->phase) {
    case ENGINE_RUNNING:
    case ENGINE_DRAINING:
        if (e->fleet_link) {
            fleet_obey(e);
        }
        pump(e);
        break;
    case ENGINE_TABLE:
        next_table(e);
        break;
    case ENGINE_NEW:
    case ENGINE_DONE:
    case ENGINE_CLOSING:
        break;
    }
}
