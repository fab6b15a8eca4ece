#include "plan/link.h"

#include "base/json_scan.h"
#include "plan/plain_name.h"

#include <string.h>

static void skip_blanks(struct str *rest)
{
    while (rest->len && (rest->data[0] == ' ' || rest->data[0] == '\t')) {
        rest->data++;
        rest->len--;
    }
}

static bool take_char(struct str *rest, char c)
{
    skip_blanks(rest);
    if (!rest->len || rest->data[0] != c) {
        return false;
    }
    rest->data++;
    rest->len--;
    return true;
}

/* Up to one of `stops`, or the end. */
static struct str take_until(struct str *rest, const char *stops)
{
    struct str head = { rest->data, 0 };
    struct str ends = str_view(stops);

    for (; rest->len; rest->data++, rest->len--, head.len++) {
        for (size_t i = 0; i < ends.len; i++) {
            if (rest->data[0] == ends.data[i]) {
                return head;
            }
        }
    }
    return head;
}

/* 'next' is a token by RFC 8288, and meant as "next" by who writes it. */
static struct str without_quotes(struct str token)
{
    bool is_quoted = token.len >= 2 && token.data[0] == '\'' && token.data[token.len - 1] == '\'';

    return is_quoted ? (struct str){ token.data + 1, token.len - 2 } : token;
}

/* A quoted string's inside, escapes left in (no relation has one), or a token. */
static struct str take_value(struct str *rest)
{
    struct str value;

    if (!take_char(rest, '"')) {
        return without_quotes(str_trim(take_until(rest, ";,")));
    }
    value = (struct str){ rest->data, 0 };
    while (rest->len && rest->data[0] != '"') {
        size_t step = rest->data[0] == '\\' && rest->len > 1 ? 2 : 1;

        rest->data += step;
        rest->len -= step;
        value.len += step;
    }
    (void)take_char(rest, '"');
    return value;
}

static bool has_word(struct str words, struct str word)
{
    while (words.data) {
        if (str_equal_nocase(str_cut(&words, ' '), word)) {
            return true;
        }
    }
    return false;
}

struct link {
    struct str target, rel;
    bool anchored;
};

/* One link with its parameters. Of several `rel`s the first counts (RFC 8288 section 3.3). */
static bool take_link(struct str *rest, struct link *link)
{
    *link = (struct link){ .target = STR_NONE };
    if (!take_char(rest, '<')) {
        return false;
    }
    link->target = take_until(rest, ">");
    if (!take_char(rest, '>')) {
        return false;
    }
    while (take_char(rest, ';')) {
        struct str name = str_trim(take_until(rest, "=;,"));
        struct str value = take_char(rest, '=') ? take_value(rest) : STR_NONE;

        if (str_equal_nocase(name, STR("rel")) && !link->rel.data) {
            link->rel = value;
        }
        link->anchored = link->anchored || str_equal_nocase(name, STR("anchor"));
    }
    return true;
}

/* What is no link is passed over: a listing must not end at another link's fault. */
bool link_find(struct str value, struct str relation, struct str *target)
{
    struct link link;

    while (value.len) {
        if (take_link(&value, &link) && !link.anchored && has_word(link.rel, relation)) {
            *target = link.target;
            return true;
        }
        (void)take_until(&value, ",");
        (void)take_char(&value, ',');
    }
    return false;
}

/* --- in a body ------------------------------------------------------------------------------------------ */

static bool is_named(struct str plain, const char *const names[3])
{
    return str_equal(plain, str_view(names[0])) || str_equal(plain, str_view(names[1])) ||
           str_equal(plain, str_view(names[2]));
}

/* By its name, or by a URL that ends in it, as in "http://www.opengis.net/def/rel/next" (RFC 8288 section 2.1.2). */
static bool is_relation(struct str text, struct str relation)
{
    size_t before = text.len > relation.len ? text.len - relation.len : 0;

    return str_equal_nocase(text, relation) ||
           (before && (text.data[before - 1] == '/' || text.data[before - 1] == '#') &&
            memchr(text.data, ':', before) &&
            str_equal_nocase((struct str){ text.data + before, relation.len }, relation));
}

/* A relation, or an array of them. */
static bool has_relation(struct str value, struct str relation)
{
    struct json_walk walk;
    struct str each;

    if (json_type_of(value) == JSON_STRING) {
        return is_relation(json_string_raw(value), relation);
    }
    if (json_type_of(value) != JSON_ARRAY) {
        return false;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &each)) {
        if (is_relation(json_string_raw(each), relation)) {
            return true;
        }
    }
    return false;
}

static bool link_of_object(struct str object, struct str relation, struct str *target)
{
    static const char *const relations[] = { "rel", "relation", "relationship" };
    static const char *const targets[] = { "href", "url", "uri" };
    struct json_walk walk;
    struct str key, value;
    char room[PLAIN_NAME_MAX];
    bool is_it = false, has_target = false;

    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        struct str plain = plain_name(key, room);

        is_it |= is_named(plain, relations) && has_relation(value, relation);
        if (is_named(plain, targets) && json_type_of(value) == JSON_STRING) {
            *target = value;
            has_target = true;
        }
    }
    return is_it && has_target;
}

bool link_is_array(struct str value)
{
    struct json_walk walk;
    struct str each;

    if (json_type_of(value) != JSON_ARRAY) {
        return false;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &each)) {
        if (json_type_of(each) != JSON_OBJECT) {
            return false;
        }
    }
    return true;
}

bool link_in_array(struct str array, struct str relation, struct str *target)
{
    struct json_walk walk;
    struct str link;

    if (json_type_of(array) != JSON_ARRAY) {
        return false;
    }
    json_walk_begin(&walk, array);
    while (json_walk_next(&walk, NULL, &link)) {
        if (json_type_of(link) == JSON_OBJECT && link_of_object(link, relation, target)) {
            return true;
        }
    }
    return false;
}
