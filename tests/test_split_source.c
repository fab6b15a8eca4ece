/* table/split_source: a large document in parts, and what is left of it. */
#include "table/split_source.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define SPLIT 256 /* parts of 64 bytes, more or less */

/* One document in a file without a name. */
struct one {
    struct record_source source; /* first: it is handed to the split source */
    int fd;
    uint64_t length;
    bool given, closed;
};

static enum result one_next(struct record_source *source, struct record_piece *piece, bool *more,
                            struct err *err)
{
    struct one *one = (struct one *)source;

    (void)err;
    *more = !one->given;
    if (*more) {
        *piece = (struct record_piece){
            .form = RECORD_DOCUMENT, .fd = one->fd, .path = "x.json", .length = one->length
        };
    }
    one->given = true;
    return RESULT_OK;
}

static enum result one_rewind(struct record_source *source, struct err *err)
{
    (void)err;
    ((struct one *)source)->given = false;
    return RESULT_OK;
}

static void one_close(struct record_source *source)
{
    ((struct one *)source)->closed = true;
}

static void one_make(struct one *one, struct str text)
{
    *one = (struct one){ .source = { .next = one_next, .rewind = one_rewind, .close = one_close },
                         .fd = memfd_create("document", MFD_CLOEXEC),
                         .length = text.len };
    assert_true(one->fd >= 0);
    assert_int_equal(write(one->fd, text.data, text.len), text.len);
}

/* Pieces as a text: "step 0 [...]" for a part of an array, "step 1 {...}" of an object, "rest ..." for a document
 * without its parts, "whole ..." for one that was left alone. */
static void describe(const struct record_piece *piece, struct str text, struct buf *out)
{
    struct str bytes = { text.data + piece->offset, piece->length };

    if (piece->form == RECORD_PART) {
        assert_int_equal(buf_printf(out, "step %u %c%.*s%c\n", piece->step,
                                    piece->named ? '{' : '[', STR_ARG(bytes),
                                    piece->named ? '}' : ']'),
                         RESULT_OK);
        return;
    }
    if (!piece->gap_length) {
        assert_int_equal(buf_printf(out, "whole %.*s\n", STR_ARG(bytes)), RESULT_OK);
        return;
    }
    assert_int_equal(buf_printf(out, "rest %.*s%.*s\n", (int)(piece->gap - piece->offset),
                                text.data + piece->offset,
                                (int)(piece->length - (piece->gap + piece->gap_length)),
                                text.data + piece->gap + piece->gap_length),
                     RESULT_OK);
}

static void read_all(struct record_source *source, struct str text, struct buf *out)
{
    struct record_piece piece;
    struct err err;
    bool more = true;

    buf_reset(out);
    while (more) {
        assert_int_equal(source->next(source, &piece, &more, &err), RESULT_OK);
        if (more) {
            describe(&piece, text, out);
        }
    }
    assert_non_null(buf_cstr(out));
}

static void assert_split(struct str text, const char *pointer, const char *want)
{
    struct json_pointer records = { .count = 0 };
    struct record_source *source;
    struct one one;
    struct buf out = { 0 };
    struct err err;

    one_make(&one, text);
    if (pointer) {
        assert_int_equal(json_pointer_parse(&records, str_view(pointer), &err), RESULT_OK);
    }
    source = split_source_open(&one.source, pointer ? &records : NULL, SPLIT);
    assert_non_null(source);
    read_all(source, text, &out);
    assert_string_equal(buf_cstr(&out), want);

    assert_int_equal(source->rewind(source, &err), RESULT_OK); /* the same again */
    read_all(source, text, &out);
    assert_string_equal(buf_cstr(&out), want);
    source->close(source);
    assert_true(one.closed);
    close(one.fd);
    buf_release(&out);
}

/* Numbers of ten digits and a comma: 11 bytes each, so that one knows where parts end. */
static void put_numbers(struct buf *out, unsigned from, unsigned count)
{
    for (unsigned i = from; i < from + count; i++) {
        assert_int_equal(buf_printf(out, "%s%010u", i > from ? "," : "", i + 1000000000),
                         RESULT_OK);
    }
}

/* As they are cut: read by 128 bytes (two blocks, as a part should have 64), at the last comma of them. */
static void put_parts(struct buf *out, unsigned step, const unsigned *counts)
{
    unsigned from = 0;

    for (; *counts; from += *counts++) {
        assert_int_equal(buf_printf(out, "step %u [", step), RESULT_OK);
        put_numbers(out, from, *counts);
        assert_int_equal(buf_append_str(out, STR("]\n")), RESULT_OK);
    }
}

