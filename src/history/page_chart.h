/**
 * The charts of a report as inline SVG: rate, latency, requests in flight, over the time that sessions ran.
 *
 * Colours are classes, so that the page's style has them for light and dark. What each mark is stands in its <title>.
 *
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_HISTORY_PAGE_CHART_H
#define SCRAPETOP_HISTORY_PAGE_CHART_H

#include "history/page_out.h"
#include "history/run_story.h"

/** Fewer moments than that make no chart. */
#define PAGE_CHART_LEAST 3

/** What ended a second, and of the answers those that were refused, wrong or none. With the marks. */
void page_chart_rate(struct page_out *p, const struct run_story *story);

/** The latency that 95 of 100 do not pass. */
void page_chart_latency(struct page_out *p, const struct run_story *story);

/** Requests in flight, under the cap. */
void page_chart_flight(struct page_out *p, const struct run_story *story);

/** What marks there are, as a list. */
void page_chart_legend(struct page_out *p, const struct run_story *story);

#endif
