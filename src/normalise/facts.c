#include "normalise/facts.h"

#include "base/json_scan.h"

enum result facts_note(struct facts *facts, const struct facts_wish *wish, enum cell_kind kind,
                       struct str text, struct buf *scratch)
{
    if (kind == CELL_NULL) {
        return RESULT_OK;
    }
    types_note(&facts->types, kind, text, wish->coerce);
    if (facts->distinct.given_up) {
        return RESULT_OK;
    }
    if (!wish->distinct || (kind != CELL_STRING && kind != CELL_ESCAPED)) {
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
    return distinct_add(&facts->distinct, text);
}

enum result facts_merge(struct facts *into, const struct facts *from)
{
    types_merge(&into->types, &from->types);
    return distinct_merge(&into->distinct, &from->distinct);
}

enum result facts_dictionary(const struct facts *facts, struct dictionary **dictionary)
{
    const struct distinct *set = &facts->distinct;

    *dictionary = NULL;
    if (set->given_up || set->count == 0 || 2 * set->count > types_present(&facts->types)) {
        return RESULT_OK;
    }
    return dictionary_new(dictionary, set);
}

void facts_release(struct facts *facts)
{
    distinct_release(&facts->distinct);
}
