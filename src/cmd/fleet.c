/* `fleet`: the jobs in a Redis that workers share, and what is to be done about those that are gone. */
#include "cmd/cmd.h"
#include "cmd/live_options.h"
#include "session/fleet_told.h"

#include <string.h>

static enum result carry_out(const struct live_options *o, struct err *err)
{
    const char *verb = o->operands[0], *url = o->operands[1];

    if (strcmp(verb, "ls") == 0) {
        return fleet_told_jobs(url, o->json, err);
    }
    return strcmp(verb, "forget") == 0 ? fleet_told_forget(url, o->operands[2], o->yes, err)
                                       : fleet_told_remove(url, o->yes, err);
}

int cmd_fleet(int argc, char **argv)
{
    struct live_options options;
    struct err err = { .result = RESULT_OK };
    int code = EXIT_WELL;

    if (live_options_parse(&options, &fleet_table, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&fleet_table, stdout);
    } else if (carry_out(&options, &err) != RESULT_OK) {
        code = live_options_fail(&err);
    }
    live_options_release(&options);
    return code;
}
