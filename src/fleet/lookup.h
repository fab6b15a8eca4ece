/**
 * Lookup: the addresses of a host's name, found on a thread of its own, as getaddrinfo knows no deadline and can be called off
 * by nobody: with name servers that do not answer it takes half a minute.
 *
 * Ownership  fleet_lookup_free may be called at any time; a thread that is still at it frees what is left.
 * Threads    any, one at a time.
 */
#ifndef SCRAPETOP_FLEET_LOOKUP_H
#define SCRAPETOP_FLEET_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#define FLEET_ADDRESSES_MAX 4
#define FLEET_ADDRESS_MAX 64 /* "fe80::1%eth0" */

struct fleet_lookup;

/** Begins. NULL: no memory, or no thread. */
struct fleet_lookup *fleet_lookup_new(const char *host);
void fleet_lookup_free(struct fleet_lookup *lookup);

/** Waits for up to `ms`. False: not yet known. */
bool fleet_lookup_wait(struct fleet_lookup *lookup, unsigned ms);

/** After that. The n-th address in figures, or NULL when there are no more. */
const char *fleet_lookup_address(const struct fleet_lookup *lookup, size_t n);

/** Why there is none. */
const char *fleet_lookup_error(const struct fleet_lookup *lookup);

#endif
