#include "history/stored_job.h"

#include "base/message.h"
#include "store/ledger.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define JOB_FILE LEDGER_KEPT_JOB

typedef enum result read_fn(struct job *job, struct str text, const char *where, struct err *err);

/* The copy in the ledger; false when there is none. */
static bool read_kept(const struct run_dir *dir, struct buf *kept)
{
    struct ledger *ledger;
    bool found;

    if (dir->fresh || ledger_open_readonly(&ledger, dir, NULL) != RESULT_OK) {
        return false;
    }
    found = ledger_read_kept(ledger, LEDGER_KEPT_JOB, kept, NULL) == RESULT_OK && kept->len;
    ledger_close(ledger);
    return found;
}

/* What a full disk or a lost page leaves of a text: its head, and perhaps zeros. An edit by hand does not look
 * like that. */
static bool is_cut_of(struct str text, struct str whole)
{
    while (text.len && text.data[text.len - 1] == '\0') {
        text.len--;
    }
    return text.len < whole.len && str_starts(whole, text);
}

/* The job of the ledger takes the place of a file that was lost or cut; of who runs the run, on the disk, too. */
static enum result restore(read_fn *read, const struct run_dir *dir, struct job *job,
                           const char *where, struct str kept, struct err *err)
{
    char text[ERR_TEXT_MAX];
    bool is_ours = dir->lock_fd >= 0;
    enum result result = is_ours ? run_dir_replace(dir, JOB_FILE, kept, err) : RESULT_OK;

    if (result != RESULT_OK) {
        return result;
    }
    snprintf(text, sizeof text, "%.200s was cut or lost; the job is the ledger's copy%s", where,
             is_ours ? ", which is put in its place" : "");
    message_warning("W-JOB1", text);
    return read(job, kept, where, err);
}

static void add_hint(const struct run_dir *dir, bool has_copy, struct err *err)
{
    size_t used = err ? strlen(err->text) : 0;

    if (err && strncmp(err->code, "E-SEC", 5) == 0) {
        return; /* nothing is wrong with the file: a variable is not set, or a header's file is gone */
    }
    if (err && has_copy) {
        snprintf(err->text + used, sizeof err->text - used,
                 "; the ledger has the job as it was: to go on with that, remove this file");
    } else if (err && !dir->fresh) {
        snprintf(err->text + used, sizeof err->text - used,
                 "; put it back from a copy (the bodies are whole without it: scrapetop normalise "
                 "%s/raw/*.jsonl)",
                 dir->path);
    }
}

static enum result read_by(read_fn *read, const struct run_dir *dir, struct job *job,
                           struct err *err)
{
    char where[4096];
    struct buf text = { 0 }, kept = { 0 };
    enum result result = run_dir_read(dir, JOB_FILE, JOB_TEXT_MAX, &text, err);
    bool is_there = result == RESULT_OK;

    snprintf(where, sizeof where, "%s/" JOB_FILE, dir->path);
    job_init(job);
    if (is_there) {
        result = read(job, buf_view(&text), where, err);
    }
    if (result == RESULT_INVALID || result == RESULT_NOT_FOUND) {
        bool has_copy = read_kept(dir, &kept);

        if (has_copy && is_cut_of(buf_view(&text), buf_view(&kept))) {
            job_release(job);
            job_init(job);
            result = restore(read, dir, job, where, buf_view(&kept), err);
        } else {
            add_hint(dir, has_copy, err);
        }
    }
    if (result != RESULT_OK) {
        job_release(job);
    }
    buf_release(&text);
    buf_release(&kept);
    return result;
}

enum result stored_job_read(const struct run_dir *dir, struct job *job, struct err *err)
{
    return read_by(job_read, dir, job, err);
}

enum result stored_job_read_without_secrets(const struct run_dir *dir, struct job *job,
                                            struct err *err)
{
    return read_by(job_read_without_secrets, dir, job, err);
}

enum result stored_job_write(const struct run_dir *dir, const struct job *job, struct err *err)
{
    struct buf text = { 0 };
    enum result result = job_write(job, &text, err);

    if (result == RESULT_OK) {
        result = run_dir_replace(dir, JOB_FILE, buf_view(&text), err);
    }
    buf_release(&text);
    return result;
}

bool stored_job_read_to_keep(const struct run_dir *dir, const struct job *job, struct buf *text)
{
    return run_dir_read(dir, JOB_FILE, JOB_TEXT_MAX, text, NULL) == RESULT_OK &&
           !secrets_are_in(&job->secrets, buf_view(text));
}

static bool has(const char *path, const char *name)
{
    char where[4096];

    return snprintf(where, sizeof where, "%s/%s", path, name) < (int)sizeof where &&
           access(where, F_OK) == 0;
}

bool stored_job_is_in(const char *path)
{
    return has(path, JOB_FILE) || has(path, RUN_DIR_LEDGER);
}
