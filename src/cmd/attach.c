/* `attach`: the dashboard of a live run, from another terminal. */
#include "cmd/cmd.h"
#include "cmd/live_options.h"
#include "session/attach.h"

int cmd_attach(int argc, char **argv)
{
    struct live_options options;
    struct err err = { .result = RESULT_OK };
    int code = EXIT_WELL;

    if (live_options_parse(&options, &attach_table, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&attach_table, stdout);
    } else {
        struct attach_options attach = { .run = options.operand_count ? options.operands[0] : NULL,
                                         .read_only = options.read_only,
                                         .plain = options.plain };

        if (attach_run(&attach, &code, &err) != RESULT_OK) {
            code = live_options_fail(&err);
        }
    }
    live_options_release(&options);
    return code;
}
