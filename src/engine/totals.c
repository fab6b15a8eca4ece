#include "engine/totals.h"

#include "base/json_scan.h"

#include <stdio.h>

#define LINE_DEPTH_MAX 8

static void add_mix(struct snapshot_status_mix *to, const struct snapshot_status_mix *from)
{
    to->ok += from->ok;
    to->redirect += from->redirect;
    to->client_error += from->client_error;
    to->throttled += from->throttled;
    to->server_error += from->server_error;
    to->network += from->network;
}

void totals_add(struct totals *t, const struct metrics *m, uint64_t logins)
{
    t->attempts += m->attempts;
    t->reused += m->reused;
    t->retried += m->retried;
    t->resent += m->resent;
    t->bytes += m->bytes;
    t->logins += logins;
    for (int i = 0; i < METRICS_STATUS_MAX; i++) {
        t->status[i] += m->status[i];
    }
    add_mix(&t->mix, &m->mix);
    hist_add(&t->latency, &m->latency);
}

void totals_note_ended(struct totals *ended, uint32_t attempts, int status)
{
    ended->attempts += attempts;
    ended->retried += attempts > 1 ? attempts - 1 : 0;
    if (attempts) {
        ended->status[status > 0 && status < METRICS_STATUS_MAX ? status : 0]++;
        metrics_count_mix(&ended->mix, status);
    }
}

static void raise_to(uint64_t *count, uint64_t least)
{
    *count = *count < least ? least : *count;
}

void totals_raise(struct totals *t, const struct totals *ended)
{
    raise_to(&t->attempts, ended->attempts);
    raise_to(&t->retried, ended->retried);
    for (int i = 1; i < METRICS_STATUS_MAX; i++) {
        raise_to(&t->status[i], ended->status[i]);
    }
    raise_to(&t->mix.ok, ended->mix.ok);
    raise_to(&t->mix.redirect, ended->mix.redirect);
    raise_to(&t->mix.client_error, ended->mix.client_error);
    raise_to(&t->mix.throttled, ended->mix.throttled);
    raise_to(&t->mix.server_error, ended->mix.server_error);
}

/* --- the line --------------------------------------------------------------------------------------- */

struct member {
    const char *name;
    uint64_t *value;
};

#define MEMBERS 6
#define CLASSES 6

static void list_members(struct totals *t, struct member members[MEMBERS])
{
    members[0] = (struct member){ "attempts", &t->attempts };
    members[1] = (struct member){ "reused_connections", &t->reused };
    members[2] = (struct member){ "retried", &t->retried };
    members[3] = (struct member){ "bytes", &t->bytes };
    members[4] = (struct member){ "logins", &t->logins };
    members[5] = (struct member){ "resent", &t->resent };
}

/* As a sample has them. */
static void list_classes(struct totals *t, struct member classes[CLASSES])
{
    classes[0] = (struct member){ "2xx", &t->mix.ok };
    classes[1] = (struct member){ "3xx", &t->mix.redirect };
    classes[2] = (struct member){ "4xx", &t->mix.client_error };
    classes[3] = (struct member){ "429", &t->mix.throttled };
    classes[4] = (struct member){ "5xx", &t->mix.server_error };
    classes[5] = (struct member){ "none", &t->mix.network };
}

/* One member of an object; true for the next. */
static bool put(struct buf *to, bool is_first, const char *name, uint64_t value,
                enum result *result)
{
    if (*result == RESULT_OK) {
        *result =
            buf_printf(to, "%s\"%s\":%llu", is_first ? "" : ",", name, (unsigned long long)value);
    }
    return false;
}

static void put_text(struct buf *to, const char *text, enum result *result)
{
    if (*result == RESULT_OK) {
        *result = buf_append_str(to, str_view(text));
    }
}

static void put_statuses(const struct totals *t, struct buf *to, enum result *result)
{
    bool is_first = true;
    char name[16];

    put_text(to, ",\"status\":{", result);
    for (int i = 0; i < METRICS_STATUS_MAX; i++) {
        snprintf(name, sizeof name, "%d", i);
        if (t->status[i]) {
            is_first = put(to, is_first, i ? name : "none", t->status[i], result);
        }
    }
    put_text(to, "}", result);
}

