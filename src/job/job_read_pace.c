/* "pace", "retry" and "limits": their keys. */
#include "job/job_put.h"

#include "base/json_scan.h"
#include "job/job.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>

#define STATUS_MIN 300
#define STATUS_MAX 599

/* 503, of a list that replaces ours; "+503", which is added to it, and "-503", as -503. */
static bool read_status(struct str item, int *status, bool *changes)
{
    struct str raw = json_string_raw(item);
    uint64_t number;

    *changes = raw.len && (raw.data[0] == '+' || raw.data[0] == '-');
    if (*changes ? !str_to_u64((struct str){ raw.data + 1, raw.len - 1 }, &number)
                 : json_type_of(item) != JSON_NUMBER || !str_to_u64(str_trim(item), &number)) {
        return false;
    }
    if (number < STATUS_MIN || number > STATUS_MAX) {
        return false;
    }
    *status = *changes && raw.data[0] == '-' ? -(int)number : (int)number;
    return true;
}

static void read_statuses(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    struct json_walk walk;
    struct str item;
    bool changes = false;
    int status;

    if (json_type_of(value) != JSON_ARRAY) {
        job_text_fault(&r->text, value, "E-CFG2", "\"statuses\": want an array of HTTP statuses");
        return;
    }
    job->retry.status_count = 0;
    job->retry.replaces_statuses = false;
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &item)) {
        if (!read_status(item, &status, &changes)) {
            job_text_fault(&r->text, item, "E-CFG2",
                           "\"statuses\": want HTTP statuses from %d to %d; \"+403\" adds one to "
                           "those that are tried again anyway, \"-500\" takes one away",
                           STATUS_MIN, STATUS_MAX);
        } else if (job->retry.status_count == JOB_STATUSES_MAX) {
            job_text_fault(&r->text, item, "E-CFG2", "\"statuses\": more than %d of them",
                           JOB_STATUSES_MAX);
            return;
        } else {
            job->retry.replaces_statuses |= !changes;
            job->retry.statuses[job->retry.status_count++] = status;
        }
    }
}

static bool write_statuses(const struct job_writer *w, cJSON *to, const struct job_key *key,
                           const void *target)
{
    const struct job_retry *retry = &((const struct job *)target)->retry;
    cJSON *statuses = retry->status_count ? cJSON_AddArrayToObject(to, key->name) : NULL;
    char text[16];

    (void)w;
    for (size_t i = 0; statuses && i < retry->status_count; i++) {
        bool is_own = retry->replaces_statuses && retry->statuses[i] > 0;

        snprintf(text, sizeof text, is_own ? "%d" : "%+d", retry->statuses[i]);
        if (!cJSON_AddItemToArray(statuses,
                                  is_own ? cJSON_CreateRaw(text) : cJSON_CreateString(text))) {
            return false;
        }
    }
    return !retry->status_count || statuses;
}

static void read_max_fail(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    bool is_number = json_type_of(value) == JSON_NUMBER;
    char *text = is_number ? NULL : job_text_string(&r->text, "max_fail", value);
    struct err err;

    if ((text || is_number) && job_parse_max_fail(text ? str_view(text) : str_trim(value),
                                                  &job->limits, &err) != RESULT_OK) {
        err_prefix(&err, "\"max_fail\"");
        job_text_fault_of(&r->text, value, &err);
    }
    free(text);
}

static bool write_max_fail(const struct job_writer *w, cJSON *to, const struct job_key *key,
                           const void *target)
{
    const struct job_limits *limits = &((const struct job *)target)->limits;
    char text[UNITS_TEXT_MAX];

    (void)w;
    if (limits->max_fail_by == JOB_MAX_FAIL_NONE) {
        return true;
    }
    job_format_max_fail(limits, text);
    return cjson_add_optional(to, key->name, text);
}

static void read_budget(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    char *text = job_text_string(&r->text, "budget", value);
    struct err err;

    if (text && job_parse_budget(str_view(text), &job->pace, &err) != RESULT_OK) {
        err_prefix(&err, "\"budget\"");
        job_text_fault_of(&r->text, value, &err);
    }
    free(text);
}

