#include "engine/discover.h"

#include "base/grow.h"
#include "base/moment.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/exchanges.h"
#include "engine/fleet_link.h"
#include "engine/restore.h"
#include "engine/seal.h"
#include "engine/since.h"
#include "plan/extract_links.h"
#include "plan/pages/pages.h"

#include <stdio.h>
#include <stdlib.h>

/* Endpoints with a `since`, and those that hang on one. A parent comes before its children. */
static bool find_since(struct discover *d)
{
    const struct job *job = d->job;

    d->is_since = calloc(job->endpoint_count, sizeof *d->is_since);
    for (size_t i = 0; d->is_since && i < job->endpoint_count; i++) {
        const struct job_endpoint *endpoint = &job->endpoints[i];

        d->is_since[i] =
            endpoint->since.at || (endpoint->has_parent && d->is_since[endpoint->parent]);
    }
    d->plan.is_since = d->is_since;
    return d->is_since != NULL;
}

enum result discover_init(struct discover *d, const struct job *job, bool is_listed,
                          struct err *err)
{
    *d = (struct discover){ .job = job };
    for (size_t i = 0; i < job->endpoint_count; i++) {
        d->leads_on |= job->endpoints[i].pages.kind != JOB_PAGES_NONE ||
                       job->endpoints[i].has_parent || job->endpoints[i].split.is_wanted;
        d->has_since |= job->endpoints[i].since.at != NULL;
    }
    d->plan.is_shared = job->fleet && d->leads_on && !is_listed;
    d->is_used = d->leads_on || d->has_since || is_listed || job->poll.every_us > 0;
    if (!d->is_used) {
        return RESULT_OK;
    }
    d->announced = calloc(job->endpoint_count, sizeof *d->announced);
    d->parents = calloc(job->endpoint_count, sizeof *d->parents);
    for (uint32_t i = 0; d->parents && i < job->endpoint_count; i++) {
        d->parents[i] = job->endpoints[i].has_parent ? job->endpoints[i].parent : i;
    }
    d->plan = (struct ledger_plan){ .is_listed = is_listed,
                                    .is_shared = d->plan.is_shared,
                                    .parents = d->parents,
                                    .endpoint_count = job->endpoint_count };
    if (d->has_since && !find_since(d)) {
        return err_nomem(err, "preparing the run");
    }
    return d->announced && d->parents ? extract_links_new(&d->links, job, err)
                                      : err_nomem(err, "preparing the run");
}

void discover_release(struct discover *d)
{
    extract_links_free(d->links);
    free(d->again);
    free(d->announced);
    free(d->parents);
    free(d->is_since);
    free(d->accounts);
    *d = (struct discover){ .is_used = false };
}

/* --- from the body to discoveries --------------------------------------------------------------------- */

bool discover_wants(const struct discover *d, uint32_t endpoint)
{
    return d->is_used &&
           (d->job->endpoints[endpoint].pages.kind != JOB_PAGES_NONE ||
            d->job->endpoints[endpoint].since.at || extract_links_wants(d->links, endpoint));
}

static struct str header_of(const void *context, struct str name, unsigned n)
{
    return response_header_nth(context, name, n);
}

/* By our clock or the server's, whichever is later: a clock that was set back makes no record one
 * of the future. */
static int64_t came_at(const struct response *response)
{
    struct str date = response_header(response, STR("date"));
    int64_t server_us;

    return moment_parse_http(date, response->fetched_at_us, &server_us) &&
                   server_us > response->fetched_at_us
               ? server_us
               : response->fetched_at_us;
}

enum result discover_read(const struct discover *d, const struct request *request,
                          const struct response *response, struct discoveries *out)
{
    struct page_reply reply = { buf_view(&response->body), header_of, response };
    const struct job_endpoint *endpoint = &d->job->endpoints[request->endpoint];
    enum result result = RESULT_OK;

    if (endpoint->since.at) {
        since_read(endpoint, request->vars, reply.body, came_at(response), &out->since);
    }
    /* Pages before details: a listing that goes on is what keeps the others busy. */
    if (endpoint->pages.kind != JOB_PAGES_NONE) {
        result = pages_read(d->job, request, &reply, out);
    }
    if (result == RESULT_OK && !out->is_no_page &&
        extract_links_wants(d->links, request->endpoint)) {
        result = extract_links_read(d->links, request, reply.body, out);
    }
    return result;
}

/* --- from the ledger to the frontier --------------------------------------------------------------- */

