/* One list of what may fail, and of who sets deadlines: its words, what users type, and old ledgers. */
#include "plan/due.h"
#include "plan/failure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define STATUSES                                                                                   \
    (int[])                                                                                        \
    {                                                                                              \
        100, 204, 302, 400, 404, 429, 500, 503, 599, 999                                           \
    }

static void failure__has_a_class__for_every_outcome(void **state)
{
    (void)state;
    for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        struct failure failure = failure_of((enum outcome)outcome, 404);
        bool is_well =
            outcome == OUTCOME_OK || outcome == OUTCOME_REDIRECT || outcome == OUTCOME_CANCELLED;

        assert_non_null(outcome_name((enum outcome)outcome));
        assert_int_equal(failure.class == FAILURE_NONE, is_well);
        assert_int_equal(failure.status, outcome == OUTCOME_STATUS ? 404 : 0);
    }
}

/* What a report can show, a user can type: the word and the name, and it means that class alone. */
static void choice__takes__every_class_that_is_shown(void **state)
{
    (void)state;
    for (int class = FAILURE_STATUS + 1; class < FAILURE_CLASS_COUNT; class ++) {
        struct failure failure = { (enum failure_class) class, 0 };
        char word[FAILURE_TEXT_MAX], name[FAILURE_TEXT_MAX], brief[FAILURE_TEXT_MAX];
        struct failure_choice choice;

        failure_format_word(failure, word);
        failure_format(failure, name);
        failure_format_brief(failure, brief);
        assert_true(word[0] && name[0] && brief[0]);
        assert_null(strchr(word, ' '));
        assert_true(strlen(brief) <= 8);
        assert_true(failure_choice_parse(str_view(name), &choice));
        assert_true(failure_choice_parse(str_view(word), &choice));
        for (int other = FAILURE_STATUS; other < FAILURE_CLASS_COUNT; other++) {
            struct failure one = { (enum failure_class)other, 0 };

            assert_int_equal(failure_choice_has(&choice, one), other == class);
        }
        failure_choice_format(&choice, name);
        assert_string_equal(name, word);
    }
}

static void choice__takes__every_status_that_is_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof STATUSES / sizeof STATUSES[0]; i++) {
        struct failure failure = failure_of(OUTCOME_STATUS, STATUSES[i]);
        char text[FAILURE_TEXT_MAX], word[FAILURE_TEXT_MAX];
        struct failure_choice choice;

        failure_format(failure, text);
        assert_true(failure_choice_parse(str_view(text), &choice));
        assert_true(failure_choice_has(&choice, failure));
        failure_format_word(failure, word);
        assert_true(failure_choice_parse(str_view(word), &choice));
        assert_true(failure_choice_has(&choice, failure));
        assert_false(failure_choice_has(&choice, failure_of(OUTCOME_STATUS, STATUSES[i] + 1)));
        assert_false(failure_choice_has(&choice, failure_of(OUTCOME_TIMEOUT, STATUSES[i])));
    }
}

static void choice__means__a_hundred_of_statuses(void **state)
{
    struct failure_choice choice;
    char text[FAILURE_TEXT_MAX];

    (void)state;
    assert_true(failure_choice_parse(STR("5xx"), &choice));
    assert_true(failure_choice_has(&choice, failure_of(OUTCOME_STATUS, 500)));
    assert_true(failure_choice_has(&choice, failure_of(OUTCOME_STATUS, 599)));
    assert_false(failure_choice_has(&choice, failure_of(OUTCOME_STATUS, 404)));
    assert_false(failure_choice_has(&choice, failure_of(OUTCOME_DNS, 0)));
    failure_choice_format(&choice, text);
    assert_string_equal(text, "5xx");
}

static void choice__is_refused__when_nothing_is_called_so(void **state)
{
    static const char *const wrong[] = { "",     "6xx",      "5x",    "50",  "5000",   "xxx",
                                         "HTTP", "timeouts", "HTTP ", "0xx", "HTTP x", "tim" };
    struct failure_choice choice;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (failure_choice_parse(str_view(wrong[i]), &choice)) {
            fail_msg("\"%s\" is class %d", wrong[i], (int)choice.class);
        }
        assert_true(failure_choice_has(&choice, failure_of(OUTCOME_DNS, 0))); /* means all */
    }
}

static void words__are__those_of_the_table(void **state)
{
    char words[sizeof FAILURE_WORDS + 64] = "";

    (void)state;
    for (int class = FAILURE_STATUS + 1; class < FAILURE_CLASS_COUNT; class ++) {
        char word[FAILURE_TEXT_MAX];
        size_t used = strlen(words);

        failure_format_word((struct failure){ (enum failure_class) class, 0 }, word);
        snprintf(words + used, sizeof words - used, "%s%s", used ? ", " : "", word);
    }
    assert_string_equal(words, FAILURE_WORDS);
}

