#include "session/session.h"

#include "base/message.h"
#include "base/say.h"
#include "base/units.h"
#include "engine/engine.h"
#include "history/failed.h"
#include "history/saved_report.h"
#include "history/stored_job.h"
#include "session/at_end.h"
#include "session/end_report.h"
#include "session/event_loop.h"
#include "session/leave_terminal.h"
#include "session/line_copy.h"
#include "session/session_screen.h"
#include "session/session_socket.h"
#include "session/thread_count.h"
#include "ui/words.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TERMINATE_DRAIN_MS 5000

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGUSR1, SIGUSR2 };
#define SIGNAL_COUNT (sizeof signals / sizeof signals[0])

struct session {
    const struct session_options *options;
    uv_loop_t loop;
    struct clock clock;
    struct engine *engine;
    struct session_screen screen;
    struct at_end_start *start; /* its ping is under way; else NULL */
    struct line_copy *copy;     /* or NULL */
    uv_timer_t terminate;
    uv_signal_t signals[SIGNAL_COUNT];
    struct session_socket socket;
    struct monitor monitor;
    bool closing;
    bool draining;    /* asked for once: the next time aborts */
    char table[4096]; /* what `n` makes */
    struct report report;
};

static void begin_close(struct session *s);

/* Somebody is there to decide: at this terminal, or at another. */
static void tell_attended(struct session *s)
{
    engine_set_attended(s->engine, s->screen.dashboard || s->socket.is_attended);
}

/* Nobody sees it any more. What is paused stays so as long as somebody can come back to it. */
static void go_on_unseen(void *context)
{
    struct session *s = context;
    struct control go_on = { .verb = CONTROL_PAUSE };
    char reply[CONTROL_REPLY_MAX];

    tell_attended(s);
    if (s->screen.snapshot->state == RUN_PAUSED && !s->socket.server) {
        engine_control(s->engine, &go_on, reply);
    }
    if (engine_is_done(s->engine)) {
        begin_close(s);
    }
}

/* Without a socket nobody can resume a pause any more, be it one of his or of a rule. */
static void on_typed_end(void *context)
{
    struct session *s = context;

    engine_set_can_return(s->engine, s->socket.server != NULL);
    engine_snapshot(s->engine, s->screen.snapshot);
    go_on_unseen(s);
}

static void on_handle_closed(uv_handle_t *handle)
{
    (void)handle;
}

/* The run goes on in the background, and the shell has its terminal again. */
static void detach(struct session *s)
{
    uint64_t stopped_us = clock_now_us(&s->clock);

    session_screen_lose(&s->screen);
    if (s->closing) {
        return; /* all was done, and nobody looks at it any more */
    }
    say(stderr, "scrapetop: detached; process %ld goes on, even if the shell calls it stopped",
        (long)getpid());
    end_report_say_command(s->socket.server ? "come back: scrapetop attach"
                                            : "how far it is: scrapetop status",
                           s->options->dir->path);
    say(stderr, "scrapetop: end it: kill %ld", (long)getpid());
    leave_terminal();
    uv_update_time(&s->loop);
    engine_continued(s->engine, clock_now_us(&s->clock) - stopped_us);
}

static bool carry_out(void *context, const struct control *control, char reply[CONTROL_REPLY_MAX])
{
    struct session *s = context;
    bool ends = control->verb == CONTROL_DRAIN || control->verb == CONTROL_ABORT, is_good;

    reply[0] = '\0';
    if (ends && engine_is_done(s->engine)) {
        begin_close(s);
        return true;
    }
    s->draining |= ends;
    is_good = engine_control(s->engine, control, reply);
    if (ends) {
        monitor_draining(&s->monitor, s->options->job->network.total_timeout_us);
    }
    return is_good;
}

static void obey(void *context, const struct control *control)
{
    struct session *s = context;
    char reply[CONTROL_REPLY_MAX];

    if (control->verb == CONTROL_DETACH) {
        detach(s);
        return;
    }
    carry_out(s, control, reply);
    if (reply[0]) {
        session_screen_say(&s->screen, str_view(reply));
    }
}

static void quit(struct session *s, bool terminated);

