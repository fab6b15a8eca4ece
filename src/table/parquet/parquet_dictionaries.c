#include "table/parquet/parquet_dictionaries.h"

#include <stdlib.h>

/* So many values say whether they repeat at all, if but one in so many: who draws the first of these
 * from as many as a dictionary holds has met one in ten before. A service that is asked every minute may
 * answer with thousands of different names before the first comes again. */
#define TRIAL_VALUES 16384
#define TRIAL_PART 16
/* And these, whether they repeat often enough: a dictionary that is full pays from then on. */
#define PROOF_VALUES (2 * DICTIONARY_TEXTS_MAX)

/* A value in few rows, one after the other, is as short without a dictionary. */
#define REPEATED_MIN 8

#define COLUMN_BYTES 512 /* what a dictionary takes as soon as it has an entry */

struct adopted {
    bool open;
    struct dictionary entries;
    struct parquet_tally tally;
    size_t counted;    /* in the sum below */
    uint64_t grown_in; /* block */
};

struct parquet_dictionaries {
    const struct parquet_schema *schema;
    struct adopted *columns;
    size_t bytes, room;
    uint64_t blocks; /* that have been adopted, and the one that is being */
};

struct parquet_dictionaries *parquet_dictionaries_new(const struct parquet_schema *schema,
                                                      size_t room)
{
    struct parquet_dictionaries *d = calloc(1, sizeof *d);

    if (!d) {
        return NULL;
    }
    d->columns = calloc(schema->count, sizeof *d->columns);
    if (!d->columns) {
        free(d);
        return NULL;
    }
    d->schema = schema;
    d->room = room;
    d->blocks = 1;
    for (uint32_t i = 0; i < schema->count; i++) {
        d->columns[i].open = parquet_may_have_dictionary(schema, i);
    }
    return d;
}

void parquet_dictionaries_free(struct parquet_dictionaries *d)
{
    if (d) {
        for (uint32_t i = 0; i < d->schema->count; i++) {
            dictionary_release(&d->columns[i].entries);
        }
        free(d->columns);
        free(d);
    }
}

bool parquet_dictionaries_is_open(const struct parquet_dictionaries *d, uint32_t column)
{
    return d->columns[column].open;
}

uint32_t parquet_dictionaries_count(const struct parquet_dictionaries *d, uint32_t column)
{
    return d->columns[column].entries.count;
}

/* Each row group has its dictionary page. A number is short: it takes more of the same to make up for looking
 * them up. */
bool parquet_dictionary_pays(enum type type, uint32_t entries, uint64_t plain_bytes,
                             const struct parquet_tally *tally)
{
    bool repeated = tally->values >= REPEATED_MIN * tally->first_values;
    uint64_t values = repeated ? tally->values : tally->first_values;
    uint64_t bytes = repeated ? tally->bytes : tally->first_bytes;
    uint64_t groups = values / PARQUET_GROUP_ROWS + 1;

    return type == TYPE_TEXT ? 2 * (uint64_t)entries <= values && 2 * groups * plain_bytes <= bytes
                             : 4 * groups * entries <= values;
}

static bool pays(const struct parquet_dictionaries *d, uint32_t column)
{
    const struct adopted *a = &d->columns[column];

    return parquet_dictionary_pays(d->schema->columns[column].type, a->entries.count,
                                   a->entries.plain.len, &a->tally);
}

/* Whether it has become clear that the column's does not pay. */
static bool has_failed(const struct parquet_dictionaries *d, uint32_t column)
{
    const struct adopted *a = &d->columns[column];
    uint64_t values = a->tally.values;

    if (values < TRIAL_VALUES || pays(d, column)) {
        return false;
    }
    return d->schema->columns[column].type != TYPE_TEXT || values >= PROOF_VALUES ||
           values - a->entries.count < values / TRIAL_PART;
}

void parquet_dictionaries_close(struct parquet_dictionaries *d, uint32_t column)
{
    struct adopted *a = &d->columns[column];

    d->bytes -= a->counted;
    dictionary_release(&a->entries);
    *a = (struct adopted){ .open = false };
}

/* No trial goes on while there is too little room. If that is not enough, those go that asked for more: without
 * what they got, there is room. */
void parquet_dictionaries_end_block(struct parquet_dictionaries *d)
{
    for (uint32_t i = 0; i < d->schema->count && d->bytes > d->room; i++) {
        if (d->columns[i].counted && !pays(d, i)) {
            parquet_dictionaries_close(d, i);
        }
    }
    for (uint32_t i = d->schema->count; i > 0 && d->bytes > d->room; i--) {
        if (d->columns[i - 1].grown_in == d->blocks) {
            parquet_dictionaries_close(d, i - 1);
        }
    }
    d->blocks++;
}

static enum result adopt_entries(struct adopted *a, enum type type, const struct dictionary *local,
                                 uint32_t first, uint32_t *numbers)
{
    enum result result = RESULT_OK;

    for (uint32_t i = first; result == RESULT_OK && a->open && i < local->count; i++) {
        if (type == TYPE_TEXT) {
            result = dictionary_text(&a->entries, dictionary_entry_text(local, i),
                                     dictionary_text_hash(local, i), &numbers[i]);
        } else {
            result = dictionary_number(&a->entries, dictionary_bits(local, i), &numbers[i]);
        }
        a->open = numbers[i] != DICTIONARY_FULL;
    }
    return result;
}

static void add_tally(struct parquet_tally *sum, const struct parquet_tally *tally)
{
    sum->values += tally->values;
    sum->first_values += tally->first_values;
    sum->bytes += tally->bytes;
    sum->first_bytes += tally->first_bytes;
}

enum result parquet_dictionaries_adopt(struct parquet_dictionaries *d, uint32_t column,
                                       const struct dictionary *local, uint32_t first,
                                       const struct parquet_tally *tally, uint32_t *numbers)
{
    struct adopted *a = &d->columns[column];
    size_t counted;
    enum result result;

    if (!a->open) {
        return RESULT_OK;
    }
    result = adopt_entries(a, d->schema->columns[column].type, local, first, numbers);
    if (result != RESULT_OK) {
        return result;
    }
    add_tally(&a->tally, tally);
    counted = COLUMN_BYTES + dictionary_bytes(&a->entries);
    a->grown_in = counted > a->counted ? d->blocks : a->grown_in;
    d->bytes += counted - a->counted;
    a->counted = counted;
    if (!a->open || has_failed(d, column)) {
        parquet_dictionaries_close(d, column);
    }
    return RESULT_OK;
}
