/* engine/id_set: which ids were had, and how they stand. */
#include "engine/id_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void id_set__knows_what_it_was_told__however_many(void **state)
{
    struct id_set set = { .slots = NULL };
    const uint64_t first = UINT64_C(1) << 62;

    (void)state;
    assert_int_equal(id_set_look(&set, first), ID_UNKNOWN);
    for (uint64_t i = 0; i < 10000; i++) {
        assert_int_equal(id_set_put(&set, first + i, ID_IN_HAND), RESULT_OK);
        assert_int_equal(id_set_put(&set, i * i + 1, i % 2 ? ID_SETTLED : ID_IN_HAND), RESULT_OK);
    }
    for (uint64_t i = 0; i < 10000; i += 3) {
        assert_int_equal(id_set_put(&set, first + i, ID_SETTLED), RESULT_OK);
    }
    for (uint64_t i = 0; i < 10000; i++) {
        assert_int_equal(id_set_look(&set, first + i), i % 3 ? ID_IN_HAND : ID_SETTLED);
        assert_int_equal(id_set_look(&set, i * i + 1), i % 2 ? ID_SETTLED : ID_IN_HAND);
    }
    assert_int_equal(set.count, 20000);
    assert_int_equal(id_set_look(&set, first + 10000), ID_UNKNOWN);
    id_set_release(&set);
    assert_int_equal(id_set_look(&set, first), ID_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id_set__knows_what_it_was_told__however_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
