/**
 * The head of an answer, line by line as libcurl gives it: what of it is kept, what it says of the body's
 * length, and what ends the transfer. Kept apart from the handling of handles (fetch/transfer.h); what kind
 * of line each is, fetch/head.h says.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_FETCH_TRANSFER_HEAD_H
#define SCRAPETOP_FETCH_TRANSFER_HEAD_H

#include "fetch/transfer.h"

/** Before each request. */
void transfer_head_begin(struct transfer *transfer);

/** Its request is sent once more, and has another answer. */
void transfer_head_again(struct transfer *transfer);

/** For CURLOPT_HEADERFUNCTION and CURLOPT_DEBUGFUNCTION; `context` is the transfer. */
size_t transfer_head_line(char *bytes, size_t one, size_t len, void *context);
int transfer_head_show(CURL *easy, curl_infotype what, char *bytes, size_t len, void *context);

/** This libcurl must not see a head's first line when it begins with a blank. */
bool transfer_head_must_be_watched(void);

#endif
