/* What compressors of the same libraries have made is unpacked, whatever pieces it comes in and whatever room there
 * is; what they have not made is refused. */
#include "read/coding.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <brotli/encode.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define TEXT_BYTES 200000
#define PACKED_MAX (TEXT_BYTES + 4096)
#define MIB (1U << 20)

static char text[TEXT_BYTES];

static int make_text(void **state)
{
    uint32_t x = 1;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++) {
        x = x * 1664525U + 1013904223U;
        text[i] = (char)('a' + (x >> 28));
    }
    return 0;
}

static void append(struct buf *to, const void *bytes, size_t len)
{
    assert_int_equal(buf_append(to, bytes, len), RESULT_OK);
}

/* `bits` as deflateInit2 has them: 15 + 16 gzip, 15 zlib, -15 neither. */
static void deflate_to(struct buf *to, struct str from, int bits)
{
    z_stream z = { .next_in = (z_const Bytef *)(uintptr_t)from.data, .avail_in = (uInt)from.len };
    size_t room = from.len + 4096;

    assert_int_equal(buf_reserve(to, room), RESULT_OK);
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_out = (Bytef *)to->data + to->len;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    to->len += z.total_out;
    deflateEnd(&z);
}

static void pack(struct buf *to, struct str from, enum coding_kind kind)
{
    static char bytes[2 * PACKED_MAX];
    size_t len = sizeof bytes;

    switch (kind) {
    case CODING_GZIP:
        deflate_to(to, from, MAX_WBITS + 16);
        return;
    case CODING_DEFLATE:
        deflate_to(to, from, MAX_WBITS);
        return;
    case CODING_ZSTD:
        len = ZSTD_compress(bytes, len, from.data, from.len, 3);
        assert_false(ZSTD_isError(len));
        break;
    case CODING_BR:
        assert_true(BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, from.len,
                                          (const uint8_t *)from.data, &len, (uint8_t *)bytes));
        break;
    }
    append(to, bytes, len);
}

struct unpacked {
    enum coding_result result;
    bool whole;
    size_t memory; /* the most */
    struct buf bytes;
};

/* In pieces of so many bytes, into so much room at a time. */
static struct unpacked unpack(const char *names, struct str packed, size_t piece_len, size_t room)
{
    struct unpacked u = { .result = CODING_OK };
    struct coding_list list = { .count = 0 };
    struct coding *coding = NULL;
    char *out = malloc(room);

    coding_list_add(&list, str_view(names));
    u.result = coding_open(&coding, &list);
    while (u.result == CODING_OK && packed.len) {
        struct str piece = { packed.data, packed.len < piece_len ? packed.len : piece_len };

        packed = (struct str){ packed.data + piece.len, packed.len - piece.len };
        do {
            size_t made, before = piece.len;

            u.result = coding_step(coding, &piece, out, room, &made);
            assert_true(made <= room && piece.len <= before);
            append(&u.bytes, out, made);
            u.memory = coding_memory(coding) > u.memory ? coding_memory(coding) : u.memory;
        } while (u.result == CODING_OK && (piece.len || coding_has_more(coding)));
    }
    u.whole = coding && coding_is_whole(coding);
    coding_close(coding);
    free(out);
    return u;
}

static void assert_unpacks(const char *names, struct str packed, struct str want)
{
    static const size_t pieces[] = { 1, 7, 4096, SIZE_MAX }, rooms[] = { 1, 1000, MIB };

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        for (size_t j = 0; j < sizeof rooms / sizeof rooms[0]; j++) {
            struct unpacked u = unpack(names, packed, pieces[i], rooms[j]);

            if (u.result != CODING_OK || !u.whole || !str_equal(buf_view(&u.bytes), want)) {
                fail_msg("%s in pieces of %zu into %zu: result %d, %s, %zu bytes of %zu", names,
                         pieces[i], rooms[j], (int)u.result, u.whole ? "whole" : "cut", u.bytes.len,
                         want.len);
            }
            buf_release(&u.bytes);
        }
    }
}

static enum coding_result result_of(const char *names, struct str packed)
{
    struct unpacked u = unpack(names, packed, SIZE_MAX, MIB);

    buf_release(&u.bytes);
    return u.result;
}

