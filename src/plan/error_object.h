/**
 * Error object: an error that a body tells of, whatever the status says.
 *
 * Many APIs answer 200 and put the failure into the body: {"error": {...}}, {"success": false},
 * {"data": null, "errors": [...]}, {"status": "fail"}, {"message": "Rate limit exceeded"}. Names are
 * compared as plain names. Only the body's own members and those of its objects are looked at.
 *
 * The body must have passed json_check. Pure; any thread. Nothing is allocated.
 */
#ifndef SCRAPETOP_PLAN_ERROR_OBJECT_H
#define SCRAPETOP_PLAN_ERROR_OBJECT_H

#include "base/str.h"

#include <stdbool.h>

#define ERROR_OBJECT_NAME_MAX 64

struct error_object {
    char at[ERROR_OBJECT_NAME_MAX]; /* JSON Pointer of what tells it, cut: "/error" */
    struct str value;               /* what stands there: JSON, as the server wrote it */
    /* The member can mean nothing else. False for a message without anything beside it, or a status
     * code: these are errors only where something else is missing. */
    bool is_sure;
};

/** False when the body tells of no error. Views into `body`. */
bool error_object_find(struct str body, struct error_object *found);

/** The words of the error for a person: its message, or else the value itself. Bytes from outside, still
 *  escaped as JSON has them. */
struct str error_object_words(const struct error_object *found);

#endif
