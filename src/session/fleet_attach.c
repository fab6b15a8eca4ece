#include "session/fleet_attach.h"

#include "base/exit_code.h"
#include "base/say.h"
#include "session/fleet_talk.h"
#include "session/viewing.h"

#include <stdio.h>
#include <string.h>

#define LOOK_US US_PER_S
#define ORDERS_MAX 16

/* What the pool's thread has while `is_under_way`. */
struct call {
    struct control order; /* CONTROL_NONE: only to look */
    struct fleet_seen seen;
    char reply[CONTROL_REPLY_MAX];
    struct err refused; /* the order */
    struct fleet_overview overview;
    enum result result; /* of the look */
    struct err err;
};

struct fleet_viewer {
    struct fleet_talk talk;
    struct viewing view;
    uv_work_t work;
    bool is_under_way, is_over;
    struct call call;
    struct fleet_overview last;        /* what is shown, of more workers than a snapshot has */
    struct control orders[ORDERS_MAX]; /* the oldest first */
    size_t order_count;
    uint64_t looked_us, counted_us, ok_then, failed_then;
    uint64_t serial; /* of events */
    char host[UV_MAXHOSTNAMESIZE];
    char visit[FLEET_WHO_MAX]; /* whose dashboard is wanted; or empty */
};

/* --- what is shown --------------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void
add_event(struct fleet_viewer *v, enum event_level level, const char *format, ...)
{
    struct snapshot *s = v->view.snapshot;
    struct snapshot_event *e = &s->events[0];
    va_list args;

    memmove(e + 1, e, (SNAPSHOT_EVENTS_MAX - 1) * sizeof *e);
    *e = (struct snapshot_event){ .serial = ++v->serial,
                                  .repeats = 1,
                                  .wall_us = clock_wall_us(&v->view.clock),
                                  .level = level };
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    s->event_count += s->event_count < SNAPSHOT_EVENTS_MAX;
}

static const struct fleet_worker *find(const struct fleet_overview *o, const char *name)
{
    for (size_t i = 0; i < o->worker_count; i++) {
        if (strcmp(o->workers[i].name, name) == 0) {
            return &o->workers[i];
        }
    }
    return NULL;
}

/* What has changed since the look before. */
static void tell_changes(struct fleet_viewer *v, const struct fleet_overview *o)
{
    const struct snapshot *s = v->view.snapshot;

    for (size_t i = 0; i < o->worker_count; i++) {
        const struct fleet_worker *w = &o->workers[i], *before = find(&v->last, w->name);
        enum worker_state state = fleet_talk_worker_state(w);

        if (before ? fleet_talk_worker_state(before) == state : state != WORKER_AT_WORK) {
            continue;
        }
        add_event(v, state == WORKER_GONE ? EVENT_WARNING : EVENT_INFO, "%.64s %s", w->name,
                  state == WORKER_AT_WORK ? "joined"
                  : state == WORKER_ENDED ? "ended"
                                          : "is silent for longer than its lease");
    }
    if (s->cap != o->settings.cap) {
        add_event(v, EVENT_NOTICE, "cap %u -> %u of the fleet", s->cap, o->settings.cap);
    }
}

/* A second of history. */
static void count_second(struct fleet_viewer *v, uint64_t now_us)
{
    struct snapshot *s = v->view.snapshot;

    if (v->counted_us) {
        memmove(&s->seconds[1], &s->seconds[0], (SNAPSHOT_SECONDS - 1) * sizeof s->seconds[0]);
        s->seconds[0] = (struct snapshot_second){
            .done = (uint32_t)(s->ok > v->ok_then ? s->ok - v->ok_then : 0),
            .failed = (uint32_t)(s->failed > v->failed_then ? s->failed - v->failed_then : 0),
            .cap = s->cap,
            .in_flight = (uint32_t)s->in_flight,
        };
        s->second_count += s->second_count < SNAPSHOT_SECONDS;
    }
    v->counted_us = now_us;
    v->ok_then = s->ok;
    v->failed_then = s->failed;
}

/* Takes it. */
static void show(struct fleet_viewer *v, const struct fleet_overview *o)
{
    struct snapshot *s = v->view.snapshot;
    uint64_t now_us = clock_now_us(&v->view.clock);

    if (v->view.has_snapshot) {
        tell_changes(v, o);
    }
    fleet_talk_fill(o, s);
    snprintf(s->name, sizeof s->name, "%s", v->talk.place.job);
    s->wall_us = clock_wall_us(&v->view.clock);
    s->trouble[0] = '\0';
    if (o->waits_for[0] && o->live) {
        snprintf(s->trouble, sizeof s->trouble, "%.64s is gone, and alone knows of work",
                 o->waits_for);
    }
    if (now_us - v->counted_us >= LOOK_US) {
        count_second(v, now_us);
    }
    v->view.has_snapshot = true;
    v->is_over = o->is_over;
    fleet_overview_release(&v->last);
    v->last = *o;
}

/* --- talking to Redis -------------------------------------------------------------------------------------- */

static void on_work(uv_work_t *work)
{
    struct fleet_viewer *v = work->data;
    struct call *c = &v->call;

    c->refused.result = RESULT_OK;
    if (c->order.verb != CONTROL_NONE &&
        fleet_talk_obey(&v->talk, &c->order, &c->seen, c->reply, &c->refused) == RESULT_OK) {
        c->refused.result = RESULT_OK;
    }
    c->result = fleet_look(v->talk.client, &v->talk.place, &c->overview, &c->err);
}

static void ask(struct fleet_viewer *v);

