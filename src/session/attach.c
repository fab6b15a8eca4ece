#include "session/attach.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/say.h"
#include "control/ctl.h"
#include "control/live_runs.h"
#include "control/snapshot_json.h"
#include "control/socket_place.h"
#include "engine/engine.h"
#include "session/viewing.h"
#include "ui/words.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#define FRAMES_EVERY_MS 250
#define SILENT_US (UINT64_C(3) * US_PER_S)
#define RECONNECT_US US_PER_S
#define READS_A_TURN 16 /* a run that never stops sending must not keep keys waiting */
#define GREETED_WITHIN_US (UINT64_C(10) * US_PER_S) /* over ssh to a far machine, too */
#define FAR_SILENT_US (UINT64_C(15) * US_PER_S)     /* then the network is gone, most likely */
#define GIVE_UP_US (UINT64_C(60) * US_PER_S)

struct viewer {
    const struct attach_options *options;
    const char *word;
    struct control_client link;
    bool linked;    /* the connection stands, and hello was answered */
    bool is_far;    /* by ssh */
    unsigned tries; /* to connect anew, since it broke */
    struct viewing view;
    uv_poll_t socket;
    bool socket_open;
    uint64_t heard_us; /* when the last line came */
    uint64_t tried_us; /* when it was last tried to connect */
    unsigned seq;
    bool ended;
    bool is_lost; /* for the reason in `err` */
    int exit;
    struct err err;
};

/* --- ending --------------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    (void)handle;
}

static void unlink_socket(struct viewer *v)
{
    if (v->socket_open) {
        uv_poll_stop(&v->socket);
        uv_close((uv_handle_t *)&v->socket, on_handle_closed);
        v->socket_open = false;
    }
    control_client_close(&v->link);
    if (v->linked && v->view.dashboard && !v->view.closing) {
        dashboard_resize(v->view.dashboard); /* ssh may have written over it as it ended */
    }
    v->linked = false;
}

static void leave(struct viewer *v)
{
    viewing_leave(&v->view);
}

static void on_leaving(void *context)
{
    unlink_socket(context);
}

/* --- the run's lines --------------------------------------------------------------------------------- */

static void show_reply(struct viewer *v, struct str raw)
{
    struct buf text = { 0 };

    if (json_unescape(&text, json_string_raw(raw), NULL) == RESULT_OK && text.len &&
        v->view.dashboard) {
        const char *said = buf_cstr(&text);

        dashboard_message(v->view.dashboard, said ? said : "");
    }
    buf_release(&text);
}

/* How the run ended, as its own terminal tells it. */
static void take_end(struct viewer *v, struct str end)
{
    struct str value;
    uint64_t exit = EXIT_WELL;

    if (json_find(end, STR("/exit"), &value) && str_to_u64(str_trim(value), &exit)) {
        v->exit = (int)exit;
    }
    v->ended = true;
    leave(v);
}

static void lose(struct viewer *v)
{
    v->is_lost = true;
    leave(v);
}

/* The answer to a hello that was said anew. */
static void take_greeting(struct viewer *v, struct str line)
{
    enum result result = ctl_is_greeted(v->word, line, &v->err);

    if (result == RESULT_OK) {
        v->linked = true;
        v->tries = 0;
        v->heard_us = clock_now_us(&v->view.clock);
    } else if (result != RESULT_CANCELLED) {
        lose(v);
    }
}

static void take_line(struct viewer *v, struct str line)
{
    struct str value;

    if (!v->linked) {
        take_greeting(v, line);
        return;
    }
    v->heard_us = clock_now_us(&v->view.clock);
    if (json_find(line, STR("/snapshot"), &value)) {
        snapshot_json_read_all(value, v->view.snapshot);
        v->view.has_snapshot = true;
    } else if (json_find(line, STR("/reply"), &value)) {
        show_reply(v, value);
    } else if (json_find(line, STR("/end"), &value)) {
        take_end(v, value);
    }
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct viewer *v = poll->data;
    enum result result = RESULT_OK;
    struct str line;

    (void)status;
    (void)events;
    for (int i = 0; i < READS_A_TURN && result == RESULT_OK && !v->view.closing; i++) {
        result = control_client_read(&v->link, 0, &v->err);
        while (!v->view.closing && control_client_line(&v->link, &line)) {
            take_line(v, line);
        }
    }
    if (!v->view.closing && result != RESULT_CANCELLED && result != RESULT_OK) {
        unlink_socket(v); /* the timer tries again */
    }
}

