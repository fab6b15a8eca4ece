/* Keys that wait in a file: each part comes back as it was put, whole and alone. */
#include "table/dedup_spill.h"

#include "base/buf.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

struct read_back {
    struct buf bytes;
    unsigned pieces, stop_after; /* 0: never */
};

static enum result take(void *context, struct str piece, struct err *err)
{
    struct read_back *r = context;

    assert_in_range(piece.len, 1, DEDUP_SPILL_BLOCK);
    assert_int_equal(buf_append_str(&r->bytes, piece), RESULT_OK);
    return ++r->pieces == r->stop_after ? err_set(err, RESULT_LIMIT, "E-TAB6", "enough")
                                        : RESULT_OK;
}

static struct dedup_spill *spill_new(void)
{
    struct dedup_spill *spill;

    assert_int_equal(dedup_spill_new(&spill, NULL), RESULT_OK);
    return spill;
}

static void put(struct dedup_spill *spill, unsigned part, struct str bytes)
{
    assert_int_equal(dedup_spill_put(spill, part, bytes, NULL), RESULT_OK);
}

static void assert_part(struct dedup_spill *spill, unsigned part, struct str want)
{
    struct read_back r = { .pieces = 0 };

    assert_int_equal(dedup_spill_read(spill, part, take, &r, NULL), RESULT_OK);
    assert_int_equal(r.bytes.len, want.len);
    if (want.len) {
        assert_memory_equal(r.bytes.data, want.data, want.len);
    }
    buf_release(&r.bytes);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static void part__is_empty__when_nothing_was_put(void **state)
{
    struct dedup_spill *spill = spill_new();

    (void)state;
    put(spill, 3, STR("three"));
    put(spill, 3, STR_NONE);
    assert_part(spill, 0, STR_NONE);
    assert_part(spill, DEDUP_PARTS - 1, STR_NONE);
    assert_part(spill, 3, STR("three"));
    assert_part(spill, 3, STR("three")); /* and once more */
    dedup_spill_free(spill);
}

/* Lengths around a block: what is full goes to the file, what is not waits in memory. */
static void part__comes_back_whole__when_it_is_about_a_block(void **state)
{
    static const size_t lengths[] = { 1,
                                      DEDUP_SPILL_BLOCK - 1,
                                      DEDUP_SPILL_BLOCK,
                                      DEDUP_SPILL_BLOCK + 1,
                                      3 * DEDUP_SPILL_BLOCK,
                                      3 * DEDUP_SPILL_BLOCK + 7 };
    char *bytes = malloc(4 * DEDUP_SPILL_BLOCK);
    struct dedup_spill *spill = spill_new();
    uint32_t seed = 3;

    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < 4 * DEDUP_SPILL_BLOCK; i++) {
        bytes[i] = (char)next_random(&seed);
    }
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        put(spill, i, (struct str){ bytes + i, lengths[i] });
    }
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        assert_part(spill, i, (struct str){ bytes + i, lengths[i] });
    }
    dedup_spill_free(spill);
    free(bytes);
}

static void parts__stay_apart_and_in_order__when_they_take_turns(void **state)
{
    struct buf want[DEDUP_PARTS] = { { 0 } };
    struct dedup_spill *spill = spill_new();
    uint32_t seed = 11;
    char piece[300];

    (void)state;
    for (unsigned n = 0; n < 60000; n++) { /* 9 MB: over four blocks of each */
        unsigned part = next_random(&seed) % DEDUP_PARTS;
        size_t len = next_random(&seed) % sizeof piece;

        memset(piece, (int)(next_random(&seed) & 0xFF), len);
        put(spill, part, (struct str){ piece, len });
        assert_int_equal(buf_append(&want[part], piece, len), RESULT_OK);
    }
    for (unsigned part = DEDUP_PARTS; part-- > 0;) {
        assert_in_range(want[part].len, 3 * DEDUP_SPILL_BLOCK, 6 * DEDUP_SPILL_BLOCK);
        assert_part(spill, part, buf_view(&want[part]));
        buf_release(&want[part]);
    }
    dedup_spill_free(spill);
}

static void read__ends_at_once__when_who_is_told_has_enough(void **state)
{
    char *bytes = calloc(3, DEDUP_SPILL_BLOCK);
    struct dedup_spill *spill = spill_new();
    struct read_back r = { .stop_after = 2 };
    struct err err;

    (void)state;
    assert_non_null(bytes);
    put(spill, 5, (struct str){ bytes, 3 * DEDUP_SPILL_BLOCK });
    put(spill, 5, STR("rest"));
    assert_int_equal(dedup_spill_read(spill, 5, take, &r, &err), RESULT_LIMIT);
    assert_int_equal(r.pieces, 2);
    assert_string_equal(err.text, "enough");
    buf_release(&r.bytes);
    dedup_spill_free(spill);
    free(bytes);
}

static void new__says_so__when_there_is_no_place(void **state)
{
    const char *set = getenv("TMPDIR");
    char *before = set ? strdup(set) : NULL;
    struct dedup_spill *spill;
    struct err err;

    (void)state;
    setenv("TMPDIR", "/dev/null/nowhere", 1);
    assert_int_not_equal(dedup_spill_new(&spill, &err), RESULT_OK);
    assert_null(spill);
    assert_string_equal(err.code, "E-TAB6");
    assert_non_null(strstr(err.text, "cannot make a temporary file (TMPDIR)"));
    dedup_spill_free(spill); /* of none */
    if (before) {
        setenv("TMPDIR", before, 1);
    } else {
        unsetenv("TMPDIR");
    }
    free(before);
}

/* A disk that takes two blocks and half of a third: the limit is that of a file's size. */
static void put__says_so__when_the_disk_is_full(void **state)
{
    char *bytes = calloc(3, DEDUP_SPILL_BLOCK);
    struct dedup_spill *spill = spill_new();
    struct rlimit limit, small;
    enum result result;
    struct err err;
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);

    (void)state;
    assert_non_null(bytes);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 2 * DEDUP_SPILL_BLOCK + DEDUP_SPILL_BLOCK / 2;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    result = dedup_spill_put(spill, 1, (struct str){ bytes, 3 * DEDUP_SPILL_BLOCK }, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, before);
    assert_int_equal(result, RESULT_FULL);
    assert_string_equal(err.code, "E-TAB6");
    assert_non_null(strstr(err.text, "cannot write a temporary file (TMPDIR)"));
    dedup_spill_free(spill);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(part__is_empty__when_nothing_was_put),
        cmocka_unit_test(part__comes_back_whole__when_it_is_about_a_block),
        cmocka_unit_test(parts__stay_apart_and_in_order__when_they_take_turns),
        cmocka_unit_test(read__ends_at_once__when_who_is_told_has_enough),
        cmocka_unit_test(new__says_so__when_there_is_no_place),
        cmocka_unit_test(put__says_so__when_the_disk_is_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
