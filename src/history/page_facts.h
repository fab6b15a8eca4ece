/**
 * What a page about a run is made of, and its single sections.
 *
 * Ownership  page_report_write owns all of it; sections only read.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_HISTORY_PAGE_FACTS_H
#define SCRAPETOP_HISTORY_PAGE_FACTS_H

#include "history/page_out.h"
#include "history/run_story.h"
#include "job/job.h"
#include "store/run_reader.h"

struct page_facts {
    struct run_reader *reader;
    struct ledger_summary summary;
    struct run_story story;
    struct job job; /* zeroed when it cannot be read */
    struct buf job_text;
    struct buf report; /* of the last session, or of the live one; empty: there is none */
    struct buf tables; /* tables.json; empty: there are none */
    bool is_live;
    int64_t now_us;
};

/** A number of the report, as saved_report_number has it. */
bool page_figure(const struct page_facts *f, struct str pointer, double *figure);

/** A text of the report; STR_NONE when there is none. */
struct str page_word(const struct page_facts *f, struct str pointer);

/* page_summary.c */
void page_head(struct page_out *p, const struct page_facts *f);
void page_polite(struct page_out *p, const struct page_facts *f);
void page_ladder(struct page_out *p, const struct page_facts *f);
void page_rules(struct page_out *p, const struct page_facts *f);

/* page_work.c */
void page_endpoints(struct page_out *p, const struct page_facts *f);
MUST_CHECK enum result page_failures(struct page_out *p, const struct page_facts *f,
                                     struct err *err);
void page_tables(struct page_out *p, const struct page_facts *f);

#endif
