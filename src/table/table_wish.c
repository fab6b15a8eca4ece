#include "table/table_wish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 40 /* bytes of a value */

#define BIT(kind) (1U << (kind))

/* The kinds of values that each type keeps. */
static const uint32_t kinds_of[COLUMN_TYPE_COUNT] = {
    [COLUMN_INT64] = BIT(KIND_INT) | BIT(KIND_WIDE) | BIT(KIND_TEXT_INT) | BIT(KIND_TEXT_WIDE),
    [COLUMN_DOUBLE] = BIT(KIND_INT) | BIT(KIND_DOUBLE) | BIT(KIND_TEXT_INT) | BIT(KIND_TEXT_DOUBLE),
    [COLUMN_BOOLEAN] = BIT(KIND_BOOLEAN),
    [COLUMN_TIMESTAMP] = BIT(KIND_TIME) | BIT(KIND_LOCAL),
    [COLUMN_DATE] = BIT(KIND_DATE),
};

/* The cell is, or can be, of that type. */
static bool wish_fits(enum column_type type, const struct row_cell *cell)
{
    struct type_facts facts = { 0 };
    union type_value value;
    enum type_kind kind;

    if (type == COLUMN_ANY || type == COLUMN_TEXT) {
        return true;
    }
    kind = types_note(&facts, cell->kind, (struct str){ cell->text, cell->len }, true, &value);
    return kinds_of[type] >> kind & 1;
}

enum type wish_type(const struct column_wish *wish, const struct type_facts *facts, bool assume_utc)
{
    static const enum type types[COLUMN_TYPE_COUNT] = {
        [COLUMN_ANY] = TYPE_TEXT,        [COLUMN_TEXT] = TYPE_TEXT,
        [COLUMN_INT64] = TYPE_INT64,     [COLUMN_DOUBLE] = TYPE_DOUBLE,
        [COLUMN_BOOLEAN] = TYPE_BOOLEAN, [COLUMN_TIMESTAMP] = TYPE_TIMESTAMP,
        [COLUMN_DATE] = TYPE_DATE,
    };

    bool is_local = wish->type == COLUMN_TIMESTAMP && facts->seen[KIND_LOCAL] &&
                    !facts->seen[KIND_TIME] && !assume_utc;

    for (int kind = 0; wish->on_error == COLUMN_ERROR_TEXT && kind < KIND_COUNT; kind++) {
        if (facts->seen[kind] && !(kinds_of[wish->type] >> kind & 1)) {
            return TYPE_TEXT;
        }
    }
    return is_local ? TYPE_LOCAL_TIMESTAMP : types[wish->type];
}

static void say(const struct layout_column *column, const struct row_cell *cell,
                struct wish_verdict *verdict)
{
    if (verdict->bad++ == 0) {
        snprintf(verdict->words, sizeof verdict->words, "%.*s is no %s: \"%.*s\"",
                 (int)(column->name.len < SHOWN_MAX ? column->name.len : SHOWN_MAX),
                 column->name.data, column_type_name(column->wish.type),
                 (int)(cell->len < SHOWN_MAX ? cell->len : SHOWN_MAX), cell->text);
    }
}

static enum result copy_row(const struct row *row, struct wish_room *room, struct row *copy,
                            struct err *err)
{
    if (copy->cells != row->cells) {
        return RESULT_OK;
    }
    if (room->cap < row->count) {
        struct row_cell *cells = reallocarray(room->cells, row->count, sizeof *cells);

        if (!cells) {
            return err_nomem(err, "reading records");
        }
        room->cells = cells;
        room->cap = row->count;
    }
    memcpy(room->cells, row->cells, row->count * sizeof *room->cells);
    copy->cells = room->cells;
    return RESULT_OK;
}

enum result wish_heed(const struct layout *layout, const struct row *row, struct wish_room *room,
                      struct row *heeded, struct wish_verdict *verdict, struct err *err)
{
    enum result result = RESULT_OK;

    *verdict = (struct wish_verdict){ .bad = 0 };
    *heeded = *row;
    heeded->values = NULL; /* what they are is asked anew: numbers in strings count */
    for (uint32_t i = 0; i < layout->count && result == RESULT_OK; i++) {
        const struct layout_column *column = &layout->columns[i];
        const struct row_cell *cell = column->wish.type != COLUMN_ANY && column->source < row->count
                                          ? row_cell(row, column->source)
                                          : NULL;

        if (!cell || wish_fits(column->wish.type, cell)) {
            continue;
        }
        say(column, cell, verdict);
        switch (column->wish.on_error) {
        case COLUMN_ERROR_NULL:
            result = copy_row(row, room, heeded, err);
            if (result == RESULT_OK) {
                room->cells[column->source].kind = CELL_NULL;
            }
            break;
        case COLUMN_ERROR_DROP:
            verdict->is_dropped = true;
            break;
        case COLUMN_ERROR_FAIL:
            result = err_set(err, RESULT_NOT_FOUND, "E-TAB8", "%s (\"on_error\": \"fail\")",
                             verdict->words);
            break;
        case COLUMN_ERROR_TEXT:
        case COLUMN_ERROR_COUNT:
            break;
        }
    }
    return result;
}
