#include "base/json_put.h"

#include "base/json_text.h"

static struct str step_of(const struct json_pointer *pointer, unsigned step)
{
    return (struct str){ pointer->bytes + pointer->steps[step].at, pointer->steps[step].len };
}

/* The member or element of that name; `*count` gets how many there are. */
static bool find_child(struct str container, struct str name, struct str *child, size_t *count)
{
    struct json_walk walk;
    struct str key, value;
    uint64_t wanted = UINT64_MAX;
    bool found = false, in_array = json_type_of(container) == JSON_ARRAY;

    if (in_array && !str_to_u64(name, &wanted)) {
        return false;
    }
    json_walk_begin(&walk, container);
    for (*count = 0; json_walk_next(&walk, &key, &value); ++*count) {
        if (in_array ? *count == wanted : json_raw_equal(key, name)) {
            *child = value;
            found = true;
        }
    }
    return found;
}

/* {"a":{"b":VALUE}} for the steps that are left; the outermost braces are the caller's. */
static enum result append_rest(struct buf *out, const struct json_pointer *pointer, unsigned step,
                               struct str value)
{
    enum result result = RESULT_OK;
    unsigned opened = 0;

    for (; step < pointer->count && result == RESULT_OK; step++) {
        result = json_text_append(out, step_of(pointer, step));
        if (result == RESULT_OK) {
            result = buf_append_str(out, step + 1 < pointer->count ? STR(":{") : STR(":"));
        }
        opened += step + 1 < pointer->count;
    }
    if (result == RESULT_OK) {
        result = buf_append_str(out, value);
    }
    for (; opened && result == RESULT_OK; opened--) {
        result = buf_append_char(out, '}');
    }
    return result;
}

/* All of `text` with [from, to) replaced by what the pointer's rest and the value make. */
static enum result splice(struct buf *out, struct str text, size_t from, size_t to,
                          const struct json_pointer *pointer, unsigned step, const char *before,
                          const char *after, struct str value)
{
    enum result result = buf_append(out, text.data, from);

    if (result == RESULT_OK) {
        result = buf_append_str(out, str_view(before));
    }
    if (result == RESULT_OK) {
        result = append_rest(out, pointer, step, value);
    }
    if (result == RESULT_OK) {
        result = buf_append_str(out, str_view(after));
    }
    return result == RESULT_OK ? buf_append(out, text.data + to, text.len - to) : result;
}

enum result json_put(struct buf *out, struct str text, const struct json_pointer *pointer,
                     struct str value)
{
    struct str at = str_trim(text), child;
    size_t members = 0;

    for (unsigned step = 0; step < pointer->count; step++) {
        size_t begin = (size_t)(at.data - text.data), end = begin + at.len;

        if (find_child(at, step_of(pointer, step), &child, &members)) {
            at = child;
            continue;
        }
        switch (json_type_of(at)) {
        case JSON_OBJECT: /* after its last member */
            return splice(out, text, end - 1, end - 1, pointer, step, members ? "," : "", "",
                          value);
        case JSON_NULL:
            return splice(out, text, begin, end, pointer, step, "{", "}", value);
        default:
            return RESULT_NOT_FOUND;
        }
    }
    return splice(out, text, (size_t)(at.data - text.data), (size_t)(at.data - text.data) + at.len,
                  pointer, pointer->count, "", "", value);
}
