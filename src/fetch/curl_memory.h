/**
 * The memory that libcurl asks for, kept from one request to the next.
 *
 * libcurl takes and gives back some sixty small blocks for each request. glibc keeps seven of a size at hand, and
 * none for calloc(), so that most of them go through its slow paths: a tenth of what a small request costs. Each
 * fetcher's thread keeps up to 64 of a size, 1 MiB in all. Every block is one of malloc() all the same: it may be given
 * back by whatever thread, before or after, to free() itself.
 *
 * Threads  each keeps its own. One that has not said so keeps none: libcurl's resolvers.
 */
#ifndef SCRAPETOP_FETCH_CURL_MEMORY_H
#define SCRAPETOP_FETCH_CURL_MEMORY_H

#include <stdbool.h>

/** In place of curl_global_init(CURL_GLOBAL_DEFAULT), as it safe in threads, and counted. False: out of memory. */
bool curl_memory_init(void);

/** This thread keeps what libcurl gives back, until it drops it at its end. */
void curl_memory_keep(void);
void curl_memory_drop(void);

#endif
