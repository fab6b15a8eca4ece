#include "cmd/opened_runs.h"

#include "history/old_ledger.h"
#include "history/stored_job.h"
#include "table/merged_source.h"
#include "table/run_source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static enum result read_index(void *ledger, uint32_t endpoint, struct record_position *position,
                              struct placed_record *records, size_t max, size_t *count,
                              struct err *err)
{
    return ledger_read_endpoint(ledger, endpoint, position, records, max, count, err);
}

static enum result open_one(struct opened_run *run, const char *path, struct err *err)
{
    enum result result = run_dir_open_readonly(&run->dir, path, err);

    if (result != RESULT_OK) {
        return result;
    }
    result = stored_job_read_without_secrets(&run->dir, &run->job, err);
    if (result == RESULT_OK) {
        result = ledger_open_readonly(&run->ledger, &run->dir, err);
        if (result == RESULT_OK) {
            old_ledger_warn(&run->dir, run->ledger);
            return RESULT_OK;
        }
        job_release(&run->job);
    }
    run_dir_close(&run->dir);
    return result;
}

/* A directory that is named twice would have all its rows doubled. */
static enum result check_other(const struct opened_runs *runs, struct err *err)
{
    const struct opened_run *last = &runs->list[runs->count - 1];
    struct stat its, other;

    for (size_t i = 0; i + 1 < runs->count; i++) {
        if (fstat(last->dir.fd, &its) == 0 && fstat(runs->list[i].dir.fd, &other) == 0 &&
            its.st_dev == other.st_dev && its.st_ino == other.st_ino) {
            return err_set(err, RESULT_INVALID, "E-ARG1", "%s is named twice", last->dir.path);
        }
    }
    return RESULT_OK;
}

/* Day words that count from another day, and a file that has changed, make other requests of the same job. */
static bool same_values(const struct job *a, const struct job *b)
{
    for (size_t i = 0; i < a->var_count; i++) {
        const struct job_var *one = &a->vars[i], *other = &b->vars[i];

        if (!one->today != !other->today || (one->today && strcmp(one->today, other->today) != 0) ||
            one->has_crc32c != other->has_crc32c || one->crc32c != other->crc32c) {
            return false;
        }
    }
    return true;
}

enum result opened_runs_open(struct opened_runs *runs, const char *const *paths, size_t count,
                             struct err *err)
{
    enum result result = RESULT_OK;

    *runs = (struct opened_runs){ .same_requests = true };
    if (count > OPENED_RUNS_MAX) {
        return err_set(err, RESULT_LIMIT, "E-ARG1", "%zu runs at once; %d are the most", count,
                       OPENED_RUNS_MAX);
    }
    runs->list = calloc(count, sizeof *runs->list);
    if (!runs->list) {
        return err_nomem(err, "opening runs");
    }
    while (runs->count < count && result == RESULT_OK) {
        result = open_one(&runs->list[runs->count], paths[runs->count], err);
        if (result == RESULT_OK) {
            runs->count++;
            result = check_other(runs, err);
            runs->same_requests &=
                job_same_requests(&runs->list[0].job, &runs->list[runs->count - 1].job) &&
                same_values(&runs->list[0].job, &runs->list[runs->count - 1].job);
        }
    }
    if (result != RESULT_OK) {
        opened_runs_close(runs);
    }
    return result;
}

static enum result source_of(struct opened_run *run, const char *name,
                             struct record_source **source, struct err *err)
{
    for (uint32_t i = 0; i < run->job.endpoint_count; i++) {
        if (strcmp(run->job.endpoints[i].name, name) == 0) {
            return run_source_new(source, &run->dir, i, read_index, run->ledger, err);
        }
    }
    return err_set(err, RESULT_INVALID, "E-ARG1", "%s has no endpoint \"%s\", as the first run has",
                   run->dir.path, name);
}

enum result opened_runs_source(struct opened_runs *runs, uint32_t endpoint,
                               struct record_source **source, struct err *err)
{
    const char *name = runs->list[0].job.endpoints[endpoint].name;
    struct record_source **inner = calloc(runs->count, sizeof(struct record_source *));
    enum result result = inner ? RESULT_OK : err_nomem(err, "opening runs");
    size_t made = 0;

    runs->doubled = 0;
    while (made < runs->count && result == RESULT_OK) {
        result = source_of(&runs->list[made], name, &inner[made], err);
        made += result == RESULT_OK;
    }
    if (result != RESULT_OK) {
        while (made) {
            made--;
            inner[made]->close(inner[made]);
        }
    } else if (runs->count == 1) {
        *source = inner[0];
    } else {
        result =
            merged_source_new(source, inner, runs->count, runs->same_requests, &runs->doubled, err);
    }
    free(inner);
    return result;
}

void opened_runs_close(struct opened_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++) {
        ledger_close(runs->list[i].ledger);
        job_release(&runs->list[i].job);
        run_dir_close(&runs->list[i].dir);
    }
    free(runs->list);
    *runs = (struct opened_runs){ 0 };
}
