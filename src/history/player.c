#include "history/player.h"

#include "base/clock.h"
#include "history/past_run.h"
#include "ui/crash.h"
#include "ui/dashboard.h"
#include "ui/plain.h"
#include "ui/settings.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#define FRAME_MS 100
#define COMMANDS_MAX 32
#define PLAIN_STEP_US INT64_C(10000000) /* of the run, between lines */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP };
#define SIGNAL_COUNT (sizeof signals / sizeof signals[0])

struct player {
    struct replay *past;
    unsigned speed;
    bool stopped, closing;
    int64_t at_us;    /* the moment shown */
    uint64_t told_us; /* when that was, in our own time */
    struct clock clock;
    struct dashboard *dashboard;
    struct snapshot *snapshot;
    uv_loop_t loop;
    uv_poll_t keys;
    uv_timer_t frame;
    uv_signal_t signals[SIGNAL_COUNT];
};

static int64_t clamp_moment(const struct player *p, int64_t at_us)
{
    int64_t first_us = replay_first_us(p->past), last_us = replay_last_us(p->past);

    return at_us < first_us ? first_us : at_us > last_us ? last_us : at_us;
}

static void advance(struct player *p)
{
    uint64_t now_us = clock_now_us(&p->clock), passed_us = now_us - p->told_us;

    p->told_us = now_us;
    if (!p->stopped) {
        p->at_us = clamp_moment(p, p->at_us + (int64_t)(passed_us * p->speed));
    }
}

static void draw(struct player *p)
{
    replay_snapshot(p->past, p->at_us, p->told_us, p->snapshot);
    p->snapshot->replay_speed = p->speed;
    p->snapshot->replay_is_stopped = p->stopped;
    p->snapshot->replay_is_at_end = p->at_us == replay_last_us(p->past);
    dashboard_draw(p->dashboard, p->snapshot);
}

static void on_keys(uv_poll_t *poll, int status, int events);

static void watch(struct player *p)
{
    int events = (dashboard_wants_read(p->dashboard) ? UV_READABLE : 0) |
                 (dashboard_wants_write(p->dashboard) ? UV_WRITABLE : 0);

    if (events) {
        uv_poll_start(&p->keys, events, on_keys);
    } else {
        uv_poll_stop(&p->keys);
    }
}

static void end(struct player *p)
{
    if (p->closing) {
        return;
    }
    p->closing = true;
    uv_close((uv_handle_t *)&p->keys, NULL);
    dashboard_free(p->dashboard); /* while signals are handled: one must not end us before */
    p->dashboard = NULL;
    uv_close((uv_handle_t *)&p->frame, NULL);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&p->signals[i], NULL);
    }
}

static void obey(struct player *p, const struct control *control)
{
    switch (control->verb) {
    case CONTROL_PAUSE:
        p->stopped = !p->stopped;
        break;
    case CONTROL_SEEK:
        p->at_us = clamp_moment(p, p->at_us + control->number * (int64_t)US_PER_S);
        break;
    default:
        end(p);
        break;
    }
}

static void on_keys(uv_poll_t *poll, int status, int events)
{
    struct player *p = poll->data;
    struct control controls[COMMANDS_MAX];
    size_t count;

    dashboard_flush(p->dashboard);
    advance(p);
    do {
        count = status < 0 || (events & UV_READABLE)
                    ? dashboard_input(p->dashboard, p->told_us, controls, COMMANDS_MAX)
                    : 0;
        for (size_t i = 0; i < count; i++) {
            obey(p, &controls[i]);
        }
    } while (count == COMMANDS_MAX && !p->closing);
    if (p->closing) {
        return;
    }
    if (dashboard_gone(p->dashboard)) {
        end(p);
        return;
    }
    draw(p);
    watch(p);
}

