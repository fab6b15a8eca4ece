/**
 * Fetch threads: several threads that fetch (fetch/fetch_thread.h), seen by the caller as one fetch.
 *
 * A request goes to the thread of its host, so that connections are used again; when that has FETCH_SPREAD more than the
 * one with the least, to that one. So up to FETCH_SPREAD requests at a time of one host keep to the connections of one
 * thread, and more are shared out evenly.
 *
 * What has ended is handed on in the order in which threads bring it, ARRIVALS_TURN_US at most in a turn of the loop;
 * until then it is in flight. A request that was started goes to its thread with the next kick: until then the caller
 * may change it.
 *
 * Ownership, errors  as fetch/fetch.h.
 * Threads            all functions and callbacks in the caller's thread, but on_sending and on_ended of the options.
 */
#ifndef SCRAPETOP_FETCH_FETCH_THREADS_H
#define SCRAPETOP_FETCH_FETCH_THREADS_H

#include "fetch/account.h"
#include "fetch/fetch.h"

#define FETCH_SPREAD 8

struct cookies;
struct fetch_threads;

/** As many as the account has parts. */
MUST_CHECK enum result fetch_threads_new(struct fetch_threads **threads,
                                         const struct fetch_options *options,
                                         struct cookies *cookies, struct account *account,
                                         struct err *err);

MUST_CHECK enum result fetch_threads_start(struct fetch_threads *threads, struct response *response,
                                           struct request *request,
                                           const struct fetch_extra *extra);

void fetch_threads_kick(struct fetch_threads *threads);
size_t fetch_threads_in_flight(const struct fetch_threads *threads);
void fetch_threads_cancel_all(struct fetch_threads *threads);

/** NULL: as fetch_take. Else the response, which is not in flight any more, with its request. */
struct response *fetch_threads_take(struct fetch_threads *threads, uint64_t id, bool only_unsent);

void fetch_threads_look(struct fetch_threads *threads);
void fetch_threads_note_standstill(struct fetch_threads *threads, uint64_t lost_us);
void fetch_threads_drop_idle(struct fetch_threads *threads);

void fetch_threads_each(struct fetch_threads *threads, bool only_unsent,
                        bool (*visit)(void *context, const struct fetch_row *row), void *context);

/** See fetch_lag_us, fetch_cpu_s. */
uint64_t fetch_threads_lag_us(struct fetch_threads *threads);
double fetch_threads_cpu_s(const struct fetch_threads *threads, size_t which);

/** Nothing may be in flight. `closed` comes on the loop, after which they are freed. */
void fetch_threads_close(struct fetch_threads *threads, void (*closed)(void *context),
                         void *context);

#endif
