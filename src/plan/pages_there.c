#include "plan/pages_there.h"

#include "plan/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct there {
    enum pages_there wanted;
    char *text;
    size_t len, count;
    bool full;
    char path[PAGES_THERE_MAX];
};

static bool is_wanted(enum pages_there wanted, enum json_type type)
{
    switch (wanted) {
    case PAGES_THERE_ARRAYS:
        return type == JSON_ARRAY;
    case PAGES_THERE_NUMBERS:
        return type == JSON_NUMBER;
    case PAGES_THERE_TEXTS:
        return type == JSON_STRING || type == JSON_NUMBER || type == JSON_NULL;
    case PAGES_THERE_BOOLEANS:
        return type == JSON_BOOL;
    }
    return false;
}

static void add(struct there *t, struct str value)
{
    char item[PAGES_THERE_MAX + 32];
    int len;

    if (t->wanted == PAGES_THERE_ARRAYS) {
        len = snprintf(item, sizeof item, "%s%s [%" PRIu64 "]", t->count ? ", " : "there are ",
                       t->path, records_each(value, NULL, NULL, NULL));
    } else {
        len = snprintf(item, sizeof item, "%s%s", t->count ? ", " : "there are ", t->path);
    }
    if (len < 0 || t->len + (size_t)len + sizeof ", ..." > PAGES_THERE_MAX) {
        t->full = true;
        return;
    }
    memcpy(t->text + t->len, item, (size_t)len + 1);
    t->len += (size_t)len;
    t->count++;
}

/* Goes through the members of objects; `len` is the path's so far. */
static void walk(struct there *t, struct str value, size_t len, unsigned depth)
{
    struct json_walk members;
    struct str key, each;

    if (is_wanted(t->wanted, json_type_of(value)) && len) {
        add(t, value);
    }
    if (json_type_of(value) != JSON_OBJECT || depth == PAGES_THERE_DEPTH) {
        return;
    }
    json_walk_begin(&members, value);
    while (!t->full && json_walk_next(&members, &key, &each)) {
        if (len + key.len + 2 > sizeof t->path) {
            continue;
        }
        t->path[len] = '/';
        memcpy(t->path + len + 1, key.data, key.len);
        t->path[len + 1 + key.len] = '\0';
        walk(t, each, len + 1 + key.len, depth + 1);
    }
}

void pages_there(struct str body, enum pages_there wanted, char text[PAGES_THERE_MAX])
{
    struct there t = { .wanted = wanted, .text = text };

    snprintf(text, PAGES_THERE_MAX, "there is nothing of that kind");
    if (json_type_of(body) == JSON_ARRAY) {
        snprintf(text, PAGES_THERE_MAX, "the body is an array of %" PRIu64,
                 records_each(body, NULL, NULL, NULL));
        return;
    }
    walk(&t, body, 0, 0);
    if (t.full && t.count) {
        memcpy(text + t.len, ", ...", sizeof ", ...");
    }
}
