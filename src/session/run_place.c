#include "session/run_place.h"

#include "history/stored_job.h"
#include "session/run_alike.h"
#include "store/run_dir.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PLACES_MAX 999
#define WAITS_MAX 100 /* of WAIT_NS each, for a ledger that is being made */
#define WAIT_NS 20000000

enum judgement {
    PLACE_IS_FREE, /* or opening it will tell */
    PLACE_IS_OURS,
    PLACE_IS_ALIKE, /* other values, some of which we have */
    PLACE_IS_OTHERS,
};

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

    *judgement = PLACE_IS_FREE;
    for (int i = 0; i < WAITS_MAX && is_being_made(path); i++) {
        nanosleep(&pause, NULL);
    }
    if (run_dir_open_readonly(&dir, path, NULL) != RESULT_OK) {
        return RESULT_OK;
    }
    result = stored_job_read_without_secrets(&dir, &stored, err);
    if (result == RESULT_OK) {
        if (job_same_requests(&stored, job)) {
            *judgement = !job_shard_is_same(&stored.shard, &job->shard) ||
                                 run_lists_piped_differ(lists, job, &dir)
                             ? PLACE_IS_OTHERS
                             : PLACE_IS_OURS;
        } else {
            *judgement = run_is_alike(&dir, &stored, job) ? PLACE_IS_ALIKE : PLACE_IS_OTHERS;
        }
        job_release(&stored);
    }
    run_dir_close(&dir);
    return result == RESULT_NOMEM ? result : RESULT_OK;
}

void run_place_first(const struct job *job, char path[RUN_PLACE_MAX])
{
    const struct job_shard *shard = &job->shard;

    if (shard->count) {
        snprintf(path, RUN_PLACE_MAX, "%s-%03u-of-%03u.run", job->name, shard->number,
                 shard->count);
    } else {
        snprintf(path, RUN_PLACE_MAX, "%s.run", job->name);
    }
}

static void name_place(const struct job *job, int number, char path[RUN_PLACE_MAX])
{
    run_place_first(job, path);
    if (number > 1) {
        size_t stem = strlen(path) - strlen(".run");

        snprintf(path + stem, RUN_PLACE_MAX - stem, "-%d.run", number);
    }
}

enum result run_place_choose(const struct job *job, const struct run_lists *lists,
                             char path[RUN_PLACE_MAX], struct err *err)
{
    enum judgement judgement = PLACE_IS_OTHERS;
    enum result result = RESULT_OK;
    int alike = 0;

    for (int n = 1; n <= PLACES_MAX && judgement > PLACE_IS_OURS && result == RESULT_OK; n++) {
        name_place(job, n, path);
        result = judge(path, job, lists, &judgement, err);
        if (judgement == PLACE_IS_ALIKE && !alike) {
            alike = n;
        }
    }
    if (alike && judgement != PLACE_IS_OURS) {
        name_place(job, alike, path);
    }
    return result;
}
