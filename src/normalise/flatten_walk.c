/*
 * The walk. Records of one API look alike, so the tree of columns is hardly ever searched: each
 * node remembers which member followed it last time (`next`), and its name as it stands in the text;
 * one comparison confirms the guess, and what is equal to a name that was verified once is valid.
 * Only a key that is new, or stands elsewhere than usual, is looked at byte by byte and hashed.
 *
 * There is one text for all kinds of passes and, by constant arguments, one machine code for each: for
 * learning and for filling rows, and for both at once; and for learning from a text that has been
 * verified already.
 */
#include "normalise/flatten_walk.h"

#include "base/grow.h"
#include "base/json_step.h"
#include "base/json_verify.h"

#include <stdlib.h>
#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

static enum result changed(struct flatten *f)
{
    return err_set(f->err, RESULT_CORRUPT, "E-TAB2", "the input changed while it was being read");
}

enum result flatten_bad_text(struct flatten *f)
{
    return f->pass == FLATTEN_LEARN ? RESULT_INVALID : changed(f);
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
        if (result == RESULT_OK && !flatten_know_nodes(f)) {
            result = err_nomem(f->err, "collecting columns");
        }
        return result;
    }
    *node = columns_find(f->columns, parent, raw);
    return *node == COLUMNS_NONE ? changed(f) : RESULT_OK;
}

/* The node's name, in quotes, stands at `p`. */
ALWAYS_INLINE bool token_stands(const struct hint *h, const char *p, const char *end)
{
    uint64_t same = 0;

    if (end - p < HINT_TOKEN_MAX) {
        return h->token_len && (size_t)(end - p) > h->token_len &&
               memcmp(p, h->token, h->token_len) == 0;
    }
    for (unsigned i = 0; i < HINT_TOKEN_MAX; i += JSON_SIMD_WIDTH) {
        same |= json_simd_same(p + i, h->token + i) << i;
    }
    return h->token_len && (~same & h->token_bits) == 0;
}

/* The member that should come now, or the one after it: some members are often left out. */
ALWAYS_INLINE uint32_t guess_node(struct flatten *f, const struct level *level, const char *p,
                                  const char *end)
{
    const struct hint *hints = f->hints;
    uint32_t guess =
        level->last == COLUMNS_NONE ? hints[level->node].first : hints[level->last].next;

    if (f->wrong > GUESSES_WRONG && f->wrong++ % GUESSES_PART) {
        return COLUMNS_NONE;
    }
    for (int tries = 0; tries < 2 && guess < f->hint_count; tries++) {
        if (hints[guess].parent == level->node && token_stands(&hints[guess], p, end)) {
            f->wrong = 0;
            return guess;
        }
        guess = hints[guess].next;
    }
    f->wrong++;
    return COLUMNS_NONE;
}

/* A member that is known, but not where it was expected: the quote after the key's is taken for its end, and the
 * text must be the name. Of a table with thousands of columns nothing but the node's hint is looked at. */
ALWAYS_INLINE uint32_t find_known(const struct flatten *f, uint32_t parent, const char *p,
                                  const char *end)
{
    uint64_t quotes = 0;
    uint32_t node;

    if (end - p < HINT_TOKEN_MAX) {
        return COLUMNS_NONE;
    }
    for (unsigned i = 0; i < HINT_TOKEN_MAX; i += JSON_SIMD_WIDTH) {
        quotes |= json_simd_bits(json_simd_is(json_simd_load(p + i), '"')) << i;
    }
    quotes &= ~UINT64_C(1); /* the first stands there */
    if (!quotes) {
        return COLUMNS_NONE;
    }
    node = columns_likely(f->columns, parent, (struct str){ p + 1, json_simd_first(quotes) - 1 });
    return node < f->hint_count && f->hints[node].parent == parent &&
                   token_stands(&f->hints[node], p, end)
               ? node
               : COLUMNS_NONE;
}

static void expect_next_time(struct flatten *f, const struct level *level, uint32_t node)
{
    if (level->last == COLUMNS_NONE) {
        f->hints[level->node].first = node;
    } else {
        f->hints[level->last].next = node;
    }
}

/* A key that was not guessed; `*p` at its quote, then after the closing one. */
static enum result read_key(struct flatten *f, struct level *level, const char **p, const char *end,
                            uint32_t *node)
{
    const char *first = *p + 1, *close;
    bool escaped = false;
    enum result result;

    if (*p == end || **p != '"') {
        return flatten_bad_text(f);
    }
    *node = find_known(f, level->node, *p, end);
    if (*node != COLUMNS_NONE) {
        expect_next_time(f, level, *node);
        *p += f->hints[*node].token_len;
        return RESULT_OK;
    }
    close = f->pass == FLATTEN_LEARN ? json_verify_string(first, end, &escaped)
                                     : json_step_string(first, end, &escaped);
    if (!close || close == end) {
        return flatten_bad_text(f);
    }
    result =
        search_node(f, level->node, (struct str){ first, (size_t)(close - first) }, escaped, node);
    if (result == RESULT_OK) {
        expect_next_time(f, level, *node);
    }
    *p = close + 1;
    return result;
}

