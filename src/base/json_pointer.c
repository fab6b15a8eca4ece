#include "base/json_scan.h"

#include <string.h>

/* One step, between two slashes: resolves ~0 and ~1 into the pointer's bytes. */
static enum result add_step(struct json_pointer *pointer, struct str step, size_t *used,
                            struct err *err)
{
    struct json_pointer_step *s = &pointer->steps[pointer->count];

    if (pointer->count == JSON_POINTER_STEPS_MAX) {
        return err_set(err, RESULT_INVALID, "E-PTR1", "JSON Pointer has more than %d steps",
                       JSON_POINTER_STEPS_MAX);
    }
    *s = (struct json_pointer_step){ .at = (uint16_t)*used,
                                     .every = step.len == 1 && step.data[0] == '*' };
    for (size_t i = 0; i < step.len; i++) {
        char c = step.data[i];

        if (c == '~') {
            char escape = i + 1 < step.len ? step.data[++i] : '\0';

            if (escape != '0' && escape != '1') {
                return err_set(err, RESULT_INVALID, "E-PTR1",
                               "JSON Pointer: \"~\" must be written ~0, and \"/\" in a name ~1");
            }
            c = escape == '0' ? '~' : '/';
        }
        pointer->bytes[(*used)++] = c;
    }
    s->len = (uint16_t)(*used - s->at);
    pointer->count++;
    return RESULT_OK;
}

enum result json_pointer_parse(struct json_pointer *pointer, struct str text, struct err *err)
{
    enum result result = RESULT_OK;
    size_t used = 0;

    pointer->count = 0;
    if (text.len > JSON_POINTER_BYTES_MAX) {
        return err_set(err, RESULT_INVALID, "E-PTR1", "JSON Pointer is over %d bytes",
                       JSON_POINTER_BYTES_MAX);
    }
    if (text.len && text.data[0] != '/') {
        return err_set(err, RESULT_INVALID, "E-PTR1",
                       "JSON Pointer \"%.*s\" must begin with \"/\", as in /items", STR_ARG(text));
    }
    /* Not str_cut: in "/a/" the empty step after the last slash counts. */
    for (size_t at = 0; result == RESULT_OK && at < text.len;) {
        const char *first = text.data + at + 1;
        const char *slash = memchr(first, '/', text.len - at - 1);
        size_t len = slash ? (size_t)(slash - first) : text.len - at - 1;

        result = add_step(pointer, (struct str){ first, len }, &used, err);
        at += 1 + len;
    }
    return result;
}

static struct str step_text(const struct json_pointer *pointer, unsigned i)
{
    return (struct str){ pointer->bytes + pointer->steps[i].at, pointer->steps[i].len };
}

bool json_pointer_rest(const struct json_pointer *pointer, const struct json_pointer *head,
                       struct json_pointer *rest)
{
    if (pointer->count < head->count) {
        return false;
    }
    for (unsigned i = 0; i < head->count; i++) {
        if (!str_equal(step_text(pointer, i), step_text(head, i))) {
            return false;
        }
    }
    *rest = *pointer;
    rest->count = pointer->count - head->count;
    memmove(rest->steps, rest->steps + head->count, rest->count * sizeof rest->steps[0]);
    return true;
}

/* The member of that name; the last one, when there are several. */
static bool find_member(struct str object, struct str name, struct str *value)
{
    struct json_walk walk;
    struct str key, each;
    bool found = false;

    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &each)) {
        if (json_raw_equal(key, name)) {
            *value = each;
            found = true;
        }
    }
    return found;
}

/* RFC 6901 section 4: digits without a leading zero. */
static bool find_element(struct str array, struct str step, struct str *value)
{
    struct json_walk walk;
    uint64_t index;

    if (!str_to_u64(step, &index) || (step.len > 1 && step.data[0] == '0')) {
        return false;
    }
    json_walk_begin(&walk, array);
    while (json_walk_next(&walk, NULL, value)) {
        if (index-- == 0) {
            return true;
        }
    }
    return false;
}

static bool find_step(struct str value, struct str step, struct str *next)
{
    switch (json_type_of(value)) {
    case JSON_OBJECT:
        return find_member(value, step, next);
    case JSON_ARRAY:
        return find_element(value, step, next);
    default:
        return false;
    }
}

struct visit {
    const struct json_pointer *pointer;
    json_match_fn *fn;
    void *context;
    uint64_t count;
    struct str keys[JSON_POINTER_STEPS_MAX];
};

/* Recursion is bounded by JSON_POINTER_STEPS_MAX. False: the visitor wants no more. */
static bool each_from(struct visit *v, unsigned step, struct json_match match)
{
    struct json_walk walk;
    struct json_match next = match;

    for (; step < v->pointer->count && !v->pointer->steps[step].every; step++) {
        if (!find_step(match.value, step_text(v->pointer, step), &match.value)) {
            return true;
        }
    }
    if (step == v->pointer->count) {
        v->count++;
        match.keys = v->keys;
        return v->fn(v->context, &match);
    }
    json_walk_begin(&walk, match.value);
    while (json_walk_next(&walk, &next.key, &next.value)) {
        v->keys[step] = next.key;
        next.key = next.key.data ? next.key : match.key; /* an element has the name from above */
        if (!each_from(v, step + 1, next)) {
            return false;
        }
    }
    return true;
}

uint64_t json_pointer_each(struct str text, const struct json_pointer *pointer,
                           json_match_fn *visit, void *context)
{
    struct visit v = { .pointer = pointer, .fn = visit, .context = context };

    each_from(&v, 0, (struct json_match){ .value = text, .key = STR_NONE });
    return v.count;
}

static bool keep_first(void *context, const struct json_match *match)
{
    *(struct str *)context = match->value;
    return false;
}

bool json_pointer_find(struct str text, const struct json_pointer *pointer, struct str *value)
{
    return json_pointer_each(text, pointer, keep_first, value) > 0;
}

bool json_find(struct str text, struct str pointer, struct str *value)
{
    struct json_pointer p;

    return json_pointer_parse(&p, pointer, NULL) == RESULT_OK && json_pointer_find(text, &p, value);
}
