/**
 * Unresponsive hosts: those whose names or connections come to nothing. Their requests hold places under the
 * cap for as long as a resolver or a connection may take, and so they would keep the hosts back that answer.
 *
 *   responsive --no connection within UNRESPONSIVE_...--> unresponsive --an answer--> responsive
 *
 * While a responsive host has work, or has answered and may have some, an unresponsive one has one
 * request in flight at most, and all of them
 * together no more than half of the places that the others leave free, or a twentieth of the cap. With no
 * responsive host nothing is kept back.
 *
 * Part of plan/host, which tells it of starts and ends. Loop thread only.
 */
#ifndef SCRAPETOP_PLAN_UNRESPONSIVE_H
#define SCRAPETOP_PLAN_UNRESPONSIVE_H

#include <stdbool.h>
#include <stdint.h>

#define UNRESPONSIVE_NAME_US UINT64_C(300000)     /* without its name resolved */
#define UNRESPONSIVE_CONNECT_US UINT64_C(1000000) /* without a connection, or its TLS */
#define UNRESPONSIVE_PART 20                      /* of the cap: places that they always have */

struct host;
struct host_table;

/** A request of it has waited for so long, and nothing answered since that request began. */
void unresponsive_note(struct host_table *table, struct host *host);

/** Several times a second: their places under this cap, by what the others have in flight now. `more`: there are
 *  requests that no host knows of yet, since they are made as they are needed. */
void unresponsive_share(struct host_table *table, unsigned cap, bool more);

/** May one more request start at the host? Always true for one that is responsive. */
bool unresponsive_may_start(const struct host_table *table, const struct host *host);

/** Is one of its requests in flight to make room? */
bool unresponsive_is_beyond(const struct host_table *table, const struct host *host);

/* For plan/host. */
void unresponsive_started(struct host_table *table, const struct host *host);
void unresponsive_ended(struct host_table *table, const struct host *host);
void unresponsive_answered(struct host_table *table, struct host *host);
void unresponsive_forgotten(struct host_table *table, const struct host *host);

#endif
