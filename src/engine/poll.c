#include "engine/poll.h"

#include "engine/core.h"
#include "engine/discover.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/seal.h"
#include "engine/since.h"
#include "engine/table.h"
#include "plan/sort_key.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PART_SEEDS 256 /* put at once: about a millisecond of the loop */
#define ETAG_MAX 200
#define DATE_LENGTH 29 /* Sun, 06 Nov 1994 08:49:37 GMT */

void poll_init(struct engine *e)
{
    e->poll.is_used = e->job->poll.every_us > 0;
    e->poll.began_us = engine_now_us(e);
    e->poll.began_wall_us = clock_wall_us(&e->options.clock);
    e->poll.is_last = e->options.follow_up.kind != FOLLOW_UP_NONE || !e->poll.is_used;
}

void poll_release(struct engine *e)
{
    discoveries_release(&e->poll.part.discoveries);
}

/* The wall clock as the session began, and the time since then: rounds keep their distance from each other
 * whatever is done to the clock. */
static int64_t wall_us(const struct engine *e)
{
    return e->poll.began_wall_us + (int64_t)(engine_now_us(e) - e->poll.began_us);
}

enum result poll_restore(struct engine *e, struct err *err)
{
    struct rounds_kept kept;
    enum result result = committer_read_rounds(e->committer, &kept, err);

    if (result == RESULT_OK) {
        rounds_init(&e->poll.rounds, &e->job->poll, &kept, wall_us(e));
        e->poll.is_used |= kept.begun > 1;
        e->poll.compares = e->poll.is_used || e->options.asks_again;
    }
    return result;
}

/* --- putting a round into the ledger ----------------------------------------------------------------- */

uint64_t poll_left(const struct engine *e)
{
    const struct rounds_kept *kept = &e->poll.rounds.kept;

    return e->poll.is_used && kept->begun > 1 ? frontier_plan_size(e->frontier) - kept->put : 0;
}

/* Seeds of this round are still to be put, and by this session. */
static bool may_put(const struct engine *e)
{
    return poll_left(e) && e->options.follow_up.kind != FOLLOW_UP_FAILED;
}

static enum result find_seed(struct engine *e, uint64_t id, struct discoveries *out,
                             struct err *err)
{
    static const struct page_at no_page;
    struct request *seed;
    struct sort_key place;
    struct discovered *found;
    enum result result = frontier_make_seed(e->frontier, id, since_asked(e, id), &seed, err);

    if (result != RESULT_OK) {
        return result;
    }
    sort_key_of_seed(rounds_number(&e->poll.rounds), id, &place);
    found = discovered_new(seed->endpoint,
                           &(struct request_texts){ .key = seed->key,
                                                    .url = seed->url,
                                                    .body = seed->body,
                                                    .vars = seed->vars,
                                                    .sort_key = sort_key_view(&place) },
                           &no_page);
    frontier_forget(e->frontier, seed);
    if (!found) {
        return err_nomem(err, "beginning a round");
    }
    discoveries_add(out, found);
    return RESULT_OK;
}

/* A list that cannot be read any more ends the run; the round goes on in the next session. */
static void give_up(struct engine *e, const struct err *err)
{
    events_add(&e->events, EVENT_ERROR, "error", "", "%s", err->text);
    snprintf(e->storage.trouble, sizeof e->storage.trouble, "%s", err->text);
    e->ending.exit = EXIT_INTERNAL;
    engine_stop(e, err->text);
}

/* `put`: seeds of the round that are in the ledger with this part. */
static void send_part(struct engine *e, uint64_t put)
{
    struct poll *p = &e->poll;

    p->kept = p->rounds.kept;
    p->kept.put = put;
    p->part.state = SETTLE_ROUND;
    p->part.rounds = &p->kept;
    p->is_putting = true;
    committer_put(e->committer, &p->part);
}

