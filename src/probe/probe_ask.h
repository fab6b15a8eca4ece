/**
 * One request of `probe`, on a loop of its own.
 *
 * It is sent once; and once more where its end shows that the server speaks another HTTP, and nothing is done
 * twice by that.
 *
 * Ownership  the response is the caller's; it is NULL after an error.
 * Errors     RESULT_NOMEM, and those of fetch_new. What the server answers is no error here.
 * Threads    main thread, while no other loop runs.
 */
#ifndef SCRAPETOP_PROBE_PROBE_ASK_H
#define SCRAPETOP_PROBE_PROBE_ASK_H

#include "fetch/response.h"
#include "job/job.h"

/** Asks `url` as the first endpoint of `job` is asked: its method, body, headers and login. */
MUST_CHECK enum result probe_ask(const struct job *job, struct str url, struct response **response,
                                 struct err *err);

#endif
