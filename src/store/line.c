#include "store/line.h"

#include "base/base64.h"
#include "base/body_text.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/json_text.h"
#include "base/json_write.h"
#include "base/utf8.h"

#include <string.h>

#define FOREIGN_KEPT_BYTES (1U << 20) /* a larger buffer is not kept from line to line */

void line_init(struct line *line)
{
    *line = (struct line){ .length = 0 };
}

void line_release(struct line *line)
{
    buf_release(&line->head);
    buf_release(&line->foreign);
}

static void blank_line_breaks(char *at, size_t len, char which)
{
    char *end = at + len;

    while (at < end && (at = memchr(at, which, (size_t)(end - at)))) {
        *at++ = ' ';
    }
}

/* A JSON object, of which line breaks between tokens do not belong into a line. */
static void write_vars(struct json_writer *j, struct str vars)
{
    if (vars.len) {
        json_write_raw(j, "vars", vars);
    }
    if (vars.len && j->result == RESULT_OK) {
        char *at = j->out->data + j->out->len - vars.len;

        blank_line_breaks(at, vars.len, '\n');
        blank_line_breaks(at, vars.len, '\r');
    }
}

/* What the body was, where all of its values are strings for that, and its bytes. */
static void write_sent(struct json_writer *j, struct str bytes, unsigned was)
{
    if (!bytes.len) {
        return;
    }
    if (was & (BODY_WAS_CSV | BODY_WAS_XML)) {
        json_write_text(j, "as", was & BODY_WAS_CSV ? STR("csv") : STR("xml"));
    }
    json_write_base64(j, "sent", bytes);
}

static void write_origin(struct json_writer *j, const struct settlement *settlement)
{
    const struct response *response = settlement->response;
    const struct request *request = response->request;
    char fetched_at[CLOCK_TEXT_SIZE];

    clock_format_utc(response->fetched_at_us, fetched_at);
    json_write_object(j, NULL);
    json_write_uint(j, "id", request->id);
    json_write_text(j, "key", request->key);
    json_write_text(j, "url", settlement->url.data ? settlement->url : request->url);
    json_write_uint(j, "status", (uint64_t)response->status);
    json_write_text(j, "fetched_at", str_view(fetched_at));
    json_write_uint(j, "attempt", request->attempt);
    json_write_uint(j, "elapsed_ms", response->timing.total_us / US_PER_MS);
    json_write_text(j, "content_type", response_header(response, STR("content-type")));
    write_vars(j, request->vars);
    write_sent(j, buf_view(&response->sent_as), response->body_was);
}

/* The last member: its value, and what stands before that. */
static enum result set_value(struct line *line, struct settlement *settlement, struct str *name)
{
    struct buf *body = &settlement->response->body;
    struct json_writer foreign = json_write_begin(&line->foreign);

    *name = STR(",\"body\":");
    switch (settlement->body_kind) {
    case SETTLE_BODY_JSON:
        blank_line_breaks(body->data, body->len, '\n');
        blank_line_breaks(body->data, body->len, '\r');
        line->value = buf_view(body);
        return RESULT_OK;
    case SETTLE_BODY_EMPTY:
        line->value = STR("null");
        return RESULT_OK;
    default:
        break;
    }
    if (line->foreign.cap > FOREIGN_KEPT_BYTES) {
        buf_release(&line->foreign);
    }
    buf_reset(&line->foreign);
    if (utf8_valid_prefix(buf_view(body)) == body->len) {
        *name = STR(",\"text\":");
        json_write_text(&foreign, NULL, buf_view(body));
    } else {
        *name = STR(",\"base64\":");
        json_write_base64(&foreign, NULL, buf_view(body));
    }
    line->value = buf_view(&line->foreign);
    return foreign.result;
}

static void write_seal(struct json_writer *j, uint32_t crc)
{
    char digits[8];

    for (size_t i = sizeof digits; i--; crc >>= 4) {
        digits[i] = "0123456789abcdef"[crc & 15];
    }
    json_write_text(j, "crc32c", (struct str){ digits, sizeof digits });
}

