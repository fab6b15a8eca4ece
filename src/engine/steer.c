/*
 * Steer: what a user does by hand to single requests and hosts.
 */
#include "base/units.h"
#include "base/utf8.h"
#include "engine/engine_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILED_IDS_MAX                                                                             \
    (1U << 20) /* 24 MB; beyond these a failed request is asked again by a new run */

/* --- what has failed ------------------------------------------------------------------------------ */

/* The row of that class, made when there is none; NULL when there are too many. */
static struct failure_kind *kind_of(struct engine *e, struct failure why)
{
    struct failure_kind *kind;

    for (size_t i = 0; i < e->failure_count; i++) {
        if (failure_equal(e->failures[i].why, why)) {
            return &e->failures[i];
        }
    }
    if (e->failure_count == ENGINE_FAILURE_KINDS_MAX) {
        return NULL;
    }
    kind = &e->failures[e->failure_count++];
    *kind = (struct failure_kind){ .serial = ++e->failure_serial, .why = why };
    return kind;
}

/* Most frequent first. */
static void sort_classes(struct engine *e)
{
    for (size_t i = 1; i < e->failure_count; i++) {
        struct failure_kind kind = e->failures[i];
        size_t at = i;

        for (; at > 0 && e->failures[at - 1].count < kind.count; at--) {
            e->failures[at] = e->failures[at - 1];
        }
        e->failures[at] = kind;
    }
}

static void note_id(struct engine *e, struct failed_request failed)
{
    if (e->failed_id_count == e->failed_id_allocated) {
        size_t allocated = e->failed_id_allocated ? e->failed_id_allocated * 2 : 64;
        struct failed_request *ids =
            allocated <= FAILED_IDS_MAX ? realloc(e->failed_ids, allocated * sizeof *ids) : NULL;

        if (!ids) {
            return; /* it stays failed, as the count says */
        }
        e->failed_ids = ids;
        e->failed_id_allocated = allocated;
    }
    e->failed_ids[e->failed_id_count++] = failed;
}

/* `request`: its first one is the example; NULL: nobody has it. */
static void note_failed(struct engine *e, struct failed_request failed,
                        const struct request *request, struct failure why, const char *said)
{
    struct failure_kind *kind = kind_of(e, why);
    struct failed_one *one;

    if (kind) {
        if (!kind->count++ && request) {
            engine_request_text(e, request, kind->example);
            utf8_display(kind->said, sizeof kind->said, str_view(said), sizeof kind->said);
            kind->example_id = failed.id;
        }
        kind->last_us = engine_now_us(e);
    }
    failed.kind = kind ? kind->serial : 0;
    note_id(e, failed);
    one =
        failed_recent_add(&e->failed_recent, failed.id, why, failed.before ? 0 : engine_now_us(e));
    if (request) {
        engine_request_text(e, request, one->request);
        utf8_display(one->said, sizeof one->said, str_view(said), sizeof one->said);
    }
    sort_classes(e);
}

void steer_note_failed(struct engine *e, const struct request *request, const char *said)
{
    struct failed_request failed = { .id = request->id, .endpoint = (uint16_t)request->endpoint };

    if (request->last.failure.class == FAILURE_STATUS &&
        ban_is_refusal(request->last.failure.status)) {
        failed.refused_by = request->host + 1;
        failed.row = host_at(&e->hosts, request->host)->ban.rows;
    }
    note_failed(e, failed, request, request->last.failure, said);
}

void steer_restore_failed(struct engine *e, const struct ledger_row *row)
{
    struct failed_request failed = { .id = row->id,
                                     .endpoint = (uint16_t)row->endpoint,
                                     .before = true };
    struct failure why = row->last.failure;
    const struct failure_kind *kind;
    struct request *request = NULL;

    failed.chosen = follow_up_wants(&e->options.follow_up, why);
    kind = kind_of(e, why);
    if (kind && !kind->count && frontier_make(e->frontier, row->id, &request, NULL) != RESULT_OK) {
        request = NULL; /* a class without an example */
    }
    note_failed(e, failed, request, why, "");
    if (request) {
        frontier_forget(e->frontier, request);
    }
}

void steer_release(struct engine *e)
{
    free(e->failed_ids);
}

/* --- single requests, and hosts -------------------------------------------------------------------- */

static struct request *take(struct engine *e, uint64_t id, char reply[CONTROL_REPLY_MAX])
{
    struct request *request = engine_is_active(e) ? frontier_take(e->frontier, id) : NULL;

