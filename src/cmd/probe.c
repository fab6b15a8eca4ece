/* `probe`: a request, and a job file made of its answer. */
#include "base/secrecy.h"
#include "cmd/cmd.h"
#include "cmd/probe_options.h"
#include "probe/probe.h"

int cmd_probe(int argc, char **argv)
{
    struct probe_options options;
    struct secrecy secrecy;
    struct err err = { .result = RESULT_OK };
    int code = EXIT_WELL;

    secrecy_begin(&secrecy);
    if (probe_options_parse(&options, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.allow_core) {
        secrecy_end(&secrecy);
    }
    if (options.given.help) {
        options_print_help(&probe_table, stdout);
    } else {
        code = probe_run(&options.job, options.job.endpoints[0].records, options.once);
    }
    probe_options_release(&options);
    return code;
}
