#include "plan/since.h"

#include "plan/records.h"

#include <stdio.h>
#include <string.h>

struct reading {
    const struct job_since *since;
    struct json_pointer at;
    int64_t wall_us;
    bool has_asked;
    struct since_value asked; /* `{since}` of the request */
    struct since_seen *seen;
};

static void note_odd(struct since_seen *seen, struct str value)
{
    if (!seen->odd++) {
        snprintf(seen->example, sizeof seen->example, "%.*s",
                 (int)(value.len < sizeof seen->example ? value.len : sizeof seen->example - 1),
                 value.data);
    }
}

static void note_ahead(struct since_seen *seen, const struct since_value *value)
{
    if (!seen->ahead++) {
        seen->first = *value;
    }
}

static void note_value(struct reading *r, const struct since_value *value)
{
    struct since_seen *seen = r->seen;
    int64_t us;

    seen->knows_news = r->has_asked;
    seen->news += r->has_asked && since_value_compare(value, &r->asked) >= 0;
    if (since_value_us(value, &r->since->lag, &us) && us > r->wall_us) {
        if (us - r->wall_us >= SINCE_AHEAD_US) {
            note_ahead(seen, value);
        }
        return;
    }
    if (!seen->has_latest || since_value_compare(value, &seen->latest) > 0) {
        seen->has_latest = true;
        seen->latest = *value;
    }
}

static bool read_record(void *context, const struct record_view *record)
{
    struct reading *r = context;
    struct since_value value;
    struct str json;

    r->seen->records++;
    if (!json_pointer_find(record->value, &r->at, &json) || json_type_of(json) == JSON_NULL) {
        r->seen->without++;
    } else if (!since_value_parse(str_trim(json), &value) ||
               !since_value_is_like(&value, &r->since->start)) {
        note_odd(r->seen, str_trim(json));
    } else {
        note_value(r, &value);
    }
    return true;
}

static void read_asked(struct reading *r, struct str vars)
{
    struct str json;

    r->has_asked = vars.len && json_find(vars, STR("/" JOB_SINCE_NAME), &json) &&
                   since_value_parse(json, &r->asked) &&
                   since_value_is_like(&r->asked, &r->since->start);
}

void since_read(const struct job_endpoint *endpoint, struct str vars, struct str body,
                int64_t wall_us, struct since_seen *seen)
{
    struct reading r = { .since = &endpoint->since, .wall_us = wall_us, .seen = seen };
    struct json_pointer records;

    *seen = (struct since_seen){ .has_latest = false };
    if (json_pointer_parse(&r.at, str_view(endpoint->since.at), NULL) != RESULT_OK ||
        (endpoint->records &&
         json_pointer_parse(&records, str_view(endpoint->records), NULL) != RESULT_OK)) {
        return;
    }
    read_asked(&r, vars);
    records_each(body, endpoint->records ? &records : NULL, read_record, &r);
}

bool since_has_no_news(const struct since_seen *seen)
{
    return seen->knows_news && !seen->news;
}
