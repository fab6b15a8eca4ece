/*
 * Two flatteners: one hands out rows with the columns that are known; where it meets another, the other one learns it
 * and the table of columns is made anew. Nodes keep their numbers.
 */
#include "changes/record_rows.h"

#include "base/grow.h"
#include "base/json_text.h"
#include "base/os.h"
#include "normalise/cell_text.h"
#include "normalise/reshape.h"

#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES 9
#define WITH_MAX 64

static const struct flatten_shape all = { .depth_max = FLATTEN_DEPTH_ALL };

struct placed_row {
    size_t key_at, key_len, cells_at, cells_len;
};

struct record_rows {
    struct record_rows_spec spec;
    struct json_pointer pointer;
    struct columns *learnt, *table;
    struct flatten *learner, *filler;
    uint32_t *order;       /* columns of the table by node */
    uint32_t *key_columns; /* of the table; COLUMNS_NONE */
    uint8_t *wanted;       /* by column of the table */
    struct buf bytes;
    struct placed_row *placed;
    struct record_row *list;
    size_t count, room, list_room;
    uint32_t *slots; /* of a table of keys: row + 1 */
    uint64_t basis;  /* of its hash */
    size_t slot_room, slot_count;
    struct buf reshaped;
    struct flatten_meta meta[WITH_MAX];
};

bool record_cell_next(struct str *row, struct record_cell *cell)
{
    uint32_t len;

    if (row->len < HEAD_BYTES) {
        return false;
    }
    memcpy(&cell->column, row->data, sizeof cell->column);
    cell->kind = (enum row_text)row->data[4];
    memcpy(&len, row->data + 5, sizeof len);
    if (row->len - HEAD_BYTES < len) {
        return false;
    }
    cell->text = (struct str){ row->data + HEAD_BYTES, len };
    *row = (struct str){ row->data + HEAD_BYTES + len, row->len - HEAD_BYTES - len };
    return true;
}

/* --- the table of columns ------------------------------------------------------------------------------- */

static int compare_nodes(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static bool is_among(const struct str *names, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(names[i], name)) {
            return true;
        }
    }
    return false;
}

/* Which columns there are, in the order of their nodes. */
static enum result order_columns(struct record_rows *r, struct err *err)
{
    const struct record_rows_spec *spec = &r->spec;
    uint32_t count = columns_count(r->table);
    uint64_t *pairs = calloc(count + 1, sizeof *pairs);

    free(r->order);
    free(r->wanted);
    r->order = calloc(count + 1, sizeof *r->order);
    r->wanted = calloc(count + 1, 1);
    if (!pairs || !r->order || !r->wanted) {
        free(pairs);
        return err_nomem(err, "comparing records");
    }
    for (uint32_t i = 0; i < count; i++) {
        struct str name = columns_name(r->table, i);

        pairs[i] = (uint64_t)columns_node(r->table, i) << 32 | i;
        r->wanted[i] = !spec->column_count || is_among(spec->columns, spec->column_count, name) ||
                       is_among(spec->unique, spec->unique_count, name);
    }
    qsort(pairs, count, sizeof *pairs, compare_nodes);
    for (uint32_t i = 0; i < count; i++) {
        r->order[i] = (uint32_t)pairs[i];
    }
    free(pairs);
    for (size_t i = 0; i < spec->unique_count; i++) {
        r->key_columns[i] = COLUMNS_NONE;
        for (uint32_t c = 0; c < count; c++) {
            if (str_equal(columns_name(r->table, c), spec->unique[i])) {
                r->key_columns[i] = c;
            }
        }
    }
    return RESULT_OK;
}

static enum result make_table(struct record_rows *r, struct err *err)
{
    const char *separator = r->spec.separator ? r->spec.separator : ".";
    enum result result;

