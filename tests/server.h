/**
 * A server that misbehaves on purpose: plays bytes, as a test says, to whoever asks on 127.0.0.1.
 *
 * For each request that has come in whole (head, and body if Content-Length says so) the test's
 * function says what to send and what to do then. Nothing is checked or completed, so anything can be
 * sent: no HTTP, half a body, a length that lies. What was asked is kept to be looked at.
 *
 * Threads  one of its own, on which the test's function runs; all calls from the test's thread.
 * Errors   none: what cannot be set up aborts the test.
 */
#ifndef SCRAPETOP_TESTS_SERVER_H
#define SCRAPETOP_TESTS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVER_ASKED_MAX 65536
#define SERVER_UNTIL_RELEASED UINT32_MAX /* for delay_ms */

enum server_then {
    SERVER_KEEP,  /* wait for the next request */
    SERVER_CLOSE, /* FIN */
    SERVER_RESET, /* RST */
    SERVER_HANG,  /* nothing more, until the client leaves */
    SERVER_DRIP,  /* the last byte again, every few milliseconds, until the client leaves */
    SERVER_FLOOD, /* all of it again and again, as fast as it is taken */
};

struct server_asked {
    uint64_t at_us;      /* CLOCK_BOOTTIME */
    unsigned connection; /* from 0, in order of accept */
    char *head;          /* "GET /path HTTP/1.1\r\nHost: ..." and the body, terminated */
};

struct server_answer {
    const char *bytes; /* lives as long as the server */
    size_t len;
    unsigned delay_ms; /* before the first byte, or SERVER_UNTIL_RELEASED */
    enum server_then then;
};

/** On the server's thread. `number` counts all requests, from 0. */
typedef struct server_answer server_script(void *context, const struct server_asked *asked,
                                           unsigned number);

struct server;

struct server *server_start(server_script *script, void *context);
void server_stop(struct server *server);

/** "http://127.0.0.1:PORT" and `path`, in one of a few buffers used in turn. */
const char *server_url(const struct server *server, const char *path);

unsigned server_connections(struct server *server); /* accepted so far */
unsigned server_open(struct server *server);        /* of them, not closed yet by either side */
unsigned server_count(struct server *server);       /* requests so far */

/** The n-th request, from 0; valid until server_stop. */
struct server_asked server_asked_at(struct server *server, unsigned n);

/** Closes the connections that wait for a request, and returns when that is done. */
void server_close_idle(struct server *server);

/** What waits for it is answered, and so is what comes later. */
void server_release(struct server *server);

/** A port of 127.0.0.1 that refuses connections for as long as `*fd` stays open. */
uint16_t server_refusing_port(int *fd);

/** An answer out of a literal. */
#define SERVER_ANSWER(literal, next)                                                               \
    ((struct server_answer){ .bytes = (literal), .len = sizeof(literal) - 1, .then = (next) })

#endif
