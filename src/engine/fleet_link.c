#include "engine/fleet_link_state.h"

#include "base/clock.h"
#include "engine/answer.h"
#include "engine/core.h"
#include "engine/events.h"
#include "engine/fleet_budget.h"
#include "engine/fleet_learned.h"
#include "engine/fleet_login.h"
#include "engine/metrics.h"
#include "plan/host_hold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_FIRST 16
#define SEEDS_LEAST 8
#define LEASE_SHORT_US (2 * US_PER_S) /* done sooner, the next is twice as large */
#define LEASE_LONG_US (8 * US_PER_S)
#define ASK_AGAIN_US (300 * US_PER_MS) /* when there was nothing */
#define STARTS_ASKED 20
#define PARKED_ENOUGH 64
#define RATE_SECONDS 5                /* a worker reports its requests a second over so long */
#define HOLD_NEWS_US (50 * US_PER_MS) /* later by so much, a hold is reported again */
#define PUBLISHES_US (3 * US_PER_S)   /* at most, when all else is over */

/* --- holds --------------------------------------------------------------------------------------------- */

static uint64_t *told_hold(struct fleet_link *l, uint32_t host)
{
    if (host >= l->told_count) {
        uint64_t *more = realloc(l->told_holds, (host + 16U) * sizeof *more);

        if (!more) {
            return NULL;
        }
        memset(more + l->told_count, 0, (host + 16U - l->told_count) * sizeof *more);
        l->told_holds = more;
        l->told_count = host + 16U;
    }
    return &l->told_holds[host];
}

void fleet_link_judged(struct engine *e, const struct response *response)
{
    struct fleet_link *l = e->fleet_link;
    const struct request *request = response->request;
    uint64_t now_us = engine_now_us(e), *told;
    const struct host *host;
    struct host_hold hold;

    if (l && request) {
        fleet_leases_calm(e, request->id);
    }
    if (!l || !request || e->job->pace.is_budget_own) {
        return;
    }
    fleet_learned_judged(e, request, now_us);
    host = host_at(&e->hosts, request->host);
    hold = host_hold_of(host, request, now_us);
    told = hold.is_named && host->origin[0] ? told_hold(l, request->host) : NULL;
    if (told && hold.until_us > *told + HOLD_NEWS_US) {
        *told = hold.until_us;
        fleet_held(l->fleet, host->origin, hold.until_us - now_us);
    }
}

static void heed_hold(struct engine *e, const struct fleet_hold *hold, uint64_t until_us)
{
    static const struct due due = { .by = DUE_RETRY_AFTER };
    struct fleet_link *l = e->fleet_link;
    uint64_t now_us = engine_now_us(e);

    for (uint32_t i = 0; i < e->hosts.count; i++) {
        struct host *host = host_at(&e->hosts, i);
        uint64_t *told = strcmp(host->origin, hold->origin) == 0 ? told_hold(l, i) : NULL;

        if (told && until_us > *told + HOLD_NEWS_US) {
            *told = until_us;
            host_hold_whole(host, until_us, now_us, &due);
        }
    }
}

/* --- news ------------------------------------------------------------------------------------------------ */

static void end_badly(struct engine *e, const struct err *err)
{
    events_add(&e->events, EVENT_ERROR, "fleet", "", "%s", err->text);
    e->ending.exit = EXIT_USAGE;
    engine_stop_for(e, err->code, err->text);
}

static void end_for_memory(struct engine *e)
{
    struct err err;

    (void)!err_nomem(&err, "taking work of the fleet");
    end_badly(e, &err);
}

static void tell_contact(struct engine *e, const struct fleet_state *state)
{
    struct fleet_link *l = e->fleet_link;

    if (state->is_joined && !l->was_joined) {
        events_add(&e->events, EVENT_INFO, "fleet", "", "joined the fleet %s as %s, %u worker%s",
                   l->place.job, e->job->worker, l->live, l->live == 1 ? "" : "s");
    } else if (!state->is_joined && state->trouble.result == RESULT_BUSY &&
               (l->was_joined || l->trouble.result == RESULT_OK)) {
        events_add(&e->events, EVENT_WARNING, "fleet", "",
                   "no contact with the fleet: %s; nothing is started until Redis answers",
                   state->trouble.text);
    }
    l->was_joined = state->is_joined;
    l->trouble = state->trouble;
}

static void take_grant(struct fleet_link *l, const struct fleet_news *news, uint64_t at_us)
{
    if (news->grant.count) {
        l->granted = news->grant.count;
        l->next_start_us = at_us + news->grant.first_us;
        l->spacing_us = news->grant.spacing_us;
        l->grant_ends_us = l->next_start_us + l->granted * l->spacing_us + GRANT_LAPSES_US;
    }
    l->starts_asked = false;
}

