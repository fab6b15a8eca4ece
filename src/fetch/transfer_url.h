/**
 * The URL of a transfer as libcurl gets it: taken apart already where it asks the same server as the transfer before it.
 *
 * libcurl takes a text apart for each request and writes it anew, letter by letter: a tenth of what a small request
 * costs (7.88). A handle of its URL API is copied instead; of that only path and query change from one request to the
 * next. Whatever has more to it than plain letters (a percent sign, a user, brackets, dots in the path) libcurl reads
 * itself, as it does the first one of a server.
 *
 * Threads  the fetcher's.
 */
#ifndef SCRAPETOP_FETCH_TRANSFER_URL_H
#define SCRAPETOP_FETCH_TRANSFER_URL_H

#include "fetch/transfer.h"

/** False when out of memory. libcurl copies the text. */
bool transfer_url_set(struct transfer *transfer, const char *url);

void transfer_url_release(struct transfer *transfer);

#endif
