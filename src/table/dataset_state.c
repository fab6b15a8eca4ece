#include "table/dataset_state.h"

#include <stdlib.h>

void dataset_free_table(struct dataset_table *t)
{
    columns_free(t->paths);
    known_types_free(t->known);
    free(t->parts);
    free(t->types);
    free(t->name);
    free(t->how);
    free(t);
}

enum result dataset_add_table(struct dataset *d, struct str name, struct str how,
                              struct dataset_table **table, struct err *err)
{
    struct dataset_table **tables = reallocarray(d->tables, d->count + 1, sizeof(*tables));
    struct dataset_table *t = calloc(1, sizeof *t);

    d->tables = tables ? tables : d->tables;
    if (tables && t) {
        *t = (struct dataset_table){ .in = d,
                                     .name = str_dup(name),
                                     .how = str_dup(how),
                                     .paths = columns_new(),
                                     .known = known_types_new(),
                                     .generation = 1 };
    }
    if (!tables || !t || !t->name || !t->how || !t->paths || !t->known) {
        if (t) {
            dataset_free_table(t);
        }
        return err_nomem(err, "opening a dataset");
    }
    d->tables[d->count++] = t;
    *table = t;
    return RESULT_OK;
}

enum result dataset_add_column(struct dataset_table *t, struct str name,
                               const struct type_facts *facts, struct dataset_type type,
                               struct err *err)
{
    uint32_t before = known_types_count(t->known), column = 0;
    enum result result = known_types_add(t->known, name, facts, err);

    if (result != RESULT_OK) {
        return result;
    }
    if (known_types_count(t->known) > before) {
        struct dataset_type *types = reallocarray(t->types, before + 1U, sizeof *types);

        if (!types) {
            return err_nomem(err, "keeping types");
        }
        t->types = types;
        t->types[before] = type;
        return RESULT_OK;
    }
    column = known_types_number(t->known, name);
    if (t->types[column].type != type.type || t->types[column].unit_us != type.unit_us) {
        t->types[column] = type;
        t->is_changed = true;
    }
    return RESULT_OK;
}

enum result dataset_add_part(struct dataset_table *t, struct str path,
                             const struct dataset_part *part, bool is_wanted, struct err *err)
{
    uint32_t node = columns_find(t->paths, COLUMNS_ROOT, path);
    uint32_t count = columns_node_count(t->paths) - COLUMNS_ROOTS;

    if (path.len >= DATASET_PATH_MAX || (node == COLUMNS_NONE && count >= DATASET_PARTS_MAX)) {
        return err_set(err, RESULT_LIMIT, "E-TAB3", "%s: more than %d parts of %s", t->in->path,
                       DATASET_PARTS_MAX, t->name);
    }
    if (node == COLUMNS_NONE) {
        struct dataset_entry *parts = reallocarray(t->parts, count + 1U, sizeof *parts);
        enum result result;

        if (!parts) {
            return err_nomem(err, "keeping parts");
        }
        t->parts = parts;
        result = columns_add(t->paths, COLUMNS_ROOT, path, &node, err);
        if (result != RESULT_OK) {
            return result;
        }
    }
    t->parts[node - COLUMNS_ROOTS] = (struct dataset_entry){ *part, true, is_wanted };
    return RESULT_OK;
}
