/**
 * The part of a run's report that is about its endpoints: requests, rows, and pages that add up or not.
 */
#ifndef SCRAPETOP_ENGINE_REPORT_ENDPOINTS_H
#define SCRAPETOP_ENGINE_REPORT_ENDPOINTS_H

#include "engine/report.h"

struct engine;
struct cJSON;

void report_add_endpoints(const struct engine *engine, struct report *report);
void report_endpoints_json(const struct report *report, struct cJSON *root);

/** "missing page=3, page=9 and 2 more; ..." what is not as it should be, cut to `size`; else empty. */
void report_pages_words(const struct page_account *pages, char *text, size_t size);

/** "1000 of 1000 records, total reached", "60 records, 3 listings: 1 page failed, 2 no cursor": why the
 *  listings ended, cut to `size`; empty when nobody knows. */
void report_ends_words(const struct page_account *pages, char *text, size_t size);

#endif
