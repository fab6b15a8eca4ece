/**
 * One answer as the shapes make it: status, headers, body, and nothing of how it is sent.
 *
 * Ownership  reply_release frees; the sender may take the body out before. `lent` belongs to the
 *            world and outlives every reply.
 * Errors     `result` holds the first failure; a reply with one is not sent.
 */
#ifndef SCRAPETOP_DEMO_REPLY_H
#define SCRAPETOP_DEMO_REPLY_H

#include "base/buf.h"

#define REPLY_HEADERS_MAX 16384           /* bytes, all together */
#define REPLY_BODY_MAX (size_t)(4U << 20) /* no shape comes near */
#define REPLY_TYPE_JSON "application/json; charset=utf-8"

struct reply {
    unsigned status;
    const char *type;       /* Content-Type; NULL: none */
    struct buf headers;     /* name NUL value NUL, and so on */
    struct buf body;        /* owned */
    const struct buf *lent; /* sent in place of `body` when not NULL */
    bool is_endless;        /* no body of its own: JSON that never ends */
    uint64_t pause_us;      /* wait this long before sending */
    enum result result;
};

/** 200, JSON, empty. */
void reply_init(struct reply *reply);
void reply_release(struct reply *reply);

void reply_header(struct reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Throws away what the body held and says {"error":{"status":…,"message":…}}. */
void reply_error(struct reply *reply, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Walks the headers: start with `*at` 0; false when there are no more. */
bool reply_next_header(const struct reply *reply, size_t *at, const char **name,
                       const char **value);

#endif
