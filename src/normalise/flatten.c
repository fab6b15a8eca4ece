/*
 * The way to the records: down the pointer, and along the elements that it leads to, in one go.
 *
 * What is done with a record's members stands in flatten_walk.c. Here as there every step is made in
 * one of two manners: in FLATTEN_LEARN nothing is believed and each byte passed is verified; in
 * FLATTEN_FILL, and where the text has been judged as a whole, the steps only look for structure.
 *
 * One thing cannot be known on the way: that a later member has the name which the pointer asked for,
 * and so replaces what has been gone through already. Such a document is begun anew the long way,
 * which looks for the last member first.
 */
#include "normalise/flatten.h"

#include "base/json_step.h"
#include "normalise/flatten_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool begin_rows(struct flatten *f, const struct columns *table)
{
    f->cells = calloc(columns_count(table) + 1U, sizeof *f->cells);
    if (f->pass == FLATTEN_LEARN && f->facts) {
        f->values = calloc(columns_count(table) + 1U, sizeof *f->values);
    }
    f->table = f->cells ? table : NULL;
    return f->cells && filled_init(&f->filled, columns_count(table)) &&
           (f->values || f->pass != FLATTEN_LEARN || !f->facts);
}

struct flatten *flatten_new(const struct json_pointer *records, struct columns *columns,
                            enum flatten_pass pass)
{
    struct flatten *f = calloc(1, sizeof *f);

    if (!f) {
        return NULL;
    }
    f->records = records;
    f->columns = columns;
    f->kernel = json_kernel_best();
    f->pass = pass;
    f->judge_first = true;
    f->visit_base = 1;
    f->depth_max = FLATTEN_DEPTH_ALL;
    f->explode_node = COLUMNS_NONE;
    if ((pass == FLATTEN_FILL && !begin_rows(f, columns)) || !flatten_know_nodes(f)) {
        flatten_free(f);
        return NULL;
    }
    return f;
}

enum result flatten_give_rows(struct flatten *f, const struct columns *table, struct err *err)
{
    if (!table) {
        f->table = NULL;
        return RESULT_OK;
    }
    if (!begin_rows(f, table)) {
        return err_nomem(err, "starting a table");
    }
    f->hint_count = 0; /* what is known of nodes is not which columns they are */
    return flatten_know_nodes(f) ? RESULT_OK : err_nomem(err, "starting a table");
}

bool flatten_rows_spoilt(const struct flatten *f)
{
    return f->spoilt;
}

void flatten_free(struct flatten *f)
{
    if (f) {
        free(f->hints);
        free(f->cells);
        free(f->values);
        filled_release(&f->filled);
        free(f->visits);
        free(f->fresh);
        buf_release(&f->name);
        free(f);
    }
}

void flatten_use_kernel(struct flatten *f, const struct json_kernel *kernel)
{
    f->kernel = kernel;
}

void flatten_judge_first(struct flatten *f, bool first)
{
    f->judge_first = first;
}

void flatten_heed(struct flatten *f, const atomic_bool *stop)
{
    f->stop = stop;
}

void flatten_trust_pointer(struct flatten *f, bool trust)
{
    f->trust_pointer = trust;
}

bool flatten_in_array(const struct flatten *f)
{
    return f->in_array;
}

void flatten_enter_chunk(struct flatten *f, uint64_t chunk)
{
    f->chunk = chunk;
    f->order = 0;
    f->record = 0;
}

static enum cell_kind kind_of_raw(struct str raw)
{
    return memchr(raw.data, '\\', raw.len) ? CELL_ESCAPED : CELL_STRING;
}

/* The record's own cells; `*p` from its first byte to after it. */
static enum result read_record(struct flatten *f, const char **p, const char *end, unsigned depth)
{
    const char *first = *p;
    enum result result;

    if (first < end && *first == '{' && !(f->shape && f->shape->picks_only)) {
        return flatten_object(f, COLUMNS_ROOT, p, end, depth);
    }
    result = flatten_pass_over(f, p, end, depth);
    return result == RESULT_OK && !(f->shape && f->shape->picks_only)
               ? flatten_put_whole(f, COLUMNS_META, STR("value"),
                                   (struct str){ first, (size_t)(*p - first) })
               : result;
}

