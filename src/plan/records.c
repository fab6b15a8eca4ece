#include "plan/records.h"

struct records {
    records_fn *visit;
    void *context;
    uint64_t count;
};

static bool take(struct records *r, struct str value, struct str key)
{
    struct record_view record = { .index = r->count++, .value = value, .key = key };

    return !r->visit || r->visit(r->context, &record);
}

/* The elements of an array, or the value by itself. */
static bool take_all(struct records *r, struct str value, struct str key)
{
    struct json_walk walk;
    struct str element;

    if (json_type_of(value) != JSON_ARRAY) {
        return take(r, value, key);
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &element)) {
        if (!take(r, element, key)) {
            return false;
        }
    }
    return true;
}

static bool take_match(void *context, const struct json_match *match)
{
    return json_type_of(match->value) == JSON_NULL ||
           take_all((struct records *)context, match->value, match->key);
}

uint64_t records_each(struct str body, const struct json_pointer *pointer, records_fn *visit,
                      void *context)
{
    struct records records = { .visit = visit, .context = context };

    if (json_type_of(body) == JSON_NONE) {
        return 0;
    }
    if (pointer && pointer->count) {
        json_pointer_each(body, pointer, take_match, &records);
    } else {
        take_all(&records, str_trim(body), STR_NONE);
    }
    return records.count;
}

static bool note_match(void *context, const struct json_match *match)
{
    (void)match;
    *(bool *)context = true;
    return false;
}

static bool is_container(struct str value)
{
    return json_type_of(value) == JSON_ARRAY || json_type_of(value) == JSON_OBJECT;
}

static bool is_empty(struct str container)
{
    struct json_walk walk;

    json_walk_begin(&walk, container);
    return !json_walk_next(&walk, NULL, NULL);
}

/* Of a pointer with a `*`: `container` is what its steps up to there lead to. */
static enum records_presence look_within(struct str body, const struct json_pointer *pointer,
                                         struct str container, uint64_t *count)
{
    bool any = false;

    if (is_empty(container)) {
        return RECORDS_NONE;
    }
    *count = records_each(body, pointer, NULL, NULL);
    if (!*count) {
        json_pointer_each(body, pointer, note_match, &any);
    }
    return *count ? RECORDS_SOME : any ? RECORDS_NONE : RECORDS_ABSENT;
}

enum records_presence records_look(struct str body, const struct json_pointer *pointer,
                                   uint64_t *count)
{
    struct json_pointer head = *pointer; /* the steps before the first `*` */
    struct str value = STR_NONE;

    *count = 0;
    body = str_trim(body);
    for (head.count = 0; head.count < pointer->count && !pointer->steps[head.count].every;) {
        head.count++;
    }
    if (!body.len) {
        return RECORDS_NONE; /* 204 */
    }
    if (!json_pointer_find(body, &head, &value)) {
        return RECORDS_ABSENT;
    }
    if (json_type_of(value) == JSON_NULL) {
        return RECORDS_NONE;
    }
    if (!is_container(value)) {
        return RECORDS_ABSENT;
    }
    if (head.count < pointer->count) {
        return look_within(body, pointer, value, count);
    }
    *count = records_each(value, NULL, NULL, NULL);
    return *count ? RECORDS_SOME : RECORDS_NONE;
}
