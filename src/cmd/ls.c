/* `ls`: this user's live runs; without one, the latest at rest here. */
#include "base/say.h"
#include "cmd/cmd.h"
#include "cmd/live_options.h"
#include "control/live_runs.h"
#include "history/resting_runs.h"

#include <stdio.h>

static void list_resting(void)
{
    fflush(stderr);
    if (resting_runs_print()) {
        say(stderr, "scrapetop: these are the latest in this directory; status RUN tells more");
    }
}

static int list(bool json)
{
    struct live_runs found;
    struct err err;

    if (live_runs_find(&found, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (!found.count) {
        say(stderr, "scrapetop: no run of this user is live");
        if (!json) { /* who reads that counts the live ones */
            list_resting();
        }
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
