/**
 * A screen for all workers of a fleet: `attach redis://HOST/JOB`.
 *
 * The dashboard of a run, with the sums of all and a panel of workers. Keys steer all of them;
 * Enter on a worker of this machine
 * shows its own dashboard, until that is left. Redis is looked at once a second, from a thread of libuv's pool: a Redis that
 * hangs holds up no key.
 *
 * Errors   those of session/fleet_talk.h, fleet/fleet_ask.h and session/viewing.h.
 * Threads  main thread; it runs a loop of its own.
 */
#ifndef SCRAPETOP_SESSION_FLEET_ATTACH_H
#define SCRAPETOP_SESSION_FLEET_ATTACH_H

#include "session/attach.h"

/** `options->run` is the URL. Returns when the user leaves, or the job is done: then `*exit` is EXIT_WELL, or
 *  EXIT_INCOMPLETE when requests have failed. */
MUST_CHECK enum result fleet_attach(const struct attach_options *options, int *exit,
                                    struct err *err);

#endif
