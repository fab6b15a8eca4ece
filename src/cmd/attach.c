/* `attach`: the dashboard of a live run, from another terminal. */
#include "cmd/cmd.h"
#include "cmd/live_options.h"
#include "fleet/place.h"
#include "session/attach.h"
#include "session/fleet_attach.h"

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

        bool is_fleet = attach.run && fleet_place_is_meant(str_view(attach.run));
        enum result result =
            is_fleet ? fleet_attach(&attach, &code, &err) : attach_run(&attach, &code, &err);

        if (result != RESULT_OK) {
            code = live_options_fail(&err);
        }
    }
    live_options_release(&options);
    return code;
}
