#include "control/server_requests.h"

#include "base/json_scan.h"
#include "base/json_text.h"

#include <stdio.h>
#include <unistd.h>

#define TEXTS_MAX_BYTES (128 * 1024)
#define REPLY_MAX_BYTES (64 * 1024)
#define EVERY_MS 250
#define EVERY_MS_LEAST 100
#define EVERY_MS_MOST 60000
#define REQUESTS_PER_S 50
#define REFUSALS_PER_S 1000 /* then it is closed: each costs the loop a write */
#define DEPTH_MAX 16
#define SEQ_MAX_BYTES 64

void server_requests_init(struct server_requests *r)
{
    buf_init(&r->reply, CONTROL_LINE_MAX);
    buf_init(&r->texts, TEXTS_MAX_BYTES);
}

void server_requests_release(struct server_requests *r)
{
    buf_release(&r->reply);
    buf_release(&r->texts);
}

/* An answer that cannot be sent would leave the client waiting for ever. */
static void send_reply(struct server_requests *r, struct server_client *c)
{
    if (buf_append_char(&r->reply, '\n') != RESULT_OK ||
        !server_client_send(c, buf_view(&r->reply))) {
        server_client_close(c);
    }
}

/* --- answers ------------------------------------------------------------------------------------------ */

/* `{"seq":7,"ok":true` of a request; `seq` is STR_NONE for one without. */
static bool begin_reply(struct server_requests *r, struct str seq, bool ok)
{
    buf_reset(&r->reply);
    return buf_append_char(&r->reply, '{') == RESULT_OK &&
           (!seq.len || buf_printf(&r->reply, "\"seq\":%.*s,", STR_ARG(seq)) == RESULT_OK) &&
           buf_append_str(&r->reply, ok ? STR("\"ok\":true") : STR("\"ok\":false")) == RESULT_OK;
}

static bool put_text(struct buf *to, const char *name, struct str text)
{
    return buf_printf(to, ",\"%s\":", name) == RESULT_OK &&
           json_text_append_shown(to, text) == RESULT_OK;
}

static void refuse(struct server_requests *r, struct server_client *c, struct str seq,
                   const char *code, struct str why)
{

    if (begin_reply(r, seq, false) && put_text(&r->reply, "error", str_view(code)) &&
        put_text(&r->reply, "reply", why) && buf_append_char(&r->reply, '}') == RESULT_OK) {
        send_reply(r, c);
    } else {
        server_client_close(c);
    }
}

static void close_with(struct server_requests *r, struct server_client *c, const char *code,
                       struct str why)
{
    c->ending = true;
    refuse(r, c, STR_NONE, code, why);
}

/* A member that is a text, plain, in the server's room for texts; STR_NONE without one. */
static struct str text_member(struct server_requests *r, struct str object, struct str pointer)
{
    struct str value;

    buf_reset(&r->texts);
    if (!json_find(object, pointer, &value) || json_type_of(value) != JSON_STRING ||
        json_unescape(&r->texts, json_string_raw(value), NULL) != RESULT_OK) {
        return STR_NONE;
    }
    return buf_view(&r->texts);
}

static bool number_member(struct str object, struct str pointer, uint64_t *number)
{
    struct str value;

    return json_find(object, pointer, &value) && str_to_u64(str_trim(value), number);
}

static bool truth_member(struct str object, struct str pointer)
{
    struct str value;

    return json_find(object, pointer, &value) && str_equal(str_trim(value), STR("true"));
}

/* As it came, for its answer; nothing long, nothing that is no number or text. */
static struct str seq_of(struct str object)
{
    struct str value;

    if (!json_find(object, STR("/seq"), &value)) {
        return STR_NONE;
    }
    value = str_trim(value);
    return value.len <= SEQ_MAX_BYTES &&
                   (json_type_of(value) == JSON_NUMBER || json_type_of(value) == JSON_STRING)
               ? value
               : STR_NONE;
}

/* --- hello -------------------------------------------------------------------------------------------- */

static void read_hello(struct server_requests *r, struct server_client *c, struct str line)
{
    struct str word = text_member(r, line, STR("/as"));
    uint64_t every_ms = EVERY_MS;

    c->is_viewer = str_equal(word, STR("viewer"));
    word = text_member(r, line, STR("/frames"));
    c->frames = str_equal(word, STR("snapshot")) ? FRAMES_SNAPSHOT
                : str_equal(word, STR("totals")) ? FRAMES_TOTALS
                                                 : FRAMES_NONE;
    if (number_member(line, STR("/every_ms"), &every_ms)) {
        every_ms = every_ms < EVERY_MS_LEAST  ? EVERY_MS_LEAST
                   : every_ms > EVERY_MS_MOST ? EVERY_MS_MOST
                                              : every_ms;
    }
    c->every_us = every_ms * 1000;
    c->next_us = clock_now_us(&r->clock);
    c->wants_events = truth_member(line, STR("/events"));
    word = text_member(r, line, STR("/name"));
    snprintf(c->who, sizeof c->who, "%.*s", STR_ARG(word));
}

