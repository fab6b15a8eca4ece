#include "base/parents.h"
#include "cmd/cmd.h"
#include "cmd/sweep_tell.h"

#include <errno.h>
#include <stdio.h>
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
    .summary = "Try a ladder of caps on the real job, keep what it fetches, say which is best",
    .details =
        "CAPS are numbers that rise, as in 5,10,20,40. Each is measured until its rate is known "
        "to 5 % or for a minute; the ladder ends when more than 1 % are refused (429), when p95 is "
        "over twice the lowest, or when a step gives under 5 % more. OPTIONS are those of run; "
        "--json prints what was found as JSON, --svg FILE draws it. The run goes on later "
        "with scrapetop run -o DIR.",
    .examples = examples,
    .like = &run_table,
};

static int write_svg(const struct run_options *options, struct buf *text)
{
    FILE *file;
    struct err err;
    int code = EXIT_WELL;

    buf_reset(text);
    if (sweep_svg(&options->sweep, text) != RESULT_OK) {
        err_nomem(&err, "drawing the sweep");
        return message_fail(&err);
    }
    parents_make(options->svg, 0777);
    file = fopen(options->svg, "we");
    if (!file || fwrite(text->data, 1, text->len, file) != text->len) {
        err_set_write(&err, errno, "E-OUT1", "cannot write %s", options->svg);
        code = message_fail(&err);
    }
    if (file && fclose(file) != 0 && code == EXIT_WELL) {
        err_set_write(&err, errno, "E-OUT1", "cannot write %s", options->svg);
        code = message_fail(&err);
    }
    return code;
}

int sweep_tell(const struct run_options *options, int code)
{
    const struct sweep *sweep = &options->sweep;
    struct buf text = { 0 };
    enum result result = options->json ? sweep_json(sweep, &text) : sweep_text(sweep, &text);

    if (code == EXIT_DRAINED && sweep->recommended) {
        code = EXIT_WELL; /* stopped because it had found out: what is left was not the point */
    }
    if (result == RESULT_OK) {
        fwrite(text.data, 1, text.len, stdout);
        fflush(stdout);
    }
    if (options->svg) {
        int drawn = write_svg(options, &text);

        code = code == EXIT_WELL ? drawn : code;
    }
    buf_release(&text);
    return code;
}

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
