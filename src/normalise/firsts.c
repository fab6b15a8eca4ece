#include "normalise/firsts.h"

#include "base/grow.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool firsts_reserve(struct firsts *f, uint32_t before, uint32_t nodes)
{
    uint32_t *slots = realloc(f->slots, (size_t)nodes * KIND_COUNT * sizeof *slots);

    if (!slots) {
        return false;
    }
    memset(slots + (size_t)before * KIND_COUNT, 0,
           (size_t)(nodes - before) * KIND_COUNT * sizeof *slots);
    f->slots = slots;
    return true;
}

void firsts_release(struct firsts *f)
{
    free(f->slots);
    free(f->list);
    buf_release(&f->texts);
    *f = (struct firsts){ 0 };
}

static bool is_earlier(const struct record_place *a, const struct record_place *b)
{
    return a->chunk < b->chunk || (a->chunk == b->chunk && a->record < b->record);
}

static struct first *add(struct firsts *f, uint32_t *slot)
{
    struct first *list = grow_by_one(f->list, f->count, &f->cap, sizeof *list);

    if (!list) {
        return NULL;
    }
    f->list = list;
    *slot = ++f->count;
    return &f->list[*slot - 1];
}

/* Unless there is an earlier one. */
static void keep(struct firsts *f, uint32_t node, int kind, const struct first *value,
                 struct str text)
{
    uint32_t *slot = &f->slots[(size_t)node * KIND_COUNT + (size_t)kind];
    struct first *first = *slot ? &f->list[*slot - 1] : NULL;

    if (first && !is_earlier(&value->place, &first->place)) {
        return;
    }
    first = first ? first : add(f, slot);
    if (first) {
        *first = *value;
        first->text_at = (uint32_t)f->texts.len;
        first->text_len = buf_append_str(&f->texts, text) == RESULT_OK ? (uint8_t)text.len : 0;
    }
}

void firsts_note(struct firsts *f, uint32_t node, enum type_kind kind,
                 const struct record_place *place, enum cell_kind cell, struct str text)
{
    struct first value = { .place = *place, .is_cut = text.len > FIRSTS_TEXT_MAX, .kind = cell };

    if (value.is_cut) {
        text.len = utf8_valid_prefix((struct str){ text.data, FIRSTS_TEXT_MAX });
    }
    keep(f, node, (int)kind, &value, text);
}

void firsts_forget(struct firsts *f, uint32_t node)
{
    memset(f->slots + (size_t)node * KIND_COUNT, 0, KIND_COUNT * sizeof *f->slots);
}

static struct str text_of(const struct firsts *f, const struct first *first)
{
    return (struct str){ f->texts.data + first->text_at, first->text_len };
}

void firsts_merge(struct firsts *into, uint32_t node, const struct firsts *from, uint32_t its)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        uint32_t slot = from->slots[(size_t)its * KIND_COUNT + (size_t)kind];
        const struct first *first = slot ? &from->list[slot - 1] : NULL;

        if (first) {
            keep(into, node, kind, first, text_of(from, first));
        }
    }
}

bool firsts_find(const struct firsts *f, uint32_t node, uint32_t kinds, struct record_place *place,
                 char text[FIRSTS_TEXT_MAX + 8])
{
    const struct first *found = NULL;
    const char *quote;

    for (int kind = 0; kind < KIND_COUNT; kind++) {
        uint32_t slot = f->slots[(size_t)node * KIND_COUNT + (size_t)kind];
        const struct first *first = slot && kinds >> kind & 1 ? &f->list[slot - 1] : NULL;

        if (first && (!found || is_earlier(&first->place, &found->place))) {
            found = first;
        }
    }
    if (!found) {
        return false;
    }
    *place = found->place;
    quote = found->kind == CELL_STRING || found->kind == CELL_ESCAPED ? "\"" : "";
    snprintf(text, FIRSTS_TEXT_MAX + 8, "%s%.*s%s%s", quote, STR_ARG(text_of(f, found)),
             found->is_cut ? "..." : "", quote);
    return true;
}
