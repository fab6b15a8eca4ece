#include "probe/curl_headers.h"

#include "base/base64.h"

#include <string.h>

static enum result nomem(struct curl_headers *h, enum result result)
{
    return result == RESULT_OK ? RESULT_OK : err_nomem(h->err, "reading a curl command");
}

/* An empty word may be nowhere. */
static bool holds(struct str word, char c)
{
    return word.len && memchr(word.data, c, word.len);
}

static struct str name_of(struct str line)
{
    return str_trim(str_cut(&line, ':'));
}

/* The one of that name; header_count: none. */
static size_t find_header(const struct curl_command *c, struct str name)
{
    size_t i = 0;

    while (i < c->header_count && !str_equal_nocase(name_of(buf_view(&c->headers[i])), name)) {
        i++;
    }
    return i;
}

static bool is_removed(const struct curl_headers *h, struct str name)
{
    for (size_t i = 0; i < h->removed_count; i++) {
        if (str_equal_nocase(buf_view(&h->removed[i]), name)) {
            return true;
        }
    }
    return false;
}

static void drop_header(struct curl_headers *h, size_t index)
{
    struct curl_command *c = h->to;

    buf_release(&c->headers[index]);
    c->header_count--;
    memmove(&c->headers[index], &c->headers[index + 1],
            (c->header_count - index) * sizeof c->headers[0]);
    memmove(&h->strengths[index], &h->strengths[index + 1],
            (c->header_count - index) * sizeof h->strengths[0]);
    c->headers[c->header_count] = (struct buf){ .max = 0 };
}

static enum result append_header(struct curl_headers *h, struct str head, struct str tail,
                                 enum curl_strength strength)
{
    struct curl_command *c = h->to;
    struct buf *line = &c->headers[c->header_count];

    if (c->header_count == CURL_COMMAND_HEADERS_MAX) {
        return err_set(h->err, RESULT_LIMIT, "E-CURL1", "curl command: more than %d headers",
                       CURL_COMMAND_HEADERS_MAX);
    }
    h->strengths[c->header_count++] = strength;
    return nomem(h, buf_append_str(line, head) != RESULT_OK ? RESULT_NOMEM
                                                            : buf_append_str(line, tail));
}

/* A header line of two parts, that an option other than -H makes: the last one counts. */
static enum result add_header(struct curl_headers *h, struct str head, struct str tail,
                              enum curl_strength strength)
{
    size_t same = find_header(h->to, name_of(head));

    if (is_removed(h, name_of(head)) ||
        (same < h->to->header_count && h->strengths[same] > strength)) {
        return RESULT_OK;
    }
    if (same < h->to->header_count) {
        drop_header(h, same);
    }
    return append_header(h, head, tail, strength);
}

/* What one more option says is joined to the header of the earlier ones. */
static enum result join_header(struct curl_headers *h, size_t index, struct str value)
{
    struct buf *line = &h->to->headers[index];

    while (line->len && (line->data[line->len - 1] == ';' || line->data[line->len - 1] == ' ')) {
        line->len--;
    }
    return nomem(h, buf_append_str(line, STR("; ")) != RESULT_OK ? RESULT_NOMEM
                                                                 : buf_append_str(line, value));
}

/* -H 'Name:' takes out what curl or another option would send. */
static enum result remove_header(struct curl_headers *h, struct str name)
{
    size_t same = find_header(h->to, name);

    if (same < h->to->header_count && h->strengths[same] != CURL_BY_HEADER) {
        drop_header(h, same);
    }
    if (is_removed(h, name)) {
        return RESULT_OK;
    }
    if (h->removed_count == CURL_REMOVED_MAX) {
        return err_set(h->err, RESULT_LIMIT, "E-CURL1",
                       "curl command: more than %d headers taken out", CURL_REMOVED_MAX);
    }
    return nomem(h, buf_append_str(&h->removed[h->removed_count++], name));
}

/* A header without a value is not sent here. */
static enum result pass_empty(struct curl_headers *h, struct str line)
{
    struct buf *passed = &h->to->passed;

    return nomem(h, buf_printf(passed, "%s-H %.*s", passed->len ? " " : "", STR_ARG(line)));
}

/* curl drops a header whose value is empty, and sends one without a value that ends in a semicolon; a
 * browser's pasted ":authority:" is of HTTP/2's own. */
static enum result take_header(struct curl_headers *h, struct str line)
{
    struct str value = line, name = str_cut(&value, ':');
    size_t same;

