/* Packed files, read by the libraries that others read them with: one member or frame, the same for any workers. */
#include "table/packing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

struct file {
    struct buf bytes;
    unsigned writes, fail_at; /* 0: never */
};

static enum result write_file(void *context, struct str bytes, struct err *err)
{
    struct file *f = context;

    if (++f->writes == f->fail_at) {
        return err_set(err, RESULT_IO, "E-TAB1", "no space left");
    }
    assert_int_equal(buf_append_str(&f->bytes, bytes), RESULT_OK);
    return RESULT_OK;
}

/* Rows such as a table has. */
static struct buf rows(size_t bytes)
{
    struct buf text = { 0 };
    uint32_t seed = 5;

    while (text.len < bytes) {
        seed = seed * 1664525U + 1013904223U;
        assert_int_equal(buf_printf(&text, "%u,name of %u,%s\n", seed >> 8, seed % 97,
                                    seed & 1024 ? "true" : "false"),
                         RESULT_OK);
    }
    text.len = bytes;
    return text;
}

static enum result take(const struct table_packing *p, void *stream, struct str block, void *packer,
                        struct err *err)
{
    struct buf packed = { 0 };
    enum result result;

    if (!p->pack) {
        return p->take(stream, block, err);
    }
    assert_int_equal(p->pack(packer, block, &packed, err), RESULT_OK);
    result = p->take(stream, buf_view(&packed), err);
    buf_release(&packed);
    return result;
}

/* The text as a file of blocks of that length; packers take turns, as workers do. */
static struct buf pack(const struct table_packing *p, struct str text, size_t block,
                       unsigned workers)
{
    struct file file = { .writes = 0 };
    const struct packing_target target = { write_file, &file, workers };
    void *stream, *packers[4] = { NULL };

    assert_in_range(workers, 1, 4);
    for (unsigned i = 0; p->packer_new && i < workers; i++) {
        packers[i] = p->packer_new();
        assert_non_null(packers[i]);
    }
    assert_int_equal(p->open(&stream, &target, NULL), RESULT_OK);
    for (size_t at = 0, n = 0; at < text.len; at += block, n++) {
        size_t len = text.len - at < block ? text.len - at : block;

        assert_int_equal(
            take(p, stream, (struct str){ text.data + at, len }, packers[n % workers], NULL),
            RESULT_OK);
    }
    assert_int_equal(p->finish(stream, NULL), RESULT_OK);
    p->close(stream);
    for (unsigned i = 0; p->packer_free && i < workers; i++) {
        p->packer_free(packers[i]);
    }
    return file.bytes;
}

/* --- what a reader does ------------------------------------------------------------------------------ */

/* One gzip member, with its CRC and length, and nothing after. */
static void assert_gzip(const struct buf *file, struct str want)
{
    unsigned char *out = malloc(want.len + 1);
    z_stream z = { .next_in = (unsigned char *)file->data,
                   .avail_in = (uInt)file->len,
                   .next_out = out,
                   .avail_out = (uInt)want.len + 1 };

    assert_non_null(out);
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    assert_int_equal(z.total_out, want.len);
    assert_memory_equal(out, want.len ? want.data : "", want.len);
    inflateEnd(&z);
    free(out);
}

/* One zstd frame, with a checksum, and nothing after. */
static void assert_zstd(const struct buf *file, struct str want)
{
    char *out = malloc(want.len + 1);

    assert_non_null(out);
    assert_int_equal(ZSTD_findFrameCompressedSize(file->data, file->len), file->len);
    assert_true(file->data[4] & 4); /* Content_Checksum_flag (RFC 8878, 3.1.1.1.1) */
    assert_int_equal(ZSTD_decompress(out, want.len + 1, file->data, file->len), want.len);
    assert_memory_equal(out, want.len ? want.data : "", want.len);
    free(out);
}

static const struct {
    const struct table_packing *packing;
    const char *ending;
    void (*check)(const struct buf *file, struct str want);
} packings[] = { { &gzip_packing, "gz", assert_gzip }, { &zstd_packing, "zst", assert_zstd } };

#define PACKINGS (sizeof packings / sizeof packings[0])

static void table_packings__are_all__by_their_endings(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACKINGS; i++) {
        assert_ptr_equal(table_packings[i], packings[i].packing);
        assert_string_equal(table_packings[i]->ending, packings[i].ending);
    }
    assert_null(table_packings[PACKINGS]);
}

