/**
 * What a user types to see some of the rows only: "text", in whatever case, or "!text" for those without it.
 *
 * Errors   none: an empty filter, or "!", lets all pass.
 * Threads  any.
 */
#ifndef SCRAPETOP_BASE_TEXT_FILTER_H
#define SCRAPETOP_BASE_TEXT_FILTER_H

#include <stdbool.h>

bool text_filter_passes(const char *filter, const char *text);

#endif