static void put_part(struct engine *e)
{
    struct poll *p = &e->poll;
    uint64_t id = p->rounds.kept.put, last = frontier_plan_size(e->frontier);
    enum result result = RESULT_OK;
    struct err err;

    p->part = (struct settlement){ .next = NULL };
    last = last - id > PART_SEEDS ? id + PART_SEEDS : last;
    while (id < last && result == RESULT_OK) {
        result = find_seed(e, id + 1, &p->part.discoveries, &err);
        id += result == RESULT_OK;
    }
    if (result == RESULT_OK && seal_discoveries(e, &p->part.discoveries) != RESULT_OK) {
        result = err_nomem(&err, "beginning a round");
    }
    if (result == RESULT_OK) {
        send_part(e, id);
    } else {
        discoveries_release(&p->part.discoveries);
        give_up(e, &err);
    }
}

void poll_committed(struct engine *e, struct settlement *part)
{
    struct poll *p = &e->poll;

    p->is_putting = false;
    if (part->state != SETTLE_LOST) {
        p->rounds.kept.put = p->kept.put;
        discover_note_discovered(e, &part->discoveries);
    }
    discoveries_release(&part->discoveries);
}

/* --- the rounds' times ------------------------------------------------------------------------------- */

static bool is_settled(const struct engine *e)
{
    return !e->poll.is_putting && !poll_left(e) && !engine_work_left(e);
}

void poll_start(struct engine *e)
{
    struct poll *p = &e->poll;

    /* The plan's own requests are the first round's, and are in nobody's way. */
    if (p->is_used && !p->rounds.kept.begun &&
        rounds_step(&p->rounds, false, wall_us(e)) == ROUNDS_BEGIN) {
        p->part = (struct settlement){ .next = NULL };
        send_part(e, frontier_plan_size(e->frontier));
    }
}

static void tell_skipped(struct engine *e, uint64_t before)
{
    uint64_t skipped = e->poll.rounds.kept.skipped - before;
    bool busy = engine_work_left(e) > 0;

    if (skipped == 1) {
        events_add(&e->events, EVENT_WARNING, "skip", "", "a round was skipped%s",
                   busy ? ": the one before is under way" : "");
    } else if (skipped) {
        events_add(&e->events, EVENT_WARNING, "skip", "", "%llu rounds were skipped%s",
                   (unsigned long long)skipped, busy ? ": the one before is under way" : "");
    }
}

/* The latest round has ended, and another one follows: databases get what it brought. */
static void tables_after(struct engine *e, uint64_t round)
{
    if (round && round != e->poll.tables_of) {
        e->poll.tables_of = round;
        table_order_round(e);
    }
}

static void step(struct engine *e)
{
    struct poll *p = &e->poll;
    uint64_t skipped = p->rounds.kept.skipped, round = p->rounds.kept.begun;
    bool settled = is_settled(e);
    enum rounds_step next = rounds_step(&p->rounds, settled && !e->pace.is_paused, wall_us(e));

    p->is_asleep = next == ROUNDS_REST || (settled && next == ROUNDS_BUSY);
    tell_skipped(e, skipped);
    if (settled && (next == ROUNDS_REST || next == ROUNDS_BEGIN)) {
        tables_after(e, round);
    }
    if (next == ROUNDS_BEGIN) {
        events_add(&e->events, EVENT_INFO, "round", "", "round %llu begins",
                   (unsigned long long)p->rounds.kept.begun);
    }
}

void poll_turn(struct engine *e)
{
    struct poll *p = &e->poll;

    if (!p->is_used || e->phase != ENGINE_RUNNING || e->storage.state != RESULT_OK) {
        return;
    }
    if (!p->is_last) {
        step(e);
    }
    (void)table_next(e); /* one whose place was away may have its turn again */
    if (may_put(e) && !p->is_putting && discover_has_room(e)) {
        put_part(e);
    }
}

