#include "changes/retire.h"

#include "base/timestamp.h"
#include "changes/change_lines.h"
#include "changes/journal_file.h"
#include "store/archive_retire.h"
#include "store/dropped.h"
#include "store/ledger_retire.h"

#include <unistd.h>

#define IDS 1024 /* handed over at once */

struct retiring {
    const struct retire_options *options;
    const struct retire_endpoint *endpoint; /* that is looked at */
    struct retire_report *report;
    struct archive own;    /* at rest */
    struct ledger *ledger; /* that is read */
    int raw_fd;
    struct segment_reader segments;
    struct archive_rewrite rewrite;
    struct ledger_journal journal;
    struct journal_writer writer;
    struct buf line, lines;
    uint32_t rounds;   /* the first so many are old enough */
    uint64_t ids[IDS]; /* that are needed, and not handed over yet */
    size_t id_count;
};

static bool is_stopped(const struct retiring *r)
{
    return r->options->tender && atomic_load(tender_stopping(r->options->tender));
}

/* What changes the archive. */
static enum result change(struct retiring *r, archive_use_fn *use, struct err *err)
{
    return r->options->tender ? tender_borrow(r->options->tender, use, r, err)
                              : use(r, &r->own, err);
}

/* --- which rounds are old ----------------------------------------------------------------------------------- */

static enum result look_at_time(void *context, const struct ledger_answer *answer, struct err *err)
{
    struct retiring *r = context;
    struct line_view view;
    enum result result;
    int64_t us;

    if (answer->round >= r->rounds || is_stopped(r)) {
        return RESULT_CANCELLED;
    }
    if (answer->kind != LEDGER_ANSWER_NEW) {
        return RESULT_OK;
    }
    result = segment_read_time(&r->segments, &answer->record, &r->line, &view, err);
    if (result == RESULT_OK && timestamp_parse(view.fetched_at, &us) &&
        us >= r->options->before_us) {
        r->rounds = answer->round;
        return RESULT_CANCELLED;
    }
    return result;
}

/* The last round stays in any case: it may be under way. */
static enum result find_rounds(struct retiring *r, struct err *err)
{
    struct rounds_kept kept;
    enum result result = ledger_read_rounds(r->ledger, &kept, err);

    r->rounds = result == RESULT_OK && kept.begun ? (uint32_t)(kept.begun - 1) : 0;
    for (size_t i = 0; result == RESULT_OK && i < r->options->count && r->rounds; i++) {
        struct ledger_answers_query query = r->options->endpoints[i].query;

        query.visit = look_at_time;
        query.context = r;
        result = ledger_each_answer(r->ledger, &query, err);
        result = result == RESULT_CANCELLED && !is_stopped(r) ? RESULT_OK : result;
    }
    return result;
}

/* --- what they changed ------------------------------------------------------------------------------------- */

static enum result flush(struct retiring *r, struct err *err)
{
    const struct record_rows_spec *rows = &r->endpoint->rows;
    enum result result = r->lines.len ? journal_put(&r->writer, r->endpoint->name, rows->unique,
                                                    rows->unique_count, buf_view(&r->lines), err)
                                      : RESULT_OK;

    buf_reset(&r->lines);
    return result;
}

static enum result take_change(void *context, const struct change *change, struct err *err)
{
    struct retiring *r = context;

    if (change_line_append(&r->lines, r->endpoint->name, change) != RESULT_OK) {
        return err_nomem(err, "writing the journal of changes");
    }
    r->report->changes++;
    return r->lines.len >= JOURNAL_BLOCK_BYTES ? flush(r, err) : RESULT_OK;
}

static enum result begin_needs(void *context, struct archive *archive, struct err *err)
{
    struct retiring *r = context;
    enum result result = ledger_begin_needs(archive->ledger, err);

    return result == RESULT_OK && r->options->tender ? ledger_watch_needs(archive->ledger, err)
                                                     : result;
}

static enum result end_needs(void *context, struct archive *archive, struct err *err)
{
    (void)context;
    return ledger_end_needs(archive->ledger, err);
}

