/* `report`: a run as one HTML page, to be handed on. */
#include "base/exit_code.h"
#include "cmd/cmd.h"
#include "cmd/report_options.h"
#include "history/old_ledger.h"
#include "history/page_report.h"
#include "table/output_file.h"

static enum result write_page(const char *path, struct str page, struct err *err)
{
    struct output_file *file;
    enum result result = output_open(&file, path, err);

    if (result != RESULT_OK) {
        return result;
    }
    result = output_write(file, page.data, page.len, err);
    if (result != RESULT_OK) {
        output_abandon(file);
        return result;
    }
    return output_commit(file, err);
}

static enum result make(const struct report_options *options, struct err *err)
{
    struct run_reader reader;
    struct buf page = { 0 };
    enum result result = run_reader_open(&reader, options->run, err);

    if (result != RESULT_OK) {
        return result;
    }
    old_ledger_warn(&reader.dir, reader.ledger);
    result = page_report_write(&reader, &page, err);
    run_reader_close(&reader);
    if (result == RESULT_OK) {
        result = write_page(options->output ? options->output : "-", buf_view(&page), err);
    }
    buf_release(&page);
    return result;
}

int cmd_report(int argc, char **argv)
{
    struct report_options options;
    struct err err = { .result = RESULT_OK };

    if (report_options_parse(&options, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&report_table, stdout);
        return EXIT_WELL;
    }
    return make(&options, &err) == RESULT_OK ? EXIT_WELL : message_fail(&err);
}
