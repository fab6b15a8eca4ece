/**
 * What a script says to a live run, and hears of it: `scrapetop ctl`.
 *
 * Errors   those of control_client.h and socket_place.h. A refused request is RESULT_INVALID with the code that
 *          the run gave (E-CTL1 to E-CTL4).
 * Threads  any; it waits for the run.
 */
#ifndef SCRAPETOP_CONTROL_CTL_H
#define SCRAPETOP_CONTROL_CTL_H

#include "control/control_client.h"
#include "engine/snapshot.h"

enum ctl_follow { CTL_FOLLOW_TOTALS, CTL_FOLLOW_SNAPSHOT, CTL_FOLLOW_EVENTS };

/** Connects to the run that `word` names: a run directory, a process number, a socket, or HOST:RUN, where ssh may ask
 *  for a password if `may_ask`. Waits for nothing else. The client is to be closed, whatever the result. */
MUST_CHECK enum result ctl_connect(struct control_client *c, const char *word, bool may_ask,
                                   struct err *err);

/** What a line means to a client that has said hello: as control_client_is_greeted, and RESULT_NOT_FOUND when another run than
 *  the one of `word` has the process number by now. */
MUST_CHECK enum result ctl_is_greeted(const char *word, struct str line, struct err *err);

/** Both, with a hello between them, and waits for the answer. A client that only looks sets `is_viewer`: a run takes a
 *  driver who sees frames for somebody who decides, and releases what is held when he goes. */
MUST_CHECK enum result ctl_greet(struct control_client *c, const char *word,
                                 const struct control_hello *hello, struct err *err);

/** Says `words` to the run and prints its reply to stdout, or the error. */
MUST_CHECK enum result ctl_say(const char *word, struct str words, struct err *err);

/** One snapshot, as it comes: JSON in `json`, which is the caller's to release, and read into `s`. Waits two seconds at
 *  most. */
MUST_CHECK enum result ctl_snapshot(const char *word, struct buf *json, struct snapshot *s,
                                    struct err *err);

/** The run's report so far, the object of --json, appended to `json`. Waits two seconds at most. */
MUST_CHECK enum result ctl_report(const char *word, struct buf *json, struct err *err);

/** Prints one snapshot, a line of JSON. */
MUST_CHECK enum result ctl_look(const char *word, struct err *err);

/** Prints a line of JSON for every frame or event until the run ends, whose exit code is put into `*exit`. */
MUST_CHECK enum result ctl_follow(const char *word, enum ctl_follow what, int *exit,
                                  struct err *err);

/** Carries bytes between stdin and the socket, and the socket and stdout, until the run closes. When stdin has ended,
 *  the answers to what it asked still come. */
MUST_CHECK enum result ctl_pipe(const char *word, struct err *err);

#endif
