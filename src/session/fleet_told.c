#include "session/fleet_told.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/json_write.h"
#include "base/say.h"
#include "base/units.h"
#include "history/json_print.h"
#include "session/fleet_talk.h"
#include "ui/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_BYTES ((size_t)1 << 20) /* of jobs in one Redis */

static const char *state_word(const struct fleet_overview *o)
{
    return o->is_over              ? "done"
           : !o->live              ? "at rest"
           : o->settings.is_paused ? "paused"
           : !o->is_open           ? "counting the workers"
                                   : "at work";
}

static const char *worker_word(const struct fleet_worker *w)
{
    return w->is_live ? "at work" : w->has_left ? "ended" : "gone";
}

/* HOST:/PATH in two; the path is empty when there is none. */
static struct str host_of(const struct fleet_worker *w, struct str *path)
{
    *path = str_view(w->who);
    return str_cut(path, ':');
}

/* --- for people -------------------------------------------------------------------------------------------- */

static void print_workers(const struct fleet_overview *o)
{
    size_t width = strlen("WORKER");

    for (size_t i = 0; i < o->worker_count; i++) {
        size_t len = strlen(o->workers[i].name);

        width = len > width ? len : width;
    }
    if (o->worker_count) {
        say(stdout,
            "  %-*s  %-7s  IN FLIGHT   REQ/S        OK  FAILED   FOUND     HEARD  DIRECTORY",
            (int)width, "WORKER", "STATE");
    }
    for (size_t i = 0; i < o->worker_count; i++) {
        const struct fleet_worker *w = &o->workers[i];
        char ok[UNITS_TEXT_MAX], heard[UNITS_TEXT_MAX];

        units_format_whole(w->said.ok, ok);
        units_format_time(w->heard_ms * US_PER_MS, heard);
        say(stdout, "  %-*s  %-7s  %9llu %7.1f %9s %7llu %7llu  %8s  %s", (int)width, w->name,
            worker_word(w), (unsigned long long)w->in_flight, (double)w->said.milli_per_s / 1000,
            ok, (unsigned long long)w->said.failed, (unsigned long long)w->outbox, heard, w->who);
    }
    if (o->count > o->worker_count) {
        say(stdout, "  and %zu more that were heard before", o->count - o->worker_count);
    }
}

static void print_overview(const struct fleet_place *place, const struct fleet_overview *o)
{
    char done[UNITS_TEXT_MAX], total[UNITS_TEXT_MAX], rate[UNITS_TEXT_MAX];

    units_format_whole(o->done, done);
    units_format_whole(o->total, total);
    units_format_rate(o->settings.rate, rate);
    say(stdout, "fleet     %s: %s", place->job, state_word(o));
    say(stdout, "plan      %s of %s requests of the plan are done, %d %%", done, total,
        o->total ? (int)((double)o->done * 100 / (double)o->total) : 100);
    say(stdout, "pace      cap %u, rate %s, of all workers together%s", o->settings.cap, rate,
        o->settings.is_paused ? "; paused" : "");
    if (o->found) {
        say(stdout, "found     %llu more that no worker has begun", (unsigned long long)o->found);
    }
    if (o->waits_for[0]) {
        say(stdout,
            "waits     for what %s alone knows of: start it again, or scrapetop fleet forget",
            o->waits_for);
    }
    say(stdout, "workers   %u at work, %u not", o->live,
        o->count > o->live ? o->count - o->live : 0);
    print_workers(o);
}

/* --- for scripts ---------------------------------------------------------------------------------------------- */

static void write_worker(struct json_writer *j, const struct fleet_worker *w)
{
    struct str path, host = host_of(w, &path);

    json_write_object(j, NULL);
    json_write_text(j, "name", str_view(w->name));
    json_write_text(j, "state", str_view(worker_word(w)));
    json_write_text(j, "host", host);
    json_write_text(j, "run", path);
    json_write_known(j, "pid", w->said.pid, w->said.pid > 0);
    json_write_uint(j, "in_flight", w->in_flight);
    json_write_fixed(j, "requests_per_s", (int64_t)w->said.milli_per_s, 3);
    json_write_uint(j, "ok", w->said.ok);
    json_write_uint(j, "failed", w->said.failed);
    json_write_uint(j, "waiting", w->said.waiting);
    json_write_uint(j, "leases", w->leases);
    json_write_uint(j, "found_not_done", w->outbox);
    json_write_fixed(j, "heard_ago_s", (int64_t)w->heard_ms, 3);
    json_write_object_end(j);
}

