#include "probe/probe.h"

#include "base/body_text.h"
#include "read/body_read.h"
#include "base/json_scan.h"
#include "base/message.h"
#include "base/say.h"
#include "base/url.h"
#include "base/utf8.h"
#include "probe/probe_ask.h"
#include "probe/probe_job.h"
#include "probe/probe_try.h"

#include <stdio.h>

#define HEAD_COLUMNS 400 /* of a body that is no answer */
#define HEAD_BYTES 2048

/* --- telling ------------------------------------------------------------------------------------------------ */

static struct str header_of(const void *context, struct str name, unsigned n)
{
    return response_header_nth(context, name, n);
}

/* Shows the head of what came instead of JSON that could be used. */
static void show_head(const struct job *job, const struct response *response)
{
    char text[4 * HEAD_COLUMNS + 1];
    struct buf hidden = { 0 };
    struct str head = buf_view(&response->body);

    head.len = head.len < HEAD_BYTES ? head.len : HEAD_BYTES;
    if (head.len && secrets_redact(&job->secrets, head, SECRETS_CUT, &hidden) == RESULT_OK) {
        utf8_display(text, sizeof text, buf_view(&hidden), HEAD_COLUMNS);
        say(stderr, "  %s", text);
    }
    buf_release(&hidden);
}

/* An error may quote the answer. */
static void print_error(const struct job *job, struct err *err)
{
    struct buf hidden = { 0 };

    if (secrets_redact(&job->secrets, str_view(err->text), SECRETS_CUT, &hidden) == RESULT_OK) {
        snprintf(err->text, sizeof err->text, "%.*s", STR_ARG(buf_view(&hidden)));
        message_error(err);
    }
    buf_release(&hidden);
}

/* A server may repeat the key that it was asked with. */
static void tell_redirect(const struct job *job, const char *url, struct err *err)
{
    struct buf redacted = { 0 }, shown = { 0 };

    if (secrets_redact(&job->secrets, str_view(url), SECRETS_WHOLE, &redacted) != RESULT_OK ||
        url_redact(buf_view(&redacted), &shown) != RESULT_OK) {
        buf_reset(&shown);
    }
    err_set(err, RESULT_INVALID, "E-PRB1", "the answer is elsewhere: probe %.*s",
            STR_ARG(buf_view(&shown)));
    buf_release(&redacted);
    buf_release(&shown);
}

/* Its host says enough, and has no secret in it. */
static struct str host_of(const struct response *r)
{
    struct str url = request_url(r->request);
    struct url parts;

    return url_split(url, &parts, NULL) == RESULT_OK ? parts.origin : STR("the server");
}

static int tell_failure(const struct job *job, const struct response *r)
{
    struct str host = host_of(r);
    struct err err;
    const char *more = r->status == 401 || r->status == 403
                           ? "; it wants to know who asks: -H 'Authorization: ...'"
                       : r->status == 429 ? "; it is asked too often already"
                                          : "";

    if (r->outcome == OUTCOME_REDIRECT) {
        tell_redirect(job, r->redirect_url, &err);
    } else if (r->outcome == OUTCOME_STATUS) {
        err_set(&err, RESULT_INVALID, "E-PRB1", "%.*s: the answer is status %d%s", STR_ARG(host),
                r->status, more);
    } else {
        err_set(&err, RESULT_INVALID, "E-PRB1", "%.*s: no answer that can be used: %s%s%s",
                STR_ARG(host), outcome_name(r->outcome), r->reason[0] ? ", " : "", r->reason);
    }
    print_error(job, &err);
    show_head(job, r);
    return EXIT_INCOMPLETE;
}

/* Secrets that a server sends back do not get into a file. (What is ours is the writer's business.) */
static enum result print(const struct job *job, const struct buf *text, struct err *err)
{
    struct buf redacted = { 0 };
    enum result result = secrets_redact(&job->secrets, buf_view(text), SECRETS_WHOLE, &redacted);

    if (result != RESULT_OK) {
        result = err_nomem(err, "printing");
    } else {
        say_json(stdout, buf_view(&redacted));
    }
    buf_release(&redacted);
    return result;
}

