/**
 * Extract: stored bodies taken out again, as they came.
 *
 * In the plan's order, or by keys in the order given. To a stream each body ends in a line feed; into
 * a directory each gets a file of its own, named after its key: what is not [A-Za-z0-9._=-] becomes
 * `_`, a second one of the same name gets its id after it. Nothing of a URL or a body ever names a
 * file.
 *
 * Errors  E-OUT1 cannot write (RESULT_CANCELLED when the reader of a pipe is gone), E-OUT2 the
 *         directory is not empty, E-KEY1 no body for a key (RESULT_NOT_FOUND, after all others are
 *         out). Damage of a record is told through `damaged` and passed over.
 */
#ifndef SCRAPETOP_STORE_EXTRACT_H
#define SCRAPETOP_STORE_EXTRACT_H

#include "store/run_reader.h"

#include <stdio.h>

struct extract_options {
    const char *const *keys; /* as given by the user; only these, failures' bodies too */
    size_t key_count;        /* 0: the bodies of all that is done */
    const char *dir;         /* new or empty; NULL: to the stream */
    FILE *to;
    void (*damaged)(void *context, const struct err *err);
    void *context;
};

MUST_CHECK enum result extract_bodies(struct run_reader *reader,
                                      const struct extract_options *options, uint64_t *count,
                                      struct err *err);

#endif
