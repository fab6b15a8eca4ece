/**
 * The account of an endpoint's pages: how many there should be, how many came, which did not, and what
 * was odd about its listings.
 */
#ifndef SCRAPETOP_STORE_PAGE_ACCOUNT_H
#define SCRAPETOP_STORE_PAGE_ACCOUNT_H

#include "plan/found.h"

#define PAGE_ACCOUNT_MISSING 16 /* keys of missing pages that are told */
#define PAGE_ACCOUNT_KEY 64
#define PAGE_ACCOUNT_NOTES 8

struct page_account_note {
    enum page_note_kind kind;
    uint64_t count;
    char text[REQUEST_REASON_MAX]; /* of one of them; bytes from outside */
};

struct page_account {
    uint64_t expected; /* as the listings announced it, or else as many as were named */
    uint64_t got, failed;
    bool is_cut; /* a listing was left before its end: more are missing than can be counted */
    size_t missing_count;
    char missing[PAGE_ACCOUNT_MISSING]
                [PAGE_ACCOUNT_KEY]; /* keys of those that failed, in the plan's
                                                             order; bytes from outside */
    size_t note_count;
    struct page_account_note notes[PAGE_ACCOUNT_NOTES];
};

/** Of those expected. */
uint64_t page_account_missing(const struct page_account *account);

#endif