    if (!request) {
        snprintf(reply, CONTROL_REPLY_MAX, "it does not wait (any more)");
    }
    return request;
}

void steer_retry(struct engine *e, uint64_t id, char reply[CONTROL_REPLY_MAX])
{
    struct request *request = take(e, id, reply);
    char text[SNAPSHOT_REQUEST_TEXT], fields[32];

    if (request) {
        engine_request_text(e, request, text);
        snprintf(fields, sizeof fields, ",\"id\":%llu", (unsigned long long)id);
        events_add(&e->events, EVENT_NOTICE, "ask-again", fields, "%s asked again by you", text);
        frontier_urge(e->frontier, request);
        snprintf(reply, CONTROL_REPLY_MAX, "asked again as soon as there is a slot");
    }
}

/* One that waits, or whose transfer is then ended. */
void steer_drop(struct engine *e, uint64_t id, char reply[CONTROL_REPLY_MAX])
{
    struct request *request = engine_is_active(e) ? fetch_take(e->fetch, id) : NULL;

    if (request) {
        host_ended(&e->hosts, host_at(&e->hosts, request->host), request, HOST_END_OURS,
                   engine_now_us(e));
    } else {
        request = take(e, id, reply);
    }
    if (request) {
        snprintf(reply, CONTROL_REPLY_MAX, "%s",
                 judge_drop(e, request) == RESULT_OK ? "dropped" : "out of memory");
    }
}

static struct host *find_host(const struct engine *e, struct str label)
{
    for (uint32_t i = 0; i < e->hosts.count; i++) {
        struct host *host = host_at(&e->hosts, i);

        if (host->origin[0] && str_equal(host->label, label)) {
            return host;
        }
    }
    return NULL;
}

static void hold(struct engine *e, struct host *host, bool held)
{
    host_hold_user(host, held, engine_now_us(e));
    events_add_host(&e->events, EVENT_NOTICE, held ? "hold" : "release", host->label,
                    ",\"set_by\":\"user\"", "%.*s %s by you", STR_ARG(host->label),
                    held ? "held" : "released");
}

void steer_hold(struct engine *e, const char *label, char reply[CONTROL_REPLY_MAX])
{
    struct host *host = find_host(e, str_view(label));

    if (!host) {
        snprintf(reply, CONTROL_REPLY_MAX, "no such host is asked now");
        return;
    }
    hold(e, host, !host->hold_is_user);
    snprintf(reply, CONTROL_REPLY_MAX, "%.*s %s", STR_ARG(host->label),
             host->hold_is_user ? "held until you release it" : "released");
}

void steer_release_all(struct engine *e)
{
    for (uint32_t i = 0; i < e->hosts.count; i++) {
        struct host *host = host_at(&e->hosts, i);

        if (host->origin[0] && host->hold_is_user) {
            hold(e, host, false);
        }
    }
}

/* --- asking again what has failed ------------------------------------------------------------------ */

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = ((const struct failed_request *)a)->id, y = ((const struct failed_request *)b)->id;

    return x < y ? -1 : x > y;
}

static void forget_failure(struct engine *e, const struct failed_request *failed)
{
    uint64_t *count = failed->before ? &e->metrics.failed_before : &e->metrics.failed;

    *count -= *count > 0;
    e->ended_failed -= !failed->before && e->ended_failed > 0;
    accounts_revived(&e->accounts, failed->endpoint);
    for (size_t i = 0; i < e->failure_count; i++) {
        struct failure_kind *kind = &e->failures[i];

        if (kind->serial == failed->kind && --kind->count == 0) {
            e->failure_count--;
            memmove(kind, kind + 1, (e->failure_count - i) * sizeof *kind);
            return;
        }
    }
}

/* Which of them. Zeroed: all. */
struct asked_again {
    struct failure_choice choice;
    bool chosen_only;    /* by the options' follow-up */
    uint32_t refused_by; /* failed_request.refused_by; 0: whoever it was */
    uint32_t row;
};

/* What found no room among the classes is meant with all only. */
static bool is_meant(const struct engine *e, const struct failed_request *failed,
                     const struct asked_again *asked)
{
    if ((asked->chosen_only && !failed->chosen) ||
        (asked->refused_by &&
         (failed->refused_by != asked->refused_by || failed->row != asked->row))) {
        return false;
    }
    for (size_t i = 0; asked->choice.class != FAILURE_NONE && i < e->failure_count; i++) {
        if (e->failures[i].serial == failed->kind) {
            return failure_choice_has(&asked->choice, e->failures[i].why);
        }
    }
    return asked->choice.class == FAILURE_NONE;
}

