/* Bodies of any format, as the JSON that is made of them. */
#include "read/body_read.h"

#include "base/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#define UNPACKED_MAX ((uint64_t)4 << 20)

struct example {
    const char *type, *body, *json; /* NULL: it is refused ... */
    enum result result;             /* ... so */
    enum body_format as;
};

static enum result read_body(struct str body, const char *type, const struct body_reading *how,
                             struct buf *out, struct body_found *found)
{
    char *copy = malloc(body.len + 1); /* so that a byte too far is seen */
    enum result result;

    assert_non_null(copy);
    memcpy(copy, body.data, body.len);
    *out = (struct buf){ .max = 32 << 20 };
    result =
        body_read((struct str){ copy, body.len }, str_view(type), how, UNPACKED_MAX, out, found);
    if (result == RESULT_OK) {
        assert_true(json_check(buf_view(out), JSON_DEPTH_MAX, NULL));
    }
    free(copy);
    return result;
}

static void check(const struct example *example)
{
    const struct body_reading how = { .as = example->as };
    struct body_found found;
    struct buf out;
    enum result result = read_body(str_view(example->body), example->type, &how, &out, &found);

    assert_int_equal(result, example->json ? RESULT_OK : example->result);
    if (example->json) {
        assert_string_equal(buf_cstr(&out), example->json);
    }
    buf_release(&out);
}

#define CHECK_ALL(examples)                                                                        \
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {                            \
        check(&examples[i]);                                                                       \
    }

static void csv__is_an_object_a_row(void **state)
{
    static const struct example examples[] = {
        { "text/csv", "a,b\n1,x\n", "[{\"a\":\"1\",\"b\":\"x\"}]", 0, 0 },
        { "text/csv", "a,b\r\n1,x", "[{\"a\":\"1\",\"b\":\"x\"}]", 0, 0 },
        { "text/csv", "a\r1\r", "[{\"a\":\"1\"}]", 0, 0 },
        { "text/csv", "\n\na\n\n1\n\n", "[{\"a\":\"1\"}]", 0, 0 },
        { "text/csv", "a,b\n\"x\ny\",\"q\"\"q\"\n", "[{\"a\":\"x\\ny\",\"b\":\"q\\\"q\"}]", 0, 0 },
        { "text/csv", "a,b\n\"x\"y,z\"w\n", "[{\"a\":\"xy\",\"b\":\"z\\\"w\"}]", 0, 0 },
        { "text/csv", "a,b\n,\"\"\n", "[{\"a\":null,\"b\":\"\"}]", 0, 0 },
        { "text/csv", "a;b\n1,5;2\n", "[{\"a\":\"1,5\",\"b\":\"2\"}]", 0, 0 },
        { "text/csv", "sep=|\na|b\n1|2\n", "[{\"a\":\"1\",\"b\":\"2\"}]", 0, 0 },
        { "text/csv", "a,a,\n1,2,3\n", "[{\"a\":\"1\",\"a_2\":\"2\",\"column_3\":\"3\"}]", 0, 0 },
        { "text/csv", "a,b\n1,2,3,4\n5\n",
          "[{\"a\":\"1\",\"b\":\"2\",\"_more\":[\"3\",\"4\"]},{\"a\":\"5\"}]", 0, 0 },
        { "text/csv; header=absent", "1,2\n", "[{\"column_1\":\"1\",\"column_2\":\"2\"}]", 0, 0 },
        { "text/csv",
          "\xEF\xBB\xBF"
          "a\n1\n",
          "[{\"a\":\"1\"}]", 0, 0 },
        { "text/csv; charset=windows-1252", "a\n\x80\n", "[{\"a\":\"\xE2\x82\xAC\"}]", 0, 0 },
        { "text/csv", "a\n", "[]", 0, 0 },
        { "text/tab-separated-values", "a\tb\n1,2\t\n", "[{\"a\":\"1,2\",\"b\":null}]", 0, 0 },
        { "text/csv", "a,b\n1,\"2", NULL, RESULT_INVALID, 0 },
        { "text/csv", "a\n\xFF\n", NULL, RESULT_DENIED, 0 },
        { "application/json", "a,b\n1,2\n", "[{\"a\":\"1\",\"b\":\"2\"}]", 0, BODY_CSV },
    };

    (void)state;
    CHECK_ALL(examples)
}

