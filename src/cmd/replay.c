/* `replay`: a past run in the dashboard, faster than it was. */
#include "cmd/cmd.h"
#include "cmd/read_options.h"
#include "history/player.h"

int cmd_replay(int argc, char **argv)
{
    struct read_options options;
    struct err err = { .result = RESULT_OK };
    int code = EXIT_WELL;

    if (read_options_parse(&options, &replay_table, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&replay_table, stdout);
    } else {
        if (player_run(options.operands[0], options.speed, &err) != RESULT_OK) {
            code = message_fail(&err);
        }
    }
    read_options_release(&options);
    return code;
}
