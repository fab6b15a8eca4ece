/* Leases: parts of the plan that are this worker's for a time. */
#include "engine/fleet_link_state.h"

#include "base/grow.h"

#include <stdlib.h>
#include <string.h>

static bool bit(const uint8_t *bits, uint64_t id)
{
    return bits[(id - 1) >> 3] >> ((id - 1) & 7) & 1;
}

static void set_bit(uint8_t *bits, uint64_t id, bool value)
{
    uint8_t mask = (uint8_t)(1U << ((id - 1) & 7));

    bits[(id - 1) >> 3] =
        (uint8_t)(value ? bits[(id - 1) >> 3] | mask : bits[(id - 1) >> 3] & ~mask);
}

static void leave_suspicion(struct fleet_link *l, struct leased *leased)
{
    if (leased->is_suspect && strcmp(l->trial.name, leased->lease->entry.name) == 0) {
        l->trial.name[0] = '\0';
    }
    l->suspects -= leased->is_suspect;
    leased->is_suspect = false;
}

static void remove_lease(struct fleet_link *l, size_t at)
{
    leave_suspicion(l, &l->list[at]);
    fleet_lease_free(l->list[at].lease);
    free(l->list[at].ids);
    l->list[at] = l->list[--l->count];
}

static bool lease_has(const struct leased *leased, uint64_t id)
{
    const struct fleet_lease *lease = leased->lease;

    for (size_t i = 0; i < leased->id_count; i++) {
        if (leased->ids[i] == id) {
            return true;
        }
    }
    for (size_t i = 0; i < lease->range_count; i++) {
        if (id >= lease->ranges[i].first && id <= lease->ranges[i].last) {
            return true;
        }
    }
    return false;
}

static enum result give_range(struct engine *e, uint64_t first, uint64_t last)
{
    struct fleet_link *l = e->fleet_link;
    enum result result = frontier_lease(e->frontier, first, last);

    for (uint64_t id = first; result == RESULT_OK && id <= last; id++) {
        set_bit(l->given, id, true);
        l->open++;
    }
    return result;
}

/* What of a range is not in hand here goes to the frontier. */
static enum result give(struct engine *e, const struct fleet_range *range)
{
    struct fleet_link *l = e->fleet_link;
    enum result result = RESULT_OK;
    uint64_t from = 0;

    for (uint64_t id = range->first; id <= range->last && result == RESULT_OK; id++) {
        if (!bit(l->given, id) && !from) {
            from = id;
        } else if (bit(l->given, id) && from) {
            result = give_range(e, from, id - 1);
            from = 0;
        }
    }
    return from && result == RESULT_OK ? give_range(e, from, range->last) : result;
}

/* What is leased no longer, and not begun, is left to others. */
static enum result leave_unmade(struct engine *e)
{
    struct fleet_link *l = e->fleet_link;
    enum result result = RESULT_OK;
    uint64_t first, last;

    while (frontier_give_back(e->frontier, &first, &last)) {
        for (uint64_t id = first; id <= last; id++) {
            set_bit(l->given, id, false);
            l->open--;
        }
    }
    for (size_t i = 0; i < l->count && result == RESULT_OK; i++) {
        for (size_t n = 0;
             !l->list[i].is_held && n < l->list[i].lease->range_count && result == RESULT_OK; n++) {
            const struct fleet_range *range = &l->list[i].lease->ranges[n];

            for (uint64_t id = range->first; id <= range->last && result == RESULT_OK; id++) {
                if (!bit(l->given, id)) {
                    result = give_range(e, id, id);
                }
            }
        }
    }
    return result;
}

static bool have_lease(const struct fleet_link *l, const struct fleet_entry *entry)
{
    for (size_t i = 0; i < l->count; i++) {
        if (strcmp(l->list[i].lease->entry.name, entry->name) == 0) {
            return true;
        }
    }
    return false;
}

/* Those of the plan's own. */
static enum result take_ranges(struct engine *e, struct leased *leased)
{
    const struct fleet_lease *lease = leased->lease;
    enum result result = RESULT_OK;

    for (size_t i = 0; i < lease->range_count && result == RESULT_OK; i++) {
        for (uint64_t id = lease->ranges[i].first; id <= lease->ranges[i].last; id++) {
            leased->left += !bit(e->fleet_link->done, id);
            leased->is_held &= !bit(e->fleet_link->given, id);
        }
        result = leased->is_held ? RESULT_OK : give(e, &lease->ranges[i]);
    }
    return result;
}

static enum result take_requests(struct engine *e, struct leased *leased)
{
    leased->left = 0;
    return leased->lease->found ? fleet_found_take(e, leased) : take_ranges(e, leased);
}

static bool is_of_one(const struct fleet_lease *lease)
{
    return lease->found
               ? !strchr(lease->found, '\n')
               : lease->range_count == 1 && lease->ranges[0].first == lease->ranges[0].last;
}

