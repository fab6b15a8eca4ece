/*
 * What is settled: what the ledger is to know of an answer, on its way there and back.
 */
#include "engine/settle.h"

#include "engine/core.h"
#include "engine/discover.h"
#include "engine/endpoint_stats.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/failures.h"
#include "engine/listeners.h"
#include "engine/mark_place.h"
#include "engine/metrics.h"
#include "engine/poll.h"
#include "engine/recall.h"
#include "engine/said.h"
#include "engine/seal.h"

#include <stdlib.h>

/* A settlement and the URL as it may be written down, whose memory is kept for the next one. */
struct settling {
    struct settlement base;
    struct buf url;
    struct buf said_headers, said_body; /* of a failure */
};

static struct settling *settling_of(struct settlement *s)
{
    return (struct settling *)(void *)s;
}

static void spare_settlement(struct engine *e, struct settlement *s)
{
    buf_release(&settling_of(s)->said_headers);
    buf_release(&settling_of(s)->said_body);
    s->next = e->spare;
    e->spare = s;
}

static struct settlement *take_settlement(struct engine *e, const struct request *request)
{
    struct settling *s = settling_of(e->spare);

    if (s) {
        e->spare = s->base.next;
    } else {
        s = calloc(1, sizeof *s);
    }
    if (!s) {
        return NULL;
    }
    s->base = (struct settlement){ 0 };
    buf_reset(&s->url);
    if (engine_redact_url(e, request->url, &s->url) != RESULT_OK) {
        spare_settlement(e, &s->base);
        return NULL;
    }
    s->base.url = buf_view(&s->url);
    return &s->base;
}

void settle_release(struct engine *e)
{
    struct settlement *s;

    while ((s = e->spare)) {
        e->spare = s->next;
        buf_release(&settling_of(s)->url);
        free(s);
    }
}

bool settle_mark(struct engine *e, struct request *request, enum settle_state state)
{
    struct settlement *s = take_settlement(e, request);
    struct response *response = s ? response_new() : NULL;

    if (s && !response) {
        spare_settlement(e, s);
        return false;
    }
    if (!s) {
        return false;
    }
    response->request = request;
    s->response = response;
    s->state = state;
    committer_put(e->committer, s);
    return true;
}

struct request *settle_dismantle(struct engine *e, struct response *response)
{
    struct request *request = response->request;

    response->request = NULL;
    fetch_recycle(e->fetch, response);
    return request;
}

/* Only what was not acted on comes without a redirect behind it: of another, the first hop was. */
static bool has_idle_mark(const struct request *request)
{
    return request->is_marked && request->hops == 0;
}

static void put_back(struct engine *e, struct request *request)
{
    struct err err;

    if (frontier_put_back(e->frontier, request, &err) != RESULT_OK) {
        events_add(&e->events, EVENT_ERROR, "error", "", "%s", err.text);
        frontier_forget(e->frontier, request);
    }
}

void settle_put_back(struct engine *e, struct request *request)
{
    request->comes_back = true;
    if (!has_idle_mark(request) || !settle_mark(e, request, SETTLE_UNSENT)) {
        put_back(e, request);
    }
}

void settle_leave(struct engine *e, struct request *request)
{
    request->comes_back = false;
    if (!has_idle_mark(request) || !settle_mark(e, request, SETTLE_UNSENT)) {
        frontier_forget(e->frontier, request);
    }
}

void settle_once_more(struct engine *e, struct request *request)
{
    if (request->is_marked) {
        frontier_forget(e->frontier, request);
    } else {
        put_back(e, request);
    }
}

/* What the server said with a failure is kept with it; without memory for that the failure alone is. */
static void keep_said(struct engine *e, const struct response *response, struct settlement *s)
{
    struct settling *settling = settling_of(s);

    if (response->status && said_keep(&e->secrets, response, &settling->said_headers,
                                      &settling->said_body) == RESULT_OK) {
        s->said = (struct said){ .headers = buf_view(&settling->said_headers),
                                 .body = buf_view(&settling->said_body),
                                 .body_bytes = response->body_bytes,
                                 .at_us = response->fetched_at_us };
    }
}