bool poll_goes_on(const struct engine *e)
{
    const struct poll *p = &e->poll;

    if (!p->is_used) {
        return false;
    }
    return p->is_putting || may_put(e) ||
           (!p->is_last && is_settled(e) && !rounds_are_over(&p->rounds, wall_us(e)));
}

uint64_t poll_wake_us(const struct engine *e, uint64_t now_us)
{
    int64_t left_us;

    if (!e->poll.is_asleep || e->phase != ENGINE_RUNNING || !poll_goes_on(e)) {
        return TIME_NEVER;
    }
    left_us = rounds_due_us(&e->poll.rounds) - wall_us(e);
    return left_us > 0 ? now_us + (uint64_t)left_us : now_us;
}

bool poll_is_unfinished(const struct engine *e)
{
    const struct poll *p = &e->poll;

    return p->is_used && !p->is_last && (p->rounds.count || p->rounds.until_us) &&
           !rounds_are_over(&p->rounds, wall_us(e));
}

/* --- what is known already --------------------------------------------------------------------------- */

/* As servers write it, RFC 9110 section 5.6.7; it goes back as it came. */
static bool is_date(struct str text)
{
    const struct str end = STR(" GMT");

    if (text.len != DATE_LENGTH ||
        !str_equal((struct str){ text.data + text.len - end.len, end.len }, end)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!isalnum((unsigned char)text.data[i]) && !strchr(" ,:", text.data[i])) {
            return false;
        }
    }
    return true;
}

/* RFC 9110 section 8.8.3; it goes into a header of ours. */
static bool is_etag(struct str text)
{
    struct str quoted =
        str_starts(text, STR("W/")) ? (struct str){ text.data + 2, text.len - 2 } : text;

    if (quoted.len < 2 || text.len > ETAG_MAX || quoted.data[0] != '"' ||
        quoted.data[quoted.len - 1] != '"') {
        return false;
    }
    for (size_t i = 1; i + 1 < quoted.len; i++) {
        if (quoted.data[i] <= ' ' || quoted.data[i] == '"' || quoted.data[i] == 0x7F) {
            return false;
        }
    }
    return true;
}

static bool is_validator(struct str text)
{
    return is_etag(text) || is_date(text);
}

static bool is_conditional(const struct engine *e, const struct request *request)
{
    return strcmp(e->job->endpoints[request->endpoint].method, "GET") == 0 &&
           !discover_wants(&e->discover, request->endpoint);
}

void poll_carry(struct engine *e, const struct request *request, struct fetch_extra *extra)
{
    const char *name = is_date(request->etag) ? "If-Modified-Since" : "If-None-Match";
    size_t free_at = 0;

    if (!is_validator(request->etag)) {
        return;
    }
    while (free_at < FETCH_EXTRA_HEADERS && extra->headers[free_at].len) {
        free_at++;
    }
    if (free_at < FETCH_EXTRA_HEADERS) {
        snprintf(e->poll.header, sizeof e->poll.header, "%s: %.*s", name, STR_ARG(request->etag));
        extra->headers[free_at] = str_view(e->poll.header);
    }
}

bool poll_is_not_modified(const struct response *response)
{
    return response->outcome == OUTCOME_STATUS && response->status == 304 &&
           is_validator(response->request->etag) && !response->request->foreign &&
           !response->request->exchange.url;
}

void poll_note(struct engine *e, struct settlement *s)
{
    const struct request *request = s->response->request;
    struct str validator;

    s->unchanged = s->body_kind == SETTLE_BODY_NONE;
    if (!e->poll.compares || s->unchanged) {
        return;
    }
    s->poll.is_used = true;
    validator = response_header(s->response, STR("etag"));
    if (!is_etag(validator)) {
        validator = response_header(s->response, STR("last-modified"));
    }
    if (is_conditional(e, request) && !request->foreign && !request->exchange.url &&
        is_validator(validator) && !secrets_are_in(&e->secrets, validator)) {
        s->poll.etag = validator;
    }
}
