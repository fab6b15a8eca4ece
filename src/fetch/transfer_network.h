/**
 * What of a transfer's set-up says how servers are reached: certificates, pins, addresses.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_FETCH_TRANSFER_NETWORK_H
#define SCRAPETOP_FETCH_TRANSFER_NETWORK_H

#include "fetch/transfer.h"

/** What never changes over a handle's life. */
bool transfer_network_set_up(struct transfer *transfer);

/** Who we are is told to those that the job asks, and to no stranger that a redirect led to. Behind all else that says
 *  which connection may be used. */
bool transfer_network_keep_apart(struct transfer *transfer, const char *url, bool is_stranger);

/** The URL with its host as DNS has it, if that is written in other letters; until the next call. NULL without memory. */
const char *transfer_network_url(struct transfer *transfer, const char *url);

#endif
