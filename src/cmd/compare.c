/* `compare`: two past runs side by side. */
#include "cmd/cmd.h"
#include "cmd/read_options.h"
#include "history/compare.h"

int cmd_compare(int argc, char **argv)
{
    struct read_options options;
    struct err err = { .result = RESULT_OK };
    int code = EXIT_WELL;

    if (read_options_parse(&options, &compare_table, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&compare_table, stdout);
    } else {
        if (compare_print(options.operands[0], options.operands[1], &err) != RESULT_OK) {
            code = message_fail(&err);
        }
    }
    read_options_release(&options);
    return code;
}
