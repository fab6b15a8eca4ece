/*
 * The walk. Records of one API look alike, so the tree of columns is hardly ever searched: each
 * node remembers which member followed it last time (`next`), and one comparison of the key's bytes
 * confirms the guess. Only a key that is new, or stands elsewhere than usual, is hashed.
 */
#include "normalise/flatten.h"

#include "base/json_step.h"

#include <stdlib.h>
#include <string.h>

struct hint {
    uint32_t next;  /* the member that came behind this one last time */
    uint32_t first; /* the member that an object here began with last time */
    uint64_t seen;  /* visit at which this member was last met */
};

struct level {
    uint32_t node; /* the object that we are in */
    uint32_t last; /* its member that was read last, COLUMNS_NONE before the first */
};

struct flatten {
    const struct json_pointer *records;
    struct columns *columns;
    enum flatten_pass pass;
    uint64_t chunk;
    uint32_t order;
    struct hint *hints; /* by node */
    uint32_t hint_count;
    struct cell *cells; /* by column, FLATTEN_FILL */
    uint64_t row;
    uint64_t visit_base; /* visits of this row have this number and above */
    uint32_t *visits;    /* the row's members as they were met, by node */
    size_t visit_count, visit_cap;
    struct buf name; /* a key that had to be unescaped */
    struct level levels[JSON_DEPTH_MAX];
    const struct flatten_shape *shape; /* NULL: nothing but the above */
    uint32_t depth_max;
    uint32_t explode_node; /* COLUMNS_NONE: none */
    struct str exploded;   /* of this record: the array, while it is there */
    bool facts;
    const struct flatten_meta *meta;
    size_t meta_count;
    /* One document: */
    row_fn *sink;
    void *sink_context;
    struct flatten_counts *counts;
    struct err *err;
    enum result result;
};

struct flatten *flatten_new(const struct json_pointer *records, struct columns *columns,
                            enum flatten_pass pass)
{
    struct flatten *f = calloc(1, sizeof *f);

    if (!f) {
        return NULL;
    }
    f->records = records;
    f->columns = columns;
    f->pass = pass;
    f->visit_base = 1;
    f->depth_max = FLATTEN_DEPTH_ALL;
    f->explode_node = COLUMNS_NONE;
    if (pass == FLATTEN_FILL) {
        f->cells = calloc(columns_count(columns) + 1U, sizeof *f->cells);
        if (!f->cells) {
            flatten_free(f);
            return NULL;
        }
    }
    return f;
}

void flatten_free(struct flatten *f)
{
    if (f) {
        free(f->hints);
        free(f->cells);
        free(f->visits);
        buf_release(&f->name);
        free(f);
    }
}

void flatten_enter_chunk(struct flatten *f, uint64_t chunk)
{
    f->chunk = chunk;
    f->order = 0;
}

/* Finds the node of the array to explode; it need not be a column. */
static enum result find_explode_node(struct flatten *f, struct err *err)
{
    const struct json_pointer *pointer = f->shape->explode;
    enum result result = RESULT_OK;

    f->explode_node = COLUMNS_ROOT;
    for (unsigned i = 0; result == RESULT_OK && i < pointer->count; i++) {
        struct str name = { pointer->bytes + pointer->steps[i].at, pointer->steps[i].len };

        if (f->pass == FLATTEN_LEARN) {
            result = columns_add(f->columns, f->explode_node, name, &f->explode_node, err);
        } else {
            f->explode_node = columns_find(f->columns, f->explode_node, name);
        }
    }
    return result;
}

enum result flatten_set_shape(struct flatten *f, const struct flatten_shape *shape, struct err *err)
{
    f->shape = shape;
    f->depth_max = shape->depth_max;
    f->facts = shape->facts && f->pass == FLATTEN_LEARN;
    return shape->explode ? find_explode_node(f, err) : RESULT_OK;
}

void flatten_set_meta(struct flatten *f, const struct flatten_meta *meta, size_t count)
{
    f->meta = meta;
    f->meta_count = count;
}

static enum result changed(struct flatten *f)
{
    return err_set(f->err, RESULT_CORRUPT, "E-TAB2", "the input changed while it was being read");
}

/* Hints for every node there is. */
static bool grow_hints(struct flatten *f)
{
    uint32_t want = columns_node_count(f->columns), count = f->hint_count ? f->hint_count : 64;
    struct hint *hints;

    if (want <= f->hint_count) {
        return true;
    }
    while (count < want) {
        count *= 2;
    }
    hints = realloc(f->hints, count * sizeof *hints);
    if (!hints) {
        return false;
    }
    for (uint32_t i = f->hint_count; i < count; i++) {
        hints[i] = (struct hint){ .next = COLUMNS_NONE, .first = COLUMNS_NONE };
    }
    f->hints = hints;
    f->hint_count = count;
    return true;
}

