/**
 * Twins: hosts of one origin that is asked with several tokens, one for each of them.
 *
 * Each is a host of its own, with its own quota, holds and learned rate: what an origin says to one token it
 * says to that pair. Whether anybody answers there, the rate and the cap that the user sets for each host, bans and what
 * HTTP is spoken are facts of the origin, which the first has for all (host_origin). Requests are queued at the first,
 * which the origin is found by, and are handed to whichever may start next, in turn:
 *
 *   planned --> [queue of the first twin] --twins_next--> started at one of them --again--> the queue
 *
 * One whose token is refused is put aside (`is_aside`), and a request does not go to those that have refused it. What
 * all of them refuse is no token's but the origin's.
 *
 * Ownership  the table owns them, like all of its hosts; they are never forgotten.
 * Units      microseconds, monotonic.
 * Threads    loop thread only; told the time.
 */
#ifndef SCRAPETOP_PLAN_TWIN_H
#define SCRAPETOP_PLAN_TWIN_H

#include "plan/host.h"

#define TWIN_LABEL_MAX 96

/** Makes `count` twins of a host, itself the first of them, with these names: "NAME@HOST" is what people see. Once in
 *  a table. RESULT_NOMEM. */
MUST_CHECK enum result twins_make(struct host_table *table, uint32_t first,
                                  const char *const *names, size_t count, struct err *err);

/** The first of its twins: where its requests are queued. Itself, when it has none. */
struct host *twin_first(const struct host_table *table, struct host *host);

/** Which host stands for all that such a request's origin says to any token: the first of its twins, or itself. */
uint32_t twin_origin(const struct host_table *table, uint32_t index);
struct host *twin_origin_of(const struct host_table *table, const struct request *request);

/** Of all of them: without the token's name. */
struct str twin_origin_label(const struct host *host);

/** The number-th of them, from 1. */
struct host *twin_at(const struct host_table *table, uint32_t number);

/** Those that the request does not go to, a bit for each (1 is the first twin's): which have refused it; and, while what
 *  it was put in with one is still being made, all but that one. */
uint64_t twins_without(const struct request *request);

/** A request that stands in no queue is taken by one that may start, if there is any: HOST_MAY. As host_may_start for a
 *  host without twins. */
enum host_answer twin_choose(struct host_table *table, struct request *request, uint64_t now_us);

/** Likewise, whatever holds them, but by none that is put aside. */
void twin_choose_any(struct host_table *table, struct request *request, uint64_t now_us);

/** As host_next, of a host or the first of its twins: the twin that may start it has taken it. */
struct request *twins_next(struct host_table *table, struct host *first, uint64_t now_us,
                           enum host_answer *why);

/** As host_why, likewise. */
enum host_answer twins_why(const struct host_table *table, struct host *first, uint64_t now_us);

/** When time alone lets one of them start what is ready at the first. */
struct host_wake twins_wake(const struct host_table *table, struct host *first, uint64_t now_us);

/** When the first of them, but those with a bit in `without`, is free for such a request: now, or
 *  when its hold ends. TIME_NEVER: never by itself, or there is none. */
uint64_t twins_free_us(struct host_table *table, const struct request *request, uint64_t without,
                       uint64_t now_us);

/** One of them, but those with a bit in `without`, may start such a request now, or when one of its own ends. */
bool twins_may_soon(struct host_table *table, const struct request *request, uint64_t without,
                    uint64_t now_us);

/** A host, or all twins of the first, as host_stop. */
void twins_stop(struct host_table *table, struct host *first);

/** What holds not one token's requests but all of the origin's: until then. */
void twins_hold_named(struct host_table *table, const struct request *request, uint64_t until_us,
                      uint64_t now_us, const struct due *due);

/** How many are not put aside. */
uint32_t twins_alive(const struct host_table *table);

#endif
