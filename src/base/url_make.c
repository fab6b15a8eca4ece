#include "base/url_make.h"

#include <string.h>

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static enum result append_byte(struct buf *to, char byte, bool as_it_is)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char c = (unsigned char)byte;
    char escape[3] = { '%', digits[c >> 4], digits[c & 15] };

    return as_it_is ? buf_append_char(to, byte) : buf_append(to, escape, 3);
}

enum result url_append_encoded(struct buf *to, struct str bytes)
{
    enum result result = buf_reserve(to, bytes.len);

    for (size_t i = 0; i < bytes.len && result == RESULT_OK; i++) {
        result = append_byte(to, bytes.data[i], is_unreserved(bytes.data[i]));
    }
    return result;
}

/* Where the path of a reference begins: after its host, when it names one. */
static size_t path_at(struct str reference)
{
    size_t at = 0;

    while (at < reference.len && !strchr("/?#", reference.data[at])) {
        at++;
    }
    if (at + 1 >= reference.len || reference.data[at] != '/' || reference.data[at + 1] != '/' ||
        (at && reference.data[at - 1] != ':')) {
        return 0;
    }
    for (at += 2; at < reference.len && !strchr("/?#", reference.data[at]);) {
        at++;
    }
    return at;
}

enum result url_append_mended(struct buf *to, struct str reference)
{
    struct str text = str_trim(reference);
    size_t path = path_at(text);
    enum result result = buf_append(to, text.data, path);

    for (size_t i = path; i < text.len && result == RESULT_OK; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool bad = c == ' ' || c > 0x7E || (c && strchr("\"<>\\^`{|}", c));

        result = append_byte(to, text.data[i], !bad || c == 0x7F);
    }
    return result;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that the head of `encoded` means; `*used` gets how many bytes said so. */
static char decode_one(struct str encoded, size_t *used)
{
    if (encoded.data[0] == '%' && encoded.len > 2 && hex(encoded.data[1]) >= 0 &&
        hex(encoded.data[2]) >= 0) {
        *used = 3;
        return (char)(hex(encoded.data[1]) << 4 | hex(encoded.data[2]));
    }
    *used = 1;
    return encoded.data[0] == '+' ? ' ' : encoded.data[0];
}

struct str url_decode(struct str encoded, char *room)
{
    struct str decoded = { room, 0 };

    while (encoded.len) {
        size_t used;

        room[decoded.len++] = decode_one(encoded, &used);
        encoded.data += used;
        encoded.len -= used;
    }
    return decoded;
}

bool url_name_is(struct str encoded, struct str name)
{
    while (encoded.len && name.len) {
        size_t used;

        if (decode_one(encoded, &used) != name.data[0]) {
            return false;
        }
        encoded.data += used;
        encoded.len -= used;
        name.data++;
        name.len--;
    }
    return !encoded.len && !name.len;
}

/* `url` up to its query, which is cut off it, without "?" and fragment; STR_NONE when there is none. */
static struct str cut_query(struct str *url)
{
    const char *hash = url->len ? memchr(url->data, '#', url->len) : NULL;
    struct str rest = hash ? (struct str){ url->data, (size_t)(hash - url->data) } : *url;

    *url = str_cut(&rest, '?');
    return rest;
}

void url_params_begin(struct url_params *params, struct str url)
{
    params->rest = cut_query(&url);
}

bool url_params_next(struct url_params *params, struct str *name, struct str *value)
{
    while (params->rest.data) {
        *value = str_cut(&params->rest, '&');
        if (value->len) {
            *name = str_cut(value, '=');
            return true;
        }
    }
    return false;
}

bool url_param(struct str url, struct str name, struct str *encoded)
{
    struct url_params params;
    struct str each;

    url_params_begin(&params, url);
    while (url_params_next(&params, &each, encoded)) {
        if (url_name_is(each, name)) {
            return true;
        }
    }
    return false;
}

static enum result append_param(struct buf *to, bool *first, struct str name, struct str value)
{
    enum result result = buf_append_char(to, *first ? '?' : '&');

    *first = false;
    if (result == RESULT_OK) {
        result = buf_append_str(to, name);
    }
    if (result == RESULT_OK && value.data) {
        result = buf_append_char(to, '=');
    }
    return result == RESULT_OK ? buf_append_str(to, value) : result;
}

/* Under the name that it has in the URL already, or else under `name`, encoded. */
static enum result append_set(struct buf *to, bool *first, struct str name, struct str encoded)
{
    struct buf written = { 0 };
    enum result result = url_append_encoded(&written, name);

