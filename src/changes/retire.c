#include "changes/retire.h"

#include "base/timestamp.h"
#include "changes/change_lines.h"
#include "changes/journal_file.h"
#include "store/archive_retire.h"
#include "store/ledger_retire.h"

struct retiring {
    const struct retire_options *options;
    const struct retire_endpoint *endpoint; /* that is looked at */
    struct retire_report *report;
    struct archive archive;
    struct segment_reader segments;
    struct ledger_journal journal;
    struct journal_writer writer;
    struct buf line, lines;
    uint32_t rounds; /* the first so many are old enough */
};

/* --- which rounds are old ----------------------------------------------------------------------------------- */

static enum result look_at_time(void *context, const struct ledger_answer *answer, struct err *err)
{
    struct retiring *r = context;
    struct line_view view;
    enum result result;
    int64_t us;

    if (answer->round >= r->rounds) {
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
    enum result result = ledger_read_rounds(r->archive.ledger, &kept, err);

    r->rounds = result == RESULT_OK && kept.begun ? (uint32_t)(kept.begun - 1) : 0;
    for (size_t i = 0; result == RESULT_OK && i < r->options->count && r->rounds; i++) {
        struct ledger_answers_query query = r->options->endpoints[i].query;

        query.visit = look_at_time;
        query.context = r;
        result = ledger_each_answer(r->archive.ledger, &query, err);
        result = result == RESULT_CANCELLED ? RESULT_OK : result;
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

static enum result need(void *context, uint64_t id, struct err *err)
{
    struct retiring *r = context;

    return ledger_need(r->archive.ledger, id, err);
}

static enum result write_changes(struct retiring *r, struct err *err)
{
    enum result result = ledger_begin_needs(r->archive.ledger, err);

    for (size_t i = 0; result == RESULT_OK && i < r->options->count; i++) {
        const struct retire_endpoint *endpoint = r->endpoint = &r->options->endpoints[i];
        const struct differ_options differ = { .ledger = r->archive.ledger,
                                               .segments = &r->segments,
                                               .query = endpoint->query,
                                               .rows = endpoint->rows,
                                               .memory_bytes = r->options->memory_bytes,
                                               .from_round = r->journal.rounds,
                                               .until_round = r->rounds,
                                               .needs = need,
                                               .take = take_change,
                                               .context = r };
        struct changes_report report;

        result = differ_run(&differ, &report, err);
        result = result == RESULT_OK ? flush(r, err) : result;
        r->report->too_long += report.too_long;
        if (result == RESULT_OK && report.damaged) {
            result = err_set(err, RESULT_CORRUPT, "E-SEG2",
                             "an answer of \"%s\" is damaged, so that no journal can be written of "
                             "it; 'scrapetop verify' lists the damage",
                             endpoint->name);
        }
    }
    return result == RESULT_OK ? journal_sync(&r->writer, r->options->dir, err) : result;
}

/* The journal counts, and the lines are nobody's any more. */
static enum result commit(struct retiring *r, struct err *err)
{
    const struct ledger_journal journal = { r->writer.bytes, r->rounds };
    struct ledger *ledger = r->archive.ledger;
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

static enum result retire(struct retiring *r, struct err *err)
{
    enum result result = ledger_read_journal(r->archive.ledger, &r->journal, err);

    segment_reader_init(&r->segments, r->archive.raw_fd);
    result = result == RESULT_OK ? find_rounds(r, err) : result;
    if (result == RESULT_OK && r->rounds > r->journal.rounds) {
        result = journal_open(&r->writer, r->options->dir, r->journal.bytes, err);
        if (result == RESULT_OK) {
            result = write_changes(r, err);
            result = result == RESULT_OK ? commit(r, err) : result;
            journal_close(&r->writer);
        }
    }
    segment_reader_release(&r->segments);
    r->report->rounds = r->journal.rounds;
    r->report->journal = r->journal.bytes;
    return result == RESULT_OK && r->journal.rounds
               ? archive_rewrite(&r->archive, &r->report->segments, &r->report->bytes, err)
               : result;
}

enum result retire_rounds(const struct retire_options *options, struct retire_report *report,
                          struct err *err)
{
    struct retiring r = { .options = options, .report = report, .writer.fd = -1 };
    const struct archive_options archive = { .clock = { .wall_us = options->wall_us },
                                             .sends_again = options->sends_again };
    struct recovery recovery;
    enum result result = archive_open(&r.archive, options->dir, &archive, &recovery, err);

    *report = (struct retire_report){ 0 };
    if (result != RESULT_OK) {
        return result;
    }
    result = retire(&r, err);
    if (result == RESULT_OK) {
        result = ledger_session_end(r.archive.ledger, options->wall_us, true, err);
    }
    if (result == RESULT_OK) {
        result = ledger_checkpoint(r.archive.ledger, true, err);
    }
    archive_close(&r.archive);
    buf_release(&r.line);
    buf_release(&r.lines);
    return result;
}
