#include "probe/probe_shape.h"

#include "base/digest.h"
#include "base/json_scan.h"
#include "normalise/flatten.h"
#include "normalise/reshape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS_MAX 8       /* columns that are tried as ids */
#define ALIKE_MEMBERS 3 /* objects that may be records by name */
#define ALIKE_NAMES 32  /* of their members, that are compared */
#define ALIKE_SAMPLE 5  /* of them, compared with the first */

/* --- where the records are ------------------------------------------------------------------------- */

/* How many of `a`'s first members `b` has among its first ones. */
static size_t shared_members(struct str a, struct str b, size_t *count)
{
    struct json_walk walk, other;
    struct str key, each;
    size_t shared = 0;

    json_walk_begin(&walk, a);
    for (*count = 0; *count < ALIKE_NAMES && json_walk_next(&walk, &key, NULL); ++*count) {
        json_walk_begin(&other, b);
        for (size_t i = 0; i < 2 * ALIKE_NAMES && json_walk_next(&other, &each, NULL); i++) {
            if (str_equal(key, each)) {
                shared++;
                break;
            }
        }
    }
    return shared;
}

/* An object of objects that have most of their members in common: they are records by name. */
static bool is_of_alike(struct str object)
{
    struct json_walk walk;
    struct str value, first = STR_NONE;
    size_t members = 0, count;

    if (json_type_of(object) != JSON_OBJECT) {
        return false;
    }
    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, NULL, &value)) {
        if (json_type_of(value) != JSON_OBJECT) {
            return false;
        }
        if (!members++) {
            first = value;
        } else if (members <= ALIKE_SAMPLE + 1 &&
                   2 * shared_members(first, value, &count) < count) {
            return false;
        }
    }
    return members >= ALIKE_MEMBERS && json_type_of(first) == JSON_OBJECT &&
           shared_members(first, first, &count) > 0;
}

static void find_records(struct str body, char records[PAGES_GUESS_POINTER_MAX])
{
    records[0] = '\0';
    if (is_of_alike(body)) {
        memcpy(records, "/*", sizeof "/*");
    } else if (json_type_of(body) == JSON_OBJECT) {
        (void)pages_guess_records(body, records);
    }
}

/* --- in which shape ----------------------------------------------------------------------------------- */

static void set_pointer(char records[PAGES_GUESS_POINTER_MAX], struct str key)
{
    size_t at = 1;

    records[0] = '/';
    for (size_t i = 0; i < key.len && at + 3 < PAGES_GUESS_POINTER_MAX; i++) {
        char c = key.data[i];

        if (c == '~' || c == '/') {
            records[at++] = '~';
            c = c == '~' ? '0' : '1';
        }
        records[at++] = c;
    }
    records[at] = '\0';
}

/* A member of the body that is a table in one of the other shapes, where the body holds no array of objects. Names
 * with escapes are passed over. */
static enum record_shape find_table(struct str body, char records[PAGES_GUESS_POINTER_MAX])
{
    struct json_walk walk;
    struct str key, value;

    json_walk_begin(&walk, body);
    while (json_type_of(body) == JSON_OBJECT && json_walk_next(&walk, &key, &value)) {
        enum record_shape shape = reshape_guess(value);

        if (shape != RECORD_SHAPE_OBJECTS && !memchr(key.data, '\\', key.len)) {
            set_pointer(records, key);
            return shape;
        }
    }
    return RECORD_SHAPE_OBJECTS;
}

/* The array that was taken for the records may be one column of several: then it is cut off `records`. */
static bool find_parent(struct str body, char records[PAGES_GUESS_POINTER_MAX])
{
    char *slash = strrchr(records, '/');
    struct str value = body;
    size_t len = slash ? (size_t)(slash - records) : 0;

    if (!slash || (len && !json_find(body, (struct str){ records, len }, &value)) ||
        reshape_guess(value) != RECORD_SHAPE_PARALLEL) {
        return false;
    }
    *slash = '\0';
    return true;
}

