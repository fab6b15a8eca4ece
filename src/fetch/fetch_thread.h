/**
 * Fetch thread: a fetcher (fetch/fetcher.h) on a loop and a thread of its own, and the mail to it and from it.
 *
 *   caller's thread                           fetch thread
 *   post ... send  --posted, one list a send-->  starts them
 *   collect        <--ended, one list a turn---  before its loop waits
 *   an order       ----------------------------> obeys it
 *                  <-- its answer, waited for --
 *
 * A mutex is held while a list changes hands, and for nothing else. Lists are no longer than what is in flight, so nobody
 * ever waits for room in one. An order is waited for as long as one turn of the thread's loop takes, which is some
 * milliseconds: it is for what is rare.
 *
 * Ownership  a flight is the thread's from `send` until it is collected; so are its request and response.
 * Threads    all functions in the caller's; signals are not the thread's.
 */
#ifndef SCRAPETOP_FETCH_FETCH_THREAD_H
#define SCRAPETOP_FETCH_FETCH_THREAD_H

#include "fetch/fetcher.h"
#include "fetch/flight.h"

struct fetch_thread;

/** The options are the caller's; of their callbacks on_sending and on_ended alone are called in the thread, when they are
 *  not NULL, and on_cookie and on_response are left to who collects. `arrived` is sent when there is something to collect, and after
 *  the thread's end. Errors as fetcher_new, and E-RES1 when there is no thread to be had. */
MUST_CHECK enum result fetch_thread_new(struct fetch_thread **thread,
                                        const struct fetch_options *options,
                                        const struct fetcher_shared *shared, uv_async_t *arrived,
                                        struct err *err);

/** How many it has: posted, and not collected. */
size_t fetch_thread_load(const struct fetch_thread *thread);

void fetch_thread_post(struct fetch_thread *thread, struct flight *flight);

/** What was posted is told. */
void fetch_thread_send(struct fetch_thread *thread);

/** Appends what has ended: responses with their requests. */
void fetch_thread_collect(struct fetch_thread *thread, struct flight_list *ended);

/** All that it has is over, for fetch_thread_collect: begun, and then waited for, so that several do it at a time. */
void fetch_thread_begin_cancel(struct fetch_thread *thread);
void fetch_thread_await(struct fetch_thread *thread);

/** The flight is taken out, and its request is the caller's; false when it has ended, or with `only_unsent` was sent. */
bool fetch_thread_take(struct fetch_thread *thread, struct flight *flight, bool only_unsent);

void fetch_thread_drop_idle(struct fetch_thread *thread);

/** There may be memory for those that wait. */
void fetch_thread_let_read(struct fetch_thread *thread);

/** Has the rows of its flights written anew soon. */
void fetch_thread_want_rows(struct fetch_thread *thread);

/** The worst since it was asked last: how late its loop was. */
uint64_t fetch_thread_lag_us(struct fetch_thread *thread);

/** CPU time so far. */
double fetch_thread_cpu_s(const struct fetch_thread *thread);

/** Has none any more: it closes by itself, and `arrived` is sent. */
void fetch_thread_close(struct fetch_thread *thread);

/** It has closed, and is freed; false: not yet. `waits`: until it has. */
bool fetch_thread_join(struct fetch_thread *thread, bool waits);

#endif
