/**
 * Values added to a cJSON object or array. Numbers that a double would round are written as their digits.
 *
 * Errors   false (NULL) without memory; what was added by then stays with the object.
 * Threads  any.
 */
#ifndef SCRAPETOP_JOB_CJSON_ADD_H
#define SCRAPETOP_JOB_CJSON_ADD_H

#include "base/units.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool cjson_add_number(cJSON *object, const char *key, uint64_t number);

/** "90s", "250ms" or "7us": a time that units_parse_time reads back to the microsecond. */
bool cjson_add_time(cJSON *object, const char *key, uint64_t us);
void cjson_format_time(uint64_t us, char text[UNITS_TEXT_MAX]);

bool cjson_add_rate(cJSON *object, const char *key, struct rate rate);

/** Nothing for NULL, or for nought. */
bool cjson_add_optional(cJSON *object, const char *key, const char *text);

/** An array of texts; nothing when there are none. */
bool cjson_add_texts(cJSON *object, const char *key, char *const *texts, size_t count);

/** At the end of an array. The new object is the array's. */
bool cjson_add_text(cJSON *array, const char *text);
cJSON *cjson_add_element(cJSON *array);

#endif
