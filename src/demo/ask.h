/**
 * One request as the shapes see it: bytes of the client, taken apart and nothing more.
 *
 * Everything here is a view into what the client sent and is as hostile as that: the path is not
 * decoded, parameters are decoded on demand and bounded by the asker.
 *
 * Ownership  borrows; lives as long as the exchange that made it.
 */
#ifndef SCRAPETOP_DEMO_ASK_H
#define SCRAPETOP_DEMO_ASK_H

#include "base/str.h"

#define ASK_HEADERS_MAX 100
#define ASK_SEGMENTS_MAX 3 /* numbers that a path can hold */

struct ask_header {
    struct str name, value;
};

struct ask {
    struct str method;
    struct str path;  /* "/posts/17" */
    struct str query; /* what follows "?"; may be empty */
    struct str body;
    const struct ask_header *headers;
    size_t header_count;
    struct str in_path[ASK_SEGMENTS_MAX]; /* what stood where the route has "*" */
    uint64_t now_us;                      /* monotonic */
    int64_t wall_us;
};

/** Cuts a request target in path and query; the absolute form ("http://host/path") is understood. */
void ask_set_target(struct ask *ask, struct str target);

/** The first header of that name; STR_NONE when there is none. */
struct str ask_header(const struct ask *ask, struct str name);

enum ask_found { ASK_ABSENT, ASK_FOUND, ASK_MALFORMED };

/** Decodes parameter `name` ("+" is a space, %XX a byte) into `out`, terminated. ASK_MALFORMED: a
 *  bad escape, a NUL, or more than fits. */
enum ask_found ask_param(const struct ask *ask, const char *name, char *out, size_t out_size,
                         size_t *len);

/** A whole number within [low, high] into `*number`, which keeps its value when the parameter is
 *  absent. False when it is there and is anything else. */
bool ask_param_number(const struct ask *ask, const char *name, uint64_t low, uint64_t high,
                      uint64_t *number);

#endif
