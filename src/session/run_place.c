#include "session/run_place.h"

#include "history/stored_job.h"
#include "store/run_dir.h"

#include <stdio.h>
#include <time.h>

#define PLACES_MAX 999
#define WAITS_MAX 100 /* of WAIT_NS each, for a ledger that is being made */
#define WAIT_NS 20000000

enum judgement { PLACE_IS_OURS, PLACE_IS_OTHERS };

/* A run that another process has just begun has its lock first and its ledger soon. */
static bool is_being_made(const char *path)
{
    struct run_holder holder = { .held = false };
    struct run_dir dir;

    if (run_dir_open_for_look(&dir, path, NULL) != RESULT_OK) {
        return false;
    }
    if (!dir.fresh || run_dir_holder(&dir, &holder, NULL) != RESULT_OK) {
        holder.held = false;
    }
    run_dir_close(&dir);
    return holder.held;
}

static enum result judge(const char *path, const struct job *job, const struct run_lists *lists,
                         enum judgement *judgement, struct err *err)
{
    const struct timespec pause = { .tv_nsec = WAIT_NS };
    struct run_dir dir;
    struct job stored;
    enum result result;

    *judgement = PLACE_IS_OURS;
    for (int i = 0; i < WAITS_MAX && is_being_made(path); i++) {
        nanosleep(&pause, NULL);
    }
    if (run_dir_open_readonly(&dir, path, NULL) != RESULT_OK) {
        return RESULT_OK; /* free, or what opening it will tell */
    }
    result = stored_job_read_without_secrets(&dir, &stored, err);
    if (result == RESULT_OK) {
        if (!job_same_requests(&stored, job) || run_lists_piped_differ(lists, job, &dir)) {
            *judgement = PLACE_IS_OTHERS;
        }
        job_release(&stored);
    }
    run_dir_close(&dir);
    return result == RESULT_NOMEM ? result : RESULT_OK;
}

enum result run_place_choose(const struct job *job, const struct run_lists *lists,
                             char path[RUN_PLACE_MAX], struct err *err)
{
    enum judgement judgement = PLACE_IS_OTHERS;
    enum result result = RESULT_OK;

    for (int n = 1; n <= PLACES_MAX && judgement == PLACE_IS_OTHERS && result == RESULT_OK; n++) {
        if (n == 1) {
            snprintf(path, RUN_PLACE_MAX, "%s.run", job->name);
        } else {
            snprintf(path, RUN_PLACE_MAX, "%s-%d.run", job->name, n);
        }
        result = judge(path, job, lists, &judgement, err);
    }
    return result;
}