enum result line_make(struct line *line, struct settlement *settlement)
{
    struct json_writer j = json_write_begin(&line->head);
    struct str name;
    size_t length;
    uint32_t crc;

    if (line->head.cap > FOREIGN_KEPT_BYTES) {
        buf_release(&line->head);
    }
    buf_reset(&line->head);
    write_origin(&j, settlement);
    if (j.result == RESULT_OK) {
        j.result = set_value(line, settlement, &name);
    }
    if (j.result != RESULT_OK) {
        return j.result;
    }
    crc = crc32c(0, line->head.data, line->head.len);
    crc = crc32c(crc, name.data, name.len);
    crc = crc32c(crc, line->value.data, line->value.len);
    crc = crc32c(crc, LINE_TAIL.data, LINE_TAIL.len - 1);
    line->crc32c = crc;
    write_seal(&j, crc);
    if (j.result == RESULT_OK) {
        j.result = buf_append_str(&line->head, name); /* its value is not copied: it may be large */
    }
    length = line->head.len + line->value.len + LINE_TAIL.len;
    if (j.result == RESULT_OK && length > RECORD_LINE_MAX) {
        return RESULT_LIMIT;
    }
    line->length = (uint32_t)length;
    return j.result;
}

/* Reading: the members in the order in which line_make writes them, and nothing else. */
struct reader {
    struct str rest;
    bool failed;
};

static void take(struct reader *r, struct str wanted)
{
    if (r->failed || !str_starts(r->rest, wanted)) {
        r->failed = true;
        return;
    }
    r->rest = (struct str){ r->rest.data + wanted.len, r->rest.len - wanted.len };
}

static uint64_t take_number(struct reader *r, uint64_t max)
{
    uint64_t number = 0;
    size_t len = 0;

    while (len < r->rest.len && r->rest.data[len] >= '0' && r->rest.data[len] <= '9') {
        len++;
    }
    if (r->failed || !str_to_u64((struct str){ r->rest.data, len }, &number) || number > max) {
        r->failed = true;
        return 0;
    }
    r->rest = (struct str){ r->rest.data + len, r->rest.len - len };
    return number;
}

/* Up to the closing quote, which is taken too. */
static struct str take_text(struct reader *r)
{
    struct str text = { r->rest.data, 0 };

    while (!r->failed) {
        if (text.len >= r->rest.len) {
            r->failed = true;
        } else if (text.data[text.len] == '"') {
            r->rest = (struct str){ text.data + text.len + 1, r->rest.len - text.len - 1 };
            return text;
        } else {
            text.len += text.data[text.len] == '\\' ? 2 : 1;
        }
    }
    return STR_NONE;
}

/* The object that `r` stands at, of which only quotes and braces are looked at. */
static struct str take_object(struct reader *r)
{
    struct str object = { r->rest.data, 0 };
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; !r->failed && i < r->rest.len; i++) {
        char c = r->rest.data[i];

        i += quoted && c == '\\';
        quoted ^= c == '"';
        depth += !quoted && c == '{';
        depth -= !quoted && c == '}' && depth > 0;
        if (depth == 0) {
            object.len = i + 1;
            r->rest = (struct str){ r->rest.data + object.len, r->rest.len - object.len };
            r->failed = object.data[0] != '{';
            return object;
        }
    }
    r->failed = true;
    return STR_NONE;
}

static uint32_t take_hex(struct reader *r)
{
    struct str digits = take_text(r);
    uint32_t number = 0;

    if (digits.len != 8) {
        r->failed = true;
        return 0;
    }
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.data[i];

        if (c >= '0' && c <= '9') {
            number = number << 4 | (uint32_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            number = number << 4 | (uint32_t)(c - 'a' + 10);
        } else {
            r->failed = true;
        }
    }
    return number;
}

