/**
 * Redirect: where a request may follow a redirect to, and where it may not.
 *
 * A server may repeat the key that it was asked with. Within the origin the query's own is taken out of
 * the new URL, for it is put in again when that is asked, and is to stand nowhere meanwhile. To another
 * origin nobody carries a credential: neither we in a header, nor a URL that a server makes of it.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_REDIRECT_H
#define SCRAPETOP_ENGINE_REDIRECT_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

struct engine;
struct request;
struct response;

enum redirect_word {
    REDIRECT_FOLLOW,   /* the request goes on to the new URL */
    REDIRECT_REFUSED,  /* it does not, and `reason` says why, without secrets */
    REDIRECT_SHORTAGE, /* no memory: as it was */
};

/** What becomes of a request that is answered with a redirect. */
enum redirect_word redirect_take(struct engine *engine, struct response *response);

/** The same for one whose answer names `url` in another way, where it is asked with GET. Takes the URL. */
enum redirect_word redirect_lead(struct engine *engine, struct response *response, char *url);

/** A credential stands in the URL, or what looks like one. */
bool redirect_is_secret(struct engine *engine, const struct request *request, struct str url);

#endif
