/*
 * The worker's half of table/parquet/parquet.h: cells become PLAIN values (parquet_block_rows.c). Once the block is
 * done those become indices, if the column's dictionary is open (parquet_indices.h), and then a page, or part
 * of one (parquet_values.h).
 */
#include "table/parquet/parquet_block_state.h"

#include "base/little.h"
#include "table/parquet/parquet_plain.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A chunk of a table with many columns has few values of each, too few for pages of their own. */
#define LOOSE_VALUES_MAX 256
#define LOOSE_BYTES_MAX 4096

/* What becomes of a column's values, once there are no more rows:
 *
 *   GATHERED ---> WAITING --adopted, and the file's dictionary is open--> ADOPTED --> ENCODED
 *     |              +------adopted, and it is closed--> CLOSED, PLAIN from now on -----^
 *     +---> TO_TELL, encoded already: the file's dictionary is to be closed ------------+
 *     +---> nobody else has to do with them --------------------------------------------+   */
enum stage { GATHERED, WAITING, ADOPTED, CLOSED, TO_TELL, ENCODED };

struct parquet_block *parquet_block_new(const struct parquet_schema *schema)
{
    struct parquet_block *b = calloc(1, sizeof *b);

    if (!b) {
        return NULL;
    }
    b->schema = schema;
    b->slices = calloc(schema->count, sizeof *b->slices);
    b->stages = calloc(schema->count, sizeof *b->stages);
    b->met = calloc(schema->count, sizeof *b->met);
    if (!page_maker_init(&b->maker) || !b->slices || !b->stages || !b->met) {
        parquet_block_free(b);
        return NULL;
    }
    b->keep = KEPT_BYTES;
    b->may_gather = b->gathers = schema->count > PARQUET_DICTIONARIES_MAX && !schema->explodes;
    for (uint32_t i = 0; i < schema->count; i++) {
        b->slices[i].kinds = parquet_plain_kinds(&schema->columns[i]);
        b->slices[i].indices.open = parquet_may_have_dictionary(schema, i);
    }
    return b;
}

void parquet_block_free(struct parquet_block *b)
{
    if (b) {
        for (uint32_t i = 0; b->slices && i < b->schema->count; i++) {
            parquet_values_release(&b->slices[i].values);
            buf_release(&b->slices[i].runs);
            parquet_indices_release(&b->slices[i].indices);
        }
        free(b->slices);
        free(b->stages);
        free(b->met);
        page_maker_release(&b->maker);
        buf_release(&b->spare);
        buf_release(&b->lent_bytes);
        buf_release(&b->lent_runs);
        parquet_journal_release(&b->journal);
        free(b);
    }
}

size_t parquet_block_bytes(const struct parquet_block *b)
{
    return b->bytes;
}

/* --- encoding ------------------------------------------------------------------------------------- */

/* What stands in `spare` are the values now. */
static void take_spare(struct parquet_block *b, struct slice *s)
{
    struct buf values = s->values.bytes;

    s->values.bytes = b->spare;
    b->spare = values;
}

static void find_bounds(struct slice *s, enum type type)
{
    const struct str plain = buf_view(&s->values.bytes);

    if (type == TYPE_TEXT) {
        parquet_plain_bound_texts(plain, &s->low, &s->high);
    } else {
        parquet_plain_bound(plain, type, &s->bounds);
    }
}

/* The PLAIN values become entries, or else no dictionary takes one of them. */
static enum result look_up(struct parquet_block *b, uint32_t column)
{
    struct parquet_entry_bounds texts;
    enum type type = b->schema->columns[column].type;
    struct slice *s = &b->slices[column];
    const struct str plain = buf_view(&s->values.bytes);
    const uint32_t firsts = s->values.count - s->repeated;
    enum result result;

    s->tally = (struct parquet_tally){ .values = s->values.count, .first_values = firsts };
    if (type == TYPE_TEXT) {
        s->tally.first_bytes = plain.len - (size_t)firsts * PARQUET_LEN_BYTES;
        s->tally.bytes = parquet_runs_bytes(&s->runs, 0, s->values.count, plain) -
                         (size_t)s->values.count * PARQUET_LEN_BYTES;
    }
    buf_reset(&b->spare);
    result =
        parquet_indices_look_up(&s->indices, type, plain, firsts, &b->spare, &texts, &s->given_up);
    if (result != RESULT_OK || s->given_up) {
        parquet_indices_release(&s->indices);
        return result;
    }
    if (type == TYPE_TEXT) {
        s->low = texts.low;
        s->high = texts.high;
    } else {
        find_bounds(s, type);
    }
    take_spare(b, s);
    return RESULT_OK;
}

/* The block's values are complete. */
static enum result gather(struct parquet_block *b, uint32_t column)
{
    enum type type = b->schema->columns[column].type;
    struct slice *s = &b->slices[column];
    enum result result = s->repeats ? parquet_block_end_repeats(s) : RESULT_OK;

    s->bounds = (struct parquet_bounds){ .any = s->values.count > 0 };
    if (result == RESULT_OK && s->indices.open && s->bounds.any) {
        result = look_up(b, column);
    }
    if (!s->indices.open) {
        find_bounds(s, type);
    }
    return result;
}