/* The slow way to a member's node. */
static enum result search_node(struct flatten *f, uint32_t parent, struct str raw, bool escaped,
                               uint32_t *node)
{
    enum result result = RESULT_OK;

    if (escaped) {
        buf_reset(&f->name);
        result = json_unescape(&f->name, raw, NULL);
        raw = buf_view(&f->name);
    }
    if (result != RESULT_OK) {
        return err_nomem(f->err, "reading a key");
    }
    if (f->pass == FLATTEN_LEARN) {
        result = columns_add(f->columns, parent, raw, node, f->err);
        if (result == RESULT_OK && !grow_hints(f)) {
            result = err_nomem(f->err, "collecting columns");
        }
        return result;
    }
    *node = columns_find(f->columns, parent, raw);
    return *node == COLUMNS_NONE ? changed(f) : RESULT_OK;
}

static inline enum result find_node(struct flatten *f, struct level *level, struct str raw,
                                    bool escaped, uint32_t *node)
{
    uint32_t *guess =
        level->last == COLUMNS_NONE ? &f->hints[level->node].first : &f->hints[level->last].next;
    enum result result;

    *node = *guess;
    if (*node != COLUMNS_NONE && !escaped) {
        struct str name = columns_node_name(f->columns, *node);

        if (name.len == raw.len && memcmp(name.data, raw.data, raw.len) == 0) {
            level->last = *node;
            return RESULT_OK;
        }
    }
    result = search_node(f, level->node, raw, escaped, node);
    if (result == RESULT_OK) {
        guess = level->last == COLUMNS_NONE ? &f->hints[level->node].first
                                            : &f->hints[level->last].next;
        *guess = *node;
        level->last = *node;
    }
    return result;
}

static bool is_below(const struct columns *columns, uint32_t node, uint32_t above)
{
    while (node >= COLUMNS_ROOTS && node != above) {
        node = columns_parent(columns, node);
    }
    return node == above;
}

/* The member has been met in this row before: what it left behind goes. It and what it held
 * were met one after the other, so the list of visits has them together. */
static void drop_duplicate(struct flatten *f, uint32_t node)
{
    size_t at = (size_t)(f->hints[node].seen - f->visit_base);

    f->counts->duplicate_keys++;
    for (; at < f->visit_count && is_below(f->columns, f->visits[at], node); at++) {
        uint32_t column = columns_of_node(f->columns, f->visits[at]);

        f->hints[f->visits[at]].seen = 0;
        if (f->visits[at] == f->explode_node) {
            f->exploded = STR_NONE;
        }
        if (f->cells && column != COLUMNS_NONE) {
            f->cells[column].row = 0;
        }
    }
}

static inline enum result note_visit(struct flatten *f, uint32_t node)
{
    if (f->hints[node].seen >= f->visit_base) {
        drop_duplicate(f, node);
    }
    if (f->visit_count == f->visit_cap) {
        size_t cap = f->visit_cap ? f->visit_cap * 2 : 64;
        uint32_t *visits = realloc(f->visits, cap * sizeof *visits);

        if (!visits) {
            return err_nomem(f->err, "reading a record");
        }
        f->visits = visits;
        f->visit_cap = cap;
    }
    f->hints[node].seen = f->visit_base + f->visit_count;
    f->visits[f->visit_count++] = node;
    return RESULT_OK;
}

static inline enum result put_cell(struct flatten *f, uint32_t node, enum cell_kind kind,
                                   struct str text)
{
    uint32_t column;

    if (f->pass == FLATTEN_LEARN) {
        enum result result = columns_marked(f->columns, node)
                                 ? RESULT_OK
                                 : columns_mark(f->columns, node, f->chunk, f->order++, f->err);

        return result == RESULT_OK && f->facts ? columns_note(f->columns, node, kind, text, f->err)
                                               : result;
    }
    column = columns_of_node(f->columns, node);
    if (column == COLUMNS_NONE) {
        return changed(f);
    }
    f->cells[column] =
        (struct cell){ .row = f->row, .text = text.data, .len = (uint32_t)text.len, .kind = kind };
    return RESULT_OK;
}

/* A value that is not an object to go into; `p` at its first byte. */
static inline enum result put_value(struct flatten *f, uint32_t node, const char **p,
                                    const char *end)
{
    enum cell_kind kind = CELL_BARE;
    const char *first = *p;
    bool escaped = false;

    if (first == end) {
        return changed(f);
    }
    switch (*first) {
    case '"':
        *p = json_step_string(++first, end, &escaped);
        kind = escaped ? CELL_ESCAPED : CELL_STRING;
        break;
    case '[':
    case '{':
        *p = json_step_container(first, end);
        kind = CELL_JSON;
        break;
    default:
        *p = json_step_bare(first, end);
        kind = *first == 'n' ? CELL_NULL : CELL_BARE;
        break;
    }
    struct str text = { first, (size_t)(*p - first) };

    *p += kind <= CELL_ESCAPED && kind >= CELL_STRING && *p < end; /* the closing quote */
    if (node == f->explode_node && *first == '[' && !f->exploded.data) {
        f->exploded = text;
        return RESULT_OK;
    }
    return put_cell(f, node, kind, text);
}

