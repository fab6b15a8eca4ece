/**
 * The body of an answer, piece by piece as libcurl gives it: counted against its ceilings, unpacked and kept. Kept
 * apart from the handling of handles (fetch/transfer.h).
 *
 * While there is no memory for more, libcurl has what one read has brought, packed as it came, and no more than
 * that: what a body unpacks to is made in steps, and before each one the budget is asked.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_FETCH_TRANSFER_BODY_H
#define SCRAPETOP_FETCH_TRANSFER_BODY_H

#include "fetch/transfer.h"

/** Before each request. */
void transfer_body_begin(struct transfer *transfer);

/** For CURLOPT_WRITEFUNCTION; `context` is the transfer. */
size_t transfer_body_piece(char *bytes, size_t one, size_t len, void *context);

/** Behind each: what unpacking took is free again. */
void transfer_body_end(struct transfer *transfer);

#endif