static void write_overview(struct json_writer *j, const char *job, const struct fleet_overview *o)
{
    char rate[UNITS_TEXT_MAX];

    units_format_rate(o->settings.rate, rate);
    json_write_object(j, NULL);
    json_write_text(j, "job", str_view(job));
    json_write_text(j, "state", str_view(state_word(o)));
    json_write_uint(j, "planned", o->total);
    json_write_uint(j, "done", o->done);
    json_write_uint(j, "found_not_begun", o->found);
    json_write_uint(j, "cap", o->settings.cap);
    json_write_text(j, "rate", str_view(rate));
    json_write_bool(j, "paused", o->settings.is_paused);
    json_write_text(j, "waits_for", str_view(o->waits_for));
    json_write_uint(j, "live", o->live);
    json_write_array(j, "workers");
    for (size_t i = 0; i < o->worker_count; i++) {
        write_worker(j, &o->workers[i]);
    }
    json_write_array_end(j);
    json_write_object_end(j);
}

static enum result print_json(const char *job, const struct fleet_overview *o, struct err *err)
{
    struct buf text = { 0 };
    struct json_writer j = json_write_begin(&text);

    write_overview(&j, job, o);
    if (j.result == RESULT_OK) {
        json_print(stdout, &j);
        fputc('\n', stdout);
    }
    buf_release(&text);
    return j.result == RESULT_OK ? RESULT_OK : err_nomem(err, "writing JSON");
}

/* --- the calls -------------------------------------------------------------------------------------------------- */

static enum result look(struct fleet_talk *t, const char *url, struct fleet_overview *o,
                        struct err *err)
{
    enum result result = fleet_talk_open(t, url, true, err);

    *o = (struct fleet_overview){ .workers = NULL };
    return result == RESULT_OK ? fleet_look(t->client, &t->place, o, err) : result;
}

enum result fleet_told_status(const char *url, bool json, struct err *err)
{
    struct fleet_talk t;
    struct fleet_overview o;
    enum result result = look(&t, url, &o, err);

    if (result == RESULT_OK && json) {
        result = print_json(t.place.job, &o, err);
    } else if (result == RESULT_OK) {
        print_overview(&t.place, &o);
    }
    fleet_overview_release(&o);
    fleet_talk_close(&t);
    return result;
}

enum result fleet_told_check(const char *url, int *code, struct err *err)
{
    struct fleet_talk t;
    struct fleet_overview o;
    enum result result = look(&t, url, &o, err);

    if (result == RESULT_OK) {
        *code = o.is_over || o.live ? EXIT_WELL : EXIT_NOT_LIVE;
        if (*code != EXIT_WELL) {
            say(stderr, "scrapetop: no worker is at the fleet %s", t.place.job);
        }
    }
    fleet_overview_release(&o);
    fleet_talk_close(&t);
    return result;
}

static enum result obey_words(struct fleet_talk *t, struct str words,
                              const struct fleet_overview *o, struct snapshot *s, struct err *err)
{
    struct buf answer = { 0 };
    struct control control;
    char reply[CONTROL_REPLY_MAX] = "";
    enum words what;
    enum result result = RESULT_OK;

    fleet_talk_fill(o, s);
    what = words_read(words, s, fleet_talk_verbs(), &control, &answer);
    if (what == WORDS_REFUSED) {
        result = err_set(err, RESULT_INVALID, "E-CTL1", "%.*s",
                         (int)strcspn(buf_cstr(&answer) ? buf_cstr(&answer) : "", "\n"),
                         buf_cstr(&answer) ? buf_cstr(&answer) : "");
    } else if (what == WORDS_ANSWERED) {
        fwrite(answer.data ? answer.data : "", 1, answer.len, stdout);
    } else {
        const struct fleet_seen seen = { .cap = s->cap, .is_paused = s->state == RUN_PAUSED };

        result = fleet_talk_obey(t, &control, &seen, reply, err);
    }
    if (result == RESULT_OK && reply[0]) {
        say(stdout, "%s", reply);
    }
    buf_release(&answer);
    return result;
}

enum result fleet_told_words(const char *url, struct str words, struct err *err)
{
    struct fleet_talk t;
    struct fleet_overview o;
    struct snapshot *s = calloc(1, sizeof *s);
    enum result result = look(&t, url, &o, err);

    if (result == RESULT_OK) {
        result = s ? obey_words(&t, words, &o, s, err) : err_nomem(err, "telling the fleet");
    }
    free(s);
    fleet_overview_release(&o);
    fleet_talk_close(&t);
    return result;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_job(const char *name, const struct fleet_overview *o, size_t width)
{
    char done[UNITS_TEXT_MAX], total[UNITS_TEXT_MAX];

    units_format_whole(o->done, done);
    units_format_whole(o->total, total);
    say(stdout, "%-*s  %-20s  %13s of %13s  %u of %u workers", (int)width, name, state_word(o),
        done, total, o->live, o->count);
}

/* One that was removed meanwhile, or is none of ours, is passed over. */
static enum result tell_job(struct fleet_talk *t, const char *name, size_t width, bool json,
                            struct err *err)
{
    struct fleet_overview o = { .workers = NULL };
    enum result result;