    flatten_free(r->filler);
    columns_free(r->table);
    r->filler = NULL;
    r->table = columns_new();
    if (!r->table) {
        return err_nomem(err, "comparing records");
    }
    result = columns_seed(r->table, r->learnt, err);
    result = result == RESULT_OK ? columns_merge(r->table, r->learnt, err) : result;
    result = result == RESULT_OK ? columns_settle(r->table, str_view(separator), err) : result;
    if (result != RESULT_OK) {
        return result;
    }
    r->filler =
        flatten_new(r->spec.records && r->spec.shape == RECORD_SHAPE_OBJECTS ? &r->pointer : NULL,
                    r->table, FLATTEN_FILL);
    if (!r->filler) {
        return err_nomem(err, "comparing records");
    }
    result = flatten_set_shape(r->filler, r->spec.flatten ? r->spec.flatten : &all, err);
    return result == RESULT_OK ? order_columns(r, err) : result;
}

enum result record_rows_new(struct record_rows **rows, const struct record_rows_spec *spec,
                            struct err *err)
{
    struct record_rows *r = calloc(1, sizeof *r);
    enum result result;

    *rows = NULL;
    if (!r) {
        return err_nomem(err, "comparing records");
    }
    r->spec = *spec;
    (void)os_random(&r->basis, sizeof r->basis);
    r->reshaped.max = spec->answer_max;
    r->learnt = columns_new();
    r->key_columns = calloc(spec->unique_count + 1, sizeof *r->key_columns);
    if (!r->learnt || !r->key_columns) {
        record_rows_free(r);
        return err_nomem(err, "comparing records");
    }
    result =
        spec->records ? json_pointer_parse(&r->pointer, str_view(spec->records), err) : RESULT_OK;
    if (result == RESULT_OK) {
        r->learner =
            flatten_new(spec->records && spec->shape == RECORD_SHAPE_OBJECTS ? &r->pointer : NULL,
                        r->learnt, FLATTEN_LEARN);
    }
    if (result == RESULT_OK && !r->learner) {
        result = err_nomem(err, "comparing records");
    }
    result = result == RESULT_OK
                 ? flatten_set_shape(r->learner, spec->flatten ? spec->flatten : &all, err)
                 : result;
    result = result == RESULT_OK ? make_table(r, err) : result;
    if (result != RESULT_OK) {
        record_rows_free(r);
        return result;
    }
    *rows = r;
    return RESULT_OK;
}

void record_rows_free(struct record_rows *r)
{
    if (!r) {
        return;
    }
    flatten_free(r->learner);
    flatten_free(r->filler);
    columns_free(r->learnt);
    columns_free(r->table);
    free(r->order);
    free(r->key_columns);
    free(r->wanted);
    free(r->placed);
    free(r->list);
    free(r->slots);
    buf_release(&r->bytes);
    buf_release(&r->reshaped);
    free(r);
}

/* --- one row -------------------------------------------------------------------------------------------- */

/* The cell's text with its length before it, after `before` bytes that are left for the caller. */
static enum result append_text(struct buf *out, size_t before, const struct row_cell *cell)
{
    enum result result = buf_reserve(out, HEAD_BYTES + cell->len + CELL_TEXT_SLACK);
    uint64_t lone = 0;
    uint32_t len;
    char *to;

    if (result != RESULT_OK) {
        return result;
    }
    to = out->data + out->len + before;
    len = (uint32_t)(cell_text_put(to + sizeof len, cell, &lone) - (to + sizeof len));
    memcpy(to, &len, sizeof len);
    out->len += before + sizeof len + len;
    return RESULT_OK;
}

static enum result append_cell(struct record_rows *r, uint32_t node, const struct row_cell *cell)
{
    size_t at = r->bytes.len;
    enum result result = append_text(&r->bytes, HEAD_BYTES - sizeof(uint32_t), cell);

    if (result == RESULT_OK) {
        memcpy(r->bytes.data + at, &node, sizeof node);
        r->bytes.data[at + 4] = (char)(cell->kind == CELL_BARE   ? ROW_BARE
                                       : cell->kind == CELL_JSON ? ROW_JSON
                                                                 : ROW_STRING);
    }
    return result;
}

