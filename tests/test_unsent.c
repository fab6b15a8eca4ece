/* Which marked requests have not begun to be sent, as the next process of the same boot reads it. */

#include "store/unsent.h"
#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BOOT 7

static uint64_t ids[UNSENT_MAX];

static void left__are_those_that_were_not_cleared(void **state)
{
    struct temp temp;
    struct run_dir dir;
    struct unsent u;
    uint16_t second;

    (void)state;
    temp_init(&temp);
    assert_int_equal(run_dir_open(&dir, temp.run, NULL), RESULT_OK);
    unsent_open(&u, &dir);
    assert_int_equal(faccessat(dir.fd, "unsent", F_OK, 0), -1); /* for most runs there is none */
    assert_int_equal(unsent_put(&u, 11, BOOT), 1);
    second = unsent_put(&u, 12, BOOT);
    assert_int_not_equal(unsent_put(&u, 13, BOOT), 0);
    assert_true(unsent_clear(&u, second));
    assert_true(unsent_clear(&u, 0));
    assert_int_equal(unsent_left(&dir, BOOT, ids), 2);
    assert_int_equal(ids[0], 11);
    assert_int_equal(ids[1], 13);
    assert_int_equal(unsent_left(&dir, BOOT + 1, ids), 0);
    assert_int_equal(unsent_left(&dir, 0, ids), 0);
    assert_int_equal(unsent_forget(&dir, NULL), RESULT_OK);
    assert_int_equal(unsent_forget(&dir, NULL), RESULT_OK);
    assert_int_equal(unsent_left(&dir, BOOT, ids), 0);
    unsent_close(&u);
    run_dir_close(&dir);
    temp_release(&temp);
}

static void put__finds_no_place__when_all_are_taken_or_the_boot_is_not_known(void **state)
{
    struct temp temp;
    struct run_dir dir;
    struct unsent u;

    (void)state;
    temp_init(&temp);
    assert_int_equal(run_dir_open(&dir, temp.run, NULL), RESULT_OK);
    unsent_open(&u, &dir);
    assert_int_equal(unsent_put(&u, 1, 0), 0);
    unsent_close(&u);
    unsent_open(&u, &dir);
    for (uint64_t id = 1; id <= UNSENT_MAX; id++) {
        assert_int_equal(unsent_put(&u, id, BOOT), id);
    }
    assert_int_equal(unsent_put(&u, 5000, BOOT), 0);
    assert_true(unsent_clear(&u, 77));
    assert_int_equal(unsent_put(&u, 5000, BOOT), 77);
    assert_int_equal(unsent_left(&dir, BOOT, ids), UNSENT_MAX);
    unsent_close(&u);
    assert_int_equal(faccessat(dir.fd, "unsent", F_OK, 0), -1);
    run_dir_close(&dir);
    temp_release(&temp);
}

/* What is cut short, or is no file at all, says nothing; and nothing is believed that could not be written. */
static void left__is_nothing__when_the_file_is_not_whole(void **state)
{
    struct temp temp;
    struct run_dir dir;
    struct unsent u;
    int fd;

    (void)state;
    temp_init(&temp);
    assert_int_equal(run_dir_open(&dir, temp.run, NULL), RESULT_OK);
    unsent_open(&u, &dir);
    assert_int_equal(unsent_put(&u, 11, BOOT), 1);
    fd = openat(dir.fd, "unsent", O_WRONLY | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, 100), 0);
    close(fd);
    assert_int_equal(unsent_left(&dir, BOOT, ids), 0);
    unsent_close(&u);
    assert_int_equal(symlinkat("elsewhere", dir.fd, "unsent"), 0);
    unsent_open(&u, &dir);
    assert_int_equal(unsent_put(&u, 11, BOOT), 0);
    assert_int_equal(unsent_left(&dir, BOOT, ids), 0);
    assert_true(unsent_clear(&u, 0));
    unsent_close(&u);
    assert_int_equal(unsent_forget(&dir, NULL), RESULT_OK);
    run_dir_close(&dir);
    temp_release(&temp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(left__are_those_that_were_not_cleared),
        cmocka_unit_test(put__finds_no_place__when_all_are_taken_or_the_boot_is_not_known),
        cmocka_unit_test(left__is_nothing__when_the_file_is_not_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
