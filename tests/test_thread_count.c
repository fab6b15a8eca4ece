/* session/thread_count: who says how many threads fetch. */
#include "session/thread_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static unsigned count_with(unsigned given, const char *variable, const struct thread_room *room)
{
    struct job job;
    unsigned count = 0;

    job_init(&job);
    job.network.threads = given;
    assert_int_equal(thread_count(&job, variable, room, &count, NULL), RESULT_OK);
    job_release(&job);
    return count;
}

static unsigned count_of(unsigned given, const char *variable, unsigned cores)
{
    return count_with(given, variable, &(struct thread_room){ cores, THREAD_COUNT_CONNECTIONS });
}

static void job__goes_before_the_variable__and_that_before_the_cores(void **state)
{
    (void)state;
    assert_int_equal(count_of(2, "3", 8), 2);
    assert_int_equal(count_of(0, "3", 8), 3);
    assert_int_equal(count_of(0, "64", 1), 64);
    assert_int_equal(count_of(0, "", 8), 4);
}

static bool is_given(unsigned given, const char *variable)
{
    struct job job;
    bool is;

    job_init(&job);
    job.network.threads = given;
    is = thread_count_is_given(&job, variable);
    job_release(&job);
    return is;
}

static void number__is_given__by_the_job_or_the_variable(void **state)
{
    (void)state;
    assert_true(is_given(1, NULL));
    assert_true(is_given(0, "2"));
    assert_false(is_given(0, ""));
    assert_false(is_given(0, NULL));
}

static void cores__pay__but_for_the_loops_and_no_more_than_some(void **state)
{
    static const unsigned want[] = { 1, 1, 1, 2, 3, 4, 4, 4, 4 };

    (void)state;
    for (unsigned cores = 0; cores < sizeof want / sizeof want[0]; cores++) {
        assert_int_equal(count_of(0, NULL, cores), want[cores]);
    }
}

static void descriptors__are_left_to_connections__when_they_are_few(void **state)
{
    const struct thread_room room = { 8, THREAD_COUNT_CONNECTIONS - 1 };

    (void)state;
    assert_int_equal(count_with(0, NULL, &room), 1);
    assert_int_equal(count_with(0, "3", &room), 3);
    assert_int_equal(count_with(2, NULL, &room), 2);
}

static void variable__is_refused__when_it_is_no_number_of_threads(void **state)
{
    const struct thread_room room = { 4, THREAD_COUNT_CONNECTIONS };
    static const char *const bad[] = { "0", "65", "x", "-1", "2x", " " };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err;
        struct job job;
        unsigned count;

        job_init(&job);
        assert_int_equal(thread_count(&job, bad[i], &room, &count, &err), RESULT_INVALID);
        assert_string_equal(err.code, "E-THREAD1");
        job_release(&job);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job__goes_before_the_variable__and_that_before_the_cores),
        cmocka_unit_test(number__is_given__by_the_job_or_the_variable),
        cmocka_unit_test(cores__pay__but_for_the_loops_and_no_more_than_some),
        cmocka_unit_test(descriptors__are_left_to_connections__when_they_are_few),
        cmocka_unit_test(variable__is_refused__when_it_is_no_number_of_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
