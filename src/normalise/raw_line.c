#include "normalise/raw_line.h"

#include "base/json_scan.h"
#include "base/json_step.h"

bool raw_line_split(struct str line, struct raw_line *parts)
{
    struct json_walk walk;
    struct str key, value;
    const char *p, *end;

    *parts = (struct raw_line){ .kind = RAW_BODY_NONE };
    line = str_trim(line);
    if (line.len < 2 || line.data[0] != '{' || line.data[line.len - 1] != '}') {
        return false;
    }
    end = line.data + line.len - 1;
    json_walk_begin(&walk, line);
    while (walk.at < end) {
        /* Asked before the walk steps over the value, which may be most of the line. */
        struct str rest = { walk.at, (size_t)(end - walk.at) };

        if (str_starts(rest, STR("\"body\":"))) {
            p = json_step_space(rest.data + sizeof "\"body\":" - 1, end);
            parts->body = (struct str){ p, (size_t)(end - p) };
            parts->kind = RAW_BODY_JSON;
            return true;
        }
        if (!json_walk_next(&walk, &key, &value)) {
            return false;
        }
        if (json_raw_equal(key, STR("key"))) {
            parts->key = json_string_raw(value);
        } else if (json_raw_equal(key, STR("url"))) {
            parts->url = json_string_raw(value);
        } else if (json_raw_equal(key, STR("fetched_at"))) {
            parts->fetched_at = json_string_raw(value);
        } else if (json_raw_equal(key, STR("status"))) {
            parts->status = value;
        } else if (json_raw_equal(key, STR("vars"))) {
            parts->vars = value;
        } else if (json_raw_equal(key, STR("text")) || json_raw_equal(key, STR("base64"))) {
            parts->kind = RAW_BODY_OTHER;
        }
    }
    return true;
}
