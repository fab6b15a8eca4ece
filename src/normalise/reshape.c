#include "normalise/reshape.h"

#include "read/csv_json.h"

#include <stdlib.h>

#define GUESS_ROWS 20

struct reshaping {
    struct buf *out;
    enum record_shape shape;
    bool has_more; /* a record stands before the next one */
    uint64_t nulls;
    enum result result;
};

static void put(struct reshaping *r, struct str text)
{
    r->result = r->result == RESULT_OK ? buf_append_str(r->out, text) : r->result;
}

static void begin_record(struct reshaping *r)
{
    put(r, r->has_more ? STR(",{") : STR("{"));
    r->has_more = true;
}

static void put_as_it_is(struct reshaping *r, struct str value)
{
    if (json_type_of(value) == JSON_NULL) {
        r->nulls++;
        return;
    }
    put(r, r->has_more ? STR(",") : STR(""));
    put(r, str_trim(value));
    r->has_more = true;
}

/* --- the first array names the others' elements ------------------------------------------------------------- */

/* What the elements say, a string's letters or a value as it is written. */
static enum result read_names(struct str row, struct csv_names *names)
{
    struct csv_row cells = { 0 };
    struct json_walk walk;
    struct str value;
    size_t count = 0;
    enum result result = RESULT_OK;

    json_walk_begin(&walk, row);
    while (json_walk_next(&walk, NULL, NULL)) {
        count++;
    }
    if (count > CSV_CELLS_MAX) {
        return RESULT_LIMIT;
    }
    cells.cells = calloc(count + 1, sizeof *cells.cells);
    result = cells.cells ? buf_reserve(&cells.text, 3 * row.len + 1) : RESULT_NOMEM;
    json_walk_begin(&walk, row);
    while (result == RESULT_OK && json_walk_next(&walk, NULL, &value)) {
        size_t from = cells.text.len;

        result = json_type_of(value) == JSON_STRING
                     ? json_unescape(&cells.text, json_string_raw(value), NULL)
                     : buf_append_str(&cells.text, str_trim(value));
        cells.cells[cells.count++].text =
            (struct str){ cells.text.data + from, cells.text.len - from };
    }
    result = result == RESULT_OK ? csv_names_make(names, &cells, 0) : result;
    csv_row_release(&cells);
    return result;
}

static struct str name_at(const struct csv_names *names, size_t i)
{
    size_t from = i ? names->ends[i - 1] : 0;

    return (struct str){ names->text.data + from, names->ends[i] - from };
}

static void put_row(struct reshaping *r, const struct csv_names *names, struct str row)
{
    struct json_walk walk;
    struct str value;
    size_t i = 0;

    if (json_type_of(row) != JSON_ARRAY) {
        put_as_it_is(r, row);
        return;
    }
    begin_record(r);
    json_walk_begin(&walk, row);
    for (; json_walk_next(&walk, NULL, &value) && r->result == RESULT_OK; i++) {
        put(r, i ? STR(",") : STR(""));
        if (i <= names->count) {
            put(r, name_at(names, i));
        }
        put(r, i == names->count ? STR("[") : STR(""));
        put(r, str_trim(value));
    }
    put(r, i > names->count ? STR("]}") : STR("}"));
}

static void put_rows(struct reshaping *r, struct str array)
{
    struct csv_names names = { 0 };
    struct json_walk walk;
    struct str row;

    json_walk_begin(&walk, array);
    if (json_walk_next(&walk, NULL, &row)) {
        if (json_type_of(row) != JSON_ARRAY) {
            put_as_it_is(r, array);
            return;
        }
        r->result = read_names(row, &names);
    }
    while (r->result == RESULT_OK && json_walk_next(&walk, NULL, &row)) {
        put_row(r, &names, row);
    }
    csv_names_release(&names);
}

/* --- each array is a column ------------------------------------------------------------------------------------ */

struct column {
    struct str name, value; /* the name still escaped; the value, when it is no array */
    struct json_walk walk;
    bool is_array, has_ended;
};

static enum result read_columns(struct str object, struct column **columns, size_t *count)
{
    struct json_walk walk;
    struct str name, value;
    size_t cap = 0;

    *columns = NULL;
    *count = 0;
    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &name, &value)) {
        struct column *c;

        if (*count == cap) {
            cap = cap ? 2 * cap : 16;
            c = reallocarray(*columns, cap, sizeof *c);
            if (!c || *count == CSV_CELLS_MAX) {
                *columns = c ? c : *columns;
                return c ? RESULT_LIMIT : RESULT_NOMEM;
            }
            *columns = c;
        }
        c = &(*columns)[(*count)++];
        *c = (struct column){ .name = name, .value = str_trim(value) };
        c->is_array = json_type_of(value) == JSON_ARRAY;
        if (c->is_array) {
            json_walk_begin(&c->walk, value);
        }
    }
    return RESULT_OK;
}

