/* `status`: what a run holds so far, live or at rest. */
#include "cmd/cmd.h"
#include "cmd/live_options.h"
#include "cmd/read_options.h"
#include "fleet/place.h"
#include "history/failed.h"
#include "history/old_ledger.h"
#include "history/status.h"
#include "session/fleet_told.h"

static enum result print_fleet(const struct read_options *options, const char *url, int *code,
                               struct err *err)
{
    if (options->failed) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "--failed is for run directories: name those of the workers");
    }
    return options->check ? fleet_told_check(url, code, err)
                          : fleet_told_status(url, options->json, err);
}

static enum result print(const struct read_options *options, const char *run, int *code,
                         struct err *err)
{
    struct run_reader reader;
    enum result result;

    if (fleet_place_is_meant(str_view(run))) {
        return print_fleet(options, run, code, err);
    }
    result = run_reader_open(&reader, run, err);
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

static int status(const struct read_options *options)
{
    int code = EXIT_WELL;

    for (size_t i = 0; i < options->operand_count; i++) {
        bool is_fleet = fleet_place_is_meant(str_view(options->operands[i]));
        struct err err;
        int its = EXIT_WELL;

        read_options_print_run(options, i);
        if (print(options, options->operands[i], &its, &err) != RESULT_OK) {
            its = is_fleet ? live_options_fail(&err) : message_fail(&err);
        }
        code = its > code ? its : code; /* the worst */
    }
    return code;
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
        code = status(&options);
    }
    read_options_release(&options);
    return code;
}
