#include "engine/restore.h"

#include "engine/core.h"
#include "engine/endpoint_stats.h"
#include "engine/engine_state.h"
#include "engine/exchanges.h"
#include "engine/failures.h"
#include "engine/fleet_link.h"
#include "engine/session_totals.h"
#include "engine/totals.h"
#include "plan/retry.h"
#include "plan/host_hold.h"

bool restore_due(struct engine *e, uint32_t attempt, int64_t left_us, uint64_t *due_us)
{
    *due_us = engine_now_us(e);
    *due_us += left_us > 0 ? (uint64_t)left_us
                           : retry_backoff_us(&e->job->retry, attempt, engine_random(e), NULL);
    return left_us > 0;
}

void restore_leave_waiting(struct engine *e, uint64_t id)
{
    struct request *request =
        e->options.follow_up.kind == FOLLOW_UP_FAILED ? frontier_take(e->frontier, id) : NULL;

    if (request) {
        frontier_forget(e->frontier, request);
    }
}

struct restore {
    struct engine *engine;
    struct err *err;
    enum result result;
    uint64_t now_us;
    int64_t wall_us;
    struct totals ended;
};

static void restore_row(void *context, const struct ledger_row *row)
{
    struct restore *r = context;
    struct engine *e = r->engine;
    struct frontier_row kept = {
        .id = row->id,
        .attempt = row->attempt,
        .last = row->last,
        .due = row->due,
        .reason = row->reason,
        .exchange = exchanges_find(&e->exchanges, row->id),
    };

    if (r->result != RESULT_OK) {
        return;
    }
    if (row->state == SETTLE_FAILED) {
        failures_restore(e, row);
    }
    if (row->state == SETTLE_DONE || row->state == SETTLE_FAILED) {
        totals_note_ended(&r->ended, row->attempt, row->status);
        if (row->id > e->recovery.round_from) {
            endpoint_stats_restored(&e->endpoint_stats, row->endpoint, row->state == SETTLE_DONE);
        } else {
            endpoint_stats_earlier(&e->endpoint_stats, row->endpoint);
        }
    }
    if (row->id > frontier_seeds(e->frontier) && row->id <= e->discover.last_id) {
        if (e->discover.plan.is_shared) {
            r->result = fleet_found_restored(e, row->id, row->state != SETTLE_WAITING);
        }
        return; /* found, and made of its own row: see discover_restore */
    }
    fleet_link_restored(e, row->id, row->state != SETTLE_WAITING);
    if (row->state == SETTLE_WAITING &&
        !restore_due(e, row->attempt, row->not_before_wall_us - r->wall_us, &kept.waits_until_us)) {
        kept.due = (struct due){ .by = DUE_RESTART };
    }
    r->result = frontier_restore(e->frontier, &kept, r->now_us, r->err);
    restore_leave_waiting(e, kept.waits_until_us ? row->id : 0);
}

enum result restore_rows(struct engine *e, struct err *err)
{
    struct restore r = { .engine = e,
                         .err = err,
                         .now_us = engine_now_us(e),
                         .wall_us = clock_wall_us(&e->options.clock) };
    enum result result = committer_each_row(e->committer, restore_row, &r, err);

    for (uint32_t i = 0; i < e->hosts.count; i++) { /* what servers had asked for goes on */
        struct host *host = e->hosts.hosts[i];

        struct host_hold hold = host_hold(host, r.now_us);

        if (hold.is_named) {
            e->held.asked_us += hold.until_us - r.now_us;
            e->held.hosts++;
            host->was_held = true;
        }
    }
    session_totals_restore(e, &r.ended);
    if (e->options.follow_up.kind != FOLLOW_UP_NONE) {
        frontier_close(e->frontier, e->options.follow_up.kind == FOLLOW_UP_FAILED);
    }
    return result == RESULT_OK ? r.result : result;
}
