/*
 * One document of a chunk, as a worker meets it in any pass.
 *
 * Pass 1 learns its columns, and finds out whether it can be used at all; one that cannot is noted
 * for the report. The later passes know which chunks have such a one: only there is each document
 * checked again, so that the same ones give no rows. KEYING makes a key of each row, CHECKING looks at it, WRITING
 * makes a line.
 *
 * A large document comes in parts and a rest, which may lie in several chunks and with several workers.
 * None of them can say what is wrong with the whole: they only note that something is
 * (`split_failed`), or how often the pointer matched (struct chunk_note), and table_step.c decides
 * whether the table is begun anew with nothing split.
 */
#include "table/table_build_state.h"

#include "base/json_text.h"
#include "base/timestamp.h"
#include "base/units.h"
#include "normalise/not_json.h"
#include "normalise/reshape.h"
#include "normalise/shape.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* KEYING: what the row is told apart by. */
static enum result key_row(struct table_worker *w, const struct row *row)
{
    const struct layout *layout = w->build->layout;
    bool kept =
        layout->where_present == COLUMNS_NONE || row_cell(row, layout->where_present) != NULL;
    const struct dedup_by by = { layout->unique, layout->unique_count, w->fetched_us };

    if (dedup_add_key(&w->keys, row, &by, kept) != RESULT_OK) {
        return err_nomem(&w->err, "comparing rows");
    }
    return w->keys.len >= TABLE_SPILL_BYTES
               ? sequencer_spill(w->build->sequencers[0], w->chunk.number, &w->keys, &w->err)
               : RESULT_OK;
}

/* Whether the user wants the row; the one that does not is counted. */
static bool is_wanted(struct table_worker *w, const struct row *row)
{
    const struct table_build *b = w->build;
    const struct layout *layout = b->row_layout;

    if (layout->where_present != COLUMNS_NONE && !row_cell(row, layout->where_present)) {
        w->not_present++;
        return false;
    }
    if (b->dedup && !dedup_is_kept(b->dedup, w->row)) {
        w->not_unique++;
        return false;
    }
    return true;
}

/* CHECKING: whether the row, if it is wanted at all, is what is expected. */
static enum result look_at_row(struct table_worker *w, const struct row *row, bool is_wanted)
{
    const struct table_build *b = w->build;
    struct str missing = STR_NONE;
    enum result result = RESULT_OK;
    char words[120];

    if (is_wanted) {
        result = contract_look(b->contract, &w->tally, row, &missing, &w->err);
    }
    if (missing.data) {
        snprintf(words, sizeof words, "%.*s", (int)(missing.len < 80 ? missing.len : 80),
                 missing.data);
        table_tally_skip(w, TABLE_NULL_CELLS, w->document, words);
    }
    if (result == RESULT_OK && b->expected &&
        contract_add_key(b->contract, &w->keys, row, is_wanted) != RESULT_OK) {
        result = err_nomem(&w->err, "judging the table");
    }
    return result == RESULT_OK && w->keys.len >= TABLE_SPILL_BYTES
               ? sequencer_spill(b->sequencers[0], w->chunk.number, &w->keys, &w->err)
               : result;
}

static enum result check_row(struct table_worker *w, const struct row *row)
{
    bool is_kept = is_wanted(w, row);
    struct wish_verdict verdict = { .bad = 0 };
    struct row heeded = *row;
    enum result result = RESULT_OK;

    if (is_kept && w->build->row_layout->has_wishes) {
        result = wish_heed(w->build->row_layout, row, &w->wished, &heeded, &verdict, &w->err);
    }
    w->row++;
    return result == RESULT_OK ? look_at_row(w, &heeded, is_kept && !verdict.is_dropped) : result;
}

/* Rows that take much memory go before their chunk is done. */
static enum result spill(struct table_worker *w, size_t output)
{
    const struct format_turn turn = { w->build->sequencers[output], w->chunk.number, true };
    struct buf *bytes;
    enum result result = row_encoder_flush(w->encoders[output], &turn, &bytes, &w->err);

    return result == RESULT_OK ? sequencer_spill(turn.sequencer, w->chunk.number, bytes, &w->err)
                               : result;
}

static enum result encode_row(struct table_worker *w, const struct row *row)
{
    uint64_t again = 0; /* what was replaced is counted for the first file only */
    enum result result = RESULT_OK;

