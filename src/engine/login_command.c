#include "engine/login_command.h"

#include "base/os.h"
#include "base/utf8.h"
#include "engine/core.h"
#include "engine/engine_state.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPLAINT_MAX 512 /* bytes kept of its standard error */
#define COMPLAINT_SHOWN 80
#define HANDLES 4

struct login_command {
    struct engine *engine;
    void (*done)(struct engine *engine, const struct login_printed *printed);
    uv_process_t process;
    uv_pipe_t out, err;
    uv_timer_t timer;
    struct buf printed, complaint;
    char room[4096];
    int open;       /* handles */
    int start;      /* of libuv: why it could not be started, or 0 */
    int64_t status; /* it ended with */
    int by_signal;
    bool has_exited, is_out_over, is_late, is_stopped, is_long;
};

/* The first line of what it said on its standard error, which may be anything: a token as well. */
static void append_complaint(const struct login_command *c, char *why, size_t size)
{
    struct str said = str_trim(buf_view(&c->complaint));
    struct str line = str_cut(&said, '\n');
    size_t used = strlen(why);
    struct buf text = { 0 };

    if (line.len && used + 3 < size &&
        secret_hide_typed(line, &c->engine->secrets, &text) == RESULT_OK) {
        memcpy(why + used, ": ", 3);
        utf8_display(why + used + 2, size - used - 2, buf_view(&text), COMPLAINT_SHOWN);
    }
    auth_wipe(&text);
}

static void spell(struct login_command *c, struct login_printed *p, const char *what)
{
    const char *program = c->engine->job->login.command.list[0], *slash = strrchr(program, '/');

    snprintf(p->why, sizeof p->why, "the login's command %.20s %s", slash ? slash + 1 : program,
             what);
    append_complaint(c, p->why, sizeof p->why);
}

static void judge_end(struct login_command *c, struct login_printed *p)
{
    struct str text = str_trim(buf_view(&c->printed));
    char what[80];

    if (c->start) {
        snprintf(what, sizeof what, "cannot be run: %s", uv_strerror(c->start));
    } else if (c->is_stopped) {
        snprintf(what, sizeof what, "was stopped");
        p->is_stopped = true;
    } else if (c->is_late) {
        char length[UNITS_TEXT_MAX];
        uint64_t limit_us = c->engine->job->login.timeout_us;

        units_format_time(limit_us ? limit_us : LOGIN_COMMAND_TIMEOUT_US, length);
        snprintf(what, sizeof what, "did not end within %s (\"timeout\")", length);
    } else if (c->is_long) {
        snprintf(what, sizeof what, "printed over %d bytes; want the token alone",
                 LOGIN_COMMAND_PRINTS_MAX);
    } else if (c->by_signal || c->status) {
        snprintf(what, sizeof what,
                 c->by_signal ? "was killed by signal %d" : "failed with status %d",
                 c->by_signal ? c->by_signal : (int)c->status);
        p->is_passing = true;
    } else if (!text.len) {
        snprintf(what, sizeof what, "printed nothing");
    } else if (memchr(text.data, '\n', text.len)) {
        snprintf(what, sizeof what, "printed several lines; want the token alone, on one");
    } else {
        p->token = text;
        return;
    }
    spell(c, p, what);
}

static void on_closed(uv_handle_t *handle)
{
    struct login_command *c = handle->data;
    struct engine *e = c->engine;
    struct login_printed printed = { .token = STR_NONE };

    if (--c->open > 0) {
        return;
    }
    e->login.command = NULL;
    e->judging.count--;
    judge_end(c, &printed);
    c->done(e, &printed);
    auth_wipe(&c->printed);
    auth_wipe(&c->complaint);
    os_wipe(c->room, sizeof c->room);
    free(c);
    engine_want_turn(e);
}

static void close_handle(struct login_command *c, uv_handle_t *handle)
{
    (void)c;
    if (!uv_is_closing(handle)) {
        uv_close(handle, on_closed);
    }
}

static void close_all(struct login_command *c)
{
    close_handle(c, (uv_handle_t *)&c->process);
    close_handle(c, (uv_handle_t *)&c->out);
    close_handle(c, (uv_handle_t *)&c->err);
    close_handle(c, (uv_handle_t *)&c->timer);
}

