#include "fleet/reply.h"

#include "base/json_scan.h"
#include "base/json_text.h"

#include <string.h>

enum result fleet_reply_corrupt(struct err *err)
{
    return err_set(err, RESULT_CORRUPT, "E-FLEET5", "a reply of Redis is none of ours");
}

void fleet_reply_members(struct str reply, const char *const names[], struct str values[],
                         size_t count)
{
    struct json_walk walk;
    struct str key, one;

    for (size_t i = 0; i < count; i++) {
        values[i] = STR_NONE;
    }
    json_walk_begin(&walk, reply);
    while (json_walk_next(&walk, &key, &one)) {
        for (size_t i = 0; i < count; i++) {
            if (json_raw_equal(key, str_view(names[i]))) {
                values[i] = one;
                break;
            }
        }
    }
}

struct str fleet_reply_json(struct str reply, struct str *texts)
{
    struct str rest = reply, json = str_cut(&rest, '\n');

    if (texts) {
        *texts = rest;
    }
    return json;
}

static bool find(struct str reply, const char *name, struct str *value)
{
    fleet_reply_members(reply, &name, value, 1);
    return value->data != NULL;
}

/* Text with escapes in it, or too long, is none of ours: it is empty then. */
bool fleet_reply_text_of(struct str value, char *text, size_t size)
{
    struct buf plain = { .max = 4096 };
    bool fits = json_type_of(value) == JSON_STRING &&
                json_unescape(&plain, json_string_raw(value), NULL) == RESULT_OK &&
                plain.len < size && !memchr(plain.data ? plain.data : "", '\0', plain.len);

    text[0] = '\0';
    if (fits && plain.len) {
        memcpy(text, plain.data, plain.len);
        text[plain.len] = '\0';
    }
    buf_release(&plain);
    return fits;
}

bool fleet_reply_number_of(struct str value, uint64_t max, uint64_t *number)
{
    return json_type_of(value) == JSON_NUMBER && str_to_u64(value, number) && *number <= max;
}

void fleet_reply_text(struct str reply, const char *name, char *text, size_t size)
{
    struct str value;

    text[0] = '\0';
    if (find(reply, name, &value)) {
        (void)fleet_reply_text_of(value, text, size);
    }
}

uint64_t fleet_reply_number(struct str reply, const char *name)
{
    struct str value;
    uint64_t number = 0;

    return find(reply, name, &value) && fleet_reply_number_of(value, UINT64_MAX, &number) ? number
                                                                                          : 0;
}

/* The elements of an array of two or three numbers; false when it is none. */
bool fleet_reply_numbers_of(struct str array, uint64_t *numbers, size_t count)
{
    struct json_walk walk;
    struct str value;
    size_t n = 0;

    json_walk_begin(&walk, array);
    while (json_walk_next(&walk, NULL, &value)) {
        if (n == count || !fleet_reply_number_of(value, INT64_MAX, &numbers[n++])) {
            return false;
        }
    }
    return n == count;
}

size_t fleet_reply_count(struct str container)
{
    struct json_walk walk;
    size_t count = 0;

    json_walk_begin(&walk, container);
    while (json_walk_next(&walk, NULL, NULL)) {
        count++;
    }
    return count;
}

struct str fleet_reply_member(struct str reply, const char *name)
{
    struct str value;

    return find(reply, name, &value) ? value : STR_NONE;
}
