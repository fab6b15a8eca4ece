/**
 * One client of a control socket: its bytes in both directions, cut into lines. What a line means is another's matter.
 *
 * A client that does not read costs a bounded amount of memory, and no line that it gets is cut.
 *
 * Ownership  server_client_accept makes one, which frees itself once its pipe is closed; `gone` is told just before.
 * Units      bytes, microseconds of the clock that is handed over.
 * Errors     none: what goes wrong with a client ends the client.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_CONTROL_SERVER_CLIENT_H
#define SCRAPETOP_CONTROL_SERVER_CLIENT_H

#include "base/buf.h"
#include "base/clock.h"
#include "control/control_calls.h"

#include <stdbool.h>
#include <uv.h>

enum control_frames { FRAMES_NONE, FRAMES_TOTALS, FRAMES_SNAPSHOT };

struct server_client;

/** What clients tell whom they belong to. */
struct server_client_calls {
    /** A line, without its line feed, trimmed, not empty. */
    void (*line)(void *context, struct server_client *client, struct str line);
    /** A line that is longer than there is room for. */
    void (*too_long)(void *context, struct server_client *client);
    /** It is being closed; it counts no more. */
    void (*leaves)(void *context, struct server_client *client);
    /** It is closed, and freed after this. */
    void (*gone)(void *context, struct server_client *client);
};

struct server_client {
    const struct server_client_calls *calls;
    void *context;
    struct clock clock;
    uv_pipe_t pipe;
    bool closing;
    bool ending;       /* nothing more is read; it is closed once it has read what was sent */
    uint64_t since_us; /* connected */
    struct buf in;
    size_t queued;    /* bytes that it has not read */
    uint64_t read_us; /* when it last read some, or had read all */

    /* What it has asked for (server_requests.h). */
    bool said_hello, is_viewer, wants_events;
    enum control_frames frames;
    uint64_t every_us, next_us; /* of frames */
    uint64_t detail;            /* request id; 0: none */
    uint64_t second_us;         /* of which `requests` is the count */
    unsigned requests;
    char who[CONTROL_WHO_MAX];
};

/** Takes the connection that waits at `listener`, whether or not a client comes of it. NULL when it belongs to another
 *  user, or there is no memory. */
struct server_client *server_client_accept(uv_stream_t *listener, struct clock clock,
                                           const struct server_client_calls *calls, void *context);

/** Takes it and closes it at once: there are too many. */
void server_client_turn_away(uv_stream_t *listener);

/** False when it does not take it: the client reads too slowly, or there is no memory. The bytes are copied. */
bool server_client_send(struct server_client *client, struct str bytes);

/** Closes it now. What it has not read is lost. */
void server_client_close(struct server_client *client);

/** It has read all, or had time enough: it reads nothing for `us`. */
bool server_client_is_stuck(const struct server_client *client, uint64_t now_us, uint64_t us);

#endif
