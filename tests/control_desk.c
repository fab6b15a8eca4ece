#include "control_desk.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct desk d;

static uint64_t now(void *context)
{
    (void)context;
    return d.now_us;
}

static void look(void *context, struct snapshot *s)
{
    (void)context;
    memset(s, 0, sizeof *s);
    s->cap = 17;
    s->state = RUN_PAUSED;
    s->flight_count = SNAPSHOT_FLIGHTS_MAX; /* a large frame */
    for (size_t i = 0; i < SNAPSHOT_FLIGHTS_MAX; i++) {
        memset(s->flights[i].request, 'r', sizeof s->flights[i].request - 1);
    }
    d.looks++;
}

static void detail(void *context, uint64_t id, struct snapshot_detail *out)
{
    (void)context;
    out->id = d.detail_asked = id;
}

static bool obey(void *context, struct str words, const char *who, struct buf *reply)
{
    (void)context;
    /* What is obeyed becomes an event before the words are done with. */
    control_server_event(d.server,
                         STR("{\"event\":\"cap\",\"msg\":\"longer than the words, so that it needs "
                             "more room than they had, wherever that is\"}"));
    snprintf(d.words, sizeof d.words, "%.*s", STR_ARG(words));
    snprintf(d.who, sizeof d.who, "%s", who);
    assert_int_equal(buf_append_str(reply, STR("one\ntwo \033[31m\n")), RESULT_OK);
    return !str_equal(words, STR("nonsense"));
}

static void report(void *context, struct buf *json)
{
    enum result result = buf_append_str(json, STR("{\"ok\":12"));

    (void)context;
    if (d.report_more) {
        result = buf_append_str(json, STR(",\"x\":\""));
        result = result == RESULT_OK ? buf_reserve(json, d.report_more) : result;
        if (result == RESULT_OK) {
            memset(json->data + json->len, 'r', d.report_more);
            json->len += d.report_more;
            result = buf_append_str(json, STR("\""));
        }
    }
    if (result != RESULT_OK || buf_append_str(json, STR("}\n")) != RESULT_OK) {
        buf_reset(json); /* as a run does with one that is too large */
    }
}

static void watched(void *context, unsigned drivers)
{
    (void)context;
    d.drivers = drivers;
}

void on_closed(void *context)
{
    (void)context;
    d.closed = true;
}

static const struct control_calls calls = { look, detail, obey, report, watched };

void turn(void)
{
    d.now_us += d.time_stands ? 0 : 1000;
    if (d.time_stands) {
        usleep(100);
    }
    uv_run(&d.loop, UV_RUN_NOWAIT);
}

enum result open_server(struct err *err)
{
    struct control_server_options options = {
        .loop = &d.loop, .clock = d.clock, .dir = &d.dir, .job = "catalog", .calls = &calls
    };

    return control_server_new(&d.server, &options, err);
}

int set_up(void **state)
{
    struct err err;

    (void)state;
    memset(&d, 0, sizeof d);
    signal(SIGPIPE, SIG_IGN); /* as main has it */
    snprintf(d.place, sizeof d.place, "/tmp/test_control.XXXXXX");
    assert_non_null(mkdtemp(d.place));
    setenv("XDG_RUNTIME_DIR", d.place, 1);
    snprintf(d.run, sizeof d.run, "%s/a.run", d.place);
    assert_int_equal(run_dir_open(&d.dir, d.run, &err), RESULT_OK);
    d.now_us = 1000000;
    d.clock = (struct clock){ .now_us = now };
    uv_loop_init(&d.loop);
    assert_int_equal(open_server(&err), RESULT_OK);
    assert_int_equal(socket_place_find(d.run, d.socket, &err), RESULT_OK);
    return 0;
}

void close_server(void)
{
    control_server_close(d.server, 3, STR("{\"ok\":12}"), on_closed);
    for (int i = 0; i < TURNS_MAX && !d.closed; i++) {
        turn();
    }
    assert_true(d.closed);
    d.server = NULL;
}

int tear_down(void **state)
{
    char command[128];

    (void)state;
    if (d.server) {
        close_server();
    }
    uv_run(&d.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&d.loop), 0);
    assert_int_equal(access(d.socket, F_OK), -1);
    run_dir_close(&d.dir);
    snprintf(command, sizeof command, "rm -rf %s", d.place);
    assert_int_equal(system(command), 0);
    return 0;
}

void connect_client(struct control_client *c)
{
    struct err err;

    if (control_client_connect(c, d.socket, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
}

void ask(struct control_client *c, const char *line)
{
    assert_int_equal(control_client_send(c, str_view(line), NULL), RESULT_OK);
}

bool hear(struct control_client *c, struct str *line)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        if (control_client_line(c, line)) {
            return true;
        }
        turn();
        if (control_client_read(c, 0, NULL) == RESULT_NOT_FOUND) {
            return false;
        }
    }
    fail_msg("nothing comes");
    return false;
}

void expect(struct control_client *c, const char *words)
{
    struct str line;

    assert_true(hear(c, &line));
    if (!memmem(line.data, line.len, words, strlen(words))) {
        fail_msg("%.*s\nhas not %s", STR_ARG(line), words);
    }
}