static void tell_notes(struct engine *e, const struct settlement *s)
{
    const struct request *request = s->response->request;

    for (const struct page_note *note = s->discoveries.notes; note; note = note->next) {
        events_add(&e->events, page_note_is_loss(note->kind) ? EVENT_ERROR : EVENT_WARNING, "pages",
                   "", "%s, %.*s: %s", e->job->endpoints[request->endpoint].name,
                   STR_ARG(request->key), note->text);
    }
}

/* The first page of a listing tells how many there will be, which are named in blocks. */
static void note_announced(struct engine *e, const struct settlement *s)
{
    const struct request *request = s->response->request;
    const struct discovered *first = s->discoveries.first;

    if (first && first->id && first->page.ordinal && !request->page.ordinal &&
        first->endpoint == request->endpoint) {
        e->discover.announced[first->endpoint] +=
            first->page.expected ? first->page.expected : s->discoveries.count + 1;
    }
}

uint64_t discover_announced(const struct engine *e, uint32_t endpoint)
{
    uint64_t named = frontier_planned(e->frontier, endpoint);
    uint64_t announced = e->discover.is_used ? e->discover.announced[endpoint] : 0;

    return announced > named ? announced : named;
}

void discover_note_discovered(struct engine *e, const struct discoveries *discoveries)
{
    for (const struct discovered *found = discoveries->first; found; found = found->next) {
        if (found->id) {
            frontier_note_discovered(e->frontier, found->endpoint, 1);
            e->discover.last_id = found->id;
        }
    }
}

void discover_committed(struct engine *e, struct settlement *s)
{
    if (s->state != SETTLE_LOST) {
        tell_notes(e, s);
        since_note(e, s);
        note_announced(e, s);
        if (e->discover.plan.is_shared) {
            fleet_found_note_committed(e, s);
        } else {
            discover_note_discovered(e, &s->discoveries);
        }
    }
    discoveries_release(&s->discoveries);
}

/* What cannot be asked for ends the run: the ledger is not what it should be, or there is no memory. */
static void give_up(struct engine *e, const struct err *err)
{
    events_add(&e->events, EVENT_ERROR, "error", "", "%s", err->text);
    snprintf(e->storage.trouble, sizeof e->storage.trouble, "%s", err->text);
    e->ending.exit = EXIT_INTERNAL;
    engine_stop(e, err->text);
}

struct waiting {
    struct engine *engine;
    uint64_t now_us;
    int64_t wall_us;
    struct err *err;
};

static enum result restore_waiting(void *context, struct request *request, int64_t not_before_us)
{
    struct waiting *w = context;
    const struct exchange *exchange = exchanges_find(&w->engine->exchanges, request->id);
    uint64_t due_us;
    enum result result = RESULT_OK;

    seal_note(request);
    if (!restore_due(w->engine, request->attempt, not_before_us - w->wall_us, &due_us)) {
        request->due = (struct due){ .by = DUE_RESTART };
    }
    if (exchange) {
        result = request_resume(request, exchange);
    }
    if (result == RESULT_OK) {
        result = frontier_offer_waiting(w->engine->frontier, request, due_us, w->now_us, w->err);
    }
    if (result != RESULT_OK) {
        request_free(request);
    } else {
        restore_leave_waiting(w->engine, request->id);
    }
    return result;
}

static enum result count_discovered(struct engine *e, struct err *err)
{
    uint64_t *counts = calloc(e->job->endpoint_count + 1, sizeof *counts);
    enum result result =
        counts ? committer_count_discovered(e->committer, counts, e->job->endpoint_count, err)
               : err_nomem(err, "reading the ledger");

    for (uint32_t i = 0; result == RESULT_OK && i < e->job->endpoint_count; i++) {
        frontier_note_discovered(e->frontier, i, counts[i]);
    }
    free(counts);
    return result;
}

enum result discover_restore(struct engine *e, struct err *err)
{
    struct discover *d = &e->discover;
    struct waiting w = { e, engine_now_us(e), clock_wall_us(&e->options.clock), err };
    uint64_t last = 0;
    enum result result = d->is_used ? count_discovered(e, err) : RESULT_OK;

    if (d->is_used && result == RESULT_OK) {
        result = committer_last_found(e->committer, &last, err);
    }
    d->read_to = frontier_seeds(e->frontier);
    d->last_id = last > d->read_to ? last : frontier_last_id(e->frontier);
    if (d->plan
            .is_shared) { /* whatever comes after the plan's own is found, and not fed from here */
        d->last_id = UINT64_MAX;
    }
    d->again_only = e->options.follow_up.kind == FOLLOW_UP_FAILED;
    return d->is_used && result == RESULT_OK
               ? committer_each_waiting(e->committer, restore_waiting, &w, err)
               : result;
}

