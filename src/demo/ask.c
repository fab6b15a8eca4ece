#include "demo/ask.h"

#include "base/url.h"

#define NUMBER_TEXT_MAX 24

void ask_set_target(struct ask *ask, struct str target)
{
    struct url url;

    if (target.len && target.data[0] != '/' && url_split(target, &url, NULL) == RESULT_OK) {
        target = url.target;
    }
    ask->query = target;
    ask->path = str_cut(&ask->query, '?');
}

struct str ask_header(const struct ask *ask, struct str name)
{
    for (size_t i = 0; i < ask->header_count; i++) {
        if (str_equal_nocase(ask->headers[i].name, name)) {
            return ask->headers[i].value;
        }
    }
    return STR_NONE;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character of a query, decoded; advances `*at`. -1 for a bad escape or a NUL. */
static int decode_one(struct str text, size_t *at)
{
    char c = text.data[*at];
    int high, low;

    (*at)++;
    if (c != '%') {
        return c == '+' ? ' ' : (unsigned char)c;
    }
    if (text.len - *at < 2) {
        return -1;
    }
    high = hex_value(text.data[*at]);
    low = hex_value(text.data[*at + 1]);
    *at += 2;
    if (high < 0 || low < 0 || high + low == 0) {
        return -1;
    }
    return high << 4 | low;
}

static enum ask_found decode(struct str text, char *out, size_t out_size, size_t *len)
{
    size_t at = 0;

    *len = 0;
    while (at < text.len) {
        int c = decode_one(text, &at);

        if (c < 0 || *len + 1 >= out_size) {
            return ASK_MALFORMED;
        }
        out[(*len)++] = (char)c;
    }
    out[*len] = '\0';
    return ASK_FOUND;
}

enum ask_found ask_param(const struct ask *ask, const char *name, char *out, size_t out_size,
                         size_t *len)
{
    struct str rest = ask->query;

    while (rest.len) {
        struct str value = str_cut(&rest, '&');
        struct str key = str_cut(&value, '=');

        if (str_equal(key, str_view(name))) {
            return decode(value, out, out_size, len);
        }
    }
    return ASK_ABSENT;
}

bool ask_param_number(const struct ask *ask, const char *name, uint64_t low, uint64_t high,
                      uint64_t *number)
{
    char text[NUMBER_TEXT_MAX];
    uint64_t value;
    size_t len;

    switch (ask_param(ask, name, text, sizeof text, &len)) {
    case ASK_ABSENT:
        return true;
    case ASK_MALFORMED:
        return false;
    case ASK_FOUND:
        break;
    }
    if (!str_to_u64((struct str){ text, len }, &value) || value < low || value > high) {
        return false;
    }
    *number = value;
    return true;
}
