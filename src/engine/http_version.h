/**
 * HTTP version: a host that ends as one that speaks another version is asked with that, and it is told.
 *
 *   unknown --ends so--> tried --an answer---------> sure, and said
 *                          `---none, five times---> sure: as the job says
 *
 * An answer in the version that was asked first makes a host sure, too. What is asked again for it was no try.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_HTTP_VERSION_H
#define SCRAPETOP_ENGINE_HTTP_VERSION_H

#include "fetch/response.h"

struct engine;

/** Its host is asked with another version because of this end, or since it was asked: it says nothing else of it. */
bool http_version_changes(struct engine *engine, const struct response *response);

/** True when it is to be asked again in that version. A POST that may have been acted on is not: only those after it. */
bool http_version_heed(struct engine *engine, const struct response *response);

#endif
