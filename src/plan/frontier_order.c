/* The plan's own requests in their order: what rows passed over (gaps), what comes next (the cursor), what was set aside. */
#include "plan/frontier_state.h"

#include "base/grow.h"

#include <stdio.h>

static enum result make(struct frontier *f, enum seeds_reader reader, uint64_t id,
                        struct request **request, struct err *err)
{
    struct seed seed;
    enum result result = seeds_read(f->seeds, reader, id, &seed, err);

    if (result != RESULT_OK) {
        return result;
    }
    *request =
        request_make(id, seed.endpoint,
                     &(struct request_texts){
                         .key = seed.key, .url = seed.url, .body = seed.body, .vars = seed.vars });
    if (!*request) {
        return err_nomem(err, "making a request");
    }
    result = frontier_assign(f, *request, &seed.parts, err);
    if (result != RESULT_OK) {
        request_free(*request);
        *request = NULL;
    }
    return result;
}

enum result frontier_make(struct frontier *f, uint64_t id, struct request **request,
                          struct err *err)
{
    if (id == 0 || id > f->total || !job_shard_has(&f->shard, id)) {
        return err_set(err, RESULT_NOT_FOUND, "E-PLAN1", "no request %llu in this plan",
                       (unsigned long long)id);
    }
    return make(f, SEEDS_LOOK, id, request, err);
}

enum result frontier_make_seed(struct frontier *f, uint64_t number, struct str since,
                               struct request **request, struct err *err)
{
    enum result result;

    seeds_set_since(f->seeds, since);
    result = make(f, SEEDS_LOOK, number, request, err);
    seeds_set_since(f->seeds, STR_NONE);
    return result;
}

uint32_t frontier_endpoint_of(const struct frontier *f, uint64_t number)
{
    return seeds_endpoint(f->seeds, number);
}

static enum result add_gap(struct frontier *f, uint64_t first, uint64_t last)
{
    struct gap *gaps = grow_by_one(f->gaps, f->gap_count, &f->gap_allocated, sizeof *gaps);

    if (!gaps) {
        return RESULT_NOMEM;
    }
    f->gaps = gaps;
    f->gaps[f->gap_count++] = (struct gap){ first, last };
    return RESULT_OK;
}

enum result frontier_restore(struct frontier *f, const struct frontier_row *row, uint64_t now_us,
                             struct err *err)
{
    struct request *request;
    uint64_t id = row->id, place = 0;
    enum result result;

    if (id && id <= f->total && job_shard_has(&f->shard, id)) {
        place = job_shard_place(&f->shard, id);
    }
    if (place < f->cursor) {
        return err_set(err, RESULT_CORRUPT, "E-LEDG3",
                       "the ledger has request %llu, the job has %llu", (unsigned long long)id,
                       (unsigned long long)f->total);
    }
    if (place > f->cursor && add_gap(f, f->cursor, place - 1) != RESULT_OK) {
        return err_nomem(err, "reading the ledger");
    }
    f->cursor = place + 1;
    if (!row->waits_until_us) {
        return RESULT_OK;
    }
    result = make(f, SEEDS_RESTORE, id, &request, err);
    if (result != RESULT_OK) {
        return result;
    }
    request->attempt = row->attempt;
    request->last = row->last;
    request->due = row->due;
    snprintf(request->reason, sizeof request->reason, "%.*s", STR_ARG(row->reason));
    if ((row->exchange && request_resume(request, row->exchange) != RESULT_OK) ||
        frontier_restore_wait(f, request, row->waits_until_us, now_us) != RESULT_OK) {
        frontier_forget(f, request);
        return err_nomem(err, "reading the ledger");
    }
    return RESULT_OK;
}

bool frontier_has_unmade(const struct frontier *f)
{
    return f->gap_at < f->gap_count || (f->cursor <= f->own && !f->closed);
}

/* The next place that no row has, 0 at the end. Does not move. */
static uint64_t next_place(const struct frontier *f)
{
    if (!frontier_has_unmade(f)) {
        return f->aside_at < f->aside_count ? f->aside[f->aside_at].first : 0;
    }
    return f->gap_at < f->gap_count ? f->gaps[f->gap_at].first : f->cursor;
}

static void move_within(struct gap *gaps, size_t *at)
{
    if (gaps[*at].first++ == gaps[*at].last) {
        ++*at;
    }
}

static void move_past(struct frontier *f)
{
    if (!frontier_has_unmade(f)) {
        move_within(f->aside, &f->aside_at);
    } else if (f->gap_at < f->gap_count) {
        move_within(f->gaps, &f->gap_at);
    } else {
        f->cursor++;
    }
}

enum result frontier_make_next(struct frontier *f, struct request **request, struct err *err)
{
    uint64_t place = next_place(f);
    enum result result = RESULT_OK;

    if (place) {
        result = make(f, SEEDS_PLAN, job_shard_id(&f->shard, place), request, err);
    }
    if (place && result == RESULT_OK) {
        move_past(f);
    }
    return result;
}

void frontier_close(struct frontier *f, bool gaps)
{
    f->closed = true;
    if (gaps) {
        f->gap_at = f->gap_count;
    }
}

enum result frontier_again(struct frontier *f, uint64_t id)
{
    uint64_t place = job_shard_has(&f->shard, id) ? job_shard_place(&f->shard, id) : 0;

    if (place == 0 || place >= f->cursor) {
        return RESULT_NOT_FOUND;
    }
    if (f->gap_at == f->gap_count) {
        f->gap_at = f->gap_count = 0; /* all of them are over: their room is free again */
    }
    if (f->gap_count > f->gap_at && f->gaps[f->gap_count - 1].last + 1 == place) {
        f->gaps[f->gap_count - 1].last++;
        return RESULT_OK;
    }
    return add_gap(f, place, place);
}

void frontier_extend(struct frontier *f, uint64_t count)
{
    seeds_extend(f->seeds, count);
    f->total = f->is_listed ? 0 : seeds_total(f->seeds);
    f->own = job_shard_size(&f->shard, f->total);
}
