/**
 * The header lines that requests are sent with, one list for each endpoint, made once.
 *
 * An endpoint's own come first in rank, then the job's, then what this program says of itself: Accept,
 * Accept-Encoding, User-Agent and, with a JSON body, Content-Type. Where cookies are kept, an endpoint's Cookie header
 * is taken out of its list, as the jar's cookies are put beside it.
 *
 * Ownership  header_lists_release frees the lists and overwrites the cookies.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_FETCH_HEADER_LISTS_H
#define SCRAPETOP_FETCH_HEADER_LISTS_H

#include "fetch/transfer.h"

/** Fills `headers`, `plain_headers` and, unless the options want none, `cookies` of a config whose options are set. Only
 *  RESULT_NOMEM; what there is then is to be released. */
MUST_CHECK enum result header_lists_build(struct transfer_config *config);

/** Adds a copy of the line at the end; false without memory. */
bool header_lists_add(struct curl_slist **list, const char *line);

void header_lists_release(struct transfer_config *config);

#endif
