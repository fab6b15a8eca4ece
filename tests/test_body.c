#include "engine/body.h"

#include "fetch/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)

/* What is kept back while a body of that size is read, in MiB. */
static uint64_t reserved(const char *head, uint64_t bytes, uint64_t memory)
{
    const struct body_how how = { NULL, 64 * MIB, memory };
    struct response response = { .body = { .data = (char *)(uintptr_t)head, .len = bytes } };

    return body_json_max(&how, &response) / MIB;
}

static void reserve__is_what_a_body_may_grow_to__packed_or_not(void **state)
{
    static const char plain[] = "a,b\n1,2\n", gzip[] = "\x1f\x8b\x08";

    (void)state;
    assert_int_equal(reserved(plain, 1000, 256 * MIB), 16);
    assert_int_equal(reserved(plain, MIB, 256 * MIB), 32);
    assert_int_equal(reserved(plain, 20 * MIB, 256 * MIB), 256);
    assert_int_equal(reserved(gzip, 1000, 256 * MIB), 32);
    assert_int_equal(reserved(gzip, MIB / 50, 256 * MIB), 63);
    assert_int_equal(reserved(gzip, MIB, 256 * MIB), 256);
    assert_int_equal(reserved(gzip, MIB, 0), 512);
    assert_int_equal(reserved(gzip, 1000, 8 * MIB), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reserve__is_what_a_body_may_grow_to__packed_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
