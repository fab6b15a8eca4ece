#include "session/session_screen.h"

#include "base/say.h"
#include "ui/crash.h"
#include "ui/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FRAME_MS 100
#define PLAIN_TICK_MS 1000
#define COMMANDS_MAX 32

/* Draws what the engine shows now, or says what is new. */
static void draw(struct session_screen *s)
{
    if (!s->dashboard && !s->plain) {
        return;
    }
    engine_snapshot(*s->engine, s->snapshot);
    s->snapshot->attached = s->attached(s->context);
    if (s->dashboard) {
        dashboard_draw(s->dashboard, s->snapshot);
    } else {
        plain_update(s->plain, s->snapshot);
        typed_look(&s->typed);
    }
}

void session_screen_say(struct session_screen *s, struct str text)
{
    if (s->dashboard) {
        dashboard_message(s->dashboard, text.data);
    } else if (s->plain) {
        plain_say(s->plain, text);
    }
}

static void on_keys(uv_poll_t *poll, int status, int events);

static void watch_keys(struct session_screen *s)
{
    if (s->keys_open) {
        int events = (dashboard_wants_read(s->dashboard) ? UV_READABLE : 0) |
                     (dashboard_wants_write(s->dashboard) ? UV_WRITABLE : 0);

        if (events) {
            uv_poll_start(&s->keys, events, on_keys);
        } else {
            uv_poll_stop(&s->keys);
        }
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    (void)handle;
}

static void drop_dashboard(struct session_screen *s)
{
    uv_timer_stop(&s->frame);
    if (s->keys_open) {
        uv_poll_stop(&s->keys);
        uv_close((uv_handle_t *)&s->keys, on_handle_closed);
        s->keys_open = false;
    }
    dashboard_free(s->dashboard);
    s->dashboard = NULL;
}

void session_screen_lose(struct session_screen *s)
{
    if (s->dashboard) {
        drop_dashboard(s);
        s->lost(s->context);
    }
}

static void on_keys(uv_poll_t *poll, int status, int events)
{
    struct session_screen *s = poll->data;
    struct control controls[COMMANDS_MAX];
    size_t count;

    if (events & UV_WRITABLE) {
        dashboard_flush(s->dashboard);
    }
    do {
        count = status < 0 || (events & UV_READABLE)
                    ? dashboard_input(s->dashboard, clock_now_us(&s->clock), controls, COMMANDS_MAX)
                    : 0;
        for (size_t i = 0; i < count && s->dashboard; i++) {
            s->obey(s->context, &controls[i]);
        }
    } while (count == COMMANDS_MAX && s->dashboard);
    if (!s->dashboard) { /* one of them has ended it */
        return;
    }
    if (dashboard_gone(s->dashboard)) {
        session_screen_lose(s);
        return;
    }
    if (events & UV_READABLE) {
        draw(s); /* a key is answered at once, not with the next frame */
    }
    watch_keys(s);
}

static void on_frame(uv_timer_t *timer)
{
    struct session_screen *s = timer->data;

    draw(s);
    if (s->dashboard && dashboard_gone(s->dashboard)) {
        session_screen_lose(s);
    } else if (s->dashboard) {
        watch_keys(s);
    }
}

void session_screen_resize(struct session_screen *s)
{
    if (s->dashboard) {
        dashboard_resize(s->dashboard);
        draw(s);
    }
}

void session_screen_suspend(struct session_screen *s)
{
    if (s->dashboard) {
        dashboard_suspend(s->dashboard);
    }
}

void session_screen_resume(struct session_screen *s)
{
    if (s->dashboard) {
        dashboard_resume(s->dashboard);
        watch_keys(s);
    }
}

/* --- begin and end -------------------------------------------------------------------------------- */

void session_screen_init(struct session_screen *s)
{
    uv_timer_init(s->loop, &s->frame);
    s->frame.data = s;
}

static bool wants_dashboard(const struct session_screen *s)
{
    return !s->options->plain && (isatty(STDIN_FILENO) || s->options->stdin_is_read) &&
           isatty(STDOUT_FILENO);
}

static bool open_dashboard(struct session_screen *s, bool can_return)
{
    struct dashboard_options options = dashboard_options_environment();
    char settings[SETTINGS_PATH_MAX];
    struct err err;

    if (!wants_dashboard(s)) {
        return false;
    }
    crash_install();
    settings_path(settings);
    options.settings_path = settings;
    options.notify = s->options->notify;
    options.verbs = engine_verbs() | DASHBOARD_VERB(CONTROL_DETACH);
    options.can_return = can_return;
    if (dashboard_new(&s->dashboard, &options, &err) != RESULT_OK) {
        s->dashboard = NULL;
        say(stderr, "scrapetop: %s; plain lines instead", err.text);
        return false;
    }
    if (uv_poll_init(s->loop, &s->keys, dashboard_fd(s->dashboard)) != 0) {
        dashboard_free(s->dashboard);
        s->dashboard = NULL;
        return false;
    }
    s->keys.data = s;
    s->keys_open = true;
    watch_keys(s);
    return true;
}

enum result session_screen_open(struct session_screen *s, bool can_return, struct err *err)
{
    struct plain_options options = {
        .fd = STDERR_FILENO,
        .interval_us = s->options->quiet ? PLAIN_NEVER : s->options->progress_us,
        .least = s->options->quiet ? EVENT_WARNING : EVENT_NOTICE,
    };
    enum result result;

    s->snapshot = malloc(sizeof *s->snapshot);
    if (!s->snapshot) {
        return err_nomem(err, "preparing the screen");
    }
    if (open_dashboard(s, can_return)) {
        uv_timer_start(&s->frame, on_frame, 0, FRAME_MS);
        return RESULT_OK;
    }
    result = plain_new(&s->plain, &options, err);
    if (result == RESULT_OK) {
        uv_timer_start(&s->frame, on_frame, PLAIN_TICK_MS, PLAIN_TICK_MS);
        if (!s->options->quiet &&
            typed_open(&s->typed, s->loop, s->typed_line, s->typed_end, s->context)) {
            plain_say(s->plain,
                      STR("scrapetop: commands may be typed: status, cap 20, pause, quit, help"));
        }
    }
    return result;
}

void session_screen_end(struct session_screen *s, bool is_finished)
{
    if (s->plain && is_finished) {
        engine_snapshot(*s->engine, s->snapshot);
        plain_finish(s->plain, s->snapshot);
    }
    typed_close(&s->typed);
    drop_dashboard(s);
}

void session_screen_close(struct session_screen *s)
{
    uv_close((uv_handle_t *)&s->frame, on_handle_closed);
}

void session_screen_release(struct session_screen *s)
{
    plain_free(s->plain);
    free(s->snapshot);
}
