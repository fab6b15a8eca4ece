/**
 * What an answer means that no rule speaks of, where its status alone would mislead.
 *
 *   202 that is no result yet          ask again: where Location says, when Retry-After says
 *   a limit that was met, told in the  hold the host: a 403 whose body speaks of a rate limit, a 200
 *   body alone                         whose error says THROTTLED
 *   200 with Retry-After and an error  the same: the server is busy (MediaWiki's maxlag)
 *   2xx with a page in HTML            no data: a login, an error or a maintenance page
 *
 * Only words that servers are known to use, in the places where they use them: data that happens to speak of
 * limits is data.
 *
 * Sources  GitHub's secondary limits, Google's and Shopify's errors, MediaWiki's API:Etiquette, RFC 9110
 *          section 15.3.3 (202: nothing has been said of the result).
 * Threads  pure; any.
 */
#ifndef SCRAPETOP_PLAN_ANSWER_USUAL_H
#define SCRAPETOP_PLAN_ANSWER_USUAL_H

#include "plan/answer.h"

enum answer_usual {
    ANSWER_USUAL_NONE,       /* as its status says */
    ANSWER_USUAL_NOT_READY,  /* 202 */
    ANSWER_USUAL_LIMIT,      /* a limit was met */
    ANSWER_USUAL_BUSY,       /* an error, and when to ask again */
    ANSWER_USUAL_WRONG_TYPE, /* 2xx, and no data at all */
    ANSWER_USUAL_COUNT,
};

#define ANSWER_WHY_MAX 120

/** What is known of the request beside its answer. */
struct answer_asker {
    bool asks_safely;    /* it may be repeated without side effects */
    bool is_asked_about; /* its URL is where an earlier answer said to ask */
};

/** `why` gets one clause for people, with a bit of the body: bytes from outside. */
enum answer_usual answer_usual_of(const struct answer_view *answer,
                                  const struct answer_asker *asker, char why[ANSWER_WHY_MAX]);

/** A wait that stands in the body, where APIs put it: retry_after and its kin, or a sentence (plan/spoken_wait.h). */
bool answer_usual_wait(const struct answer_view *answer, uint64_t *wait_us, char *said,
                       size_t said_size);

#endif
