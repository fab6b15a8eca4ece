#include "read/csv_json.h"

#include "base/json_text.h"
#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>

#define MADE_UP_MAX 64
#define MORE "_more"

void csv_names_release(struct csv_names *names)
{
    buf_release(&names->text);
    free(names->ends);
    *names = (struct csv_names){ 0 };
}

/* --- names ------------------------------------------------------------------------------------------- */

struct taken_name {
    struct str name;
    unsigned next; /* the number to try first, when the name comes again */
};

/* The names that are taken, found by their bytes: a header may have 65,536. */
struct taken {
    struct taken_name *slots;
    size_t mask;
    uint64_t basis;
};

/* FNV-1a from a basis that nobody knows, as names are hashed in xml_json.c. */
static uint64_t hash_of(uint64_t basis, struct str text)
{
    uint64_t hash = basis;

    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (unsigned char)text.data[i]) * 1099511628211ULL;
    }
    return hash ^ hash >> 32;
}

/* NULL when it was free, and is taken now; else who has it. */
static struct taken_name *take(struct taken *taken, struct str name)
{
    size_t i = (size_t)hash_of(taken->basis, name) & taken->mask;

    while (taken->slots[i].name.data) {
        if (str_equal(taken->slots[i].name, name)) {
            return &taken->slots[i];
        }
        i = (i + 1) & taken->mask;
    }
    taken->slots[i] = (struct taken_name){ name, 2 };
    return NULL;
}

static enum result append_name(struct csv_names *names, struct str name)
{
    enum result result = json_text_append(&names->text, name);

    result = result == RESULT_OK ? buf_append_char(&names->text, ':') : result;
    names->ends[names->count++] = names->text.len;
    return result;
}

/* A name that is free: `name`, or with a number after it. `made` owns those that were made. */
static enum result choose(struct taken *taken, struct str name, char **made, struct str *chosen)
{
    struct taken_name *same = take(taken, name);
    size_t size = name.len + MADE_UP_MAX;

    *chosen = name;
    if (!same) {
        return RESULT_OK;
    }
    *made = malloc(size);
    if (!*made) {
        return RESULT_NOMEM;
    }
    do {
        snprintf(*made, size, "%.*s_%u", STR_ARG(name), same->next++);
        *chosen = str_view(*made);
    } while (take(taken, *chosen));
    return RESULT_OK;
}

static struct str name_of(const struct csv_row *row, size_t i, char text[MADE_UP_MAX])
{
    if (row && row->cells[i].text.len) {
        return row->cells[i].text;
    }
    snprintf(text, MADE_UP_MAX, "column_%zu", i + 1);
    return STR_NONE;
}

static enum result add_names(struct csv_names *names, const struct csv_row *row, size_t count,
                             struct taken *taken, char **made)
{
    enum result result = RESULT_OK;
    char text[MADE_UP_MAX];

    for (size_t i = 0; i <= count && result == RESULT_OK; i++) {
        struct str name = i < count ? name_of(row, i, text) : STR(MORE), chosen;

        if (!name.len) {
            made[2 * i] = str_dup(str_view(text));
            name = str_view(made[2 * i]);
            result = made[2 * i] ? RESULT_OK : RESULT_NOMEM;
        }
        result = result == RESULT_OK ? choose(taken, name, &made[2 * i + 1], &chosen) : result;
        result = result == RESULT_OK ? append_name(names, chosen) : result;
    }
    names->count -= names->count > 0;
    return result;
}

enum result csv_names_make(struct csv_names *names, const struct csv_row *row, size_t count)
{
    struct taken taken = { NULL, 16, 14695981039346656037ULL };
    enum result result = RESULT_NOMEM;
    char **made;

    count = row ? row->count : count;
    while (taken.mask < 2 * (count + 1)) {
        taken.mask *= 2;
    }
    *names = (struct csv_names){ .ends = calloc(count + 1, sizeof *names->ends) };
    taken.slots = calloc(taken.mask, sizeof *taken.slots);
    taken.mask--;
    (void)os_random(&taken.basis, sizeof taken.basis);
    made = calloc(2 * (count + 1), sizeof *made);
    if (names->ends && taken.slots && made) {
        result = add_names(names, row, count, &taken, made);
    }
    for (size_t i = 0; made && i < 2 * (count + 1); i++) {
        free(made[i]);
    }
    free(made);
    free(taken.slots);
    return result;
}

