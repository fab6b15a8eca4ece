#include "base/read_all.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file of so many bytes, which has no name any more. */
static int make_file(size_t size)
{
    char path[] = "/tmp/scrapetop-test_read_all-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    for (size_t i = 0; i < size; i++) {
        char c = (char)('a' + i % 26);

        assert_int_equal(write(fd, &c, 1), 1);
    }
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void read_all__takes_every_byte__up_to_the_ceiling(void **state)
{
    static const size_t sizes[] = { 0, 1, 255, 256, 257, 70000 };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t max = sizes[i]; max <= sizes[i] + 1; max++) {
            int fd = make_file(sizes[i]);
            struct buf out = { .max = max };

            assert_int_equal(read_all(fd, &out), RESULT_OK);
            assert_int_equal(out.len, sizes[i]);
            assert_true(!out.len || out.data[out.len - 1] == (char)('a' + (out.len - 1) % 26));
            buf_release(&out);
            close(fd);
        }
    }
}

static void read_all__says_so__when_there_is_more(void **state)
{
    int fd = make_file(11);
    struct buf out = { .max = 10 };

    (void)state;
    assert_int_equal(read_all(fd, &out), RESULT_LIMIT);
    assert_int_equal(out.len, 10);
    buf_release(&out);
    close(fd);
}

static void read_all__fills_reserved_room__without_moving(void **state)
{
    int fd = make_file(300);
    struct buf out = { .max = 300 };
    const char *at;

    (void)state;
    assert_int_equal(buf_reserve(&out, 300), RESULT_OK);
    at = out.data;
    assert_int_equal(read_all(fd, &out), RESULT_OK);
    assert_ptr_equal(out.data, at);
    buf_release(&out);
    close(fd);
}

static void read_all__reads_a_pipe_to_its_end__and_appends(void **state)
{
    struct buf out = { .max = 0 };
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "bc", 2), 2);
    close(fds[1]);
    assert_int_equal(buf_append_str(&out, STR("a")), RESULT_OK);
    assert_int_equal(read_all(fds[0], &out), RESULT_OK);
    assert_true(str_equal(buf_view(&out), STR("abc")));
    buf_release(&out);
    close(fds[0]);
}

static void read_all__tells_errno__when_it_fails(void **state)
{
    struct buf out = { .max = 0 };

    (void)state;
    assert_int_equal(read_all(-1, &out), RESULT_IO);
    assert_int_equal(errno, EBADF);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_all__takes_every_byte__up_to_the_ceiling),
        cmocka_unit_test(read_all__says_so__when_there_is_more),
        cmocka_unit_test(read_all__fills_reserved_room__without_moving),
        cmocka_unit_test(read_all__reads_a_pipe_to_its_end__and_appends),
        cmocka_unit_test(read_all__tells_errno__when_it_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
