#include "engine/said.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is_url(struct str name)
{
    return str_equal_nocase(name, STR("location")) || str_equal_nocase(name, STR("link")) ||
           str_equal_nocase(name, STR("content-location"));
}

/* Appends the value as it may be written down. */
static enum result add_value(const struct secrets *secrets, struct str name, struct str value,
                             struct buf *out)
{
    struct buf plain = { .max = 0 };
    enum result result;

    if (header_is_secret(name)) {
        return buf_append_str(out, STR("***"));
    }
    if (!is_url(name)) {
        return secrets_redact(secrets, value, SECRETS_BEGUN, out);
    }
    result = secrets_redact(secrets, value, SECRETS_WHOLE, &plain);
    if (result == RESULT_OK) {
        result = url_redact(buf_view(&plain), out);
    }
    buf_release(&plain);
    return result;
}

/* Whole lines only: half a value would be taken for the value. */
static enum result add_header(const struct secrets *secrets, struct str name, struct str value,
                              struct buf *headers)
{
    size_t before = headers->len;
    enum result result = buf_printf(headers, "%.*s: ", STR_ARG(name));

    if (result == RESULT_OK) {
        result = add_value(secrets, name, value, headers);
    }
    if (result == RESULT_OK) {
        result = buf_append_char(headers, '\n');
    }
    if (result == RESULT_OK && headers->len > SAID_HEADERS_MAX) {
        headers->len = before;
    }
    return result;
}

/* Appends the head of a body that is kept. */
static enum result add_body(const struct secrets *secrets, struct str body, struct buf *out)
{
    bool is_cut = body.len > SAID_BODY_MAX;
    enum result result;

    body.len = is_cut ? SAID_BODY_MAX : body.len;
    result = secrets_redact(secrets, body, is_cut ? SECRETS_CUT : SECRETS_BEGUN, out);
    if (out->len > SAID_BODY_MAX) { /* what stands for a secret may be longer than it */
        out->len = SAID_BODY_MAX;
    }
    return result;
}

enum result said_keep(const struct secrets *secrets, const struct response *response,
                      struct buf *headers, struct buf *body)
{
    const char *at = response->headers.data, *end = at + response->headers.len;
    enum result result = RESULT_OK;

    while (at < end && result == RESULT_OK) {
        struct str name = str_view(at), value = str_view(at + name.len + 1);

        at = value.data + value.len + 1;
        result = add_header(secrets, name, value, headers);
    }
    if (result != RESULT_OK) {
        return result;
    }
    return add_body(secrets, buf_view(&response->body), body);
}

/* --- one line of it ------------------------------------------------------------------------------- */

/* Where `word` stands in `text`, whatever its case; text.len when nowhere. */
static size_t find(struct str text, const char *word)
{
    size_t len = strlen(word);

    for (size_t at = 0; at + len <= text.len; at++) {
        if (strncasecmp(text.data + at, word, len) == 0) {
            return at;
        }
    }
    return text.len;
}

static struct str rest_from(struct str text, size_t at)
{
    return (struct str){ text.data + at, text.len - at };
}

/* Of an HTML page the title; what comes before its tags is not for people. */
static struct str title_of(struct str page)
{
    size_t open = find(page, "<title");
    struct str rest = rest_from(page, open);
    size_t from = find(rest, ">");

    if (open == page.len || from == rest.len) {
        return page;
    }
    rest = rest_from(rest, from + 1);
    rest.len = find(rest, "</title");
    return str_trim(rest).len ? str_trim(rest) : page;
}

static bool is_html(struct str body)
{
    struct str head = str_trim(body);

    head.len = head.len < 512 ? head.len : 512;
    return head.len && head.data[0] == '<' &&
           (find(head, "<!doctype html") < head.len || find(head, "<html") < head.len);
}

/* The last character may have been cut in two. */
static size_t whole(const char *line, size_t used)
{
    size_t start = used;

    while (start > 0 && used - start < 4 && ((unsigned char)line[start - 1] & 0xC0) == 0x80) {
        start--;
    }
    if (start > 0 && ((unsigned char)line[start - 1] & 0xC0) == 0xC0) {
        unsigned char lead = (unsigned char)line[start - 1];
        size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;

        return used - (start - 1) < want ? start - 1 : used;
    }
    return used;
}

void said_line(struct str body, char line[SAID_LINE_MAX])
{
    struct str text = str_trim(is_html(body) ? title_of(body) : body);
    size_t used = 0, at = 0;

    while (at < text.len && used + 1 < SAID_LINE_MAX) {
        if (isspace((unsigned char)text.data[at]) || text.data[at] == '\0') {
            if (used && line[used - 1] != ' ') {
                line[used++] = ' ';
            }
        } else {
            line[used++] = text.data[at];
        }
        at++;
    }
    if (at < text.len) {
        used = whole(line, used);
    }
    line[used] = '\0';
}

void said_line_of(const struct secrets *secrets, const struct response *response,
                  char line[SAID_LINE_MAX])
{
    struct buf plain = { .max = 0 };

    line[0] = '\0';
    if (response->status && response->body.len &&
        add_body(secrets, buf_view(&response->body), &plain) == RESULT_OK) {
        said_line(buf_view(&plain), line);
    }
    buf_release(&plain);
}