/* `r` stands after the CRC; what is left ends in LINE_TAIL. */
static void take_value(struct reader *r, struct line_view *view)
{
    struct str rest = r->rest;

    if (r->failed || rest.len < LINE_TAIL.len ||
        memcmp(rest.data + rest.len - LINE_TAIL.len, LINE_TAIL.data, LINE_TAIL.len)) {
        r->failed = true;
        return;
    }
    view->checked_too = (struct str){ rest.data, rest.len - 1 };
    if (str_starts(rest, STR(",\"body\":"))) {
        take(r, STR(",\"body\":"));
        view->body_kind = LINE_BODY;
        view->body = (struct str){ r->rest.data, r->rest.len - LINE_TAIL.len };
        r->failed = r->rest.len <= LINE_TAIL.len;
        return;
    }
    view->body_kind = str_starts(rest, STR(",\"text\":")) ? LINE_TEXT : LINE_BASE64;
    take(r, view->body_kind == LINE_TEXT ? STR(",\"text\":\"") : STR(",\"base64\":\""));
    view->body = take_text(r);
    if (!str_equal(r->rest, LINE_TAIL)) {
        r->failed = true;
    }
}

static void take_key(struct reader *r, struct line_view *view)
{
    take(r, STR("{\"id\":"));
    view->id = take_number(r, INT64_MAX);
    take(r, STR(",\"key\":\""));
    view->key = take_text(r);
}

/* What follows the key, up to the time. */
static void take_time(struct reader *r, struct line_view *view)
{
    take(r, STR(",\"url\":\""));
    view->url = take_text(r);
    take(r, STR(",\"status\":"));
    view->status = (uint32_t)take_number(r, UINT16_MAX);
    take(r, STR(",\"fetched_at\":\""));
    view->fetched_at = take_text(r);
}

enum result line_parse_key(struct str head, struct line_view *view)
{
    struct reader r = { head, false };

    *view = (struct line_view){ .id = 0 };
    take_key(&r, view);
    return r.failed ? RESULT_LIMIT : RESULT_OK;
}

enum result line_parse_time(struct str head, struct line_view *view)
{
    struct reader r = { head, false };

    *view = (struct line_view){ .id = 0 };
    take_key(&r, view);
    take_time(&r, view);
    return r.failed ? RESULT_LIMIT : RESULT_OK;
}

enum result line_parse(struct str text, struct line_view *view)
{
    struct reader r = { text, false };

    *view = (struct line_view){ .id = 0 };
    take_key(&r, view);
    take_time(&r, view);
    take(&r, STR(",\"attempt\":"));
    view->attempt = (uint32_t)take_number(&r, UINT32_MAX);
    take(&r, STR(",\"elapsed_ms\":"));
    view->elapsed_ms = take_number(&r, UINT64_MAX);
    take(&r, STR(",\"content_type\":\""));
    view->content_type = take_text(&r);
    if (!r.failed && str_starts(r.rest, STR(",\"vars\":"))) {
        take(&r, STR(",\"vars\":"));
        view->vars = take_object(&r);
    }
    if (!r.failed && str_starts(r.rest, STR(",\"as\":"))) {
        take(&r, STR(",\"as\":\""));
        view->as = take_text(&r);
    }
    if (!r.failed && str_starts(r.rest, STR(",\"sent\":"))) {
        take(&r, STR(",\"sent\":\""));
        view->sent = take_text(&r);
    }
    view->checked = (struct str){ text.data, text.len - r.rest.len };
    take(&r, STR(",\"crc32c\":\""));
    view->crc32c = take_hex(&r);
    take_value(&r, view);
    return r.failed ? RESULT_CORRUPT : RESULT_OK;
}

uint32_t line_crc32c(const struct line_view *view)
{
    uint32_t crc = crc32c(0, view->checked.data, view->checked.len);

    return crc32c(crc, view->checked_too.data, view->checked_too.len);
}

enum result line_append_body(const struct line_view *view, struct buf *to)
{
    enum result result;

    if (view->sent.data) {
        result = base64_decode(to, view->sent);
        return result == RESULT_INVALID ? RESULT_CORRUPT : result;
    }
    switch (view->body_kind) {
    case LINE_TEXT:
        result = json_text_decode(to, view->body);
        break;
    case LINE_BASE64:
        result = base64_decode(to, view->body);
        break;
    default:
        result = buf_append_str(to, view->body);
        break;
    }
    return result == RESULT_INVALID ? RESULT_CORRUPT : result;
}
