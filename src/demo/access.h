/**
 * Access: who may see what needs a login, in the ways that APIs have.
 *
 *     Bearer   a token of POST /api/auth/login or POST /oauth/token, or the fixed "demo-token"
 *     Basic    user "demo", password "demo"
 *     API key  "demo-key", in the header X-Api-Key or in the query as api_key
 *
 * Each of these returns whether the request is let in; when it is not, the reply is filled with the 401
 * and its WWW-Authenticate.
 *
 * Threads  the server's thread only.
 */
#ifndef SCRAPETOP_DEMO_ACCESS_H
#define SCRAPETOP_DEMO_ACCESS_H

#include "demo/world.h"

bool access_by_bearer(struct world *world, const struct ask *ask, struct reply *reply);
bool access_by_basic(const struct ask *ask, struct reply *reply);
bool access_by_key(const struct ask *ask, struct reply *reply);

/** Whether Authorization is Basic with these two. */
bool access_basic_is(const struct ask *ask, struct str user, struct str password);

/** Tells a fresh token: {"access_token": …, "token_type": "Bearer", "expires_in": …}, and what `scope`
 *  it is for, when it has data. */
void access_grant(struct world *world, const struct ask *ask, struct str scope,
                  struct reply *reply);

#endif
