/* The written journal: blocks come back as they were put, damage is seen, and what a kill left is cut. */
#include "changes/journal_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/test_journal_file-XXXXXX";
static struct run_dir dir;
static const struct str id = STR_INIT("id"), other = STR_INIT("v");

static int begin(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(path));
    dir = (struct run_dir){ .fd = open(path, O_RDONLY | O_DIRECTORY), .lock_fd = -1, .path = path };
    return dir.fd < 0;
}

static int end(void **state)
{
    (void)state;
    (void)unlinkat(dir.fd, JOURNAL_FILE, 0);
    close(dir.fd);
    return rmdir(path);
}

struct told {
    struct buf text;
};

static enum result take(void *context, struct str lines, struct err *err)
{
    struct told *told = context;

    (void)err;
    return buf_append_str(&told->text, lines);
}

static uint64_t put(uint64_t bytes, const char *endpoint, const char *lines)
{
    struct journal_writer writer;
    struct err err;

    assert_int_equal(journal_open(&writer, &dir, bytes, &err), RESULT_OK);
    assert_int_equal(journal_put(&writer, endpoint, &id, 1, str_view(lines), &err), RESULT_OK);
    assert_int_equal(journal_sync(&writer, &dir, &err), RESULT_OK);
    bytes = writer.bytes;
    journal_close(&writer);
    return bytes;
}

static enum result read_back(uint64_t bytes, const char *endpoint, const struct str *key,
                             const char *want)
{
    struct told told = { .text = { 0 } };
    struct err err;
    enum result result = journal_read(&dir, bytes, endpoint, key, 1, take, &told, &err);

    if (result == RESULT_OK) {
        assert_true(str_equal(buf_view(&told.text), str_view(want)));
    }
    buf_release(&told.text);
    return result;
}

static void journal__gives_each_endpoint_its_lines(void **state)
{
    uint64_t bytes;

    (void)state;
    assert_int_equal(read_back(0, "items", &id, ""), RESULT_OK); /* there is no file as yet */
    bytes = put(0, "items", "a\nb\n");
    bytes = put(bytes, "item", "x\n");
    bytes = put(bytes, "items", "c\n");
    assert_int_equal(read_back(bytes, "items", &id, "a\nb\nc\n"), RESULT_OK);
    assert_int_equal(read_back(bytes, "item", &id, "x\n"), RESULT_OK);
    assert_int_equal(read_back(bytes, "other", &id, ""), RESULT_OK);
    assert_int_equal(read_back(bytes, "items", &other, ""), RESULT_INVALID); /* another key */
}

static void journal__cuts_what_a_kill_left(void **state)
{
    uint64_t bytes = put(0, "items", "a\n");

    (void)state;
    (void)put(bytes, "items", "not committed\n");
    assert_int_equal(read_back(bytes, "items", &id, "a\n"), RESULT_OK);
    bytes = put(bytes, "items", "b\n");
    assert_int_equal(read_back(bytes, "items", &id, "a\nb\n"), RESULT_OK);
}

static void journal__is_damaged__by_any_byte_and_any_cut(void **state)
{
    uint64_t bytes = put(put(0, "items", "a line\nanother line\n"), "item", "x\n");
    int fd = openat(dir.fd, JOURNAL_FILE, O_RDWR);
    struct err err;
    char byte, wrong;

    (void)state;
    for (uint64_t at = 0; at < bytes; at++) {
        assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
        wrong = (char)(byte ^ 1 << at % 8);
        assert_int_equal(pwrite(fd, &wrong, 1, (off_t)at), 1);
        assert_int_equal(journal_check(&dir, bytes, &err), RESULT_CORRUPT);
        assert_string_equal(err.code, "E-JRN1");
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    }
    assert_int_equal(journal_check(&dir, bytes, &err), RESULT_OK);
    for (uint64_t size = bytes; size-- > 0;) {
        struct journal_writer writer;

        assert_int_equal(ftruncate(fd, (off_t)size), 0);
        assert_int_equal(journal_check(&dir, bytes, &err), RESULT_CORRUPT);
        assert_int_equal(journal_open(&writer, &dir, bytes, &err), RESULT_CORRUPT);
    }
    close(fd);
}

/* What is longer than a reader takes is not written at all. */
static void journal__refuses_what_nobody_would_read_again(void **state)
{
    size_t len = (size_t)65 << 20;
    char *noise = malloc(len);
    struct journal_writer writer;
    struct err err;
    uint64_t x = 88172645463325252U;

    (void)state;
    assert_non_null(noise);
    for (size_t at = 0; at < len; at += sizeof x) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(noise + at, &x, sizeof x);
    }
    assert_int_equal(journal_open(&writer, &dir, 0, &err), RESULT_OK);
    assert_int_equal(journal_put(&writer, "items", &id, 1, (struct str){ noise, len }, &err),
                     RESULT_LIMIT);
    assert_int_equal(writer.bytes, 0);
    journal_close(&writer);
    free(noise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal__gives_each_endpoint_its_lines),
        cmocka_unit_test(journal__cuts_what_a_kill_left),
        cmocka_unit_test(journal__is_damaged__by_any_byte_and_any_cut),
        cmocka_unit_test(journal__refuses_what_nobody_would_read_again),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
