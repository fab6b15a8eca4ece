#include "engine/pace_sweep.h"

#include "base/clock.h"
#include "base/units.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/pace.h"
#include "engine/sweep.h"

#include <stdio.h>

static void tell_rows(struct engine *e)
{
    const struct sweep *sweep = e->sweep.now;

    for (; e->sweep.rows_told < sweep->row_count; e->sweep.rows_told++) {
        const struct sweep_row *row = &sweep->rows[e->sweep.rows_told];
        char fields[128], p95[UNITS_TEXT_MAX];

        units_format_time(row->p95_us, p95);
        snprintf(fields, sizeof fields, ",\"cap\":%u,\"req_per_s\":%.2f,\"throttled\":%.4f",
                 row->cap, row->requests_per_s, row->throttled_part);
        events_add(&e->events, EVENT_NOTICE, "sweep", fields,
                   "sweep: cap %u gives %.1f/s (+-%.0f %%), p95 %s, %.1f %% 429s", row->cap,
                   row->requests_per_s, 100 * row->interval_part, p95, 100 * row->throttled_part);
    }
}

/* The run's own again: with the cap that was found, or else the one from before. */
static void go_on(struct engine *e)
{
    unsigned cap = e->sweep.now->recommended ? e->sweep.now->recommended : e->sweep.cap_before;
    char why[96];

    snprintf(why, sizeof why, "cap %u -> %u %s the sweep", e->pace.cap, cap,
             e->sweep.now->recommended ? "by" : "as before");
    pace_change_cap(e, cap, why);
    e->sweep.now = NULL;
    if (e->sweep.auto_before) {
        pace_set_auto(e, true);
    }
}

static void end(struct engine *e)
{
    tell_rows(e);
    events_add(&e->events, EVENT_NOTICE, "sweep", "", "sweep: %s", e->sweep.now->why);
    if (e->sweep.now == &e->sweep.own) {
        go_on(e);
    } else {
        engine_stop_as_wanted(e, "the sweep is over");
    }
}

static void next_cap(struct engine *e)
{
    struct sweep *sweep = e->sweep.now;
    char why[96];

    snprintf(why, sizeof why, "sweep: cap %u -> %u, step %zu of %zu", e->pace.cap, sweep_cap(sweep),
             sweep->row_count + 1, sweep->cap_count);
    pace_change_cap(e, sweep_cap(sweep), why);
}

struct flying {
    struct sweep *sweep;
    uint64_t now_us;
};

static bool add_flying(void *context, const struct fetch_row *row)
{
    const struct flying *f = context;

    sweep_flight(f->sweep, row->request->since_us, f->now_us);
    return true;
}

bool pace_is_sweeping(const struct engine *e)
{
    return e->sweep.now && e->sweep.now->is_active;
}

void pace_sweep(struct engine *e, uint64_t now_us)
{
    if (!pace_is_sweeping(e) || e->phase != ENGINE_RUNNING) {
        return;
    }
    if (e->pace.is_paused || e->storage.state != RESULT_OK) {
        sweep_repeat(e->sweep.now, now_us); /* no cap is to blame for that */
        return;
    }
    if (sweep_wants_flights(e->sweep.now, now_us)) {
        fetch_each(e->fetch, add_flying, &(struct flying){ e->sweep.now, now_us });
    }
    if (!sweep_step(e->sweep.now, now_us)) {
        return;
    }
    if (e->sweep.now->is_active) {
        tell_rows(e);
        next_cap(e);
    } else {
        end(e);
    }
}

void pace_sweep_end(struct engine *e)
{
    if (pace_is_sweeping(e)) {
        sweep_end(e->sweep.now, engine_now_us(e));
        tell_rows(e);
        events_add(&e->events, EVENT_NOTICE, "sweep", "", "sweep: %s", e->sweep.now->why);
    }
    if (e->sweep.now == &e->sweep.own) {
        e->sweep.now = NULL;
    }
}

void pace_sweep_leave(struct engine *e, const char *why)
{
    if (e->sweep.now == &e->sweep.own) {
        tell_rows(e);
        events_add(&e->events, EVENT_NOTICE, "sweep", "", "sweep: left, %s", why);
        e->sweep.now = NULL;
    }
}

void pace_sweep_start(struct engine *e, struct sweep *sweep)
{
    uint64_t now_us = engine_now_us(e);

    e->sweep.now = sweep;
    e->sweep.rows_told = 0;
    e->sweep.cap_before = e->pace.cap;
    e->sweep.auto_before = e->pace.auto_on;
    if (e->pace.auto_on) {
        pace_set_auto(e, false);
    }
    sweep_begin(sweep, now_us);
    next_cap(e);
}

/* By a key: while one is under way the key ends it, and the cap is the one from before. */
void pace_sweep_by_user(struct engine *e, struct str caps, char reply[CONTROL_REPLY_MAX])
{
    struct err err;

    if (e->phase != ENGINE_RUNNING) {
        snprintf(reply, CONTROL_REPLY_MAX, "nothing is left to sweep with");
    } else if (e->sweep.now == &e->sweep.own) {
        e->sweep.own.recommended = 0;
        go_on(e);
        snprintf(reply, CONTROL_REPLY_MAX, "sweep ended, cap %u as before", e->pace.cap);
    } else if (e->sweep.now) {
        snprintf(reply, CONTROL_REPLY_MAX, "a sweep is under way");
    } else if (sweep_parse(&e->sweep.own, caps, &err) != RESULT_OK) {
        snprintf(reply, CONTROL_REPLY_MAX, "%s", err.text);
    } else {
        pace_sweep_start(e, &e->sweep.own);
        snprintf(reply, CONTROL_REPLY_MAX, "sweep: %zu cap%s, up to a minute each",
                 e->sweep.own.cap_count, units_plural(e->sweep.own.cap_count));
    }
}