static bool is_below(const struct columns *columns, uint32_t node, uint32_t above)
{
    while (node >= COLUMNS_ROOTS && node != above) {
        node = columns_parent(columns, node);
    }
    return node == above;
}

void flatten_empty_cell(struct flatten *f, uint32_t node)
{
    uint32_t column = f->hints[node].column;

    if (f->table && column != COLUMNS_NONE) {
        f->cells[column].row = 0;
    }
}

/* The array is not exploded, so it must be verified here. */
static enum result drop_exploded(struct flatten *f)
{
    struct str array = f->exploded;

    f->exploded = STR_NONE;
    return !array.data || f->exploded_judged ||
                   f->kernel->verify(array.data, array.data + array.len,
                                     JSON_DEPTH_MAX - f->exploded_depth + 1) ==
                       array.data + array.len
               ? RESULT_OK
               : flatten_bad_text(f);
}

/* The member has been met in this row before: what it left behind goes. It and what it held
 * were met one after the other, so the list of visits has them together. */
static enum result drop_duplicate(struct flatten *f, uint32_t node)
{
    size_t at = (size_t)(f->hints[node].seen - f->visit_base);
    enum result result = RESULT_OK;

    f->counts->duplicate_keys++;
    for (; at < f->visit_count && is_below(f->columns, f->visits[at], node); at++) {
        f->hints[f->visits[at]].seen = 0;
        flatten_empty_cell(f, f->visits[at]);
        if (f->visits[at] == f->explode_node && result == RESULT_OK) {
            result = drop_exploded(f);
        }
    }
    return result;
}

void flatten_forget_visits(struct flatten *f, size_t mark)
{
    for (; f->visit_count > mark; f->visit_count--) {
        uint32_t node = f->visits[f->visit_count - 1];

        f->hints[node].seen = 0;
        flatten_empty_cell(f, node);
    }
}

static bool grow_list(uint32_t **list, size_t *cap)
{
    uint32_t *grown = grow_by_one(*list, *cap, cap, sizeof *grown);

    if (grown) {
        *list = grown;
    }
    return grown;
}

ALWAYS_INLINE enum result list_visit(struct flatten *f, uint32_t node)
{
    if (f->visit_count == f->visit_cap && !grow_list(&f->visits, &f->visit_cap)) {
        return err_nomem(f->err, "reading a record");
    }
    f->visits[f->visit_count++] = node;
    return RESULT_OK;
}

ALWAYS_INLINE enum result note_visit(struct flatten *f, uint32_t node)
{
    if (f->hints[node].seen >= f->visit_base) {
        enum result result = drop_duplicate(f, node);

        if (result != RESULT_OK) {
            return result;
        }
    }
    f->hints[node].seen = f->visit_base + f->visit_count;
    return list_visit(f, node);
}

/* A value stands where none has stood so far. */
static enum result mark(struct flatten *f, uint32_t node)
{
    enum result result;

    if (f->fresh_count == f->fresh_cap && !grow_list(&f->fresh, &f->fresh_cap)) {
        return err_nomem(f->err, "collecting columns");
    }
    result = columns_mark(f->columns, node, f->chunk, f->order++, f->err);
    f->spoilt |= f->table && f->hints[node].column == COLUMNS_NONE;
    if (result == RESULT_OK) {
        f->fresh[f->fresh_count++] = node;
        f->hints[node].marked = true;
    }
    return result;
}

/* What a pass does with a value; constants, so that none of it is asked at run time. */
struct manner {
    bool learn;  /* its column, and what there is to know of it */
    bool verify; /* nobody has done so */
    bool fill;   /* a row's cell */
};

static struct manner manner_of(const struct flatten *f)
{
    bool learn = f->pass == FLATTEN_LEARN;

    return (struct manner){ .learn = learn, .verify = learn && !f->judged, .fill = f->table };
}

#define LEARNING ((struct manner){ .learn = true, .verify = true })
#define LEARNING_JUDGED ((struct manner){ .learn = true })
#define LEARNING_FILLING ((struct manner){ .learn = true, .verify = true, .fill = true })
#define LEARNING_FILLING_JUDGED ((struct manner){ .learn = true, .fill = true })
#define FILLING ((struct manner){ .fill = true })

