#include "cmd/cmd.h"

#include "base/say.h"

#include <stdio.h>

static void print_message(const char *kind, const char *code, const char *text)
{
    say(stderr, "scrapetop: %s%s%s%s: %s", kind, code[0] ? "[" : "", code, code[0] ? "]" : "",
        text);
}

void cmd_print_error(const struct err *err)
{
    print_message("error", err->code, err->text);
}

void cmd_print_warning(const char *code, const char *text)
{
    print_message("warning", code, text);
}

int cmd_exit_code(enum result result)
{
    switch (result) {
    case RESULT_OK:
        return EXIT_WELL;
    case RESULT_INVALID:
    case RESULT_LIMIT:
    case RESULT_NOT_FOUND:
    case RESULT_DENIED:
    case RESULT_BUSY:
        return EXIT_USAGE;
    case RESULT_FULL:
    case RESULT_IO:
    case RESULT_CORRUPT:
        return EXIT_STORAGE;
    case RESULT_CANCELLED:
        return EXIT_DRAINED;
    case RESULT_NOMEM:
        break;
    }
    return EXIT_INTERNAL;
}

int cmd_fail(const struct err *err)
{
    cmd_print_error(err);
    return cmd_exit_code(err->result);
}
