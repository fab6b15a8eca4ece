/**
 * Seeds: the requests that a job names by itself, by number, made one at a time.
 *
 * All URLs of the first source come first, then the next one's; the first has number 1. Patterns and
 * templates are never unrolled and a list is read as it is needed: what is kept of ten million URLs is
 * where each reader stands. The seeds of an endpoint with pages ask for the first one. An endpoint with
 * a parent has none. Nothing is decided here: the frontier says which number is next.
 *
 * Ownership  borrows the job and the lists' files; the texts of a seed are good until the next call.
 * Errors     seeds_new names the pattern, the list's line or the variable's file; seeds_read a list that changed meanwhile.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_PLAN_SEEDS_H
#define SCRAPETOP_PLAN_SEEDS_H

#include "base/err.h"
#include "base/str.h"
#include "base/url.h"
#include "job/job.h"

#include <stdint.h>

struct seeds;

/** The readers: each keeps its own position in a list, so that reading in order is cheap. */
enum seeds_reader {
    SEEDS_PLAN,    /* the plan's order */
    SEEDS_RESTORE, /* rows of an earlier session */
    SEEDS_LOOK,    /* single ones, in any order */
    SEEDS_READER_COUNT,
};

struct seed {
    uint32_t endpoint;
    struct str key;
    struct str url;   /* as it is sent: bytes beyond ASCII percent-encoded */
    struct str body;  /* what to send; STR_NONE: what its endpoint says */
    struct str vars;  /* values that it was made of, a JSON object; or STR_NONE */
    struct url parts; /* of the URL as it was given */
};

/** Opens and counts the sources. `list_fds`: one for each JOB_SOURCE_LIST, in order. */
MUST_CHECK enum result seeds_new(struct seeds **seeds, const struct job *job, const int *list_fds,
                                 struct err *err);
void seeds_free(struct seeds *seeds);

uint64_t seeds_total(const struct seeds *seeds);

/** The last source, a list, has so many more entries by now. */
void seeds_extend(struct seeds *seeds, uint64_t count);

/** How many of them are an endpoint's and of the job's shard. */
uint64_t seeds_planned(const struct seeds *seeds, uint32_t endpoint);

/** How many of the requests `first` to `last` are an endpoint's. */
uint64_t seeds_within(const struct seeds *seeds, uint32_t endpoint, uint64_t first, uint64_t last);

/** Whose seed it is, 1 to the total. */
uint32_t seeds_endpoint(const struct seeds *seeds, uint64_t id);

/** What makes the seeds of an endpoint whose URL is a template; NULL for others. Borrowed. */
const struct expansion *seeds_expansion(const struct seeds *seeds, uint32_t endpoint);

/** `{since}`, as JSON, of the seeds that are read from now on; borrowed. STR_NONE: where its
 *  endpoint starts. */
void seeds_set_since(struct seeds *seeds, struct str since);

/** The seed with this number, 1 to the total. */
MUST_CHECK enum result seeds_read(struct seeds *seeds, enum seeds_reader reader, uint64_t id,
                                  struct seed *seed, struct err *err);

#endif