static enum result heed(struct engine *e, struct fleet_news *news, const struct fleet_state *state)
{
    struct fleet_link *l = e->fleet_link;
    uint64_t now_us = engine_now_us(e), at_us = now_us - state->age_us;
    enum result result = fleet_leases_drop_lost(e, news);

    fleet_found_published(e, news->published);

    l->contact_us = at_us;
    l->is_open = news->is_open;
    l->is_over = news->is_over;
    l->slots = news->slots;
    l->live = news->live;
    memcpy(l->waits_for, news->waits_for, sizeof l->waits_for);
    if (news->was_asked) {
        l->ask_after_us = news->leases ? 0 : now_us + ASK_AGAIN_US;
        l->is_asked = false;
    }
    take_grant(l, news, now_us);
    l->told = news->settings;
    l->drains = news->drains;
    for (size_t i = 0; i < news->hold_count && !e->job->pace.is_budget_own; i++) {
        heed_hold(e, &news->holds[i], now_us + news->holds[i].left_us);
    }
    fleet_learned_heed(e, news, now_us);
    result = result == RESULT_OK ? fleet_leases_begin(e, &news->begun) : result;
    return result == RESULT_OK ? fleet_leases_take(e, news) : result;
}

static void on_news(void *context)
{
    struct engine *e = context;
    struct fleet_link *l = e->fleet_link;
    struct fleet_state state;
    struct fleet_news news;
    enum result result = RESULT_OK;
    bool has = fleet_take(l->fleet, &news, &state);

    fleet_found_heed(e, &state);
    if (state.is_reset) {
        result = fleet_leases_drop_all(e);
        fleet_budget_reset(e);
        fleet_learned_reset(e, engine_now_us(e));
        fleet_login_reset(e);
        l->is_open = l->is_over = false;
    }
    if (has && result == RESULT_OK) {
        result = heed(e, &news, &state);
    }
    fleet_budget_heed(e, engine_now_us(e));
    l->is_joined = state.is_joined;
    l->is_asked &= state.is_joined;
    l->starts_asked &= state.is_joined;
    tell_contact(e, &state);
    fleet_news_release(&news);
    if (result != RESULT_OK) {
        end_for_memory(e);
    } else if (state.trouble.result != RESULT_OK && state.trouble.result != RESULT_BUSY) {
        end_badly(e, &state.trouble);
    }
    engine_want_turn(e);
}

/* --- reports ------------------------------------------------------------------------------------------ */

static bool runs_low(const struct engine *e)
{
    const struct fleet_link *l = e->fleet_link;
    unsigned enough = l->seeds / 2 > 2 * l->slots ? l->seeds / 2 : 2 * l->slots;

    return frontier_parked(e->frontier) < PARKED_ENOUGH && frontier_unmade(e->frontier) +
                                                                   frontier_offered(e->frontier) +
                                                                   frontier_parked(e->frontier) <
                                                               enough;
}

/* As many as are done in some seconds. */
static unsigned seeds_wanted(struct engine *e, uint64_t now_us)
{
    struct fleet_link *l = e->fleet_link;

    if (l->is_asked || !l->is_open || e->phase != ENGINE_RUNNING || now_us < l->ask_after_us ||
        !runs_low(e)) {
        return 0;
    }
    if (l->asked_us && now_us - l->asked_us < LEASE_SHORT_US && l->seeds < FLEET_SEEDS_MAX) {
        l->seeds *= 2;
    } else if (l->asked_us && now_us - l->asked_us > LEASE_LONG_US && l->seeds > SEEDS_LEAST) {
        l->seeds /= 2;
    }
    l->asked_us = now_us;
    l->is_asked = true;
    return l->seeds;
}

static bool has_rate(const struct engine *e)
{
    return e->fleet_link->settings.rate.per_us > 0 && !e->job->pace.is_budget_own;
}

static unsigned starts_wanted(struct engine *e, uint64_t now_us)
{
    struct fleet_link *l = e->fleet_link;
    bool has_grant = l->granted && now_us < l->grant_ends_us;

    if (!has_rate(e) || l->starts_asked || has_grant || !l->is_open || !l->slots ||
        fetch_in_flight(e->fetch) >= l->slots || !engine_work_left(e)) {
        return 0;
    }
    l->starts_asked = true;
    return STARTS_ASKED < l->slots ? STARTS_ASKED : l->slots;
}

static void note_said(struct engine *e, struct fleet_tell *t, uint64_t now_us)
{
    struct fleet_link *l = e->fleet_link;
    const struct metrics *m = &e->metrics;

    if (l->said_us && now_us - l->said_us < US_PER_S) {
        return;
    }
    l->said_us = now_us;
    t->has_said = true;
    t->said =
        (struct fleet_said){ .pid = (uint64_t)uv_os_getpid(),
                             .ok = m->ok + m->ok_before,
                             .failed = m->failed + m->failed_before,
                             .waiting = frontier_parked(e->frontier),
                             .milli_per_s = (uint64_t)(metrics_rate(m, RATE_SECONDS) * 1000) };
}

