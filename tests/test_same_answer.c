#include "plan/same_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct failure good = { FAILURE_NONE, 0 };

static struct failure status(int code)
{
    return failure_of(OUTCOME_STATUS, code);
}

static void note__tells_once_and_stops__when_all_are_refused_alike(void **state)
{
    struct same_answer s = { .count = 0 };

    (void)state;
    for (unsigned i = 1; i < SAME_ANSWER_STOP_AT; i++) {
        enum same_answer_word want =
            i == SAME_ANSWER_TELL_AT ? SAME_ANSWER_TELL : SAME_ANSWER_SILENT;

        assert_int_equal(same_answer_note(&s, status(403), true, false), want);
        assert_int_equal(same_answer_is_slow(&s), i >= SAME_ANSWER_TELL_AT);
        assert_int_equal(same_answer_is(&s, status(403)), i >= SAME_ANSWER_TELL_AT);
        assert_false(same_answer_is(&s, status(400)));
    }
    assert_int_equal(same_answer_note(&s, status(403), true, false), SAME_ANSWER_STOP);
}

static void note__stops__for_all_that_is_wrong_alike(void **state)
{
    static const enum outcome wrong[] = { OUTCOME_WRONG_TYPE, OUTCOME_BAD_JSON, OUTCOME_REFUSED,
                                          OUTCOME_ENCODING, OUTCOME_PROTOCOL };

    (void)state;
    for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
        struct failure failure = failure_of(wrong[k], 200);
        struct same_answer s = { .count = 0 };

        for (unsigned i = 1; i < SAME_ANSWER_STOP_AT; i++) {
            assert_int_equal(same_answer_note(&s, failure, true, false) == SAME_ANSWER_TELL,
                             i == SAME_ANSWER_TELL_AT);
        }
        assert_int_equal(same_answer_note(&s, failure, true, false), SAME_ANSWER_STOP);
    }
}

static void note__begins_anew__after_a_good_answer_or_another_refusal(void **state)
{
    struct same_answer s = { .count = 0 };

    (void)state;
    for (unsigned i = 0; i < 10 * SAME_ANSWER_STOP_AT; i++) {
        struct failure failure = i % 19 == 18 ? good : status(403);

        assert_int_equal(same_answer_note(&s, failure, true, false), SAME_ANSWER_SILENT);
    }
    for (unsigned i = 0; i < 10 * SAME_ANSWER_STOP_AT; i++) {
        assert_int_equal(same_answer_note(&s, status(i % 15 ? 403 : 400), true, false),
                         SAME_ANSWER_SILENT);
    }
    for (unsigned i = 0; i < SAME_ANSWER_TELL_AT; i++) {
        (void)same_answer_note(&s, status(403), true, false);
    }
    assert_true(same_answer_is_slow(&s));
    (void)same_answer_note(&s, good, false,
                           false); /* a retry that went well is a good answer, too */
    assert_false(same_answer_is_slow(&s));
}

static void note__says_nothing__of_single_items_and_accidents(void **state)
{
    static const enum outcome accidents[] = {
        OUTCOME_CONNECT, OUTCOME_TIMEOUT,   OUTCOME_TLS,     OUTCOME_NO_RECORDS, OUTCOME_RULE,
        OUTCOME_LIMIT,   OUTCOME_NOT_READY, OUTCOME_DROPPED, OUTCOME_TOO_BIG
    };
    static const int statuses[] = { 404, 410, 500, 503, 529, 301 };
    struct same_answer s = { .count = 0 };

    (void)state;
    for (unsigned i = 0; i < 3 * SAME_ANSWER_STOP_AT; i++) {
        for (size_t k = 0; k < sizeof accidents / sizeof accidents[0]; k++) {
            assert_int_equal(same_answer_note(&s, failure_of(accidents[k], 200), true, false),
                             SAME_ANSWER_SILENT);
        }
        for (size_t k = 0; k < sizeof statuses / sizeof statuses[0]; k++) {
            assert_int_equal(same_answer_note(&s, status(statuses[k]), true, false),
                             SAME_ANSWER_SILENT);
        }
        assert_int_equal(same_answer_note(&s, status(429), true, true), SAME_ANSWER_SILENT);
        assert_int_equal(same_answer_note(&s, status(403), true, true), SAME_ANSWER_SILENT);
        assert_int_equal(same_answer_note(&s, status(403), false, false), SAME_ANSWER_SILENT);
    }
    assert_int_equal(s.count, 0);
}

/* Accidents in between do not hide it. */
static void note__goes_on__through_accidents(void **state)
{
    struct same_answer s = { .count = 0 };
    struct failure page = failure_of(OUTCOME_WRONG_TYPE, 200);
    unsigned told = 0, stopped = 0;

    (void)state;
    for (unsigned i = 0; i < SAME_ANSWER_STOP_AT; i++) {
        enum same_answer_word word = same_answer_note(&s, page, true, false);

        told += word == SAME_ANSWER_TELL;
        stopped += word == SAME_ANSWER_STOP;
        (void)same_answer_note(&s, failure_of(OUTCOME_TIMEOUT, 0), true, false);
        (void)same_answer_note(&s, page, false, false); /* its retry */
    }
    assert_int_equal(told, 1);
    assert_int_equal(stopped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note__tells_once_and_stops__when_all_are_refused_alike),
        cmocka_unit_test(note__stops__for_all_that_is_wrong_alike),
        cmocka_unit_test(note__begins_anew__after_a_good_answer_or_another_refusal),
        cmocka_unit_test(note__says_nothing__of_single_items_and_accidents),
        cmocka_unit_test(note__goes_on__through_accidents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
