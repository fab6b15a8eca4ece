/* `raw`: stored bodies, printed as they came, or one file each. */
#include "cmd/cmd.h"
#include "cmd/read_options.h"
#include "history/failed.h"
#include "history/old_ledger.h"
#include "store/extract.h"

#include <stdio.h>

static void on_damaged(void *context, const struct err *err)
{
    bool *damaged = context;

    *damaged = true;
    message_error(err);
}

static int print_bodies(const struct read_options *options)
{
    struct err err = { .result = RESULT_OK };
    struct run_reader reader;
    bool damaged = false;
    uint64_t count;
    enum result result;
    struct extract_options extract = {
        .keys = options->operands + 1,
        .key_count = options->operand_count - 1,
        .dir = options->dir,
        .to = stdout,
        .damaged = on_damaged,
        .context = &damaged,
    };

    if (run_reader_open(&reader, options->operands[0], &err) != RESULT_OK) {
        return message_fail(&err);
    }
    old_ledger_warn(&reader.dir, reader.ledger);
    result = extract_bodies(&reader, &extract, &count, &err);
    run_reader_close(&reader);
    if (result == RESULT_CANCELLED) {
        return EXIT_WELL; /* `| head` has had enough */
    }
    if (result == RESULT_NOT_FOUND) {
        message_error(&err);
        return damaged ? EXIT_STORAGE : EXIT_INCOMPLETE;
    }
    if (result != RESULT_OK) {
        return message_fail(&err);
    }
    return damaged ? EXIT_STORAGE : EXIT_WELL;
}

static int print_failed(const struct read_options *options)
{
    struct failed_said said = { .keys = options->operands + 1,
                                .key_count = options->operand_count - 1,
                                .json = options->json };
    struct err err = { .result = RESULT_OK };
    struct run_reader reader;
    enum result result;

    if (run_reader_open(&reader, options->operands[0], &err) != RESULT_OK) {
        return message_fail(&err);
    }
    result = failed_print_said(&reader, &said, &err);
    run_reader_close(&reader);
    if (result == RESULT_NOT_FOUND) {
        message_error(&err);
        return EXIT_INCOMPLETE;
    }
    return result == RESULT_OK ? EXIT_WELL : message_fail(&err);
}

int cmd_raw(int argc, char **argv)
{
    struct read_options options;
    struct err err = { .result = RESULT_OK };
    int code;

    if (read_options_parse(&options, &raw_table, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&raw_table, stdout);
        code = EXIT_WELL;
    } else {
        code = options.failed ? print_failed(&options) : print_bodies(&options);
    }
    read_options_release(&options);
    return code;
}
