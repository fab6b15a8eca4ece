/**
 * Several JSON Pointers looked up in one pass over the text.
 *
 * What a paginator asks of a body (total, cursor, is there more) and a template of a record (id, name,
 * price) stands in few places of a long text; looking for each by itself would go over all of it again
 * and again. As everywhere, the last of several members with the same name counts.
 *
 * One step means more than RFC 6901 says: `-`, there the element after an array's last, is here the
 * last one, which many APIs want back as the cursor ("/items/-/id"). `*` is a name like any other.
 *
 * The text must have passed json_check. Pure; any thread.
 */
#ifndef SCRAPETOP_BASE_JSON_LOOK_H
#define SCRAPETOP_BASE_JSON_LOOK_H

#include "base/json_scan.h"

#define JSON_LOOKS_MAX 64

/** Sets values[i] to what pointers[i] leads to in `text`, or to STR_NONE. At most JSON_LOOKS_MAX. */
void json_look(struct str text, const struct json_pointer *pointers, size_t count,
               struct str *values);

#endif
