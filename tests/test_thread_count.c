/* session/thread_count: who says how many threads fetch. */
#include "session/thread_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static unsigned count_of(unsigned given, const char *variable, unsigned cores)
{
    struct job job;
    unsigned count = 0;

    job_init(&job);
    job.network.threads = given;
    assert_int_equal(thread_count(&job, variable, cores, &count, NULL), RESULT_OK);
    job_release(&job);
    return count;
}

static void job__goes_before_the_variable__and_that_before_the_cores(void **state)
{
    (void)state;
    assert_int_equal(count_of(2, "3", 8), 2);
    assert_int_equal(count_of(0, "3", 8), 3);
    assert_int_equal(count_of(0, "64", 1), 64);
    assert_int_equal(count_of(0, "", 8), 4);
}

static void cores__pay__but_for_the_loops_and_no_more_than_some(void **state)
{
    static const unsigned want[] = { 1, 1, 1, 2, 3, 4, 4, 4, 4 };

    (void)state;
    for (unsigned cores = 0; cores < sizeof want / sizeof want[0]; cores++) {
        assert_int_equal(count_of(0, NULL, cores), want[cores]);
    }
}

static void variable__is_refused__when_it_is_no_number_of_threads(void **state)
{
    static const char *const bad[] = { "0", "65", "x", "-1", "2x", " " };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err;
        struct job job;
        unsigned count;

        job_init(&job);
        assert_int_equal(thread_count(&job, bad[i], 4, &count, &err), RESULT_INVALID);
        assert_string_equal(err.code, "E-THREAD1");
        job_release(&job);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job__goes_before_the_variable__and_that_before_the_cores),
        cmocka_unit_test(cores__pay__but_for_the_loops_and_no_more_than_some),
        cmocka_unit_test(variable__is_refused__when_it_is_no_number_of_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