/* `is_told`: the user says where the records are. */
static enum record_shape find_shape(struct str body, bool is_told,
                                    char records[PAGES_GUESS_POINTER_MAX])
{
    struct str value = body;
    enum record_shape shape;

    if (records[0] && !json_find(body, str_view(records), &value)) {
        return RECORD_SHAPE_OBJECTS;
    }
    shape = reshape_guess(value);
    if (!is_told && find_parent(body, records)) {
        return RECORD_SHAPE_PARALLEL;
    }
    return shape == RECORD_SHAPE_OBJECTS && !is_told && !records[0] ? find_table(body, records)
                                                                    : shape;
}

/* `*text` becomes an array of objects, in `made`, and is all of them. */
static enum result reshape(const struct probe_shape *shape, const struct json_pointer *records,
                           struct str *text, struct buf *made)
{
    struct reshape_counts counts;
    enum result result =
        reshape_append(*text, shape->records[0] ? records : NULL, shape->shape, made, &counts);

    *text = buf_view(made);
    return result;
}

/* --- what they hold ---------------------------------------------------------------------------------- */

/* Names of what tells records apart, the surest first; what ends in "id" comes after all of them. */
static const char *const id_names[] = { "_key", "id",   "_id", "uuid", "guid",
                                        "key",  "slug", "sku", "code", "number" };

#define ID_NAMES (sizeof id_names / sizeof id_names[0])

/* How likely that name is an id's: 0 most, SIZE_MAX not at all. */
static size_t id_rank(struct str name)
{
    struct str tail = { name.data + (name.len > 2 ? name.len - 2 : 0), name.len > 2 ? 2 : 0 };

    for (size_t i = 0; i < ID_NAMES; i++) {
        if (str_equal_nocase(name, str_view(id_names[i]))) {
            return i;
        }
    }
    return str_equal(tail, STR("Id")) || str_equal(tail, STR("ID")) || str_equal(tail, STR("id"))
               ? ID_NAMES
               : SIZE_MAX;
}

struct id {
    size_t column;
    struct buf digests; /* of its values */
};

struct filling {
    struct probe_shape *shape;
    bool are_texts;
    struct id ids[IDS_MAX];
    size_t id_count;
};

static enum result count_row(void *context, const struct row *row)
{
    struct filling *f = context;
    struct probe_shape *shape = f->shape;

    for (size_t i = 0; i < row->count; i++) {
        const struct row_cell *cell = &row->cells[i];
        union type_value value;

        if (cell->row != row->number) {
            continue;
        }
        if (cell->kind == CELL_NULL) {
            shape->each[i].null++;
            continue;
        }
        shape->each[i].present++;
        types_note(&shape->each[i].facts, cell->kind, (struct str){ cell->text, cell->len },
                   f->are_texts, &value);
    }
    for (size_t i = 0; i < f->id_count; i++) {
        const struct row_cell *cell = row_cell(row, f->ids[i].column);
        uint8_t digest[DIGEST_BYTES];

        if (cell) {
            digest_of(cell->text, cell->len, digest);
            if (buf_append(&f->ids[i].digests, digest, sizeof digest) != RESULT_OK) {
                return RESULT_NOMEM;
            }
        }
    }
    shape->count++;
    return RESULT_OK;
}

static void choose_candidates(struct filling *f)
{
    for (size_t rank = 0; rank <= ID_NAMES; rank++) {
        for (size_t i = 0; i < f->shape->column_count && f->id_count < IDS_MAX; i++) {
            if (id_rank(columns_name(f->shape->columns, (uint32_t)i)) == rank) {
                f->ids[f->id_count++].column = i;
            }
        }
    }
}

static int compare_digests(const void *a, const void *b)
{
    return memcmp(a, b, DIGEST_BYTES);
}