    if (result == RESULT_OK) {
        result = append_param(to, first, buf_view(&written), encoded);
    }
    buf_release(&written);
    return result;
}

enum result url_append_with_param(struct buf *to, struct str url, struct str name,
                                  struct str encoded)
{
    struct str head = url, each, value;
    struct url_params params = { .rest = cut_query(&head) };
    enum result result = buf_append_str(to, head);
    bool first = true, done = false;

    while (result == RESULT_OK && url_params_next(&params, &each, &value)) {
        if (!url_name_is(each, name)) {
            result = append_param(to, &first, each, value);
        } else if (!done) {
            result = append_param(to, &first, each, encoded);
            done = true;
        }
    }
    return result == RESULT_OK && !done ? append_set(to, &first, name, encoded) : result;
}

enum result url_append_without_param(struct buf *to, struct str url, struct str name)
{
    struct str head = url, each, value;
    struct url_params params = { .rest = cut_query(&head) };
    enum result result = buf_append_str(to, head);
    bool first = true;

    while (result == RESULT_OK && url_params_next(&params, &each, &value)) {
        if (!url_name_is(each, name)) {
            result = append_param(to, &first, each, value);
        }
    }
    return result;
}

/* --- RFC 3986 section 5.2 ------------------------------------------------------------------------ */

static bool has_scheme(struct str reference)
{
    for (size_t i = 0; i < reference.len; i++) {
        char c = reference.data[i];

        if (c == ':') {
            return i > 0;
        }
        if (c == '/' || c == '?' || c == '#') {
            return false;
        }
    }
    return false;
}

enum result url_append_path(struct buf *to, struct str path)
{
    size_t root = to->len;
    enum result result = RESULT_OK;
    struct str rest = path, segment;

    (void)str_cut(&rest, '/');
    while (rest.data && result == RESULT_OK) {
        segment = str_cut(&rest, '/');
        if (str_equal(segment, STR("..")) || str_equal(segment, STR("."))) {
            while (segment.len == 2 && to->len > root && to->data[--to->len] != '/') {
            }
            result = rest.data ? RESULT_OK : buf_append_char(to, '/');
            continue;
        }
        result = buf_append_char(to, '/');
        if (result == RESULT_OK) {
            result = buf_append_str(to, segment);
        }
    }
    return result;
}

/* Splits off what begins at "?" or "#". */
static struct str cut_tail(struct str *text)
{
    size_t len = 0;
    struct str tail;

    while (len < text->len && text->data[len] != '?' && text->data[len] != '#') {
        len++;
    }
    tail = len < text->len ? (struct str){ text->data + len, text->len - len } : STR_NONE;
    text->len = len;
    return tail;
}

/* The base's path up to its last slash, and the reference's path after it. */
static enum result append_merged(struct buf *to, struct str base_path, struct str path)
{
    struct buf merged = { 0 };
    size_t len = base_path.len;
    enum result result;

    while (len && base_path.data[len - 1] != '/') {
        len--;
    }
    result = len ? buf_append(&merged, base_path.data, len) : buf_append_char(&merged, '/');
    if (result == RESULT_OK) {
        result = buf_append_str(&merged, path);
    }
    if (result == RESULT_OK) {
        result = url_append_path(to, buf_view(&merged));
    }
    buf_release(&merged);
    return result;
}

enum result url_append_resolved(struct buf *to, struct str base, struct str reference)
{
    struct url at;
    struct str tail, base_path;
    enum result result;

    if (has_scheme(reference) || url_split(base, &at, NULL) != RESULT_OK) {
        return buf_append_str(to, reference);
    }
    if (str_starts(reference, STR("//"))) {
        result = buf_append_str(to, at.scheme);
        if (result == RESULT_OK) {
            result = buf_append_char(to, ':');
        }
        return result == RESULT_OK ? buf_append_str(to, reference) : result;
    }
    tail = cut_tail(&reference);
    base_path = at.target;
    (void)cut_tail(&base_path);
    result = buf_append_str(to, at.origin);
    if (result == RESULT_OK && !reference.len) { /* "?page=2", "#here", "" */
        result = buf_append_str(to, tail.len && tail.data[0] == '?' ? base_path : at.target);
    } else if (result == RESULT_OK && reference.data[0] == '/') {
        result = url_append_path(to, reference);
    } else if (result == RESULT_OK) {
        result = append_merged(to, base_path, reference);
    }
    return result == RESULT_OK ? buf_append_str(to, tail) : result;
}
