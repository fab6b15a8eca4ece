/* `rules`: what rules for answers would have met among those that a run has stored. */
#include "cmd/cmd.h"
#include "cmd/read_options.h"
#include "history/rules.h"
#include "session/run_job.h"

static enum result try_on_run(const struct read_options *options, struct job *given,
                              bool *is_damaged, struct err *err)
{
    const struct rules_question question = { .job = given,
                                             .answers = options->answers,
                                             .answer_count = options->answer_count,
                                             .json = options->json };
    struct run_reader reader;
    enum result result = run_reader_open(&reader, options->operands[0], err);

    if (result == RESULT_OK) {
        result = rules_print(&reader, &question, is_damaged, err);
        run_reader_close(&reader);
    }
    return result;
}

static int try_rules(const struct read_options *options)
{
    bool has_file = options->operand_count == 2, is_damaged = false;
    struct err err = { .result = RESULT_OK };
    struct job given;
    enum result result = RESULT_OK;

    if (has_file) {
        result = run_job_read_without_secrets(&given, options->operands[1], &err);
        has_file = result == RESULT_OK;
    }
    if (result == RESULT_OK) {
        result = try_on_run(options, has_file ? &given : NULL, &is_damaged, &err);
    }
    if (has_file) {
        job_release(&given);
    }
    if (result != RESULT_OK) {
        return message_fail(&err);
    }
    return is_damaged ? EXIT_STORAGE : EXIT_WELL;
}

int cmd_rules(int argc, char **argv)
{
    struct read_options options;
    struct err err = { .result = RESULT_OK };
    int code = EXIT_WELL;

    if (read_options_parse(&options, &rules_table, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&rules_table, stdout);
    } else {
        code = try_rules(&options);
    }
    read_options_release(&options);
    return code;
}
