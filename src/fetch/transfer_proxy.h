/**
 * What of a transfer is its proxy's: the options that name it, and the failures that are its and not the origin's.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_FETCH_TRANSFER_PROXY_H
#define SCRAPETOP_FETCH_TRANSFER_PROXY_H

#include "fetch/transfer.h"

/** Chooses the proxy for the URL (`which` of a pool) and sets it on the handle; that a server has
 * led us there from outside counts.
 *  RESULT_NOMEM. */
MUST_CHECK enum result transfer_proxy_choose(struct transfer *transfer, const char *url,
                                             bool from_public, uint32_t which);

/** Whether it failed by its proxy. If so, why is in the response. */
bool transfer_proxy_failed(const struct transfer *transfer, CURLcode code,
                           struct response *response);

/** Likewise of an answer: a proxy that is asked in clear text answers in the place of the host. */
bool transfer_proxy_refused(const struct transfer *transfer, struct response *response);

/** The host has an address of a private network in its URL. What a name means, only the proxy knows. */
bool transfer_proxy_leads_home(const struct transfer *transfer);

#endif