static enum result put_needs(void *context, struct archive *archive, struct err *err)
{
    struct retiring *r = context;
    enum result result = RESULT_OK;

    for (size_t i = 0; result == RESULT_OK && i < r->id_count; i++) {
        result = ledger_need(archive->ledger, r->ids[i], err);
    }
    r->id_count = 0;
    return result;
}

static enum result need(void *context, uint64_t id, struct err *err)
{
    struct retiring *r = context;

    r->ids[r->id_count++] = id;
    return r->id_count == IDS ? change(r, put_needs, err) : RESULT_OK;
}

/* The first round with a damaged answer, whoever's it is, bounds all. */
static void note_damage(struct retiring *r, const struct changes_report *report)
{
    if (report->damaged &&
        (!r->report->damaged_in || report->damaged_round < r->report->damaged_round)) {
        r->report->damaged_in = r->endpoint->name;
        r->report->damaged_round = report->damaged_round;
    }
}

static enum result compare(struct retiring *r, const struct retire_endpoint *endpoint,
                           struct err *err)
{
    const struct differ_options differ = { .ledger = r->ledger,
                                           .segments = &r->segments,
                                           .query = endpoint->query,
                                           .rows = endpoint->rows,
                                           .memory_bytes = r->options->memory_bytes,
                                           .from_round = r->journal.rounds,
                                           .until_round = r->rounds,
                                           .stop = r->options->tender
                                                       ? tender_stopping(r->options->tender)
                                                       : NULL,
                                           .needs = need,
                                           .take = take_change,
                                           .context = r };
    struct changes_report report;
    enum result result;

    r->endpoint = endpoint;
    result = differ_run(&differ, &report, err);
    result = result == RESULT_OK ? flush(r, err) : result;
    r->report->too_long += report.too_long;
    note_damage(r, &report);
    return result;
}

static enum result write_changes(struct retiring *r, struct err *err)
{
    enum result result = change(r, begin_needs, err);

    r->id_count = 0;
    r->report->changes = r->report->too_long = 0;
    for (size_t i = 0; result == RESULT_OK && i < r->options->count; i++) {
        result = compare(r, &r->options->endpoints[i], err);
    }
    buf_reset(&r->lines);
    result = result == RESULT_OK ? change(r, put_needs, err) : result;
    return result == RESULT_OK ? journal_sync(&r->writer, r->options->dir, err) : result;
}

/* The journal counts, and the lines are nobody's any more. */
static enum result commit(void *context, struct archive *archive, struct err *err)
{
    struct retiring *r = context;
    const struct ledger_journal journal = { r->writer.bytes, r->rounds };
    struct ledger *ledger = archive->ledger;
    enum result result = ledger_begin(ledger, err);

    result = result == RESULT_OK ? ledger_put_journal(ledger, &journal, err) : result;
    for (size_t i = 0; result == RESULT_OK && i < r->options->count; i++) {
        uint64_t count;

        result =
            ledger_retire(ledger, r->options->endpoints[i].query.endpoint, r->rounds, &count, err);
        r->report->answers += count;
    }
    result = result == RESULT_OK ? ledger_forget_retired(ledger, err) : result;
    result = result == RESULT_OK ? ledger_commit(ledger, err) : result;
    r->journal = result == RESULT_OK ? journal : r->journal;
    return result;
}

/* Rounds with a damaged answer, and those after it, stay: what is before is tried once more. */
static enum result retire_old(struct retiring *r, struct err *err)
{
    enum result result = RESULT_OK;

    while (result == RESULT_OK && r->rounds > r->journal.rounds) {
        result = journal_open(&r->writer, r->options->dir, r->journal.bytes, err);
        if (result == RESULT_OK) {
            uint32_t limit = r->rounds;

            result = write_changes(r, err);
            if (r->report->damaged_in && r->report->damaged_round <= limit) {
                limit = r->report->damaged_round - 1;
            }
            if (result == RESULT_OK && limit == r->rounds) {
                result = change(r, commit, err);
            } else {
                r->report->changes = 0;
            }
            r->rounds = limit;
            journal_close(&r->writer);
        }
    }
    return result;
}

