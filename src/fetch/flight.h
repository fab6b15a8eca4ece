/**
 * Flight: a request that one of several threads (fetch/fetch_thread.h) is given, until its response is handed on.
 *
 *   posted --> flying --> landed --> handed on
 *   caller's   thread's   thread's   caller's
 *
 * It goes by lists, whole ones at a time. What a screen shows of it is written now and then by its thread, and read by
 * anybody: each number is right, but they may be of two moments.
 *
 * Ownership  the request and the response are whose it is at the time; the texts of the extra are copies of its own, and
 *            overwritten before they are freed.
 * Threads    see the fields.
 */
#ifndef SCRAPETOP_FETCH_FLIGHT_H
#define SCRAPETOP_FETCH_FLIGHT_H

#include "fetch/fetch.h"

#include <stdatomic.h>

struct fetch_thread;

struct flight_row {
    _Atomic int phase, status; /* enum fetch_phase */
    _Atomic uint64_t body_bytes, first_byte_us;
    _Atomic bool is_sent; /* at once, and not only now and then */
};

struct flight {
    /* Of the caller's thread: among all in flight, oldest first. */
    struct flight *next, *prev;
    struct fetch_thread *thread;
    bool is_posted; /* its thread has been told */
    /* Of who has the list that it is in. */
    struct flight *mail;
    /* Of whom it is at the time. */
    struct request *request;
    struct response *response;
    struct fetch_extra extra;
    struct buf texts;   /* of the extra */
    struct buf cookies; /* that its server has set: flight_note_cookie */
    bool is_flying;     /* the thread's alone */
    struct flight_row row;
};

struct flight_list {
    struct flight *first, *last; /* by `mail` */
};

void flight_list_add(struct flight_list *list, struct flight *flight);

/** The first, or NULL. */
struct flight *flight_list_pop(struct flight_list *list);

/** Puts all of `from` at the end, and leaves that empty. */
void flight_list_move(struct flight_list *to, struct flight_list *from);

/** Takes it out; it is in it. */
void flight_list_remove(struct flight_list *list, struct flight *flight);

/** NULL without memory. */
struct flight *flight_new(void);
void flight_free(struct flight *flight);

/** For a new request. The texts of `extra`, which may be NULL, are copied. RESULT_NOMEM. */
MUST_CHECK enum result flight_prepare(struct flight *flight, struct request *request,
                                      struct response *response, const struct fetch_extra *extra);

/** Ends before its thread had it, or there: the response says so. */
void flight_end(struct flight *flight, enum outcome outcome, const char *why);

/** For flight_tell_cookies. Without memory it is not noted. */
void flight_note_cookie(struct flight *flight, struct str name, struct str value, bool is_foreign);

/** Tells of all that were noted, in order, and forgets them. */
void flight_tell_cookies(struct flight *flight, const struct fetch_options *options);

void flight_write_row(struct flight *flight, const struct fetch_row *row);
void flight_read_row(const struct flight *flight, struct fetch_row *row);

#endif