/* One key and its colon, at `*p`; the value's node comes out. */
static inline enum result take_key(struct flatten *f, struct level *level, const char **p,
                                   const char *end, uint32_t *node)
{
    bool escaped = false;
    const char *first, *close;
    enum result result;

    if (*p == end || **p != '"') {
        return changed(f);
    }
    first = *p + 1;
    close = json_step_string(first, end, &escaped);
    result = find_node(f, level, (struct str){ first, (size_t)(close - first) }, escaped, node);
    if (result == RESULT_OK) {
        result = note_visit(f, *node);
    }
    *p = json_step_space(close < end ? close + 1 : end, end);
    if (result == RESULT_OK && (*p == end || **p != ':')) {
        return changed(f);
    }
    *p = json_step_space(*p < end ? *p + 1 : end, end);
    return result;
}

/* All members of an object and of those in it; `p` at its opening brace, `top` its node. */
static enum result walk_object(struct flatten *f, uint32_t top, const char *p, const char *end)
{
    struct level *level = f->levels;
    enum result result = RESULT_OK;
    uint32_t node;

    *level = (struct level){ .node = top, .last = COLUMNS_NONE };
    p = json_step_space(p + 1, end);
    while (result == RESULT_OK) {
        if (p < end && *p == '}') {
            if (level == f->levels) {
                return RESULT_OK;
            }
            level--;
            p++;
        } else {
            result = take_key(f, level, &p, end, &node);
            if (result == RESULT_OK && p < end && *p == '{' &&
                (size_t)(level - f->levels) < f->depth_max) {
                if (++level == f->levels + JSON_DEPTH_MAX) {
                    return changed(f);
                }
                *level = (struct level){ .node = node, .last = COLUMNS_NONE };
                p = json_step_space(p + 1, end);
                continue;
            }
            if (result == RESULT_OK) {
                result = put_value(f, node, &p, end);
            }
        }
        p = json_step_space(p, end);
        if (p < end && *p == ',') {
            p = json_step_space(p + 1, end);
        } else if (result == RESULT_OK && (p == end || *p != '}')) {
            return changed(f);
        }
    }
    return result;
}

/* A cell of a column that is not a path in the JSON. */
static enum result put_beside(struct flatten *f, uint32_t root, struct str name,
                              enum cell_kind kind, struct str text)
{
    enum result result;
    uint32_t node;

    result = search_node(f, root, name, false, &node);
    return result == RESULT_OK ? put_cell(f, node, kind, text) : result;
}

static enum cell_kind kind_of_raw(struct str raw)
{
    return memchr(raw.data, '\\', raw.len) ? CELL_ESCAPED : CELL_STRING;
}

/* A whole value, whatever it is. */
static enum result put_whole(struct flatten *f, uint32_t root, struct str name, struct str value)
{
    struct str raw = json_string_raw(value);

    switch (json_type_of(value)) {
    case JSON_STRING:
        return put_beside(f, root, name, kind_of_raw(raw), raw);
    case JSON_ARRAY:
    case JSON_OBJECT:
        return put_beside(f, root, name, CELL_JSON, value);
    case JSON_NULL:
        return put_beside(f, root, name, CELL_NULL, value);
    default:
        return put_beside(f, root, name, CELL_BARE, value);
    }
}

/* The picks of the record (`element` false), or those that lead into an element of its array. */
static enum result put_picks(struct flatten *f, struct str value, bool element)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; result == RESULT_OK && i < f->shape->pick_count; i++) {
        const struct flatten_pick *pick = &f->shape->picks[i];
        struct str found;

        if (pick->in_element == element && json_pointer_find(value, &pick->pointer, &found)) {
            result = put_whole(f, COLUMNS_PICK, pick->name, found);
        }
    }
    return result;
}

static enum result emit_row(struct flatten *f)
{
    struct row row;

    f->counts->rows++;
    if (f->pass == FLATTEN_LEARN) {
        return RESULT_OK;
    }
    row = (struct row){ f->cells, columns_count(f->columns), f->row };
    return f->sink(f->sink_context, &row);
}

static void empty_cell(struct flatten *f, uint32_t node)
{
    uint32_t column = columns_of_node(f->columns, node);

    if (f->cells && column != COLUMNS_NONE) {
        f->cells[column].row = 0;
    }
}

