/**
 * HTTP notes: which hosts are asked in another version than the job says, as they were found to speak only that. Kept with the
 * run: an idle host is forgotten, and a run goes on another day; neither is to cost a failed connection again.
 *
 *   "\nhttps://a.test:443 1.1\nhttp://b.test:80 2-prior-knowledge\n"
 *
 * Bounded: of hosts beyond HTTP_NOTES_BYTES it is found out anew.
 *
 * Ownership  http_notes_release.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_HTTP_NOTES_H
#define SCRAPETOP_ENGINE_HTTP_NOTES_H

#include "base/buf.h"
#include "base/err.h"
#include "job/job_network.h"

#include <stdbool.h>

#define HTTP_NOTES_BYTES ((size_t)128 << 10)

struct http_notes {
    struct buf text;
};

void http_notes_release(struct http_notes *notes);

/** JOB_HTTP_AUTO: nothing is noted of it. */
enum job_http http_notes_find(const struct http_notes *notes, const char *origin);

/** In the place of what was noted of it; JOB_HTTP_AUTO: nothing from now on. False when nothing has changed, or there is no
 *  room. */
bool http_notes_put(struct http_notes *notes, const char *origin, enum job_http http);

/** What an earlier session has kept, in the place of all; what is none is passed over. */
MUST_CHECK enum result http_notes_read(struct http_notes *notes, struct str text);

#endif