static enum result ask_again(struct engine *e, uint64_t id)
{
    return id > frontier_seeds(e->frontier) ? discover_again(e, id)
                                            : frontier_again(e->frontier, id);
}

/* The ids are sorted. */
static bool is_still_failed(void *context, uint64_t id)
{
    const struct engine *e = context;
    const struct failed_request wanted = { .id = id };

    return e->failed_id_count &&
           bsearch(&wanted, e->failed_ids, e->failed_id_count, sizeof *e->failed_ids, compare_ids);
}

/* In the ledger they stay failed until they have ended anew, which overwrites them: whatever happens
 * before that loses nothing. */
static unsigned long long ask_failed(struct engine *e, const struct asked_again *asked)
{
    unsigned long long again = 0;
    size_t kept = 0;

    if (e->failed_id_count) {
        qsort(e->failed_ids, e->failed_id_count, sizeof *e->failed_ids, compare_ids);
    }
    for (size_t i = 0; i < e->failed_id_count; i++) {
        struct failed_request failed = e->failed_ids[i];

        if (!is_meant(e, &failed, asked) || ask_again(e, failed.id) != RESULT_OK) {
            e->failed_ids[kept++] = failed;
            continue;
        }
        forget_failure(e, &failed);
        again++;
    }
    e->failed_id_count = kept;
    failed_recent_keep(&e->failed_recent, is_still_failed, e);
    sort_classes(e);
    return again;
}

static bool has_failed(const struct engine *e, const struct failure_choice *choice)
{
    for (size_t i = 0; i < e->failure_count; i++) {
        if (failure_choice_has(choice, e->failures[i].why)) {
            return true;
        }
    }
    return choice->class == FAILURE_NONE && e->failed_id_count > 0;
}

#define ASKED_MAX 96

static void put_asked(const struct failure_choice *choice, unsigned long long count,
                      char fields[ASKED_MAX])
{
    char class[FAILURE_TEXT_MAX];

    failure_choice_format(choice, class);
    snprintf(fields, ASKED_MAX, ",\"count\":%llu,\"class\":\"%s\"", count, class);
}

void steer_retry_failed(struct engine *e, const char *class, char reply[CONTROL_REPLY_MAX])
{
    struct asked_again asked = { .refused_by = 0 };
    unsigned long long again;
    char fields[ASKED_MAX];

    if ((class[0] && !failure_choice_parse(str_view(class), &asked.choice)) ||
        !e->failed_id_count || !has_failed(e, &asked.choice)) {
        snprintf(reply, CONTROL_REPLY_MAX, "nothing has failed%s%s", class[0] ? " with " : "",
                 class);
        return;
    }
    if (!engine_revive(e)) {
        snprintf(reply, CONTROL_REPLY_MAX, "not any more: the run ends; resume it first");
        return;
    }
    again = ask_failed(e, &asked);
    put_asked(&asked.choice, again, fields);
    events_add(&e->events, EVENT_NOTICE, "ask-again", fields,
               "%llu failed request%s%s%s asked again by you", again, units_plural(again),
               class[0] ? " of " : "", class);
    snprintf(reply, CONTROL_REPLY_MAX, "%llu failed request%s asked again", again,
             again == 1 ? " is" : "s are");
}

unsigned long long steer_ask_refused(struct engine *e, uint32_t host, uint32_t row)
{
    return ask_failed(e, &(struct asked_again){ .refused_by = host + 1, .row = row });
}

void steer_follow_up(struct engine *e)
{
    const struct follow_up *f = &e->options.follow_up;
    unsigned long long again = ask_failed(e, &(struct asked_again){ .chosen_only = true });
    char class[FAILURE_TEXT_MAX], fields[ASKED_MAX];

    failure_choice_format(&f->class, class);
    put_asked(&f->class, again, fields);
    events_add(&e->events, EVENT_NOTICE, "ask-again", fields,
               "%llu failed request%s%s%s asked again%s", again, units_plural(again),
               class[0] ? " of " : "", class,
               f->kind == FOLLOW_UP_MISSING ? ", and what was begun on and has not come" : "");
}