static enum result put_key(struct flatten *f, struct str name, struct str key)
{
    return flatten_put_beside(f, COLUMNS_META, name, kind_of_raw(key), key);
}

/* The names of the members that the pointer's stars stand for: `_key` is the last one, in which the record lies; those
 * around it are called by the number of their star. */
static enum result put_keys(struct flatten *f)
{
    struct str last = STR_NONE;
    unsigned star = 0, last_star = 0;
    enum result result = RESULT_OK;
    char name[sizeof "_key_16"];

    for (unsigned i = 0; f->stars && f->records && i < f->records->count && result == RESULT_OK;
         i++) {
        star += f->records->steps[i].every;
        if (!f->records->steps[i].every || !f->star_names[i].data) {
            continue;
        }
        if (last.data) {
            snprintf(name, sizeof name, "_key_%u", last_star);
            result = put_key(f, str_view(name), last);
        }
        last = f->star_names[i];
        last_star = star;
    }
    return result == RESULT_OK && last.data ? put_key(f, STR("_key"), last) : result;
}

/* One record: its cells, then its row or rows. `*p` at its first byte, inside `depth` others. */
static enum result take_record(struct flatten *f, const char **p, const char *end, unsigned depth)
{
    const char *first = *p;
    enum result result = RESULT_OK;

    if (f->stop && atomic_load_explicit(f->stop, memory_order_relaxed)) {
        return RESULT_CANCELLED;
    }
    f->row++;
    f->record++;
    if (f->facts) {
        columns_enter_record(f->columns, f->chunk, f->record);
    }
    f->visit_base += f->visit_count;
    f->visit_count = 0;
    f->exploded = STR_NONE;
    for (size_t i = 0; result == RESULT_OK && i < f->meta_count; i++) {
        result =
            flatten_put_beside(f, COLUMNS_META, f->meta[i].name, f->meta[i].kind, f->meta[i].text);
    }
    result = result == RESULT_OK ? put_keys(f) : result;
    result = result == RESULT_OK ? read_record(f, p, end, depth) : result;
    if (result != RESULT_OK) {
        return result;
    }
    f->counts->records++;
    return f->shape ? flatten_rows(f, (struct str){ first, (size_t)(*p - first) })
                    : flatten_emit(f);
}

/* What the pointer led to. */
static enum result take_match(struct flatten *f, const char **p, const char *end, unsigned depth)
{
    enum result result = RESULT_OK;
    bool more = true;

    f->counts->matches++;
    if (*p == end) {
        return flatten_bad_text(f);
    }
    if (**p == 'n') {
        f->counts->nulls++;
        return flatten_pass_over(f, p, end, depth);
    }
    f->in_array = **p == '[';
    if (!f->in_array) {
        return take_record(f, p, end, depth);
    }
    for (flatten_step_into(p, end, ']', &more); more && result == RESULT_OK;) {
        result = take_record(f, p, end, depth + 1);
        result = result == RESULT_OK ? flatten_step_behind(f, p, end, ']', &more) : result;
    }
    return result;
}

static enum result descend(struct flatten *f, unsigned step, const char **p, const char *end);

/* A member's name and its colon; `*p` comes to the value. */
static enum result take_name(struct flatten *f, const char **p, const char *end, struct str *name)
{
    const char *first = *p + 1, *close = NULL;
    bool escaped = false;

    if (*p == end || **p != '"') {
        return flatten_bad_text(f);
    }
    if (f->pass == FLATTEN_FILL) {
        close = json_step_string(first, end, &escaped);
        close = close < end ? close : NULL;
    } else {
        close = f->kernel->verify_string(first, end, &escaped);
        close = close ? close - 1 : NULL;
    }
    if (!close) {
        return flatten_bad_text(f);
    }
    *name = (struct str){ first, (size_t)(close - first) };
    *p = json_step_space(close + 1, end);
    if (*p == end || **p != ':') {
        return flatten_bad_text(f);
    }
    *p = json_step_space(*p + 1, end);
    return RESULT_OK;
}

