#include "history/outcomes.h"

#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/temporary_file.h"
#include "base/write_all.h"
#include "plan/seeds.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define HELD_BYTES ((size_t)256 << 10)

struct writer {
    const struct job *job;
    struct seeds *seeds;
    uint32_t endpoint; /* + 1; 0: all */
    uint64_t next;     /* the input that comes next */
    int fd;
    struct buf held;
};

static enum result flush(struct writer *w, struct err *err)
{
    int error = write_all(w->fd, buf_view(&w->held));

    buf_reset(&w->held);
    return error ? err_set_errno(err, error, "E-IN2", "cannot write a temporary file (TMPDIR)")
                 : RESULT_OK;
}

static const char *word_of(const struct ledger_end *end)
{
    return !end                              ? "not asked"
           : end->state == LEDGER_END_DONE   ? "done"
           : end->state == LEDGER_END_FAILED ? "failed"
                                             : "waiting";
}

/* "id" of "row.id", where the rows of one file are all that there is. */
static struct str short_name(const struct job *job, struct str name)
{
    struct str head = job->var_count == 1 ? str_view(job->vars[0].name) : STR_NONE;

    return head.data && name.len > head.len + 1 && memcmp(name.data, head.data, head.len) == 0 &&
                   name.data[head.len] == '.'
               ? (struct str){ name.data + head.len + 1, name.len - head.len - 1 }
               : name;
}

/* Names and values as they stand in JSON, a comma after each. */
static enum result put_vars(const struct job *job, struct buf *out, struct str vars)
{
    enum result result = RESULT_OK;
    struct json_walk walk;
    struct str name, value;

    if (!vars.data) {
        return RESULT_OK;
    }
    json_walk_begin(&walk, vars);
    while (result == RESULT_OK && json_walk_next(&walk, &name, &value)) {
        result = buf_printf(out, "\"%.*s\":", STR_ARG(short_name(job, name)));
        result = result == RESULT_OK ? buf_append_str(out, value) : result;
        result = result == RESULT_OK ? buf_append_char(out, ',') : result;
    }
    return result;
}

static enum result put_text(struct buf *out, const char *name, struct str text)
{
    enum result result = buf_printf(out, "\"%s\":", name);

    if (result != RESULT_OK) {
        return result;
    }
    return text.data ? json_text_append(out, text) : buf_append_str(out, STR("null"));
}

/* `end` is NULL when it was not asked. */
static enum result put_line(struct writer *w, const struct seed *seed, const struct ledger_end *end)
{
    struct buf *out = &w->held;
    bool is_done = end && end->state == LEDGER_END_DONE;
    enum result result = buf_append_char(out, '{');

    result = result == RESULT_OK ? put_text(out, "_key", seed->key) : result;
    result = result == RESULT_OK ? buf_append_char(out, ',') : result;
    if (result == RESULT_OK && w->job->endpoint_count > 1 && !w->endpoint) {
        result = put_text(out, "_endpoint", str_view(w->job->endpoints[seed->endpoint].name));
        result = result == RESULT_OK ? buf_append_char(out, ',') : result;
    }
    result = result == RESULT_OK ? put_vars(w->job, out, seed->vars) : result;
    result = result == RESULT_OK ? put_text(out, "_outcome", str_view(word_of(end))) : result;
    if (result == RESULT_OK) {
        result = end && end->status ? buf_printf(out, ",\"_status\":%d", end->status)
                                    : buf_append_str(out, STR(",\"_status\":null"));
    }
    result = result == RESULT_OK ? buf_printf(out, ",\"_attempts\":%u,", end ? end->attempts : 0)
                                 : result;
    result = result == RESULT_OK ? put_text(out, "_error", end && !is_done ? end->reason : STR_NONE)
                                 : result;
    return result == RESULT_OK ? buf_append_str(out, STR("}\n")) : result;
}

/* The input of that number; it is passed over when it is another endpoint's or shard's. */
static enum result put_input(struct writer *w, uint64_t id, const struct ledger_end *end,
                             struct err *err)
{
    struct seed seed;
    enum result result;

    if (!job_shard_has(&w->job->shard, id)) {
        return RESULT_OK;
    }
    result = seeds_read(w->seeds, SEEDS_PLAN, id, &seed, err);
    if (result != RESULT_OK || (w->endpoint && seed.endpoint != w->endpoint - 1)) {
        return result;
    }
    if (put_line(w, &seed, end) != RESULT_OK) {
        return err_nomem(err, "telling what became of the inputs");
    }
    return w->held.len >= HELD_BYTES ? flush(w, err) : RESULT_OK;
}

/* What has not been asked comes before it. */
static enum result on_end(void *context, const struct ledger_end *end, struct err *err)
{
    struct writer *w = context;
    enum result result = RESULT_OK;

    while (w->next < end->id && result == RESULT_OK) {
        result = put_input(w, w->next++, NULL, err);
    }
    w->next = end->id + 1;
    return result == RESULT_OK ? put_input(w, end->id, end, err) : result;
}

static enum result write_inputs(struct writer *w, struct ledger *ledger, struct err *err)
{
    uint64_t total = seeds_total(w->seeds);
    enum result result = ledger_each_end(ledger, total, on_end, w, err);

    while (result == RESULT_OK && w->next <= total) {
        result = put_input(w, w->next++, NULL, err);
    }
    return result == RESULT_OK ? flush(w, err) : result;
}

enum result outcomes_write(struct ledger *ledger, const struct job *job, const int *list_fds,
                           uint32_t endpoint, int *fd, struct err *err)
{
    struct writer w = { .job = job, .endpoint = endpoint, .next = 1, .fd = temporary_file() };
    enum result result =
        w.fd >= 0 ? RESULT_OK
                  : err_set_errno(err, errno, "E-IN2", "cannot make a temporary file (TMPDIR)");

    if (result == RESULT_OK && job->poll.every_us) {
        result = err_set(err, RESULT_INVALID, "E-OUTC1",
                         "a run that polls asks each input in every round: there is no one outcome "
                         "of it");
    }
    result = result == RESULT_OK ? seeds_new(&w.seeds, job, list_fds, err) : result;
    if (result == RESULT_OK) {
        result = write_inputs(&w, ledger, err);
        seeds_free(w.seeds);
    }
    buf_release(&w.held);
    if (result != RESULT_OK && w.fd >= 0) {
        close(w.fd);
    }
    *fd = result == RESULT_OK ? w.fd : -1;
    return result;
}