static void array__comes_in_parts__and_then_what_is_left(void **state)
{
    static const unsigned counts[] = { 11, 12, 7, 0 };
    struct buf text = { 0 }, want = { 0 };

    (void)state;
    assert_int_equal(buf_append_str(&text, STR("{\"n\":1,\"items\":[")), RESULT_OK);
    put_numbers(&text, 0, 30);
    assert_int_equal(buf_append_str(&text, STR("],\"next\":null}")), RESULT_OK);
    put_parts(&want, 1, counts);
    assert_int_equal(buf_append_str(&want, STR("rest {\"n\":1,\"items\":[],\"next\":null}\n")),
                     RESULT_OK);
    assert_split(buf_view(&text), "/items", buf_cstr(&want));
    buf_release(&text);
    buf_release(&want);
}

static void document__is_its_own_array__without_a_pointer(void **state)
{
    static const unsigned counts[] = { 11, 12, 7, 0 };
    struct buf text = { 0 }, want = { 0 };

    (void)state;
    assert_int_equal(buf_append_str(&text, STR("[")), RESULT_OK);
    put_numbers(&text, 0, 30);
    assert_int_equal(buf_append_str(&text, STR("]")), RESULT_OK);
    put_parts(&want, 0, counts);
    assert_int_equal(buf_append_str(&want, STR("rest []\n")), RESULT_OK);
    assert_split(buf_view(&text), NULL, buf_cstr(&want));
    buf_release(&text);
    buf_release(&want);
}

static void object__comes_in_named_parts__where_the_pointer_has_a_star(void **state)
{
    struct buf text = { 0 }, want = { 0 };

    (void)state;
    assert_int_equal(buf_append_str(&text, STR("{\"data\":{")), RESULT_OK);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(
            buf_printf(&text, "%s\"key %02d\":{\"rows\":[%d,{}]}", i ? "," : "", i, i % 9),
            RESULT_OK);
    }
    assert_int_equal(buf_append_str(&text, STR("}}")), RESULT_OK);
    assert_int_equal(
        buf_append_str(&want,
                       STR("step 1 {\"key 00\":{\"rows\":[0,{}]},\"key 01\":{\"rows\":[1,{}]},"
                           "\"key 02\":{\"rows\":[2,{}]},\"key 03\":{\"rows\":[3,{}]},"
                           "\"key 04\":{\"rows\":[4,{}]}}\n"
                           "step 1 {\"key 05\":{\"rows\":[5,{}]},\"key 06\":{\"rows\":[6,{}]},"
                           "\"key 07\":{\"rows\":[7,{}]},\"key 08\":{\"rows\":[8,{}]},"
                           "\"key 09\":{\"rows\":[0,{}]}}\n"
                           "step 1 {\"key 10\":{\"rows\":[1,{}]},\"key 11\":{\"rows\":[2,{}]}}\n"
                           "rest {\"data\":{}}\n")),
        RESULT_OK);
    assert_split(buf_view(&text), "/data/*/rows", buf_cstr(&want));
    buf_release(&text);
    buf_release(&want);
}

static void document__stays_whole__where_it_cannot_be_cut(void **state)
{
    static const struct {
        const char *before, *after, *pointer;
    } cases[] = {
        { "{\"a\":[", "]}", "/b" },              /* nothing is there */
        { "{\"a\":[[", "]]}", "/a/0" },          /* an element is counted */
        { "{\"a\":{\"b\":[", "]}}", "/a" },      /* a single record */
        { "{\"a\" [", "]}", "/a" },              /* no JSON on the way there */
        { "{\"x\":\"", "\",\"a\":[1]", "/a/b" }, /* an array has no members of that name */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text = { 0 }, want = { 0 };

        print_message("%s ... %s at %s\n", cases[i].before, cases[i].after, cases[i].pointer);
        assert_int_equal(buf_append_str(&text, str_view(cases[i].before)), RESULT_OK);
        put_numbers(&text, 0, 30);
        assert_int_equal(buf_append_str(&text, str_view(cases[i].after)), RESULT_OK);
        assert_int_equal(buf_printf(&want, "whole %.*s\n", STR_ARG(buf_view(&text))), RESULT_OK);
        assert_split(buf_view(&text), cases[i].pointer, buf_cstr(&want));
        buf_release(&text);
        buf_release(&want);
    }
}

static void small_document__stays_whole(void **state)
{
    (void)state;
    assert_split(STR("[1,2,3]"), NULL, "whole [1,2,3]\n");
    assert_split(STR("[]"), NULL, "whole []\n");
}

