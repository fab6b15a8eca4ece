#include "plan/same_answer.h"

/* Another request may fare better for all that this one says. */
static bool is_accident(struct failure failure, bool is_retried)
{
    switch (failure.class) {
    case FAILURE_STATUS:
        return is_retried || failure.status < 400 || failure.status > 499 ||
               failure.status == 404 || failure.status == 410;
    case FAILURE_WRONG_TYPE:
    case FAILURE_BAD_JSON:
    case FAILURE_BAD_BODY:
    case FAILURE_UNSAFE_BODY:
    case FAILURE_REFUSED:
    case FAILURE_ENCODING:
    case FAILURE_PROTOCOL:
        return false;
    default:
        return true;
    }
}

enum same_answer_word same_answer_note(struct same_answer *s, struct failure failure,
                                       bool is_first_try, bool is_retried)
{
    if (failure.class == FAILURE_NONE) {
        *s = (struct same_answer){ .count = 0 };
        return SAME_ANSWER_SILENT;
    }
    if (!is_first_try || is_accident(failure, is_retried)) {
        return SAME_ANSWER_SILENT;
    }
    if (!failure_equal(s->failure, failure)) {
        *s = (struct same_answer){ .failure = failure };
    }
    s->count++;
    if (s->count >= SAME_ANSWER_STOP_AT) {
        return SAME_ANSWER_STOP;
    }
    if (s->count < SAME_ANSWER_TELL_AT || s->is_told) {
        return SAME_ANSWER_SILENT;
    }
    s->is_told = true;
    return SAME_ANSWER_TELL;
}

bool same_answer_is_slow(const struct same_answer *s)
{
    return s->is_told;
}

bool same_answer_is(const struct same_answer *s, struct failure failure)
{
    return s->is_told && failure_equal(s->failure, failure);
}
