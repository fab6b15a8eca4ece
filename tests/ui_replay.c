/**
 * The real dashboard on made-up snapshots, to be looked at in a terminal without an engine.
 *
 *     ui_replay [SCENE] [ascii] [mono] [still | steps]   +, -, ], [ and c change the cap of the scene
 *
 * It is also the program under the tests that need a true terminal: it leaves by `q` twice, by a
 * terminal that hangs up, or after `for=SECONDS`. `beat=FILE` has it write a byte to FILE at each
 * turn of its loop, by which a test sees that a stalled terminal does not stop it. `crash` kills it
 * by a signal after the first frame.
 */
#include "base/clock.h"
#include "base/utf8.h"
#include "tests/ui_scenes.h"
#include "ui/crash.h"
#include "ui/dashboard.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME_MS 100
#define STEP_MS 10 /* steps need not be waited for */
#define START_US (UINT64_C(1969) * 1000000)

struct replay {
    enum ui_scene scene;
    unsigned cap;
    uint64_t end_us; /* TIME_NEVER: by key only */
    int beat_fd;     /* -1: none */
    bool crash, ended;
    bool still; /* time stands, so that a picture can be compared whenever it is looked at */
    bool steps; /* a tenth of a second a frame, however long that takes */
    uint64_t frames;
    struct snapshot snapshot;
};

static volatile sig_atomic_t resized, stopped, interrupted;

static void on_signal(int number)
{
    if (number == SIGWINCH) {
        resized = 1;
    } else if (number == SIGTSTP) {
        stopped = 1;
    } else {
        interrupted = 1;
    }
}

static void parse(struct replay *r, struct dashboard_options *options, const char *word)
{
    for (int i = 0; i < SCENE_COUNT; i++) {
        if (strcmp(word, ui_scene_name((enum ui_scene)i)) == 0) {
            r->scene = (enum ui_scene)i;
        }
    }
    if (strcmp(word, "ascii") == 0) {
        options->ascii = true;
    } else if (strcmp(word, "mono") == 0) {
        options->colour = false;
    } else if (strcmp(word, "still") == 0) {
        r->still = true;
    } else if (strcmp(word, "steps") == 0) {
        r->steps = true;
    } else if (strcmp(word, "crash") == 0) {
        r->crash = true;
    } else if (strncmp(word, "for=", 4) == 0) {
        r->end_us = (uint64_t)atoi(word + 4) * US_PER_S;
    } else if (strncmp(word, "beat=", 5) == 0) {
        r->beat_fd = open(word + 5, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
}

static void obey(struct replay *r, struct dashboard *d, const struct control *c)
{
    int64_t cap = r->cap;
    char reply[CONTROL_REPLY_MAX];

    switch (c->verb) {
    case CONTROL_CAP_ADD:
        cap += c->number;
        break;
    case CONTROL_CAP_SET:
        cap = c->number;
        break;
    case CONTROL_CAP_DOUBLE:
        cap *= 2;
        break;
    case CONTROL_CAP_HALVE:
        cap /= 2;
        break;
    case CONTROL_DRAIN:
        r->scene = SCENE_DRAINING;
        return;
    case CONTROL_ABORT:
        r->ended = true;
        return;
    case CONTROL_PAUSE:
        r->scene = r->scene == SCENE_PAUSED ? SCENE_RUNNING : SCENE_PAUSED;
        return;
    case CONTROL_NORMALISE:
        r->scene = r->scene == SCENE_NORMALISING ? SCENE_RUNNING : SCENE_NORMALISING;
        return;
    default:
        return;
    }
    r->cap = (unsigned)(cap < 1 ? 1 : cap > 1000 ? 1000 : cap);
    snprintf(reply, sizeof reply, "cap is now %u", r->cap);
    dashboard_message(d, reply);
}

static void take_commands(struct replay *r, struct dashboard *d)
{
    struct control commands[8];
    size_t count;

    while ((count = dashboard_input(d, r->snapshot.now_us, commands, 8)) > 0) {
        for (size_t i = 0; i < count; i++) {
            obey(r, d, &commands[i]);
        }
    }
}

static void take_signals(struct replay *r, struct dashboard *d)
{
    if (resized) {
        resized = 0;
        dashboard_resize(d);
    }
    if (stopped) {
        stopped = 0;
        dashboard_suspend(d);
        raise(SIGSTOP);
        dashboard_resume(d);
    }
    if (interrupted) {
        struct control c = dashboard_quit(d);

        interrupted = 0;
        obey(r, d, &c);
    }
}

static void live(struct replay *r, struct dashboard *d)
{
    struct clock clock = clock_system();
    uint64_t began_us = clock_now_us(&clock);

    while (!r->ended && !dashboard_gone(d)) {
        struct pollfd poll_fd = { .fd = dashboard_fd(d) };
        uint64_t passed_us = clock_now_us(&clock) - began_us;

        ui_scene_fill(&r->snapshot, r->scene, r->cap,
                      START_US + (r->still   ? 0
                                  : r->steps ? r->frames++ * FRAME_MS * US_PER_MS
                                             : passed_us));
        take_signals(r, d);
        dashboard_draw(d, &r->snapshot);
        if (r->crash) {
            abort();
        }
        if (r->beat_fd >= 0 && write(r->beat_fd, ".", 1) != 1) {
            r->ended = true;
        }
        r->ended = r->ended || passed_us >= r->end_us;
        poll_fd.events = (short)((dashboard_wants_read(d) ? POLLIN : 0) |
                                 (dashboard_wants_write(d) ? POLLOUT : 0));
        if (poll(&poll_fd, 1, r->steps ? STEP_MS : FRAME_MS) > 0) {
            dashboard_flush(d);
            take_commands(r, d);
        }
    }
}

int main(int argc, char **argv)
{
    static struct replay r = {
        .scene = SCENE_RUNNING, .cap = 24, .end_us = TIME_NEVER, .beat_fd = -1
    };
    struct sigaction action = { .sa_handler = on_signal };
    static const int signals[] = { SIGWINCH, SIGTSTP, SIGINT, SIGTERM };
    struct dashboard_options options;
    struct dashboard *d;
    struct err err;

    setlocale(LC_CTYPE, "");
    options = dashboard_options_environment();
    options.verbs = ~(DASHBOARD_VERB(CONTROL_SEEK) | DASHBOARD_VERB(CONTROL_LEAVE));
    for (int i = 1; i < argc; i++) {
        parse(&r, &options, argv[i]);
    }
    utf8_set_ascii(options.ascii);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        sigaction(signals[i], &action, NULL);
    }
    signal(SIGHUP, SIG_IGN);
    crash_install();
    if (dashboard_new(&d, &options, &err) != RESULT_OK) {
        fprintf(stderr, "ui_replay: %s: %s\n", err.code, err.text);
        return 2;
    }
    live(&r, d);
    dashboard_free(d);
    return 0;
}
