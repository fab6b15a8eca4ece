/**
 * What stands in a reply of the fleet's scripts: one JSON object, of which nothing is believed.
 *
 * Threads    any; pure.
 */
#ifndef SCRAPETOP_FLEET_REPLY_H
#define SCRAPETOP_FLEET_REPLY_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** RESULT_CORRUPT, E-FLEET5. */
enum result fleet_reply_corrupt(struct err *err);

/** A member; STR_NONE when it is not there. */
struct str fleet_reply_member(struct str reply, const char *name);

/** Several members in one pass: `values[i]` is that of `names[i]`, STR_NONE when it is not there. Of members with the same name
 *  the last counts. */
void fleet_reply_members(struct str reply, const char *const names[], struct str values[],
                         size_t count);

/** A reply may have texts behind its JSON, which would be several times as long in it: a line feed stands between, as none
 *  stands in JSON of theirs. The JSON; `texts`, if not NULL, is what follows. */
struct str fleet_reply_json(struct str reply, struct str *texts);

/** Of a member, text or number; empty, 0 when it is not there or none. */
void fleet_reply_text(struct str reply, const char *name, char *text, size_t size);
uint64_t fleet_reply_number(struct str reply, const char *name);

/** Of a value. Text that is too long or has a NUL in it is none of ours: false, and empty. */
bool fleet_reply_text_of(struct str value, char *text, size_t size);
bool fleet_reply_number_of(struct str value, uint64_t max, uint64_t *number);

/** The elements of an array of `count` numbers; false when it is none. */
bool fleet_reply_numbers_of(struct str array, uint64_t *numbers, size_t count);

/** How many stand in an array. */
size_t fleet_reply_count(struct str array);

#endif