bool discover_is_pending(const struct engine *e)
{
    const struct discover *d = &e->discover;

    return d->is_asking || (d->read_to < d->last_id && !d->again_only && !d->plan.is_shared) ||
           d->again_count > 0;
}

bool discover_has_room(const struct engine *e)
{
    return !discover_is_pending(e) && frontier_offered(e->frontier) < FRONTIER_OFFERED_MAX / 2;
}

/* One question at a time: what is asked again comes first. */
static bool asks_for_outbox(struct engine *e)
{
    struct discover *d = &e->discover;
    struct committer_question question = { .max = 0 };

    if (!d->plan.is_shared || d->again_count || d->is_asking || !engine_is_active(e) ||
        e->storage.state != RESULT_OK || !fleet_found_asks(e, &question)) {
        return false;
    }
    d->is_asking = d->outbox_asked = true;
    d->fill_asked = question.ends != NULL;
    committer_read_discovered(e->committer, &question);
    return true;
}

void discover_feed(struct engine *e)
{
    struct discover *d = &e->discover;
    struct committer_question question = { .after_id = d->read_to, .max = FRONTIER_OFFERED_MAX };

    if (asks_for_outbox(e)) {
        return;
    }
    if (d->is_asking || !discover_is_pending(e) || e->phase != ENGINE_RUNNING ||
        e->storage.state != RESULT_OK ||
        frontier_offered(e->frontier) >= FRONTIER_OFFERED_MAX / 2) {
        return;
    }
    while (d->again_count && d->asked_again_count < FRONTIER_OFFERED_MAX) {
        d->asked_again[d->asked_again_count++] = d->again[--d->again_count];
    }
    if (d->asked_again_count) {
        question.ids = d->asked_again;
        question.id_count = d->asked_again_count;
    }
    d->asked_for = d->last_id;
    d->is_asking = true;
    committer_read_discovered(e->committer, &question);
}

bool discover_settle_accounts(struct engine *e)
{
    struct discover *d = &e->discover;
    struct committer_question question = { .account_count = e->job->endpoint_count };

    if (!d->is_used || d->accounts_read || e->storage.state != RESULT_OK ||
        e->ending.exit != EXIT_WELL) {
        return true;
    }
    if (d->is_asking) {
        return false;
    }
    if (!d->accounts) {
        d->accounts = calloc(e->job->endpoint_count, sizeof *d->accounts);
    }
    if (!d->accounts) {
        return true; /* the report does without */
    }
    question.accounts = d->accounts;
    d->is_asking = d->accounts_asked = true;
    committer_read_discovered(e->committer, &question);
    return false;
}

const struct page_account *discover_account(const struct engine *e, uint32_t endpoint)
{
    return e->discover.accounts_read ? &e->discover.accounts[endpoint] : NULL;
}

static void offer(struct engine *e, struct request *list)
{
    struct err err;

    for (struct request *next; list; list = next) {
        next = list->next;
        seal_note(list);
        if (e->phase == ENGINE_CLOSING || e->ending.exit == EXIT_INTERNAL) {
            request_free(list); /* left to the next session */
        } else if (frontier_offer(e->frontier, list, &err) != RESULT_OK) {
            request_free(list);
            give_up(e, &err);
        }
    }
}

void discover_answered(void *context, struct request *list, size_t count)
{
    struct engine *e = context;
    struct discover *d = &e->discover;

    d->is_asking = false;
    if (d->accounts_asked) {
        d->accounts_asked = false;
        d->accounts_read = true;
        engine_want_turn(e);
        return;
    }
    if (d->outbox_asked) {
        d->outbox_asked = false;
        if (fleet_found_answered(e, list, count, d->fill_asked) != RESULT_OK) {
            struct err err;

            (void)!err_nomem(&err, "publishing what was found");
            give_up(e, &err);
        }
        engine_want_turn(e);
        return;
    }
    if (d->asked_again_count) {
        d->asked_again_count = 0;
    } else {
        for (const struct request *request = list; request; request = request->next) {
            d->read_to = request->id;
        }
        if (count < FRONTIER_OFFERED_MAX && d->asked_for > d->read_to) {
            d->read_to = d->asked_for; /* the rest of them has ended already */
        }
    }
    offer(e, list);
    engine_want_turn(e);
}

enum result discover_again(struct engine *e, uint64_t id)
{
    struct discover *d = &e->discover;
    uint64_t *again = grow_by_one(d->again, d->again_count, &d->again_allocated, sizeof *again);

    if (!again) {
        return RESULT_NOMEM;
    }
    d->again = again;
    d->again[d->again_count++] = id;
    return RESULT_OK;
}