    for (size_t i = 0; i < w->build->output_count && result == RESULT_OK; i++) {
        result = row_encoder_add(w->encoders[i], row, i ? &again : &w->lone_surrogates, &w->err);
        if (result == RESULT_OK && row_encoder_bytes(w->encoders[i]) >= TABLE_SPILL_BYTES) {
            result = spill(w, i);
        }
    }
    return result;
}

/* A wanted row, as far as its values are what its columns are declared to be. */
static enum result encode_declared(struct table_worker *w, const struct row *row)
{
    struct wish_verdict verdict;
    struct row heeded;
    enum result result =
        wish_heed(w->build->row_layout, row, &w->wished, &heeded, &verdict, &w->err);

    if (verdict.bad) {
        table_tally_skip(w, TABLE_BAD_CELLS, w->document, verdict.words);
    }
    if (result != RESULT_OK || verdict.is_dropped) {
        w->not_present += verdict.is_dropped;
        return result;
    }
    return encode_row(w, &heeded);
}

static enum result write_row(struct table_worker *w, const struct row *row)
{
    enum result result = RESULT_OK;

    if (is_wanted(w, row)) {
        result = w->build->row_layout->has_wishes ? encode_declared(w, row) : encode_row(w, row);
    }
    w->row++;
    return result;
}

/* A row of pass 1. Where a value is not as was guessed, or nobody has a turn any more as another worker
 * found such, the pass goes on without rows. */
static enum result try_row(struct table_worker *w, const struct row *row)
{
    struct table_build *b = w->build;
    enum result result;

    if (atomic_load_explicit(&b->guess_failed, memory_order_relaxed)) {
        return RESULT_OK;
    }
    result = write_row(w, row);
    if (result == RESULT_CORRUPT) {
        table_signal_wrong_guess(b);
    }
    return result == RESULT_OK || !atomic_load(&b->guess_failed) ? result : RESULT_OK;
}

/* A row of this chunk; also in pass 1, if it writes rows. */
static enum result on_row(void *context, const struct row *row)
{
    struct table_worker *w = context;

    switch (w->build->phase) {
    case TABLE_LEARNING:
        return try_row(w, row);
    case TABLE_KEYING:
        return key_row(w, row);
    case TABLE_CHECKING:
        return check_row(w, row);
    default:
        return write_row(w, row);
    }
}

/* A variable of the request, as it stands in its raw line. */
static struct flatten_meta find_var(struct str vars, struct str name)
{
    struct json_walk walk;
    struct str key, value, found = STR_NONE;

    json_walk_begin(&walk, vars);
    while (vars.len && json_walk_next(&walk, &key, &value)) {
        if (json_raw_equal(key, name)) {
            found = value;
        }
    }
    if (!found.len) {
        return (struct flatten_meta){ name, CELL_NULL, STR_NONE };
    }
    switch (found.data[0]) {
    case '"':
        return (struct flatten_meta){ name, CELL_ESCAPED, json_string_raw(found) };
    case '{':
    case '[':
        return (struct flatten_meta){ name, CELL_JSON, found };
    case 'n':
        return (struct flatten_meta){ name, CELL_NULL, STR_NONE };
    default:
        return (struct flatten_meta){ name, CELL_BARE, found };
    }
}

static size_t add_with(const struct table_spec *spec, const struct raw_line *raw,
                       struct flatten_meta *meta)
{
    for (size_t i = 0; i < spec->with_count; i++) {
        struct str name = spec->with[i];

        meta[i] = str_equal(name, STR("_fetched_at"))
                      ? (struct flatten_meta){ name, CELL_STRING, raw->fetched_at }
                      : find_var(raw->vars, name);
    }
    return spec->with_count;
}

/* What stands beside the document's own values is asked for. */
static bool wants_meta(const struct table_worker *w)
{
    return w->build->spec.meta || w->build->spec.with_count;
}

/* A file's name as the inside of a JSON string: nearly always as it is. */
static enum result set_path(struct table_worker *w, const char *path)
{
    struct str name = str_view(path);
    enum result result;

    buf_reset(&w->path);
    result = json_text_append(&w->path, name);
    if (result == RESULT_OK) {
        w->path.len -= 2; /* its quotes */
        memmove(w->path.data, w->path.data + 1, w->path.len);
        result = buf_reserve(&w->path, ROW_CELL_AFTER);
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(&w->err, "reading records");
}

/* Tells the flattener where the document came from. */
static enum result set_meta(struct table_worker *w, const struct document *document)
{
    const struct raw_line *raw = document->raw;
    struct flatten_meta *meta = w->meta;
    size_t count = 0;

