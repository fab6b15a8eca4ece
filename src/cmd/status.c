/* `status`: what a run holds so far, live or at rest. */
#include "cmd/cmd.h"
#include "cmd/read_options.h"
#include "history/failed.h"
#include "history/old_ledger.h"
#include "history/status.h"

static enum result print(const struct read_options *options, int *code, struct err *err)
{
    struct run_reader reader;
    enum result result = run_reader_open(&reader, options->operands[0], err);

    if (result != RESULT_OK) {
        return result;
    }
    if (options->check) {
        *code = status_check(&reader);
        run_reader_close(&reader);
        return RESULT_OK;
    }
    old_ledger_warn(&reader.dir, reader.ledger);
    result = options->failed ? failed_list(&reader, options->json, err)
                             : status_print(&reader, options->json, err);
    run_reader_close(&reader);
    return result;
}

int cmd_status(int argc, char **argv)
{
    struct read_options options;
    struct err err = { .result = RESULT_OK };
    int code = EXIT_WELL;

    if (read_options_parse(&options, &status_table, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&status_table, stdout);
    } else {
        if (print(&options, &code, &err) != RESULT_OK) {
            code = message_fail(&err);
        }
    }
    read_options_release(&options);
    return code;
}
