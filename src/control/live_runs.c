#include "control/live_runs.h"

#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/say.h"
#include "base/units.h"
#include "control/control_client.h"
#include "control/snapshot_json.h"
#include "control/socket_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS_MAX 1024
#define FRAME_WITHIN_MS 2000
#define EVERY_MS 1000

static void copy_text(struct str object, struct str pointer, char *to, size_t size)
{
    struct buf text = { 0 };
    struct str value;

    to[0] = '\0';
    if (json_find(object, pointer, &value) &&
        json_unescape(&text, json_string_raw(value), NULL) == RESULT_OK && text.len < size) {
        memcpy(to, text.data, text.len);
        to[text.len] = '\0';
    }
    buf_release(&text);
}

/* False: no run answers there. */
static bool ask(const char *path, struct live_run *run)
{
    const struct control_hello hello = { "totals", EVERY_MS, .is_viewer = true };
    struct control_client c;
    struct str line, totals;
    bool answered = false;

    if (control_client_connect(&c, path, NULL) == RESULT_OK &&
        control_client_hello(&c, &hello, &line, NULL) == RESULT_OK) {
        copy_text(line, STR("/run"), run->dir, sizeof run->dir);
        while (!answered) {
            if (control_client_line(&c, &line)) {
                answered = json_find(line, STR("/totals"), &totals);
            } else if (control_client_read(&c, FRAME_WITHIN_MS, NULL) != RESULT_OK) {
                break;
            }
        }
    }
    if (answered) {
        snapshot_json_read_all(totals, run->now);
    }
    control_client_close(&c);
    return answered;
}

struct search {
    struct live_runs *found;
    bool has_memory;
};

static bool look_at(void *context, pid_t pid, const char *path)
{
    struct search *search = context;
    struct live_runs *found = search->found;
    struct live_run *runs = realloc(found->runs, (found->count + 1) * sizeof *runs);
    struct live_run *run;

    search->has_memory = runs != NULL;
    if (!runs) {
        return false;
    }
    found->runs = runs;
    run = &runs[found->count];
    *run = (struct live_run){ .pid = pid, .now = malloc(sizeof *run->now) };
    snprintf(run->socket, sizeof run->socket, "%s", path);
    if (run->now && ask(path, run)) {
        found->count++;
    } else {
        search->has_memory = run->now != NULL;
        free(run->now);
    }
    return search->has_memory && found->count < RUNS_MAX;
}

static int by_pid(const void *a, const void *b)
{
    const struct live_run *one = a, *other = b;

    return (one->pid > other->pid) - (one->pid < other->pid);
}

enum result live_runs_find(struct live_runs *found, struct err *err)
{
    struct search search = { found, true };

    *found = (struct live_runs){ .runs = NULL };
    socket_place_each(look_at, &search);
    if (!search.has_memory) {
        live_runs_release(found);
        return err_nomem(err, "looking for live runs");
    }
    if (found->count > 1) {
        qsort(found->runs, found->count, sizeof *found->runs, by_pid);
    }
    return RESULT_OK;
}

void live_runs_release(struct live_runs *found)
{
    for (size_t i = 0; i < found->count; i++) {
        free(found->runs[i].now);
    }
    free(found->runs);
    *found = (struct live_runs){ .runs = NULL };
}

static void print_row(const struct live_run *run)
{
    const struct snapshot *s = run->now;
    char done[64], eta[UNITS_TEXT_MAX] = "-", limit[LIMIT_TEXT_MAX];

    if (s->total_known) {
        snprintf(done, sizeof done, "%llu/%llu", (unsigned long long)(s->ok + s->failed),
                 (unsigned long long)s->total);
    } else {
        snprintf(done, sizeof done, "%llu", (unsigned long long)(s->ok + s->failed));
    }
    if (s->eta_known) {
        units_format_time(s->eta_high_us, eta);
    }
    limit_words(&s->limit, NULL, limit);
    say(stdout, "%-8ld %-12s %-17s %8.1f/s %-8s %-28.28s %s", (long)run->pid,
        run_state_word(s->state), done, s->requests_per_s, eta, limit[0] ? limit : "-", run->dir);
}

static void print_json(const struct live_run *run)
{
    struct buf line = { 0 };

    if (buf_printf(&line, "{\"pid\":%ld,\"dir\":", (long)run->pid) == RESULT_OK &&
        json_text_append(&line, str_view(run->dir)) == RESULT_OK &&
        buf_append_str(&line, STR(",\"totals\":")) == RESULT_OK &&
        snapshot_json_write(&line, &totals_fields, run->now) == RESULT_OK &&
        buf_append_str(&line, STR("}\n")) == RESULT_OK) {
        say_json(stdout, buf_view(&line));
    }
    buf_release(&line);
}

void live_runs_print(const struct live_runs *found, bool json)
{
    if (found->count && !json) {
        say(stdout, "%-8s %-12s %-17s %10s %-8s %-28s %s", "PID", "STATE", "DONE", "RATE", "ETA",
            "LIMITED BY", "RUN");
    }
    for (size_t i = 0; i < found->count; i++) {
        if (json) {
            print_json(&found->runs[i]);
        } else {
            print_row(&found->runs[i]);
        }
    }
}
