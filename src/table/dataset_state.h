/**
 * A dataset's inside, for dataset.c, and for dataset_json.c, which reads and writes _schema.json.
 *
 * Errors     as dataset.h says.
 */
#ifndef SCRAPETOP_TABLE_DATASET_STATE_H
#define SCRAPETOP_TABLE_DATASET_STATE_H

#include "normalise/columns.h"
#include "table/dataset.h"

#include <stddef.h>

#define DATASET_FILE "_schema.json"
#define DATASET_FILE_MAX ((size_t)256 << 20)
#define DATASET_PATH_MAX 1024

/* What a column is in all parts of the present generation. */
struct dataset_type {
    enum type type;
    int64_t unit_us; /* see struct type_decision */
};

struct dataset_entry {
    struct dataset_part part;
    bool is_there, is_wanted; /* not dropped; see dataset_drop_others */
};

struct dataset_table {
    struct dataset *in;
    char *name, *how;
    struct columns *paths; /* of parts, as nodes of a tree without branches */
    struct dataset_entry *parts;
    struct known_types *known;
    struct dataset_type *types; /* by column of `known` */
    unsigned generation;
    bool is_changed; /* a type, by what has been added last */
};

#define DATASET_TEXTS 3 /* of the identity, in its order */

struct dataset {
    char *path;
    int fd;
    char *texts[DATASET_TEXTS];
    struct dataset_table **tables;
    size_t count;
};

void dataset_free_table(struct dataset_table *table);

/** An endpoint that has no parts yet. */
MUST_CHECK enum result dataset_add_table(struct dataset *dataset, struct str name, struct str how,
                                         struct dataset_table **table, struct err *err);

/** The column has had such values, and is of that type: `is_changed` if it was of another. */
MUST_CHECK enum result dataset_add_column(struct dataset_table *table, struct str name,
                                          const struct type_facts *facts, struct dataset_type type,
                                          struct err *err);

/** Adds the part, or what is known of it anew. */
MUST_CHECK enum result dataset_add_part(struct dataset_table *table, struct str path,
                                        const struct dataset_part *part, bool is_wanted,
                                        struct err *err);

#endif