    if (str_starts(line, STR("@"))) {
        return err_set(h->err, RESULT_INVALID, "E-CURL2",
                       "curl command: -H @FILE reads a file; give the headers themselves");
    }
    if (!value.data && line.len && line.data[line.len - 1] == ';') {
        return pass_empty(h, line);
    }
    if (!name.len || !value.data) {
        return RESULT_OK;
    }
    if (!str_trim(value).len) {
        return remove_header(h, str_trim(name));
    }
    same = find_header(h->to, str_trim(name));
    if (same < h->to->header_count && h->strengths[same] == CURL_BY_HEADER &&
        str_equal_nocase(str_trim(name), STR("Cookie"))) {
        return join_header(h, same, str_trim(value));
    }
    if (same < h->to->header_count && h->strengths[same] != CURL_BY_HEADER) {
        drop_header(h, same);
    }
    return append_header(h, line, STR_NONE, CURL_BY_HEADER);
}

static enum result add_user(struct curl_headers *h, struct str user)
{
    struct buf encoded = { 0 };
    enum result result;

    if (!holds(user, ':')) {
        return err_set(h->err, RESULT_INVALID, "E-CURL2",
                       "curl command: -u wants user:password here, there is nobody to ask");
    }
    result = nomem(h, base64_append(&encoded, user));
    if (result == RESULT_OK) {
        result = add_header(h, STR("Authorization: Basic "), buf_view(&encoded), CURL_BY_OPTION);
    }
    buf_release(&encoded);
    return result;
}

static enum result add_cookie(struct curl_headers *h, struct str cookie)
{
    size_t same;

    if (!cookie.len) { /* for curl: keep those that come, as is done here */
        return RESULT_OK;
    }
    if (!holds(cookie, '=')) {
        return err_set(h->err, RESULT_INVALID, "E-CURL2",
                       "curl command: -b reads a file; give the cookies themselves, name=value");
    }
    same = find_header(h->to, STR("Cookie"));
    if (same < h->to->header_count && h->strengths[same] == CURL_BY_OPTION) {
        return join_header(h, same, str_trim(cookie));
    }
    return add_header(h, STR("Cookie: "), str_trim(cookie), CURL_BY_OPTION);
}

/* ";auto" after it is about redirects. */
static enum result add_referer(struct curl_headers *h, struct str referer)
{
    static const struct str automatic = STR_INIT(";auto");

    if (referer.len >= automatic.len &&
        str_equal((struct str){ referer.data + referer.len - automatic.len, automatic.len },
                  automatic)) {
        referer.len -= automatic.len;
    }
    return referer.len ? add_header(h, STR("Referer: "), referer, CURL_BY_OPTION) : RESULT_OK;
}

/* An empty one sends none. */
static enum result add_agent(struct curl_headers *h, struct str agent)
{
    size_t same = find_header(h->to, STR("User-Agent"));

    if (agent.len) {
        return add_header(h, STR("User-Agent: "), agent, CURL_BY_OPTION);
    }
    if (same < h->to->header_count && h->strengths[same] == CURL_BY_OPTION) {
        drop_header(h, same);
    }
    return RESULT_OK;
}

enum result curl_headers_apply(struct curl_headers *h, enum curl_option option, struct str value)
{
    switch (option) {
    case CURL_HEADER:
        return take_header(h, value);
    case CURL_USER:
        return add_user(h, value);
    case CURL_COOKIE:
        return add_cookie(h, value);
    case CURL_BEARER:
        return add_header(h, STR("Authorization: Bearer "), value, CURL_BY_BEARER);
    case CURL_AGENT:
        return add_agent(h, value);
    case CURL_RANGE:
        return add_header(h, STR("Range: bytes="), value, CURL_BY_OPTION);
    default:
        return add_referer(h, value);
    }
}

enum result curl_headers_add(struct curl_headers *h, struct str head, struct str tail)
{
    return add_header(h, head, tail, CURL_BY_OPTION);
}

bool curl_headers_drop_weak(struct curl_headers *h, struct str name)
{
    size_t at = find_header(h->to, name);

    if (at == h->to->header_count || h->strengths[at] != CURL_BY_OPTION) {
        return false;
    }
    drop_header(h, at);
    return true;
}

bool curl_headers_lack(const struct curl_headers *h, struct str name)
{
    return is_removed(h, name) && find_header(h->to, name) == h->to->header_count;
}

void curl_headers_release(struct curl_headers *h)
{
    for (size_t i = 0; i < h->removed_count; i++) {
        buf_release(&h->removed[i]);
    }
}
