/**
 * A request that has failed for good, as the ledger has it, and what the server said at its last failure.
 *
 * What was said is kept for LEDGER_SAID_MAX requests of a run: its headers and the head of its body, without
 * the job's secrets (engine/said.h). It is written with each failure, replaced by the next, and deleted when
 * the request succeeds.
 */
#ifndef SCRAPETOP_STORE_FAILED_ROW_H
#define SCRAPETOP_STORE_FAILED_ROW_H

#include "base/buf.h"
#include "plan/request.h"

#define LEDGER_SAID_MAX 10000 /* requests whose last failure's answer is kept: some 60 MB at most */

/** The headers as "name: value\n" lines; bytes from outside. */
struct said {
    struct str headers, body;
    uint64_t body_bytes; /* of the whole body, as far as it was received */
    int64_t at_us;       /* wall clock, when it came; 0: nothing is kept */
};

struct failed_row { /* views, for the call only; bytes from outside */
    uint64_t id;
    uint32_t endpoint, attempt;
    struct last_try last;
    struct str key, url,
        reason; /* url: without secrets; STR_NONE when a version before 3 wrote it */
    struct said said;
};

/** Copies the row, and its texts into `texts`, into which its views then point. RESULT_NOMEM. */
MUST_CHECK enum result failed_row_copy(struct failed_row *to, const struct failed_row *row,
                                       struct buf *texts);

#endif
