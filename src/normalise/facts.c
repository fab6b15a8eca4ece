#include "normalise/facts.h"

#include "base/json_scan.h"

/* Smaller sets stay in the nearest cache. */
#define FAR_SLOTS 2048

static enum result add_first(struct facts_queue *q, struct facts *all,
                             const struct facts_room *room)
{
    const struct facts_waiting *first = &q->waiting[q->first];

    q->first = (q->first + 1) % FACTS_AHEAD;
    q->count--;
    return first->node == FACTS_NOWHERE
               ? RESULT_OK
               : distinct_add(&all[first->node].distinct, buf_view(&first->text), first->hash,
                              room->distinct_bytes);
}

enum result facts_catch_up(struct facts_queue *q, struct facts *all, const struct facts_room *room)
{
    enum result result = RESULT_OK;

    while (result == RESULT_OK && q->count) {
        result = add_first(q, all, room);
    }
    return result;
}

void facts_forget(struct facts_queue *q, uint32_t nodes)
{
    for (uint32_t i = 0; i < q->count; i++) {
        struct facts_waiting *one = &q->waiting[(q->first + i) % FACTS_AHEAD];

        one->node = one->node < nodes ? one->node : FACTS_NOWHERE;
    }
}

void facts_queue_release(struct facts_queue *q)
{
    for (size_t i = 0; i < FACTS_AHEAD; i++) {
        buf_release(&q->waiting[i].text);
    }
}

/* The text moves into the place behind the last that waits, escapes resolved, or is added at once where
 * its set is near. */
static enum result add_string(struct facts_queue *q, struct facts *all, uint32_t node,
                              const struct facts_room *room, enum cell_kind kind, struct str text)
{
    struct distinct *set = &all[node].distinct;
    struct facts_waiting *last;
    enum result result = RESULT_OK;

    if (kind == CELL_STRING && set->slot_count < FAR_SLOTS) {
        return distinct_add(set, text, keyed_hash_text(text), room->distinct_bytes);
    }
    if (q->count == FACTS_AHEAD) {
        result = add_first(q, all, room);
    }
    last = &q->waiting[(q->first + q->count) % FACTS_AHEAD];
    buf_reset(&last->text);
    if (result == RESULT_OK) {
        result = kind == CELL_ESCAPED ? json_unescape(&last->text, text, NULL)
                                      : buf_append_str(&last->text, text);
    }
    if (result == RESULT_OK) {
        last->node = node;
        last->hash = keyed_hash_text(buf_view(&last->text));
        distinct_approach(set, last->hash);
        q->count++;
    }
    return result;
}

static enum result note_string(struct facts_queue *q, struct facts *all, uint32_t node,
                               const struct facts_room *room, enum type_kind is,
                               enum cell_kind kind, struct str text)
{
    struct facts *facts = &all[node];
    /* What an escape means is a sixth of it at least. */
    bool fits = is != KIND_TIME && (kind == CELL_STRING || kind == CELL_ESCAPED) &&
                text.len <= 6 * (size_t)DISTINCT_TEXT_MAX;

    if (!room->distinct_bytes || !fits) {
        distinct_give_up(&facts->distinct);
        return RESULT_OK;
    }
    return add_string(q, all, node, room, kind, text);
}

static enum result note_number(struct facts *facts, const struct facts_room *room,
                               enum type_kind is, const union type_value *value)
{
    switch (room->numbers ? is : KIND_TEXT) {
    case KIND_INT:
    case KIND_WIDE:
        return numbers_add_whole(&facts->numbers, value->whole, room->numbers);
    case KIND_DOUBLE:
        return numbers_add_fraction(&facts->numbers, value->fraction, room->numbers);
    case KIND_TIME:
        return numbers_add_time(&facts->numbers, value->whole, room->numbers);
    default:
        numbers_give_up(&facts->numbers);
        return RESULT_OK;
    }
}

enum result facts_note(struct facts_queue *queue, struct facts *all, uint32_t node,
                       const struct facts_wish *wish, const struct facts_room *room,
                       enum cell_kind kind, struct str text)
{
    struct facts *facts = &all[node];
    enum result result = RESULT_OK;
    union type_value value;
    enum type_kind is;

    if (kind == CELL_NULL) {
        return RESULT_OK;
    }
    is = types_note(&facts->types, kind, text, wish->coerce, &value);
    facts->has_text |= is >= KIND_TEXT_INT && is <= KIND_TEXT;
    facts->has_number |= is <= KIND_DOUBLE || is == KIND_TIME;
    if (!facts->numbers.given_up) {
        result = note_number(facts, room, is, &value);
    }
    if (result == RESULT_OK && !facts->distinct.given_up) {
        result = note_string(queue, all, node, room, is, kind, text);
    }
    return result;
}

enum result facts_merge(struct facts *into, struct facts *from, const struct facts_room *room)
{
    enum result result = distinct_merge(&into->distinct, &from->distinct, room->distinct_bytes);

    into->has_text |= from->has_text;
    into->has_number |= from->has_number;
    types_merge(&into->types, &from->types);
    return result == RESULT_OK ? numbers_merge(&into->numbers, &from->numbers, room->numbers)
                               : result;
}

/* A value in few rows, one behind the other, is as short without a dictionary. */
#define ROWS_EACH_MIN 8

static uint64_t times_of(const struct facts_rows *rows)
{
    return rows->each >= ROWS_EACH_MIN ? rows->each : 1;
}

enum result facts_dictionary(const struct facts *facts, const struct facts_room *room,
                             const struct facts_rows *rows, struct dictionary **dictionary)
{
    const struct distinct *set = &facts->distinct;
    uint64_t times = times_of(rows), total = set->total_count * times;
    uint64_t groups = total / rows->group + 1;

    *dictionary = NULL;
    /* The share may have become smaller since the set was gathered. */
    if (set->given_up || set->count == 0 || distinct_bytes(set) > room->distinct_bytes ||
        2 * (uint64_t)set->count > total ||
        2 * groups * set->bytes.len > set->total_bytes * times) {
        return RESULT_OK;
    }
    return dictionary_new(dictionary, set);
}

enum result facts_number_dictionary(const struct facts *facts, enum type type,
                                    const struct facts_room *room, const struct facts_rows *rows,
                                    struct number_dictionary **dictionary)
{
    static const enum numbers_form forms[] = {
        [TYPE_TEXT] = NUMBERS_NONE,       [TYPE_INT64] = NUMBERS_WHOLE,
        [TYPE_DOUBLE] = NUMBERS_FRACTION, [TYPE_BOOLEAN] = NUMBERS_NONE,
        [TYPE_TIMESTAMP] = NUMBERS_TIME,
    };
    const struct numbers *set = &facts->numbers;
    uint64_t total = set->total * times_of(rows), count = numbers_count(set);
    uint64_t groups = total / rows->group + 1;

    *dictionary = NULL;
    if (set->given_up || set->form == NUMBERS_NONE || set->form != forms[type] ||
        count > room->numbers || 4 * groups * count > total) {
        return RESULT_OK;
    }
    return number_dictionary_new(dictionary, set);
}

void facts_release(struct facts *facts)
{
    distinct_release(&facts->distinct);
    numbers_release(&facts->numbers);
}
