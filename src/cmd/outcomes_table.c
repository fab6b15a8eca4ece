#include "cmd/outcomes_table.h"

#include "base/exit_code.h"
#include "base/message.h"
#include "history/outcomes.h"
#include "normalise/lines_source.h"
#include "session/run_lists.h"
#include "session/run_values.h"
#include "table/output_file.h"
#include "table/table_report.h"
#include "table/table_run.h"

#include <string.h>
#include <unistd.h>

/* The endpoint that was asked for: its index + 1, 0 for all. */
static enum result find_endpoint(const struct read_options *options, const struct job *job,
                                 uint32_t *endpoint, struct err *err)
{
    *endpoint = 0;
    for (uint32_t i = 0; options->endpoint && i < job->endpoint_count; i++) {
        if (strcmp(job->endpoints[i].name, options->endpoint) == 0) {
            *endpoint = i + 1;
        }
    }
    return !options->endpoint || *endpoint
               ? RESULT_OK
               : err_set(err, RESULT_INVALID, "E-ARG1", "--endpoint: the run has no \"%.64s\"",
                         options->endpoint);
}

static enum result write_lines(const struct read_options *options, struct opened_run *run, int *fd,
                               struct err *err)
{
    struct run_lists lists = { 0 };
    uint32_t endpoint;
    bool all;
    enum result result = find_endpoint(options, &run->job, &endpoint, err);

    result = result == RESULT_OK ? run_values_take_back(&run->dir, &run->job, &all, err) : result;
    result = result == RESULT_OK ? run_lists_open(&lists, &run->dir, &run->job, err) : result;
    result = result == RESULT_OK
                 ? outcomes_write(run->ledger, &run->job, lists.fds, endpoint, fd, err)
                 : result;
    run_lists_close(&lists);
    return result;
}

int outcomes_table_make(const struct read_options *options, struct opened_run *run)
{
    struct table_run_options table = {
        .table = { .outputs = &options->outcomes,
                   .output_count = 1,
                   .spec = { .csv = options->spec.csv,
                             .memory_bytes = options->spec.memory_bytes,
                             .coerce = options->spec.coerce } },
        .progress = isatty(STDERR_FILENO),
    };
    struct table_report report;
    struct err err;
    int fd;

    if (write_lines(options, run, &fd, &err) != RESULT_OK ||
        lines_source_new(&table.source, fd, "outcomes", &err) != RESULT_OK) {
        return message_fail(&err);
    }
    output_make_parents(options->outcomes.path);
    (void)!table_run(&table, &report);
    table_schema_free(report.schema);
    if (report.result != RESULT_OK && table_reader_is_gone(&report.err)) {
        return EXIT_WELL;
    }
    table_report_print(&report, stderr);
    if (report.result != RESULT_OK) {
        message_error(&report.err);
        return table_exit_code(report.result, report.err.code);
    }
    return EXIT_WELL;
}
