/**
 * The account of an endpoint's pages: how many there should be, how many came, which did not, and what
 * was odd about its listings.
 */
#ifndef SCRAPETOP_STORE_PAGE_ACCOUNT_H
#define SCRAPETOP_STORE_PAGE_ACCOUNT_H

#include "plan/discovered.h"

#define PAGE_ACCOUNT_MISSING 16 /* keys of missing pages that are told */
#define PAGE_ACCOUNT_KEY 64
#define PAGE_ACCOUNT_NOTES 10
#define PAGE_ACCOUNT_ENDS 12

struct page_account_note {
    enum page_note_kind kind;
    uint64_t count;
    char text[REQUEST_REASON_MAX]; /* of one of them; bytes from outside */
};

/** So many listings ended for that reason. */
struct page_account_end {
    enum page_end end;
    uint64_t listings;
};

struct page_account {
    uint64_t expected; /* as the listings announced it, or else as many as were named */
    uint64_t got, failed;
    bool is_cut; /* a listing was left before its end: nobody knows how many are missing */
    /* Listings that were begun, and why they ended; all 0 in a ledger of before version 3. */
    uint64_t listings;
    enum page_end end; /* of the listing that ended worst */
    size_t end_count;  /* the worst first */
    struct page_account_end ends[PAGE_ACCOUNT_ENDS];
    uint64_t records;         /* that came */
    uint64_t records_told;    /* totals of the listings that tell one */
    uint64_t listings_told;   /* which are so many */
    uint64_t records_missing; /* of these totals, in listings that have ended */
    size_t missing_count;
    char missing[PAGE_ACCOUNT_MISSING]
                [PAGE_ACCOUNT_KEY]; /* keys of those that failed, in the plan's
                                                             order; bytes from outside */
    size_t note_count;
    struct page_account_note notes[PAGE_ACCOUNT_NOTES];
};

/** Of those expected. */
uint64_t page_account_missing(const struct page_account *account);

/** Pages or records are missing, or may be. */
bool page_account_is_loss(const struct page_account *account);

#endif
