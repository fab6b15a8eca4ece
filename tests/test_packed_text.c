/* A text in frames: any part of it is read, damage is seen, and a segment is packed or is not, but never lost. */
#include "read/packed_text.h"
#include "store/packer.h"
#include "store/segment_bytes.h"
#include "store/segment_pack.h"

#include <errno.h>
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

#define TEXT_BYTES (PACKED_FRAME_BYTES + 12345)

static char directory[] = "/tmp/test_packed_text-XXXXXX";
static int raw_fd = -1;
static char *text;

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static int begin(void **state)
{
    uint32_t random = 1;

    (void)state;
    assert_non_null(mkdtemp(directory));
    raw_fd = open(directory, O_RDONLY | O_DIRECTORY);
    text = malloc(TEXT_BYTES);
    assert_non_null(text);
    for (size_t i = 0; i < TEXT_BYTES; i++) {
        text[i] = (char)('a' + next_random(&random) % 7);
    }
    return raw_fd < 0;
}

static void remove_file(const char *name)
{
    (void)unlinkat(raw_fd, name, 0);
}

static int end(void **state)
{
    static const char *const names[] = { "00000001.jsonl", "00000001.jsonl.zst", "00000002.jsonl",
                                         ".pack.tmp", "t" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        remove_file(names[i]);
    }
    close(raw_fd);
    free(text);
    return rmdir(directory);
}

