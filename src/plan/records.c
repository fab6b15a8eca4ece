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