static void tell(struct engine *e, uint64_t now_us, bool is_tick)
{
    struct fleet_link *l = e->fleet_link;
    uint64_t left = engine_work_left(e);
    struct fleet_tell t = { .in_flight = (unsigned)(fetch_in_flight(e->fetch) + e->marks.under_way),
                            .outbox = fleet_found_outbox(e) };

    t.seeds = seeds_wanted(e, now_us);
    t.starts = starts_wanted(e, now_us);
    fleet_leases_try(e);
    t.begins = l->trial;
    t.wants = left > 0 || t.seeds || l->is_asked || l->suspects > 0;
    if (is_tick || t.seeds || t.starts) {
        note_said(e, &t, now_us);
        fleet_say(l->fleet, &t, (is_tick && l->has_settled) || t.seeds || t.starts);
        l->has_settled &= !is_tick;
    }
}

static void report(struct engine *e, uint64_t id)
{
    struct fleet_link *l = e->fleet_link;

    if (id > l->total) {
        fleet_found_ended(l->fleet, id);
    } else {
        fleet_settled(l->fleet, id, fleet_found_outbox(e));
    }
    l->has_settled = true;
    fleet_leases_end(e, id);
}

static void tell_now(struct engine *e)
{
    tell(e, engine_now_us(e), true);
}

void fleet_link_settled(struct engine *e, const struct settled *s)
{
    struct fleet_link *l = e->fleet_link;
    uint64_t id = s->request->id;

    if (!l || !(id > l->total ? fleet_found_note_done(e, id) : fleet_leases_note_done(e, id))) {
        return;
    }
    if (!fleet_found_owes(e)) {
        report(e, id);
    } else if (fleet_found_wait(e, id) != RESULT_OK) {
        end_for_memory(e);
        return;
    }
    if (!l->is_asked && runs_low(e)) { /* a turn takes its time: not first at the next tick */
        tell(e, engine_now_us(e), false);
    }
}

void fleet_link_tick(struct engine *e, uint64_t now_us)
{
    if (e->fleet_link && engine_is_active(e)) {
        fleet_budget_look(e, now_us, true);
        fleet_learned_tick(e, now_us);
        fleet_login_tick(e, now_us);
        tell(e, now_us, true);
    }
}

/* --- what may start ------------------------------------------------------------------------------------------ */

static bool is_silent(const struct fleet_link *l, uint64_t now_us)
{
    return !l->is_open || now_us > l->contact_us + l->place.lease_ms * US_PER_MS / 2;
}

bool fleet_link_forbids(const struct engine *e, uint64_t now_us, size_t in_flight)
{
    const struct fleet_link *l = e->fleet_link;

    if (l->is_over) { /* then the frontier is asked, which says that it is empty */
        return false;
    }
    return is_silent(l, now_us) || in_flight >= l->slots ||
           (has_rate(e) &&
            (!l->granted || now_us < l->next_start_us || now_us >= l->grant_ends_us));
}

void fleet_link_started(struct engine *e)
{
    struct fleet_link *l = e->fleet_link;

    if (has_rate(e) && l->granted) {
        l->granted--;
        l->next_start_us += l->spacing_us;
        if (!l->granted) {
            tell(e, engine_now_us(e), false);
        }
    }
    fleet_budget_look(e, engine_now_us(e), false);
}

uint64_t fleet_link_wake_us(const struct engine *e, uint64_t now_us)
{
    const struct fleet_link *l = e->fleet_link;

    return has_rate(e) && l->granted && now_us < l->next_start_us ? l->next_start_us : TIME_NEVER;
}

bool fleet_link_goes_on(const struct engine *e)
{
    return e->fleet_link && !e->fleet_link->is_over;
}

bool fleet_link_publishes(struct engine *e, uint64_t now_us)
{
    struct fleet_link *l = e->fleet_link;

    if (!l || e->phase != ENGINE_DRAINING || e->ending.exit != EXIT_WELL ||
        e->storage.state != RESULT_OK || !l->is_joined || is_silent(l, now_us) ||
        !fleet_found_owes(e)) {
        return false;
    }
    l->publishes_since_us = l->publishes_since_us ? l->publishes_since_us : now_us;
    return now_us < l->publishes_since_us + PUBLISHES_US;
}

uint64_t fleet_link_unpublished(const struct engine *e)
{
    return e->fleet_link ? fleet_found_outbox(e) : 0;
}

