/**
 * The lists of URLs of a run: copied into its directory when it begins, read from there ever after.
 *
 * One that comes by a pipe need not have ended: the run begins with what is there when it pauses, and the rest is
 * added to the copy by engine/feed.h. Until its end a file "urls-N.open" lies beside it; a run that ends before
 * that goes on with the rest when the list is given again.
 *
 * So a run resumes though its list came from a pipe, was deleted, or is being edited. A list that was given again
 * and differs lies beside the copy as "urls-N.txt.new" until what it asks is merged with what the run knows
 * (engine/grow.h), and takes its place then.
 *
 * Ownership  run_lists_close closes the descriptors.
 * Errors     E-IN1, E-IN2 from job/list.h; every bad line is printed. E-DIR3: a copy cannot be written.
 */
#ifndef SCRAPETOP_SESSION_RUN_LISTS_H
#define SCRAPETOP_SESSION_RUN_LISTS_H

#include "engine/feed.h"
#include "job/job.h"
#include "store/run_dir.h"

struct run_list_given;

struct run_lists {
    int *fds; /* one for each JOB_SOURCE_LIST of the job, in order; after run_lists_open */
    struct run_list_given *given; /* those of the command line; NULL: the run's own */
    size_t count, opened;
    bool have_changed;       /* since the last session */
    struct feed_source feed; /* the rest of the last one, when that is still to come */
};

/** Reads the command line's lists whole, or as far as they have come, before a directory is made or set aside for them. Zeroed
 *  `lists`; not called when the job is that of the run directory. */
MUST_CHECK enum result run_lists_check(struct run_lists *lists, const struct job *job,
                                       struct err *err);

/** Opens the run's lists; those that run_lists_check has read are copied into a fresh directory, or
 *  compared with what is there. */
MUST_CHECK enum result run_lists_open(struct run_lists *lists, const struct run_dir *dir,
                                      const struct job *job, struct err *err);

/** Opens the copies that a run had until now, in order; to be closed and freed, also when it fails. */
MUST_CHECK enum result run_lists_open_before(const struct run_dir *dir, const struct job *job,
                                             int **fds, size_t *count, struct err *err);

/** Of a job with one list and nothing else: how many URLs it had before, when they are still its first ones, in the
 *  same bytes. Else 0. */
uint64_t run_lists_same(const struct run_lists *lists);

/** Appends the names of the copies that are to be replaced, a blank before each. */
MUST_CHECK enum result run_lists_name_changed(const struct run_lists *lists, struct buf *names);

/** Whether one of them came by stdin, which so can give no keys. */
bool run_lists_have_piped(const struct run_lists *lists);

/** Whether a list that came by a pipe is another than the one that the run in `dir` began with. */
bool run_lists_piped_differ(const struct run_lists *lists, const struct job *job,
                            const struct run_dir *dir);
void run_lists_close(struct run_lists *lists);

#endif
