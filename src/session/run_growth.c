#include "session/run_growth.h"

#include "history/stored_job.h"
#include "session/run_checks.h"
#include "session/run_values.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum result run_growth_compare(struct run_growth *g, const struct run_dir *dir, struct job *given,
                               struct err *err)
{
    enum result result = run_check_same_job(dir, given, &g->stored, &g->is_other, err);

    g->has_stored = result == RESULT_OK;
    g->is_worker = given->worker != NULL;
    return result;
}

enum result run_growth_open(struct run_growth *g, const struct run_dir *dir,
                            const struct run_lists *lists, struct err *err)
{
    bool all;
    enum result result;

    if (!g->has_stored || (!g->is_other && !lists->have_changed)) {
        return RESULT_OK;
    }
    if (g->is_worker) {
        return err_set(
            err, RESULT_INVALID, "E-FLEET2",
            "%s is a worker on a plan that has changed since: the others ask the old "
            "one; begin a fleet of another name with --fresh, or resume with -o %s alone",
            dir->path, dir->path);
    }
    if (g->stored.shard.count) {
        return err_set(err, RESULT_INVALID, "E-SHARD4",
                       "%s is a shard of a plan that has changed since: requests would move from "
                       "shard to shard; ask all shards anew with --fresh, or resume with -o %s "
                       "alone",
                       dir->path, dir->path);
    }
    result = run_lists_open_before(dir, &g->stored, &g->fds, &g->fd_count, err);
    if (result == RESULT_OK) {
        result = run_values_take_back(dir, &g->stored, &all, err);
    }
    g->before = (struct plan_before){ &g->stored, g->fds };
    g->is_grown = result == RESULT_OK;
    return result;
}

enum result run_growth_keep(const struct run_growth *g, const struct run_dir *dir,
                            const struct run_lists *lists, const struct job *job, struct err *err)
{
    enum result result = RESULT_OK;

    if (!g->is_grown) {
        return RESULT_OK;
    }
    result = run_values_keep(dir, job, err);
    if (result == RESULT_OK) {
        result = run_lists_keep(lists, dir, err);
    }
    return result == RESULT_OK ? stored_job_write(dir, job, err) : result;
}

enum result run_growth_tell(const struct run_growth *g, const struct run_dir *dir,
                            const struct job *job, struct err *err)
{
    return err && strcmp(err->code, "E-JOB1") == 0 ? run_check_refuse(dir, &g->stored, job, err)
                                                   : RESULT_INVALID;
}

void run_growth_release(struct run_growth *g)
{
    for (size_t i = 0; i < g->fd_count; i++) {
        close(g->fds[i]);
    }
    free(g->fds);
    if (g->has_stored) {
        job_release(&g->stored);
    }
    *g = (struct run_growth){ .is_grown = false };
}