static void write_file(const char *name, const char *bytes, size_t len)
{
    int fd = openat(raw_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

static bool is_there(const char *name)
{
    return faccessat(raw_fd, name, F_OK, 0) == 0;
}

static enum result pack_to(const char *name, size_t bytes)
{
    int from, to;
    enum result result;

    write_file("t", text, bytes);
    from = openat(raw_fd, "t", O_RDONLY);
    to = openat(raw_fd, name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    result = packed_text_write(from, bytes, to, NULL);
    close(from);
    close(to);
    return result;
}

static enum result open_packed(const char *name, struct packed_text **packed)
{
    int fd = openat(raw_fd, name, O_RDONLY);

    assert_true(fd >= 0);
    return packed_text_open(packed, fd);
}

static void text__is_read_in_any_part(void **state)
{
    struct packed_window window = { .of = NULL };
    struct packed_text *packed;
    uint32_t random = 7;
    char *got = malloc(TEXT_BYTES);
    size_t len;

    (void)state;
    assert_int_equal(pack_to("p", TEXT_BYTES), RESULT_OK);
    assert_int_equal(open_packed("p", &packed), RESULT_OK);
    assert_int_equal(packed_text_bytes(packed), TEXT_BYTES);
    for (int i = 0; i < 20; i++) {
        size_t at = next_random(&random) % TEXT_BYTES, want = next_random(&random) % TEXT_BYTES;
        size_t there = want < TEXT_BYTES - at ? want : TEXT_BYTES - at;

        assert_int_equal(packed_text_read(packed, &window, at, got, want, &len), RESULT_OK);
        assert_int_equal(len, there);
        assert_memory_equal(got, text + at, there);
    }
    assert_int_equal(packed_text_read(packed, &window, TEXT_BYTES, got, 9, &len), RESULT_OK);
    assert_int_equal(len, 0);
    packed_window_release(&window);
    packed_text_close(packed);
    assert_int_equal(pack_to("p", 0), RESULT_OK);
    assert_int_equal(open_packed("p", &packed), RESULT_OK);
    assert_int_equal(packed_text_bytes(packed), 0);
    packed_text_close(packed);
    free(got);
    remove_file("p");
}

/* Any byte that is another one is seen, be it by the table or by a frame's checksum. */
static void text__is_refused__when_a_byte_is_wrong_or_missing(void **state)
{
    struct packed_window window = { .of = NULL };
    struct packed_text *packed;
    struct stat st;
    uint32_t random = 3;
    char got[64], byte, wrong;
    size_t len;
    int fd;

    (void)state;
    assert_int_equal(pack_to("p", 50000), RESULT_OK);
    fd = openat(raw_fd, "p", O_RDWR);
    assert_int_equal(fstat(fd, &st), 0);
    for (off_t at = 0; at < st.st_size; at += 1 + next_random(&random) % 397) {
        enum result result;

        assert_int_equal(pread(fd, &byte, 1, at), 1);
        wrong = (char)(byte ^ 1 << next_random(&random) % 8);
        assert_int_equal(pwrite(fd, &wrong, 1, at), 1);
        result = open_packed("p", &packed);
        if (result == RESULT_OK) {
            window.of = NULL;
            for (size_t i = 0; i < 50000 && result == RESULT_OK; i += sizeof got) {
                result = packed_text_read(packed, &window, i, got, sizeof got, &len);
                if (result == RESULT_OK) { /* a bit that means nothing */
                    assert_memory_equal(got, text + i, len);
                }
            }
            packed_text_close(packed);
        }
        assert_true(result == RESULT_OK || result == RESULT_CORRUPT);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    for (off_t size = st.st_size - 1; size > 0; size -= 1 + next_random(&random) % 301) {
        assert_int_equal(ftruncate(fd, size), 0);
        assert_int_equal(open_packed("p", &packed), RESULT_CORRUPT);
    }
    close(fd);
    packed_window_release(&window);
    remove_file("p");
}

static const struct segment_extent extents[] = { { .number = 1, .committed = TEXT_BYTES },
                                                 { .number = 2, .committed = 5 } };

static void begin_segments(void)
{
    remove_file("00000001.jsonl.zst");
    write_file("00000001.jsonl", text, TEXT_BYTES);
    write_file("00000002.jsonl", text, 5);
}

static void assert_reads_text(void)
{
    struct segment_bytes bytes;
    struct err err;
    char got[100];
    uint64_t size;

    assert_int_equal(segment_bytes_open(&bytes, raw_fd, 1, &err), RESULT_OK);
    assert_int_equal(segment_bytes_size(&bytes, 1, &size, &err), RESULT_OK);
    assert_int_equal(size, TEXT_BYTES);
    assert_int_equal(segment_bytes_read(&bytes, got, sizeof got, PACKED_FRAME_BYTES - 50),
                     sizeof got);
    assert_memory_equal(got, text + PACKED_FRAME_BYTES - 50, sizeof got);
    segment_bytes_close(&bytes);
}

static void segments__are_packed__but_the_last(void **state)
{
    struct segment_pack_report report;
    struct err err;

    (void)state;
    begin_segments();
    write_file(".pack.tmp", "left by a kill", 14);
    assert_int_equal(segment_pack_all(raw_fd, extents, 2, NULL, &report, &err), RESULT_OK);
    assert_int_equal(report.packed, 1);
    assert_int_equal(report.text_bytes, TEXT_BYTES);
    assert_in_range(report.packed_bytes, 1, TEXT_BYTES / 2);
    assert_false(is_there("00000001.jsonl"));
    assert_false(is_there(".pack.tmp"));
    assert_true(is_there("00000002.jsonl"));
    assert_reads_text();
    assert_int_equal(segment_pack_all(raw_fd, extents, 2, NULL, &report, &err), RESULT_OK);
    assert_int_equal(report.packed, 0);
}

/* After a kill between the rename and the removal both are there. */
static void segments__are_packed_again__when_both_are_there(void **state)
{
    struct segment_pack_report report;
    struct err err;

    (void)state;
    begin_segments();
    assert_int_equal(segment_pack_all(raw_fd, extents, 2, NULL, &report, &err), RESULT_OK);
    write_file("00000001.jsonl", text, TEXT_BYTES);
    assert_reads_text();
    assert_int_equal(segment_pack_all(raw_fd, extents, 2, NULL, &report, &err), RESULT_OK);
    assert_int_equal(report.packed, 1);
    assert_false(is_there("00000001.jsonl"));
    assert_reads_text();
}

static void segments__stay__when_they_are_not_as_the_ledger_says__or_all_is_to_stop(void **state)
{
    struct segment_pack_report report;
    atomic_bool stop;
    struct err err;

    (void)state;
    begin_segments();
    write_file("00000001.jsonl", text, TEXT_BYTES - 1);
    assert_int_equal(segment_pack_all(raw_fd, extents, 2, NULL, &report, &err), RESULT_OK);
    assert_int_equal(report.packed, 0);
    begin_segments();
    atomic_init(&stop, true);
    assert_int_equal(segment_pack_all(raw_fd, extents, 2, &stop, &report, &err), RESULT_CANCELLED);
    assert_true(is_there("00000001.jsonl"));
    assert_false(is_there("00000001.jsonl.zst"));
    assert_false(is_there(".pack.tmp"));
}

static void packer__packs_what_is_given__and_stops_at_once(void **state)
{
    struct packer *packer;
    struct err err;

    (void)state;
    begin_segments();
    assert_int_equal(packer_start(&packer, raw_fd, &err), RESULT_OK);
    packer_give(packer, extents, 1);
    packer_wait(packer);
    assert_true(is_there("00000001.jsonl")); /* it is the last */
    packer_give(packer, extents, 2);
    packer_wait(packer);
    assert_false(is_there("00000001.jsonl"));
    packer_stop(packer);
    assert_reads_text();
    begin_segments();
    assert_int_equal(packer_start(&packer, raw_fd, &err), RESULT_OK);
    packer_give(packer, extents, 2);
    packer_stop(packer);
    assert_reads_text();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__is_read_in_any_part),
        cmocka_unit_test(text__is_refused__when_a_byte_is_wrong_or_missing),
        cmocka_unit_test(segments__are_packed__but_the_last),
        cmocka_unit_test(segments__are_packed_again__when_both_are_there),
        cmocka_unit_test(segments__stay__when_they_are_not_as_the_ledger_says__or_all_is_to_stop),
        cmocka_unit_test(packer__packs_what_is_given__and_stops_at_once),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
