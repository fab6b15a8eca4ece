/* `ctl`: words to a live run, and figures of it, for scripts. */
#include "control/ctl.h"
#include "cmd/cmd.h"
#include "cmd/live_options.h"
#include "fleet/place.h"
#include "session/fleet_told.h"

#include <string.h>

static enum result say_words(const struct live_options *options, bool is_fleet, struct err *err)
{
    const char *run = options->operands[0];
    struct buf words = { 0 };
    enum result result = RESULT_OK;

    for (size_t i = 1; result == RESULT_OK && i < options->operand_count; i++) {
        result = buf_printf(&words, "%s%s", i > 1 ? " " : "", options->operands[i]);
    }
    if (result != RESULT_OK) {
        result = err_nomem(err, "reading the command line");
    } else {
        result = is_fleet ? fleet_told_words(run, buf_view(&words), err)
                          : ctl_say(run, buf_view(&words), err);
    }
    buf_release(&words);
    return result;
}

static enum result carry_out(const struct live_options *options, int *code, struct err *err)
{
    const char *run = options->operands[0];

    bool is_fleet = fleet_place_is_meant(str_view(run));

    if (is_fleet && (options->stdio || options->follow)) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "--%s is for one run; status URL tells of a fleet",
                       options->stdio ? "stdio" : "follow");
    }
    if (options->stdio) {
        return ctl_pipe(run, err);
    }
    if (options->follow) {
        enum ctl_follow what = strcmp(options->follow, "totals") == 0   ? CTL_FOLLOW_TOTALS
                               : strcmp(options->follow, "events") == 0 ? CTL_FOLLOW_EVENTS
                                                                        : CTL_FOLLOW_SNAPSHOT;

        return ctl_follow(run, what, code, err);
    }
    if (options->operand_count > 1) {
        return say_words(options, is_fleet, err);
    }
    return is_fleet ? fleet_told_status(run, true, err) : ctl_look(run, err);
}

int cmd_ctl(int argc, char **argv)
{
    struct live_options options;
    struct err err = { .result = RESULT_OK };
    int code = EXIT_WELL;

    if (live_options_parse(&options, &ctl_table, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&ctl_table, stdout);
    } else if (carry_out(&options, &code, &err) != RESULT_OK) {
        code = live_options_fail(&err);
    }
    live_options_release(&options);
    return code;
}
