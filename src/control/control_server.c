#include "control/control_server.h"

#include "base/json_scan.h"
#include "base/json_text.h"
#include "control/control_client.h"
#include "control/server_client.h"
#include "control/server_requests.h"
#include "control/snapshot_json.h"
#include "control/socket_place.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENT_MAX_BYTES (128 * 1024)
#define HELLO_WITHIN_US UINT64_C(2000000)
#define STUCK_AFTER_US UINT64_C(30000000)
#define END_WITHIN_MS 1000
#define TICK_MS 50
#define QUEUE_MAX 64 /* of clients that come within one turn of the loop: they do not wait */

struct control_server {
    struct control_server_options options;
    uv_pipe_t listener;
    uv_timer_t tick;
    uint64_t now_us;
    struct server_client *clients[CONTROL_CLIENTS_MAX];
    struct server_requests requests;
    struct snapshot *snapshot;
    struct buf frame, event; /* an event comes while a request is answered */
    char path[SOCKET_PATH_MAX];
    char run[4096];
    bool closing;
    unsigned handles; /* open, of the server itself */
    uint64_t close_by_us;
    void (*closed)(void *context);
};

/* --- clients ------------------------------------------------------------------------------------------ */

static bool sees_frames(const struct server_client *c)
{
    return c && c->said_hello && !c->closing && c->frames == FRAMES_SNAPSHOT;
}

unsigned control_server_watchers(const struct control_server *s)
{
    unsigned count = 0;

    for (size_t i = 0; s && i < CONTROL_CLIENTS_MAX; i++) {
        count += sees_frames(s->clients[i]);
    }
    return count;
}

static void tell_watched(struct control_server *s)
{
    unsigned drivers = 0;

    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        drivers += sees_frames(s->clients[i]) && !s->clients[i]->is_viewer;
    }
    if (!s->closing) {
        s->options.calls->watched(s->options.context, drivers);
    }
}

static void on_line(void *context, struct server_client *c, struct str line)
{
    struct control_server *s = context;

    if (server_requests_take(&s->requests, c, line)) {
        tell_watched(s);
    }
}

static void on_too_long(void *context, struct server_client *c)
{
    struct control_server *s = context;

    server_requests_too_long(&s->requests, c);
}

static void on_leaves(void *context, struct server_client *c)
{
    (void)c;
    tell_watched(context);
}

static void finish(struct control_server *s);

static void on_gone(void *context, struct server_client *c)
{
    struct control_server *s = context;

    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (s->clients[i] == c) {
            s->clients[i] = NULL;
        }
    }
    finish(s);
}

static const struct server_client_calls client_calls = { on_line, on_too_long, on_leaves, on_gone };

/* --- frames ------------------------------------------------------------------------------------------- */

static bool make_frame(struct control_server *s, enum control_frames frames)
{
    const struct field_group *group = frames == FRAMES_SNAPSHOT ? &snapshot_fields : &totals_fields;

    buf_reset(&s->frame);
    return buf_append_str(&s->frame, frames == FRAMES_SNAPSHOT
                                         ? STR("{\"snapshot\":")
                                         : STR("{\"totals\":")) == RESULT_OK &&
           snapshot_json_write(&s->frame, group, s->snapshot) == RESULT_OK &&
           buf_append_str(&s->frame, STR("}\n")) == RESULT_OK;
}

static bool is_due(const struct server_client *c, uint64_t now_us)
{
    return c && c->said_hello && !c->closing && !c->ending && c->frames != FRAMES_NONE &&
           c->next_us <= now_us;
}

/* Frames of one kind to all that are due; who has not read the last one gets none. */
static void send_frames(struct control_server *s, enum control_frames frames)
{
    bool made = false;

    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct server_client *c = s->clients[i];

        if (!is_due(c, s->now_us) || c->frames != frames) {
            continue;
        }
        c->next_us = s->now_us + c->every_us;
        if (c->queued) {
            continue;
        }
        if (c->detail && frames == FRAMES_SNAPSHOT) {
            memset(&s->snapshot->detail, 0, sizeof s->snapshot->detail);
            s->options.calls->detail(s->options.context, c->detail, &s->snapshot->detail);
            made = false;
        }
        made = made || make_frame(s, frames);
        if (made) {
            (void)server_client_send(c, buf_view(&s->frame));
        }
        made = made && !c->detail; /* a detail is one client's alone */
        memset(&s->snapshot->detail, 0, sizeof s->snapshot->detail);
    }
}

static bool look_if_due(struct control_server *s)
{
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (is_due(s->clients[i], s->now_us)) {
            s->options.calls->look(s->options.context, s->snapshot);
            memset(&s->snapshot->detail, 0, sizeof s->snapshot->detail);
            return true;
        }
    }
    return false;
}

