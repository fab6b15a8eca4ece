/* `verify`: every stored body against the ledger; exit code 8 when something is damaged. With --fleet: and whether what
 * its job has as done is in these runs. */
#include "changes/journal_file.h"
#include "cmd/cmd.h"
#include "cmd/live_options.h"
#include "cmd/read_options.h"
#include "history/verify_print.h"
#include "session/fleet_verify.h"
#include "store/ledger_retire.h"

/* What changed in rounds that are not kept any more. */
static enum result check_journal(struct run_reader *reader, bool *is_damaged, struct err *err)
{
    struct ledger_journal journal;
    enum result result = ledger_read_journal(reader->ledger, &journal, err);

    if (result == RESULT_OK && journal_check(&reader->dir, journal.bytes, err) != RESULT_OK) {
        message_error(err);
        *is_damaged = true;
    }
    return result;
}

static int verify_one(const struct read_options *options, const char *run,
                      struct fleet_verify *fleet)
{
    struct err err = { .result = RESULT_OK };
    struct run_reader reader;
    bool is_damaged = false;
    enum result result = run_reader_open(&reader, run, &err);

    if (result == RESULT_OK) {
        result = verify_print(&reader, options->json, &is_damaged, &err);
        result = result == RESULT_OK ? check_journal(&reader, &is_damaged, &err) : result;
        if (result == RESULT_OK && fleet) {
            result = fleet_verify_add(fleet, &reader, &err);
        }
        run_reader_close(&reader);
    }
    if (result != RESULT_OK) {
        return message_fail(&err);
    }
    return is_damaged ? EXIT_STORAGE : EXIT_WELL;
}

static int verify(const struct read_options *options, struct fleet_verify *fleet)
{
    int code = EXIT_WELL;

    for (size_t i = 0; i < options->operand_count; i++) {
        int its;

        read_options_print_run(options, i);
        its = verify_one(options, options->operands[i], fleet);
        code = its > code ? its : code; /* the worst */
    }
    return code;
}

/* What is done is asked before the runs are read: these only ever have more. */
static int verify_fleet(const struct read_options *options)
{
    struct err err = { .result = RESULT_OK };
    struct fleet_verify fleet;
    bool is_missing = false;
    int code;

    if (fleet_verify_open(&fleet, options->fleet, &err) != RESULT_OK) {
        return live_options_fail(&err);
    }
    code = verify(options, &fleet);
    if (!options->json) {
        printf("\n");
    }
    if (fleet_verify_print(&fleet, options->json, &is_missing, &err) != RESULT_OK) {
        code = message_fail(&err);
    }
    fleet_verify_release(&fleet);
    return is_missing && code < EXIT_STORAGE ? EXIT_STORAGE : code;
}

int cmd_verify(int argc, char **argv)
{
    struct read_options options;
    struct err err = { .result = RESULT_OK };
    int code = EXIT_WELL;

    if (read_options_parse(&options, &verify_table, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&verify_table, stdout);
    } else {
        code = options.fleet ? verify_fleet(&options) : verify(&options, NULL);
    }
    read_options_release(&options);
    return code;
}
