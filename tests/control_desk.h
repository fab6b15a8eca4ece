/**
 * A control server on a loop with a clock of its own, before a run that is made up, and clients that ask it.
 */
#ifndef SCRAPETOP_TESTS_CONTROL_DESK_H
#define SCRAPETOP_TESTS_CONTROL_DESK_H

#include "control/control_client.h"
#include "control/control_server.h"
#include "control/socket_place.h"

#include <sys/socket.h>

#define TURNS_MAX 200000

struct desk {
    uv_loop_t loop;
    struct control_server *server;
    struct run_dir dir;
    char place[64], run[128], socket[SOCKET_PATH_MAX];
    struct clock clock;
    uint64_t now_us; /* of the server */
    bool time_stands;
    unsigned looks, drivers;
    uint64_t detail_asked;
    char words[64], who[CONTROL_WHO_MAX];
    size_t report_more; /* bytes of the report beside its first member */
    bool closed;
};

extern struct desk d;
void turn(void);
enum result open_server(struct err *err);
int set_up(void **state);
void close_server(void);
int tear_down(void **state);
void connect_client(struct control_client *c);
void ask(struct control_client *c, const char *line);

/* The next line; false: the server has closed. */
bool hear(struct control_client *c, struct str *line);
void expect(struct control_client *c, const char *words);
void on_closed(void *context);

#endif
