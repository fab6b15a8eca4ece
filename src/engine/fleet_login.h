/**
 * Fleet login: one login for all workers of a fleet, when they have a common key (SCRAPETOP_FLEET_KEY).
 *
 *   a token is wanted --fleet_login_may--> the fleet has another one --> that is taken
 *                                     `--> nobody logs in -----------> this worker does, and its token is sealed and put
 *                                     `--> another worker does ------> waited for (AUTH)
 *
 * Without the key each worker logs in by itself. Then an API that keeps one session ends each worker's with the next one's
 * login: a token that is refused after another worker's login, FLEET_LOGIN_KICKS times in a row, stops the run.
 *
 * A refresh token that came with a token goes with it, as it may be good for one use. What a cookie carries stays with
 * each worker.
 *
 * Errors   E-FLEET1: the key is too short. E-AUTH2: the API keeps one session.
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_FLEET_LOGIN_H
#define SCRAPETOP_ENGINE_FLEET_LOGIN_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;

#define FLEET_LOGIN_KEY "SCRAPETOP_FLEET_KEY"
#define FLEET_LOGIN_KICKS 3

/** Looks at the key. */
MUST_CHECK enum result fleet_login_init(struct engine *engine, struct err *err);

/** The login may be asked by this worker now; else engine_want_turn follows when that changes, or a token has come. */
bool fleet_login_may(struct engine *engine);

/** This worker has a new token, for so long; 0: nobody said. */
void fleet_login_got(struct engine *engine, uint64_t life_us);

/** It cannot log in. */
void fleet_login_lost(struct engine *engine);

/** The token in hand was refused. */
void fleet_login_refused(struct engine *engine);

/** Why fresh tokens are refused, when it may be that others log in, too; or NULL. */
const char *fleet_login_explains(const struct engine *engine);

/** There may be news. */
void fleet_login_heed(struct engine *engine);

/** Lets others log in when this worker may, and has no use for it any more. */
void fleet_login_tick(struct engine *engine, uint64_t now_us);

/** The job was made anew, or contact was lost: who may log in is settled anew. */
void fleet_login_reset(struct engine *engine);

#endif
