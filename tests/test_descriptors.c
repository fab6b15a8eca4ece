/* What the kernel and the loop have room for, before it is wanted. */
#include "engine/descriptors.h"

#include "session/event_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

/* Places in the kernel's table of this process; 0 where the system does not say. */
static unsigned table_size(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    unsigned size = 0;
    char line[256];

    while (file && fgets(line, sizeof line, file) && sscanf(line, "FDSize: %u", &size) != 1) {
    }
    if (file) {
        fclose(file);
    }
    return size;
}

static void loop__has_a_wide_table__before_it_has_threads(void **state)
{
    unsigned max, first = descriptors_in_use();
    uv_loop_t loop;

    (void)state;
    if (!table_size()) {
        skip();
    }
    assert_in_range(table_size(), 1, 1024);
    assert_int_equal(event_loop_open(&loop, NULL), RESULT_OK);
    max = descriptors_max();
    assert_true(table_size() >= (max < 16384 ? max : 16384));
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_in_range(descriptors_in_use(), first,
                    first + 8); /* none of them is taken; libuv keeps some */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loop__has_a_wide_table__before_it_has_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
