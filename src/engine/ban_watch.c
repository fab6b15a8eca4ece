#include "engine/ban_watch.h"

#include "base/units.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/judge_end.h"
#include "engine/poll.h"
#include "engine/redirect.h"
#include "engine/refused_alike.h"
#include "engine/settle.h"
#include "engine/steer.h"
#include "engine/tokens.h"
#include "plan/retry.h"
#include "plan/host_hold.h"
#include "plan/twin.h"

#include <stdio.h>

/* Work of a host that does answer goes on. */
static bool do_others_answer(const struct engine *e, const struct host *banned)
{
    for (uint32_t i = 0; i < e->hosts.count; i++) {
        const struct host *host = e->hosts.hosts[i];

        if (host != banned && !(host->twin && banned->twin) && host->origin[0] &&
            (host->ready_count || host->in_flight) && host->answered_us && !ban_is_on(&host->ban)) {
            return true;
        }
    }
    return false;
}

static void stop(struct engine *e, const struct host *host, int status)
{
    char why[sizeof e->ending.why];
    struct str label = twin_origin_label(host);

    if (e->phase != ENGINE_RUNNING || !engine_is_any_left(e)) {
        return;
    }
    snprintf(why, sizeof why,
             "%.*s refuses everything with HTTP %d since %llu went well, after %d holds, too; ask "
             "again later, and the refused ones with --only-failed --class %d",
             (int)(label.len < 40 ? label.len : 40), label.data, status,
             (unsigned long long)host->ban.well, BAN_HOLDS_MAX, status);
    events_add(&e->events, EVENT_ERROR, "refused-alike", ",\"code\":\"E-BAN1\"",
               "%s; stopping, resumable", why);
    engine_stop_for(e, "E-BAN1", why);
}

/* It alone: what others answer is asked on. */
static void stop_host(struct engine *e, struct host *host, int status)
{
    struct str label = twin_origin_label(host);

    if (host->is_stopped || e->phase != ENGINE_RUNNING || !engine_is_any_left(e)) {
        return;
    }
    twins_stop(&e->hosts, host);
    events_add_host(&e->events, EVENT_ERROR, "refused-alike", label, ",\"code\":\"E-BAN1\"",
                    "%.*s refuses everything with HTTP %d since %llu went well, after %d holds, "
                    "too; it is asked nothing more, other hosts go on; ask again later, and the "
                    "refused ones with --only-failed --class %d [E-BAN1]",
                    STR_ARG(label), status, (unsigned long long)host->ban.well, BAN_HOLDS_MAX,
                    status);
}

/* Puts what is to be asked once more before all else of the host. False when the next URL must do. */
static bool send_scout(struct engine *e, const struct host *host)
{
    struct request *scout = NULL;

    if (!host->ban.well_id || !engine_is_any_left(e) ||
        frontier_make(e->frontier, host->ban.well_id, &scout, NULL) != RESULT_OK) {
        return false;
    }
    scout->is_scout = true;
    if (frontier_put_back(e->frontier, scout, NULL) != RESULT_OK) {
        frontier_forget(e->frontier, scout);
        return false;
    }
    return true;
}

static void refused(struct engine *e, const struct response *response)
{
    const struct request *request = response->request;
    struct host *host = twin_origin_of(&e->hosts, request);
    struct str label = twin_origin_label(host);
    struct due due = { .by = DUE_HOST_HOLD, .status = response->status };
    uint64_t now_us = engine_now_us(e), hold_us;
    char length[UNITS_TEXT_MAX];
    bool is_for_good;

    hold_us = ban_refused(&host->ban, request->since_us, now_us, &is_for_good);
    if (!hold_us) {
        return;
    }
    if (is_for_good) {
        if (do_others_answer(e, host)) {
            stop_host(e, host, response->status);
        } else {
            stop(e, host, response->status);
        }
        return;
    }
    snprintf(due.host, sizeof due.host, "%.*s", STR_ARG(label));
    host_hold_named(host_at(&e->hosts, request->host), request, now_us + hold_us, now_us, &due);
    twins_hold_named(&e->hosts, request, now_us + hold_us, now_us, &due);
    e->held.holds++;
    e->held.hosts += !host->was_held;
    host->was_held = true;
    e->held.backed_off_us += hold_us;
    units_format_time(hold_us, length);
    events_add_host(
        &e->events, EVENT_WARNING, "hold", label, ",\"code\":\"W-BAN1\"",
        "%.*s refuses with HTTP %d, %u in a row after %llu that went well: held %s, "
        "then %s [W-BAN1]",
        STR_ARG(label), response->status, host->ban.row, (unsigned long long)host->ban.well, length,
        send_scout(e, host) ? "one that went well is asked again, to see whether it is over"
                            : "one request looks whether it is over");
}

static void answered_well(struct engine *e, const struct request *request)
{
    struct host *host = twin_origin_of(&e->hosts, request);
    struct str label = twin_origin_label(host);
    unsigned long long again = 0;

    if (!ban_well(&host->ban, request->since_us)) {
        return;
    }
    host_begin_slowly(&e->hosts, host, engine_now_us(e));
    if (e->phase == ENGINE_RUNNING) {
        again = steer_ask_refused(e, twin_origin(&e->hosts, request->host), host->ban.rows);
    }
    events_add_host(&e->events, EVENT_NOTICE, "up", label, "",
                    "%.*s answers again; %llu that it refused %s asked again", STR_ARG(label),
                    again, again == 1 ? "is" : "are");
}

void ban_note(struct engine *e, const struct response *response, bool is_put_off)
{
    const struct request *request = response->request;
    struct failure failure = request->last.failure;

    if (response->outcome == OUTCOME_REDIRECT || response->outcome == OUTCOME_LOCAL) {
        return; /* neither good nor bad */
    }
    if (failure.class == FAILURE_NONE || poll_is_not_modified(response)) {
        if (judge_asks_safely(e, request) && !request->foreign &&
            request->id <= frontier_seeds(e->frontier)) {
            twin_origin_of(&e->hosts, request)->ban.well_id = request->id;
        }
        answered_well(e, request);
    } else if (failure.class == FAILURE_STATUS && ban_is_refusal(response->status) &&
               request->attempt == 1 && !is_put_off &&
               !retry_wants_status(&e->job->retry, response->status)) {
        refused(e, response);
    }
}

bool ban_takes(struct engine *e, struct response *response)
{
    if (!response->request->is_scout) {
        return false;
    }
    if (response->outcome == OUTCOME_REDIRECT && redirect_take(e, response) == REDIRECT_FOLLOW) {
        judge_go_on(e, response);
        return true;
    }
    if (tokens_take(e, response, &(struct deadline){ .named = false })) {
        return true;
    }
    ban_note(e, response, false);
    frontier_forget(e->frontier, settle_dismantle(e, response));
    return true;
}
