#include "cmd/cmd.h"

#include "base/utf8.h"

#include <stdio.h>

#define SHOWN_SIZE (4 * ERR_TEXT_MAX) /* an escaped byte takes four */

static void print_message(const char *kind, const char *code, const char *text)
{
    char shown[SHOWN_SIZE];

    utf8_display(shown, sizeof shown, str_view(text), SHOWN_SIZE);
    if (code[0]) {
        fprintf(stderr, "scrapetop: %s[%s]: %s\n", kind, code, shown);
    } else {
        fprintf(stderr, "scrapetop: %s: %s\n", kind, shown);
    }
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
