/*
 * What flatten knows of the nodes of its tree (struct hint): made anew for each that is added, from the tree of columns,
 * which is not looked at again for them.
 */
#include "normalise/flatten_walk.h"

#include <stdlib.h>
#include <string.h>

static void set_token(struct hint *h, struct str name)
{
    h->token_len = 0;
    if (name.len + 2 > HINT_TOKEN_MAX) {
        return;
    }
    for (size_t i = 0; i < name.len; i++) {
        if ((unsigned char)name.data[i] < 0x20 || name.data[i] == '"' || name.data[i] == '\\') {
            return;
        }
    }
    h->token[0] = '"';
    memcpy(h->token + 1, name.data, name.len);
    h->token[1 + name.len] = '"';
    h->token_len = (uint8_t)(name.len + 2);
    h->token_bits = (uint32_t)((UINT64_C(1) << h->token_len) - 1);
}

static uint32_t column_of(const struct flatten *f, uint32_t node)
{
    return f->table && node < columns_node_count(f->table) ? columns_of_node(f->table, node)
                                                           : COLUMNS_NONE;
}

bool flatten_know_nodes(struct flatten *f)
{
    uint32_t want = columns_node_count(f->columns);

    if (want > f->hint_cap) {
        uint32_t cap = f->hint_cap ? f->hint_cap : 64;
        struct hint *hints;

        while (cap < want) {
            cap *= 2;
        }
        hints = aligned_alloc(sizeof *hints, cap * sizeof *hints);
        if (!hints) {
            return false;
        }
        if (f->hint_count) {
            memcpy(hints, f->hints, f->hint_count * sizeof *hints);
        }
        free(f->hints);
        f->hints = hints;
        f->hint_cap = cap;
    }
    for (; f->hint_count < want; f->hint_count++) {
        struct hint *h = &f->hints[f->hint_count];

        *h = (struct hint){ .next = COLUMNS_NONE,
                            .first = COLUMNS_NONE,
                            .parent = columns_parent(f->columns, f->hint_count),
                            .column = column_of(f, f->hint_count),
                            .marked = columns_marked(f->columns, f->hint_count) };
        set_token(h, columns_node_name(f->columns, f->hint_count));
    }
    return true;
}

/* Guesses that lead to a forgotten node stay: they are believed only where name and parent agree. */
void flatten_forget(struct flatten *f, uint32_t nodes)
{
    for (size_t i = 0; i < f->fresh_count; i++) {
        if (f->fresh[i] < nodes) {
            f->hints[f->fresh[i]].marked = false;
        }
    }
    f->hint_count = nodes;
    f->fresh_count = 0;
    f->visit_base += f->visit_count;
    f->visit_count = 0;
}