/* --- the bodies -------------------------------------------------------------------------------------------- */

static enum result begin_rewrite(void *context, struct archive *archive, struct err *err)
{
    struct retiring *r = context;

    return archive_rewrite_begin(&r->rewrite, archive, r->options->tender != NULL,
                                 &r->options->copied, err);
}

static enum result step(void *context, struct archive *archive, struct err *err)
{
    struct retiring *r = context;

    return archive_rewrite_step(&r->rewrite, archive, err);
}

static enum result remove_dropped(void *context, struct archive *archive, struct err *err)
{
    struct retiring *r = context;

    return r->options->tender ? dropped_remove_live(archive->ledger, archive->raw_fd, err)
                              : dropped_remove(archive->ledger, archive->raw_fd, err);
}

static enum result rewrite(struct retiring *r, struct err *err)
{
    enum result result = change(r, begin_rewrite, err);

    while (result == RESULT_OK && !is_stopped(r)) {
        result = archive_rewrite_next(&r->rewrite, r->ledger, err);
        if (result != RESULT_OK || !r->rewrite.number) {
            break;
        }
        while (result == RESULT_OK && r->rewrite.number) {
            result = change(r, step, err);
        }
    }
    archive_rewrite_end(&r->rewrite);
    r->report->segments = r->rewrite.segments;
    r->report->bytes = r->rewrite.bytes;
    r->report->left = r->rewrite.left;
    r->report->first_left = r->rewrite.first_left;
    return result;
}

static enum result retire(struct retiring *r, struct err *err)
{
    enum result result = ledger_read_journal(r->ledger, &r->journal, err);

    segment_reader_init(&r->segments, r->raw_fd);
    result = result == RESULT_OK ? find_rounds(r, err) : result;
    result = result == RESULT_OK ? retire_old(r, err) : result;
    segment_reader_release(&r->segments);
    r->report->rounds = r->journal.rounds;
    r->report->journal = r->journal.bytes;
    return result == RESULT_OK && r->journal.rounds ? rewrite(r, err) : result;
}

/* --- the run ----------------------------------------------------------------------------------------------- */

static enum result retire_live(struct retiring *r, struct err *err)
{
    enum result result = change(r, remove_dropped, err);
    struct err other;

    if (result == RESULT_OK) {
        result = ledger_open_readonly(&r->ledger, r->options->dir, err);
    }
    if (result == RESULT_OK) {
        result = segment_dir_open(r->options->dir, false, &r->raw_fd, err);
    }
    if (result == RESULT_OK) {
        result = retire(r, err);
        (void)!change(r, end_needs, &other); /* else the next time does */
    }
    ledger_close(r->ledger);
    if (r->raw_fd >= 0) {
        close(r->raw_fd);
    }
    return result;
}

static enum result retire_at_rest(struct retiring *r, struct err *err)
{
    const struct archive_options archive = { .clock = { .wall_us = r->options->wall_us },
                                             .sends_again = r->options->sends_again };
    struct recovery recovery;
    enum result result = archive_open(&r->own, r->options->dir, &archive, &recovery, err);

    if (result != RESULT_OK) {
        return result;
    }
    r->ledger = r->own.ledger;
    r->raw_fd = r->own.raw_fd;
    result = retire(r, err);
    result = result == RESULT_OK ? change(r, remove_dropped, err) : result;
    if (result == RESULT_OK) {
        result = ledger_session_end(r->ledger, r->options->wall_us, true, err);
    }
    if (result == RESULT_OK) {
        result = ledger_checkpoint(r->ledger, true, err);
    }
    archive_close(&r->own);
    return result;
}

enum result retire_rounds(const struct retire_options *options, struct retire_report *report,
                          struct err *err)
{
    struct retiring r = { .options = options, .report = report, .writer.fd = -1, .raw_fd = -1 };
    enum result result;

    *report = (struct retire_report){ 0 };
    result = options->tender ? retire_live(&r, err) : retire_at_rest(&r, err);
    buf_release(&r.line);
    buf_release(&r.lines);
    return result;
}