/* The next element of each; false when no array has one. */
static bool step(struct column *columns, size_t count)
{
    bool has_one = false;

    for (size_t i = 0; i < count; i++) {
        struct column *c = &columns[i];

        c->has_ended = c->is_array && (c->has_ended || !json_walk_next(&c->walk, NULL, &c->value));
        has_one |= c->is_array && !c->has_ended;
    }
    return has_one;
}

static void put_columns(struct reshaping *r, struct str object)
{
    struct column *columns;
    size_t count;

    r->result = read_columns(object, &columns, &count);
    while (r->result == RESULT_OK && step(columns, count)) {
        bool is_first = true;

        begin_record(r);
        for (size_t i = 0; i < count; i++) {
            if (!columns[i].has_ended) {
                put(r, is_first ? STR("\"") : STR(",\""));
                put(r, columns[i].name);
                put(r, STR("\":"));
                put(r, str_trim(columns[i].value));
                is_first = false;
            }
        }
        put(r, STR("}"));
    }
    free(columns);
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

static bool on_match(void *context, const struct json_match *match)
{
    struct reshaping *r = context;
    enum json_type type = json_type_of(match->value);

    if (r->shape == RECORD_SHAPE_HEADER && type == JSON_ARRAY) {
        put_rows(r, match->value);
    } else if (r->shape == RECORD_SHAPE_PARALLEL && type == JSON_OBJECT) {
        put_columns(r, match->value);
    } else {
        put_as_it_is(r, match->value);
    }
    return r->result == RESULT_OK;
}

enum result reshape_append(struct str text, const struct json_pointer *records,
                           enum record_shape shape, struct buf *out, struct reshape_counts *counts)
{
    struct reshaping r = { .out = out, .shape = shape };

    put(&r, STR("["));
    if (records) {
        counts->matches = json_pointer_each(text, records, on_match, &r);
    } else {
        counts->matches = 1;
        (void)on_match(&r, &(struct json_match){ .value = text, .key = STR_NONE });
    }
    put(&r, STR("]"));
    counts->nulls = r.nulls;
    return r.result;
}

/* --- guesses -------------------------------------------------------------------------------------------------------- */

static size_t count_elements(struct str array)
{
    struct json_walk walk;
    size_t count = 0;

    json_walk_begin(&walk, array);
    while (json_walk_next(&walk, NULL, NULL)) {
        count++;
    }
    return count;
}

/* Different strings, two at least, none of them empty. */
static bool is_header(struct str row)
{
    struct json_walk walk, before;
    struct str value, other;
    size_t count = 0;

    if (json_type_of(row) != JSON_ARRAY) {
        return false;
    }
    json_walk_begin(&walk, row);
    for (; count < 1000 && json_walk_next(&walk, NULL, &value); count++) {
        if (json_type_of(value) != JSON_STRING || !json_string_raw(value).len) {
            return false;
        }
        json_walk_begin(&before, row);
        for (size_t i = 0; i < count && json_walk_next(&before, NULL, &other); i++) {
            if (str_equal(str_trim(value), str_trim(other))) {
                return false;
            }
        }
    }
    return count > 1;
}

static bool is_of_rows(struct str array)
{
    struct json_walk walk;
    struct str row;
    size_t width, rows = 0;

    json_walk_begin(&walk, array);
    if (!json_walk_next(&walk, NULL, &row) || !is_header(row)) {
        return false;
    }
    width = count_elements(row);
    for (; rows < GUESS_ROWS && json_walk_next(&walk, NULL, &row); rows++) {
        if (json_type_of(row) != JSON_ARRAY || count_elements(row) != width) {
            return false;
        }
    }
    return rows > 0;
}

/* Two arrays at least, and nothing else, each of as many values that are no objects or arrays. */
static bool is_parallel(struct str object)
{
    struct json_walk walk, inner;
    struct str value, element;
    size_t columns = 0, length = 0;

    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, NULL, &value)) {
        if (json_type_of(value) != JSON_ARRAY) {
            return false;
        }
        json_walk_begin(&inner, value);
        if (json_walk_next(&inner, NULL, &element) && json_type_of(element) >= JSON_ARRAY) {
            return false;
        }
        if (columns++ && count_elements(value) != length) {
            return false;
        }
        length = count_elements(value);
    }
    return columns > 1 && length > 1;
}

enum record_shape reshape_guess(struct str value)
{
    enum json_type type = json_type_of(value);

    return type == JSON_ARRAY && is_of_rows(value)     ? RECORD_SHAPE_HEADER
           : type == JSON_OBJECT && is_parallel(value) ? RECORD_SHAPE_PARALLEL
                                                       : RECORD_SHAPE_OBJECTS;
}