static void guess__reads__what_old_ledgers_have(void **state)
{
    static const struct {
        const char *reason;
        int status;
        enum failure_class class;
    } rows[] = {
        { "HTTP 404", 404, FAILURE_STATUS },
        { "HTTP 403, quota exceeded", 403, FAILURE_STATUS },
        { "Operation timed out after 30001 milliseconds with 0 bytes received", 0,
          FAILURE_TIMEOUT },
        { "Could not resolve host: nowhere.test", 0, FAILURE_DNS },
        { "Failed to connect to 127.0.0.1 port 9: Connection refused", 0, FAILURE_CONNECT },
        { "Recv failure: Connection reset by peer", 0, FAILURE_CONNECT },
        { "Empty reply from server", 0, FAILURE_CONNECT },
        { "transfer closed with 10 bytes remaining to read", 200, FAILURE_SHORT_BODY },
        { "not JSON: unexpected byte at 1", 200, FAILURE_BAD_JSON },
        { "SSL certificate problem: self-signed certificate", 0, FAILURE_TLS },
        { "body over the limit of 10 bytes (--max-body)", 200, FAILURE_TOO_BIG },
        { "Unrecognized content encoding type.", 200, FAILURE_ENCODING },
        { "response headers over 300 KiB", 200, FAILURE_PROTOCOL },
        { "refused a redirect from https to http://x", 302, FAILURE_REFUSED },
        { "dropped by you", 0, FAILURE_DROPPED },
        { "", 0, FAILURE_OTHER },
        { "HTTP nonsense", 0, FAILURE_OTHER },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum outcome outcome;
        struct failure failure;

        failure_guess(str_view(rows[i].reason), rows[i].status, &outcome, &failure);
        if (failure.class != rows[i].class) {
            fail_msg("\"%s\" is class %d, want %d", rows[i].reason, (int)failure.class,
                     (int)rows[i].class);
        }
        assert_int_equal(failure.status, failure.class == FAILURE_STATUS ? rows[i].status : 0);
        assert_int_equal(failure_of(outcome, rows[i].status).class, failure.class);
    }
}

/* The words of a deadline say who set it, and what an old ledger had of them is read back. */
static void due__is_told_and_guessed(void **state)
{
    static const struct {
        struct due due;
        const char *text, *hold;
    } rows[] = {
        { { .by = DUE_RETRY_AFTER, .status = 429, .said = "30" },
          "Retry-After: 30",
          "429, Retry-After: 30" },
        { { .by = DUE_QUOTA, .status = 403, .said = "r=0; t=7" },
          "RateLimit: r=0; t=7",
          "403, RateLimit: r=0; t=7" },
        { { .by = DUE_BACKOFF, .wait_us = 2700000, .ceiling_us = 4000000 },
          "backoff 2.7 s of 0-4 s",
          "backoff 2.7 s of 0-4 s" },
        { { .by = DUE_RESTART }, "backoff after a restart", "backoff after a restart" },
        { { .by = DUE_HOST_HOLD, .status = 429 }, "host held", "429 without a deadline" },
        { { .by = DUE_HOST_HOLD }, "host held", "enhance your calm" },
        { { .by = DUE_BREAKER }, "failures in a row", "failures in a row" },
        { { .by = DUE_NONE }, "", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[DUE_TEXT_MAX];
        struct due guess;

        due_format_hold(&rows[i].due, text);
        assert_string_equal(text, rows[i].hold);
        due_format(&rows[i].due, text);
        assert_string_equal(text, rows[i].text);
        if (rows[i].due.by == DUE_BREAKER) {
            continue; /* no request was ever told to wait for that */
        }
        due_guess(str_view(text), &guess);
        assert_int_equal(guess.by, rows[i].due.by);
        assert_string_equal(guess.said, rows[i].due.said);
        assert_int_equal(guess.wait_us, rows[i].due.wait_us);
        assert_int_equal(guess.ceiling_us, rows[i].due.ceiling_us);
    }
    for (int by = DUE_NONE; by < DUE_BY_COUNT; by++) {
        assert_non_null(due_by_word((enum due_by)by));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failure__has_a_class__for_every_outcome),
        cmocka_unit_test(choice__takes__every_class_that_is_shown),
        cmocka_unit_test(choice__takes__every_status_that_is_shown),
        cmocka_unit_test(choice__means__a_hundred_of_statuses),
        cmocka_unit_test(choice__is_refused__when_nothing_is_called_so),
        cmocka_unit_test(words__are__those_of_the_table),
        cmocka_unit_test(guess__reads__what_old_ledgers_have),
        cmocka_unit_test(due__is_told_and_guessed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