static void each_coding__is_unpacked__in_any_pieces(void **state)
{
    static const char *const names[] = { "gzip", "deflate", "zstd", "br" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buf packed = { 0 };

        pack(&packed, (struct str){ text, sizeof text }, (enum coding_kind)i);
        assert_unpacks(names[i], buf_view(&packed), (struct str){ text, sizeof text });
        buf_reset(&packed);
        pack(&packed, (struct str){ text, 0 }, (enum coding_kind)i);
        assert_unpacks(names[i], buf_view(&packed), (struct str){ text, 0 });
        buf_release(&packed);
    }
}

static void deflate__is_unpacked__without_its_head(void **state)
{
    struct buf packed = { 0 };

    (void)state;
    deflate_to(&packed, (struct str){ text, sizeof text }, -MAX_WBITS);
    assert_unpacks("deflate", buf_view(&packed), (struct str){ text, sizeof text });
    buf_release(&packed);
}

static void members_and_frames__are_read_whole(void **state)
{
    static const struct {
        const char *name;
        enum coding_kind kind;
    } samples[] = { { "gzip", CODING_GZIP }, { "X-GZip", CODING_GZIP }, { "zstd", CODING_ZSTD } };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct buf packed = { 0 };

        pack(&packed, (struct str){ text, 5 }, samples[i].kind);
        pack(&packed, (struct str){ text, 0 }, samples[i].kind);
        pack(&packed, (struct str){ text + 5, sizeof text - 5 }, samples[i].kind);
        assert_unpacks(samples[i].name, buf_view(&packed), (struct str){ text, sizeof text });
        buf_release(&packed);
    }
}

static void rest__is_passed_over__when_it_begins_no_member(void **state)
{
    static const struct str rests[] = { STR_INIT("\0\0\0\0"), STR_INIT("\r\n"), STR_INIT("\x1f"),
                                        STR_INIT("\x1f\x1f"), STR_INIT("trailing words") };

    (void)state;
    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        struct buf packed = { 0 };

        pack(&packed, (struct str){ text, 100 }, CODING_GZIP);
        append(&packed, rests[i].data, rests[i].len);
        assert_unpacks("gzip", buf_view(&packed), (struct str){ text, 100 });
        buf_release(&packed);
    }
}

static void several_codings__are_undone_from_the_last(void **state)
{
    struct buf once = { 0 }, twice = { 0 }, thrice = { 0 };

    (void)state;
    pack(&once, (struct str){ text, sizeof text }, CODING_GZIP);
    pack(&twice, buf_view(&once), CODING_BR);
    pack(&thrice, buf_view(&twice), CODING_DEFLATE);
    assert_unpacks("gzip, br", buf_view(&twice), (struct str){ text, sizeof text });
    assert_unpacks("gzip,identity ,br,,deflate", buf_view(&thrice),
                   (struct str){ text, sizeof text });
    buf_release(&once);
    buf_release(&twice);
    buf_release(&thrice);
}

static void body__is_not_whole__when_it_is_cut(void **state)
{
    static const char *const names[] = { "gzip", "deflate", "zstd", "br" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buf packed = { 0 };

        pack(&packed, (struct str){ text, 1000 }, (enum coding_kind)i);
        for (size_t len = 1; len < packed.len; len++) {
            struct unpacked u = unpack(names[i], (struct str){ packed.data, len }, SIZE_MAX, MIB);

            if (u.result == CODING_OK && u.whole) {
                fail_msg("%s: %zu bytes of %zu look whole", names[i], len, packed.len);
            }
            buf_release(&u.bytes);
        }
        buf_release(&packed);
    }
}

static void body__is_not_whole__when_its_second_member_is_cut(void **state)
{
    struct buf packed = { 0 };
    size_t first;

    (void)state;
    pack(&packed, (struct str){ text, 1000 }, CODING_GZIP);
    first = packed.len;
    pack(&packed, (struct str){ text, 1000 }, CODING_GZIP);
    for (size_t len = first + 2; len < packed.len; len++) {
        struct unpacked u = unpack("gzip", (struct str){ packed.data, len }, SIZE_MAX, MIB);

        assert_true(u.result == CODING_OK && !u.whole);
        buf_release(&u.bytes);
    }
    buf_release(&packed);
}

