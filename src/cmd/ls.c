/* `ls`: this user's live runs. */
#include "base/say.h"
#include "cmd/cmd.h"
#include "cmd/live_options.h"
#include "control/live_runs.h"

static int list(bool json)
{
    struct live_runs found;
    struct err err;

    if (live_runs_find(&found, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (!found.count) {
        say(stderr,
            "scrapetop: no run of this user is live; scrapetop status RUN tells of one at rest");
    }
    live_runs_print(&found, json);
    live_runs_release(&found);
    return EXIT_WELL;
}

int cmd_ls(int argc, char **argv)
{
    struct live_options options;
    struct err err = { .result = RESULT_OK };
    int code = EXIT_WELL;

    if (live_options_parse(&options, &ls_table, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&ls_table, stdout);
    } else {
        code = list(options.json);
    }
    live_options_release(&options);
    return code;
}