static bool write_budget(const struct job_writer *w, cJSON *to, const struct job_key *key,
                         const void *target)
{
    (void)w;
    return !((const struct job *)target)->pace.is_budget_own ||
           cjson_add_optional(to, key->name, "worker");
}

#define FIELD(field) offsetof(struct job, field)

/* clang-format off */
static const struct job_key pace_keys[] = {
    { "cap", JOB_KEY_COUNT, FIELD(pace.cap), 1, JOB_CAP_MAX, .always = true,
      .help = "Requests in flight at once (10)" },
    { "cap_per_host", JOB_KEY_COUNT, FIELD(pace.cap_per_host), 0, JOB_CAP_MAX, .always = true,
      .help = "Requests in flight to one host; 0: no limit of its own" },
    { "rate", JOB_KEY_RATE, FIELD(pace.rate), .always = true,
      .help = "Requests started in a time: 10/s, 5/15s, 600/m, off" },
    { "rate_per_host", JOB_KEY_RATE, FIELD(pace.rate_per_host), .always = true,
      .help = "The same for each host" },
    { "auto", JOB_KEY_BOOL, FIELD(pace.is_auto), .always = true,
      .help = "The controller turns the cap" },
    { "cap_max", JOB_KEY_COUNT, FIELD(pace.cap_max), 0, JOB_CAP_MAX, .always = true,
      .help = "The highest cap that \"auto\" may set (100)" },
    { "budget", JOB_KEY_TEXT, .read = read_budget, .write = write_budget,
      .help = "In a fleet, who keeps the rate and the limits that servers tell: \"fleet\", all together; \"worker\", "
              "each for itself, as an API does that counts by address",
      .schema = JOB_JSON("enum": ["fleet", "worker"]) },
};

static const struct job_key retry_keys[] = {
    { "attempts", JOB_KEY_COUNT, FIELD(retry.attempts), 1, JOB_ATTEMPTS_MAX, .always = true,
      .help = "Tries in all, the first one too (6): one more than --retries" },
    { "backoff", JOB_KEY_BACKOFF, FIELD(retry), .help = "Waits grow from BASE to CAP: 1s:30s" },
    { "max_wait", JOB_KEY_TIME, FIELD(retry.max_wait_us), 0, UINT64_MAX, .always = true,
      .help = "Longest wait that a server may ask for (10m)" },
    { "repeat_posts", JOB_KEY_BOOL, FIELD(retry.repeats_posts),
      .help = "A POST whose answer was lost, or that was being sent when the run was cut off, is sent again "
              "though it may have happened" },
    { "statuses", JOB_KEY_OTHER, .read = read_statuses, .write = write_statuses,
      .help = "HTTP statuses that are tried again (408, 425, 429, 5xx): changes to the usual ones (+403, "
              "-500), or a list of its own, which 429 and 503 stay in (-429)",
      .schema = JOB_JSON("type": "array", "maxItems": 32, "items": {"anyOf": [{"type": "integer", "minimum":
                         300, "maximum": 599}, {"type": "string", "pattern": "^[+-][345][0-9][0-9]$"}]}) },
};

static const struct job_key limits_keys[] = {
    { "max_fail", JOB_KEY_OTHER, .read = read_max_fail, .write = write_max_fail,
      .help = "Requests that may fail for good: 100, or \"5%\" of those settled in this session, 20 at least",
      .schema = JOB_JSON("anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern":
                         "^[0-9]+([.][0-9]{1,3})?%$|^[0-9]+$"}]) },
    { "max_requests", JOB_KEY_NUMBER, FIELD(limits.max_requests), 0, INT64_MAX,
      .help = "Requests that each session may send, retries, redirects and logins among them; 0: no limit" },
    { "max_duration", JOB_KEY_TIME, FIELD(limits.max_duration_us), 0, UINT64_MAX,
      .help = "How long one session may run, pauses included; 0: no limit" },
};
/* clang-format on */

const struct job_keys job_pace_keys = JOB_KEYS("pace", pace_keys, .help = "How fast.");
const struct job_keys job_retry_keys =
    JOB_KEYS("retry", retry_keys, .help = "When a request is tried again.");
const struct job_keys job_limits_keys =
    JOB_KEYS("limits", limits_keys, .help = "When a session stops, to be resumed: exit code 4.");
