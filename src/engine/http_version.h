/**
 * HTTP version: a host that ends as one that speaks another version is asked with that, and it is told.
 *
 *   unknown --ends so--> tried --an answer---------> sure, and said
 *                          `---none, five times---> sure: as the job says
 *
 * An answer in the version that was asked first makes a host sure, too. What is asked again for it was no try.
 *
 * What makes one sure of another version than the job's is kept with the run (engine/http_notes.h),
 * and tried first the next time.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_HTTP_VERSION_H
#define SCRAPETOP_ENGINE_HTTP_VERSION_H

#include "base/err.h"
#include "fetch/response.h"

struct engine;
struct host;

/** What earlier sessions have found. */
MUST_CHECK enum result http_version_restore(struct engine *engine, struct err *err);
void http_version_release(struct engine *engine);

/** The version that the host is asked with; JOB_HTTP_AUTO: as the job says. */
enum job_http http_version_of(const struct engine *engine, struct host *host);

/** Its host is asked with another version because of this end, or since it was asked: it says nothing else of it. */
bool http_version_changes(struct engine *engine, const struct response *response);

/** True when it is to be asked again in that version. A POST that may have been acted on is not: only those after it. */
bool http_version_heed(struct engine *engine, const struct response *response);

#endif
