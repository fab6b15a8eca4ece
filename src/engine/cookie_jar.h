/**
 * Cookie jar: what cookies outlive, and who may see them.
 *
 * libcurl keeps the cookies (fetch/cookies.h). This module says where they come from and where they are written:
 *
 *   as usual   sent back while the process lives, and written nowhere
 *   kept       also written, 0600 and atomically: to the run's own file or to one that was named
 *   off        none
 *
 * A change is written by the pool a second later at the earliest, and once more at the end. A value that is long
 * enough to be a credential is a secret from then on, like a token of a login: it is shown nowhere.
 *
 * Errors   E-SEC1, E-DIR3 of a file that cannot be used: before anything is asked. Later they are an event.
 * Threads  loop thread, but for the write itself.
 */
#ifndef SCRAPETOP_ENGINE_COOKIE_JAR_H
#define SCRAPETOP_ENGINE_COOKIE_JAR_H

#include "base/err.h"
#include "base/str.h"
#include "job/secret.h"
#include "store/kept_file.h"
#include "work/work.h"

#include <stdbool.h>
#include <stdint.h>

#define COOKIE_JAR_FILE "cookies.txt" /* in the run's directory */
#define COOKIE_SECRETS_KEPT 64        /* values that are shown nowhere: the latest */
#define COOKIE_SECRET_MIN 8           /* bytes; shorter ones are settings, as "en" */

struct engine;
struct response;

struct cookie_jar {
    struct kept_file file; /* closed: none is written */
    bool is_changed;
    bool is_writing;
    uint64_t due_us; /* not written before */
    char *hidden[COOKIE_SECRETS_KEPT];
    size_t hidden_count, hidden_next;
    uint32_t foreign_host; /* the last one that was told of, + 1 */
};

/** Reads the files, once fetch is there. */
MUST_CHECK enum result cookie_jar_open(struct engine *engine, struct err *err);

/** fetch's on_cookie. */
void cookie_jar_note(void *engine, struct response *response, struct str name, struct str value,
                     bool is_foreign);

/** With every tick. */
void cookie_jar_look(struct engine *engine, uint64_t now_us);

/** The last write, when nothing is on the pool any more. Before fetch is closed. */
void cookie_jar_close(struct engine *engine);
void cookie_jar_release(struct engine *engine);

#endif
