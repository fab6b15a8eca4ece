#include "cmd/cmd.h"
#include "cmd/run_options.h"

#include <stdlib.h>
#include <string.h>

static const char *const examples[] = {
    "scrapetop sweep 5,10,20,40 'https://api.example.org/items/[1-50000]'",
    "scrapetop sweep 1,4,16 --svg caps.svg -o items.run -i urls.txt",
    NULL,
};

const struct option_table sweep_table = {
    .command = "sweep",
    .synopsis = "CAPS [OPTIONS] URL... | -i FILE | -o DIR",
    .summary = "Try several caps on the real job, keep what it fetches, say which is best",
    .details =
        "CAPS are numbers that rise, as in 5,10,20,40. Each is measured until its rate is known "
        "to 5 % or for a minute; the ladder ends when more than 1 % are refused (429), when p95 is "
        "over twice the lowest, or when a step gives under 5 % more. OPTIONS are those of run; "
        "--json prints what was found as JSON, --svg FILE draws it. The run goes on later "
        "with scrapetop run -o DIR.",
    .examples = examples,
    .like = &run_table,
};

int cmd_sweep(int argc, char **argv)
{
    char **words;
    struct err err;
    int code;

    if (argc < 2 || argv[1][0] < '0' || argv[1][0] > '9') {
        if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
            options_print_help(&sweep_table, stdout);
            return EXIT_WELL;
        }
        err_set(&err, RESULT_INVALID, "E-ARG1", "want the caps first, as in sweep 5,10,20,40 URL");
        return message_fail(&err);
    }
    words = calloc((size_t)argc + 2, sizeof *words);
    if (!words) {
        err_nomem(&err, "starting");
        return message_fail(&err);
    }
    words[0] = argv[0];
    words[1] = (char[]){ "--sweep" };
    for (int i = 1; i < argc; i++) {
        words[i + 1] = argv[i];
    }
    code = cmd_run(argc + 1, words);
    free(words);
    return code;
}
