/**
 * What a run asked until now, when a list, a file of values or the job's own values have changed since.
 *
 *   job and lists as given --differ from--> those of the directory --run_growth_put--> NAME.new, and "plan.new"
 *                          --engine/grow.h--> merged --run_growth_keep--> the given ones are the run's
 *
 * The given ones take the others' places only when the ledger has them all: a process that is killed before that
 * leaves a directory for which the same command does the same again. "plan.new" is a note of the files that are to be
 * moved; the ledger takes it in with the plan. A process that is killed while it moves them has left both, and the
 * next session, whatever its command, moves the rest.
 *
 * Ownership  run_growth_release closes and frees everything but the struct.
 * Errors     E-JOB1 the directory holds another run; E-DIR3 a copy cannot be read or written.
 */
#ifndef SCRAPETOP_SESSION_RUN_GROWTH_H
#define SCRAPETOP_SESSION_RUN_GROWTH_H

#include "engine/grow.h"
#include "session/run_lists.h"

struct run_growth {
    bool has_stored, is_worker; /* a job was given for a directory that has one: */
    bool is_other;              /* it has other URLs or values */
    struct job stored;
    int *fds;
    size_t fd_count;
    bool is_grown;             /* something has changed: */
    struct plan_before before; /* what it was */
    struct buf note; /* a number and names: what lies beside the run's files, in NAME.new */
};

/** The directory's job against the given one, zeroed `growth`. */
MUST_CHECK enum result run_growth_compare(struct run_growth *growth, const struct run_dir *dir,
                                          struct job *given, struct err *err);

/** Makes `before` ready, if `lists` or the job have changed. After run_lists_open. */
MUST_CHECK enum result run_growth_open(struct run_growth *growth, const struct run_dir *dir,
                                       const struct run_lists *lists, struct err *err);

/** Puts what was given beside what the run has. After run_growth_open, with the job as it is to be kept. */
MUST_CHECK enum result run_growth_put(struct run_growth *growth, const struct run_dir *dir,
                                      const struct run_lists *lists, const struct job *job,
                                      struct err *err);

/** The ledger has taken it in: it is the run's from now on. */
MUST_CHECK enum result run_growth_keep(const struct run_growth *growth, const struct run_dir *dir,
                                       struct err *err);

/** Does what run_growth_keep had begun when its process was killed. Before the job of the directory is read. */
MUST_CHECK enum result run_growth_recover(const struct run_dir *dir, struct err *err);

/** The ledger has not taken it in: takes away what was put, and says of which jobs, when they have nothing in common. */
enum result run_growth_tell(const struct run_growth *growth, const struct run_dir *dir,
                            const struct job *job, struct err *err);
void run_growth_release(struct run_growth *growth);

#endif