static enum result descend_object(struct flatten *f, unsigned step, const char **p, const char *end)
{
    const struct json_pointer_step *s = &f->records->steps[step];
    struct str want = { f->records->bytes + s->at, s->len }, name;
    enum result result = RESULT_OK;
    bool found = false, more;

    for (flatten_step_into(p, end, '}', &more); more && result == RESULT_OK;) {
        result = take_name(f, p, end, &name);
        if (result == RESULT_OK && s->every) {
            f->star_names[step] = name;
            result = descend(f, step + 1, p, end);
        } else if (result == RESULT_OK && json_raw_equal(name, want)) {
            if (found) {
                f->ambiguous = true;
                return RESULT_INVALID; /* told apart by flatten_document */
            }
            found = true;
            result = descend(f, step + 1, p, end);
            f->ended |= f->trust_pointer && !f->stars;
        } else if (result == RESULT_OK) {
            result = flatten_pass_over(f, p, end, step + 1);
        }
        if (result != RESULT_OK || f->ended) {
            return result;
        }
        result = flatten_step_behind(f, p, end, '}', &more);
    }
    return result;
}

static enum result descend_array(struct flatten *f, unsigned step, const char **p, const char *end)
{
    const struct json_pointer_step *s = &f->records->steps[step];
    uint64_t index, at = 0;
    bool more, counted;
    enum result result = RESULT_OK;

    /* RFC 6901 section 4: digits without a leading zero. */
    counted = !s->every && (s->len == 1 || f->records->bytes[s->at] != '0') &&
              str_to_u64((struct str){ f->records->bytes + s->at, s->len }, &index);
    f->star_names[step] = STR_NONE;
    for (flatten_step_into(p, end, ']', &more); more && result == RESULT_OK; at++) {
        result = s->every || (counted && at == index) ? descend(f, step + 1, p, end)
                                                      : flatten_pass_over(f, p, end, step + 1);
        if (f->ended) {
            return result;
        }
        result = result == RESULT_OK ? flatten_step_behind(f, p, end, ']', &more) : result;
    }
    return result;
}

/* Step `step` of the pointer, and the rest, for the value at `*p`; that many containers are around it.
 * Recursion is bounded by JSON_POINTER_STEPS_MAX. */
static enum result descend(struct flatten *f, unsigned step, const char **p, const char *end)
{
    if (!f->records || step == f->records->count) {
        return take_match(f, p, end, step);
    }
    if (*p < end && **p == '{') {
        return descend_object(f, step, p, end);
    }
    if (*p < end && **p == '[') {
        return descend_array(f, step, p, end);
    }
    return flatten_pass_over(f, p, end, step);
}

/* A match of the long way: the value is whole. */
static bool visit_match(void *context, const struct json_match *match)
{
    struct flatten *f = context;
    const char *end = match->value.data + match->value.len, *p = match->value.data;

    memcpy(f->star_names, match->keys, sizeof f->star_names);
    f->result = take_match(f, &p, end, f->records->count);
    return f->result == RESULT_OK;
}

/* Along a text of which is known that it is valid. */
static enum result go_the_long_way(struct flatten *f, struct str text)
{
    f->result = RESULT_OK;
    json_pointer_each(text, f->records, visit_match, f);
    return f->result;
}

/* What a text taught that turned out to be invalid goes. */
struct learnt {
    struct flatten_counts counts;
    uint64_t record;
    uint32_t nodes, order;
};

static struct learnt learn_from_here(struct flatten *f)
{
    f->fresh_count = 0;
    return (struct learnt){ *f->counts, f->record, columns_node_count(f->columns), f->order };
}

static void unlearn(struct flatten *f, const struct learnt *before)
{
    f->spoilt |= f->table && f->counts->rows > before->counts.rows;
    columns_take_back(f->columns, before->nodes, f->fresh, f->fresh_count);
    flatten_forget(f, before->nodes);
    *f->counts = before->counts;
    f->order = before->order;
    f->record = before->record;
}