/* Forgets what was met from the visit `mark` on. */
static void forget(struct flatten *f, size_t mark)
{
    for (; f->visit_count > mark; f->visit_count--) {
        uint32_t node = f->visits[f->visit_count - 1];

        f->hints[node].seen = 0;
        empty_cell(f, node);
    }
}

/* So that an element without a picked value does not show the one before it. */
static void forget_picks(struct flatten *f)
{
    for (size_t i = 0; f->cells && i < f->shape->pick_count; i++) {
        const struct flatten_pick *pick = &f->shape->picks[i];
        uint32_t node =
            pick->in_element ? columns_find(f->columns, COLUMNS_PICK, pick->name) : COLUMNS_NONE;

        if (node != COLUMNS_NONE) {
            empty_cell(f, node);
        }
    }
}

/* One row for each element; the record's own cells stay in all of them. */
static enum result explode(struct flatten *f)
{
    enum result result = RESULT_OK;
    size_t mark = f->visit_count;
    struct json_walk walk;
    struct str element;
    bool any = false;

    f->counts->exploded++;
    json_walk_begin(&walk, f->exploded);
    while (result == RESULT_OK && json_walk_next(&walk, NULL, &element)) {
        const char *p = element.data, *end = p + element.len;

        any = true;
        if (!f->shape->picks_only) {
            result = json_type_of(element) == JSON_OBJECT ? walk_object(f, f->explode_node, p, end)
                                                          : put_value(f, f->explode_node, &p, end);
        }
        if (result == RESULT_OK) {
            result = put_picks(f, element, true);
        }
        if (result == RESULT_OK) {
            result = emit_row(f);
        }
        forget(f, mark);
        empty_cell(f, f->explode_node); /* of an element that is no object */
        forget_picks(f);
    }
    return result == RESULT_OK && !any ? emit_row(f) : result;
}

/* With picks alone the record is not walked through: its array is looked up. */
static void find_exploded(struct flatten *f, struct str value)
{
    struct str found;

    if (f->shape->explode && json_pointer_find(value, f->shape->explode, &found) &&
        json_type_of(found) == JSON_ARRAY) {
        f->exploded = found;
    }
}

static enum result read_record(struct flatten *f, struct str value)
{
    enum result result = RESULT_OK;

    f->exploded = STR_NONE;
    if (f->shape && f->shape->picks_only) {
        find_exploded(f, value);
    } else if (json_type_of(value) == JSON_OBJECT) {
        result = walk_object(f, COLUMNS_ROOT, value.data, value.data + value.len);
    } else {
        result = put_whole(f, COLUMNS_META, STR("value"), value);
    }
    return result == RESULT_OK && f->shape ? put_picks(f, value, false) : result;
}

/* One record: its cells, then its row or rows. */
static enum result take_record(struct flatten *f, struct str value, struct str key)
{
    enum result result = grow_hints(f) ? RESULT_OK : err_nomem(f->err, "reading a record");

    f->row++;
    f->visit_base += f->visit_count;
    f->visit_count = 0;
    for (size_t i = 0; result == RESULT_OK && i < f->meta_count; i++) {
        result = put_beside(f, COLUMNS_META, f->meta[i].name, f->meta[i].kind, f->meta[i].text);
    }
    if (result == RESULT_OK && key.data) {
        result = put_beside(f, COLUMNS_META, STR("_key"), kind_of_raw(key), key);
    }
    if (result == RESULT_OK) {
        result = read_record(f, value);
    }
    if (result == RESULT_OK) {
        f->counts->records++;
        result = f->exploded.data ? explode(f) : emit_row(f);
    }
    return result;
}

/* What the pointer led to: false ends the search. */
static bool take_match(void *context, const struct json_match *match)
{
    struct flatten *f = context;
    struct json_walk walk;
    struct str element;

    f->counts->matches++;
    switch (json_type_of(match->value)) {
    case JSON_NONE:
    case JSON_NULL:
        break;
    case JSON_ARRAY:
        json_walk_begin(&walk, match->value);
        while (f->result == RESULT_OK && json_walk_next(&walk, NULL, &element)) {
            f->result = take_record(f, element, match->key);
        }
        break;
    default:
        f->result = take_record(f, match->value, match->key);
        break;
    }
    return f->result == RESULT_OK;
}

enum result flatten_document(struct flatten *f, struct str text, row_fn *sink, void *context,
                             struct flatten_counts *counts, struct err *err)
{
    text = str_trim(text);
    f->sink = sink;
    f->sink_context = context;
    f->counts = counts;
    f->err = err;
    f->result = RESULT_OK;
    if (text.len > FLATTEN_TEXT_MAX) {
        return err_set(err, RESULT_LIMIT, "E-TAB3", "one document is over 4 GiB");
    }
    if (f->records) {
        json_pointer_each(text, f->records, take_match, f);
    } else {
        take_match(f, &(struct json_match){ .value = text, .key = STR_NONE });
    }
    return f->result;
}
