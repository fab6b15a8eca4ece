#include "base/url.h"

#include <string.h>

/* Written so that the compiler can take many bytes at a time: lists of millions of URLs come here. */
static bool has_bad_byte(struct str text)
{
    unsigned bad = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        bad |= (unsigned)(c <= 0x20) | (unsigned)(c == 0x7F);
    }
    return bad;
}

static enum result check_bytes(struct str text, struct err *err)
{
    if (text.len > URL_MAX_BYTES) {
        return err_set(err, RESULT_LIMIT, "E-URL7", "URL too long (%zu > %d bytes)", text.len,
                       URL_MAX_BYTES);
    }
    if (!has_bad_byte(text)) {
        return RESULT_OK;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c == ' ') {
            return err_set(err, RESULT_INVALID, "E-URL1",
                           "space in URL at byte %zu; write it as %%20", i + 1);
        }
        if (c < 0x20 || c == 0x7F) {
            return err_set(err, RESULT_INVALID, "E-URL1",
                           "control character \\x%02x in URL at byte %zu", c, i + 1);
        }
    }
    return RESULT_OK;
}

static bool scheme_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '-' || c == '.';
}

static enum result split_scheme(struct str text, struct url *url, struct str *rest, struct err *err)
{
    size_t len = 0;

    while (len < text.len && scheme_char(text.data[len])) {
        len++;
    }
    rest->data = text.data + len;
    rest->len = text.len - len;
    if (!len || !str_starts(*rest, STR("://"))) {
        if (len && rest->len && rest->data[0] == ':' && len + 1 < text.len &&
            (rest->data[1] < '0' || rest->data[1] > '9')) {
            return err_set(err, RESULT_INVALID, "E-URL3",
                           "scheme \"%.*s\" not allowed; only http:// and https://", (int)len,
                           text.data);
        }
        if (text.len && memchr(text.data, '@', text.len)) { /* may be "user:password@host" */
            return err_set(err, RESULT_INVALID, "E-URL4",
                           "missing scheme in URL; write http://... or https://...");
        }
        return err_set(err, RESULT_INVALID, "E-URL4",
                       "missing scheme in \"%.*s\"; write http://... or https://...",
                       (int)(text.len < 80 ? text.len : 80), text.data);
    }
    rest->data += 3;
    rest->len -= 3;
    url->scheme = (struct str){ text.data, len };
    url->is_https = str_equal_nocase(url->scheme, STR("https"));
    if (!url->is_https && !str_equal_nocase(url->scheme, STR("http"))) {
        return err_set(err, RESULT_INVALID, "E-URL3",
                       "scheme \"%.*s\" not allowed; only http:// and https://", (int)len,
                       text.data);
    }
    return RESULT_OK;
}

static enum result split_port(struct str digits, struct url *url, struct err *err)
{
    uint64_t port;

    if (!digits.len) {
        return RESULT_OK; /* "host:" is allowed, RFC 3986 section 3.2.3 */
    }
    if (!str_to_u64(digits, &port) || port == 0 || port > 65535) {
        return err_set(err, RESULT_INVALID, "E-URL2",
                       "not a valid URL: port \"%.*s\" is not within 1 to 65535",
                       (int)(digits.len < 32 ? digits.len : 32), digits.data);
    }
    url->port = (uint16_t)port;
    return RESULT_OK;
}

static bool host_char(char c)
{
    unsigned char u = (unsigned char)c;

    switch (c) {
    case '"':
    case '<':
    case '>':
    case '\\':
    case '^':
    case '`':
    case '{':
    case '|':
    case '}':
    case '[':
    case ']':
    case '@':
    case ':':
    case '/':
    case '?':
    case '#':
        return false;
    default:
        return u > 0x20 && u != 0x7F;
    }
}

static enum result split_host(struct str authority, struct url *url, struct err *err)
{
    const char *close;