    if (set_path(w, document->path) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    if (raw) {
        count = add_with(&w->build->spec, raw, meta);
    }
    if (raw && w->build->spec.meta) {
        meta[count++] = (struct flatten_meta){ STR("_request_key"), CELL_ESCAPED, raw->key };
        meta[count++] = (struct flatten_meta){ STR("_url"), CELL_ESCAPED, raw->url };
        meta[count++] = (struct flatten_meta){ STR("_status"), CELL_BARE, raw->status };
        meta[count++] = (struct flatten_meta){ STR("_fetched_at"), CELL_STRING, raw->fetched_at };
    }
    if (w->build->spec.meta) {
        meta[count++] =
            (struct flatten_meta){ STR("_source_file"), CELL_ESCAPED, buf_view(&w->path) };
    }
    for (size_t i = 0; i < count; i++) {
        if (!meta[i].text.data) {
            meta[i] = (struct flatten_meta){ meta[i].name, CELL_NULL, STR("null") };
        } else if (meta[i].kind == CELL_ESCAPED &&
                   !memchr(meta[i].text.data, '\\', meta[i].text.len)) {
            meta[i].kind = CELL_STRING;
        }
    }
    flatten_set_meta(w->flatten, meta, count);
    return RESULT_OK;
}

/* The first document that the pointer found nothing in says which pointers there are. */
static void keep_hint(struct table_worker *w, struct str text)
{
    struct buf hint = { .max = TABLE_HINT_MAX - 1 };

    if (w->skip_count[TABLE_SKIP_NO_MATCH] == 0 && w->build->phase == TABLE_LEARNING) {
        w->hint_chunk = w->chunk.number;
        (void)!shape_append_pointers(&hint, text); /* what there was room for will do */
        snprintf(w->hint, sizeof w->hint, "%.*s", (int)hint.len, hint.data ? hint.data : "");
        buf_release(&hint);
    }
}

/* A json_match_fn: keeps the pointers to arrays in the record, or in the first of them. */
static bool keep_arrays(void *context, const struct json_match *match)
{
    struct table_worker *w = context;
    struct buf hint = { .max = TABLE_HINT_MAX - 1 };
    struct str record = match->value;
    struct json_walk walk;

    if (json_type_of(record) == JSON_ARRAY) {
        json_walk_begin(&walk, match->value);
        if (!json_walk_next(&walk, NULL, &record)) {
            return true;
        }
    }
    w->explode_looks++;
    w->explode_hint_chunk = w->chunk.number;
    (void)!shape_append_arrays(&hint, record); /* as above */
    snprintf(w->explode_hint, sizeof w->explode_hint, "%.*s", (int)hint.len,
             hint.data ? hint.data : "");
    buf_release(&hint);
    return false;
}

/* While --explode has found no array, records are asked for those that they have. */
static void keep_explode_hint(struct table_worker *w, struct str text)
{
    const struct table_build *b = w->build;
    const struct json_match whole = { .value = text, .key = STR_NONE };

    if (b->phase != TABLE_LEARNING || w->counts.exploded || w->explode_hint[0] ||
        w->explode_looks == TABLE_EXPLODE_LOOKS_MAX) {
        return;
    }
    if (b->records) {
        json_pointer_each(text, &b->pointer, keep_arrays, w);
    } else {
        (void)keep_arrays(w, &whole);
    }
}

/* It is no JSON: what is wrong with it and, of a file of the user's, what it is instead. */
static void skip_invalid(struct table_worker *w, const struct document *document,
                         const struct json_error *error)
{
    const char *hint = document->raw ? NULL
                       : w->why[0]   ? w->why
                                     : not_json_hint(document->text, document->line > 0, error);
    char words[TABLE_SKIP_TEXT];

    snprintf(words, sizeof words, "%s%s%s", error->text, hint ? "; " : "", hint ? hint : "");
    table_tally_skip(w, TABLE_SKIP_INVALID, document, words);
}

/* All values that come are strings by what they were read from, or not. */
static void take_texts(struct table_worker *w, bool are_texts)
{
    if (w->columns) {
        columns_take_texts(w->columns, are_texts);
    }
}

static void count_read_as(struct table_worker *w, unsigned was)
{
    for (unsigned i = 0; i < BODY_WAS_COUNT; i++) {
        w->read_as[i] += was >> i & 1;
    }
}

/* A row of CSV: true when there is nothing more to be done with it. */
static bool take_cells(struct table_worker *w, const struct document *document)
{
    char words[120];

    if (document->fault) {
        table_tally_skip(w, TABLE_SKIP_INVALID, document, document->fault);
        return true;
    }
    if (document->cells && document->cells != document->cells_wanted) {
        snprintf(words, sizeof words, "%llu cell%s, the header has %llu",
                 (unsigned long long)document->cells, units_plural(document->cells),
                 (unsigned long long)document->cells_wanted);
        table_tally_skip(w, TABLE_ODD_CELLS, document, words);
    }
    return false;
}

/* A file's document that is no JSON may say some (base/body_text.h): `text` becomes that. In the passes after the first
 * it is looked at again, as those are that are skipped. */
static bool read_otherwise(struct table_worker *w, const struct document *document,
                           struct str *text)
{
    struct body_reading how = w->build->spec.reading;
    static char utf8[] = "utf-8";
    struct body_found found = { .was = 0 };

