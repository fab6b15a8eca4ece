/*
 * What answers led to, shared with the other workers:
 *
 *   answer --> ledger, its outbox --> lines --> fleet --(any worker)--> leases --> frontier
 *
 * What has ended here is told to the fleet when all that it led to is published: so nobody takes the job for over, and
 * nothing is lost with a worker that never returns. Places in the outbox only ever grow, and are published in their
 * order.
 */
#include "engine/fleet_link_state.h"

#include "base/grow.h"
#include "base/url.h"
#include "engine/core.h"
#include "engine/events.h"
#include "engine/fleet_line.h"
#include "engine/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNDER_WAY_TIMES 8 /* as many as are read at a time are with the fleet's thread */
#define CALL_BYTES ((size_t)512 << 10)   /* of found requests are enough for one call of Redis */
#define A_TIME_BYTES ((uint64_t)4 << 20) /* as much is read of the outbox at a time, or one */

/* --- what is in hand --------------------------------------------------------------------------------------- */

enum result fleet_found_restored(struct engine *e, uint64_t id, bool is_settled)
{
    struct fleet_link *l = e->fleet_link;

    if (is_settled) {
        fleet_found_ended(l->fleet, id);
    }
    return id_set_put(&l->found.ids, id, is_settled ? ID_SETTLED : ID_IN_HAND);
}

bool fleet_found_note_done(struct engine *e, uint64_t id)
{
    struct fleet_found *f = &e->fleet_link->found;

    if (id_set_look(&f->ids, id) == ID_SETTLED) {
        return false;
    }
    (void)!id_set_put(&f->ids, id, ID_SETTLED); /* it is there, in hand */
    return true;
}

/* --- what it owes ------------------------------------------------------------------------------------------ */

bool fleet_found_owes(const struct engine *e)
{
    const struct fleet_found *f = &e->fleet_link->found;

    return f->sent < f->last || f->must_fill;
}

uint64_t fleet_found_outbox(const struct engine *e)
{
    const struct fleet_found *f = &e->fleet_link->found;

    return f->last - f->sent;
}

enum result fleet_found_wait(struct engine *e, uint64_t id)
{
    struct fleet_found *f = &e->fleet_link->found;
    struct owed *list;

    if (f->owed_at == f->owed_count) {
        f->owed_at = f->owed_count = 0;
    }
    list = grow_by_one(f->owed, f->owed_count, &f->owed_room, sizeof *list);
    if (!list) {
        return RESULT_NOMEM;
    }
    f->owed = list;
    f->owed[f->owed_count++] = (struct owed){ id, f->must_fill ? UINT64_MAX : f->last };
    return RESULT_OK;
}

void fleet_found_published(struct engine *e, uint64_t upto)
{
    struct fleet_found *f = &e->fleet_link->found;

    if (upto <= f->sent || upto > f->last) {
        return;
    }
    f->sent = upto;
    committer_drop_outbox(e->committer, upto);
    while (f->owed_at < f->owed_count && f->owed[f->owed_at].mark <= f->sent) {
        e->fleet_link->report(e, f->owed[f->owed_at++].id);
    }
}

/* --- from the ledger to the fleet -------------------------------------------------------------------------- */

enum result fleet_found_restore(struct engine *e, struct err *err)
{
    struct buf generation = { .max = FLEET_GENERATION_MAX - 1 };
    struct fleet_found *f;
    enum result result;

    if (!e->fleet_link) {
        return RESULT_OK;
    }
    f = &e->fleet_link->found;
    result = committer_read_note(e->committer, LEDGER_NOTE_FLEET, &generation, err);

    if (result == RESULT_OK && buf_cstr(&generation)) {
        snprintf(f->generation, sizeof f->generation, "%s", generation.data);
        fleet_set_generation(e->fleet_link->fleet, f->generation);
    }
    buf_release(&generation);
    if (result != RESULT_OK && result != RESULT_NOT_FOUND) {
        return result;
    }
    result = e->discover.plan.is_shared
                 ? committer_outbox_ends(e->committer, &f->sent, &f->last, err)
                 : RESULT_OK;
    f->read_to = f->sent;
    f->a_time = FLEET_PUBLISHED_MAX;
    return result;
}