static void close_late_ones(struct control_server *s)
{
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct server_client *c = s->clients[i];

        if (c && !c->closing &&
            ((!c->said_hello && s->now_us - c->since_us > HELLO_WITHIN_US) ||
             server_client_is_stuck(c, s->now_us, STUCK_AFTER_US) ||
             (s->closing && (!c->queued || s->now_us >= s->close_by_us)))) {
            server_client_close(c);
        }
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct control_server *s = timer->data;
    bool any = false;

    s->now_us = clock_now_us(&s->options.clock);
    close_late_ones(s);
    if (!s->closing && look_if_due(s)) {
        send_frames(s, FRAMES_TOTALS);
        send_frames(s, FRAMES_SNAPSHOT);
    }
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        any |= s->clients[i] != NULL;
    }
    if (!any && !s->closing) {
        uv_timer_stop(timer); /* the next client starts it again */
    }
}

void control_server_event(struct control_server *s, struct str line)
{
    for (size_t i = 0; s && i < CONTROL_CLIENTS_MAX; i++) {
        struct server_client *c = s->clients[i];

        if (!c || !c->wants_events || c->closing || c->ending) {
            continue;
        }
        buf_reset(&s->event);
        if (buf_printf(&s->event, "{\"event\":%.*s}\n", STR_ARG(str_trim(line))) == RESULT_OK) {
            (void)server_client_send(c, buf_view(&s->event));
        }
    }
}

/* --- connections -------------------------------------------------------------------------------------- */

static size_t free_slot(const struct control_server *s)
{
    size_t i = 0;

    while (i < CONTROL_CLIENTS_MAX && s->clients[i]) {
        i++;
    }
    return i;
}

/* One more than there may be is taken and closed, so that it does not wait. */
static void on_connection(uv_stream_t *listener, int status)
{
    struct control_server *s = listener->data;
    size_t slot = free_slot(s);

    if (status != 0 || s->closing) {
        return;
    }
    if (slot == CONTROL_CLIENTS_MAX) {
        server_client_turn_away(listener);
        return;
    }
    s->clients[slot] = server_client_accept(listener, s->options.clock, &client_calls, s);
    if (s->clients[slot] && !uv_is_active((uv_handle_t *)&s->tick)) {
        uv_timer_start(&s->tick, on_tick, TICK_MS, TICK_MS);
    }
}

/* --- begin and end ------------------------------------------------------------------------------------ */

/* Those of processes that were killed. A process that is not seen may live in another container, and answers. */
static bool remove_stale(void *context, pid_t pid, const char *path)
{
    struct control_client c;

    (void)context;
    if (kill(pid, 0) != 0 && errno == ESRCH) {
        if (control_client_connect(&c, path, NULL) == RESULT_NOT_FOUND) {
            (void)unlink(path);
        }
        control_client_close(&c);
    }
    return true;
}

static enum result name_in_run(struct control_server *s, struct err *err)
{
    struct buf text = { 0 };
    enum result result = RESULT_NOMEM;

    if (buf_append_str(&text, STR("{\"socket\":")) == RESULT_OK &&
        json_text_append(&text, str_view(s->path)) == RESULT_OK &&
        buf_printf(&text, ",\"pid\":%ld,\"version\":\"" SCRAPETOP_VERSION "\"}\n",
                   (long)getpid()) == RESULT_OK) {
        result = run_dir_replace(s->options.dir, RUN_DIR_CONTROL, buf_view(&text), err);
    }
    buf_release(&text);
    return result == RESULT_NOMEM ? err_nomem(err, "opening the control socket") : result;
}

/* What a killed process has left, and nobody listens at. */
static bool is_left_over(const char *path)
{
    struct control_client c;
    bool is_left_over = control_client_connect(&c, path, NULL) == RESULT_NOT_FOUND;

    control_client_close(&c);
    return is_left_over;
}

/* At the first name that nobody has: another container may have a process of our number, and the same directory. */
static int bind_somewhere(struct control_server *s)
{
    int status = UV_EADDRINUSE;

    for (unsigned number = 1; status == UV_EADDRINUSE && number <= SOCKET_PLACE_NUMBERS; number++) {
        if (socket_place_of(getpid(), number, s->path, NULL) != RESULT_OK) {
            return UV_ENAMETOOLONG;
        }
        status = uv_pipe_bind(&s->listener, s->path);
        if (status == UV_EADDRINUSE && is_left_over(s->path)) {
            (void)unlink(s->path);
            status = uv_pipe_bind(&s->listener, s->path);
        }
    }
    return status;
}

static enum result listen_somewhere(struct control_server *s, struct err *err)
{
    mode_t before = umask(S_IRWXG | S_IRWXO);
    int status = bind_somewhere(s);

