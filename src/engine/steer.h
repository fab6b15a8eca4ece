/**
 * Steer: what a user does by hand to single requests and hosts.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_STEER_H
#define SCRAPETOP_ENGINE_STEER_H

#include "engine/control.h"

#include <stdint.h>

struct engine;

void steer_retry(struct engine *engine, uint64_t id, char reply[CONTROL_REPLY_MAX]);

/** Those whose text passes the filter, or all (""), be they shown or not. */
void steer_retry_waiting(struct engine *engine, const char *filter, char reply[CONTROL_REPLY_MAX]);
void steer_drop(struct engine *engine, uint64_t id, char reply[CONTROL_REPLY_MAX]);
void steer_hold(struct engine *engine, const char *host, char reply[CONTROL_REPLY_MAX]);

/** Those of one class, or all ("") that failed. `by` is who asks, "you" or a rule. */
void steer_retry_failed(struct engine *engine, const char *class, const char *by,
                        char reply[CONTROL_REPLY_MAX]);

/** The failed ones that the options' follow-up is about; says so. */
void steer_follow_up(struct engine *engine);

/** Asks again what the host refused in this row of refusals (plan/ban.h). How many. */
unsigned long long steer_ask_refused(struct engine *engine, uint32_t host, uint32_t row);

/** The user is gone, and cannot release hosts that were held by hand any more. */
void steer_release_all(struct engine *engine);

#endif
