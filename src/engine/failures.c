#include "engine/failures.h"

#include "base/utf8.h"
#include "engine/core.h"
#include "engine/endpoint_stats.h"
#include "engine/engine_state.h"
#include "engine/failed_recent.h"
#include "engine/follow_up.h"
#include "plan/twin.h"

#include <stdlib.h>
#include <string.h>

/* 24 MB; beyond these a failed request is asked again by a new run */
#define FAILED_IDS_MAX (1U << 20)

/* The row of that class, made when there is none; NULL when there are too many. */
static struct failure_kind *kind_of(struct engine *e, struct failure why)
{
    struct failure_kind *kind;

    for (size_t i = 0; i < e->failures.kind_count; i++) {
        if (failure_equal(e->failures.kinds[i].why, why)) {
            return &e->failures.kinds[i];
        }
    }
    if (e->failures.kind_count == FAILURES_KINDS_MAX) {
        return NULL;
    }
    kind = &e->failures.kinds[e->failures.kind_count++];
    *kind = (struct failure_kind){ .serial = ++e->failures.serial, .why = why };
    return kind;
}

/* Most frequent first. */
static void sort_classes(struct engine *e)
{
    for (size_t i = 1; i < e->failures.kind_count; i++) {
        struct failure_kind kind = e->failures.kinds[i];
        size_t at = i;

        for (; at > 0 && e->failures.kinds[at - 1].count < kind.count; at--) {
            e->failures.kinds[at] = e->failures.kinds[at - 1];
        }
        e->failures.kinds[at] = kind;
    }
}

static void note_id(struct engine *e, struct failed_request failed)
{
    if (e->failures.id_count == e->failures.id_allocated) {
        size_t allocated = e->failures.id_allocated ? e->failures.id_allocated * 2 : 64;
        struct failed_request *ids =
            allocated <= FAILED_IDS_MAX ? realloc(e->failures.ids, allocated * sizeof *ids) : NULL;

        if (!ids) {
            return; /* it stays failed, as the count says */
        }
        e->failures.ids = ids;
        e->failures.id_allocated = allocated;
    }
    e->failures.ids[e->failures.id_count++] = failed;
}

/* `request`: its first one is the example; NULL: nobody has it. */
static void note_failed(struct engine *e, struct failed_request failed,
                        const struct request *request, struct failure why, const char *said)
{
    struct failure_kind *kind = kind_of(e, why);
    struct failed_one *one;

    if (kind) {
        if (!kind->count++ && request) {
            engine_request_text(e, request, kind->example);
            utf8_display(kind->said, sizeof kind->said, str_view(said), sizeof kind->said);
            kind->example_id = failed.id;
        }
        kind->last_us = engine_now_us(e);
    }
    failed.kind = kind ? kind->serial : 0;
    note_id(e, failed);
    one = failed_recent_add(&e->failures.recent, failed.id, why,
                            failed.before ? 0 : engine_now_us(e));
    if (request) {
        engine_request_text(e, request, one->request);
        utf8_display(one->said, sizeof one->said, str_view(said), sizeof one->said);
    }
    sort_classes(e);
}

void failures_note(struct engine *e, const struct request *request, const char *said)
{
    struct failed_request failed = { .id = request->id, .endpoint = (uint16_t)request->endpoint };

    if (request->last.failure.class == FAILURE_STATUS &&
        ban_is_refusal(request->last.failure.status)) {
        uint32_t origin = twin_origin(&e->hosts, request->host);

        failed.refused_by = origin + 1;
        failed.row = host_at(&e->hosts, origin)->ban.rows;
    }
    note_failed(e, failed, request, request->last.failure, said);
}

void failures_restore(struct engine *e, const struct ledger_row *row)
{
    struct failed_request failed = { .id = row->id,
                                     .endpoint = (uint16_t)row->endpoint,
                                     .before = true };
    struct failure why = row->last.failure;
    const struct failure_kind *kind;
    struct request *request = NULL;

    failed.chosen = follow_up_wants(&e->options.follow_up, why);
    kind = kind_of(e, why);
    if (kind && !kind->count && frontier_make(e->frontier, row->id, &request, NULL) != RESULT_OK) {
        request = NULL; /* a class without an example */
    }
    note_failed(e, failed, request, why, "");
    if (request) {
        frontier_forget(e->frontier, request);
    }
}

void failures_release(struct engine *e)
{
    free(e->failures.ids);
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = ((const struct failed_request *)a)->id, y = ((const struct failed_request *)b)->id;

    return x < y ? -1 : x > y;
}

static void forget_failure(struct engine *e, const struct failed_request *failed)
{
    uint64_t *count = failed->before ? &e->metrics.failed_before : &e->metrics.failed;

    *count -= *count > 0;
    e->session.failed -= !failed->before && e->session.failed > 0;
    endpoint_stats_revived(&e->endpoint_stats, failed->endpoint);
    for (size_t i = 0; i < e->failures.kind_count; i++) {
        struct failure_kind *kind = &e->failures.kinds[i];

        if (kind->serial == failed->kind && --kind->count == 0) {
            e->failures.kind_count--;
            memmove(kind, kind + 1, (e->failures.kind_count - i) * sizeof *kind);
            return;
        }
    }
}

/* What found no room among the classes is meant with all only. */
static bool is_meant(const struct engine *e, const struct failed_request *failed,
                     const struct failures_asked *asked)
{
    if ((asked->chosen_only && !failed->chosen) ||
        (asked->refused_by &&
         (failed->refused_by != asked->refused_by || failed->row != asked->row))) {
        return false;
    }
    for (size_t i = 0; asked->choice.class != FAILURE_NONE && i < e->failures.kind_count; i++) {
        if (e->failures.kinds[i].serial == failed->kind) {
            return failure_choice_has(&asked->choice, e->failures.kinds[i].why);
        }
    }
    return asked->choice.class == FAILURE_NONE;
}

/* The ids are sorted. */
static bool is_still_failed(void *context, uint64_t id)
{
    const struct engine *e = context;
    const struct failed_request wanted = { .id = id };

    return e->failures.id_count && bsearch(&wanted, e->failures.ids, e->failures.id_count,
                                           sizeof *e->failures.ids, compare_ids);
}

/* In the ledger they stay failed until they have ended anew, which overwrites them: whatever happens
 * before that loses nothing. */
unsigned long long failures_ask(struct engine *e, const struct failures_asked *asked,
                                enum result (*ask)(struct engine *engine, uint64_t id))
{
    unsigned long long again = 0;
    size_t kept = 0;

    if (e->failures.id_count) {
        qsort(e->failures.ids, e->failures.id_count, sizeof *e->failures.ids, compare_ids);
    }
    for (size_t i = 0; i < e->failures.id_count; i++) {
        struct failed_request failed = e->failures.ids[i];

        if (!is_meant(e, &failed, asked) || ask(e, failed.id) != RESULT_OK) {
            e->failures.ids[kept++] = failed;
            continue;
        }
        forget_failure(e, &failed);
        again++;
    }
    e->failures.id_count = kept;
    failed_recent_keep(&e->failures.recent, is_still_failed, e);
    sort_classes(e);
    return again;
}

bool failures_are_any(const struct engine *e, const struct failure_choice *choice)
{
    for (size_t i = 0; i < e->failures.kind_count; i++) {
        if (failure_choice_has(choice, e->failures.kinds[i].why)) {
            return true;
        }
    }
    return choice->class == FAILURE_NONE && e->failures.id_count > 0;
}