static void file__gives_back_the_rows__and_is_the_same_for_any_workers(void **state)
{
    struct buf text = rows(1 << 20);

    (void)state;
    for (size_t i = 0; i < PACKINGS; i++) {
        struct buf one = pack(packings[i].packing, buf_view(&text), 100000, 1);
        struct buf four = pack(packings[i].packing, buf_view(&text), 100000, 4);

        packings[i].check(&one, buf_view(&text));
        assert_in_range(one.len, 1000, text.len / 2);
        assert_int_equal(one.len, four.len);
        assert_memory_equal(one.data, four.data, one.len);
        buf_release(&one);
        buf_release(&four);
    }
    buf_release(&text);
}

static void file__is_whole__when_there_are_no_rows__or_blocks_of_a_byte(void **state)
{
    struct buf text = rows(500);

    (void)state;
    for (size_t i = 0; i < PACKINGS; i++) {
        struct buf none = pack(packings[i].packing, STR_NONE, 1, 1);
        struct buf many = pack(packings[i].packing, buf_view(&text), 1, 2);

        packings[i].check(&none, STR_NONE);
        packings[i].check(&many, buf_view(&text));
        buf_release(&none);
        buf_release(&many);
    }
    buf_release(&text);
}

/* What cannot be packed gets longer: there is room for it. */
static void file__gives_back_noise__of_any_length(void **state)
{
    static const size_t lengths[] = { 1, 65535, 65536, 300001 };
    struct buf noise = { 0 };
    uint32_t seed = 9;

    (void)state;
    for (size_t i = 0; i < 300001; i++) {
        seed = seed * 1664525U + 1013904223U;
        assert_int_equal(buf_append_char(&noise, (char)(seed >> 24)), RESULT_OK);
    }
    for (size_t i = 0; i < PACKINGS; i++) {
        for (size_t n = 0; n < sizeof lengths / sizeof lengths[0]; n++) {
            struct str part = { noise.data, lengths[n] };
            struct buf file = pack(packings[i].packing, part, lengths[n], 1);

            packings[i].check(&file, part);
            buf_release(&file);
        }
    }
    buf_release(&noise);
}

/* RFC 1952: no name and no time, so that the same table is the same file. */
static void gzip__begins_and_ends_as_the_format_says(void **state)
{
    static const unsigned char none[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, /* the header */
                                          3,    0,    0, 0, 0, 0, 0, 0, 0, 0 };
    static const unsigned char end[] = { 3, 0, 0x26, 0x39, 0xf4, 0xcb, 9, 0, 0, 0 };
    struct buf file = pack(&gzip_packing, STR_NONE, 1, 1);

    (void)state;
    assert_int_equal(file.len, sizeof none);
    assert_memory_equal(file.data, none, sizeof none);
    buf_release(&file);
    file = pack(&gzip_packing, STR("123456789"), 4, 2); /* whose CRC-32 all know: cbf43926 */
    assert_memory_equal(file.data + file.len - sizeof end, end, sizeof end);
    buf_release(&file);
}

static void error_of_the_file__comes_back__wherever_it_is_met(void **state)
{
    struct buf text = rows(200000);

    (void)state;
    for (size_t i = 0; i < PACKINGS; i++) {
        const struct table_packing *p = packings[i].packing;
        unsigned fail_at = 0, failed = 1;

        while (failed) { /* at the first write, the second, and so on, until there are no more */
            struct file file = { .fail_at = ++fail_at };
            const struct packing_target target = { write_file, &file, 1 };
            void *stream, *packer = p->packer_new ? p->packer_new() : NULL;
            struct err err = { .result = RESULT_OK };
            enum result result = p->open(&stream, &target, &err);

            result = result == RESULT_OK ? take(p, stream, buf_view(&text), packer, &err) : result;
            result = result == RESULT_OK ? p->finish(stream, &err) : result;
            failed = file.writes >= fail_at;
            assert_int_equal(result, failed ? RESULT_IO : RESULT_OK);
            assert_string_equal(failed ? err.text : "", failed ? "no space left" : "");
            p->close(stream);
            if (packer) {
                p->packer_free(packer);
            }
            buf_release(&file.bytes);
        }
        assert_in_range(fail_at, 2, 20);
    }
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_packings__are_all__by_their_endings),
        cmocka_unit_test(file__gives_back_the_rows__and_is_the_same_for_any_workers),
        cmocka_unit_test(file__is_whole__when_there_are_no_rows__or_blocks_of_a_byte),
        cmocka_unit_test(file__gives_back_noise__of_any_length),
        cmocka_unit_test(gzip__begins_and_ends_as_the_format_says),
        cmocka_unit_test(error_of_the_file__comes_back__wherever_it_is_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
