/**
 * Items: what the listings list, so that every way of paging can be checked against the same rows.
 *
 * Item N (from 1) is the same in every listing: {"id": 2^53 + N, "number": N, "name": …, "owner": {…}}.
 */
#ifndef SCRAPETOP_DEMO_ITEMS_H
#define SCRAPETOP_DEMO_ITEMS_H

#include "base/json_write.h"

/** Writes the items from `first` (from 1) up to but not including `end` as an array. */
void items_write(struct json_writer *j, const char *key, uint64_t seed, uint64_t first,
                 uint64_t end);

/** The same as issues of a repository, as GitHub tells them; `author` is the name of the member that says
 *  by whom ("user" in REST, "author" in GraphQL). */
void items_write_issues(struct json_writer *j, const char *key, uint64_t seed, uint64_t first,
                        uint64_t end, const char *author);

#endif
