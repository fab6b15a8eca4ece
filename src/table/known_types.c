#include "table/known_types.h"

#include "normalise/columns.h"

#include <stdlib.h>

/* Names are the nodes of a tree without branches. */
struct known_types {
    struct columns *names;
    struct type_facts *facts;
    uint32_t cap;
};

struct known_types *known_types_new(void)
{
    struct known_types *k = calloc(1, sizeof *k);

    if (k) {
        k->names = columns_new();
    }
    if (!k || !k->names) {
        free(k);
        return NULL;
    }
    return k;
}

void known_types_free(struct known_types *k)
{
    if (k) {
        columns_free(k->names);
        free(k->facts);
        free(k);
    }
}

const struct type_facts *known_types_find(const struct known_types *k, struct str name)
{
    uint32_t node = columns_find(k->names, COLUMNS_ROOT, name);

    return node == COLUMNS_NONE ? NULL : &k->facts[node - COLUMNS_ROOTS];
}

static bool make_room(struct known_types *k, uint32_t column)
{
    uint32_t cap = k->cap ? 2 * k->cap : 64;
    struct type_facts *facts;

    if (column < k->cap) {
        return true;
    }
    facts = reallocarray(k->facts, cap, sizeof *facts);
    if (!facts) {
        return false;
    }
    for (uint32_t i = k->cap; i < cap; i++) {
        facts[i] = (struct type_facts){ .low = 0 };
    }
    k->facts = facts;
    k->cap = cap;
    return true;
}

enum result known_types_add(struct known_types *k, struct str name, const struct type_facts *facts,
                            struct err *err)
{
    struct type_facts *into;
    enum result result;
    uint32_t node;

    if (!make_room(k, known_types_count(k))) {
        return err_nomem(err, "keeping types");
    }
    result = columns_add(k->names, COLUMNS_ROOT, name, &node, err);
    if (result != RESULT_OK) {
        return result;
    }
    into = &k->facts[node - COLUMNS_ROOTS];
    types_merge(into, facts);
    for (int i = 0; i < KIND_COUNT; i++) {
        into->seen[i] = into->seen[i] > 0;
    }
    return RESULT_OK;
}

uint32_t known_types_number(const struct known_types *k, struct str name)
{
    return columns_find(k->names, COLUMNS_ROOT, name) - COLUMNS_ROOTS;
}

uint32_t known_types_count(const struct known_types *k)
{
    return columns_node_count(k->names) - COLUMNS_ROOTS;
}

struct str known_types_name(const struct known_types *k, uint32_t column)
{
    return columns_node_name(k->names, column + COLUMNS_ROOTS);
}

const struct type_facts *known_types_facts(const struct known_types *k, uint32_t column)
{
    return &k->facts[column];
}