    how.as = document->as != BODY_AUTO ? document->as : how.as;
    how.charset = how.charset ? utf8 : NULL; /* file_source has seen to the other one */
    w->why[0] = '\0';
    buf_reset(&w->decoded);
    w->decoded.max = TABLE_DECODED_TIMES * TABLE_DECODED_MAX;
    if (document->raw || document->cells || text->len > TABLE_DECODED_MAX ||
        body_read(*text, STR(""), &how, TABLE_DECODED_MAX, &w->decoded, &found) != RESULT_OK) {
        memcpy(w->why, found.why, sizeof w->why);
        return false;
    }
    w->skipped = true;
    count_read_as(w, found.was);
    take_texts(w, found.was & BODY_WAS_TEXTS);
    *text = buf_view(&w->decoded);
    return true;
}

/* A table in another shape becomes an array of objects first. */
static enum result reshape_text(struct table_worker *w, struct str *text)
{
    const struct table_build *b = w->build;
    struct reshape_counts counts = { 0 };
    enum result result;

    if (!json_check(*text, JSON_DEPTH_MAX, NULL)) {
        return RESULT_INVALID;
    }
    buf_reset(&w->reshaped);
    w->reshaped.max = (size_t)table_memory(&b->spec);
    result = reshape_append(*text, b->records ? &b->pointer : NULL, b->spec.shape, &w->reshaped,
                            &counts);
    w->counts.nulls += counts.nulls;
    if (result == RESULT_LIMIT) {
        return err_set(
            &w->err, result, "E-TAB3",
            "a table in the shape \"%s\" takes more than may be held (normalise --memory)",
            record_shape_name(b->spec.shape));
    }
    *text = counts.matches ? buf_view(&w->reshaped) : STR_NONE;
    return result == RESULT_OK ? RESULT_OK : err_nomem(&w->err, "reading records");
}

static enum result flatten_text(struct table_worker *w, struct str text)
{
    if (w->build->spec.shape != RECORD_SHAPE_OBJECTS) {
        enum result result = reshape_text(w, &text);

        if (result != RESULT_OK || !text.data) { /* it was not there */
            return result;
        }
    }
    return flatten_document(w->flatten, text, on_row, w, &w->counts, &w->err);
}

/* Pass 1 has met one that is no JSON: what it says instead, or where and why it says nothing. */
static enum result take_invalid(struct table_worker *w, const struct document *document,
                                struct str *text, bool *skipped)
{
    struct json_error error;
    bool valid = json_check(*text, JSON_DEPTH_MAX, &error);

    assert(!valid); /* the walk and the check are held against each other by tests */
    (void)valid;
    if (w->build->facts.types && !w->build->judging) {
        atomic_store(&w->build->judge_wanted, true);
    }
    *skipped = !read_otherwise(w, document, text);
    if (*skipped) {
        skip_invalid(w, document, &error);
        return RESULT_OK;
    }
    return flatten_text(w, *text);
}

/* When the document's answer came; 0 of a file's. */
static int64_t fetched_us(const struct document *document)
{
    int64_t us;

    return document->raw && timestamp_parse(document->raw->fetched_at, &us) ? us : 0;
}

static enum result take_json(struct table_worker *w, const struct document *document)
{
    uint64_t matches = w->counts.matches;
    struct str text = document->text;
    struct json_error error;
    enum result result;
    bool skipped = false;

