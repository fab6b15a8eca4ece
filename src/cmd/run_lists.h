/**
 * The lists of URLs of a run: copied into its directory when it begins, read from there ever after.
 *
 * So a run resumes though its list came from a pipe, was deleted, or is being edited; and a list that
 * was given again and differs is refused, because the numbers of its lines are the requests' ids.
 *
 * Ownership  run_lists_close closes the descriptors.
 * Errors     E-IN1, E-IN2 from job/list.h; every bad line is printed. E-IN5: the list has changed.
 */
#ifndef SCRAPETOP_CMD_RUN_LISTS_H
#define SCRAPETOP_CMD_RUN_LISTS_H

#include "job/job.h"
#include "store/run_dir.h"

struct run_lists {
    int *fds; /* one for each JOB_SOURCE_LIST of the job, in order */
    size_t count;
};

/** `given`: the job's lists are those of the command line, to be copied (into a fresh directory) or
 *  compared with what is there. */
MUST_CHECK enum result run_lists_open(struct run_lists *lists, const struct run_dir *dir,
                                      const struct job *job, bool given, struct err *err);
void run_lists_close(struct run_lists *lists);

#endif
