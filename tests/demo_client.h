/**
 * Asks the embedded API as a client would, by plain requests that are written byte for byte.
 *
 * For tests only: whatever goes wrong here fails the test that called. Nothing has a timeout of its
 * own; a server that does not answer is found by ctest.
 *
 * Ownership  an answer owns its bytes until drop; a header's value lives until the next call.
 */
#ifndef SCRAPETOP_TESTS_DEMO_CLIENT_H
#define SCRAPETOP_TESTS_DEMO_CLIENT_H

#include "demo/demo.h"

#include "base/buf.h"

#include <cjson/cJSON.h>

struct answer {
    unsigned status; /* 0: none came */
    bool is_reset;
    struct buf bytes; /* all that came */
    struct str head, body;
};

struct demo *start(const struct demo_options *options);
struct demo *start_calm(uint64_t seed);

int dial(const struct demo *demo);
void say(int fd, struct str bytes);

/** Reads until the server closes, then closes, too. */
void read_answer(int fd, struct answer *a);

struct answer ask_raw(const struct demo *demo, struct str request);

/** One request on a connection of its own. `headers` are whole lines with CR LF, or "". */
struct answer ask_with(const struct demo *demo, const char *method, const char *target,
                       const char *headers, const char *body);
struct answer get(const struct demo *demo, const char *target);
void drop(struct answer *a);

/** NULL when there is none of that name. */
const char *header_of(const struct answer *a, const char *name);

/** The body, which must be one JSON text. */
cJSON *json_of(const struct answer *a);

/** Asks, and fails unless it is that status; an error must explain itself in JSON. */
void expect_status(const struct demo *demo, const char *target, unsigned status);

#endif