static bool watch_socket(struct viewer *v)
{
    if (uv_poll_init(&v->view.loop, &v->socket, v->link.fd) != 0) {
        return false;
    }
    v->socket.data = v;
    v->socket_open = true;
    uv_poll_start(&v->socket, UV_READABLE, on_socket);
    on_socket(&v->socket, 0, UV_READABLE); /* what came with the answer to hello */
    return true;
}

static struct control_hello hello_of(const struct viewer *v)
{
    return (struct control_hello){ "snapshot", FRAMES_EVERY_MS,
                                   .is_viewer = v->options->read_only };
}

/* Before there is a screen: it may take its time, and ssh may ask for a password. */
static bool connect_first(struct viewer *v)
{
    const struct control_hello hello = hello_of(v);

    if (ctl_greet(&v->link, v->word, &hello, &v->err) != RESULT_OK) {
        control_client_close(&v->link);
        return false;
    }
    v->linked = v->link.is_hasty = true;
    v->is_far = v->link.ssh > 0;
    v->heard_us = clock_now_us(&v->view.clock);
    return true;
}

/* Begins to connect anew; the answer to its hello comes by the loop. */
static void connect_again(struct viewer *v)
{
    const struct control_hello hello = hello_of(v);
    bool began;

    v->tried_us = clock_now_us(&v->view.clock);
    v->tries++;
    began = ctl_connect(&v->link, v->word, false, &v->err) == RESULT_OK;
    v->link.is_hasty = true;
    if (!began || control_client_say_hello(&v->link, &hello, &v->err) != RESULT_OK ||
        !watch_socket(v)) {
        unlink_socket(v);
    }
}

/* --- keys ---------------------------------------------------------------------------------------------- */

static void send_request(struct viewer *v, const char *name, struct str text)
{
    struct buf line = { 0 };

    if (!v->linked) {
        dashboard_message(v->view.dashboard, "not connected to the run");
        return;
    }
    if (buf_printf(&line, "{\"seq\":%u,\"%s\":", ++v->seq, name) == RESULT_OK &&
        json_text_append(&line, text) == RESULT_OK && buf_append_char(&line, '}') == RESULT_OK &&
        control_client_send(&v->link, buf_view(&line), &v->err) != RESULT_OK) {
        unlink_socket(v);
    }
    buf_release(&line);
}

static void obey(void *context, const struct control *control)
{
    struct viewer *v = context;
    struct buf words = { 0 };
    char id[32];

    if (control->verb == CONTROL_LEAVE) {
        leave(v);
        return;
    }
    if (control->verb == CONTROL_DETAIL) {
        snprintf(id, sizeof id, "%lld", (long long)control->number);
        send_request(v, "detail", str_view(id));
    } else if (words_write(control, v->view.snapshot->state == RUN_PAUSED, engine_verbs(),
                           &words)) {
        send_request(v, "do", buf_view(&words));
    }
    buf_release(&words);
}

/* --- time -------------------------------------------------------------------------------------------- */

/* Whether it is worth trying again: the process is there, or nobody can tell. */
static bool may_come_back(const struct viewer *v, uint64_t now_us)
{
    return v->is_far ? now_us - v->heard_us < GIVE_UP_US
                     : v->view.snapshot->pid && kill((pid_t)v->view.snapshot->pid, 0) == 0;
}

