/*
 * Any bytes, read as JSON in every way there is: all must agree, and none may look past the end.
 *
 *   the judge     json_check and each kernel say what json_check_closely says, byte by byte
 *   the kernels   say the same among each other about every string and container in the text
 *   the flattener in pass 1 accepts what the judge accepts, and has learnt nothing from the rest;
 *                 in pass 2 gives the same rows by each kernel, and by the short way and the long
 */
#include "base/json_kernel.h"
#include "base/json_scan.h"
#include "base/json_step.h"
#include "normalise/flatten.h"
#include "table/csv.h"
#include "tests/fuzz/fuzz.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES_MAX 64 /* quotes and brackets of one text that are looked at */

static bool judge(const struct json_kernel *kernel, struct str text, unsigned depth_max)
{
    const char *end = text.data + text.len;
    const char *p = text.len ? json_step_space(text.data, end) : end;

    p = p < end ? kernel->verify(p, end, depth_max) : NULL;
    FUZZ_CHECK(!p || p <= end);
    return p && json_step_space(p, end) == end;
}

/* The members of the container that `inside` begins in, all at once and block by block. */
static void compare_cuts(const struct json_kernel *one, const struct json_kernel *other,
                         struct str inside, const char *after)
{
    struct json_split all = { 0 }, blocks = { 0 };
    struct json_split_found whole = one->split(&all, inside), part = { SIZE_MAX, SIZE_MAX };
    size_t comma = SIZE_MAX, at = 0;

    for (; at < inside.len && part.end == SIZE_MAX; at += JSON_SPLIT_BLOCK) {
        size_t left = inside.len - at;

        part = other->split(
            &blocks,
            (struct str){ inside.data + at, left < JSON_SPLIT_BLOCK ? left : JSON_SPLIT_BLOCK });
        comma = part.comma == SIZE_MAX ? comma : at + part.comma;
    }
    FUZZ_CHECK(whole.comma == comma);
    FUZZ_CHECK(whole.end == (part.end == SIZE_MAX ? SIZE_MAX : at - JSON_SPLIT_BLOCK + part.end));
    FUZZ_CHECK(whole.end == SIZE_MAX || inside.data + whole.end + 1 == after);
}

static void compare_places(const struct json_kernel *one, const struct json_kernel *other,
                           struct str text)
{
    const char *end = text.data + text.len;
    unsigned places = 0;

    for (const char *p = text.data; p < end && places < PLACES_MAX; p++) {
        bool escaped[2] = { false, false };

        if (*p == '"') {
            const char *after = one->verify_string(p + 1, end, &escaped[0]);

            FUZZ_CHECK(after == other->verify_string(p + 1, end, &escaped[1]));
            FUZZ_CHECK(!after || escaped[0] == escaped[1]);
            places++;
        } else if (*p == '[' || *p == '{') {
            const char *after = one->container_end(p, end), *verified;

            FUZZ_CHECK(after == other->container_end(p, end) && after > p && after <= end);
            compare_cuts(one, other, (struct str){ p + 1, (size_t)(end - p - 1) }, after);
            verified = one->verify(p, end, JSON_DEPTH_MAX);
            FUZZ_CHECK(verified == other->verify(p, end, JSON_DEPTH_MAX));
            FUZZ_CHECK(!verified || verified == after);
            places++;
        }
    }
}

struct table {
    struct buf rows;
    uint64_t lone_surrogates;
};

static enum result on_row(void *context, const struct row *row)
{
    static const struct csv_style plain = { 0 };
    struct table *table = context;

    return csv_row(&table->rows, &plain, row, NULL, &table->lone_surrogates);
}

static void fill(struct table *table, struct columns *columns, const struct json_pointer *pointer,
                 struct str text, const struct json_kernel *kernel, bool trust,
                 struct flatten_counts *counts)
{
    struct flatten *f = flatten_new(pointer, columns, FLATTEN_FILL);

    FUZZ_CHECK(f);
    flatten_use_kernel(f, kernel);
    flatten_trust_pointer(f, trust);
    *counts = (struct flatten_counts){ 0 };
    FUZZ_CHECK(flatten_document(f, text, on_row, table, counts, NULL) == RESULT_OK);
    flatten_free(f);
}