/* Entries do, as the file's dictionary has been closed. */
static enum result turn_plain(struct parquet_block *b, uint32_t column)
{
    enum type type = b->schema->columns[column].type;
    struct slice *s = &b->slices[column];
    enum result result;

    buf_reset(&b->spare);
    result = parquet_indices_to_plain(&s->indices, type, &s->values.bytes, &b->spare);
    if (result == RESULT_OK) {
        take_spare(b, s);
        parquet_indices_release(&s->indices);
        find_bounds(s, type);
    }
    return result;
}

/* The bounds' texts, which the slice's head announces. */
static enum result append_bounds(const struct slice *s, bool indices, struct parquet_bounds *bounds,
                                 struct buf *out)
{
    const struct str plain = buf_view(&s->values.bytes);
    const struct dictionary *local = &s->indices.local;
    struct str low = indices ? dictionary_entry_text(local, (uint32_t)s->low)
                             : parquet_text_at(plain.data + s->low);
    struct str high = indices ? dictionary_entry_text(local, (uint32_t)s->high)
                              : parquet_text_at(plain.data + s->high);
    enum result result;

    bounds->unbounded = low.len > PARQUET_BOUND_MAX || high.len > PARQUET_BOUND_MAX;
    bounds->low_len = bounds->unbounded ? 0 : (uint32_t)low.len;
    bounds->high_len = bounds->unbounded ? 0 : (uint32_t)high.len;
    result = buf_append(out, low.data, bounds->low_len);
    return result == RESULT_OK ? buf_append(out, high.data, bounds->high_len) : result;
}

/* Bounds, and entries that are new to the file, go in front of the values. */
static enum result append_front(struct slice *s, enum type type, struct parquet_slice *head,
                                struct buf *out)
{
    enum result result = RESULT_OK;
    size_t at;

    head->indices = s->indices.open && s->values.count;
    head->bounds = s->bounds;
    if (type == TYPE_TEXT && head->bounds.any) {
        result = append_bounds(s, head->indices, &head->bounds, out);
    }
    at = out->len;
    if (result == RESULT_OK && head->indices) {
        result = parquet_indices_append_fresh(&s->indices, type, out, &head->entries);
    }
    head->entry_bytes = out->len - at;
    return result;
}

/* All values, the repeated ones as well, as a page or part of one has them. */
static enum result complete(struct parquet_block *b, struct slice *s, enum type type, bool indices)
{
    if (indices) {
        parquet_indices_number(&s->indices, &s->values.bytes);
        s->values.indices = true;
    }
    return parquet_runs_expand(&s->runs, indices ? PARQUET_INDEX_BYTES : parquet_plain_size(type),
                               s->values.count, &s->values.bytes, &b->spare);
}

static void reset_slice(struct parquet_block *b, struct slice *s)
{
    size_t before = b->keep;

    parquet_values_reset_within(&s->values, &b->keep);
    buf_reset_within(&s->runs, &b->keep);
    s->kept = before - b->keep;
    s->repeats = s->repeated = 0;
    s->given_up = false;
}

/* Columns that have no values in this block keep nothing any more. */
static void drop_idle(struct parquet_block *b)
{
    for (uint32_t i = 0; i < b->schema->count; i++) {
        struct slice *s = &b->slices[i];

        if (s->kept) {
            b->keep += s->kept;
            s->kept = 0;
            parquet_values_release(&s->values);
            buf_release(&s->runs);
        }
    }
}

static enum result append_slice(struct parquet_block *b, uint32_t column, struct buf *out)
{
    enum type type = b->schema->columns[column].type;
    struct slice *s = &b->slices[column];
    struct parquet_slice head = { .column = column, .nulls = b->rows - s->values.count };
    size_t head_at = out->len, body_at;
    enum result result = buf_append(out, &head, sizeof head);

    result = result == RESULT_OK ? append_front(s, type, &head, out) : result;
    result = result == RESULT_OK ? complete(b, s, type, head.indices) : result;
    body_at = out->len;
    if (result == RESULT_OK) {
        result = s->values.count <= LOOSE_VALUES_MAX && s->values.bytes.len <= LOOSE_BYTES_MAX
                     ? parquet_values_loosen(&s->values, b->rows, &head.loose, out)
                     : parquet_values_page(&s->values, type, b->rows, &b->maker, out, &head.made);
    }
    if (result == RESULT_OK) {
        head.body_bytes = out->len - body_at;
        memcpy(out->data + head_at, &head, sizeof head);
    }
    reset_slice(b, s);
    return result;
}

static enum result begin_slice(struct parquet_block *b, uint32_t column, struct buf *out)
{
    struct slice *s = &b->slices[column];
    enum result result = gather(b, column);

    b->stages[column] = s->given_up                          ? TO_TELL
                        : s->indices.open && s->values.count ? WAITING
                                                             : ENCODED;
    b->waiting += b->stages[column] != ENCODED;
    return result == RESULT_OK && b->stages[column] != WAITING ? append_slice(b, column, out)
                                                               : result;
}

