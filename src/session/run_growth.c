#include "session/run_growth.h"

#include "base/os.h"
#include "history/stored_job.h"
#include "session/run_checks.h"
#include "session/run_values.h"
#include "store/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define NOTE_FILE "plan" RUN_DIR_NEW
#define NOTE_MAX 65536
#define NAME_SIZE 64

enum result run_growth_compare(struct run_growth *g, const struct run_dir *dir, struct job *given,
                               struct err *err)
{
    enum result result = run_check_same_job(dir, given, &g->stored, &g->is_other, err);

    g->has_stored = result == RESULT_OK;
    g->is_worker = given->worker != NULL;
    return result;
}

/* And nothing else, of which the rest is as it was. */
static bool has_one_list(const struct run_growth *g)
{
    return !g->is_other && g->stored.endpoint_count == 1 &&
           g->stored.endpoints[0].source_count == 1;
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
    g->before = (struct plan_before){
        .job = &g->stored,
        .list_fds = g->fds,
        .same = has_one_list(g) ? run_lists_same(lists) : 0,
    };
    g->is_grown = result == RESULT_OK;
    return result;
}

/* --- the given ones take the places of the others ---------------------------------------------------- */

/* No two notes are the same, so that what lies about of one that came to nothing is not taken for another's. */
static enum result begin_note(struct buf *note)
{
    uint64_t number[2] = { 0 };

    return uv_random(NULL, NULL, number, sizeof number, 0, NULL) == 0
               ? buf_printf(note, "%016llx%016llx", (unsigned long long)number[0],
                            (unsigned long long)number[1])
               : RESULT_IO;
}

static enum result put_job(const struct run_dir *dir, const struct job *job, struct buf *note,
                           struct err *err)
{
    struct buf text = { .max = 0 };
    enum result result = job_write(job, &text, err);

    if (result == RESULT_OK) {
        result = run_dir_replace(dir, LEDGER_KEPT_JOB RUN_DIR_NEW, buf_view(&text), err);
    }
    if (result == RESULT_OK && buf_append_str(note, STR(" " LEDGER_KEPT_JOB)) != RESULT_OK) {
        result = err_nomem(err, "keeping the job");
    }
    buf_release(&text);
    return result;
}

enum result run_growth_put(struct run_growth *g, const struct run_dir *dir,
                           const struct run_lists *lists, const struct job *job, struct err *err)
{
    enum result result;

    if (!g->is_grown) {
        return RESULT_OK;
    }
    if (begin_note(&g->note) != RESULT_OK || run_lists_name_changed(lists, &g->note) != RESULT_OK) {
        return err_nomem(err, "taking in a plan that has changed");
    }
    result = run_values_keep(dir, job, RUN_DIR_NEW, &g->note, err);
    if (result == RESULT_OK) {
        result = put_job(dir, job, &g->note, err);
    }
    if (result == RESULT_OK) {
        g->before.note = buf_view(&g->note);
        result = run_dir_replace(dir, NOTE_FILE, g->before.note, err);
    }
    return result;
}

/* Names that such a note may have: the directory may be anybody's. */
static bool may_be_replaced(struct str name)
{
    return name.len < NAME_SIZE && !memchr(name.data, '/', name.len) &&
           (str_equal(name, STR(LEDGER_KEPT_JOB)) || str_starts(name, STR(RUN_DIR_LIST_PREFIX)) ||
            str_starts(name, STR(RUN_DIR_VALUES_PREFIX)));
}

/* Those that it names; one that is there no more has been moved already. */
static enum result move_all(const struct run_dir *dir, struct str note, struct err *err)
{
    str_cut(&note, ' '); /* its number */
    while (note.len) {
        struct str word = str_cut(&note, ' ');
        char name[NAME_SIZE], new_name[NAME_SIZE + sizeof RUN_DIR_NEW];

        if (!may_be_replaced(word)) {
            continue;
        }
        snprintf(name, sizeof name, "%.*s", STR_ARG(word));
        snprintf(new_name, sizeof new_name, "%s" RUN_DIR_NEW, name);
        if (renameat(dir->fd, new_name, dir->fd, name) != 0 && errno != ENOENT) {
            return err_set_write(err, errno, "E-DIR3", "%s: cannot write %s", dir->path, name);
        }
    }
    return os_fsync(dir->fd) == 0 && unlinkat(dir->fd, NOTE_FILE, 0) == 0
               ? RESULT_OK
               : err_set_write(err, errno, "E-DIR3", "%s: cannot write the plan", dir->path);
}

enum result run_growth_keep(const struct run_growth *g, const struct run_dir *dir, struct err *err)
{
    return g->is_grown ? move_all(dir, g->before.note, err) : RESULT_OK;
}

/* Whether the ledger has the plan that the note is of. */
static bool is_taken_in(const struct run_dir *dir, struct str note)
{
    struct buf kept = { .max = 0 };
    struct ledger *ledger;
    bool is_taken = false;

    if (ledger_open_readonly(&ledger, dir, NULL) == RESULT_OK) {
        is_taken = ledger_read_kept(ledger, LEDGER_KEPT_PLAN, &kept, NULL) == RESULT_OK &&
                   str_equal(buf_view(&kept), note);
        ledger_close(ledger);
    }
    buf_release(&kept);
    return is_taken;
}

enum result run_growth_recover(const struct run_dir *dir, struct err *err)
{
    struct buf note = { .max = 0 };
    enum result result = RESULT_OK;

    if (!dir->fresh && run_dir_read(dir, NOTE_FILE, NOTE_MAX, &note, NULL) == RESULT_OK &&
        is_taken_in(dir, buf_view(&note))) {
        result = move_all(dir, buf_view(&note), err);
    }
    buf_release(&note);
    return result;
}

/* What was put beside the run's files is of no use to anybody. */
static void drop_all(const struct run_dir *dir, struct str note)
{
    (void)unlinkat(dir->fd, NOTE_FILE, 0);
    str_cut(&note, ' '); /* its number */
    while (note.len) {
        struct str word = str_cut(&note, ' ');
        char new_name[NAME_SIZE + sizeof RUN_DIR_NEW];

        if (may_be_replaced(word)) {
            snprintf(new_name, sizeof new_name, "%.*s" RUN_DIR_NEW, STR_ARG(word));
            (void)unlinkat(dir->fd, new_name, 0);
        }
    }
}

enum result run_growth_tell(const struct run_growth *g, const struct run_dir *dir,
                            const struct job *job, struct err *err)
{
    drop_all(dir, g->before.note);
    return err && strcmp(err->code, "E-JOB1") == 0 ? run_check_refuse(dir, &g->stored, job, err)
                                                   : RESULT_INVALID;
}

void run_growth_release(struct run_growth *g)
{
    for (size_t i = 0; i < g->fd_count; i++) {
        close(g->fds[i]);
    }
    free(g->fds);
    buf_release(&g->note);
    if (g->has_stored) {
        job_release(&g->stored);
    }
    *g = (struct run_growth){ .is_grown = false };
}
