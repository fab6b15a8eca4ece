/**
 * A sort key: where a request stands in its endpoint's order, as bytes that memcmp compares.
 *
 *   round (4) . id of the seed (8) [ . page (4) . record (4) ] ... [ . page (4) ]
 *
 * A part of a page that was too large (pages_split) has, after the page, the number of its first record (4). A part of a
 * seed's window that was too much (plan/split.h) has, after the seed, where it begins in the window (4), as a fraction of
 * 2^32, and how often that was halved (4).
 *
 * All numbers big-endian. A seed is a request of the plan's own sources; its key follows from its id.
 * The first page of a listing has no page number of its own, so that it comes before the others. The
 * detail of a record stands at the record's number in its page. All requests of one endpoint come about
 * in the same way, so places of one endpoint compare; those of two need not.
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_PLAN_SORT_KEY_H
#define SCRAPETOP_PLAN_SORT_KEY_H

#include "plan/request.h"

#include <stdbool.h>
#include <stddef.h>

#define SORT_KEY_LEVELS_MAX 6 /* details of details of ... */
#define SORT_KEY_ROUND_BYTES 4
#define SORT_KEY_SEED_BYTES 12 /* of a seed: its round and its number */
#define SORT_KEY_MAX (12 + 8 * SORT_KEY_LEVELS_MAX + 4)

struct sort_key {
    uint8_t bytes[SORT_KEY_MAX];
    size_t len;
};

/** The request's own, or the one that its id makes in round 0. */
void sort_key_of(const struct request *request, struct sort_key *key);
void sort_key_of_seed(uint32_t round, uint64_t id, struct sort_key *key);

/** The key of page `ordinal` of the listing that `request` is a page of. */
void sort_key_of_page(const struct request *request, uint32_t ordinal, struct sort_key *key);

/** The key of the detail of record `record` (from 0) in what `request` brought. False when it would be
 *  too deep. */
bool sort_key_of_record(const struct request *request, uint32_t record, struct sort_key *key);

/** The key of a part, of which `ordinal` is the first record's number in the listing, of the page that `request` asks for,
 *  or of the part of a page. */
void sort_key_of_page_part(const struct request *request, uint32_t ordinal, struct sort_key *key);

/** The key of one half, 0 or 1, of the window that `request` asks for. False when it was halved `depth_max` times. */
bool sort_key_of_part(const struct request *request, unsigned half, unsigned depth_max,
                      struct sort_key *key);

int sort_key_compare(struct str a, struct str b);
struct str sort_key_view(const struct sort_key *key);

#endif
