#include "normalise/facts.h"

#include "base/json_scan.h"

enum result facts_note(struct facts *facts, const struct facts_wish *wish, size_t distinct_max,
                       enum cell_kind kind, struct str text, struct buf *scratch)
{
    enum type_kind is;

    if (kind == CELL_NULL) {
        return RESULT_OK;
    }
    is = types_note(&facts->types, kind, text, wish->coerce);
    facts->has_text |= is >= KIND_TEXT_INT && is <= KIND_TEXT;
    if (facts->distinct.given_up) {
        return RESULT_OK;
    }
    if (!distinct_max || is == KIND_TIME || (kind != CELL_STRING && kind != CELL_ESCAPED)) {
        distinct_give_up(&facts->distinct);
        return RESULT_OK;
    }
    if (kind == CELL_ESCAPED) {
        enum result result;

        buf_reset(scratch);
        result = json_unescape(scratch, text, NULL);
        if (result != RESULT_OK) {
            return result;
        }
        text = buf_view(scratch);
    }
    return distinct_add(&facts->distinct, text, distinct_max);
}

enum result facts_merge(struct facts *into, const struct facts *from, size_t distinct_max)
{
    into->has_text |= from->has_text;
    types_merge(&into->types, &from->types);
    return distinct_merge(&into->distinct, &from->distinct, distinct_max);
}

enum result facts_dictionary(const struct facts *facts, size_t distinct_max, uint64_t group_rows,
                             struct dictionary **dictionary)
{
    const struct distinct *set = &facts->distinct;
    uint64_t groups = set->total_count / group_rows + 1;

    *dictionary = NULL;
    /* The share may have become smaller since the set was gathered. */
    if (set->given_up || set->count == 0 || distinct_bytes(set) > distinct_max ||
        2 * (uint64_t)set->count > set->total_count ||
        2 * groups * set->bytes.len > set->total_bytes) {
        return RESULT_OK;
    }
    return dictionary_new(dictionary, set);
}

void facts_release(struct facts *facts)
{
    distinct_release(&facts->distinct);
}