static void on_frame(uv_timer_t *timer)
{
    struct player *p = timer->data;

    advance(p);
    draw(p);
    if (dashboard_gone(p->dashboard)) {
        end(p);
    } else {
        watch(p);
    }
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct player *p = handle->data;

    if (p->closing) {
        return;
    }
    if (number == SIGWINCH) {
        dashboard_resize(p->dashboard);
        draw(p);
    } else if (number == SIGTSTP) {
        dashboard_suspend(p->dashboard);
        raise(SIGSTOP);
        p->told_us = clock_now_us(&p->clock);
        dashboard_resume(p->dashboard);
        watch(p);
    } else {
        end(p);
    }
}

static void begin(struct player *p)
{
    uv_timer_init(&p->loop, &p->frame);
    p->frame.data = p->keys.data = p;
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&p->loop, &p->signals[i]);
        p->signals[i].data = p;
        uv_signal_start(&p->signals[i], on_signal, signals[i]);
    }
    uv_timer_start(&p->frame, on_frame, 0, FRAME_MS);
    watch(p);
}

/* RESULT_NOT_FOUND: there is no terminal that can show it. */
static enum result show(struct player *p, struct err *err)
{
    struct dashboard_options options = dashboard_options_environment();
    char settings[SETTINGS_PATH_MAX];
    enum result result;

    settings_path(settings);
    options.settings_path = settings;
    options.verbs = DASHBOARD_VERB(CONTROL_PAUSE) | DASHBOARD_VERB(CONTROL_SEEK) |
                    DASHBOARD_VERB(CONTROL_DRAIN);
    crash_install();
    result = dashboard_new(&p->dashboard, &options, err);
    if (result != RESULT_OK) {
        return result;
    }
    if (uv_loop_init(&p->loop) != 0) {
        dashboard_free(p->dashboard);
        return err_set(err, RESULT_NOMEM, "E-LOOP1", "cannot make an event loop");
    }
    if (uv_poll_init(&p->loop, &p->keys, dashboard_fd(p->dashboard)) == 0) {
        begin(p);
    } else {
        result = err_set(err, RESULT_NOT_FOUND, "E-TTY1", "the terminal cannot be watched");
    }
    uv_run(&p->loop, UV_RUN_DEFAULT);
    uv_loop_close(&p->loop);
    dashboard_free(p->dashboard);
    return result;
}

/* One line for each ten seconds of the run, and its events, as fast as they can be written. */
static enum result print_lines(struct player *p, struct err *err)
{
    struct plain_options options = { .stream = stdout,
                                     .interval_us = PLAIN_STEP_US,
                                     .least = EVENT_NOTICE };
    int64_t first_us = replay_first_us(p->past), last_us = replay_last_us(p->past);
    struct plain *plain;
    enum result result = plain_new(&plain, &options, err);

    if (result != RESULT_OK) {
        return result;
    }
    for (int64_t at_us = first_us; at_us < last_us && !ferror(stdout); at_us += PLAIN_STEP_US) {
        replay_snapshot(p->past, at_us, (uint64_t)(at_us - first_us) + 1, p->snapshot);
        plain_update(plain, p->snapshot);
    }
    replay_snapshot(p->past, last_us, (uint64_t)(last_us - first_us) + 1, p->snapshot);
    plain_finish(plain, p->snapshot);
    plain_free(plain);
    return RESULT_OK;
}

enum result player_run(const char *path, unsigned speed, struct err *err)
{
    struct player p = { .speed = speed, .clock = clock_system() };
    bool on_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    enum result result = past_run_open(&p.past, path, err);

    if (result == RESULT_OK) {
        p.snapshot = malloc(sizeof *p.snapshot);
        result = p.snapshot ? RESULT_OK : err_nomem(err, "preparing the screen");
    }
    if (result == RESULT_OK) {
        p.at_us = replay_first_us(p.past);
        p.told_us = clock_now_us(&p.clock);
        result = on_terminal ? show(&p, err) : RESULT_NOT_FOUND;
        if (result == RESULT_NOT_FOUND) {
            result = print_lines(&p, err);
        }
    }
    free(p.snapshot);
    replay_free(p.past);
    return result;
}
