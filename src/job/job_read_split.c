/* "split": what is too much for the server is asked for in parts. */
#include "job/cjson_add.h"
#include "job/job_read.h"

#include "base/json_scan.h"

#include <cjson/cJSON.h>

static bool read_over(struct str value, uint64_t *over)
{
    struct json_walk walk;
    struct str key, each;
    size_t members = 0;
    bool is_good = false;

    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, &key, &each)) {
        members++;
        is_good = json_raw_equal(key, STR("over")) && json_type_of(each) == JSON_NUMBER &&
                  str_to_u64(str_trim(each), over) && *over && *over <= INT64_MAX;
    }
    return is_good && members == 1;
}

void job_read_split(struct job_reader *r, struct job_split *split, struct str value)
{
    bool is_true = str_equal(str_trim(value), STR("true"));

    if (is_true || str_equal(str_trim(value), STR("false"))) {
        split->is_wanted = is_true;
    } else if (json_type_of(value) == JSON_OBJECT && read_over(value, &split->over)) {
        split->is_wanted = true;
    } else {
        split->over = 0;
        job_text_fault(
            &r->text, value, "E-CFG2",
            "\"split\": want true, or {\"over\": 1000}, the most records that one window may have");
    }
}

bool job_write_split(const struct job_writer *w, struct cJSON *to, const struct job_key *key,
                     const void *target)
{
    const struct job_split *split = &((const struct job_endpoint *)target)->split;
    cJSON *object;

    (void)w;
    if (!split->over) {
        return !split->is_wanted || cJSON_AddTrueToObject(to, key->name);
    }
    object = cJSON_AddObjectToObject(to, key->name);
    return object && cjson_add_number(object, "over", split->over);
}

void job_check_split(struct job_reader *r, size_t at, bool has_parent)
{
    const struct job_endpoint *endpoint = &r->job->endpoints[at];
    struct str place = r->places[at].split;

    if (!endpoint->split.is_wanted) {
        return;
    }
    /* Whether another endpoint has a window is known once its variables are read (job/expansion.h). */
    if ((has_parent || !r->places[at].url_text) &&
        (endpoint->split.over || !endpoint->pages.size_param)) {
        job_text_fault(
            &r->text, place, "E-CFG4",
            "\"split\": an endpoint with a parent or \"sources\" has no window of time, and wants "
            "\"pages\" with \"size_param\" and \"size\"");
    }
    if (endpoint->split.over && !endpoint->pages.total) {
        job_text_fault(&r->text, place, "E-CFG4",
                       "\"split\": \"over\" wants \"total\" in \"pages\": where the number of "
                       "records is told");
    }
}
