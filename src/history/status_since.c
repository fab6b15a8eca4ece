#include "history/status_since.h"

#include "base/err.h"
#include "base/units.h"
#include "base/utf8.h"
#include "history/stored_job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct told {
    uint64_t listings;
    struct since_value latest, earliest;
};

struct telling {
    const struct job *job;
    struct told *endpoints;
};

static enum result take(void *context, const struct ledger_since *since, struct err *err)
{
    struct telling *t = context;
    struct told *told;

    (void)err;
    if (since->endpoint >= t->job->endpoint_count || !t->job->endpoints[since->endpoint].since.at ||
        !since_value_is_like(&since->value, &t->job->endpoints[since->endpoint].since.start)) {
        return RESULT_OK;
    }
    told = &t->endpoints[since->endpoint];
    if (!told->listings || since_value_compare(&since->value, &told->latest) > 0) {
        told->latest = since->value;
    }
    if (!told->listings || since_value_compare(&since->value, &told->earliest) < 0) {
        told->earliest = since->value;
    }
    told->listings++;
    return RESULT_OK;
}

/* What the next round of the listing that is furthest behind is asked with. */
static void find_next(const struct job_since *since, const struct told *told,
                      struct since_value *next)
{
    if (told->listings) {
        since_value_back(&told->earliest, &since->lag, next);
    } else {
        *next = since->start;
    }
}

static void print(const char *text)
{
    char shown[4 * SINCE_VALUE_MAX + 4];

    utf8_display(shown, sizeof shown, str_view(text), SINCE_VALUE_MAX);
    fputs(shown, stdout);
}

static void print_endpoint(const struct job_endpoint *endpoint, const struct told *told)
{
    struct since_value next;

    find_next(&endpoint->since, told, &next);
    printf("  %-16s ", endpoint->name);
    if (told->listings > 1) {
        printf("%" PRIu64 " listings up to ", told->listings);
        print(told->earliest.json);
        printf(" or later, ");
    }
    if (told->listings) {
        printf("up to ");
        print(told->latest.json);
    } else {
        printf("nothing read to its end");
    }
    printf("; the next round asks since ");
    print(next.json);
    printf("\n");
}

static void write_endpoint(struct json_writer *w, const struct job_endpoint *endpoint,
                           const struct told *told)
{
    const struct job_since *since = &endpoint->since;
    struct since_value next;

    find_next(since, told, &next);
    json_write_line(w, 2);
    json_write_object(w, NULL);
    json_write_text(w, "endpoint", str_view(endpoint->name));
    json_write_text(w, "at", str_view(since->at));
    json_write_raw(w, "start", str_view(since->start.json));
    json_write_raw(w, "lag", str_view(since->lag_given[0] ? since->lag_given : "null"));
    json_write_uint(w, "listings", told->listings);
    json_write_raw(w, "state", str_view(told->listings ? told->latest.json : "null"));
    json_write_raw(w, "earliest", str_view(told->listings ? told->earliest.json : "null"));
    json_write_raw(w, "next", str_view(next.json));
    json_write_object_end(w);
}

static void tell(const struct telling *t, struct json_writer *w)
{
    bool any = false;

    for (size_t i = 0; i < t->job->endpoint_count; i++) {
        const struct job_endpoint *endpoint = &t->job->endpoints[i];

        if (!endpoint->since.at) {
            continue;
        }
        if (w && !any) {
            json_write_line(w, 1);
            json_write_array(w, "increments");
        } else if (!any) {
            printf("increments\n");
        }
        any = true;
        if (w) {
            write_endpoint(w, endpoint, &t->endpoints[i]);
        } else {
            print_endpoint(endpoint, &t->endpoints[i]);
        }
    }
    if (w && any) {
        json_write_array_end(w);
    }
}

enum result status_since(struct run_reader *reader, struct json_writer *w, struct err *err)
{
    struct job job;
    struct telling t = { .job = &job };
    enum result result;

    if (stored_job_read_without_secrets(&reader->dir, &job, NULL) != RESULT_OK) {
        return RESULT_OK; /* who cannot read the job can still look at the sums */
    }
    t.endpoints = calloc(job.endpoint_count + 1, sizeof *t.endpoints);
    result = t.endpoints ? ledger_each_since(reader->ledger, take, &t, err)
                         : err_nomem(err, "telling the status");
    if (result == RESULT_OK) {
        tell(&t, w);
    }
    free(t.endpoints);
    job_release(&job);
    return result;
}
