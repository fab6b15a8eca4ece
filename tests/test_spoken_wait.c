/* Waits in sentences, as servers write them. */
#include "plan/spoken_wait.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    uint64_t ms; /* 0: it says nothing */
    const char *said;
} cases[] = {
    /* OpenAI and Groq */
    { "Rate limit reached for gpt-4 on tokens per min (TPM): Limit 10000, Used 9000. Please try "
      "again in 1.8s. Visit "
      "https://platform.example.com/account/rate-limits to learn more.",
      1800, "1.8s" },
    { "Please try again in 6m0s.", 360000, "6m0s" },
    { "Please try again in 357ms.", 357, "357ms" },
    /* Django REST framework, fastify, Reddit, and others */
    { "Request was throttled. Expected available in 86 seconds.", 86000, "86 seconds" },
    { "Rate limit exceeded, retry in 1 minute", 60000, "1 minute" },
    { "Looks like you've been doing that a lot. Take a break for 5 minutes before trying again.",
      300000, "5 minutes" },
    { "Too many requests. Wait at least another 2 min, please", 120000, "2 min" },
    { "You must wait for about 90 seconds.", 90000, "90 seconds" },
    { "limit resets in 1 hour 30 minutes!", 5400000, "1 hour 30 minutes" },
    { "TRY AGAIN IN\n 10 SECONDS", 10000, "10 SECONDS" },
    { "<html><p>Please retry after 15 seconds</p></html>", 15000, "15 seconds" },
    { "try again in 1s; the daily limit resets in 2h", 7200000, "2h" },
    /* Nothing is said */
    { "", 0, NULL },
    { "try again in", 0, NULL },
    { "try again in a few minutes", 0, NULL },
    { "try again later", 0, NULL },
    { "retry in 5", 0, NULL },
    { "Too many requests: 100 per 15 minutes", 0, NULL },
    { "we await 5 seconds", 0, NULL },
    { "waited 5 seconds", 0, NULL },
    { "wait -5 seconds", 0, NULL },
    { "wait for the next", 0, NULL },
};

static void spoken_wait__is_what_the_sentence_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t us = 0;
        struct str said = STR_NONE;
        bool is_found = spoken_wait_read(str_view(cases[i].text), &us, &said);

        if (is_found != (cases[i].ms > 0) || us != cases[i].ms * US_PER_MS) {
            fail_msg("\"%s\": %d, %llu us", cases[i].text, is_found, (unsigned long long)us);
        }
        if (is_found) {
            assert_int_equal(said.len, strlen(cases[i].said));
            assert_memory_equal(said.data, cases[i].said, said.len);
        }
    }
}

static void spoken_wait__reads_no_further_than_the_text(void **state)
{
    static const char text[] = "please try again in 10 minutes and 30 seconds";

    (void)state;
    for (size_t len = 0; len <= sizeof text - 1;
         len++) { /* a copy, so that sanitizers see its end */
        char *copy = malloc(len + 1);
        uint64_t us;
        struct str said;

        assert_non_null(copy);
        memcpy(copy, text, len);
        (void)spoken_wait_read((struct str){ copy, len }, &us, &said);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spoken_wait__is_what_the_sentence_says),
        cmocka_unit_test(spoken_wait__reads_no_further_than_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