/* Each record has a value there, no two the same. */
static bool tells_apart(struct id *id, uint64_t records)
{
    size_t count = id->digests.len / DIGEST_BYTES;

    if (!count || count != records) {
        return false;
    }
    qsort(id->digests.data, count, DIGEST_BYTES, compare_digests);
    for (size_t i = 1; i < count; i++) {
        if (memcmp(id->digests.data + (i - 1) * DIGEST_BYTES, id->digests.data + i * DIGEST_BYTES,
                   DIGEST_BYTES) == 0) {
            return false;
        }
    }
    return true;
}

static void choose_id(struct filling *f)
{
    f->shape->id = PROBE_NO_COLUMN;
    for (size_t i = 0; i < f->id_count; i++) {
        if (f->shape->id == PROBE_NO_COLUMN && tells_apart(&f->ids[i], f->shape->count)) {
            f->shape->id = f->ids[i].column;
        }
        buf_release(&f->ids[i].digests);
    }
}

static enum result pass(enum flatten_pass which, struct probe_shape *shape, struct str body,
                        const struct json_pointer *records, struct filling *filling,
                        struct err *err)
{
    struct flatten *flatten = flatten_new(records, shape->columns, which);
    struct flatten_counts counts = { 0 };
    enum result result;

    if (!flatten) {
        return err_nomem(err, "looking at the body");
    }
    result = flatten_document(flatten, body, which == FLATTEN_FILL ? count_row : NULL, filling,
                              &counts, err);
    flatten_free(flatten);
    return result == RESULT_NOMEM ? err_nomem(err, "looking at the body") : result;
}

static enum result read_columns(struct probe_shape *shape, struct str body,
                                const struct json_pointer *records, bool are_texts, struct err *err)
{
    struct filling filling = { .shape = shape, .are_texts = are_texts };
    enum result result = pass(FLATTEN_LEARN, shape, body, records, NULL, err);

    if (result == RESULT_OK) {
        result = columns_settle(shape->columns, STR("."), err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    shape->column_count = columns_count(shape->columns);
    shape->each = calloc(shape->column_count + 1, sizeof *shape->each);
    if (!shape->each) {
        return err_nomem(err, "looking at the body");
    }
    choose_candidates(&filling);
    result = pass(FLATTEN_FILL, shape, body, records, &filling, err);
    choose_id(&filling);
    return result;
}

enum result probe_shape_read(struct probe_shape *shape, struct str body, const char *records,
                             bool are_texts, struct err *err)
{
    struct json_pointer pointer;
    struct buf made = { .max = FLATTEN_TEXT_MAX };
    enum result result;

    *shape = (struct probe_shape){ .id = PROBE_NO_COLUMN };
    if (records) {
        snprintf(shape->records, sizeof shape->records, "%s", records);
    } else {
        find_records(str_trim(body), shape->records);
    }
    shape->shape = find_shape(str_trim(body), records != NULL, shape->records);
    result = json_pointer_parse(&pointer, str_view(shape->records), err);
    shape->columns = columns_new();
    if (result == RESULT_OK && !shape->columns) {
        result = err_nomem(err, "looking at the body");
    }
    if (result == RESULT_OK && shape->shape != RECORD_SHAPE_OBJECTS &&
        reshape(shape, &pointer, &body, &made) != RESULT_OK) {
        result = err_nomem(err, "looking at the body");
    }
    if (result == RESULT_OK) {
        result = read_columns(shape, body,
                              shape->records[0] && shape->shape == RECORD_SHAPE_OBJECTS ? &pointer
                                                                                        : NULL,
                              are_texts, err);
    }
    buf_release(&made);
    if (result != RESULT_OK) {
        probe_shape_release(shape);
    }
    return result;
}

void probe_shape_release(struct probe_shape *shape)
{
    columns_free(shape->columns);
    free(shape->each);
    *shape = (struct probe_shape){ .id = PROBE_NO_COLUMN };
}