void fleet_found_heed(struct engine *e, const struct fleet_state *state)
{
    struct fleet_found *f = &e->fleet_link->found;

    if (!state->generation[0] || strcmp(f->generation, state->generation) == 0) {
        return;
    }
    memcpy(f->generation, state->generation, sizeof f->generation);
    if (!state->is_reset || !e->discover.plan.is_shared) {
        committer_set_note(e->committer, LEDGER_NOTE_FLEET, str_view(f->generation));
        fleet_filled(e->fleet_link->fleet);
        return;
    }
    f->must_fill = true;
    for (size_t i = f->owed_at; i < f->owed_count; i++) {
        f->owed[i].mark = UINT64_MAX; /* until it is filled */
    }
}

void fleet_found_note_committed(struct engine *e, const struct settlement *settlement)
{
    struct fleet_found *f = &e->fleet_link->found;

    f->last = settlement->outbox_last > f->last ? settlement->outbox_last : f->last;
}

bool fleet_found_asks(struct engine *e, struct committer_question *question)
{
    struct fleet_found *f = &e->fleet_link->found;

    if (f->must_fill) {
        question->ends = f->ends;
    } else if (f->read_to < f->last &&
               f->read_to - f->sent < (uint64_t)UNDER_WAY_TIMES * f->a_time) {
        question->of_outbox = true;
        question->after_id = f->read_to;
        question->max = f->a_time;
    }
    return question->ends || question->of_outbox;
}

/* All that may be known to nobody else is in the outbox, at places after all before. */
static void note_filled(struct engine *e)
{
    struct fleet_found *f = &e->fleet_link->found;
    size_t at = f->owed_at;

    f->must_fill = false;
    f->sent = f->read_to = f->ends[0];
    f->last = f->ends[1];
    for (size_t i = at; i < f->owed_count; i++) {
        f->owed[i].mark = f->last;
    }
    committer_set_note(e->committer, LEDGER_NOTE_FLEET, str_view(f->generation));
    while (f->owed_at < f->owed_count && f->owed[f->owed_at].mark <= f->sent) {
        e->fleet_link->report(e, f->owed[f->owed_at++].id);
    }
    e->fleet_link->tell(e);
    fleet_filled(e->fleet_link->fleet);
}

static enum result write_line(const struct request *request, struct buf *lines)
{
    enum result result = buf_printf(lines, "%llu ", (unsigned long long)request->id);

    result = result == RESULT_OK ? fleet_line_write(request, lines) : result;
    return result == RESULT_OK ? buf_append_char(lines, '\n') : result;
}

/* As many go in one call as keep it short; the longest go alone. */
static enum result publish(struct engine *e, const struct request *list, size_t count)
{
    struct fleet_found *f = &e->fleet_link->found;
    struct buf lines = { .max = 0 };
    enum result result = RESULT_OK;
    uint64_t bytes = 0;

    for (; list && result == RESULT_OK; list = list->next) {
        result = write_line(list, &lines);
        f->read_to++;
        if (result == RESULT_OK && (!list->next || lines.len >= CALL_BYTES)) {
            result = fleet_publish(e->fleet_link->fleet, buf_view(&lines), f->read_to);
            bytes += lines.len;
            buf_reset(&lines);
        }
    }
    buf_release(&lines);
    if (bytes > A_TIME_BYTES) {
        f->a_time = (unsigned)(count * A_TIME_BYTES / bytes) + 1;
    } else if (f->a_time < FLEET_PUBLISHED_MAX / 2) {
        f->a_time *= 2;
    } else {
        f->a_time = FLEET_PUBLISHED_MAX;
    }
    return result;
}

enum result fleet_found_answered(struct engine *e, struct request *list, size_t count,
                                 bool was_filled)
{
    struct fleet_found *f = &e->fleet_link->found;
    enum result result = RESULT_OK;

    if (was_filled) {
        note_filled(e);
    } else if (f->must_fill) {
        ; /* of before: it is filled anew, and read from there */
    } else if (count) {
        result = publish(e, list, count);
    }
    while (list) {
        struct request *next = list->next;

        request_free(list);
        list = next;
    }
    return result;
}

/* --- from the fleet to the frontier -------------------------------------------------------------------------- */