/* Texts alone, so that 7 and "7" are one key; nothing when one is missing. */
static enum result append_key(struct record_rows *r, const struct row *row, struct placed_row *p)
{
    enum result result = RESULT_OK;

    p->key_at = r->bytes.len;
    for (size_t i = 0; i < r->spec.unique_count && result == RESULT_OK; i++) {
        const struct row_cell *cell =
            r->key_columns[i] == COLUMNS_NONE ? NULL : row_cell(row, r->key_columns[i]);

        if (!cell) {
            r->bytes.len = p->key_at;
            return RESULT_OK;
        }
        result = append_text(&r->bytes, 0, cell);
    }
    p->key_len = r->bytes.len - p->key_at;
    return result;
}

static enum result on_row(void *context, const struct row *row)
{
    struct record_rows *r = context;
    struct placed_row *list = grow_by_one(r->placed, r->count, &r->room, sizeof *list);
    struct placed_row *p;
    enum result result;

    if (!list) {
        return RESULT_NOMEM;
    }
    r->placed = list;
    p = &list[r->count];
    *p = (struct placed_row){ 0 };
    result = append_key(r, row, p);
    p->cells_at = r->bytes.len;
    for (uint32_t i = 0; i < row->count && result == RESULT_OK; i++) {
        const struct row_cell *cell = row_cell(row, r->order[i]);

        if (cell && r->wanted[r->order[i]]) {
            result = append_cell(r, columns_node(r->table, r->order[i]), cell);
        }
    }
    p->cells_len = r->bytes.len - p->cells_at;
    r->count += result == RESULT_OK;
    return result;
}

/* --- one answer ----------------------------------------------------------------------------------------- */

static struct flatten_meta var_of(struct str vars, struct str name)
{
    struct flatten_meta meta = { name, CELL_NULL, STR("null") };
    struct json_walk walk;
    struct str key, value;

    json_walk_begin(&walk, vars);
    while (vars.len && json_walk_next(&walk, &key, &value)) {
        enum json_type type = json_type_of(value);

        if (!json_raw_equal(key, name) || type == JSON_NULL) {
            continue;
        }
        meta.kind = type == JSON_STRING                         ? CELL_ESCAPED
                    : type == JSON_OBJECT || type == JSON_ARRAY ? CELL_JSON
                                                                : CELL_BARE;
        meta.text = type == JSON_STRING ? json_string_raw(value) : value;
    }
    return meta;
}

static void set_meta(struct record_rows *r, struct str vars)
{
    size_t count = 0;

    for (size_t i = 0; i < r->spec.with_count && count < WITH_MAX; i++) {
        if (!str_equal(r->spec.with[i], STR("_fetched_at"))) {
            r->meta[count++] = var_of(vars, r->spec.with[i]);
        }
    }
    flatten_set_meta(r->filler, r->meta, count);
    flatten_set_meta(r->learner, r->meta, count);
}

static enum result reshape(struct record_rows *r, struct str *body, struct err *err)
{
    struct reshape_counts counts = { 0 };
    enum result result;

    buf_reset(&r->reshaped);
    result = reshape_append(*body, r->spec.records ? &r->pointer : NULL, r->spec.shape,
                            &r->reshaped, &counts);
    *body = buf_view(&r->reshaped);
    if (result != RESULT_OK) {
        return err_nomem(err, "comparing records");
    }
    return counts.matches || counts.nulls ? RESULT_OK : RESULT_NOT_FOUND;
}

static enum result fill(struct record_rows *r, struct str body, uint64_t *matches, struct err *err)
{
    struct flatten_counts counts = { 0 };
    enum result result;

    r->count = 0;
    buf_reset(&r->bytes);
    result = flatten_document(r->filler, body, on_row, r, &counts, err);
    *matches = counts.matches;
    return result;
}

/* FNV-1a from a basis that nobody knows. */
static uint64_t hash_of(uint64_t basis, struct str key)
{
    uint64_t h = basis;

    for (size_t i = 0; i < key.len; i++) {
        h = (h ^ (unsigned char)key.data[i]) * UINT64_C(0x100000001B3);
    }
    return h ^ h >> 32;
}

