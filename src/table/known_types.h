/**
 * Known types: what the values of a table's columns were in other tables, so that all get the same types.
 *
 * A dataset is made part by part. What a part holds is looked at together with what is known of the others.
 *
 * Ownership  known_types_free; names are copied.
 * Errors     RESULT_NOMEM, and E-COL1 for too many columns.
 * Threads    one at a time; reading only, any number.
 */
#ifndef SCRAPETOP_TABLE_KNOWN_TYPES_H
#define SCRAPETOP_TABLE_KNOWN_TYPES_H

#include "base/err.h"
#include "base/str.h"
#include "normalise/types.h"

#include <stdint.h>

struct known_types;

/** NULL when out of memory. */
struct known_types *known_types_new(void);
void known_types_free(struct known_types *known);

/** NULL for a column that is not known. */
const struct type_facts *known_types_find(const struct known_types *known, struct str name);

/** The column has had such values, too: which kinds counts, not how many. */
MUST_CHECK enum result known_types_add(struct known_types *known, struct str name,
                                       const struct type_facts *facts, struct err *err);

/** Of one that is known, its number below. */
uint32_t known_types_number(const struct known_types *known, struct str name);

/** In the order in which they were added. */
uint32_t known_types_count(const struct known_types *known);
struct str known_types_name(const struct known_types *known, uint32_t column);
const struct type_facts *known_types_facts(const struct known_types *known, uint32_t column);

#endif
