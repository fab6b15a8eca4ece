/**
 * Shards: one job cut into parts, each of which is a run of its own.
 *
 * Of the plan's own requests shard I of N has the I-th and every N-th after it. Numbers, keys and places stay those of
 * the whole plan, so that the tables of all shards together are the table of one run. What an answer leads to belongs
 * to the shard that asked. The shards know nothing of each other.
 *
 * An id is a request's number in the whole plan, a place its number within the shard; both begin with 1.
 *
 * Errors     E-SHARD1: a text that names no shard.
 * Threads    any.
 */
#ifndef SCRAPETOP_JOB_SHARD_H
#define SCRAPETOP_JOB_SHARD_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define JOB_SHARDS_MAX 100000
#define JOB_SHARD_TEXT_MAX 32

/** Zeroed: the whole plan. */
struct job_shard {
    unsigned number; /* from 1 */
    unsigned count;  /* 0: not cut */
};

/** "3/8". */
MUST_CHECK enum result job_shard_parse(struct str text, struct job_shard *shard, struct err *err);

/** "3/8"; "the whole plan" when it is not cut. */
void job_shard_format(const struct job_shard *shard, char text[JOB_SHARD_TEXT_MAX]);

bool job_shard_is_same(const struct job_shard *a, const struct job_shard *b);

/** The request with this id belongs to it. */
bool job_shard_has(const struct job_shard *shard, uint64_t id);

/** How many of the requests 1 to `total` belong to it. */
uint64_t job_shard_size(const struct job_shard *shard, uint64_t total);

/** Of a place in the shard, the id; and the other way, of an id that belongs to it. */
uint64_t job_shard_id(const struct job_shard *shard, uint64_t place);
uint64_t job_shard_place(const struct job_shard *shard, uint64_t id);

#endif