static enum result learn_document(struct flatten *f, struct str text)
{
    const char *p = text.data, *end = text.data + text.len;
    struct learnt before = learn_from_here(f);
    enum result result;

    f->judged = f->facts && f->judge_first;
    if (f->judged && f->kernel->verify(p, end, JSON_DEPTH_MAX) != end) {
        return RESULT_INVALID;
    }
    result = descend(f, 0, &p, end);
    if (result == RESULT_OK && p < end) {
        result = RESULT_INVALID;
    }
    if (result == RESULT_INVALID) {
        unlearn(f, &before);
    }
    if (result == RESULT_INVALID && f->ambiguous &&
        f->kernel->verify(text.data, end, JSON_DEPTH_MAX) == end) {
        result = go_the_long_way(f, text);
        f->counts->ambiguous++;
    }
    return result;
}

/* Names of the pointer without a `*` after them may be trusted, or must be looked for to the end. */
static enum result fill_document(struct flatten *f, struct str text)
{
    const char *p = text.data;

    if (f->records && f->records->count && !f->trust_pointer) {
        return go_the_long_way(f, text);
    }
    return descend(f, 0, &p, text.data + text.len);
}

static bool has_stars(const struct json_pointer *pointer)
{
    bool stars = false;

    for (unsigned i = 0; pointer && i < pointer->count; i++) {
        stars |= pointer->steps[i].every;
    }
    return stars;
}

static enum result begin(struct flatten *f, struct str text, row_fn *sink, void *context,
                         struct flatten_counts *counts, struct err *err)
{
    f->sink = sink;
    f->sink_context = context;
    f->counts = counts;
    f->err = err;
    f->stars = has_stars(f->records);
    f->text_end = text.data + text.len;
    f->ambiguous = f->ended = f->judged = false;
    return text.len > FLATTEN_TEXT_MAX
               ? err_set(err, RESULT_LIMIT, "E-TAB3", "one document is over 4 GiB")
               : RESULT_OK;
}

enum result flatten_document(struct flatten *f, struct str text, row_fn *sink, void *context,
                             struct flatten_counts *counts, struct err *err)
{
    enum result result;

    text = str_trim(text);
    result = begin(f, text, sink, context, counts, err);
    if (result != RESULT_OK) {
        return result;
    }
    if (f->pass == FLATTEN_LEARN) {
        return learn_document(f, text);
    }
    return text.len ? fill_document(f, text) : flatten_bad_text(f);
}

static enum result take_members(struct flatten *f, struct str text, unsigned step, bool named)
{
    const char *p = text.data, *end = text.data + text.len;
    bool records = !f->records || step == f->records->count;
    enum result result = RESULT_OK;
    struct str name = STR_NONE;

    while (result == RESULT_OK) {
        result = named ? take_name(f, &p, end, &name) : RESULT_OK;
        if (result == RESULT_OK) {
            f->in_array = records;
            if (!records) {
                f->star_names[step] = name;
            }
            result = records ? take_record(f, &p, end, step + 1) : descend(f, step + 1, &p, end);
        }
        if (result != RESULT_OK || p == end) {
            return result;
        }
        p = json_step_space(p, end);
        if (p == end || *p != ',') {
            return flatten_bad_text(f);
        }
        p = json_step_space(p + 1, end);
    }
    return result;
}

enum result flatten_part(struct flatten *f, struct str text, unsigned step, bool named,
                         row_fn *sink, void *context, struct flatten_counts *counts,
                         struct err *err)
{
    enum result result;
    struct learnt before;

    text = str_trim(text);
    result = begin(f, text, sink, context, counts, err);
    if (result != RESULT_OK) {
        return result;
    }
    f->stars = true; /* there may be more than one match, so none ends the walk */
    before = learn_from_here(f);
    result = take_members(f, text, step, named);
    if (result == RESULT_INVALID) {
        unlearn(f, &before);
    }
    return result;
}