ALWAYS_INLINE enum result put_cell(struct flatten *f, uint32_t node, enum cell_kind kind,
                                   struct str text, const struct manner manner)
{
    uint32_t column = manner.fill ? f->hints[node].column : COLUMNS_NONE;

    if (manner.learn) {
        enum result result = f->hints[node].marked ? RESULT_OK : mark(f, node);

        if (f->facts && result == RESULT_OK && kind != CELL_NULL) {
            struct row_value unwanted;

            columns_note(f->columns, node, kind, text,
                         manner.fill && column != COLUMNS_NONE ? &f->values[column] : &unwanted);
        }
        if (!manner.fill || result != RESULT_OK) {
            return result;
        }
    }
    if (column == COLUMNS_NONE) {
        return manner.learn ? RESULT_OK : changed(f); /* learnt a moment ago: the row is spoilt */
    }
    f->cells[column] = (struct row_cell){
        .row = f->row, .text = text.data, .len = (uint32_t)text.len, .kind = kind
    };
    return RESULT_OK;
}

enum result flatten_put_beside(struct flatten *f, uint32_t root, struct str name,
                               enum cell_kind kind, struct str text)
{
    enum result result;
    uint32_t node;

    result = search_node(f, root, name, false, &node);
    result = result == RESULT_OK ? list_visit(f, node) : result;
    return result == RESULT_OK ? put_cell(f, node, kind, text, manner_of(f)) : result;
}

enum result flatten_put_whole(struct flatten *f, uint32_t root, struct str name, struct str value)
{
    struct str raw = json_string_raw(value);

    switch (json_type_of(value)) {
    case JSON_STRING:
        return flatten_put_beside(
            f, root, name, memchr(raw.data, '\\', raw.len) ? CELL_ESCAPED : CELL_STRING, raw);
    case JSON_ARRAY:
    case JSON_OBJECT:
        return flatten_put_beside(f, root, name, CELL_JSON, value);
    case JSON_NULL:
        return flatten_put_beside(f, root, name, CELL_NULL, value);
    default:
        return flatten_put_beside(f, root, name, CELL_BARE, value);
    }
}

/* A value that is no object to go into; `*p` at its first byte, then after it. */
ALWAYS_INLINE enum result put_value(struct flatten *f, uint32_t node, const char **p,
                                    const char *end, unsigned depth, const struct manner manner)
{
    const bool verify = manner.verify;

    enum cell_kind kind;
    const char *first = *p, *after;
    bool escaped = false;

    if (first == end) {
        return flatten_bad_text(f);
    }
    if (*first == '"') {
        first++;
        after = verify ? json_verify_string(first, end, &escaped)
                       : json_step_string(first, end, &escaped);
        kind = escaped ? CELL_ESCAPED : CELL_STRING;
    } else if (node == f->explode_node && *first == '[' && !f->exploded.data) {
        after = f->kernel->container_end(first, end);
        f->exploded = (struct str){ first, (size_t)(after - first) };
        f->exploded_depth = depth + 1;
        f->exploded_judged = !verify; /* the walk along its elements does it */
        *p = after;
        return RESULT_OK;
    } else if (*first == '[' || *first == '{') {
        after = verify ? f->kernel->verify(first, end, JSON_DEPTH_MAX - depth)
                       : f->kernel->container_end(first, end);
        kind = CELL_JSON;
    } else {
        after = verify ? json_verify_bare(first, end) : json_step_bare(first, end);
        kind = *first == 'n' ? CELL_NULL : CELL_BARE;
    }
    if (verify && !after) {
        return RESULT_INVALID;
    }
    *p = after + (after < end && (kind == CELL_STRING || kind == CELL_ESCAPED));
    return put_cell(f, node, kind, (struct str){ first, (size_t)(after - first) }, manner);
}

/* One key and its colon, at `*p`; the value's node comes out. */
ALWAYS_INLINE enum result take_key(struct flatten *f, struct level *level, const char **p,
                                   const char *end, uint32_t *node)
{
    enum result result = RESULT_OK;

    *node = guess_node(f, level, *p, end);
    if (*node != COLUMNS_NONE) {
        *p += f->hints[*node].token_len;
    } else {
        result = read_key(f, level, p, end, node);
        if (result != RESULT_OK) {
            return result;
        }
    }
    level->last = *node;
    *p = json_step_space(*p, end);
    if (*p == end || **p != ':') {
        return flatten_bad_text(f);
    }
    *p = json_step_space(*p + 1, end);
    return note_visit(f, *node);
}

