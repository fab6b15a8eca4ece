/**
 * Transfers in flight, oldest first, linked by `next` and `prev`. It owns none of them; zeroed it is empty.
 */
#ifndef SCRAPETOP_FETCH_TRANSFER_LIST_H
#define SCRAPETOP_FETCH_TRANSFER_LIST_H

#include "fetch/transfer.h"

struct transfer_list {
    struct transfer *first, *last;
    size_t count;
};

/** At the end. */
void transfer_list_add(struct transfer_list *list, struct transfer *transfer);
void transfer_list_remove(struct transfer_list *list, struct transfer *transfer);

/** The first of a lane, or the one whose request has this id; NULL when there is none. */
struct transfer *transfer_list_first_in(const struct transfer_list *list, const struct lane *lane);
struct transfer *transfer_list_find(const struct transfer_list *list, uint64_t id);

/** Of those that are paused the one nearest to its end, or NULL. */
struct transfer *transfer_list_nearest_paused(const struct transfer_list *list);

/** Of those that cannot be held up, the one whose body is the largest and that may be asked again; with `spares_one` not
 *  the one nearest to its end; or NULL. */
struct transfer *transfer_list_largest_stream(const struct transfer_list *list, bool spares_one);

#endif