static void on_answer(uv_work_t *work, int status)
{
    struct fleet_viewer *v = work->data;
    struct call *c = &v->call;

    (void)status;
    v->is_under_way = false;
    if (!v->view.closing && c->order.verb != CONTROL_NONE) {
        viewing_message(&v->view, c->refused.result == RESULT_OK ? c->reply : c->refused.text);
    }
    if (!v->view.closing && c->result == RESULT_OK) {
        show(v, &c->overview);
    } else if (!v->view.closing) {
        snprintf(v->view.snapshot->trouble, sizeof v->view.snapshot->trouble, "%.150s",
                 c->err.text);
    }
    if (v->view.closing && c->result == RESULT_OK) {
        fleet_overview_release(&c->overview);
    }
    if (!v->view.closing && v->is_over) {
        viewing_leave(&v->view);
    } else if (!v->view.closing && v->order_count) {
        ask(v);
    }
}

/* Tells the oldest order, if there is one, and looks. */
static void ask(struct fleet_viewer *v)
{
    const struct snapshot *s = v->view.snapshot;

    v->looked_us = clock_now_us(&v->view.clock);
    v->call.order = (struct control){ .verb = CONTROL_NONE };
    v->call.seen = (struct fleet_seen){ .cap = s->cap, .is_paused = s->state == RUN_PAUSED };
    if (v->order_count) {
        v->call.order = v->orders[0];
        memmove(&v->orders[0], &v->orders[1], --v->order_count * sizeof v->orders[0]);
    }
    v->work.data = v;
    v->is_under_way = uv_queue_work(&v->view.loop, &v->work, on_work, on_answer) == 0;
}

static void on_frame(void *context, uint64_t now_us)
{
    struct fleet_viewer *v = context;

    if (!v->is_under_way && now_us - v->looked_us >= LOOK_US) {
        ask(v);
    }
}

/* --- keys ------------------------------------------------------------------------------------------------------ */

static void visit(struct fleet_viewer *v, const char *name)
{
    const struct snapshot *s = v->view.snapshot;
    char text[CONTROL_REPLY_MAX];

    for (size_t i = 0; i < s->worker_count; i++) {
        const struct snapshot_worker *w = &s->workers[i];

        if (strcmp(w->name, name) != 0) {
            continue;
        }
        if (strcmp(w->host, v->host) == 0 && w->run[0] == '/') {
            snprintf(v->visit, sizeof v->visit, "%s", w->run);
            viewing_leave(&v->view);
            return;
        }
        snprintf(text, sizeof text, "it is on another machine: scrapetop attach %.60s:%.60s",
                 w->host, w->run);
        viewing_message(&v->view, text);
    }
}

static void on_order(void *context, const struct control *control)
{
    struct fleet_viewer *v = context;

    if (control->verb == CONTROL_LEAVE) {
        viewing_leave(&v->view);
    } else if (control->verb == CONTROL_VISIT) {
        visit(v, control->text);
    } else if (v->order_count < ORDERS_MAX) {
        v->orders[v->order_count++] = *control;
        if (!v->is_under_way) {
            ask(v);
        }
    } else {
        viewing_message(&v->view, "Redis has not answered yet");
    }
}

static void on_leaving(void *context)
{
    (void)context; /* a call under way is waited for */
}

/* --- begin --------------------------------------------------------------------------------------------- */

/* One screen, until it is left. */
static enum result look_at(struct fleet_viewer *v, const struct attach_options *options,
                           struct err *err)
{
    static const struct viewing_calls calls = { .obey = on_order,
                                                .frame = on_frame,
                                                .leaving = on_leaving };
    uint32_t verbs = DASHBOARD_VERB(CONTROL_LEAVE) | DASHBOARD_VERB(CONTROL_VISIT);
    struct fleet_overview overview;
    enum result result = viewing_begin(&v->view, &calls, v, err);

    if (result == RESULT_OK) {
        result = fleet_look(v->talk.client, &v->talk.place, &overview, err);
    }
    if (result == RESULT_OK) {
        show(v, &overview);
        v->looked_us = clock_now_us(&v->view.clock);
        if (!options->read_only) {
            verbs |= fleet_talk_verbs();
        }
        result = viewing_open(&v->view, options->plain, verbs, err);
        if (result == RESULT_OK && v->is_over) {
            viewing_leave(&v->view);
        }
        viewing_run(&v->view);
    }
    return result;
}

static enum result look_until_left(struct fleet_viewer *v, const struct attach_options *options,
                                   int *exit, struct err *err)
{
    enum result result;

    do {
        struct attach_options its = { .run = v->visit, .read_only = options->read_only };

        v->visit[0] = '\0';
        v->order_count = 0;
        v->counted_us = 0;
        result = look_at(v, options, err);
        if (result == RESULT_OK && v->is_over) {
            *exit = v->view.snapshot->failed ? EXIT_INCOMPLETE : EXIT_WELL;
        }
        viewing_end(&v->view);
        fleet_overview_release(&v->last);
        if (result == RESULT_OK && v->visit[0] && attach_run(&its, exit, err) != RESULT_OK) {
            say(stderr, "scrapetop: %s", err->text); /* it has ended meanwhile, perhaps */
        }
    } while (result == RESULT_OK && v->visit[0] && !v->is_over);
    return result;
}

enum result fleet_attach(const struct attach_options *options, int *exit, struct err *err)
{
    struct fleet_viewer v = { .is_over = false };
    size_t len = sizeof v.host;
    enum result result = fleet_talk_open(&v.talk, options->run, true, err);

    (void)uv_os_gethostname(v.host, &len);
    *exit = EXIT_WELL;
    if (result == RESULT_OK) {
        result = look_until_left(&v, options, exit, err);
    }
    if (result == RESULT_OK) {
        say(stderr,
            v.is_over ? "scrapetop: all of the job is done" : "scrapetop: left; the fleet goes on");
    }
    fleet_talk_close(&v.talk);
    return result;
}
