#include "secret_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

void assert_content(struct buf *b, const char *want)
{
    const char *got = buf_cstr(b);

    assert_non_null(got);
    assert_string_equal(got, want);
    buf_release(b);
}
