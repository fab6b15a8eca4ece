/**
 * Account: what all bodies take, kept by all fetchers together (fetch/fetcher.h), and whose turn it is when there is no
 * memory for all.
 *
 * Each fetcher has a part, in which it says what it reads and how many of its transfers wait. What is handed on is one
 * number. A budget (fetch/budget.h) is read off the sum of all: it may be some pieces of bodies old, which is what one
 * read of a socket brings.
 *
 * Two things only one fetcher may have at a time, so that the memory that one body may grow to is kept back once and not
 * for each fetcher: the turn of a body that goes on to its end while others wait, and that of a stream that is not given
 * up.
 *
 * Ownership  plain data of whoever has the fetchers.
 * Units      bytes.
 * Threads    any; a part's numbers are written by its fetcher's thread.
 */
#ifndef SCRAPETOP_FETCH_ACCOUNT_H
#define SCRAPETOP_FETCH_ACCOUNT_H

#include "fetch/budget.h"
#include "fetch/fetch.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACCOUNT_PARTS_MAX FETCH_THREADS_MAX
#define ACCOUNT_LINE_BYTES 64 /* of a processor's cache */

struct account_part {
    _Atomic uint64_t flying; /* of bodies that are being read */
    _Atomic size_t count;    /* of these */
    _Atomic size_t waiting;  /* of these, those that do not read */
    /* Who writes one part does not take the next from its writer. */
    char apart[ACCOUNT_LINE_BYTES];
};

/** Index of a part, and 1; 0: nobody's. */
typedef _Atomic size_t account_turn;

struct account {
    uint64_t limit, body_max; /* as in a budget; set once */
    size_t part_count;        /* likewise */
    _Atomic uint64_t held;
    account_turn favours, spares;
    struct account_part parts[ACCOUNT_PARTS_MAX];
};

struct budget account_budget(const struct account *account);

/** Of all parts. */
size_t account_waiting(const struct account *account);

/** True when this part has the turn now, or had it. */
bool account_take_turn(account_turn *turn, size_t part);

/** Nobody's when it was this part's. */
void account_leave_turn(account_turn *turn, size_t part);

#endif