/* --- rows -------------------------------------------------------------------------------------------- */

static enum result append_value(struct buf *out, const struct csv_cell *cell)
{
    return cell->text.len || cell->is_quoted ? json_text_append(out, cell->text)
                                             : buf_append_str(out, STR("null"));
}

static enum result append_member(const struct csv_names *names, size_t i, bool is_first,
                                 struct buf *out)
{
    size_t from = i ? names->ends[i - 1] : 0;
    enum result result = is_first ? RESULT_OK : buf_append_char(out, ',');

    return result == RESULT_OK ? buf_append(out, names->text.data + from, names->ends[i] - from)
                               : result;
}

static enum result append_more(const struct csv_names *names, const struct csv_row *row,
                               struct buf *out)
{
    enum result result = append_member(names, names->count, names->count == 0, out);

    for (size_t i = names->count; i < row->count && result == RESULT_OK; i++) {
        result = buf_append_char(out, i == names->count ? '[' : ',');
        result = result == RESULT_OK ? append_value(out, &row->cells[i]) : result;
    }
    return result == RESULT_OK ? buf_append_char(out, ']') : result;
}

static void note_length(struct csv_odd *odd, const struct csv_names *names,
                        const struct csv_row *row)
{
    odd->rows++;
    if (row->count == names->count) {
        return;
    }
    if (!odd->long_rows && !odd->short_rows) {
        odd->first_line = row->line;
        odd->first_cells = row->count;
        odd->cells = names->count;
    }
    if (row->count > names->count) {
        odd->long_rows++;
    } else {
        odd->short_rows++;
    }
}

enum result csv_append_row(const struct csv_names *names, const struct csv_row *row,
                           struct buf *out, struct csv_odd *odd)
{
    size_t count = row->count < names->count ? row->count : names->count;
    enum result result = buf_append_char(out, '{');

    note_length(odd, names, row);
    for (size_t i = 0; i < count && result == RESULT_OK; i++) {
        result = append_member(names, i, i == 0, out);
        result = result == RESULT_OK ? append_value(out, &row->cells[i]) : result;
    }
    if (result == RESULT_OK && row->count > names->count) {
        result = append_more(names, row, out);
    }
    return result == RESULT_OK ? buf_append_char(out, '}') : result;
}

static enum result append_rows(struct csv_reader *reader, struct csv_row *row,
                               struct csv_names *names, bool no_header, struct buf *out,
                               struct csv_odd *odd)
{
    bool more, is_first = true;
    enum result result = csv_next(reader, row, &more);

    if (result == RESULT_OK && more) {
        result = csv_names_make(names, no_header ? NULL : row, row->count);
    }
    if (result == RESULT_OK && more && !no_header) {
        result = csv_next(reader, row, &more);
    }
    while (result == RESULT_OK && more) {
        result = is_first ? RESULT_OK : buf_append_char(out, ',');
        result = result == RESULT_OK ? csv_append_row(names, row, out, odd) : result;
        result = result == RESULT_OK ? csv_next(reader, row, &more) : result;
        is_first = false;
    }
    return result;
}

enum result csv_append_array(struct str text, const struct csv_dialect *dialect, struct buf *out,
                             struct csv_odd *odd, uint64_t *line)
{
    char told = csv_take_separator_line(&text);
    size_t rows, cells;
    struct csv_reader reader = { text.data, text.data + text.len, dialect->delimiter, 1 + !!told };
    struct csv_row row = { 0 };
    struct csv_names names = { 0 };
    enum result result = buf_append_char(out, '[');

    reader.delimiter = reader.delimiter ? reader.delimiter
                       : told           ? told
                                        : csv_sniff(text, false, &rows, &cells);
    result = result == RESULT_OK ? append_rows(&reader, &row, &names, dialect->no_header, out, odd)
                                 : result;
    *line = row.line;
    csv_names_release(&names);
    csv_row_release(&row);
    return result == RESULT_OK ? buf_append_char(out, ']') : result;
}