static void answer_hello(struct server_requests *r, struct server_client *c)
{

    buf_reset(&r->reply);
    if (buf_printf(&r->reply, "{\"hello\":1,\"scrapetop\":\"" SCRAPETOP_VERSION "\",\"pid\":%ld",
                   (long)getpid()) == RESULT_OK &&
        put_text(&r->reply, "run", str_view(r->run)) &&
        put_text(&r->reply, "job", str_view(r->job)) &&
        put_text(&r->reply, "as", c->is_viewer ? STR("viewer") : STR("driver")) &&
        buf_append_char(&r->reply, '}') == RESULT_OK) {
        send_reply(r, c);
    } else {
        server_client_close(c);
    }
}

static void greet(struct server_requests *r, struct server_client *c, struct str line)
{
    uint64_t version;
    char why[160];

    if (!number_member(line, STR("/hello"), &version)) {
        close_with(r, c, "E-CTL1", STR("say hello first: {\"hello\":1}"));
        return;
    }
    if (version != 1) {
        snprintf(why, sizeof why,
                 "the client speaks version %llu of the control protocol, this run version 1 "
                 "(scrapetop " SCRAPETOP_VERSION ")",
                 (unsigned long long)version);
        close_with(r, c, "E-CTL3", str_view(why));
        return;
    }
    read_hello(r, c, line);
    c->said_hello = true;
    answer_hello(r, c);
}

/* --- requests ----------------------------------------------------------------------------------------- */

static void obey(struct server_requests *r, struct server_client *c, struct str seq,
                 struct str words)
{
    struct buf said = { .max = REPLY_MAX_BYTES };
    bool ok;

    if (c->is_viewer) {
        refuse(r, c, seq, "E-CTL2", STR("this client may only look"));
        return;
    }
    ok = r->calls->obey(r->context, words, c->who, &said);
    if (c->closing) { /* the words ended the run */
        buf_release(&said);
        return;
    }
    if (begin_reply(r, seq, ok) && (ok || put_text(&r->reply, "error", STR("E-CTL1"))) &&
        put_text(&r->reply, "reply", str_trim(buf_view(&said))) &&
        buf_append_char(&r->reply, '}') == RESULT_OK) {
        send_reply(r, c);
    } else {
        server_client_close(c);
    }
    c->next_us = clock_now_us(&r->clock); /* who steers sees at once what came of it */
    buf_release(&said);
}

static void answer_report(struct server_requests *r, struct server_client *c, struct str seq)
{
    struct buf report = { .max = CONTROL_REPORT_MAX };

    r->calls->report(r->context, &report);
    if (report.len && begin_reply(r, seq, true) &&
        buf_printf(&r->reply, ",\"report\":%.*s}", STR_ARG(str_trim(buf_view(&report)))) ==
            RESULT_OK) {
        send_reply(r, c);
    } else {
        refuse(r, c, seq, "E-CTL1", STR("there is no report now, or none of at most 3 MiB"));
    }
    buf_release(&report);
}

static bool is_flood(struct server_requests *r, struct server_client *c)
{

    if (clock_now_us(&r->clock) - c->second_us >= US_PER_S) {
        c->second_us = clock_now_us(&r->clock);
        c->requests = 0;
    }
    c->requests++;
    return c->requests > REQUESTS_PER_S;
}

static void answer(struct server_requests *r, struct server_client *c, struct str line)
{
    struct str seq = seq_of(line), text;
    bool done = false;

    if (is_flood(r, c) && c->requests > REFUSALS_PER_S) {
        close_with(r, c, "E-CTL4", STR("far more than 50 requests in a second"));
        return;
    }
    if (c->requests > REQUESTS_PER_S) {
        refuse(r, c, seq, "E-CTL4", STR("more than 50 requests in a second"));
        return;
    }
    text = text_member(r, line, STR("/do"));
    if (text.data) {
        obey(r, c, seq, text);
        return;
    }
    text = text_member(r, line, STR("/detail"));
    if (text.data) {
        uint64_t id = 0;

        c->detail = str_to_u64(text, &id) ? id : 0;
        c->next_us = clock_now_us(&r->clock);
        done = true;
    }
    if (done && begin_reply(r, seq, true) && buf_append_char(&r->reply, '}') == RESULT_OK) {
        send_reply(r, c);
    } else if (truth_member(line, STR("/report"))) {
        answer_report(r, c, seq);
    } else {
        refuse(r, c, seq, "E-CTL1", STR("a request has \"do\", \"detail\" or \"report\""));
    }
}

bool server_requests_take(struct server_requests *r, struct server_client *c, struct str line)
{
    bool was_greeted = c->said_hello;

    if (!json_check(line, DEPTH_MAX, NULL) || json_type_of(line) != JSON_OBJECT) {
        close_with(r, c, "E-CTL7", STR("a line must be one JSON object"));
    } else if (!c->said_hello) {
        greet(r, c, line);
    } else {
        answer(r, c, line);
    }
    return !was_greeted && c->said_hello;
}

void server_requests_too_long(struct server_requests *r, struct server_client *c)
{
    close_with(r, c, "E-CTL7", STR("a line is too long"));
}
