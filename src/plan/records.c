#include "plan/records.h"

#include "base/crc32c.h"

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

struct print {
    uint32_t crc32c;
    size_t bytes;
    bool any;
};

static bool add_print(void *context, const struct json_match *match)
{
    struct print *print = context;

    print->any = true;
    print->bytes += match->value.len;
    print->crc32c = crc32c(print->crc32c, match->value.data, match->value.len);
    return true;
}

/* Of a pointer with a `*`: `container` is what its steps up to there lead to. */
static void look_within(struct str body, const struct json_pointer *pointer, struct str container,
                        struct records_found *found)
{
    struct print print = { .any = false };

    if (is_empty(container)) {
        return;
    }
    found->count = records_each(body, pointer, NULL, NULL);
    json_pointer_each(body, pointer, add_print, &print);
    found->crc32c = print.crc32c;
    found->bytes = print.bytes;
    found->presence = found->count ? RECORDS_SOME : print.any ? RECORDS_NONE : RECORDS_ABSENT;
}

static void look(struct str body, const struct json_pointer *pointer, struct records_found *found)
{
    struct json_pointer head = *pointer; /* the steps before the first `*` */
    struct str value = STR_NONE;

    for (head.count = 0; head.count < pointer->count && !pointer->steps[head.count].every;) {
        head.count++;
    }
    if (!json_pointer_find(body, &head, &value)) {
        found->presence = RECORDS_ABSENT;
        return;
    }
    value = str_trim(value);
    found->type = json_type_of(value);
    if (found->type == JSON_NULL) {
        return;
    }
    if (!is_container(value)) {
        found->presence = RECORDS_ABSENT;
    } else if (head.count < pointer->count) {
        look_within(body, pointer, value, found);
    } else {
        found->count = records_each(value, NULL, NULL, NULL);
        found->crc32c = crc32c(0, value.data, value.len);
        found->bytes = value.len;
        found->presence = found->count ? RECORDS_SOME : RECORDS_NONE;
    }
}

struct records_found records_look(struct str body, const struct json_pointer *pointer)
{
    struct records_found found = { .presence = RECORDS_NONE, .type = JSON_NONE };

    body = str_trim(body);
    if (body.len) { /* else 204 */
        look(body, pointer, &found);
    }
    if (found.presence != RECORDS_SOME) {
        found.type = JSON_NONE;
        found.crc32c = 0;
    }
    return found;
}