static void put_latency(const struct hist *h, struct buf *to, enum result *result)
{
    bool is_first = true;
    char name[16];

    put_text(to, ",\"latency_us\":{", result);
    put(to, true, "sum", h->sum_us, result);
    put(to, false, "min", h->min_us, result);
    put(to, false, "max", h->max_us, result);
    put_text(to, ",\"buckets\":{", result);
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        snprintf(name, sizeof name, "%u", i);
        if (h->buckets[i]) {
            is_first = put(to, is_first, name, h->buckets[i], result);
        }
    }
    put_text(to, "}}", result);
}

enum result totals_write(const struct totals *totals, struct buf *fields)
{
    struct totals t = *totals;
    struct member members[MEMBERS], classes[CLASSES];
    enum result result = RESULT_OK;

    list_members(&t, members);
    list_classes(&t, classes);
    for (size_t i = 0; i < MEMBERS; i++) {
        put(fields, false, members[i].name, *members[i].value, &result);
    }
    put_text(fields, ",\"answers\":{", &result);
    for (size_t i = 0; i < CLASSES; i++) {
        put(fields, i == 0, classes[i].name, *classes[i].value, &result);
    }
    put_text(fields, "}", &result);
    put_statuses(&t, fields, &result);
    put_latency(&t.latency, fields, &result);
    return result;
}

static uint64_t count_of(struct str value)
{
    uint64_t number;

    return str_to_u64(str_trim(value), &number) && number <= INT64_MAX ? number : 0;
}

static bool read_member(const struct member *members, size_t count, struct str key,
                        struct str value)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(key, str_view(members[i].name))) {
            *members[i].value = count_of(value);
            return true;
        }
    }
    return false;
}

static void read_classes(struct str object, struct totals *t)
{
    struct member classes[CLASSES];
    struct json_walk walk;
    struct str key, value;

    list_classes(t, classes);
    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        (void)read_member(classes, CLASSES, key, value);
    }
}

static void read_statuses(struct str object, struct totals *t)
{
    struct json_walk walk;
    struct str key, value;
    uint64_t status;

    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        if (str_equal(key, STR("none"))) {
            t->status[0] = count_of(value);
        } else if (str_to_u64(key, &status) && status > 0 && status < METRICS_STATUS_MAX) {
            t->status[status] = count_of(value);
        }
    }
}

/* How many there are follows from the buckets. */
static void read_buckets(struct str object, struct hist *h)
{
    struct json_walk walk;
    struct str key, value;
    uint64_t bucket, count;

    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        count = count_of(value);
        if (str_to_u64(key, &bucket) && bucket < HIST_BUCKETS && count <= UINT32_MAX) {
            h->count += count - h->buckets[bucket];
            h->buckets[bucket] = (uint32_t)count;
        }
    }
}

static void read_latency(struct str object, struct hist *h)
{
    const struct member members[] = { { "sum", &h->sum_us },
                                      { "min", &h->min_us },
                                      { "max", &h->max_us } };
    struct json_walk walk;
    struct str key, value;

    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        if (str_equal(key, STR("buckets")) && json_type_of(value) == JSON_OBJECT) {
            read_buckets(value, h);
        } else {
            (void)read_member(members, sizeof members / sizeof members[0], key, value);
        }
    }
}

void totals_read(struct str line, struct totals *t)
{
    struct member members[MEMBERS];
    struct json_walk walk;
    struct str key, value;

    *t = (struct totals){ 0 };
    list_members(t, members);
    json_walk_begin(&walk, line);
    while (json_walk_next(&walk, &key, &value)) {
        bool is_object = json_type_of(value) == JSON_OBJECT;

        if (read_member(members, MEMBERS, key, value) || !is_object) {
            continue;
        }
        if (str_equal(key, STR("answers"))) {
            read_classes(value, t);
        } else if (str_equal(key, STR("status"))) {
            read_statuses(value, t);
        } else if (str_equal(key, STR("latency_us"))) {
            read_latency(value, &t->latency);
        }
    }
}

bool totals_find(struct str lines, struct totals *totals)
{
    struct str found = STR_NONE;

    while (lines.len) {
        struct str line = str_cut(&lines, '\n'), kind;

        if (json_check(line, LINE_DEPTH_MAX, NULL) && json_find(line, STR("/event"), &kind) &&
            str_equal(json_string_raw(kind), STR("totals"))) {
            found = line;
        }
    }
    if (found.data) {
        totals_read(found, totals);
    }
    return found.data != NULL;
}