static void text__is_copied__that_only_says_it_is_gzip(void **state)
{
    struct buf packed = { 0 };

    (void)state;
    assert_unpacks("gzip", STR("{\"a\":1}"), STR("{\"a\":1}"));
    assert_unpacks("gzip", STR("["), STR("["));
    pack(&packed, STR("[\"packed once\"]"), CODING_GZIP);
    assert_unpacks("gzip,gzip", buf_view(&packed), STR("[\"packed once\"]"));
    assert_unpacks("aws-chunked,gzip", buf_view(&packed), STR("[\"packed once\"]"));
    buf_release(&packed);
}

static void other_bytes__are_refused(void **state)
{
    struct buf packed = { 0 };

    (void)state;
    assert_int_equal(result_of("gzip", STR("\x1f{\"a\":1}")), CODING_BROKEN);
    assert_int_equal(result_of("gzip", STR("PK\3\4")), CODING_BROKEN);
    assert_int_equal(result_of("deflate", STR("\x07\x07\x07\x07")), CODING_BROKEN);
    assert_int_equal(result_of("zstd", STR("{\"a\":1}")), CODING_BROKEN);
    assert_int_equal(result_of("br", STR("\x11\x11\x11\x11")), CODING_BROKEN);
    pack(&packed, (struct str){ text, 1000 }, CODING_GZIP);
    packed.data[packed.len - 6] ^= 1; /* its checksum */
    assert_int_equal(result_of("gzip", buf_view(&packed)), CODING_BROKEN);
    buf_release(&packed);
}

static void names__are_told__that_nobody_knows(void **state)
{
    struct coding_list list = { .count = 0 };
    struct coding *coding = NULL;

    (void)state;
    coding_list_add(&list, STR("gzip"));
    coding_list_add(&list, STR("compress\x1b[2J, br"));
    assert_int_equal(coding_open(&coding, &list), CODING_UNKNOWN);
    assert_string_equal(list.unknown, "compress?[2J");
    assert_int_equal(result_of("gzip,gzip,gzip,gzip", STR("x")), CODING_TOO_MANY);
}

static void no_coding__is_in_the_list(void **state)
{
    struct coding_list list = { .count = 0 };

    (void)state;
    coding_list_add(&list, STR(" identity, none ,UTF-8"));
    coding_list_add(&list, STR(""));
    assert_true(list.count == 0 && list.fault == CODING_OK);
}

/* A frame of which the window, and so the memory, is the sender's to choose. */
static struct unpacked unpack_zstd_of_window(int log)
{
    static const char zeros[4096];
    ZSTD_CCtx *context = ZSTD_createCCtx();
    char bytes[8192];
    ZSTD_inBuffer in = { zeros, sizeof zeros, 0 };
    ZSTD_outBuffer out = { bytes, sizeof bytes, 0 };
    struct unpacked u;

    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, log);
    ZSTD_compressStream2(context, &out, &in,
                         ZSTD_e_flush); /* so that it does not know how little comes */
    assert_int_equal(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0);
    ZSTD_freeCCtx(context);
    u = unpack("zstd", (struct str){ bytes, out.pos }, SIZE_MAX, MIB);
    buf_release(&u.bytes);
    return u;
}

static void window__has_a_ceiling_and_is_told(void **state)
{
    struct unpacked u = unpack_zstd_of_window(23);

    (void)state;
    assert_int_equal(u.result, CODING_OK);
    assert_in_range(u.memory, 8 * MIB, 9 * MIB);
    u = unpack_zstd_of_window(24);
    assert_int_equal(u.result, CODING_WIDE);
    assert_in_range(u.memory, 1, MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_coding__is_unpacked__in_any_pieces),
        cmocka_unit_test(deflate__is_unpacked__without_its_head),
        cmocka_unit_test(members_and_frames__are_read_whole),
        cmocka_unit_test(rest__is_passed_over__when_it_begins_no_member),
        cmocka_unit_test(several_codings__are_undone_from_the_last),
        cmocka_unit_test(body__is_not_whole__when_it_is_cut),
        cmocka_unit_test(body__is_not_whole__when_its_second_member_is_cut),
        cmocka_unit_test(text__is_copied__that_only_says_it_is_gzip),
        cmocka_unit_test(other_bytes__are_refused),
        cmocka_unit_test(names__are_told__that_nobody_knows),
        cmocka_unit_test(no_coding__is_in_the_list),
        cmocka_unit_test(window__has_a_ceiling_and_is_told),
    };

    return cmocka_run_group_tests(tests, make_text, NULL);
}