/* Somebody who types is there to decide (struct engine_options). */
static void on_line(void *context, struct str line)
{
    struct session *s = context;
    struct control control;
    struct buf answer = { 0 };

    engine_snapshot(s->engine, s->screen.snapshot);
    if (words_read(line, s->screen.snapshot, engine_verbs(), &control, &answer) == WORDS_COMMAND) {
        engine_set_attended(s->engine, true);
        if (control.verb == CONTROL_DRAIN) {
            quit(s, false);
        } else {
            obey(s, &control);
        }
    }
    plain_say(s->screen.plain, buf_view(&answer));
    buf_release(&answer);
}

/* --- signals --------------------------------------------------------------------------------------- */

static void on_terminate(uv_timer_t *timer)
{
    struct control abort_now = { .verb = CONTROL_ABORT, .number = EXIT_TERMINATED };

    obey(timer->data, &abort_now);
}

static void quit(struct session *s, bool terminated)
{
    struct control control = { .verb = s->draining ? CONTROL_ABORT : CONTROL_DRAIN };

    if (terminated) {
        control.number = control.verb == CONTROL_ABORT ? EXIT_TERMINATED : 0;
        uv_timer_start(&s->terminate, on_terminate, TERMINATE_DRAIN_MS, 0);
    } else if (s->screen.dashboard) {
        control = dashboard_quit(s->screen.dashboard);
    } else if (!s->draining && !engine_is_done(s->engine)) {
        say(stderr, "scrapetop: draining - Ctrl-C again aborts");
    }
    obey(s, &control);
}

static void stop_ourselves(struct session *s)
{
    uint64_t stopped_us = clock_now_us(&s->clock);

    session_screen_suspend(&s->screen);
    raise(SIGSTOP);
    uv_update_time(&s->loop);
    session_screen_resume(&s->screen);
    engine_continued(s->engine, clock_now_us(&s->clock) - stopped_us);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct session *s = handle->data;
    struct control step = { .verb = CONTROL_CAP_ADD, .number = number == SIGUSR1 ? 1 : -1 };

    if (s->closing) {
        return;
    }
    switch (number) {
    case SIGINT:
        quit(s, false);
        break;
    case SIGTERM:
        quit(s, true);
        break;
    case SIGHUP:
        session_screen_lose(&s->screen);
        break;
    case SIGWINCH:
        session_screen_resize(&s->screen);
        break;
    case SIGTSTP:
        stop_ourselves(s);
        break;
    default:
        obey(s, &step);
        break;
    }
}

/* Before the screen is opened: curses takes over only what has no handler. */
static void open_signals(struct session *s)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&s->loop, &s->signals[i]);
        s->signals[i].data = s;
        uv_signal_start(&s->signals[i], on_signal, signals[i]);
    }
}

/* --- the control socket ----------------------------------------------------------------------------- */

static void on_attended(void *context, bool is_attended)
{
    (void)is_attended;
    tell_attended(context);
}

static void on_event(void *context, struct str line)
{
    struct session *s = context;

    session_socket_event(&s->socket, line);
}

static void on_socket_closed(void *context)
{
    (void)context;
}

/* Without one the run is as good; it can only not be come back to. */
static void open_socket(struct session *s)
{
    struct err err;

    s->socket = (struct session_socket){ .engine = &s->engine,
                                         .obey = carry_out,
                                         .attended = on_attended,
                                         .closed = on_socket_closed,
                                         .context = s };
    if (!s->options->no_socket &&
        !session_socket_open(&s->socket, &s->loop, s->options->dir, s->options->job->name, &err)) {
        message_warning("W-CTL1", err.text);
    }
}

/* --- begin and end -------------------------------------------------------------------------------- */

static void on_engine_closed(void *context, const struct err *trouble)
{
    struct session *s = context;

    if (trouble) {
        report_fail(&s->report, trouble);
    }
    s->engine = NULL;
    at_end_ping_start_hurry(s->start);
    line_copy_quiet(s->copy);
    session_socket_close(&s->socket, &s->report);
    monitor_close(&s->monitor);
    session_screen_close(&s->screen);
    uv_close((uv_handle_t *)&s->terminate, on_handle_closed);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&s->signals[i], on_handle_closed);
    }
    signal(SIGUSR1, SIG_IGN); /* as main had it: libuv leaves what ends the process */
    signal(SIGUSR2, SIG_IGN);
}

