#include "cmd/changes_table.h"

#include "base/exit_code.h"
#include "base/message.h"
#include "base/parents.h"
#include "base/say.h"
#include "base/units.h"
#include "changes/change_lines.h"
#include "changes/journal_file.h"
#include "cmd/changes_spec.h"
#include "normalise/lines_source.h"
#include "store/ledger_retire.h"
#include "table/table_report.h"
#include "table/table_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const columns[] = { CHANGE_COLUMNS };
#define COLUMN_COUNT (sizeof columns / sizeof columns[0])
#define COLUMNS_BEFORE 3 /* of ours, before those of the key */

enum result changes_table_check(const struct read_options *options, struct err *err)
{
    const struct {
        bool is_given;
        const char *name;
    } others[] = {
        { options->operand_count > 1, "several runs" },
        { options->outcomes.path != NULL, "--outcomes" },
        { options->ddl != NULL, "--ddl" },
        { options->spec.keep != ROW_KEEP_FIRST, "--keep" },
        { options->spec.key_count > 0, "--key" },
        { options->spec.meta, "--meta" },
        { options->spec.where_present.data != NULL, "--where-present" },
        { table_expect_any(&options->spec.expect), "--expect" },
        { options->spec.coerce, "--types" },
    };

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (others[i].is_given) {
            return err_set(err, RESULT_INVALID, "E-ARG1", "--changes does not go with %s",
                           others[i].name);
        }
    }
    return RESULT_OK;
}

/* A key by which records are followed, with names that are not ours. */
static enum result check_key(const struct table_spec *spec, struct err *err)
{
    if (!spec->unique_count) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "--changes wants --unique: which columns tell one record from others?");
    }
    for (size_t i = 0; i < spec->unique_count; i++) {
        for (size_t c = 0; c < COLUMN_COUNT; c++) {
            if (str_equal(spec->unique[i], str_view(columns[c]))) {
                return err_set(err, RESULT_INVALID, "E-ARG1",
                               "--unique %s: the table of changes has a column of its own that is "
                               "called so",
                               columns[c]);
            }
        }
    }
    return RESULT_OK;
}

/* --- what is said ---------------------------------------------------------------------------------------------- */

static void tell_count(uint64_t count, const char *one, const char *several, const char *rest)
{
    if (count) {
        say(stderr, "scrapetop: %llu %s %s", (unsigned long long)count, count == 1 ? one : several,
            rest);
    }
}

static void tell_oddity(const struct change_oddity *oddity, const char *one, const char *several,
                        const char *rest)
{
    struct buf text = { .max = 1024 };

    if (!oddity->count) {
        return;
    }
    for (unsigned i = 0; i < oddity->named; i++) {
        (void)!buf_printf(&text, "%s%s", i ? "; " : "", oddity->first[i]);
    }
    say(stderr, "scrapetop: %llu %s %s: %.*s%s", (unsigned long long)oddity->count,
        oddity->count == 1 ? one : several, rest, STR_ARG(buf_view(&text)),
        oddity->count > oddity->named ? "; ..." : "");
    buf_release(&text);
}

static void tell(const struct changes_report *r, const struct change_lines *lines)
{
    say(stderr,
        "scrapetop: %llu round%s: %llu record%s added, %llu changed (%llu value%s), %llu gone",
        (unsigned long long)r->rounds, units_plural(r->rounds), (unsigned long long)r->added,
        units_plural(r->added), (unsigned long long)r->changed, (unsigned long long)r->values,
        units_plural(r->values), (unsigned long long)r->gone);
    tell_count(lines->later, "change", "changes", "left out: seen after --as-of");
    tell_count(r->partial, "listing was", "listings were",
               "not whole in a round: nothing counts as gone by that");
    tell_count(r->thinned, "round of details is", "rounds of details are",
               "kept without what had not changed: what went since is gone by the newest");
    tell_count(r->no_key, "record has", "records have",
               "no value in a column of the key, so that they cannot be followed");
    tell_oddity(&r->doubled, "time several records", "times several records",
                "of a round had one key; the last in order counts");
    tell_oddity(&r->retyped, "value changed", "values changed",
                "between number, text and JSON, and is the same text");
    tell_count(r->clock_back, "round came", "rounds came",
               "before the one before it, by the clock; changes are in the order of rounds");
    tell_count(r->unmatched, "answer has", "answers have",
               "nothing where the records should be, and counts as not given");
    tell_count(r->damaged, "answer is", "answers are",
               "not stored as it was written, and counts as not given (see scrapetop verify)");
    tell_count(r->too_long, "value is", "values are", "too long for the table, and left out");
}

/* --- the table --------------------------------------------------------------------------------------------- */