/* With all that it started: they are a group. */
static void kill_group(struct login_command *c)
{
    if (!c->has_exited && !c->start) {
        kill(-c->process.pid, SIGKILL);
    }
}

static void on_exit_of(uv_process_t *process, int64_t status, int by_signal)
{
    struct login_command *c = process->data;

    c->has_exited = true;
    c->status = status;
    c->by_signal = by_signal;
    if (c->is_out_over || c->is_late || c->is_stopped) {
        close_all(c);
    }
}

/* After its end: something that it started keeps its output open. */
static void on_late(uv_timer_t *timer)
{
    struct login_command *c = timer->data;

    if (c->has_exited) {
        close_all(c);
        return;
    }
    c->is_late = true;
    kill_group(c);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct login_command *c = handle->data;

    (void)suggested;
    *room = uv_buf_init(c->room, sizeof c->room);
}

static void on_out(uv_stream_t *stream, ssize_t got, const uv_buf_t *room)
{
    struct login_command *c = stream->data;

    if (got < 0) {
        uv_read_stop(stream);
        c->is_out_over = true;
        if (c->has_exited) {
            close_all(c);
        }
    } else if (buf_append(&c->printed, room->base, (size_t)got) != RESULT_OK) {
        c->is_long = true;
        kill_group(c);
    }
}

static void on_err(uv_stream_t *stream, ssize_t got, const uv_buf_t *room)
{
    struct login_command *c = stream->data;
    size_t left = COMPLAINT_MAX - c->complaint.len;

    if (got < 0) {
        uv_read_stop(stream);
    } else {
        (void)!buf_append(&c->complaint, room->base, (size_t)got < left ? (size_t)got : left);
    }
}

static void spawn(struct login_command *c, const struct job_words *words)
{
    uv_loop_t *loop = c->engine->options.loop;
    uv_stdio_container_t stdio[3] = {
        { .flags = UV_IGNORE },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->out },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->err },
    };
    char *argv[JOB_WORDS_MAX + 1] = { NULL };
    uv_process_options_t options = { .exit_cb = on_exit_of,
                                     .file = words->list[0],
                                     .args = argv,
                                     .flags = UV_PROCESS_DETACHED,
                                     .stdio_count = 3,
                                     .stdio = stdio };
    uint64_t limit_us = c->engine->job->login.timeout_us;

    for (size_t i = 0; i < words->count; i++) {
        argv[i] = words->list[i];
    }
    c->start = uv_spawn(loop, &c->process, &options);
    if (c->start) {
        c->has_exited = true;
        close_all(c);
        return;
    }
    uv_read_start((uv_stream_t *)&c->out, give_room, on_out);
    uv_read_start((uv_stream_t *)&c->err, give_room, on_err);
    uv_timer_start(&c->timer, on_late, (limit_us ? limit_us : LOGIN_COMMAND_TIMEOUT_US) / US_PER_MS,
                   US_PER_S / US_PER_MS);
}

void login_command_start(struct engine *e,
                         void (*done)(struct engine *engine, const struct login_printed *printed))
{
    struct login_command *c = calloc(1, sizeof *c);
    struct login_printed printed = { .why = "out of memory for the login's command" };

    if (!c) {
        done(e, &printed);
        return;
    }
    c->engine = e;
    c->done = done;
    c->open = HANDLES;
    buf_init(&c->printed, LOGIN_COMMAND_PRINTS_MAX);
    uv_pipe_init(e->options.loop, &c->out, 0);
    uv_pipe_init(e->options.loop, &c->err, 0);
    uv_timer_init(e->options.loop, &c->timer);
    c->process.data = c->out.data = c->err.data = c->timer.data = c;
    e->judging.count++;
    e->login.command = c;
    spawn(c, &e->job->login.command);
}

void login_command_stop(struct engine *e)
{
    struct login_command *c = e->login.command;

    if (!c || c->is_stopped) {
        return;
    }
    c->is_stopped = true;
    if (c->has_exited) { /* something that it started keeps its output open */
        close_all(c);
    } else {
        kill_group(c);
    }
}