ALWAYS_INLINE enum result walk(struct flatten *f, uint32_t root, const char **at, const char *end,
                               unsigned depth, const struct manner manner)
{
    struct level *level = f->levels, *top = f->levels + JSON_DEPTH_MAX - depth;
    const char *p = json_step_space(*at + 1, end);
    enum result result;
    uint32_t node;

    *level = (struct level){ .node = root, .last = COLUMNS_NONE };
    if (p == end || *p != '}') {
        goto member;
    }
    for (;;) {
        /* After a member, or in an object without any. */
        if (p < end && *p == '}') {
            p++;
            if (level == f->levels) {
                *at = p;
                return RESULT_OK;
            }
            level--;
            p = json_step_space(p, end);
            continue;
        }
        if (p == end || *p != ',') {
            return flatten_bad_text(f);
        }
        p = json_step_space(p + 1, end);
    member:
        result = take_key(f, level, &p, end, &node);
        if (result != RESULT_OK) {
            return result;
        }
        if (p < end && *p == '{' && (size_t)(level - f->levels) < f->depth_max) {
            if (++level == top) {
                return flatten_bad_text(f);
            }
            *level = (struct level){ .node = node, .last = COLUMNS_NONE };
            p = json_step_space(p + 1, end);
            if (p < end && *p == '}') {
                continue;
            }
            goto member;
        }
        result = put_value(f, node, &p, end, depth + 1 + (unsigned)(level - f->levels), manner);
        if (result != RESULT_OK) {
            return result;
        }
        p = json_step_space(p, end);
    }
}

static enum result walk_learning(struct flatten *f, uint32_t top, const char **p, const char *end,
                                 unsigned depth)
{
    return walk(f, top, p, end, depth, LEARNING);
}

static enum result walk_judged(struct flatten *f, uint32_t top, const char **p, const char *end,
                               unsigned depth)
{
    return walk(f, top, p, end, depth, LEARNING_JUDGED);
}

static enum result walk_both(struct flatten *f, uint32_t top, const char **p, const char *end,
                             unsigned depth)
{
    return walk(f, top, p, end, depth, LEARNING_FILLING);
}

static enum result walk_both_judged(struct flatten *f, uint32_t top, const char **p,
                                    const char *end, unsigned depth)
{
    return walk(f, top, p, end, depth, LEARNING_FILLING_JUDGED);
}

static enum result walk_filling(struct flatten *f, uint32_t top, const char **p, const char *end,
                                unsigned depth)
{
    return walk(f, top, p, end, depth, FILLING);
}

enum result flatten_object(struct flatten *f, uint32_t top, const char **p, const char *end,
                           unsigned depth)
{
    if (f->pass == FLATTEN_FILL) {
        return walk_filling(f, top, p, end, depth);
    }
    if (f->table) {
        return f->judged ? walk_both_judged(f, top, p, end, depth)
                         : walk_both(f, top, p, end, depth);
    }
    return f->judged ? walk_judged(f, top, p, end, depth) : walk_learning(f, top, p, end, depth);
}

enum result flatten_element(struct flatten *f, const char **p, const char *end, unsigned depth)
{
    return *p < end && **p == '{' ? flatten_object(f, f->explode_node, p, end, depth)
                                  : put_value(f, f->explode_node, p, end, depth, manner_of(f));
}

enum result flatten_pass_over(struct flatten *f, const char **p, const char *end, unsigned depth)
{
    if (*p == end) {
        return flatten_bad_text(f);
    }
    if (f->pass == FLATTEN_LEARN && !f->judged) {
        const char *after = f->kernel->verify(*p, end, JSON_DEPTH_MAX - depth);

        *p = after;
        return after ? RESULT_OK : RESULT_INVALID;
    }
    *p = **p == '{' || **p == '[' ? f->kernel->container_end(*p, end) : json_step_value(*p, end);
    return RESULT_OK;
}

static void add_filled(struct flatten *f, uint32_t node)
{
    if (f->hints[node].column != COLUMNS_NONE) {
        filled_add(&f->filled, f->hints[node].column);
    }
}

/* Of a row with few cells, where they are: who was visited has them, and an element that is no object. */
static void find_filled(struct flatten *f, struct row *row)
{
    if (f->visit_count >= f->filled.max) {
        return;
    }
    for (size_t i = 0; i < f->visit_count; i++) {
        add_filled(f, f->visits[i]);
    }
    if (f->explode_node != COLUMNS_NONE) {
        add_filled(f, f->explode_node);
    }
    row->filled = f->filled.columns;
    row->filled_count = filled_list(&f->filled, row->count);
}

enum result flatten_emit(struct flatten *f)
{
    struct row row;

    f->counts->rows++;
    if (!f->table || f->spoilt) {
        return RESULT_OK;
    }
    row = (struct row){ .cells = f->cells,
                        .values = f->values,
                        .count = columns_count(f->table),
                        .number = f->row,
                        .readable = f->text_end };
    find_filled(f, &row);
    return f->sink(f->sink_context, &row);
}
