/**
 * What a transfer's end means: libcurl's code, the flags that its callbacks have set and the status, read
 * as an outcome (plan/request.h) and one clause for people. Kept apart from the handling of handles
 * (fetch/transfer.h), for the two change for different reasons.
 *
 * Errors   none: whatever cannot be told apart is OUTCOME_CONNECT.
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_FETCH_TRANSFER_OUTCOME_H
#define SCRAPETOP_FETCH_TRANSFER_OUTCOME_H

#include "fetch/transfer.h"

/** 2xx: a body that is wanted whole. */
bool transfer_status_is_good(int status);

/** Of the answer; 0 when there is none yet. */
int transfer_status(const struct transfer *transfer);

const struct fetch_endpoint *transfer_endpoint(const struct transfer *transfer);

/** One of libcurl's times of this transfer, in microseconds; 0 for what has not happened. */
uint64_t transfer_info_us(const struct transfer *transfer, CURLINFO info);

/** The outcome. Fills response->reason unless that is OUTCOME_OK, and redirect_url when it is
 *  OUTCOME_REDIRECT; its status must have been read already. */
enum outcome transfer_outcome(const struct transfer *transfer, CURLcode code,
                              struct response *response);

#endif