/* Takes it. */
static enum result take_lease(struct engine *e, struct fleet_lease *lease)
{
    struct fleet_link *l = e->fleet_link;
    struct leased *list = grow_by_one(l->list, l->count, &l->room, sizeof *list);
    struct leased leased = { .lease = lease, .is_held = lease->times > 1 && is_of_one(lease) };
    enum result result = list ? RESULT_OK : RESULT_NOMEM;

    if (list) {
        l->list = list;
        result = take_requests(e, &leased);
    }
    if (result == RESULT_OK && leased.left) {
        leased.is_suspect = leased.is_held;
        l->suspects += leased.is_suspect;
        fleet_keep(l->fleet, &lease->entry);
        l->list[l->count++] = leased;
        return RESULT_OK;
    }
    if (result == RESULT_OK) {
        fleet_ended(l->fleet, &lease->entry);
        l->has_settled = true;
    }
    free(leased.ids);
    fleet_lease_free(lease);
    return result;
}

void fleet_leases_try(struct engine *e)
{
    struct fleet_link *l = e->fleet_link;

    for (size_t i = 0; l->suspects && !l->trial.name[0] && i < l->count; i++) {
        if (l->list[i].is_held) {
            l->trial = l->list[i].lease->entry;
        }
    }
}

enum result fleet_leases_begin(struct engine *e, const struct fleet_entry *begun)
{
    struct fleet_link *l = e->fleet_link;

    for (size_t i = 0; l->suspects && i < l->count; i++) {
        struct leased *leased = &l->list[i];

        if (leased->is_held && strcmp(leased->lease->entry.name, begun->name) == 0) {
            leased->is_held = false;
            return take_requests(e, leased);
        }
    }
    return RESULT_OK;
}

enum result fleet_leases_take(struct engine *e, struct fleet_news *news)
{
    struct fleet_link *l = e->fleet_link;
    enum result result = RESULT_OK;
    bool any = news->leases != NULL;

    while (news->leases) {
        struct fleet_lease *lease = news->leases;

        news->leases = lease->next;
        if (result != RESULT_OK || have_lease(l, &lease->entry)) {
            fleet_lease_free(lease);
        } else {
            result = take_lease(e, lease);
        }
    }
    if (any) {
        committer_set_planned(e->committer, frontier_own(e->frontier));
    }
    return result;
}

enum result fleet_leases_drop_lost(struct engine *e, const struct fleet_news *news)
{
    struct fleet_link *l = e->fleet_link;

    for (size_t i = 0; i < news->lost_count; i++) {
        for (size_t n = l->count; n-- > 0;) {
            if (strcmp(l->list[n].lease->entry.name, news->lost[i].name) == 0) {
                fleet_drop(l->fleet, &news->lost[i]);
                remove_lease(l, n);
            }
        }
    }
    return news->lost_count ? leave_unmade(e) : RESULT_OK;
}

enum result fleet_leases_drop_all(struct engine *e)
{
    struct fleet_link *l = e->fleet_link;

    while (l->count) {
        remove_lease(l, l->count - 1);
    }
    return leave_unmade(e);
}

void fleet_leases_restore(struct engine *e, uint64_t id, bool is_settled)
{
    struct fleet_link *l = e->fleet_link;

    frontier_count_leased(e->frontier, id, id, true);
    set_bit(l->given, id, true);
    set_bit(l->done, id, is_settled);
    l->open += !is_settled;
}

void fleet_leases_calm(struct engine *e, uint64_t id)
{
    struct fleet_link *l = e->fleet_link;

    for (size_t i = 0; l->suspects && i < l->count; i++) {
        if (l->list[i].is_suspect && lease_has(&l->list[i], id)) {
            leave_suspicion(l, &l->list[i]);
            fleet_calm(l->fleet, &l->list[i].lease->entry);
        }
    }
}

bool fleet_link_is_deadly(const struct engine *e, uint64_t id)
{
    const struct fleet_link *l = e->fleet_link;

    for (size_t i = 0; l->suspects && i < l->count; i++) {
        if (l->list[i].is_suspect && l->list[i].lease->deaths >= FLEET_DEADLY &&
            lease_has(&l->list[i], id)) {
            return true;
        }
    }
    return false;
}

bool fleet_leases_note_done(struct engine *e, uint64_t id)
{
    struct fleet_link *l = e->fleet_link;

    if (bit(l->done, id)) {
        return false;
    }
    set_bit(l->done, id, true);
    l->open -= bit(l->given, id);
    return true;
}

void fleet_leases_end(struct engine *e, uint64_t id)
{
    struct fleet_link *l = e->fleet_link;

    for (size_t i = l->count; i-- > 0;) {
        if (lease_has(&l->list[i], id) && --l->list[i].left == 0) {
            fleet_ended(l->fleet, &l->list[i].lease->entry);
            remove_lease(l, i);
        }
    }
}

void fleet_leases_release(struct fleet_link *l)
{
    while (l->count) {
        remove_lease(l, l->count - 1);
    }
    free(l->list);
    free(l->given);
    free(l->done);
}
