#include "engine/body_checks.h"

#include "engine/body.h"
#include "engine/core.h"
#include "engine/engine_state.h"

#include <stdlib.h>

#define ALONE_BYTES (256U << 10)      /* a larger body does not wait for others, nor they for it */
#define GATHERED_BYTES_MAX (1U << 20) /* then it is handed over, to wait its turn there */

/* What the pool and the store have before them is more than they would have if they kept up. */
#define BEHIND_BYTES (2U << 20)
#define STORE_BEHIND_BYTES (4U << 20)

/* Where a handover is worth it is a judgement: the check of 8 KB of dense JSON takes some 5 us, a
 * handover of one body some microseconds more, and a tenth of that when bodies come in numbers.
 * Pages are worth more, for they are read twice. */
#define INLINE_MAX (8U << 10)

struct body_check {
    struct body_check *next;
    struct response *response;
    size_t bytes; /* of the body as it was sent */
    bool grows;
    struct body_result reading;
};

struct check_batch {
    struct work_item item;
    struct engine *engine;
    struct body_check *first, **end;
    size_t bytes;
};

void body_result_release(struct body_result *reading)
{
    discoveries_release(&reading->discoveries);
    request_free(reading->clear);
}

void body_checks_init(struct body_checks *checks, unsigned processors)
{
    *checks = (struct body_checks){ .is_alone = processors < 2 };
}

/* The pool reads one body at a time, so the largest stands for all. */
static void keep_room(struct engine *e, struct body_check *check)
{
    struct body_checks *c = &e->judging.checks;
    const struct body_how how = body_how_of(e, check->response->request->endpoint);

    check->grows = body_may_grow(&how, check->response);
    if (check->grows) {
        uint64_t most = body_json_max(&how, check->response);

        c->growing++;
        c->grow_bytes = most > c->grow_bytes ? most : c->grow_bytes;
        fetch_reserve(e->fetch, c->grow_bytes);
    }
}

static void give_room_back(struct engine *e, const struct body_check *check)
{
    struct body_checks *c = &e->judging.checks;

    c->growing -= check->grows;
    if (check->grows && !c->growing) {
        c->grow_bytes = 0;
        fetch_reserve(e->fetch, 0);
    }
}

static void run(struct work_item *item)
{
    struct check_batch *batch = (struct check_batch *)(void *)item;

    for (struct body_check *check = batch->first; check; check = check->next) {
        batch->engine->judging.checks.read(batch->engine, check->response, &check->reading);
    }
}

static void hand_over(struct engine *e, struct check_batch *batch)
{
    e->judging.checks.batches++;
    work_submit(&e->judging.pool, &batch->item);
}

static void hand_over_gathered(struct engine *e)
{
    struct check_batch *batch = e->judging.checks.gathering;

    if (batch) {
        e->judging.checks.gathering = NULL;
        hand_over(e, batch);
    }
}

static void end_check(struct engine *e, struct body_check *check, bool cancelled)
{
    e->judging.count--;
    e->judging.bytes -= check->bytes;
    give_room_back(e, check);
    fetch_recount(e->fetch, check->response);
    e->judging.checks.done(e, check->response, &check->reading, cancelled);
    body_result_release(&check->reading);
    free(check);
}

static void done(struct work_item *item, bool cancelled)
{
    struct check_batch *batch = (struct check_batch *)(void *)item;
    struct engine *e = batch->engine;
    struct body_check *check;

    if (--e->judging.checks.batches == 0) { /* the pool reads on while these are judged */
        hand_over_gathered(e);
    }
    while ((check = batch->first)) {
        batch->first = check->next;
        end_check(e, check, cancelled);
    }
    free(batch);
    engine_want_turn(e);
}

static struct check_batch *batch_new(struct engine *e)
{
    struct check_batch *batch = malloc(sizeof *batch);

    if (batch) {
        *batch = (struct check_batch){ .item = { .run = run, .done = done }, .engine = e };
        batch->end = &batch->first;
    }
    return batch;
}

static void append(struct check_batch *batch, struct body_check *check)
{
    *batch->end = check;
    batch->end = &check->next;
    batch->bytes += check->bytes;
}

/* Where it goes: to those that gather, or alone. */
static struct check_batch *batch_for(struct engine *e, bool alone)
{
    struct body_checks *c = &e->judging.checks;

    if (alone) {
        hand_over_gathered(e);
        return batch_new(e);
    }
    if (!c->gathering) {
        c->gathering = batch_new(e);
    }
    return c->gathering;
}

static bool is_behind(const struct engine *e)
{
    return e->judging.bytes >= BEHIND_BYTES ||
           committer_pending_bytes(e->committer) >= STORE_BEHIND_BYTES;
}

bool body_checks_want(const struct engine *e, size_t bytes, bool leads_on)
{
    bool is_spared = !e->judging.checks.is_alone && !is_behind(e);

    return bytes > (is_spared  ? INLINE_MAX
                    : leads_on ? ENGINE_PAGE_INLINE_MAX
                               : ENGINE_JSON_INLINE_MAX);
}

bool body_checks_put(struct engine *e, struct response *response, struct request *clear)
{
    struct body_checks *c = &e->judging.checks;
    const struct body_how how = body_how_of(e, response->request->endpoint);
    bool alone = response->body.len > ALONE_BYTES || body_may_grow(&how, response);
    struct body_check *check = malloc(sizeof *check);
    struct check_batch *batch = check ? batch_for(e, alone) : NULL;

    if (!batch) {
        free(check);
        return false;
    }
    *check = (struct body_check){ .response = response,
                                  .bytes = response->body.len,
                                  .reading = { .opinion = opinion_none, .clear = clear } };
    e->judging.count++;
    e->judging.bytes += check->bytes;
    keep_room(e, check);
    append(batch, check);
    if (alone) {
        hand_over(e, batch);
    } else if (c->batches == 0 || batch->bytes >= GATHERED_BYTES_MAX) {
        hand_over_gathered(e);
    }
    return true;
}

void body_checks_cancel(struct engine *e)
{
    hand_over_gathered(e);
    work_cancel(&e->judging.pool);
}
