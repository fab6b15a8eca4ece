/**
 * The insides of fleet_login.h, for its two files: what is asked and put, and what comes back.
 */
#ifndef SCRAPETOP_ENGINE_FLEET_LOGIN_STATE_H
#define SCRAPETOP_ENGINE_FLEET_LOGIN_STATE_H

#include "base/str.h"
#include "engine/auth.h"
#include "engine/fleet_login.h"

#define FLEET_LOGIN_CLEAR_MAX (4 * AUTH_TOKEN_MAX)
#define FLEET_LOGIN_ONE_SESSION                                                                    \
    "each worker's login ends the one of another: this API keeps one session; give all workers "   \
    "the same " FLEET_LOGIN_KEY ", and they share one login"

struct fleet_link;

/** The key that is common to the workers; empty: none. */
struct str fleet_login_key(void);

/** One login is for all. */
bool fleet_login_is_shared(const struct engine *engine);

/** Nothing is asked any more. `gives_up`: others may log in. */
void fleet_login_end(struct fleet_link *link, bool gives_up);

/** Tells the user why it is not shared, once. */
void fleet_login_tell(struct engine *engine, const char *text);

#endif
