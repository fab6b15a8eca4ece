/**
 * Pace: what answers tell about how fast their hosts may be asked, handed to the modules that keep account of
 * it (the host's allowance, budget and breaker; the controller; the ladder), and what follows.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_PACE_H
#define SCRAPETOP_ENGINE_PACE_H

#include "engine/ladder.h"
#include "plan/pacer.h"
#include "plan/tuner.h"

#include <stdbool.h>
#include <stdint.h>

#define PACE_NO_MEMORY_US (10 * US_PER_S)

struct answer;
struct engine;
struct host;
struct request;
struct response;

/** How fast it goes, and what a user or a shortage makes of that. */
struct pace {
    unsigned cap, cap_before; /* cap_before: the one that is being drained down from */
    unsigned connections_max; /* as the limit of open files allows */
    unsigned clamp;           /* 0: none; fewer because descriptors ran out */
    uint64_t clamp_until_us;
    uint64_t shortage_until_us;  /* nothing is started before: out of memory or descriptors */
    uint64_t no_memory_since_us; /* for want of it nothing can be asked; 0: it is not so */
    bool is_paused;
    bool auto_on;
    bool is_kept_back; /* see tuner_step */
    struct tuner tuner;
    struct ladder ladder;
    struct pacer pacer;
    uint64_t starts_since_us; /* starts of the second in the making, and the most of any */
    unsigned starts, starts_peak;
};

void pace_init(struct engine *engine, uint64_t now_us);

/** A request, or a login, could not be asked for want of memory. Where nothing is in flight that would give some back, and that
 *  does not change for PACE_NO_MEMORY_US, the run stops. */
void pace_note_no_memory(struct engine *engine, uint64_t now_us);

/** The only way to another cap; false when it is the same. `why` is a sentence for the events. */
bool pace_change_cap(struct engine *engine, unsigned cap, const char *why);
void pace_set_auto(struct engine *engine, bool on);

/** No hold, no pause: the time counts. */
bool pace_is_under_way(const struct engine *engine);
void pace_note_limit(struct engine *engine);

/** Says so when the limit of open files binds before the cap does. */
void pace_tell_files(struct engine *engine);
void pace_tune(struct engine *engine, uint64_t now_us);
void pace_started(struct engine *engine, struct request *request, uint64_t now_us);

/** An answer came: what libcurl sent for it by itself, the answer to a challenge or a request that met a dead connection,
 *  counts for --rate as what we start does. */
void pace_sent_again(struct engine *engine, const struct response *response);

/** An attempt came back: what that says of its host. `asleep`: it failed because this process was stopped.
 *  `is_limit`: its body says that a limit was met, whatever its status. To be told first. */
void pace_ended(struct engine *engine, struct host *host, const struct response *response,
                bool asleep, bool is_limit, uint64_t now_us);

/** Listeners (engine/listeners.h). */
void pace_tuner_answer(struct engine *engine, const struct answer *answer);
void pace_quota_answer(struct engine *engine, const struct answer *answer);

#endif
