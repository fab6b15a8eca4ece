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

/** Who we are is told to those that the job asks, and to no stranger that a redirect led to. */
bool transfer_network_show_cert(struct transfer *transfer, bool is_stranger);

#endif
