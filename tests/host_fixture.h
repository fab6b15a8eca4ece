/**
 * Hosts and requests made up, for the tests of a host and of the table of hosts.
 */
#ifndef SCRAPETOP_TESTS_HOST_FIXTURE_H
#define SCRAPETOP_TESTS_HOST_FIXTURE_H

#include "base/clock.h"
#include "plan/host.h"

#define T0 (UINT64_C(1000) * US_PER_S)

extern const struct due why;
extern const struct request any; /* of the first lane, so of the host's own bucket */

uint32_t find(struct host_table *t, const char *text);
uint16_t lane_of(struct host *host, uint32_t endpoint, const char *text);

/* With a lane, and a request that names it, as each host in use has. */
struct host *referred(struct host_table *t, const char *text);
void start(struct host_table *t, struct host *host, struct request *request, uint64_t now_us);
bool start_if_may(struct host_table *t, struct host *host, uint64_t now_us);
void end(struct host_table *t, struct host *host, enum host_end how, uint64_t now_us);

#endif
