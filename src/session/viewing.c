#include "session/viewing.h"

#include "ui/crash.h"
#include "ui/settings.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define FRAME_MS 100
#define COMMANDS_MAX 32

static const int signals[VIEWING_SIGNALS] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP };

/* --- ending --------------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    (void)handle;
}

void viewing_leave(struct viewing *v)
{
    if (v->closing || !v->has_loop) {
        return;
    }
    v->closing = true;
    if (v->keys_open) {
        uv_poll_stop(&v->keys);
        uv_close((uv_handle_t *)&v->keys, on_handle_closed);
        v->keys_open = false;
    }
    v->calls->leaving(v->context);
    if (v->plain && v->has_snapshot) {
        plain_finish(v->plain, v->snapshot);
    }
    dashboard_free(v->dashboard);
    v->dashboard = NULL;
    uv_close((uv_handle_t *)&v->timer, on_handle_closed);
    for (size_t i = 0; i < VIEWING_SIGNALS; i++) {
        uv_close((uv_handle_t *)&v->signals[i], on_handle_closed);
    }
}

void viewing_end(struct viewing *v)
{
    plain_free(v->plain);
    free(v->snapshot);
    v->plain = NULL;
    v->snapshot = NULL;
}

/* --- drawing -------------------------------------------------------------------------------------------- */

void viewing_draw(struct viewing *v)
{
    if (!v->has_snapshot || v->closing) {
        return;
    }
    v->snapshot->now_us = clock_now_us(&v->clock); /* of this machine, as keys are */
    if (v->dashboard) {
        dashboard_draw(v->dashboard, v->snapshot);
    } else {
        plain_update(v->plain, v->snapshot);
    }
}

void viewing_message(struct viewing *v, const char *text)
{
    if (v->dashboard) {
        dashboard_message(v->dashboard, text);
    }
}

/* --- keys ---------------------------------------------------------------------------------------------- */

static void on_keys(uv_poll_t *poll, int status, int events);

static void watch_keys(struct viewing *v)
{
    int events = (dashboard_wants_read(v->dashboard) ? UV_READABLE : 0) |
                 (dashboard_wants_write(v->dashboard) ? UV_WRITABLE : 0);

    if (events) {
        uv_poll_start(&v->keys, events, on_keys);
    } else {
        uv_poll_stop(&v->keys);
    }
}

static void on_keys(uv_poll_t *poll, int status, int events)
{
    struct viewing *v = poll->data;
    struct control controls[COMMANDS_MAX];
    size_t count;

    if (events & UV_WRITABLE) {
        dashboard_flush(v->dashboard);
    }
    do {
        count = status < 0 || (events & UV_READABLE)
                    ? dashboard_input(v->dashboard, clock_now_us(&v->clock), controls, COMMANDS_MAX)
                    : 0;
        for (size_t i = 0; i < count && !v->closing; i++) {
            v->calls->obey(v->context, &controls[i]);
        }
    } while (count == COMMANDS_MAX && !v->closing);
    if (v->closing) {
        return;
    }
    if (dashboard_gone(v->dashboard)) {
        viewing_leave(v);
        return;
    }
    if (events & UV_READABLE) {
        viewing_draw(v);
    }
    watch_keys(v);
}

/* --- time and signals ------------------------------------------------------------------------------------- */

static void on_frame(uv_timer_t *timer)
{
    struct viewing *v = timer->data;

    v->calls->frame(v->context, clock_now_us(&v->clock));
    if (v->closing) {
        return;
    }
    viewing_draw(v);
    if (v->dashboard && dashboard_gone(v->dashboard)) {
        viewing_leave(v);
    } else if (v->dashboard) {
        watch_keys(v);
    }
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct viewing *v = handle->data;

    if (v->closing) {
        return;
    }
    if (number == SIGWINCH) {
        if (v->dashboard) {
            dashboard_resize(v->dashboard);
            viewing_draw(v);
        }
    } else if (number == SIGTSTP) {
        if (v->dashboard) {
            dashboard_suspend(v->dashboard);
        }
        raise(SIGSTOP);
        if (v->calls->continued) {
            v->calls->continued(v->context);
        }
        if (v->dashboard) {
            dashboard_resume(v->dashboard);
            watch_keys(v);
        }
    } else {
        viewing_leave(v);
    }
}

/* --- begin --------------------------------------------------------------------------------------------- */

static enum result open_screen(struct viewing *v, bool plain, uint32_t verbs, struct err *err)
{
    struct dashboard_options options = dashboard_options_environment();
    struct plain_options lines = { .fd = STDERR_FILENO, .least = EVENT_NOTICE };
    char settings[SETTINGS_PATH_MAX];

    if (plain || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        return plain_new(&v->plain, &lines, err);
    }
    crash_install();
    settings_path(settings);
    options.settings_path = settings;
    options.verbs = verbs;
    if (dashboard_new(&v->dashboard, &options, err) != RESULT_OK) {
        v->dashboard = NULL;
        return plain_new(&v->plain, &lines, err);
    }
    if (uv_poll_init(&v->loop, &v->keys, dashboard_fd(v->dashboard)) != 0) {
        return err_set(err, RESULT_IO, "E-TTY1", "the terminal cannot be watched");
    }
    v->keys.data = v;
    v->keys_open = true;
    watch_keys(v);
    return RESULT_OK;
}

static void watch(struct viewing *v)
{
    uv_timer_init(&v->loop, &v->timer);
    v->timer.data = v;
    for (size_t i = 0; i < VIEWING_SIGNALS; i++) {
        uv_signal_init(&v->loop, &v->signals[i]);
        v->signals[i].data = v;
        uv_signal_start(&v->signals[i], on_signal, signals[i]);
    }
}

enum result viewing_begin(struct viewing *v, const struct viewing_calls *calls, void *context,
                          struct err *err)
{
    *v = (struct viewing){ .calls = calls, .context = context, .clock = clock_system() };
    v->snapshot = calloc(1, sizeof *v->snapshot);
    return v->snapshot ? RESULT_OK : err_nomem(err, "preparing the screen");
}

enum result viewing_open(struct viewing *v, bool plain, uint32_t verbs, struct err *err)
{
    enum result result;

    if (uv_loop_init(&v->loop) != 0) {
        return err_set(err, RESULT_NOMEM, "E-LOOP1", "cannot make an event loop");
    }
    v->has_loop = true;
    watch(v);
    result = open_screen(v, plain, verbs, err);
    if (result != RESULT_OK) {
        viewing_leave(v);
    }
    return result;
}

void viewing_run(struct viewing *v)
{
    if (!v->has_loop) {
        return;
    }
    if (!v->closing) {
        uv_timer_start(&v->timer, on_frame, 0, FRAME_MS);
    }
    uv_run(&v->loop, UV_RUN_DEFAULT);
    uv_loop_close(&v->loop);
    v->has_loop = false;
}
