/**
 * A found request as a line that travels from worker to worker: JSON, an array.
 *
 *   [id, endpoint, key, URL, body or null, variables or null, place in hex, what its page must know ...]
 *
 * Of a line that came from Redis nothing is believed: numbers are within their bounds, the endpoint is one of the job's, the
 * texts are no longer than the ledger's.
 *
 * Threads  any; pure.
 */
#ifndef SCRAPETOP_ENGINE_FLEET_LINE_H
#define SCRAPETOP_ENGINE_FLEET_LINE_H

#include "base/buf.h"
#include "plan/request.h"

#define FLEET_LINE_MAX                                                                             \
    ((size_t)7 << 20) /* the longest body, each of its bytes escaped, and what goes with it */

/** Appends it, without a line feed. RESULT_NOMEM, RESULT_LIMIT. */
MUST_CHECK enum result fleet_line_write(const struct request *request, struct buf *out);

/** The request, the caller's; NULL when the line is none, or out of memory. */
struct request *fleet_line_read(struct str line, size_t endpoint_count);

#endif
