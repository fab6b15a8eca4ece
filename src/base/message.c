#include "base/message.h"

#include "base/say.h"

#include <stdio.h>

static void print_message(const char *kind, const char *code, const char *text)
{
    say(stderr, "scrapetop: %s%s%s%s: %s", kind, code[0] ? "[" : "", code, code[0] ? "]" : "",
        text);
}

void message_error(const struct err *err)
{
    print_message("error", err->code, err->text);
}

void message_warning(const char *code, const char *text)
{
    print_message("warning", code, text);
}

int message_fail(const struct err *err)
{
    message_error(err);
    return exit_code_of(err->result);
}