/* Commas and brackets in strings and in containers are not the array's own. */
static void cuts__are_between_members__whatever_these_hold(void **state)
{
    struct buf text = { 0 }, out = { 0 };
    struct record_source *source;
    struct record_piece piece;
    struct one one;
    struct err err;
    bool more = true;
    size_t parts = 0;

    (void)state;
    assert_int_equal(buf_append_str(&text, STR("[")), RESULT_OK);
    for (int i = 0; i < 60; i++) {
        assert_int_equal(buf_printf(&text,
                                    "%s{\"t\":\"],%d,\\\"[{,\",\"a\":[[%d,{\"b\":\"}\"}],2]}",
                                    i ? ", " : "", i, i),
                         RESULT_OK);
    }
    assert_int_equal(buf_append_str(&text, STR("]")), RESULT_OK);
    one_make(&one, buf_view(&text));
    source = split_source_open(&one.source, NULL, SPLIT);
    while (more) {
        assert_int_equal(source->next(source, &piece, &more, &err), RESULT_OK);
        if (more && piece.form == RECORD_PART) {
            buf_reset(&out);
            assert_int_equal(
                buf_printf(&out, "[%.*s]", (int)piece.length, text.data + piece.offset), RESULT_OK);
            assert_true(json_check(buf_view(&out), JSON_DEPTH_MAX, NULL));
            parts++;
        }
    }
    assert_in_range(parts, 10, 60);
    source->close(source);
    close(one.fd);
    buf_release(&text);
    buf_release(&out);
}

static void rest__is_the_whole__when_the_array_is_empty_or_never_ends(void **state)
{
    static const unsigned counts[] = { 11, 12, 0 };
    struct buf text = { 0 }, want = { 0 };

    (void)state;
    assert_int_equal(buf_printf(&text, "{\"items\":[ \n ],\"pad\":\"%0300d\"}", 0), RESULT_OK);
    assert_int_equal(buf_printf(&want, "whole %.*s\n", STR_ARG(buf_view(&text))), RESULT_OK);
    assert_split(buf_view(&text), "/items", buf_cstr(&want));

    buf_reset(&text);
    buf_reset(&want);
    assert_int_equal(buf_append_str(&text, STR("[")), RESULT_OK);
    put_numbers(&text, 0, 30);
    put_parts(&want, 0, counts);
    /* What comes after the last comma is in nobody's part: the rest is invalid, so the document is looked at whole. */
    assert_int_equal(buf_append_str(&want, STR("step 0 [")), RESULT_OK);
    put_numbers(&want, 23, 6);
    assert_int_equal(buf_append_str(&want, STR("]\nrest [\n")), RESULT_OK);
    assert_split(buf_view(&text), NULL, buf_cstr(&want));
    buf_release(&text);
    buf_release(&want);
}

static void disabled__documents_come_whole__after_the_next_rewind(void **state)
{
    struct buf text = { 0 }, out = { 0 }, want = { 0 };
    struct record_source *source;
    struct one one;
    struct err err;

    (void)state;
    assert_int_equal(buf_append_str(&text, STR("[")), RESULT_OK);
    put_numbers(&text, 0, 30);
    assert_int_equal(buf_append_str(&text, STR("]")), RESULT_OK);
    one_make(&one, buf_view(&text));
    source = split_source_open(&one.source, NULL, SPLIT);
    split_source_disable(source);
    assert_int_equal(source->rewind(source, &err), RESULT_OK);
    read_all(source, buf_view(&text), &out);
    assert_int_equal(buf_printf(&want, "whole %.*s\n", STR_ARG(buf_view(&text))), RESULT_OK);
    assert_string_equal(buf_cstr(&out), buf_cstr(&want));
    source->close(source);
    close(one.fd);
    buf_release(&text);
    buf_release(&out);
    buf_release(&want);
}

static void file__is_told_of__when_it_got_shorter(void **state)
{
    struct buf text = { 0 };
    struct record_source *source;
    struct record_piece piece;
    struct one one;
    struct err err;
    bool more;

    (void)state;
    assert_int_equal(buf_append_str(&text, STR("[")), RESULT_OK);
    put_numbers(&text, 0, 30);
    assert_int_equal(buf_append_str(&text, STR("]")), RESULT_OK);
    one_make(&one, buf_view(&text));
    assert_int_equal(ftruncate(one.fd, 100), 0);
    source = split_source_open(&one.source, NULL, SPLIT);
    assert_int_equal(source->next(source, &piece, &more, &err), RESULT_CORRUPT);
    assert_string_equal(err.code, "E-TAB2");
    assert_string_equal(err.text, "x.json got shorter while it was being read");
    source->close(source);
    close(one.fd);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(array__comes_in_parts__and_then_what_is_left),
        cmocka_unit_test(document__is_its_own_array__without_a_pointer),
        cmocka_unit_test(object__comes_in_named_parts__where_the_pointer_has_a_star),
        cmocka_unit_test(document__stays_whole__where_it_cannot_be_cut),
        cmocka_unit_test(small_document__stays_whole),
        cmocka_unit_test(cuts__are_between_members__whatever_these_hold),
        cmocka_unit_test(rest__is_the_whole__when_the_array_is_empty_or_never_ends),
        cmocka_unit_test(disabled__documents_come_whole__after_the_next_rewind),
        cmocka_unit_test(file__is_told_of__when_it_got_shorter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
