#include "plan/twin.h"
#include "plan/host_hold.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

#define ROTATIONS_MAX 64 /* of one lane, in a turn */

static bool has_twins(const struct host_table *table, const struct host *host)
{
    return table->twin_count && host == table->twins[0];
}

static bool may_ask(const struct host *twin, uint64_t without)
{
    return !twin->is_aside && !(without >> (twin->twin - 1) & 1);
}

enum result twins_make(struct host_table *table, uint32_t first, const char *const *names,
                       size_t count, struct err *err)
{
    struct str label_of_all = host_at(table, first)->label;

    table->twins = calloc(count, sizeof(struct host *));
    if (!table->twins) {
        return err_nomem(err, "preparing the tokens");
    }
    for (size_t i = 0; i < count; i++) {
        struct host *host = i ? host_add_twin(table, first) : host_at(table, first);
        char *label = malloc(TWIN_LABEL_MAX);
        int len;

        if (!host || !label) {
            free(label);
            return err_nomem(err, "preparing the tokens");
        }
        len = snprintf(label, TWIN_LABEL_MAX, "%s@%.*s", names[i], STR_ARG(label_of_all));
        host->own_label = label;
        host->twin = (uint32_t)i + 1;
        table->twins[table->twin_count++] = host;
        host->label =
            (struct str){ label, (size_t)len < TWIN_LABEL_MAX ? (size_t)len : TWIN_LABEL_MAX - 1 };
    }
    return RESULT_OK;
}

struct host *twin_first(const struct host_table *table, struct host *host)
{
    return host->twin ? table->twins[0] : host;
}

uint32_t twin_origin(const struct host_table *table, uint32_t index)
{
    return host_at(table, index)->twin ? table->twins[0]->index : index;
}

struct host *twin_origin_of(const struct host_table *table, const struct request *request)
{
    return host_at(table, twin_origin(table, request->host));
}

struct str twin_origin_label(const struct host *host)
{
    struct str label = host->label;

    if (host->twin) {
        (void)str_cut(&label, '@');
    }
    return label;
}

struct host *twin_at(const struct host_table *table, uint32_t number)
{
    return table->twins[number - 1];
}

uint32_t twins_alive(const struct host_table *table)
{
    uint32_t alive = 0;

    for (uint32_t i = 0; i < table->twin_count; i++) {
        alive += !table->twins[i]->is_aside;
    }
    return alive;
}

uint64_t twins_without(const struct request *request)
{
    uint64_t own = request->twin ? UINT64_C(1) << (request->twin - 1) : 0;

    return own && request->exchange.asked && !(request->refused_by & own) ? ~own
                                                                          : request->refused_by;
}

/* Where all that are left have refused it, they are asked once more: what becomes of it is not for this part. */
static uint64_t without_which(const struct host_table *table, uint64_t without)
{
    for (uint32_t i = 0; i < table->twin_count; i++) {
        if (may_ask(table->twins[i], without)) {
            return without;
        }
    }
    return 0;
}

/* The next one, in turn, that a request of this lane of the first may start at, but those with a bit in `without`. NULL:
 * none, and `*why` says what keeps back the one that comes nearest to it. Of a host without twins: itself, if it may. */
static struct host *next_twin(const struct host_table *table, struct host *first, uint16_t lane,
                              uint64_t without, uint64_t now_us, enum host_answer *why)
{
    *why = HOST_MAY;
    if (!has_twins(table, first) || first->is_dead) {
        *why = host_may_start(table, first, lane, now_us);
        return *why == HOST_MAY ? first : NULL;
    }
    *why = HOST_HELD;
    without = without_which(table, without);
    for (uint32_t n = 0; n < table->twin_count; n++) {
        struct host *twin = table->twins[(table->twin_turn + n) % table->twin_count];
        enum host_answer own = HOST_FULL;
        uint16_t at = lane;

        if (!may_ask(twin, without)) {
            continue;
        }
        if (twin == first || host_lane_as(twin, &first->lanes[lane], &at) == RESULT_OK) {
            own = host_may_start(table, twin, at, now_us);
        }
        if (own == HOST_MAY) {
            *why = HOST_MAY;
            return twin;
        }
        *why = own > *why ? own : *why;
    }
    return NULL;
}

/* A request that stands in no queue is asked by this one from now on. Without memory for a lane it stays. */
static void take(struct host_table *table, struct request *request, struct host *twin)
{
    struct host *before = host_at(table, request->host);
    uint16_t lane = request->lane;

    request->twin = (uint8_t)twin->twin;
    if (twin == before) {
        table->twin_turn = twin->twin;
        return;
    }
    if (before->lane_count &&
        host_lane_as(twin, &before->lanes[lane < before->lane_count ? lane : 0], &lane) !=
            RESULT_OK) {
        return;
    }
    host_ref(table, twin->index);
    host_unref(table, request->host);
    request->host = twin->index;
    request->lane = lane;
    table->twin_turn = twin->twin;
}

enum host_answer twin_choose(struct host_table *table, struct request *request, uint64_t now_us)
{
    struct host *first = host_at(table, request->host), *twin;
    enum host_answer why;

    twin = next_twin(table, first, request->lane, twins_without(request), now_us, &why);
    if (twin && has_twins(table, first)) {
        take(table, request, twin);
    }
    return why;
}