static void table__is_sniffed__where_nothing_else_is_said(void **state)
{
    static const struct example examples[] = {
        { "text/plain", "a,b\n1,2\n", "[{\"a\":\"1\",\"b\":\"2\"}]", 0, 0 },
        { "", "a|b\n1|2\n3|4", "[{\"a\":\"1\",\"b\":\"2\"},{\"a\":\"3\",\"b\":\"4\"}]", 0, 0 },
        { "text/plain", "Sorry, try later\n", NULL, RESULT_INVALID, 0 },
        { "text/plain", "Sorry, try later\nDear user\n", NULL, RESULT_INVALID, 0 },
        { "text/plain", "1,2\n3,4\n", NULL, RESULT_INVALID, 0 }, /* no names */
        { "application/json", "a,b\n1,2\n", NULL, RESULT_INVALID, 0 },
        { "text/html", "<html>a,b\n1,2\n", NULL, RESULT_INVALID, 0 },
        { "text/plain", "{\"a\":1}\n{\"a\":2}\n", "[{\"a\":1},{\"a\":2}]", 0, 0 },
        { "text/plain", "", NULL, RESULT_INVALID, 0 },
    };

    (void)state;
    CHECK_ALL(examples)
}

#define DEEP                                                                                       \
    "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>"

static void xml__is_an_object(void **state)
{
    static const struct example examples[] = {
        { "application/xml", "<a/>", "{\"a\":null}", 0, 0 },
        { "text/xml", "<a>x &amp; <![CDATA[<y>]]></a>", "{\"a\":\"x & <y>\"}", 0, 0 },
        { "application/atom+xml", "<a b=\"1\" c=\"\">\n <d>2</d>\n <e/><d> 3 </d></a>",
          "{\"a\":{\"@b\":\"1\",\"@c\":\"\",\"d\":[\"2\",\" 3 \"],\"e\":null}}", 0, 0 },
        { "text/xml", "<a> x <b>y</b> z </a>", "{\"a\":{\"b\":\"y\",\"#text\":\"x  z\"}}", 0, 0 },
        { "text/xml", "<a k='v'>x</a>", "{\"a\":{\"@k\":\"v\",\"#text\":\"x\"}}", 0, 0 },
        { "text/xml", "<r><a><b>1</b></a><a><b>2</b><b>3</b></a></r>",
          "{\"r\":{\"a\":[{\"b\":\"1\"},{\"b\":[\"2\",\"3\"]}]}}", 0, 0 },
        { "text/xml", "<?xml version='1.0' encoding='windows-1252'?><a>\x80\xFC</a>",
          "{\"a\":\"\xE2\x82\xAC\xC3\xBC\"}", 0, 0 },
        { "text/xml; charset=iso-8859-1", "<a>\xFC</a>", "{\"a\":\"\xC3\xBC\"}", 0, 0 },
        { "", "<?xml version='1.0'?><x:a xmlns:x='u'><x:b>1</x:b></x:a>",
          "{\"x:a\":{\"@xmlns:x\":\"u\",\"x:b\":\"1\"}}", 0, 0 },
        { "text/xml", "<a><b></a>", NULL, RESULT_INVALID, 0 },
        { "text/xml", "<a>", NULL, RESULT_INVALID, 0 },
        { "text/xml", "<a>&nbsp;</a>", NULL, RESULT_INVALID, 0 },
        { "text/xml", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a>&x;</a>", NULL, RESULT_DENIED,
          0 },
        { "text/xml", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", NULL, RESULT_DENIED, 0 },
        { "text/xml", "<!DOCTYPE a [<!ENTITY % x 'y'>]><a/>", NULL, RESULT_DENIED, 0 },
        { "text/xml", "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", NULL,
          RESULT_DENIED, 0 },
        { "text/xml", "<!DOCTYPE a><a>1</a>", "{\"a\":\"1\"}", 0, 0 },
        { "text/xml", DEEP DEEP DEEP DEEP DEEP DEEP DEEP DEEP DEEP, NULL, RESULT_LIMIT, 0 },
        { "text/xml", "<Error><Code>x</Code></Error>", NULL, RESULT_INVALID, 0 },
        { "text/xml", "<Error>x</Error>", "{\"Error\":\"x\"}", 0, BODY_XML },
        { "application/xml", "<!DOCTYPE html><html/>", NULL, RESULT_INVALID, 0 },
    };

    (void)state;
    CHECK_ALL(examples)
}

static void wrapping__is_taken_away__by_rule(void **state)
{
    static char prefix[] = ")]}'", call[] = "jsonp";
    const struct body_reading by_prefix = { .strip = prefix }, by_call = { .strip = call };
    const struct body_reading none = { .as = BODY_AUTO };
    struct body_found found;
    struct buf out;

    (void)state;
    assert_int_equal(read_body(STR(")]}'\n[1]"), "", &by_prefix, &out, &found), RESULT_OK);
    assert_string_equal(str_trim(buf_view(&out)).data[0] == '[' ? "[" : buf_cstr(&out), "[");
    assert_int_equal(found.was, BODY_WAS_STRIPPED);
    buf_release(&out);
    assert_int_equal(read_body(STR("/**/ a.b_1([{\"x\":1}]) ; "), "", &by_call, &out, &found),
                     RESULT_OK);
    assert_string_equal(buf_cstr(&out), "[{\"x\":1}]");
    buf_release(&out);
    assert_int_equal(read_body(STR(")]}'\n[1]"), "", &none, &out, &found), RESULT_INVALID);
    buf_release(&out);
}

static void wrapping__is_found__where_it_is_simple(void **state)
{
    static const char *const examples[][2] = {
        { ")]}',\n{\"a\":[1]}", ")]}'," },
        { "while(1);[1,2]", "while(1);" },
        { "for (;;); {\"a\":1}\n", "for (;;);" },
        { "{}&&{\"a\":1}", "{}&&" },
        { "cb({\"a\":1});", "jsonp" },
        { "{\"a\":1} x", "" },
        { "<b>x</b>{\"a\":1}", "" },
        { "x{y{z{w{\"a\":1}", "" },
        { "\x01{\"a\":1}", "" },
        { "", "" },
        { "text that is longer than any guard that ever was there [1]", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        char strip[BODY_STRIP_MAX] = "";

        assert_int_equal(body_strip_that_helps(str_view(examples[i][0]), strip),
                         examples[i][1][0] != '\0');
        assert_string_equal(strip, examples[i][1]);
    }
}

static void nan__is_null__unless_that_is_refused(void **state)
{
    const struct body_reading lenient = { .as = BODY_JSON };
    const struct body_reading strict = { .as = BODY_JSON, .is_strict = true };
    struct body_found found;
    struct buf out;

    (void)state;
    assert_int_equal(read_body(STR("[NaN]"), "", &lenient, &out, &found), RESULT_OK);
    assert_string_equal(buf_cstr(&out), "[null]");
    buf_release(&out);
    assert_int_equal(read_body(STR("[NaN]"), "", &strict, &out, &found), RESULT_INVALID);
    assert_non_null(strstr(found.why, "NaN"));
    buf_release(&out);
}

/* --- packed --------------------------------------------------------------------------------------------- */

static struct str gzipped(struct str text, char *room, size_t size)
{
    z_stream z = { 0 };
    struct str out;

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)text.data;
    z.avail_in = (uInt)text.len;
    z.next_out = (unsigned char *)room;
    z.avail_out = (uInt)size;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out = (struct str){ room, size - z.avail_out };
    deflateEnd(&z);
    return out;
}

static void packed__is_unpacked(void **state)
{
    const struct body_reading how = { .as = BODY_AUTO };
    char room[4096];
    struct str packed = gzipped(STR("{\"a\":1}"), room, sizeof room);
    struct str twice;
    struct body_found found;
    struct buf out;
    char more[4096];

    (void)state;
    assert_int_equal(read_body(packed, "application/gzip", &how, &out, &found), RESULT_OK);
    assert_string_equal(buf_cstr(&out), "{\"a\":1}");
    assert_int_equal(found.was, BODY_WAS_PACKED);
    buf_release(&out);

    for (size_t cut = 4; cut < packed.len; cut++) { /* at each byte it is cut off */
        assert_int_equal(read_body((struct str){ packed.data, cut }, "", &how, &out, &found),
                         RESULT_INVALID);
        assert_true(found.why[0]);
        buf_release(&out);
    }

    twice = gzipped(packed, more, sizeof more);
    assert_int_equal(read_body(twice, "", &how, &out, &found), RESULT_DENIED);
    assert_non_null(strstr(found.why, "another packed file"));
    buf_release(&out);

    memmove(room + packed.len, room, packed.len); /* two members are one file */
    assert_int_equal(
        read_body((struct str){ room, 2 * packed.len }, "application/x-ndjson", &how, &out, &found),
        RESULT_INVALID); /* {"a":1}{"a":1} is no JSON, but all of it was looked at */
    buf_release(&out);
}

static void zstd__is_unpacked(void **state)
{
    static const char text[] = "a,b\n1,2\n";
    const struct body_reading how = { .as = BODY_CSV };
    struct body_found found;
    char room[256];
    struct buf out;
    size_t len = ZSTD_compress(room, sizeof room, text, sizeof text - 1, 3);

    (void)state;
    assert_false(ZSTD_isError(len));
    assert_int_equal(read_body((struct str){ room, len }, "", &how, &out, &found), RESULT_OK);
    assert_string_equal(buf_cstr(&out), "[{\"a\":\"1\",\"b\":\"2\"}]");
    buf_release(&out);
    assert_int_equal(read_body((struct str){ room, len - 1 }, "", &how, &out, &found),
                     RESULT_INVALID);
    buf_release(&out);
}

static void bomb__is_refused__by_its_size_and_by_what_it_expands_to(void **state)
{
    const struct body_reading how = { .as = BODY_AUTO };
    size_t len = 3 << 20;
    char *zeros = calloc(1, len), *room = malloc(1 << 20);
    struct body_found found;
    struct buf out;

    (void)state;
    assert_true(zeros && room);
    memset(zeros, ' ', len);
    assert_int_equal(
        read_body(gzipped((struct str){ zeros, len }, room, 1 << 20), "", &how, &out, &found),
        RESULT_LIMIT);
    assert_non_null(strstr(found.why, "expands over 100:1"));
    buf_release(&out);
    free(zeros);
    free(room);
}

/* Sizes at which the decoder's block is just full. */
static void block__may_end_anywhere(void **state)
{
    static const size_t sizes[] = { 65535, 65536, 65537, 131071, 131072, 131073, 200000 };
    const struct body_reading how = { .as = BODY_JSON };
    char *text = malloc(200001), *room = malloc(300000);
    unsigned seed = 1;

    (void)state;
    assert_true(text && room);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct body_found found;
        struct buf out;
        size_t len;

        for (size_t k = 0; k < sizes[i]; k++) {
            seed = seed * 1103515245U + 12345U;
            text[k] = (char)('0' + (seed >> 16) % 10);
        }
        text[0] = '"';
        text[sizes[i] - 1] = '"';
        assert_int_equal(read_body(gzipped((struct str){ text, sizes[i] }, room, 300000), "", &how,
                                   &out, &found),
                         RESULT_OK);
        assert_int_equal(out.len, sizes[i]);
        assert_memory_equal(out.data, text, sizes[i]);
        buf_release(&out);
        len = ZSTD_compress(room, 300000, text, sizes[i], 3);
        assert_int_equal(read_body((struct str){ room, len }, "", &how, &out, &found), RESULT_OK);
        assert_int_equal(out.len, sizes[i]);
        buf_release(&out);
    }
    free(text);
    free(room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv__is_an_object_a_row),
        cmocka_unit_test(table__is_sniffed__where_nothing_else_is_said),
        cmocka_unit_test(xml__is_an_object),
        cmocka_unit_test(wrapping__is_taken_away__by_rule),
        cmocka_unit_test(wrapping__is_found__where_it_is_simple),
        cmocka_unit_test(nan__is_null__unless_that_is_refused),
        cmocka_unit_test(packed__is_unpacked),
        cmocka_unit_test(zstd__is_unpacked),
        cmocka_unit_test(bomb__is_refused__by_its_size_and_by_what_it_expands_to),
        cmocka_unit_test(block__may_end_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