void fleet_link_words(const struct engine *e, uint64_t now_us, char *text, size_t size)
{
    const struct fleet_link *l = e->fleet_link;

    if (!l->is_joined || now_us > l->contact_us + l->place.lease_ms * US_PER_MS / 2) {
        snprintf(text, size, "no contact with Redis for %llu s",
                 (unsigned long long)((now_us - l->contact_us) / US_PER_S));
    } else if (!l->is_open) {
        snprintf(text, size, "the workers are being counted");
    } else if (l->settings.is_paused) {
        snprintf(text, size, "paused by scrapetop ctl; its word resume goes on");
    } else if (l->waits_for[0] && !engine_work_left(e)) {
        snprintf(text, size, "waits for what %.32s alone knows of", l->waits_for);
    } else if (!engine_work_left(e)) {
        snprintf(text, size, "the others have what is left");
    } else if (fetch_in_flight(e->fetch) >= l->slots) {
        snprintf(text, size, "its share of the cap is %u, of %u worker%s", l->slots, l->live,
                 l->live == 1 ? "" : "s");
    } else {
        snprintf(text, size, "the shared rate");
    }
}

/* --- beginning and end ----------------------------------------------------------------------------------------- */

static void name_place(struct engine *e, char *who, size_t size)
{
    char host[UV_MAXHOSTNAMESIZE] = "?", *path = realpath(e->options.dir->path, NULL);
    size_t len = sizeof host;

    (void)uv_os_gethostname(host, &len);
    snprintf(who, size, "%.200s:%s", host, path ? path : e->options.dir->path);
    free(path);
}

enum result fleet_link_init(struct engine *e, struct err *err)
{
    struct fleet_options o = { .loop = e->options.loop, .on_news = on_news, .context = e };
    struct fleet_link *l;
    enum result result;

    if (!e->job->fleet) {
        return RESULT_OK;
    }
    l = e->fleet_link = calloc(1, sizeof *l);
    if (!l) {
        return err_nomem(err, "preparing the fleet");
    }
    l->report = report;
    l->tell = tell_now;
    l->is_closed = true; /* there is nothing to close yet */
    l->trouble.result = RESULT_OK;
    l->seeds = SEEDS_FIRST;
    l->total = frontier_seeds(e->frontier);
    l->contact_us = engine_now_us(e);
    result = fleet_place_parse(str_view(e->job->fleet), &l->place, err);
    if (result != RESULT_OK) {
        return result;
    }
    name_place(e, l->who, sizeof l->who);
    o.place = &l->place;
    o.worker = e->job->worker;
    o.who = l->who;
    o.total = l->total;
    o.cap = e->job->pace.cap;
    o.rate = e->job->pace.rate;
    l->told = l->settings = (struct fleet_settings){ .cap = o.cap, .rate = o.rate };
    result = fleet_digest_plan(e, o.digest, err);
    memcpy(l->digest, o.digest, sizeof l->digest);
    if (result == RESULT_OK) {
        result = fleet_login_init(e, err);
    }
    if (result == RESULT_OK) {
        result = fleet_start(&l->fleet, &o, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    l->is_closed = false;
    l->given = calloc((size_t)l->total / 8 + 1, 1);
    l->done = calloc((size_t)l->total / 8 + 1, 1);
    return l->given && l->done && frontier_only_leased(e->frontier) == RESULT_OK
               ? RESULT_OK
               : err_nomem(err, "preparing the fleet");
}

void fleet_link_restored(struct engine *e, uint64_t id, bool is_settled)
{
    struct fleet_link *l = e->fleet_link;

    if (!l || id == 0 || id > l->total) { /* a found one: fleet_found_restored */
        return;
    }
    fleet_leases_restore(e, id, is_settled);
    if (is_settled) {
        fleet_restored(l->fleet, id);
    }
}

enum result fleet_link_start(struct engine *e, struct err *err)
{
    if (!e->fleet_link) {
        return RESULT_OK;
    }
    frontier_forget_gaps(e->frontier);
    e->fleet_link->is_started = true;
    tell(e, engine_now_us(e), true);
    return fleet_go(e->fleet_link->fleet, err);
}

static void on_closed(void *context)
{
    struct engine *e = context;

    e->fleet_link->is_closed = true;
    engine_want_turn(e);
}

bool fleet_link_stop(struct engine *e)
{
    struct fleet_link *l = e->fleet_link;

    if (l && !l->is_closed && !l->is_closing) {
        l->is_closing = true;
        if (l->is_started) {
            l->said_us = 0; /* the last totals are whole */
            tell(e, engine_now_us(e), true);
        }
        fleet_close(l->fleet, on_closed, e);
    }
    return !l || l->is_closed;
}

void fleet_link_release(struct engine *e)
{
    struct fleet_link *l = e->fleet_link;

    if (!l) {
        return;
    }
    fleet_leases_release(l);
    fleet_budget_free(l);
    fleet_learned_free(l);
    fleet_found_release(l);
    free(l->told_holds);
    free(l);
    e->fleet_link = NULL;
}