    snprintf(t->place.job, sizeof t->place.job, "%s", name);
    result = fleet_look(t->client, &t->place, &o, err);
    if (result == RESULT_OK && json) {
        result = print_json(name, &o, err);
    } else if (result == RESULT_OK) {
        print_job(name, &o, width);
    }
    fleet_overview_release(&o);
    return result == RESULT_NOT_FOUND ? RESULT_OK : result;
}

static enum result tell_jobs(struct fleet_talk *t, struct str names, bool json, struct err *err)
{
    size_t room = 0, count = 0, width = 0;
    enum result result = RESULT_OK;
    char **list;

    for (size_t i = 0; i < names.len; i++) {
        room += names.data[i] == '\n';
    }
    list = calloc(room + 1, sizeof *list);
    if (!list) {
        return err_nomem(err, "listing jobs");
    }
    while (names.len && count < room) {
        struct str name = str_cut(&names, '\n');

        list[count] = strndup(name.data, name.len);
        if (!list[count]) {
            result = err_nomem(err, "listing jobs");
            break;
        }
        width = name.len > width ? name.len : width;
        count++;
    }
    qsort(list, count, sizeof *list, compare_names);
    for (size_t i = 0; i < count && result == RESULT_OK; i++) {
        if (i == 0 || strcmp(list[i], list[i - 1]) != 0) { /* Redis may name one twice */
            result = tell_job(t, list[i], width, json, err);
        }
    }
    for (size_t i = 0; i < count; i++) {
        free(list[i]);
    }
    free(list);
    return result;
}

enum result fleet_told_jobs(const char *url, bool json, struct err *err)
{
    struct fleet_talk t;
    struct buf names = { .max = NAMES_BYTES };
    char job[FLEET_NAME_MAX];
    enum result result = fleet_talk_open(&t, url, false, err);

    if (result == RESULT_OK && t.place.job[0]) {
        memcpy(job, t.place.job, sizeof job);
        result = tell_job(&t, job, strlen(job), json, err);
    } else if (result == RESULT_OK) {
        result = fleet_jobs(t.client, &t.place, &names, err);
        if (result == RESULT_OK && !names.len) {
            say(stderr, "scrapetop: no fleet has a job in this Redis");
        }
        if (result == RESULT_OK) {
            result = tell_jobs(&t, buf_view(&names), json, err);
        }
    }
    buf_release(&names);
    fleet_talk_close(&t);
    return result;
}

/* --- what cannot be taken back ------------------------------------------------------------------------------------ */

static const struct fleet_worker *find_worker(const struct fleet_overview *o, const char *name)
{
    for (size_t i = 0; i < o->worker_count; i++) {
        if (strcmp(o->workers[i].name, name) == 0) {
            return &o->workers[i];
        }
    }
    return NULL;
}

enum result fleet_told_forget(const char *url, const char *worker, bool is_sure, struct err *err)
{
    struct fleet_talk t;
    struct fleet_overview o;
    enum result result = look(&t, url, &o, err);
    const struct fleet_worker *w = result == RESULT_OK ? find_worker(&o, worker) : NULL;
    char settled[48] = "all requests"; /* of one that is not listed */

    if (w) {
        snprintf(settled, sizeof settled, "%llu requests",
                 (unsigned long long)(w->said.ok + w->said.failed));
    }
    if (result == RESULT_OK) {
        result = fleet_forget(t.client, &t.place, worker, is_sure, err);
    }
    if (result == RESULT_OK && !is_sure) {
        result = err_set(err, RESULT_INVALID, "E-FLEET7",
                         "of %s that %s has settled, those that no other worker has "
                         "would be asked again, as would be those of other workers that are not "
                         "at work now; --yes does it",
                         settled, worker);
    } else if (result == RESULT_OK) {
        say(stdout, "forgot %s: what it alone had is asked again", worker);
    }
    fleet_overview_release(&o);
    fleet_talk_close(&t);
    return result;
}

enum result fleet_told_remove(const char *url, bool is_sure, struct err *err)
{
    struct fleet_talk t;
    struct fleet_overview o = { .workers = NULL };
    enum result result = is_sure ? fleet_talk_open(&t, url, true, err) /* whatever is left of it */
                                 : look(&t, url, &o, err);

    if (result == RESULT_OK) {
        result = fleet_remove(t.client, &t.place, is_sure, err);
    }
    if (result == RESULT_OK && !is_sure) {
        result = err_set(err, RESULT_INVALID, "E-FLEET7",
                         "%s would be taken out of this Redis: %llu of %llu requests of its plan "
                         "are done, which the run directories keep; --yes does it",
                         t.place.job, (unsigned long long)o.done, (unsigned long long)o.total);
    } else if (result == RESULT_OK) {
        say(stdout, "removed %s", t.place.job);
    }
    fleet_overview_release(&o);
    fleet_talk_close(&t);
    return result;
}
