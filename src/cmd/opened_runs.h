/**
 * Runs that are opened to be read: one, or several whose records become one table.
 *
 * The first run says what the table is like; the others have an endpoint of the same name. Runs of the same requests
 * (shards, or a job that was run on several days) are merged in the plan's order, others follow one another; so do runs
 * of one job whose day words or files of values meant something else. Of shards and workers a request that several have is
 * taken once, from where it would stand if all were one run.
 *
 * Ownership  run directories, jobs and ledgers live until opened_runs_close; so do the sources' needs.
 * Errors     those of what is opened; E-ARG1: a run without the endpoint, E-NOMEM.
 * Threads    main thread; sources are read by the pool, as table/run_source.h says.
 */
#ifndef SCRAPETOP_CMD_OPENED_RUNS_H
#define SCRAPETOP_CMD_OPENED_RUNS_H

#include "job/job.h"
#include "normalise/record_source.h"
#include "store/ledger.h"
#include "store/run_dir.h"

#include <stddef.h>

#define OPENED_RUNS_MAX 256

struct opened_runs;

struct opened_run {
    const struct opened_runs *among;
    struct run_dir dir;
    struct job job;
    struct ledger *ledger;
    bool went_back; /* the ledger shows an earlier time (cmd/as_of.h) */
    uint64_t late;  /* answers that it then does not show */
};

struct opened_runs {
    struct opened_run *list;
    size_t count;
    bool same_requests;
    bool are_shards;         /* of the same requests: shards of one cut, or workers of a fleet */
    struct ledger **ledgers; /* of shards: all of them, in the order of the list */
    /* of workers that shared what they found; made with each source */
    struct ledger_union *united;
    uint32_t *parents; /* of its plan */
    struct ledger_plan plan;
    /* of the source that was made last: records of a request that another run has, too */
    uint64_t doubled;
};

MUST_CHECK enum result opened_runs_open(struct opened_runs *runs, const char *const *paths,
                                        size_t count, struct err *err);

/** The ledgers are as they are at this moment, until opened_runs_let_go. */
MUST_CHECK enum result opened_runs_hold(struct opened_runs *runs, struct err *err);

/** A run_index_fn (table/run_source.h) of a struct opened_run whose ledger is held. */
MUST_CHECK enum result opened_run_read_index(void *run, uint32_t endpoint,
                                             struct record_position *position,
                                             struct placed_record *records, size_t max,
                                             size_t *count, struct err *err);

/** The records of that endpoint of the first run, in all of them, as they are at this moment: other processes may be at work
 *  on the runs meanwhile. Until opened_runs_let_go the ledgers are held (ledger_hold). */
MUST_CHECK enum result opened_runs_source(struct opened_runs *runs, uint32_t endpoint,
                                          struct record_source **source, struct err *err);

/** The source that was made last is read. */
void opened_runs_let_go(struct opened_runs *runs);

void opened_runs_close(struct opened_runs *runs);

#endif
