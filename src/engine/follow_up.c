#include "engine/follow_up.h"

#include <stdio.h>
#include <string.h>

#define DIGIT(c) ((c) >= '0' && (c) <= '9')

/* The classes that a failure of an earlier session is known by, beside the statuses. */
static const char *const classes[] = {
    "timeout", "connect",        "dns",   "tls", "short body", "bad json", "too big",
    "refused", "dropped by you", "other",
};

/* "404" or "4xx" */
static bool is_status(const char *text)
{
    return text[0] >= '1' && text[0] <= '5' && strlen(text) == 3 &&
           (strcmp(text + 1, "xx") == 0 || (DIGIT(text[1]) && DIGIT(text[2])));
}

/* As the panel writes it, for what a shell needs no quotes for. */
static void spell(const char *text, char out[FOLLOW_UP_CLASS_MAX])
{
    snprintf(out, FOLLOW_UP_CLASS_MAX, "%s", strncmp(text, "HTTP ", 5) == 0 ? text + 5 : text);
    for (char *at = out; *at; at++) {
        *at = *at == '-' ? ' ' : *at;
    }
}

enum result follow_up_set_class(struct follow_up *f, const char *text, struct err *err)
{
    bool known;

    spell(text, f->class);
    known = is_status(f->class);
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        known |= strcmp(f->class, classes[i]) == 0;
    }
    if (!known) {
        f->class[0] = '\0';
        return err_set(
            err, RESULT_INVALID, "E-ARG1",
            "no failures are called \"%.32s\"; want a status (404, 4xx, 5xx) or one of timeout, "
            "connect, dns, tls, short-body, bad-json, too-big, refused, dropped-by-you, "
            "other",
            text);
    }
    f->kind = FOLLOW_UP_FAILED;
    return RESULT_OK;
}

bool follow_up_wants(const struct follow_up *f, const char *why)
{
    if (f->kind == FOLLOW_UP_NONE) {
        return false;
    }
    if (!f->class[0] || strcmp(f->class, why) == 0) {
        return true;
    }
    if (strncmp(why, "HTTP ", 5) != 0) {
        return false;
    }
    return f->class[1] == 'x' ? f->class[0] == why[5] : strcmp(f->class, why + 5) == 0;
}
