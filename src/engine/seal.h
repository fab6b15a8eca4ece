/**
 * Seal: takes secrets out of discovered requests before they are written down, and puts them back before they are
 * sent.
 *
 *   a body names https://api/list?page=2&access_token=4f3c
 *     --seal_discoveries--> ledger, frontier, screen: ...&access_token={secret:login.token}
 *     --seal_open, when it is asked--> the token of now
 *
 * So a token that a server repeats in the URL of the next page stands in no ledger, and has not ended when
 * the next session asks for that page. Only texts that came out of the ledger are opened, and never for an
 * origin that a redirect led to.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_SEAL_H
#define SCRAPETOP_ENGINE_SEAL_H

#include "base/buf.h"
#include "base/err.h"
#include "job/header_fill.h"

struct engine;
struct fetch_extra;
struct discoveries;
struct request;

struct seal {
    struct buf opened[2 + HEADER_FILL_MAX]; /* by seal_open: URL, body and headers, in clear */
};

/** Takes the secrets out of what was found, so that it can be written down. */
MUST_CHECK enum result seal_discoveries(struct engine *engine, struct discoveries *discoveries);

/** The request comes from the ledger: whether there is anything to open in it. */
void seal_note(struct request *request);

/** What is asked in place of sealed texts. RESULT_NOT_FOUND: with a secret that this session does not have. */
MUST_CHECK enum result seal_open(struct engine *engine, const struct request *request,
                                 struct fetch_extra *extra);

/** The request with its secrets put in, for the reader of its answer; NULL in `clear` when it has none. Free it
 *  with request_free. */
MUST_CHECK enum result seal_clear(struct engine *engine, const struct request *request,
                                  struct request **clear);
void seal_release(struct engine *engine);

#endif
