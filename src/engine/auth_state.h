/**
 * The inside of auth, for auth.c, which keeps the credential, and auth_answer.c, which reads what a login came to.
 */
#ifndef SCRAPETOP_ENGINE_AUTH_STATE_H
#define SCRAPETOP_ENGINE_AUTH_STATE_H

#include "engine/auth.h"

/** What a header or a query may hold. */
bool auth_is_sendable(struct str text);

/** Makes the credential out of auth->token. */
MUST_CHECK enum result auth_make_credential(struct auth *auth);

/** auth->token is in hand from now on. */
void auth_have_token(struct auth *auth);

/** For so long; 0: nobody said. */
void auth_set_life(struct auth *auth, uint64_t life_us, uint64_t now_us);

/** There is no credential, nor will there be one. */
enum auth_news auth_lose(struct auth *auth);

#endif
