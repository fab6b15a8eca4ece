/* `normalise`: a table from a run's stored bodies or from files; never the network. */
#include "cmd/cmd.h"
#include "cmd/read_options.h"
#include "cmd/stored_job.h"
#include "engine/run_source.h"
#include "engine/run_tables.h"
#include "engine/table_report.h"
#include "engine/table_run.h"
#include "normalise/file_source.h"
#include "store/ledger.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A run that is opened for its table. */
struct opened_run {
    struct run_dir dir;
    struct job job;
    struct ledger *ledger;
};

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum result read_index(void *ledger, uint64_t after_id, struct record *records, size_t max,
                              size_t *count, struct err *err)
{
    return ledger_read_index(ledger, LEDGER_JSON, after_id, records, max, count, err);
}

static enum result open_run(struct opened_run *run, const char *path, struct err *err)
{
    enum result result = run_dir_open_readonly(&run->dir, path, err);

    if (result != RESULT_OK) {
        return result;
    }
    result = stored_job_read(&run->dir, &run->job, err);
    if (result == RESULT_OK) {
        result = ledger_open_readonly(&run->ledger, &run->dir, err);
        if (result == RESULT_OK) {
            return RESULT_OK;
        }
        job_release(&run->job);
    }
    run_dir_close(&run->dir);
    return result;
}

static void close_run(struct opened_run *run)
{
    ledger_close(run->ledger);
    job_release(&run->job);
    run_dir_close(&run->dir);
}

static int exit_code_of(const struct read_options *options, const struct table_report *report)
{
    if (report->result == RESULT_CANCELLED) {
        return EXIT_INTERRUPTED;
    }
    /* A pointer or an input at fault is the user's; what could not be written is storage. */
    if (report->result != RESULT_OK && strncmp(report->err.code, "E-OUT", 5) == 0) {
        return EXIT_STORAGE;
    }
    if (report->result == RESULT_NOT_FOUND) {
        return EXIT_INCOMPLETE;
    }
    if (report->result != RESULT_OK) {
        return cmd_exit_code(report->result);
    }
    return options->strict && table_report_skipped(report) ? EXIT_SKIPPED : EXIT_WELL;
}

static void print_report(const struct read_options *options, const struct table_report *report)
{
    struct buf json = { 0 };

    table_report_print(report, stderr);
    if (options->json && table_report_json(report, &json) == RESULT_OK) {
        printf("%.*s\n", STR_ARG(buf_view(&json)));
    }
    buf_release(&json);
}

/* Where the table comes from and goes to. */
struct task {
    struct record_source *source; /* taken */
    const char *records, *output;
    const struct run_dir *dir; /* of a run; NULL: files */
};

/* A table whose drift cannot be kept is a table still. */
static void keep_schema(const struct task *task, const struct table_report *report)
{
    struct err err;

    if (task->dir && report->result == RESULT_OK && report->schema &&
        run_tables_write(task->dir, task->output, report->schema, &err) != RESULT_OK) {
        cmd_print_warning(err.code, err.text);
    }
}

static int make_table(const struct read_options *options, const struct task *task)
{
    struct table_schema *before = task->dir ? run_tables_read(task->dir, task->output) : NULL;
    struct table_run_options run = {
        .table = { .records = task->records,
                   .output = task->output,
                   .before = before,
                   .spec = options->spec },
        .source = task->source,
        .progress = isatty(STDERR_FILENO),
    };
    struct table_report report;

    run.table.spec.types |= task->dir != NULL;
    if (table_run(&run, &report) != RESULT_OK) {
        cmd_print_error(&report.err);
    }
    keep_schema(task, &report);
    print_report(options, &report);
    table_schema_free(report.schema);
    table_schema_free(before);
    return exit_code_of(options, &report);
}

static int normalise_run(const struct read_options *options)
{
    struct opened_run run;
    struct task task = { 0 };
    struct err err;
    char output[4096];
    int code;

    if (open_run(&run, options->operands[0], &err) != RESULT_OK) {
        return cmd_fail(&err);
    }
    if (run_source_new(&task.source, &run.dir, read_index, run.ledger, &err) == RESULT_OK) {
        snprintf(output, sizeof output, "%s/%s.csv", run.dir.path, run.job.name);
        task.dir = &run.dir;
        task.records = options->records ? options->records : run.job.endpoints[0].records;
        task.output = options->output ? options->output : output;
        code = make_table(options, &task);
    } else {
        code = cmd_fail(&err);
    }
    close_run(&run);
    return code;
}

static enum result check_files(const struct read_options *options, struct err *err)
{
    for (size_t i = 0; options->operand_count > 1 && i < options->operand_count; i++) {
        if (is_directory(options->operands[i])) {
            return err_set(err, RESULT_INVALID, "E-ARG1",
                           "%s is a directory; a run is normalised alone, without other operands",
                           options->operands[i]);
        }
    }
    return options->json && !options->output
               ? err_set(err, RESULT_INVALID, "E-ARG1",
                         "--json and the table both want stdout; give -o FILE")
               : RESULT_OK;
}

static int normalise_files(const struct read_options *options)
{
    struct task task = { .records = options->records,
                         .output = options->output ? options->output : "-" };
    struct err err;

    if (check_files(options, &err) != RESULT_OK ||
        file_source_open(&task.source, options->operands, options->operand_count, &err) !=
            RESULT_OK) {
        return cmd_fail(&err);
    }
    return make_table(options, &task);
}

int cmd_normalise(int argc, char **argv)
{
    struct read_options options;
    struct err err;
    int code;

    if (read_options_parse(&options, &normalise_table, argc, argv, &err) != RESULT_OK) {
        return cmd_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&normalise_table, stdout);
        code = EXIT_WELL;
    } else if (options.operand_count == 1 && is_directory(options.operands[0])) {
        code = normalise_run(&options);
    } else {
        code = normalise_files(&options);
    }
    read_options_release(&options);
    return code;
}
