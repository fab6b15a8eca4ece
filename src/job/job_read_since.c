/* "since": rounds that ask for what has changed since the one before. */
#include "job/cjson_add.h"
#include "job/job_put.h"
#include "job/job_read.h"

#include "base/json_scan.h"
#include "base/units.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SINCE(field) offsetof(struct job_since, field)
#define SEEN "seen"

/* --- reading ---------------------------------------------------------------------------------- */

static void read_start(struct job_reader *r, void *target, struct str value)
{
    struct job_since *since = target;

    if (!since_value_parse(str_trim(value), &since->start)) {
        job_text_fault(
            &r->text, value, "E-CFG2",
            "\"start\": want a moment as 2026-01-31T12:00:00Z, a day as 2026-01-31, or a "
            "number, in the form in which the API takes it");
    }
}

static bool read_lag_time(struct job_reader *r, struct job_since *since, struct str value)
{
    char *text = job_text_string(&r->text, "lag", value);
    struct err err;
    bool is_good = text && units_parse_time(str_view(text), &since->lag.us, &err) == RESULT_OK;

    if (text && !is_good) {
        snprintf(err.code, sizeof err.code, "E-CFG2");
        err_prefix(&err, "\"lag\"");
        job_text_fault_of(&r->text, value, &err);
    }
    free(text);
    since->lag.is_time = is_good;
    return is_good;
}

static void read_lag(struct job_reader *r, void *target, struct str value)
{
    struct job_since *since = target;
    bool is_good;

    value = str_trim(value);
    if (json_type_of(value) == JSON_STRING) {
        is_good = read_lag_time(r, since, value);
    } else {
        is_good = json_type_of(value) == JSON_NUMBER && str_to_u64(value, &since->lag.count) &&
                  since->lag.count <= INT64_MAX;
        if (!is_good) {
            job_text_fault(&r->text, value, "E-CFG2",
                           "\"lag\": want a time, as in \"5m\", or, of numbers that are no times, "
                           "how much to go back");
        }
    }
    if (is_good && value.len < sizeof since->lag_given) {
        snprintf(since->lag_given, sizeof since->lag_given, "%.*s", STR_ARG(value));
    }
}

static void read_stop(struct job_reader *r, void *target, struct str value)
{
    struct job_since *since = target;

    since->stops_seen = json_type_of(value) == JSON_STRING &&
                        str_equal(json_string_raw(str_trim(value)), STR(SEEN));
    if (!since->stops_seen) {
        job_text_fault(&r->text, value, "E-CFG2", "\"stop\": want \"" SEEN "\"");
    }
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool write_raw(cJSON *to, const char *name, const char *json)
{
    return !json[0] || cJSON_AddRawToObject(to, name, json);
}

static bool write_start(const struct job_writer *w, cJSON *to, const struct job_key *key,
                        const void *target)
{
    (void)w;
    return write_raw(to, key->name, ((const struct job_since *)target)->start.json);
}

static bool write_lag(const struct job_writer *w, cJSON *to, const struct job_key *key,
                      const void *target)
{
    (void)w;
    return write_raw(to, key->name, ((const struct job_since *)target)->lag_given);
}

static bool write_stop(const struct job_writer *w, cJSON *to, const struct job_key *key,
                       const void *target)
{
    (void)w;
    return !((const struct job_since *)target)->stops_seen ||
           cJSON_AddStringToObject(to, key->name, SEEN);
}

/* clang-format off */
static const struct job_key since_keys[] = {
    { "at", JOB_KEY_POINTER, SINCE(at),
      .help = "JSON Pointer from a record to the time of its last change, or to its number: /updated_at" },
    { "start", JOB_KEY_OTHER, .read = read_start, .write = write_start,
      .help = "{since} of the first round, as the API takes it: 2026-01-31, 2026-01-31T12:00:00Z, or a number",
      .schema = JOB_JSON("type": ["string", "number"]) },
    { "lag", JOB_KEY_OTHER, .read = read_lag, .write = write_lag,
      .help = "Later rounds ask for so much before the latest that was seen: 5m; of numbers that are no times, a "
              "number. With a time here, numbers are seconds, milliseconds, microseconds or nanoseconds since 1970",
      .schema = JOB_JSON("type": ["string", "integer"]) },
    { "stop", JOB_KEY_OTHER, .read = read_stop, .write = write_stop,
      .help = "seen: the listing begins with the newest records, and ends with the first page that has none since "
              "{since}",
      .schema = JOB_JSON("enum": ["seen"]) },
};
/* clang-format on */

const struct job_keys job_since_keys =
    JOB_KEYS("since", since_keys,
             .help = "Each round asks for what has changed since the one before: {since} in the "
                     "URL, body or headers.");

void job_read_since(struct job_reader *r, struct job_since *since, struct str value)
{
    uint64_t seen = job_read_object(r, &job_since_keys, since, value);

    if (json_type_of(value) != JSON_OBJECT) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        if (!job_key_seen(&job_since_keys, seen, since_keys[i].name)) {
            job_text_fault(&r->text, value, "E-CFG4", "\"since\" wants \"%s\"", since_keys[i].name);
        }
    }
    if (since->start.json[0] && since->start.kind != SINCE_NUMBER && since->lag.count) {
        job_text_fault(&r->text, value, "E-CFG8",
                       "\"since\": \"start\" is a time, and \"lag\" a number; want \"5m\" or so");
    }
}

/* --- what it wants of the rest ---------------------------------------------------------------- */

static bool is_ahead(const struct job_reader *r, const struct job_since *since)
{
    int64_t us;

    return !r->is_stored && since_value_us(&since->start, &since->lag, &us) && us > r->wall_us;
}

static void check(struct job_reader *r, const struct job_endpoint *endpoint,
                  const struct place_of_endpoint *place)
{
    const struct job_since *since = &endpoint->since;

    if (since->start.json[0] && is_ahead(r, since)) {
        job_text_fault(&r->text, place->since, "E-CFG2", "\"since\": \"start\" is in the future");
    }
    if (!place->names_since && !since->stops_seen) {
        job_text_fault(&r->text, place->since, "E-CFG4",
                       "\"since\": {since} stands nowhere in the endpoint's URL, body or headers; "
                       "or say \"stop\": \"seen\", when the listing begins with the newest");
    }
    if (since->stops_seen && endpoint->pages.kind == JOB_PAGES_NONE) {
        job_text_fault(&r->text, place->since, "E-CFG4", "\"since\": \"stop\" wants \"pages\"");
    }
    if (!place->url_text) {
        job_text_fault(&r->text, place->since, "E-CFG8",
                       "\"since\" wants \"url\", not \"sources\"");
    }
}

static void check_var(struct job_reader *r, struct str at)
{
    for (size_t i = 0; i < r->job->var_count; i++) {
        if (str_equal(str_view(r->job->vars[i].name), STR(JOB_SINCE_NAME))) {
            job_text_fault(&r->text, at, "E-CFG7",
                           "{since} is a variable of \"vars\", too: give that another name");
            return;
        }
    }
}

void job_check_since(struct job_reader *r)
{
    for (size_t i = 0; i < r->job->endpoint_count; i++) {
        if (r->job->endpoints[i].since.at) {
            check(r, &r->job->endpoints[i], &r->places[i]);
            check_var(r, r->places[i].since);
        }
    }
}
