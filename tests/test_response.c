#include "fetch/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A body that was decoded lies in a buffer of that body's length at most. The response is used again for others. */
static void reset__forgets_the_ceiling__of_the_last_body(void **state)
{
    static const char longer[4096];
    struct response *response = response_new();

    (void)state;
    assert_non_null(response);
    response->body.max = 16;
    assert_int_equal(buf_append(&response->body, "{\"a\":1}", 7), RESULT_OK);
    assert_int_not_equal(buf_append(&response->body, longer, sizeof longer), RESULT_OK);
    response_reset(response);
    assert_int_equal(response->body.len, 0);
    assert_int_equal(buf_append(&response->body, longer, sizeof longer), RESULT_OK);
    response_free(response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reset__forgets_the_ceiling__of_the_last_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