static enum result look(const char *records, const struct response *response,
                        struct probe_found *found, struct err *err)
{
    struct page_reply reply = { found->body, header_of, response };
    struct pages_guess_input input = { .url = probe_url(found),
                                       .body = str_view(found->job->endpoints[0].body),
                                       .reply = &reply };
    enum result result =
        probe_shape_read(&found->shape, found->body, records, found->are_texts, err);

    if (result == RESULT_OK) {
        input.count = found->shape.count;
        pages_guess(&input, &found->guess);
    }
    return result;
}

/* What is made of the answer may take so much more than a body may. */
#define JSON_TIMES 8

/* The answer as JSON, whatever it was: in `text`, if it was something else. */
static bool read_json(const struct job *job, const struct response *response, struct str *body,
                      struct buf *text, bool *are_texts, char why[BODY_WHY_MAX])
{
    const struct body_reading *how = &job->endpoints[0].reading;
    struct str type = response_header(response, STR("content-type"));
    struct json_error fault = { .at = 0 };
    struct body_found found;

    *body = buf_view(&response->body);
    if ((body_read_wants_json(type, how) || !body->len) &&
        json_check(*body, JSON_DEPTH_MAX, &fault)) {
        return true;
    }
    text->max = (size_t)(JSON_TIMES * job->network.body_max_bytes);
    if (!body->len ||
        body_read(*body, type, how, job->network.body_max_bytes, text, &found) != RESULT_OK) {
        snprintf(why, BODY_WHY_MAX, "is no JSON: %s", fault.text);
        if (body->len && found.why[0]) {
            snprintf(why, BODY_WHY_MAX, "%s", found.why);
        }
        return false;
    }
    for (unsigned i = 0; i < BODY_WAS_COUNT; i++) {
        if (found.was >> i & 1) {
            say(stderr, "scrapetop: the answer %s", body_was_words(1U << i));
        }
    }
    *are_texts = found.was & BODY_WAS_TEXTS;
    *body = buf_view(text);
    return true;
}

static int tell(const struct job *job, const char *records, bool once,
                const struct response *response)
{
    struct probe_found found = { .job = job, .response = response };
    struct err err = { .result = RESULT_OK };
    struct buf out = { 0 }, text = { 0 };
    char why[BODY_WHY_MAX];
    enum result result;
    bool is_open; /* how the next page is asked for */

    if (!read_json(job, response, &found.body, &text, &found.are_texts, why)) {
        buf_release(&text);
        err_set(&err, RESULT_INVALID, "E-PRB2", "the answer %s", why);
        print_error(job, &err);
        show_head(job, response);
        return EXIT_INCOMPLETE;
    }
    result = look(records, response, &found, &err);
    if (result == RESULT_OK && !once) {
        result = probe_try(&found, &err);
    }
    is_open = found.guess.is_lost ||
              (found.tried == PROBE_SAME_CAME && found.guess.pages.kind != JOB_PAGES_NONE);
    if (result == RESULT_OK && probe_tell(&found, &out) != RESULT_OK) {
        result = err_nomem(&err, "telling");
    }
    if (result == RESULT_OK) {
        result = print(job, &out, &err);
    }
    buf_reset(&out);
    if (result == RESULT_OK) {
        result = probe_job_write(&found, &out, &err);
    }
    if (result == RESULT_OK) {
        say_json(stdout, buf_view(&out));
    }
    if (result == RESULT_OK && is_open) {
        err_set(&err, RESULT_INVALID, "E-PRB3",
                "there is more than this answer has, and nothing says how to ask for it: say so in "
                "\"pages\"");
        print_error(job, &err);
    }
    probe_shape_release(&found.shape);
    buf_release(&out);
    buf_release(&text);
    return result != RESULT_OK ? message_fail(&err) : is_open ? EXIT_INCOMPLETE : EXIT_WELL;
}

int probe_run(const struct job *job, const char *records, bool once)
{
    struct response *response = NULL;
    struct err err = { .result = RESULT_OK };
    int code;

    if (probe_ask(job, str_view(job->endpoints[0].sources[0].text), &response, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    code = response->outcome == OUTCOME_OK ? tell(job, records, once, response)
                                           : tell_failure(job, response);
    response_free(response);
    return code;
}
