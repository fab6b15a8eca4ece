/* Several sources as one: the order of what comes out, what stands in two of them, and errors on the way. */
#include "table/merged_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Its pieces stand at these places, a letter each; `fails_at` is the first that cannot be had. */
struct letters {
    struct record_source base;
    const char *places;
    size_t at, fails_at;
    char path[3];
    char place; /* of the piece that was given last: forgotten with the next */
    unsigned *closed;
};

static enum result next(struct record_source *source, struct record_piece *piece, bool *more,
                        struct err *err)
{
    struct letters *l = (struct letters *)(void *)source;

    if (l->at == l->fails_at) {
        return err_set(err, RESULT_IO, "E-IN2", "broken");
    }
    *more = l->places[l->at] != '\0';
    l->place = l->places[l->at];
    if (*more) {
        *piece = (struct record_piece){ .form = RECORD_RAW,
                                        .path = l->path,
                                        .offset = (uint64_t)l->place,
                                        .place = { &l->place, 1 } };
        l->at++;
    }
    return RESULT_OK;
}

static enum result rewind_letters(struct record_source *source, struct err *err)
{
    (void)err;
    ((struct letters *)(void *)source)->at = 0;
    return RESULT_OK;
}

static void close_letters(struct record_source *source)
{
    struct letters *l = (struct letters *)(void *)source;

    ++*l->closed;
    free(l);
}

static struct record_source *letters(char number, const char *places, size_t fails_at,
                                     unsigned *closed)
{
    struct letters *l = calloc(1, sizeof *l);

    assert_non_null(l);
    *l = (struct letters){
        .base = { .next = next, .rewind = rewind_letters, .close = close_letters },
        .places = places,
        .fails_at = fails_at,
        .path = { number },
        .closed = closed
    };
    l->base.records = strlen(places);
    l->base.bytes = 10 * strlen(places);
    return &l->base;
}

/* "a1 b2": places, and which source they came from. */
static const char *read_all(struct record_source *source)
{
    static char text[256];
    struct record_piece piece;
    size_t len = 0;
    bool more = true;
    struct err err;

    text[0] = '\0';
    while (more) {
        assert_int_equal(source->next(source, &piece, &more, &err), RESULT_OK);
        if (more) {
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%c%s", len ? " " : "",
                                    (char)piece.offset, piece.path);
            assert_int_equal(piece.place.len, 0); /* it would not outlive the next call */
        }
    }
    return text;
}

static void sources__are_merged_by_place_or_follow_one_another(void **state)
{
    static const struct {
        const char *places[4];
        bool by_place;
        const char *want;
        uint64_t doubled;
    } cases[] = {
        { { "ace", "bdf" }, true, "a1 b2 c1 d2 e1 f2", 0 },
        { { "bdf", "ace" }, true, "a2 b1 c2 d1 e2 f1", 0 },
        { { "abc", "abc" }, true, "a1 a2 b1 b2 c1 c2", 3 },
        { { "ab", "", "b", "abz" }, true, "a1 a4 b1 b3 b4 z4", 3 },
        { { "", "" }, true, "", 0 },
        { { "m", "z", "a", "c" }, true, "a3 c4 m1 z2", 0 },
        { { "bdf", "ace" }, false, "b1 d1 f1 a2 c2 e2", 0 },
        { { "", "ab", "", "ab" }, false, "a2 b2 a4 b4", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct record_source *inner[4], *merged;
        uint64_t doubled = 99;
        unsigned closed = 0;
        size_t count = 0, records = 0;
        struct err err;

        for (; count < 4 && cases[i].places[count]; count++) {
            inner[count] = letters((char)('1' + count), cases[i].places[count], SIZE_MAX, &closed);
            records += strlen(cases[i].places[count]);
        }
        assert_int_equal(
            merged_source_new(&merged, inner, count, cases[i].by_place, &doubled, &err), RESULT_OK);
        for (int pass = 0; pass < 2; pass++) {
            assert_string_equal(read_all(merged), cases[i].want);
            assert_int_equal(doubled, cases[i].doubled);
            assert_int_equal(merged->records, records);
            assert_int_equal(merged->bytes, 10 * records);
            assert_int_equal(merged->rewind(merged, &err), RESULT_OK);
        }
        merged->close(merged);
        assert_int_equal(closed, count);
    }
}

static void error__of_one_source__is_the_whole_one_s(void **state)
{
    unsigned closed = 0;
    struct record_source *inner[2] = { letters('1', "ac", SIZE_MAX, &closed),
                                       letters('2', "bd", 1, &closed) };
    struct record_source *merged;
    struct record_piece piece;
    uint64_t doubled;
    bool more;
    struct err err;

    (void)state;
    assert_int_equal(merged_source_new(&merged, inner, 2, true, &doubled, &err), RESULT_OK);
    assert_int_equal(merged->next(merged, &piece, &more, &err), RESULT_OK);
    assert_int_equal(merged->next(merged, &piece, &more, &err), RESULT_OK);
    assert_int_equal(piece.offset, 'b');
    assert_int_equal(merged->next(merged, &piece, &more, &err), RESULT_IO);
    assert_string_equal(err.text, "broken");
    merged->close(merged);
    assert_int_equal(closed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources__are_merged_by_place_or_follow_one_another),
        cmocka_unit_test(error__of_one_source__is_the_whole_one_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
