#include "engine/follow_up.h"

enum result follow_up_set_class(struct follow_up *f, const char *text, struct err *err)
{
    if (!failure_choice_parse(str_view(text), &f->class)) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "no failures are called \"%.32s\"; want a status (404, 4xx, 5xx) or one "
                       "of " FAILURE_WORDS,
                       text);
    }
    f->kind = FOLLOW_UP_FAILED;
    return RESULT_OK;
}

bool follow_up_wants(const struct follow_up *f, struct failure why)
{
    return f->kind != FOLLOW_UP_NONE && failure_choice_has(&f->class, why);
}
