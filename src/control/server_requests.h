/**
 * What clients of a control socket may ask, and what they are answered: the protocol of control_server.h, line by line.
 *
 * Ownership  the server owns the struct; server_requests_release frees what is in it.
 * Errors     to clients: E-CTL1, E-CTL2, E-CTL3, E-CTL4, E-CTL7 (control_server.h).
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_CONTROL_SERVER_REQUESTS_H
#define SCRAPETOP_CONTROL_SERVER_REQUESTS_H

#include "control/control_calls.h"
#include "control/server_client.h"

struct server_requests {
    const struct control_calls *calls;
    void *context;
    const char *run, *job; /* borrowed */
    struct clock clock;
    struct buf reply, texts;
};

/** The fields above `reply` are set; the rest is set here. */
void server_requests_init(struct server_requests *requests);
void server_requests_release(struct server_requests *requests);

/** Answers a line. True: the client has just said hello. */
bool server_requests_take(struct server_requests *requests, struct server_client *client,
                          struct str line);

/** Tells a client that its line is too long, and lets it go. */
void server_requests_too_long(struct server_requests *requests, struct server_client *client);

#endif