void twin_choose_any(struct host_table *table, struct request *request, uint64_t now_us)
{
    struct host *first = host_at(table, request->host);

    if (!has_twins(table, first) || twin_choose(table, request, now_us) == HOST_MAY) {
        return;
    }
    for (uint32_t i = 0; i < table->twin_count; i++) {
        if (!table->twins[i]->is_aside) {
            take(table, request, table->twins[i]);
            return;
        }
    }
}

/* The twin for what comes first in the lane. What only twins may take that are held goes behind the others, which any
 * may. */
static struct host *next_of_lane(const struct host_table *table, struct host *first, uint16_t at,
                                 uint64_t now_us, enum host_answer *why)
{
    struct lane *lane = &first->lanes[at];
    struct host *twin = NULL;
    enum host_answer any;

    for (unsigned n = 0; n < ROTATIONS_MAX && n < lane->ready_count && !twin; n++) {
        uint64_t without = twins_without(lane_first(lane));

        twin = next_twin(table, first, at, without, now_us, why);
        if (!twin && (!without || !next_twin(table, first, at, 0, now_us, &any))) {
            break;
        }
        if (!twin) {
            lane_push(lane, lane_pop(lane), LANE_PLACE_FRESH);
        }
    }
    return twin;
}

struct request *twins_next(struct host_table *table, struct host *first, uint64_t now_us,
                           enum host_answer *why)
{
    *why = HOST_MAY;
    if (!has_twins(table, first)) {
        return host_next(table, first, now_us, why);
    }
    for (uint16_t n = 0; n < first->lane_count; n++) {
        uint16_t at = (uint16_t)((first->lane_turn + n) % first->lane_count);
        enum host_answer own = HOST_MAY;
        struct host *twin = next_of_lane(table, first, at, now_us, &own);

        if (twin) {
            struct request *request = lane_pop(&first->lanes[at]);

            first->lane_turn = (uint16_t)(at + 1);
            first->ready_count--;
            take(table, request, twin);
            return request;
        }
        *why = own > *why ? own : *why;
    }
    return NULL;
}

enum host_answer twins_why(const struct host_table *table, struct host *first, uint64_t now_us)
{
    enum host_answer why = HOST_MAY, own;

    if (!has_twins(table, first)) {
        return host_why(table, first, now_us);
    }
    for (uint16_t i = 0; i < first->lane_count; i++) {
        const struct lane *lane = &first->lanes[i];

        if (lane->ready_count) {
            (void)next_twin(table, first, i, twins_without(lane_first(lane)), now_us, &own);
            why = own > why ? own : why;
        }
    }
    return why;
}

struct host_wake twins_wake(const struct host_table *table, struct host *first, uint64_t now_us)
{
    struct host_wake wake = { TIME_NEVER, false };

    if (!has_twins(table, first)) {
        return host_wake(table, first, now_us);
    }
    for (uint32_t i = 0; i < table->twin_count; i++) {
        struct host_wake one = host_wake_of(table, table->twins[i], first, now_us);

        if (one.at_us < wake.at_us) {
            wake = one;
        }
    }
    return wake;
}

/* The request's lane at another twin; false when there is none, nor memory for it. */
static bool lane_at(struct host_table *table, const struct request *request, struct host *twin,
                    struct request *as)
{
    const struct host *own = host_at(table, request->host);

    as->lane = request->lane;
    return own->lane_count &&
           (twin == own || host_lane_as(twin, &own->lanes[request->lane], &as->lane) == RESULT_OK);
}

uint64_t twins_free_us(struct host_table *table, const struct request *request, uint64_t without,
                       uint64_t now_us)
{
    uint64_t first_us = TIME_NEVER;

    for (uint32_t i = 0; i < table->twin_count; i++) {
        struct host *twin = table->twins[i];
        struct request as = { .id = request->id };
        uint64_t free_us = now_us;

        if (!may_ask(twin, without)) {
            continue;
        }
        if (lane_at(table, request, twin, &as)) {
            uint64_t until_us = host_hold_of(twin, &as, now_us).until_us;

            free_us = until_us > now_us ? until_us : now_us;
        }
        first_us = free_us < first_us ? free_us : first_us;
    }
    return first_us;
}

bool twins_may_soon(struct host_table *table, const struct request *request, uint64_t without,
                    uint64_t now_us)
{
    for (uint32_t i = 0; i < table->twin_count; i++) {
        struct host *twin = table->twins[i];
        struct request as = { .id = request->id };

        if (may_ask(twin, without) && lane_at(table, request, twin, &as)) {
            enum host_answer answer = host_may_start(table, twin, as.lane, now_us);

            if (answer == HOST_MAY || answer == HOST_FULL) {
                return true;
            }
        }
    }
    return false;
}

void twins_stop(struct host_table *table, struct host *first)
{
    host_stop(first);
    for (uint32_t i = 0; has_twins(table, first) && i < table->twin_count; i++) {
        host_stop(table->twins[i]);
    }
}

void twins_hold_named(struct host_table *table, const struct request *request, uint64_t until_us,
                      uint64_t now_us, const struct due *due)
{
    for (uint32_t i = 0; host_at(table, request->host)->twin && i < table->twin_count; i++) {
        struct request as = { .id = request->id };

        if (lane_at(table, request, table->twins[i], &as)) {
            host_hold_named(table->twins[i], &as, until_us, now_us, due);
        }
    }
}
