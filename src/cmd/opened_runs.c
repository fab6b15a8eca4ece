#include "cmd/opened_runs.h"

#include "base/message.h"
#include "history/old_ledger.h"
#include "history/stored_job.h"
#include "store/ledger_union.h"
#include "table/merged_source.h"
#include "table/run_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Takes out what another shard has at a lesser place. */
static enum result keep_first(const struct opened_run *run, struct placed_record *records,
                              size_t *count, struct err *err)
{
    const struct opened_runs *runs = run->among;
    enum result result = RESULT_OK;
    size_t kept = 0;

    for (size_t i = 0; i < *count; i++) {
        bool before = false;

        if (result == RESULT_OK) {
            result = ledger_is_found_before(run->ledger, &records[i], runs->ledgers, runs->count,
                                            &before, err);
        }
        if (before) {
            free(records[i].vars);
        } else {
            records[kept++] = records[i];
        }
    }
    *count = kept;
    return result;
}

/* Fewer than `max` are the end: of shards, what was taken out is made up for. */
enum result opened_run_read_index(void *context, uint32_t endpoint,
                                  struct record_position *position, struct placed_record *records,
                                  size_t max, size_t *count, struct err *err)
{
    const struct opened_run *run = context;
    enum result result = RESULT_OK;
    bool more = true;

    for (*count = 0; more && *count < max && result == RESULT_OK;) {
        size_t wanted = max - *count, got = 0;

        result = ledger_read_endpoint(run->ledger, endpoint, position, &records[*count], wanted,
                                      &got, err);
        more = got == wanted;
        if (result == RESULT_OK && run->among->are_shards) {
            result = keep_first(run, &records[*count], &got, err);
        }
        *count += got;
    }
    return result;
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

/* Some cut of a plan, not two of them, nor a part and the whole; or workers of a fleet. */
static bool are_of_one_cut(const struct opened_runs *runs)
{
    const struct job *first = &runs->list[0].job;
    bool are = runs->same_requests && (first->shard.count || first->worker);

    for (size_t i = 1; i < runs->count; i++) {
        const struct job *job = &runs->list[i].job;

        are &= job->shard.count == first->shard.count && !job->worker == !first->worker;
    }
    return are;
}

static bool is_there(const struct opened_runs *runs, unsigned number)
{
    for (size_t i = 0; i < runs->count; i++) {
        if (runs->list[i].job.shard.number == number) {
            return true;
        }
    }
    return false;
}

/* Of a table that is to be the whole. */
static void warn_of_missing(const struct opened_runs *runs)
{
    unsigned count = runs->list[0].job.shard.count; /* of workers it is 0 */
    unsigned missing = 0, first = 0;
    char text[160], more[32] = "";

    for (unsigned i = count; i > 0; i--) {
        if (!is_there(runs, i)) {
            missing++;
            first = i;
        }
    }
    if (missing > 1) {
        snprintf(more, sizeof more, " and %u more", missing - 1);
    }
    if (missing) {
        snprintf(text, sizeof text, "shard %u/%u%s %s not among these runs: the table is not whole",
                 first, count, more, missing > 1 ? "are" : "is");
        message_warning("W-SHARD1", text);
    }
}

static enum result look_for_shards(struct opened_runs *runs, struct err *err)
{
    runs->are_shards = are_of_one_cut(runs) && runs->count > 1;
    if (!runs->are_shards) {
        return RESULT_OK;
    }
    warn_of_missing(runs);
    runs->ledgers = calloc(runs->count, sizeof(struct ledger *));
    for (size_t i = 0; runs->ledgers && i < runs->count; i++) {
        runs->ledgers[i] = runs->list[i].ledger;
    }
    return runs->ledgers ? RESULT_OK : err_nomem(err, "opening runs");
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
            runs->list[runs->count].among = runs;
            runs->count++;
            result = check_other(runs, err);
            runs->same_requests &=
                job_same_requests(&runs->list[0].job, &runs->list[runs->count - 1].job) &&
                same_values(&runs->list[0].job, &runs->list[runs->count - 1].job);
        }
    }
    if (result == RESULT_OK) {
        result = look_for_shards(runs, err);
    }
    if (result != RESULT_OK) {
        opened_runs_close(runs);
    }
    return result;
}

/* What one worker found another has asked. */
static enum result unite(struct opened_runs *runs, struct err *err)
{
    const struct job *job = &runs->list[0].job;

    if (!runs->are_shards || !ledger_union_is_for(runs->ledgers, runs->count)) {
        return RESULT_OK;
    }
    if (!runs->parents) {
        runs->parents = calloc(job->endpoint_count, sizeof *runs->parents);
    }
    if (!runs->parents) {
        return err_nomem(err, "opening runs");
    }
    for (uint32_t i = 0; i < job->endpoint_count; i++) {
        runs->parents[i] = job->endpoints[i].has_parent ? job->endpoints[i].parent : i;
    }
    runs->plan =
        (struct ledger_plan){ .parents = runs->parents, .endpoint_count = job->endpoint_count };
    return ledger_union_make(&runs->united, runs->ledgers, runs->count, &runs->plan, err);
}

static enum result source_of(struct opened_run *run, const char *name,
                             struct record_source **source, struct err *err)
{
    for (uint32_t i = 0; i < run->job.endpoint_count; i++) {
        if (strcmp(run->job.endpoints[i].name, name) == 0) {
            return run_source_new(source, &run->dir, i, opened_run_read_index, run, err);
        }
    }
    return err_set(err, RESULT_INVALID, "E-ARG1", "%s has no endpoint \"%s\", as the first run has",
                   run->dir.path, name);
}

enum result opened_runs_hold(struct opened_runs *runs, struct err *err)
{
    enum result result = RESULT_OK;

    opened_runs_let_go(runs);
    for (size_t i = 0; i < runs->count && result == RESULT_OK; i++) {
        result = ledger_hold(runs->list[i].ledger, err);
    }
    return result == RESULT_OK ? unite(runs, err) : result;
}

enum result opened_runs_source(struct opened_runs *runs, uint32_t endpoint,
                               struct record_source **source, struct err *err)
{
    const char *name = runs->list[0].job.endpoints[endpoint].name;
    struct record_source **inner = calloc(runs->count, sizeof(struct record_source *));
    enum result result = inner ? RESULT_OK : err_nomem(err, "opening runs");
    size_t made = 0;

    runs->doubled = 0;
    result = result == RESULT_OK ? opened_runs_hold(runs, err) : result;
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

void opened_runs_let_go(struct opened_runs *runs)
{
    ledger_union_free(runs->united);
    runs->united = NULL;
    for (size_t i = 0; i < runs->count; i++) {
        ledger_let_go(runs->list[i].ledger);
    }
}

void opened_runs_close(struct opened_runs *runs)
{
    ledger_union_free(runs->united);
    free(runs->parents);
    for (size_t i = 0; i < runs->count; i++) {
        ledger_close(runs->list[i].ledger);
        job_release(&runs->list[i].job);
        run_dir_close(&runs->list[i].dir);
    }
    free(runs->list);
    free(runs->ledgers);
    *runs = (struct opened_runs){ 0 };
}