/* All of the block's values were gathered: of one column after the other, which have their memory in turn. */
static enum result begin_gathered(struct parquet_block *b, struct buf *out)
{
    enum result result = RESULT_OK;

    for (uint32_t i = 0; result == RESULT_OK && i < b->schema->count; i++) {
        struct slice *s = &b->slices[i];
        struct buf bytes = s->values.bytes, runs = s->values.runs;
        size_t kept = s->kept, keep = b->keep;

        if (!parquet_journal_has(&b->journal, i)) {
            continue;
        }
        b->met[b->met_count++] = i;
        s->values.bytes = b->lent_bytes;
        s->values.runs = b->lent_runs;
        b->keep = KEPT_BYTES;
        result = parquet_journal_put(&b->journal, i, b->schema->columns[i].type, &s->values);
        result = result == RESULT_OK ? begin_slice(b, i, out) : result;
        b->lent_bytes = s->values.bytes;
        b->lent_runs = s->values.runs;
        s->values.bytes = bytes;
        s->values.runs = runs;
        s->kept = kept;
        b->keep = keep;
    }
    return result;
}

static enum result begin_slices(struct parquet_block *b, struct buf *out)
{
    enum result result = RESULT_OK;

    if (b->journal.count) {
        return begin_gathered(b, out);
    }
    for (uint32_t i = 0; result == RESULT_OK && i < b->met_count; i++) {
        result = begin_slice(b, b->met[i], out);
    }
    return result;
}

enum result parquet_block_begin(struct parquet_block *b, struct buf *out, struct err *err)
{
    struct parquet_block_head head = { .rows = b->rows };
    enum result result;

    if (!b->rows || b->begun) {
        return RESULT_OK;
    }
    b->begun = true;
    b->keep += b->spare_kept;
    b->spare_kept = 0;
    if (b->keep < KEPT_BYTES / 2) {
        drop_idle(b);
    }
    parquet_block_put_again(b);
    head.slices = b->met_count;
    result = b->journal.count ? parquet_journal_sort(&b->journal, b->schema->count, &head.slices)
                              : RESULT_OK;
    result = result == RESULT_OK ? buf_append(out, &head, sizeof head) : result;
    result = result == RESULT_OK ? begin_slices(b, out) : result;
    parquet_journal_reset(&b->journal);
    return result == RESULT_NOMEM ? err_nomem(err, "writing rows") : result;
}

bool parquet_block_waits(const struct parquet_block *b)
{
    return b->waiting > 0;
}

enum result parquet_block_adopt(struct parquet_block *b, struct parquet_dictionaries *dictionaries,
                                struct err *err)
{
    enum result result = RESULT_OK;

    assert(b->begun);
    for (uint32_t i = 0; result == RESULT_OK && i < b->met_count; i++) {
        uint32_t column = b->met[i];

        if (b->stages[column] == TO_TELL) {
            parquet_dictionaries_close(dictionaries, column);
            b->stages[column] = ENCODED;
        } else if (b->stages[column] == WAITING) {
            result = parquet_indices_adopt(&b->slices[column].indices, &b->slices[column].tally,
                                           dictionaries, column);
        }
    }
    parquet_dictionaries_end_block(dictionaries);
    for (uint32_t i = 0; i < b->met_count; i++) {
        if (b->stages[b->met[i]] == WAITING) {
            b->stages[b->met[i]] =
                parquet_dictionaries_is_open(dictionaries, b->met[i]) ? ADOPTED : CLOSED;
        }
    }
    b->waiting = 0;
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "writing rows");
}

enum result parquet_block_finish(struct parquet_block *b, struct buf *out, struct err *err)
{
    enum result result = parquet_block_begin(b, out, err);

    assert(result != RESULT_OK || !b->waiting);
    for (uint32_t i = 0; result == RESULT_OK && i < b->met_count; i++) {
        uint32_t column = b->met[i];
        enum stage stage = b->stages[column];

        result = stage == CLOSED ? turn_plain(b, column) : RESULT_OK;
        if (result == RESULT_OK && (stage == ADOPTED || stage == CLOSED)) {
            result = append_slice(b, column, out);
        }
        b->stages[column] = GATHERED;
    }
    b->met_count = 0;
    b->spare_kept = b->keep;
    buf_reset_within(&b->spare, &b->keep);
    b->spare_kept -= b->keep;
    b->begun = false;
    b->waiting = 0;
    b->gathers = b->may_gather;
    b->record = 0; /* which no row has */
    b->rows = 0;
    b->bytes = 0;
    return result == RESULT_NOMEM ? err_nomem(err, "writing rows") : result;
}

void parquet_block_forget(struct parquet_block *b, size_t room)
{
    size_t bytes = 0;

    assert(!b->rows);
    for (uint32_t i = 0; i < b->schema->count; i++) {
        bytes += dictionary_bytes(&b->slices[i].indices.local);
    }
    for (uint32_t i = 0; bytes > room && i < b->schema->count; i++) {
        parquet_indices_forget(&b->slices[i].indices);
    }
}
