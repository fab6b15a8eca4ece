#include "plan/pages/page_suggest.h"

#include "plan/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct there {
    enum page_suggest_kind wanted;
    char *text;
    size_t len, count;
    bool full;
    char path[PAGE_SUGGEST_MAX];
};

static bool is_wanted(enum page_suggest_kind wanted, enum json_type type)
{
    switch (wanted) {
    case PAGE_SUGGEST_ARRAYS:
        return type == JSON_ARRAY;
    case PAGE_SUGGEST_NUMBERS:
        return type == JSON_NUMBER;
    case PAGE_SUGGEST_TEXTS:
        return type == JSON_STRING || type == JSON_NUMBER || type == JSON_NULL;
    case PAGE_SUGGEST_BOOLEANS:
        return type == JSON_BOOL;
    }
    return false;
}

static void add(struct there *t, struct str value)
{
    char item[PAGE_SUGGEST_MAX + 32];
    int len;

    if (t->wanted == PAGE_SUGGEST_ARRAYS) {
        len = snprintf(item, sizeof item, "%s%s [%" PRIu64 "]", t->count ? ", " : "there are ",
                       t->path, records_each(value, NULL, NULL, NULL));
    } else {
        len = snprintf(item, sizeof item, "%s%s", t->count ? ", " : "there are ", t->path);
    }
    if (len < 0 || t->len + (size_t)len + sizeof ", ..." > PAGE_SUGGEST_MAX) {
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
    if (json_type_of(value) != JSON_OBJECT || depth == PAGE_SUGGEST_DEPTH) {
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

void page_suggest(struct str body, enum page_suggest_kind wanted, char text[PAGE_SUGGEST_MAX])
{
    struct there t = { .wanted = wanted, .text = text };

    snprintf(text, PAGE_SUGGEST_MAX, "there is nothing of that kind");
    if (json_type_of(body) == JSON_ARRAY) {
        snprintf(text, PAGE_SUGGEST_MAX, "the body is an array of %" PRIu64,
                 records_each(body, NULL, NULL, NULL));
        return;
    }
    walk(&t, body, 0, 0);
    if (t.full && t.count) {
        memcpy(text + t.len, ", ...", sizeof ", ...");
    }
}
