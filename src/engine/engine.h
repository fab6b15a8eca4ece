/**
 * The engine: owns every stage of a run, and every step back between them.
 *
 *   frontier --request--> fetch --response--> judge --settlement--> committer --+
 *      ^                                        |                               |
 *      +------ again, later, elsewhere ---------+--------- durable -------------+
 *
 * It starts as many transfers as the cap, the hosts, the rate and the store allow, in the same turn
 * of the loop in which that changes; one timer stands for the earliest deadline. It never touches a
 * terminal: it is told commands (engine/control.h) and tells snapshots (engine/snapshot.h).
 *
 *   RUNNING --all settled------------> TABLE --> DONE
 *      |  `--drain--> DRAINING ---------´          ^   (resumable, unless all was settled)
 *      `--abort, storage failed--> DRAINING -------´
 *
 * Ownership  engine_new opens the store, engine_close gives everything back. The options' pointers
 *            are borrowed until `closed`.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_ENGINE_H
#define SCRAPETOP_ENGINE_ENGINE_H

#include "base/clock.h"
#include "engine/control.h"
#include "engine/feed.h"
#include "engine/follow_up.h"
#include "engine/report.h"
#include "engine/snapshot.h"
#include "engine/sweep.h"
#include "job/job.h"
#include "store/run_dir.h"

#include <uv.h>

struct engine;
struct plan_before;
struct ledger_since_set;
struct tending;

struct engine_options {
    uv_loop_t *loop;
    struct clock clock;
    uint64_t boot;      /* clock_boot(), if `clock` is the system's; else 0 */
    uint64_t seed;      /* of the jitter */
    unsigned threads;   /* that fetch (fetch/fetch.h); 0 or 1: the loop's does */
    bool needs_threads; /* somebody asked for as many: it fails where they are not to be had */
    const struct job *job;
    /* job.json, of which the ledger keeps a copy; or STR_NONE; borrowed by engine_new */
    struct str job_text;
    const struct run_dir *dir;
    const struct tending *tending; /* who looks after the store meanwhile; NULL: nobody; borrowed */
    const int *list_fds;           /* see struct frontier_options */
    const struct feed_source *feed; /* the rest of the last list; NULL: all is there; borrowed */
    size_t feed_list;               /* its place in list_fds */
    /* the plan has changed since the last session (grow.h); NULL: it has not; borrowed */
    const struct plan_before *before;
    bool prunes; /* what the plan no longer names leaves the tables */
    /* A run that has ended begins a further round; and what tells an unchanged answer is kept. */
    bool asks_again;
    uint64_t again_age_us; /* of it, what has had no good answer for so long; 0: all */
    const struct record_where *again_where; /* of it, what has such a record; NULL: all; borrowed */
    const struct ledger_since_set *since;   /* of it, listings are read up to there; borrowed */
    size_t since_count;
    const struct table_output *outputs; /* tables to write when all is settled; borrowed */
    size_t output_count;
    const char *table_path;     /* table that CONTROL_NORMALISE writes; borrowed */
    struct sweep *sweep;        /* caps to try, and what they gave; NULL: none; borrowed */
    struct follow_up follow_up; /* only a part of what is left */
    /* Somebody is there to decide: a server that asks for more than --max-wait is waited for. Without,
     * the run ends, resumable, when nothing else is left. */
    bool attended;
    /* On a turn of the loop of its own: nothing more will be fetched; the report is final. Once, unless
     * CONTROL_RETRY_FAILED found new work after it. */
    void (*on_done)(void *context);
    void (*on_event)(void *context,
                     struct str line); /* of events.jsonl, as it is written; or NULL */
    void *context;
};

/** Opens or resumes the run. Nothing is sent before engine_start. After a failure `*engine` is NULL, or a partly
 *  opened engine for engine_close. */
MUST_CHECK enum result engine_new(struct engine **engine, const struct engine_options *options,
                                  struct err *err);

MUST_CHECK enum result engine_start(struct engine *engine, struct err *err);

/** Obeys and answers with one sentence for people, possibly empty. False: it cannot be, and the sentence says why. */
bool engine_control(struct engine *engine, const struct control *control,
                    char reply[CONTROL_REPLY_MAX]);

/** The verbs that engine_control obeys, as a set of 1 << verb. */
uint32_t engine_verbs(void);

void engine_snapshot(struct engine *engine, struct snapshot *snapshot);

/** One request looked at closely, whatever CONTROL_DETAIL has asked for. */
void engine_detail(struct engine *engine, uint64_t id, struct snapshot_detail *detail);

/** Somebody at another terminal has steered: `who`, with which words, and what became of it. */
void engine_note_steered(struct engine *engine, const char *who, struct str words,
                         const char *reply);

/** The copy of the stored lines fails, or goes on (RESULT_OK in `err`). */
void engine_note_copy(struct engine *engine, const struct err *err);

/** True at any time; final after on_done. To be given back with report_release. */
void engine_report(struct engine *engine, struct report *report);

/** The process was stopped (Ctrl-Z) and goes on after `slept_us`: transfers that died meanwhile cost no
 *  try. */
void engine_continued(struct engine *engine, uint64_t slept_us);

/** Whether somebody is there to decide (struct engine_options). */
void engine_set_attended(struct engine *engine, bool attended);

/** Whether somebody can come back to a run that is paused, though nobody is there. At first nobody can: a rule by
 *  event that would pause the run drains it then. */
void engine_set_can_return(struct engine *engine, bool can_return);

bool engine_is_done(const struct engine *engine);

/** At any time, once: cancels what is in flight (it stays pending in the ledger) and a table under
 *  way, waits for what is on the pool, commits what is complete, closes the store and all handles,
 *  then calls `closed` on the loop and frees the engine. on_done does not come any more. `trouble` is what
 *  the store ran into on its way, for report_fail; NULL: it is closed and durable. */
void engine_close(struct engine *engine, void (*closed)(void *context, const struct err *trouble));

#endif
