/**
 * What a user may tell a running engine: the same closed list for keys, typed words and signals.
 *
 * The ui makes commands from keys, the composition root carries them to `engine_control`, which
 * answers with one sentence for the message line. A command holds no pointer.
 */
#ifndef SCRAPETOP_ENGINE_CONTROL_H
#define SCRAPETOP_ENGINE_CONTROL_H

#include <stdint.h>

enum control_verb {
    CONTROL_NONE,
    CONTROL_CAP_SET, /* number: the cap; 0 pauses */
    CONTROL_CAP_ADD, /* number: may be negative; never below 1 */
    CONTROL_CAP_DOUBLE,
    CONTROL_CAP_HALVE,
    CONTROL_RATE_SET,      /* text: "10/s", "off" */
    CONTROL_AUTO,          /* toggles the controller */
    CONTROL_SWEEP,         /* text: "5,10,20"; while a sweep is under way: ends it */
    CONTROL_PAUSE,         /* toggles */
    CONTROL_NORMALISE,     /* starts; while one runs: cancels it */
    CONTROL_RETRY_FAILED,  /* text: a class of failures (plan/failure.h); empty: all */
    CONTROL_RETRY_WAITING, /* text: a filter (base/text_filter.h) of those that wait; empty: all */
    CONTROL_RETRY,     /* number: id of a waiting request; asked at once, whatever its host said */
    CONTROL_DROP,      /* number: id of a request that waits or is in flight; it has failed then */
    CONTROL_DETAIL,    /* number: id of the request that snapshot.detail shows; 0: none */
    CONTROL_HOLD,      /* text: host; toggles */
    CONTROL_MARK,      /* text: a note on the time axis */
    CONTROL_DRAIN,     /* start nothing more, let the in-flight finish, end */
    CONTROL_ABORT,     /* end now; everything complete is committed */
    CONTROL_ON_ADD,    /* text: a rule by event, "WHEN: DO", for this session */
    CONTROL_ON_REMOVE, /* number: of that rule */
    CONTROL_SEEK,      /* number: seconds to go forward or back, in a run that is only replayed */
    CONTROL_DETACH,    /* the screen ends, the run goes on; a session's matter, not the engine's */
    CONTROL_VISIT,     /* text: the name of one of a fleet's workers; its own dashboard */
    CONTROL_LEAVE,     /* the same of a screen that is only attached to the run */
};

#define CONTROL_TEXT_MAX 192 /* a rule by event is the longest */
#define CONTROL_REPLY_MAX 160

struct control {
    enum control_verb verb;
    int64_t number;
    char text[CONTROL_TEXT_MAX];
};

#endif
