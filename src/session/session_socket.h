/**
 * A session's control socket: what the engine answers to clients of other terminals.
 *
 * That there is no socket (no safe place, no descriptor) is a warning and nothing more.
 *
 * Ownership  the session owns the struct; session_socket_close releases what is in it.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_SESSION_SESSION_SOCKET_H
#define SCRAPETOP_SESSION_SESSION_SOCKET_H

#include "control/control_server.h"
#include "engine/control.h"
#include "engine/engine.h"

struct session_socket {
    struct control_server *server; /* NULL: there is none */
    struct engine **engine;        /* borrowed; *engine is NULL once it is closed */
    /* Carries a command out, as a key would; the reply is one sentence. False: refused. */
    bool (*obey)(void *context, const struct control *control, char reply[CONTROL_REPLY_MAX]);
    /** Whether somebody sees frames who may steer. */
    void (*attended)(void *context, bool is_attended);
    void (*closed)(void *context);
    void *context;
    bool is_ending; /* set by the session: the engine is asked nothing more */
    struct snapshot *snapshot;
    bool is_attended;
};

/** `s` has engine, obey, attended, closed and context; the rest is set here. False: there is no socket, and the reason
 *  is in `err`. */
bool session_socket_open(struct session_socket *s, uv_loop_t *loop, const struct run_dir *dir,
                         const char *job, struct err *err);

/** A line of events.jsonl. */
void session_socket_event(struct session_socket *s, struct str line);

/** Tells clients the end; `closed` comes on the loop, at once when there is no socket. */
void session_socket_close(struct session_socket *s, const struct report *report);

#endif