/* All who need the headers whole have read them. Pairs stay pairs, for no secret has a NUL in it. */
static void hide_in_headers(struct engine *e, struct response *response)
{
    struct str headers = buf_view(&response->headers);

    buf_reset(&e->scratch.redacted);
    if (!e->secrets.count || !headers.len ||
        secrets_redact(&e->secrets, headers, SECRETS_BEGUN, &e->scratch.redacted) != RESULT_OK ||
        str_equal(buf_view(&e->scratch.redacted), headers)) {
        return;
    }
    buf_reset(&response->headers);
    if (buf_append_str(&response->headers, buf_view(&e->scratch.redacted)) != RESULT_OK) {
        buf_reset(&response->headers);
    }
}

void settle_put(struct engine *e, struct response *response, enum settle_state state,
                enum settle_body body_kind, struct discoveries *discoveries)
{
    struct settlement *s;

    if (response->request->is_scout) { /* the plan's own has been answered, and that stands */
        if (discoveries) {
            discoveries_release(discoveries);
        }
        frontier_forget(e->frontier, settle_dismantle(e, response));
        return;
    }
    s = take_settlement(e, response->request);
    hide_in_headers(e, response);
    if (s && discoveries && seal_discoveries(e, discoveries) != RESULT_OK) {
        spare_settlement(e, s);
        s = NULL;
    }
    if (!s) {
        if (discoveries) {
            discoveries_release(discoveries);
        }
        settle_once_more(e, settle_dismantle(e, response));
        return;
    }
    e->session.ok += state == SETTLE_DONE;
    e->session.failed += state == SETTLE_FAILED;
    s->state = state;
    s->body_kind = body_kind;
    s->response = response;
    if (discoveries) {
        s->discoveries = *discoveries;
        *discoveries = (struct discoveries){ 0 };
    }
    if (state == SETTLE_DONE) {
        poll_note(e, s);
    } else {
        keep_said(e, response, s);
    }
    if (state == SETTLE_WAITING) {
        uint64_t now_us = engine_now_us(e);
        uint64_t due_us = response->request->due_us;

        s->waits_us = due_us > now_us ? due_us - now_us : 0;
        s->not_before_wall_us = clock_wall_us(&e->options.clock) + (int64_t)s->waits_us;
    }
    committer_put(e->committer, s);
}

/* It is sent in the next turn, by who calls mark_next. */
static void mark_is_there(struct engine *e, struct request *request)
{
    request->is_marked = true;
    if (!engine_is_active(e)) {
        e->marks.under_way--;
        host_ended(&e->hosts, host_at(&e->hosts, request->host), request, HOST_END_OURS,
                   engine_now_us(e));
        settle_leave(e, request);
        return;
    }
    request->next = NULL;
    *e->marks.end = request;
    e->marks.end = &request->next;
}

static void committed(struct engine *e, struct settlement *s)
{
    enum settle_state state = s->state;
    struct request *request;
    char line[SAID_LINE_MAX];

    if (!s->response) {
        poll_committed(e, s);
        return;
    }
    discover_committed(e, s);
    request = settle_dismantle(e, s->response);
    recall_forget(e, request->id);
    if (state != SETTLE_SENDING) {
        (void)mark_place_clear(e, request); /* without a mark a place says nothing */
    }

    switch (state) {
    case SETTLE_DONE:
        if (!s->duplicate) { /* else it is among those of an earlier session */
            listeners_settled(e, &(struct settled){ request, true, s->unchanged, "" });
        }
        frontier_forget(e->frontier, request);
        break;
    case SETTLE_FAILED:
        said_line(s->said.body, line);
        listeners_settled(e, &(struct settled){ request, false, false, line });
        frontier_forget(e->frontier, request);
        break;
    case SETTLE_WAITING:
        request->is_marked = false; /* the mark has gone with the row: the next try has its own */
        if (frontier_wait(e->frontier, request, request->due_us) != RESULT_OK) {
            frontier_forget(e->frontier, request); /* its row waits in the ledger */
        }
        break;
    case SETTLE_SENDING:
        mark_is_there(e, request);
        break;
    case SETTLE_UNSENT:
        request->is_marked = false;
        if (request->comes_back) {
            put_back(e, request);
        } else {
            frontier_forget(e->frontier, request);
        }
        break;
    case SETTLE_ROUND: /* has no response */
    case SETTLE_LOST:
        frontier_forget(e->frontier, request);
        break;
    }
    spare_settlement(e, s);
}

void settle_committed(void *context, struct settlement *list)
{
    struct engine *e = context;

    while (list) {
        struct settlement *s = list;

        list = s->next;
        committed(e, s);
    }
    engine_want_turn(e);
}