    if (authority.len && authority.data[0] == '[') {
        close = memchr(authority.data, ']', authority.len);
        if (!close) {
            return err_set(err, RESULT_INVALID, "E-URL2",
                           "not a valid URL: bad host, \"[\" without \"]\"");
        }
        url->is_ipv6 = true;
        url->host = (struct str){ authority.data + 1, (size_t)(close - authority.data) - 1 };
        for (size_t i = 0; i < url->host.len; i++) {
            if (!strchr("0123456789abcdefABCDEF:.", url->host.data[i])) {
                return err_set(err, RESULT_INVALID, "E-URL2",
                               "not a valid URL: bad character in IPv6 address");
            }
        }
        authority.len -= (size_t)(close + 1 - authority.data);
        authority.data = close + 1;
    } else {
        size_t len = 0;

        while (len < authority.len && authority.data[len] != ':') {
            len++;
        }
        url->host = (struct str){ authority.data, len };
        for (size_t i = 0; i < len; i++) {
            if (!host_char(authority.data[i])) {
                return err_set(err, RESULT_INVALID, "E-URL2", "not a valid URL: bad host \"%.*s\"",
                               (int)(len < 80 ? len : 80), url->host.data);
            }
        }
        authority.data += len;
        authority.len -= len;
    }
    if (!url->host.len) {
        return err_set(err, RESULT_INVALID, "E-URL4", "missing host in URL");
    }
    if (url->host.len > URL_HOST_MAX) {
        return err_set(err, RESULT_LIMIT, "E-URL7", "host name too long (%zu > %d bytes)",
                       url->host.len, URL_HOST_MAX);
    }
    if (!authority.len) {
        return RESULT_OK;
    }
    if (authority.data[0] != ':') {
        return err_set(err, RESULT_INVALID, "E-URL2", "not a valid URL: bad host");
    }
    return split_port((struct str){ authority.data + 1, authority.len - 1 }, url, err);
}

enum result url_split(struct str text, struct url *url, struct err *err)
{
    struct str rest, authority;
    const char *hash;
    enum result result;
    size_t len = 0;

    *url = (struct url){ 0 };
    if (!text.len) {
        return err_set(err, RESULT_INVALID, "E-URL4", "empty URL");
    }
    result = check_bytes(text, err);
    if (result == RESULT_OK) {
        result = split_scheme(text, url, &rest, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    while (len < rest.len && rest.data[len] != '/' && rest.data[len] != '?' &&
           rest.data[len] != '#') {
        len++;
    }
    authority = (struct str){ rest.data, len };
    if (memchr(authority.data, '@', authority.len)) {
        return err_set(err, RESULT_INVALID, "E-URL5",
                       "credentials in URL; give them as -u 'NAME:${PASS}', or as a header from a "
                       "file, -H @FILE");
    }
    url->port = url->is_https ? 443 : 80;
    result = split_host(authority, url, err);
    if (result != RESULT_OK) {
        return result;
    }
    url->origin = (struct str){ text.data, (size_t)(rest.data + len - text.data) };
    url->target = (struct str){ rest.data + len, rest.len - len };
    hash = url->target.len ? memchr(url->target.data, '#', url->target.len) : NULL;
    if (hash) {
        url->target.len = (size_t)(hash - url->target.data);
    }
    return RESULT_OK;
}

bool url_same_origin(const struct url *a, const struct url *b)
{
    return a->is_https == b->is_https && a->port == b->port && str_equal_nocase(a->host, b->host);
}

static char *put(char *at, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        *at++ = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return at;
}

static char *put_port(char *at, unsigned port)
{
    char digits[5];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + port % 10);
        port /= 10;
    } while (port);
    while (count) {
        *at++ = digits[--count];
    }
    return at;
}

/* Of each request: printf's formats would be the most of what its host costs. */
void url_origin_key(const struct url *url, char text[URL_ORIGIN_MAX])
{
    char *at = put(text, url->is_https ? STR("https://") : STR("http://"));

    at = put(at, url->is_ipv6 ? STR("[") : STR(""));
    at = put(at, url->host);
    at = put(at, url->is_ipv6 ? STR("]:") : STR(":"));
    *put_port(at, url->port) = '\0';
}