static void begin_close(struct session *s)
{
    if (s->closing) {
        return;
    }
    s->closing = s->socket.is_ending = true;
    monitor_finish(&s->monitor);
    engine_report(s->engine, &s->report);
    session_screen_end(&s->screen, true);
    uv_timer_stop(&s->terminate);
    engine_close(s->engine, on_engine_closed);
}

/* A dashboard stays when all is done, to be read and to normalise from, unless it was told to end. */
static void on_done(void *context)
{
    struct session *s = context;

    if (!s->screen.dashboard || s->draining || s->options->sweep || s->options->exit) {
        begin_close(s);
    }
}

static void set_paths(struct session *s)
{
    snprintf(s->table, sizeof s->table, "%s/%s.csv", s->options->dir->path, s->options->job->name);
    for (size_t i = 0; i < s->options->output_count; i++) {
        const struct table_output *output = &s->options->outputs[i];

        if ((output->format == &csv_format || output->format == &tsv_format) &&
            strcmp(output->path, "-") != 0) {
            snprintf(s->table, sizeof s->table, "%s", output->path);
            break;
        }
    }
}

static enum result open_engine(struct session *s, struct err *err)
{
    const struct run_growth *growth = s->options->growth;
    bool is_grown = growth && growth->is_grown;
    struct engine_options options = {
        .loop = &s->loop,
        .clock = s->clock,
        .boot = clock_boot(),
        .job = s->options->job,
        .dir = s->options->dir,
        .tending = s->options->tending,
        .list_fds = s->options->list_fds,
        .feed = s->options->feed,
        .feed_list = s->options->feed_list,
        .before = is_grown ? &s->options->growth->before : NULL,
        .prunes = s->options->prunes,
        .asks_again = s->options->asks_again,
        .again_age_us = s->options->again_age_us,
        .again_where = s->options->again_where,
        .since = s->options->since,
        .since_count = s->options->since_count,
        .outputs = s->options->outputs,
        .output_count = s->options->output_count,
        .table_path = s->table,
        .sweep = s->options->sweep,
        .follow_up = s->options->follow_up,
        .attended = true,
        .on_done = on_done,
        .on_event = on_event,
        .context = s,
    };

    struct buf job = { 0 };
    enum result result =
        thread_count_here(s->options->job, &options.threads, &options.needs_threads, err);

    if (result != RESULT_OK) {
        return result;
    }
    if (uv_random(NULL, NULL, &options.seed, sizeof options.seed, 0, NULL) != 0) {
        options.seed = clock_now_us(&s->clock);
    }
    /* The ledger's copy is worth having, but nothing to fail for. */
    if (!is_grown && stored_job_read_to_keep(options.dir, options.job, &job)) {
        options.job_text = buf_view(&job);
    }
    result = engine_new(&s->engine, &options, err);
    if (result == RESULT_INVALID && is_grown) {
        result = run_growth_tell(growth, options.dir, options.job, err);
    }
    if (result == RESULT_OK && is_grown) {
        result = run_growth_keep(growth, options.dir, err);
    }
    if (result == RESULT_OK) {
        saved_report_forget(options.dir);
    }
    buf_release(&job);
    return result;
}

static void on_beat(void *context)
{
    struct session *s = context;

    monitor_still_ending(&s->monitor);
}

static void on_copy_change(void *context, const struct err *err)
{
    struct session *s = context;

    if (s->engine && !s->closing) {
        engine_note_copy(s->engine, err);
    }
}

static enum result start_copy(struct session *s, struct err *err)
{
    const struct line_copy_options options = { .loop = &s->loop,
                                               .dir = s->options->dir,
                                               .to = s->options->copy_to,
                                               .every_us = s->options->copy_every_us,
                                               .on_change = on_copy_change,
                                               .context = s };

    return options.to ? line_copy_start(&s->copy, &options, err) : RESULT_OK;
}