/* Those of rounds that are not kept any more, and then those of the others. */
static enum result find_all(struct opened_run *run, const struct changes_spec *spec,
                            const struct changes_wish *wish, struct segment_reader *segments,
                            struct change_lines *lines, struct changes_report *report,
                            struct err *err)
{
    struct differ_options differ = { .ledger = run->ledger,
                                     .segments = segments,
                                     .query = spec->query,
                                     .rows = spec->rows,
                                     .memory_bytes = table_memory(wish->spec) / 2,
                                     .take = change_lines_take,
                                     .context = lines };
    struct ledger_journal journal;
    enum result result = ledger_read_journal(run->ledger, &journal, err);

    if (result == RESULT_OK && journal.rounds) {
        result = journal_read(&run->dir, journal.bytes, lines->endpoint, spec->rows.unique,
                              spec->rows.unique_count, change_lines_take_lines, lines, err);
    }
    differ.from_round = journal.rounds;
    return result == RESULT_OK ? differ_run(&differ, report, err) : result;
}

static enum result find_changes(const struct read_options *options, struct opened_run *run,
                                const struct changes_wish *wish, const struct changes_spec *spec,
                                struct change_lines *lines, struct changes_report *report,
                                struct err *err)
{
    struct segment_reader segments;
    int raw_fd = -1;
    enum result result = segment_dir_open(&run->dir, false, &raw_fd, err);

    if (result != RESULT_OK) {
        return result;
    }
    segment_reader_init(&segments, raw_fd);
    result = change_lines_begin(lines, run->job.endpoints[wish->endpoint].name,
                                options->spec.as_of_us, err);
    result = result == RESULT_OK ? ledger_hold(run->ledger, err) : result;
    if (result == RESULT_OK) {
        result = find_all(run, spec, wish, &segments, lines, report, err);
        ledger_let_go(run->ledger);
    }
    segment_reader_release(&segments);
    close(raw_fd);
    return result;
}

static enum result write_lines(const struct read_options *options, struct opened_run *run,
                               const struct changes_wish *wish, struct change_lines *lines,
                               struct changes_report *report, struct err *err)
{
    struct changes_spec spec;
    enum result result =
        changes_spec_init(&spec, &run->job, wish->endpoint, wish->records, wish->spec, err);

    if (result == RESULT_OK) {
        result = find_changes(options, run, wish, &spec, lines, report, err);
        changes_spec_release(&spec);
    }
    return result;
}

/* Ours, with the key's between. */
static void name_columns(const struct table_spec *spec, struct table_pick *picks)
{
    size_t count = 0;

    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        for (size_t k = 0; i == COLUMNS_BEFORE && k < spec->unique_count; k++) {
            picks[count++] = (struct table_pick){ .name = spec->unique[k], .pointer = STR_NONE };
        }
        picks[count++] = (struct table_pick){ .name = str_view(columns[i]), .pointer = STR_NONE };
        if (i > COLUMNS_BEFORE) {
            picks[count - 1].wish = (struct column_wish){ .type = COLUMN_TEXT };
        }
    }
}

static int make_table(const struct changes_wish *wish, int fd, bool any)
{
    const struct table_spec *spec = wish->spec;
    struct table_pick *picks = calloc(COLUMN_COUNT + spec->unique_count, sizeof *picks);
    struct table_run_options table = {
        .table = { .outputs = wish->outputs,
                   .output_count = wish->output_count,
                   .spec = { .csv = spec->csv,
                             .memory_bytes = spec->memory_bytes,
                             .table = spec->table,
                             .picks = picks,
                             .pick_count = any ? COLUMN_COUNT + spec->unique_count : 0 } },
        .progress = isatty(STDERR_FILENO),
    };
    struct table_report report;
    struct err err;

    if (!picks || lines_source_new(&table.source, fd, "changes", &err) != RESULT_OK) {
        free(picks);
        return message_fail(picks ? &err : (err_nomem(&err, "telling changes"), &err));
    }
    name_columns(spec, picks);
    for (size_t i = 0; i < wish->output_count; i++) {
        parents_make(wish->outputs[i].path, 0777);
    }
    (void)!table_run(&table, &report);
    free(picks);
    if (report.result != RESULT_OK && table_reader_is_gone(&report.err)) {
        table_schema_free(report.schema);
        return EXIT_WELL;
    }
    table_report_print(&report, stderr);
    table_schema_free(report.schema);
    if (report.result != RESULT_OK) {
        message_error(&report.err);
        return table_exit_code(report.result, report.err.code);
    }
    return EXIT_WELL;
}

int changes_table_make(const struct read_options *options, struct opened_run *run,
                       const struct changes_wish *wish)
{
    struct change_lines lines = { .fd = -1 };
    struct changes_report report = { 0 };
    struct err err;
    int fd;

    if (check_key(wish->spec, &err) != RESULT_OK ||
        write_lines(options, run, wish, &lines, &report, &err) != RESULT_OK ||
        change_lines_end(&lines, &fd, &err) != RESULT_OK) {
        change_lines_drop(&lines);
        return message_fail(&err);
    }
    tell(&report, &lines);
    return make_table(wish, fd, lseek(fd, 0, SEEK_END) > 0);
}
