/**
 * Fetcher: the transfers of one loop. It does what fetch/fetch.h says, for one thread; of several each has one.
 *
 *   what is of a fetcher alone    lanes, connections, TLS sessions, names looked up, header lists, proxies, what HTTP/2 has
 *                                 said (fetch/transfer_http.h), standstill: copies, or libcurl's own for each multi handle
 *   what all fetchers share       cookies (locked, fetch/cookies.h), the memory of bodies (atomic, fetch/account.h)
 *   what they read                the options, and what these borrow: never written while there is a fetcher
 *
 * Ownership  fetcher_start takes the request and the response; on_response hands both back.
 * Threads    fetcher_new before its loop runs, in any thread; all else, and all callbacks, in the loop's.
 */
#ifndef SCRAPETOP_FETCH_FETCHER_H
#define SCRAPETOP_FETCH_FETCHER_H

#include "fetch/account.h"
#include "fetch/fetch.h"

struct cookies;
struct fetcher;

struct fetcher_shared {
    struct cookies *cookies; /* NULL: none */
    struct account *account;
    size_t part; /* its own of the account */
};

/** The options are copied. Errors as fetch_new. */
MUST_CHECK enum result fetcher_new(struct fetcher **fetcher, const struct fetch_options *options,
                                   const struct fetcher_shared *shared, struct err *err);

/** RESULT_NOMEM: nothing was started, and both stay the caller's. */
MUST_CHECK enum result fetcher_start(struct fetcher *fetcher, struct response *response,
                                     struct request *request, const struct fetch_extra *extra);

void fetcher_kick(struct fetcher *fetcher);
size_t fetcher_in_flight(const struct fetcher *fetcher);
void fetcher_cancel_all(struct fetcher *fetcher);

/** The one in flight whose request has this id; NULL: none. */
struct response *fetcher_find(const struct fetcher *fetcher, uint64_t id);

/** Ends that transfer; on_response does not hear of it. False, and nothing has ended, when it is not in flight, or when
 *  `only_unsent` is asked for and it was sent. Not within on_response. */
bool fetcher_take(struct fetcher *fetcher, const struct response *response, bool only_unsent);

void fetcher_look(struct fetcher *fetcher);
void fetcher_note_standstill(struct fetcher *fetcher, uint64_t lost_us);
void fetcher_drop_idle(struct fetcher *fetcher);

/** Visits the transfers, oldest first, until `visit` returns false; with `only_unsent` those of which nothing was sent
 *  yet, which is cheap when most of them were. */
typedef bool (*fetcher_visit)(void *context, const struct response *response,
                              const struct fetch_row *row);
void fetcher_each(const struct fetcher *fetcher, bool only_unsent, fetcher_visit visit,
                  void *context);

/** Nothing may be in flight. Connections are closed some milliseconds' worth at a time. `closed` comes on the loop, after
 *  which it is freed. */
void fetcher_close(struct fetcher *fetcher, void (*closed)(void *context), void *context);

#endif
