/**
 * The control socket of a run: other processes of the same user may look at the run and steer it.
 *
 * JSON Lines in both directions. A client says hello first; what it asks for then comes by itself, several times a
 * second, or is answered by its `seq`:
 *
 *   > {"hello":1,"as":"driver","frames":"snapshot","every_ms":250,"events":true,"name":"jo@pts/3"}
 *   < {"hello":1,"scrapetop":"0.1.0","pid":4121,"run":"/srv/catalog.run","job":"catalog","as":"driver"}
 *   < {"snapshot":{...}}            or {"totals":{...}}: snapshot_json.h
 *   < {"event":{...}}               as in events.jsonl
 *   > {"seq":7,"do":"cap 20"}       < {"seq":7,"ok":true,"reply":"cap 10 -> 20"}
 *   > {"seq":8,"detail":"4711"}     < {"seq":8,"ok":true}; then frames show that request closely; "0": none
 *   > {"seq":9,"report":true}       < {"seq":9,"ok":true,"report":{...}}
 *   < {"end":{"exit":0,"report":{...}}} and the connection is closed
 *
 * `as` is "driver" (default) or "viewer", who may only look; `frames` is "snapshot", "totals" or "none".
 *
 * No client can cost the run anything: there are few, lines have a ceiling, who does not read gets no further frame and
 * is closed after a time, and a place that is not safe only means that there is no socket.
 *
 * Errors   to clients: E-CTL1 no such request, E-CTL2 a viewer steers, E-CTL3 another version of hello, E-CTL4 too many
 *          requests in a second, E-CTL7 a line that is no JSON object, or too long. To the caller: E-CTL5
 *          (socket_place.h).
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_CONTROL_CONTROL_SERVER_H
#define SCRAPETOP_CONTROL_CONTROL_SERVER_H

#include "base/buf.h"
#include "base/clock.h"
#include "control/control_calls.h"
#include "store/run_dir.h"

#include <stdbool.h>
#include <uv.h>

#define CONTROL_CLIENTS_MAX 8

struct control_server;

struct control_server_options {
    uv_loop_t *loop;
    struct clock clock;
    const struct run_dir *dir; /* borrowed: its `control` file names the socket */
    const char *job;           /* borrowed */
    const struct control_calls *calls;
    void *context;
};

MUST_CHECK enum result control_server_new(struct control_server **server,
                                          const struct control_server_options *options,
                                          struct err *err);

/** A line of events.jsonl, for clients that want them. */
void control_server_event(struct control_server *server, struct str line);

/** Tells all clients how the run ended, waits for the slow ones a second, closes everything, and frees the server.
 *  `closed` is called on the loop at the end. The report is one JSON object, or STR_NONE. */
void control_server_close(struct control_server *server, int exit, struct str report,
                          void (*closed)(void *context));

/** Clients that see frames now. */
unsigned control_server_watchers(const struct control_server *server);

#endif