/* The run is complete without its copy, but who has asked for one is told. */
static void finish_copy(struct session *s)
{
    const struct at_end_pulse pulse = { on_beat, s };
    struct line_copy *copy = s->copy;
    char size[UNITS_TEXT_MAX];
    uint64_t bytes;
    struct err err;

    s->copy = NULL;
    if (!copy) {
        return;
    }
    if (line_copy_finish(copy, &pulse, &bytes, &err) == RESULT_OK) {
        units_format_bytes(bytes, size);
        say(stderr, "scrapetop: all lines are copied to %s (%s)", s->options->copy_to, size);
        return;
    }
    message_error(&err);
    say(stderr,
        "scrapetop: lines are left that are not copied: the same command again copies them");
    s->report.exit = s->report.exit == EXIT_WELL ? EXIT_STORAGE : s->report.exit;
}

/* Other processes that wait for the end of the run. */
static void tell_outside(struct session *s)
{
    const struct at_end_pulse pulse = { on_beat, s };
    struct buf json = { 0 };
    int exit = (int)s->report.exit;

    if (report_json(&s->report, &json) == RESULT_OK) {
        at_end_command(s->options->on_end, s->options->dir->path, exit, buf_view(&json), &pulse);
    }
    buf_release(&json);
    at_end_ping(s->options->ping, exit, &pulse);
}

static enum result open_screen(struct session *s, struct err *err)
{
    enum result result = session_screen_open(&s->screen, s->socket.server != NULL, err);

    if (!s->screen.dashboard) {
        tell_attended(s);
    }
    return result;
}

static unsigned attached(void *context)
{
    const struct session *s = context;

    return control_server_watchers(s->socket.server);
}

/* All that a run needs but the loop. */
static enum result open_all(struct session *s, struct err *err)
{
    enum result result;

    s->screen = (struct session_screen){ .loop = &s->loop,
                                         .engine = &s->engine,
                                         .options = s->options,
                                         .clock = s->clock,
                                         .obey = obey,
                                         .typed_line = on_line,
                                         .typed_end = on_typed_end,
                                         .lost = go_on_unseen,
                                         .attached = attached,
                                         .context = s };
    session_screen_init(&s->screen);
    uv_timer_init(&s->loop, &s->terminate);
    s->terminate.data = s;
    open_signals(s);
    result = open_engine(s, err);
    if (result == RESULT_OK) {
        open_socket(s);
        result = monitor_open(&s->monitor, &s->loop, &s->engine, &s->options->monitor, err);
    }
    if (result == RESULT_OK) {
        result = open_screen(s, err);
    }
    if (result == RESULT_OK) {
        engine_set_can_return(s->engine, s->socket.server || s->screen.typed.open);
        result = engine_start(s->engine, err);
    }
    return result == RESULT_OK ? start_copy(s, err) : result;
}

static void close_unstarted(struct session *s)
{
    s->closing = s->socket.is_ending = true;
    s->report.exit = EXIT_INTERNAL;
    session_screen_end(&s->screen, false);
    if (s->engine) {
        engine_close(s->engine, on_engine_closed);
    } else {
        on_engine_closed(s, NULL);
    }
}

int session_run(const struct session_options *options)
{
    struct session *s = calloc(1, sizeof *s);
    enum result result;
    struct err err;
    int code;

    if (!s) {
        err_nomem(&err, "starting");
        return message_fail(&err);
    }
    s->options = options;
    s->clock = clock_system();
    set_paths(s);
    if (event_loop_open(&s->loop, &err) != RESULT_OK) {
        free(s);
        return message_fail(&err);
    }
    result = open_all(s, &err);
    if (result == RESULT_OK) {
        monitor_ready(&s->monitor);
        at_end_ping_start(&s->start, &s->loop, s->options->ping);
        if (s->options->detach) {
            detach_ready(s->options->detach, s->options->dir);
        }
    } else {
        close_unstarted(s);
    }
    uv_run(&s->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&s->loop) != 0) {
        say(stderr, "scrapetop: error[E-INT1]: a handle was left open");
    }
    if (result == RESULT_OK) {
        finish_copy(s);
        end_report_print(s->options, &s->report);
        tell_outside(s);
        code = (int)s->report.exit;
    } else {
        code = message_fail(&err);
    }
    monitor_release(&s->monitor);
    report_release(&s->report);
    session_screen_release(&s->screen);
    free(s);
    return code;
}
