#include "session/session_socket.h"

#include "ui/words.h"

#include <stdlib.h>

static void look(void *context, struct snapshot *snapshot)
{
    struct session_socket *s = context;

    if (!s->is_ending) { /* else the last one stands */
        engine_snapshot(*s->engine, snapshot);
        snapshot->attached = control_server_watchers(s->server);
    }
}

static void look_at_detail(void *context, uint64_t id, struct snapshot_detail *detail)
{
    struct session_socket *s = context;

    if (!s->is_ending) {
        engine_detail(*s->engine, id, detail);
    }
}

static bool obey_words(void *context, struct str words, const char *who, struct buf *reply)
{
    struct session_socket *s = context;
    char said[CONTROL_REPLY_MAX] = "";
    struct control control;
    enum words meaning;
    bool is_good;

    if (s->is_ending) {
        (void)!buf_append_str(reply, STR("the run is ending"));
        return false;
    }
    engine_snapshot(*s->engine, s->snapshot);
    meaning = words_read(words, s->snapshot, engine_verbs(), &control, reply);
    if (meaning != WORDS_COMMAND) {
        return meaning == WORDS_ANSWERED;
    }
    is_good = s->obey(s->context, &control, said);
    if (!s->is_ending && is_good) {
        engine_note_steered(*s->engine, who, words, said);
    }
    return buf_append_str(reply, said[0] ? str_view(said) : STR("done")) == RESULT_OK && is_good;
}

static void put_report(void *context, struct buf *json)
{
    struct session_socket *s = context;
    struct report report = { .exit = EXIT_WELL };

    if (s->is_ending) {
        return;
    }
    engine_report(*s->engine, &report);
    if (report_json(&report, json) != RESULT_OK) {
        buf_reset(json);
    }
    report_release(&report);
}

static void watched(void *context, unsigned drivers)
{
    struct session_socket *s = context;

    if (s->is_attended != (drivers > 0) && !s->is_ending) {
        s->is_attended = drivers > 0;
        s->attended(s->context, s->is_attended);
    }
}

static void on_closed(void *context)
{
    struct session_socket *s = context;

    s->server = NULL;
    free(s->snapshot);
    s->snapshot = NULL;
    s->closed(s->context);
}

bool session_socket_open(struct session_socket *s, uv_loop_t *loop, const struct run_dir *dir,
                         const char *job, struct err *err)
{
    static const struct control_calls calls = { look, look_at_detail, obey_words, put_report,
                                                watched };
    struct control_server_options options = {
        .loop = loop, .clock = clock_system(), .dir = dir, .job = job, .calls = &calls, .context = s
    };

    s->snapshot = malloc(sizeof *s->snapshot);
    if (!s->snapshot) {
        err_nomem(err, "opening the control socket");
        return false;
    }
    if (control_server_new(&s->server, &options, err) != RESULT_OK) {
        s->server = NULL;
        free(s->snapshot);
        s->snapshot = NULL;
        return false;
    }
    return true;
}

void session_socket_event(struct session_socket *s, struct str line)
{
    control_server_event(s->server, line);
}

void session_socket_close(struct session_socket *s, const struct report *report)
{
    struct buf json = { 0 };

    if (!s->server) {
        if (s->closed) { /* else the session ended before it was opened */
            s->closed(s->context);
        }
        return;
    }
    if (report_json(report, &json) != RESULT_OK) {
        buf_reset(&json);
    }
    control_server_close(s->server, (int)report->exit, buf_view(&json), on_closed);
    buf_release(&json);
}