    if (take_cells(w, document)) {
        return RESULT_OK;
    }
    take_texts(w, document->is_texts);
    w->fetched_us = w->build->spec.keep == ROW_KEEP_LAST ? fetched_us(document) : 0;
    if (w->recheck && !json_check(text, JSON_DEPTH_MAX, &error) &&
        !read_otherwise(w, document, &text)) {
        skip_invalid(w, document, &error);
        return RESULT_OK;
    }
    result = wants_meta(w) ? set_meta(w, document) : RESULT_OK;
    result = result == RESULT_OK ? flatten_text(w, text) : result;
    if (result == RESULT_INVALID) {
        result = take_invalid(w, document, &text, &skipped);
    }
    if (skipped) {
        return result;
    }
    if (result == RESULT_OK && w->build->spec.explode) {
        keep_explode_hint(w, str_trim(text));
    }
    if (result == RESULT_OK && w->counts.matches == matches) {
        keep_hint(w, text);
        table_tally_skip(w, TABLE_SKIP_NO_MATCH, document, table_skip_name(TABLE_SKIP_NO_MATCH));
    } else if (result != RESULT_OK && result != RESULT_CANCELLED) {
        err_prefix(&w->err, "%s", document->path);
    }
    return result;
}

/* Behind a split document, in pass 1; false when nothing of it matched, as far as this chunk knows. */
static bool end_split(struct table_worker *w)
{
    uint64_t matches = w->note.matches_after;

    w->note.matches_after = 0;
    if (w->note.rest) {
        return matches > 0;
    }
    w->note.rest = true; /* the document may have begun in an earlier chunk */
    w->note.matches_before = matches;
    return true;
}

/* In pass 1 only the verdict counts: words are found once the document is whole again. So it is with rows that
 * a rest gives, where the pointer meets a name twice. */
static enum result take_part(struct table_worker *w, const struct document *document)
{
    uint64_t ambiguous = w->counts.ambiguous, matches = w->counts.matches;
    enum result result;

    if (document->kind == DOCUMENT_PART) {
        result = wants_meta(w) ? set_meta(w, document) : RESULT_OK;
        result = result == RESULT_OK ? flatten_part(w->flatten, document->text, document->step,
                                                    document->named, on_row, w, &w->counts, &w->err)
                                     : result;
    } else if (w->build->phase == TABLE_LEARNING) {
        result = flatten_document(w->flatten, document->text, on_row, w, &w->counts, &w->err);
    } else {
        return RESULT_OK; /* the rest holds no record */
    }
    w->note.matches_after += w->counts.matches - matches;
    if (result == RESULT_OK && document->kind == DOCUMENT_REST && !end_split(w)) {
        result = RESULT_INVALID;
    }
    if (result == RESULT_INVALID || w->counts.ambiguous > ambiguous) {
        atomic_store(&w->build->split_failed, true);
        result = RESULT_OK;
    } else if (result != RESULT_OK && result != RESULT_CANCELLED) {
        err_prefix(&w->err, "%s", document->path);
    }
    return result;
}

enum result table_document_take(void *context, const struct document *document)
{
    struct table_worker *w = context;
    enum result result = RESULT_OK;

    if (atomic_load_explicit(&w->build->stop, memory_order_relaxed)) {
        return RESULT_CANCELLED;
    }
    w->document = document;
    if (w->build->spec.as_of_us && fetched_us(document) > w->build->spec.as_of_us) {
        w->index++;
        w->later++;
        return RESULT_OK;
    }
    switch (document->kind) {
    case DOCUMENT_JSON:
        result = take_json(w, document);
        break;
    case DOCUMENT_PART:
        return take_part(w, document); /* no record yet: that is the rest */
    case DOCUMENT_REST:
        result = take_part(w, document);
        break;
    case DOCUMENT_EMPTY:
        w->empty++;
        break;
    case DOCUMENT_OTHER:
        table_tally_skip(w, TABLE_SKIP_OTHER, document, table_skip_name(TABLE_SKIP_OTHER));
        break;
    case DOCUMENT_DAMAGED:
        table_tally_skip(w, TABLE_SKIP_DAMAGED, document, document->damage);
        break;
    }
    w->index++;
    w->records++;
    return result;
}