/* The origin that the job's author named for the endpoint, as far as there stands one. */
static bool is_named_by_job(const struct job *job, uint32_t endpoint, const struct url *url)
{
    struct str text = str_view(job->endpoints[endpoint].sources[0].text), rest = text;
    struct url own;

    (void)str_cut(&rest, '{');
    text.len -= rest.len + (rest.data != NULL);
    return url_split(text, &own, NULL) == RESULT_OK && own.origin.len < text.len &&
           url_same_origin(&own, url);
}

/* Or of the request of the plan that led to it. */
static bool is_of_seed(struct engine *e, const struct request *found, const struct url *url)
{
    struct request *seed;
    struct url own;
    uint64_t number = 0;
    bool is;

    for (size_t i = SORT_KEY_ROUND_BYTES; i < SORT_KEY_SEED_BYTES; i++) {
        number = number << 8 | (uint8_t)found->sort_key.data[i];
    }
    if (!number || number > e->fleet_link->total ||
        frontier_make(e->frontier, number, &seed, NULL) != RESULT_OK) {
        return false;
    }
    is = url_split(seed->url, &own, NULL) == RESULT_OK && url_same_origin(&own, url);
    frontier_forget(e->frontier, seed);
    return is;
}

/* Redis may lead no request, and what goes with it, to where no answer could. */
static bool is_allowed(struct engine *e, const struct request *found)
{
    struct fleet_found *f = &e->fleet_link->found;
    char origin[URL_ORIGIN_MAX];
    struct url url;
    uint32_t endpoint = found->endpoint;

    if (url_split(found->url, &url, NULL) != RESULT_OK) {
        return false;
    }
    url_origin_key(&url, origin);
    if (strcmp(origin, f->origin) == 0) { /* as the one before */
        return true;
    }
    while (!is_named_by_job(e->job, endpoint, &url)) {
        if (!e->job->endpoints[endpoint].has_parent) {
            if (!is_of_seed(e, found, &url)) {
                return false;
            }
            break;
        }
        endpoint = e->job->endpoints[endpoint].parent;
    }
    memcpy(f->origin, origin, sizeof f->origin);
    return true;
}

/* Takes the request. */
static enum result offer(struct engine *e, struct request *request)
{
    struct fleet_found *f = &e->fleet_link->found;
    struct err err = { .result = RESULT_OK };
    uint32_t endpoint = request->endpoint;
    enum result result = id_set_put(&f->ids, request->id, ID_IN_HAND);

    seal_note(request);
    if (result == RESULT_OK) {
        result = frontier_offer(e->frontier, request, &err);
    }
    if (result != RESULT_OK) {
        request_free(request);
        return RESULT_NOMEM;
    }
    frontier_note_discovered(e->frontier, endpoint, 1);
    return RESULT_OK;
}

static enum result add_id(struct leased *leased, uint64_t id)
{
    uint64_t *ids = grow_by_one(leased->ids, leased->id_count, &leased->id_room, sizeof *ids);

    if (!ids) {
        return RESULT_NOMEM;
    }
    leased->ids = ids;
    leased->ids[leased->id_count++] = id;
    return RESULT_OK;
}

enum result fleet_found_take(struct engine *e, struct leased *leased)
{
    struct fleet_link *l = e->fleet_link;
    struct str lines = str_view(leased->lease->found);
    enum result result = RESULT_OK;

    leased->id_count = 0;

    while (lines.len && result == RESULT_OK) {
        struct request *request = fleet_line_read(str_cut(&lines, '\n'), e->job->endpoint_count);
        enum id_state state = request ? id_set_look(&l->found.ids, request->id) : ID_UNKNOWN;

        if (!request || request->id <= l->total || !is_allowed(e, request)) {
            events_add(&e->events, EVENT_ERROR, "fleet", "",
                       "a found request in the fleet is none of this job's, and is left out");
            request_free(request);
            continue;
        }
        if (state != ID_SETTLED) {
            result = add_id(leased, request->id);
        }
        leased->is_held &= state == ID_UNKNOWN;
        if (state == ID_UNKNOWN && !leased->is_held && result == RESULT_OK) {
            result = offer(e, request);
        } else {
            request_free(request);
        }
    }
    leased->left = leased->id_count;
    return result;
}

void fleet_found_release(struct fleet_link *l)
{
    id_set_release(&l->found.ids);
    free(l->found.owed);
}