static void compare_rows(struct columns *columns, const struct json_pointer *pointer,
                         struct str text, const struct flatten_counts *learnt)
{
    const struct json_kernel *kernels[JSON_KERNELS_MAX];
    size_t count = json_kernels(kernels);
    struct table want = { 0 };
    struct flatten_counts counts;

    FUZZ_CHECK(columns_settle(columns, STR("."), NULL) == RESULT_OK);
    fill(&want, columns, pointer, text, kernels[0], false, &counts);
    FUZZ_CHECK(counts.rows == learnt->rows && counts.matches == learnt->matches);
    FUZZ_CHECK(counts.duplicate_keys == learnt->duplicate_keys);
    for (size_t i = 0; i < count; i++) {
        struct table got = { 0 };

        fill(&got, columns, pointer, text, kernels[i], learnt->ambiguous == 0, &counts);
        FUZZ_CHECK(counts.rows == learnt->rows && counts.duplicate_keys == learnt->duplicate_keys);
        FUZZ_CHECK(got.rows.len == want.rows.len && got.lone_surrogates == want.lone_surrogates);
        FUZZ_CHECK(!got.rows.len || memcmp(got.rows.data, want.rows.data, got.rows.len) == 0);
        buf_release(&got.rows);
    }
    buf_release(&want.rows);
}

/* A column from a valid record, then the text, then that record again: what the text taught must
 * be all or nothing. */
static void flatten_text(const char *records, struct str text, const struct json_kernel *kernel,
                         bool valid)
{
    struct columns *columns = columns_new();
    struct json_pointer pointer;
    const struct json_pointer *p = records ? &pointer : NULL;
    struct flatten_counts counts = { 0 };
    struct flatten *f;
    enum result result;
    uint32_t nodes;

    FUZZ_CHECK(columns && json_pointer_parse(&pointer, str_view(records), NULL) == RESULT_OK);
    f = flatten_new(p, columns, FLATTEN_LEARN);
    FUZZ_CHECK(f);
    flatten_use_kernel(f, kernel);
    FUZZ_CHECK(flatten_document(f, STR("{\"a\":{\"b\":1}}"), NULL, NULL, &counts, NULL) ==
               RESULT_OK);
    nodes = columns_node_count(columns);
    counts = (struct flatten_counts){ 0 };
    result = flatten_document(f, text, NULL, NULL, &counts, NULL);
    FUZZ_CHECK(result == (valid ? RESULT_OK : RESULT_INVALID));
    if (valid) {
        compare_rows(columns, p, text, &counts);
    } else {
        FUZZ_CHECK(columns_node_count(columns) == nodes && counts.rows == 0 && counts.matches == 0);
        /* A `c` that it may have taught must not be taken for one of these. */
        FUZZ_CHECK(flatten_document(f, STR("[{\"a\":{\"b\":1,\"c\":2}},{\"a\":{\"b\":1},\"c\":3}]"),
                                    NULL, NULL, &counts, NULL) == RESULT_OK);
        FUZZ_CHECK(columns_settle(columns, STR("."), NULL) == RESULT_OK);
        FUZZ_CHECK(records || columns_count(columns) == 3); /* a.b, a.c, c */
    }
    flatten_free(f);
    columns_free(columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const pointers[] = { NULL, "/a", "/*", "/items", "/a/*/b", "/1" };
    const struct json_kernel *kernels[JSON_KERNELS_MAX];
    size_t count = json_kernels(kernels);
    /* A copy of exactly that size, so that a look past the end is seen. */
    char *copy = malloc(size ? size : 1);
    struct str text = { copy, size };
    struct json_error closely, quickly;
    bool valid;

    FUZZ_CHECK(copy);
    memcpy(copy, size ? (const char *)data : "", size);
    valid = json_check_closely(text, JSON_DEPTH_MAX, &closely);
    FUZZ_CHECK(json_check(text, JSON_DEPTH_MAX, &quickly) == valid);
    FUZZ_CHECK(quickly.fault == closely.fault && quickly.at == closely.at);
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(judge(kernels[i], text, JSON_DEPTH_MAX) == valid);
        FUZZ_CHECK(judge(kernels[i], text, 3) == json_check_closely(text, 3, NULL));
        compare_places(kernels[0], kernels[i], text);
        for (size_t n = 0; n < sizeof pointers / sizeof pointers[0]; n++) {
            flatten_text(pointers[n], text, kernels[i], valid);
        }
    }
    free(copy);
    return 0;
}