    umask(before);
    if (status == 0) {
        status = uv_listen((uv_stream_t *)&s->listener, QUEUE_MAX, on_connection);
    }
    return status == 0 ? RESULT_OK
                       : err_set(err, RESULT_IO, "E-CTL5", "cannot listen at %s: %s", s->path,
                                 uv_strerror(status));
}

static void on_own_handle_closed(uv_handle_t *handle)
{
    struct control_server *s = handle->data;

    s->handles--;
    finish(s);
}

static void close_own_handles(struct control_server *s)
{
    if (!uv_is_closing((uv_handle_t *)&s->listener)) {
        uv_close((uv_handle_t *)&s->listener, on_own_handle_closed);
    }
    if (!uv_is_closing((uv_handle_t *)&s->tick)) {
        uv_close((uv_handle_t *)&s->tick, on_own_handle_closed);
    }
}

static void no_one_is_told(void *context)
{
    (void)context;
}

enum result control_server_new(struct control_server **server,
                               const struct control_server_options *options, struct err *err)
{
    char place[SOCKET_PATH_MAX];
    struct control_server *s;
    enum result result = socket_place_make(place, err);

    *server = NULL;
    if (result != RESULT_OK) {
        return result;
    }
    s = calloc(1, sizeof *s);
    if (!s || !(s->snapshot = calloc(1, sizeof *s->snapshot))) {
        free(s);
        return err_nomem(err, "opening the control socket");
    }
    s->options = *options;
    buf_init(&s->frame, CONTROL_LINE_MAX);
    buf_init(&s->event, EVENT_MAX_BYTES);
    s->requests = (struct server_requests){ .calls = options->calls,
                                            .context = options->context,
                                            .run = s->run,
                                            .job = options->job,
                                            .clock = options->clock };
    server_requests_init(&s->requests);
    if (!realpath(options->dir->path, s->run)) {
        snprintf(s->run, sizeof s->run, "%s", options->dir->path);
    }
    socket_place_each(remove_stale, NULL);
    uv_pipe_init(options->loop, &s->listener, 0);
    uv_timer_init(options->loop, &s->tick);
    s->listener.data = s->tick.data = s;
    s->handles = 2;
    result = listen_somewhere(s, err);
    if (result == RESULT_OK) {
        result = name_in_run(s, err);
    }
    if (result != RESULT_OK) {
        control_server_close(s, 0, STR_NONE, no_one_is_told);
        return result;
    }
    *server = s;
    return RESULT_OK;
}

/* The last step, once all clients are gone. */
static void finish(struct control_server *s)
{
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (s->clients[i]) {
            return;
        }
    }
    if (!s->closing) {
        return;
    }
    close_own_handles(s);
    if (s->handles) {
        return;
    }
    s->closed(s->options.context);
    buf_release(&s->frame);
    buf_release(&s->event);
    server_requests_release(&s->requests);
    free(s->snapshot);
    free(s);
}

static enum result make_end(struct control_server *s, int exit, struct str report)
{
    buf_reset(&s->frame);
    if (buf_printf(&s->frame, "{\"end\":{\"exit\":%d", exit) != RESULT_OK ||
        (report.len &&
         buf_printf(&s->frame, ",\"report\":%.*s", STR_ARG(str_trim(report))) != RESULT_OK)) {
        return RESULT_LIMIT;
    }
    return buf_append_str(&s->frame, STR("}}\n"));
}

/* A report that is too large for a line is left out: report.json has it. */
static void tell_end(struct control_server *s, int exit, struct str report)
{
    report = report.len > CONTROL_REPORT_MAX ? STR_NONE : report;
    if (make_end(s, exit, report) != RESULT_OK && make_end(s, exit, STR_NONE) != RESULT_OK) {
        return;
    }
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct server_client *c = s->clients[i];

        if (c && !c->closing && c->said_hello) {
            c->ending = server_client_send(c, buf_view(&s->frame));
        }
    }
}

void control_server_close(struct control_server *s, int exit, struct str report,
                          void (*closed)(void *context))
{
    s->closed = closed;
    s->closing = true;
    s->now_us = clock_now_us(&s->options.clock);
    s->close_by_us = s->now_us + END_WITHIN_MS * UINT64_C(1000);
    (void)unlinkat(s->options.dir->fd, RUN_DIR_CONTROL, 0);
    if (!uv_is_closing((uv_handle_t *)&s->listener)) {
        uv_close((uv_handle_t *)&s->listener, on_own_handle_closed); /* its path goes with it */
    }
    tell_end(s, exit, report);
    uv_timer_start(&s->tick, on_tick, 0, TICK_MS);
}