/* The place in `slots` that the key has, or would have. */
static size_t find_slot(const struct record_rows *r, struct str key)
{
    size_t at = (size_t)hash_of(r->basis, key) & (r->slot_count - 1);

    while (r->slots[at] && !str_equal(r->list[r->slots[at] - 1].key, key)) {
        at = (at + 1) & (r->slot_count - 1);
    }
    return at;
}

/* Of rows with one key the last one counts. */
static enum result find_doubles(struct record_rows *r, struct err *err)
{
    r->slot_count = 16;
    while (r->slot_count < 2 * r->count + 2) {
        r->slot_count *= 2;
    }
    if (r->slot_count > r->slot_room) {
        free(r->slots);
        r->slots = malloc(r->slot_count * sizeof *r->slots);
        r->slot_room = r->slots ? r->slot_count : 0;
    }
    if (!r->slots) {
        return err_nomem(err, "comparing records");
    }
    memset(r->slots, 0, r->slot_count * sizeof *r->slots);
    for (size_t i = r->count; i > 0; i--) {
        struct record_row *row = &r->list[i - 1];
        size_t at = row->key.len ? find_slot(r, row->key) : 0;

        row->is_doubled = row->key.len && r->slots[at];
        if (row->key.len && !row->is_doubled) {
            r->slots[at] = (uint32_t)i;
        }
    }
    return RESULT_OK;
}

size_t record_rows_find(const struct record_rows *r, struct str key)
{
    size_t at = r->count ? find_slot(r, key) : 0;

    return r->count && r->slots[at] ? r->slots[at] - 1 : SIZE_MAX;
}

static enum result make_list(struct record_rows *r, struct err *err)
{
    if (r->count > r->list_room) {
        free(r->list);
        r->list = calloc(r->count, sizeof *r->list);
        r->list_room = r->list ? r->count : 0;
    }
    if (r->count && !r->list) {
        return err_nomem(err, "comparing records");
    }
    for (size_t i = 0; i < r->count; i++) {
        const struct placed_row *p = &r->placed[i];

        r->list[i] = (struct record_row){ .key = { r->bytes.data + p->key_at, p->key_len },
                                          .cells = { r->bytes.data + p->cells_at, p->cells_len } };
    }
    return find_doubles(r, err);
}

enum result record_rows_read(struct record_rows *r, struct str body, struct str vars,
                             const struct record_row **list, size_t *count, struct err *err)
{
    struct flatten_counts counts = { 0 };
    uint64_t matches = 0;
    enum result result = RESULT_OK;

    *count = 0;
    if (!json_check(body, JSON_DEPTH_MAX, NULL)) {
        return RESULT_INVALID;
    }
    if (r->spec.shape != RECORD_SHAPE_OBJECTS) {
        result = reshape(r, &body, err);
    }
    if (result == RESULT_OK) {
        set_meta(r, vars);
        result = fill(r, body, &matches, err);
    }
    if (result == RESULT_CORRUPT) { /* a column that is not known yet */
        result = flatten_document(r->learner, body, NULL, NULL, &counts, err);
        result = result == RESULT_OK ? make_table(r, err) : result;
        if (result == RESULT_OK) {
            set_meta(r, vars);
            result = fill(r, body, &matches, err);
        }
    }
    if (result == RESULT_OK && !matches) {
        return RESULT_NOT_FOUND;
    }
    result = result == RESULT_OK ? make_list(r, err) : result;
    *list = r->list;
    *count = result == RESULT_OK ? r->count : 0;
    return result;
}

struct str record_rows_name(const struct record_rows *r, uint32_t column)
{
    uint32_t of = columns_of_node(r->table, column);

    return of == COLUMNS_NONE ? STR("?") : columns_name(r->table, of);
}

uint32_t record_rows_key_column(const struct record_rows *r, size_t i)
{
    return r->key_columns[i] == COLUMNS_NONE ? UINT32_MAX
                                             : columns_node(r->table, r->key_columns[i]);
}
