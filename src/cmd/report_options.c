#include "cmd/report_options.h"

static enum result set_run(void *target, const char *text, struct err *err)
{
    struct report_options *options = target;

    if (options->run) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "scrapetop report takes one run; \"%.64s\" is one too many", text);
    }
    options->run = text;
    return RESULT_OK;
}

static const struct option_row report_rows[] = {
    {
        .letter = 'o',
        .name = "output",
        .value = "FILE",
        .help = "Where the page goes; without it, or with -, to stdout",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct report_options, output),
    },
};

static const struct option_group report_groups[] = {
    { "Options", report_rows, sizeof report_rows / sizeof report_rows[0], 0 },
};

static const char *const report_examples[] = {
    "scrapetop report api.example.org.run -o report.html",
    NULL,
};

const struct option_table report_table = {
    .command = "report",
    .synopsis = "[OPTIONS] RUN",
    .summary = "Make one HTML page of a run, live or at rest, to hand on",
    .details =
        "What was asked, how it ended, how fast it was and what was done to it, what failed and "
        "which pages came, tables and their columns, and how polite it was. The page needs no "
        "other file and no network, and holds no secret. It prints to two pages or so.",
    .groups = report_groups,
    .group_count = 1,
    .examples = report_examples,
    .operand = set_run,
};

enum result report_options_parse(struct report_options *options, int argc, char **argv,
                                 struct err *err)
{
    enum result result;

    *options = (struct report_options){ .output = NULL };
    result = options_parse(&report_table, argc, argv, options, &options->given, err);
    if (result == RESULT_OK && !options->given.help && !options->run) {
        result = err_set(err, RESULT_INVALID, "E-ARG1", "want scrapetop report %s",
                         report_table.synopsis);
    }
    return result;
}