static void reconnect(struct viewer *v, uint64_t now_us)
{
    if (v->socket_open) { /* a hello is under way */
        if (now_us - v->tried_us > GREETED_WITHIN_US) {
            unlink_socket(v);
        }
        return;
    }
    if (now_us - v->tried_us < RECONNECT_US) {
        return;
    }
    if (may_come_back(v, now_us)) {
        connect_again(v);
        return;
    }
    err_set(&v->err, RESULT_NOT_FOUND, "E-CTL6", "the run is gone (pid %lu)",
            (unsigned long)v->view.snapshot->pid);
    lose(v);
}

/* In the header, where the eye is; the next frame overwrites it. */
static void tell_silence(struct viewer *v, uint64_t silent_us)
{
    size_t size = sizeof v->view.snapshot->trouble;

    if (!v->linked) {
        snprintf(v->view.snapshot->trouble, size, "no frames for %llu s; reconnecting, try %u",
                 (unsigned long long)(silent_us / US_PER_S), v->tries);
    } else if (silent_us > SILENT_US) {
        snprintf(v->view.snapshot->trouble, size, "no frames for %llu s",
                 (unsigned long long)(silent_us / US_PER_S));
    }
}

static void on_frame(void *context, uint64_t now_us)
{
    struct viewer *v = context;
    uint64_t silent_us = now_us - v->heard_us;

    if (v->linked && v->is_far && silent_us > FAR_SILENT_US) {
        unlink_socket(v);
    }
    if (!v->linked) {
        reconnect(v, now_us);
    }
    if (!v->view.closing && v->view.dashboard) {
        tell_silence(v, silent_us);
    }
}

static void on_continued(void *context)
{
    struct viewer *v = context;

    v->heard_us = clock_now_us(&v->view.clock);
}

/* --- begin --------------------------------------------------------------------------------------------- */

/* Of several that one might mean, none is guessed. */
static enum result find_only_run(char word[SOCKET_PATH_MAX], struct err *err)
{
    struct live_runs found;
    enum result result = live_runs_find(&found, err);

    if (result != RESULT_OK) {
        return result;
    }
    if (found.count == 1) {
        snprintf(word, SOCKET_PATH_MAX, "%s", found.runs[0].socket);
    } else if (found.count > 1) {
        live_runs_print(&found, false);
        result = err_set(err, RESULT_INVALID, "E-CTL9",
                         "%zu runs are live; name one by its directory or PID", found.count);
    } else {
        result = err_set(err, RESULT_NOT_FOUND, "E-CTL6", "no run of this user is live");
    }
    live_runs_release(&found);
    return result;
}

static enum result show(struct viewer *v, struct err *err)
{
    uint32_t verbs = DASHBOARD_VERB(CONTROL_LEAVE) | DASHBOARD_VERB(CONTROL_DETAIL);
    enum result result;

    if (!v->options->read_only) {
        verbs |= engine_verbs();
    }
    result = viewing_open(&v->view, v->options->plain, verbs, err);
    if (result == RESULT_OK && !watch_socket(v)) {
        leave(v);
    }
    viewing_run(&v->view);
    return result;
}

enum result attach_run(const struct attach_options *options, int *exit, struct err *err)
{
    static const struct viewing_calls calls = {
        .obey = obey, .frame = on_frame, .continued = on_continued, .leaving = on_leaving
    };
    struct viewer v = { .options = options, .word = options->run, .link = { .fd = -1 } };
    enum result result = RESULT_OK;
    char word[SOCKET_PATH_MAX];

    if (!options->run) {
        result = find_only_run(word, err);
        v.word = word;
    }
    if (result != RESULT_OK) {
        return result;
    }
    result = viewing_begin(&v.view, &calls, &v, err);
    if (result != RESULT_OK) {
        return result;
    }
    v.err.result = RESULT_OK;
    if (!connect_first(&v)) {
        *err = v.err;
        result = v.err.result;
    } else {
        result = show(&v, err);
    }
    if (result == RESULT_OK && v.is_lost) {
        *err = v.err;
        result = v.err.result;
    } else if (result == RESULT_OK) {
        say(stderr, v.ended ? "scrapetop: the run has ended" : "scrapetop: left; the run goes on");
        *exit = v.ended ? v.exit : EXIT_WELL;
    }
    viewing_end(&v.view);
    return result;
}
