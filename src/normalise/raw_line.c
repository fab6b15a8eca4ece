#include "normalise/raw_line.h"

#include "base/crc32c.h"
#include "base/json_scan.h"
#include "base/json_step.h"

#include <string.h>

#define SEAL_MEMBER ",\"crc32c\":\"00000000\"" /* as the store writes it, but for the digits */
#define SEAL_BYTES (sizeof SEAL_MEMBER - 1)
#define SEAL_DIGITS 8
#define SEAL_BEFORE_KEY (sizeof ",\"" - 1)

bool raw_line_split(struct str line, struct raw_line *parts)
{
    struct json_walk walk;
    struct str key, value;
    const char *p, *end, *line_begin = line.data;

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
        if (str_starts(rest, STR("\"text\":")) || str_starts(rest, STR("\"base64\":"))) {
            parts->kind = RAW_BODY_OTHER; /* and the line's last member, as a body is */
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
        } else if (json_raw_equal(key, STR("as"))) {
            parts->is_texts = true;
        } else if (json_raw_equal(key, STR("crc32c"))) {
            size_t at = (size_t)(key.data - line_begin);

            parts->seal_at = at > SEAL_BEFORE_KEY ? at - SEAL_BEFORE_KEY : 0;
        }
    }
    return true;
}

bool raw_line_is_whole(struct str line, const struct raw_line *parts, uint32_t crc32c_wanted)
{
    static const char hex[] = "0123456789abcdef";
    size_t after = parts->seal_at + SEAL_BYTES;
    char seal[] = SEAL_MEMBER;
    uint32_t crc, rest = crc32c_wanted;

    for (size_t i = SEAL_BYTES - 1, n = SEAL_DIGITS; n--; rest >>= 4) {
        seal[--i] = hex[rest & 15];
    }
    if (!parts->seal_at || after >= line.len || line.data[line.len - 1] != '\n' ||
        memcmp(line.data + parts->seal_at, seal, SEAL_BYTES) != 0) {
        return false;
    }
    crc = crc32c(0, line.data, parts->seal_at);
    return crc32c(crc, line.data + after, line.len - 1 - after) == crc32c_wanted;
}
