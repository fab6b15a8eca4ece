#include "engine/detail.h"

#include "engine/core.h"
#include "engine/engine.h"
#include "engine/engine_state.h"
#include "engine/limit.h"
#include "engine/recall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DETAIL_ANSWERS 256
#define DETAIL_URL_BYTES 512
#define COPY_STR(field, s) copy_text(field, sizeof(field), s)

struct attempt_kept {
    uint64_t id;
    uint32_t endpoint;
    bool drop_body;
    char key[SNAPSHOT_KEY_TEXT];
    char host[SNAPSHOT_HOST_TEXT];
    char url[DETAIL_URL_BYTES]; /* whole, or masked already */
    enum outcome outcome;
    struct snapshot_attempt attempt;
    uint64_t body_bytes;
    uint32_t headers_length, body_length;
    char headers[SNAPSHOT_HEADERS_BYTES]; /* "name\0value\0" */
    char body[SNAPSHOT_BODY_BYTES];
};

struct detail_log {
    uint64_t count;
    struct attempt_kept ring[DETAIL_ANSWERS]; /* [count % MAX] is the oldest */
};

void detail_release(struct engine *e)
{
    free(e->detail.log);
    recall_release(e);
}

static void copy_text(char *to, size_t size, struct str text)
{
    size_t len = text.len < size ? text.len : size - 1;

    if (len) {
        memcpy(to, text.data, len);
    }
    to[len] = '\0';
}

/* --- masking ------------------------------------------------------------------------------------- */

/* The text as it may be shown, in scratch. */
static struct str masked(struct engine *e, struct str text, bool is_cut)
{
    buf_reset(&e->scratch.shown);
    return secrets_redact(&e->secrets, text, is_cut ? SECRETS_CUT : SECRETS_BEGUN,
                          &e->scratch.shown) == RESULT_OK
               ? buf_view(&e->scratch.shown)
               : STR("(out of memory for this text)");
}

static struct str masked_url(struct engine *e, struct str url)
{
    buf_reset(&e->scratch.shown);
    return engine_redact_url(e, url, &e->scratch.shown) == RESULT_OK ? buf_view(&e->scratch.shown)
                                                                     : STR("?");
}

static void add_line(char *lines, size_t size, struct str name, struct str value)
{
    size_t used = strlen(lines);

    if (used + name.len + value.len + 4 < size) {
        snprintf(lines + used, size - used, "%.*s: %.*s\n", STR_ARG(name), STR_ARG(value));
    }
}

static void fill_headers(struct engine *e, const struct attempt_kept *a,
                         struct snapshot_detail *out)
{
    const char *end = a->headers + a->headers_length;

    for (const char *at = a->headers; at < end;) {
        struct str name = str_view(at), value = str_view(at + name.len + 1);

        at = value.data + value.len + 1;
        value = header_is_secret(name)                    ? STR("***")
                : str_equal_nocase(name, STR("location")) ? masked_url(e, value)
                                                          : masked(e, value, false);
        add_line(out->headers, sizeof out->headers, name, value);
    }
}

static void fill_sent(const struct engine *e, struct snapshot_detail *out)
{
    struct str credential = buf_view(&e->auth.header);

    if (e->auth.login && credential.len) {
        add_line(out->sent, sizeof out->sent, str_cut(&credential, ':'), STR("***"));
    }
    for (size_t i = 0; i < e->job->header_count; i++) {
        const struct job_header *header = &e->job->headers[i];
        bool tellable = header->given && !header->from_file;

        add_line(out->sent, sizeof out->sent, str_view(header->name),
                 tellable ? str_view(header->given) : STR("***"));
    }
}

/* --- remembering --------------------------------------------------------------------------------- */

/* A URL too long to be kept is masked first: no secret may be cut before it is known as one. */
static void note_request(struct engine *e, const struct request *r, struct attempt_kept *a)
{
    struct str url = request_url(r);

    a->endpoint = r->endpoint;
    a->drop_body = r->drop_body;
    COPY_STR(a->key, r->key);
    COPY_STR(a->host, host_at(&e->hosts, r->host)->label);
    if (url.len >= sizeof a->url) {
        url = masked_url(e, url);
    }
    COPY_STR(a->url, url);
}

/* Whole pairs only: half a value would be taken for the value. */
static uint32_t headers_that_fit(const struct buf *headers)
{
    uint32_t fits = 0, nuls = 0;

    if (headers->len <= SNAPSHOT_HEADERS_BYTES) {
        return (uint32_t)headers->len;
    }
    for (size_t i = 0; i < headers->len && i < SNAPSHOT_HEADERS_BYTES; i++) {
        if (headers->data[i] == '\0' && ++nuls % 2 == 0) {
            fits = (uint32_t)i + 1;
        }
    }
    return fits;
}

void detail_note(struct engine *e, const struct response *response)
{
    struct attempt_kept *a;

    if (!e->detail.log) {
        e->detail.log = calloc(1, sizeof *e->detail.log);
    }
    if (!e->detail.log) {
        return; /* the panel then knows less */
    }
    a = &e->detail.log->ring[e->detail.log->count++ % DETAIL_ANSWERS];
    a->id = response->request->id;
    note_request(e, response->request, a);
    a->outcome = response->outcome;
    a->attempt = (struct snapshot_attempt){
        .attempt = response->request->attempt,
        .status = response->status,
        .ended_wall_us = response->fetched_at_us,
        .dns_us = response->timing.dns_us,
        .connect_us = response->timing.connect_us,
        .tls_us = response->timing.tls_us,
        .first_byte_us = response->timing.first_byte_us,
        .total_us = response->timing.total_us,
        .wire_bytes = response->wire_bytes,
        .reused = response->reused,
    };
    if (response->outcome != OUTCOME_OK) {
        snprintf(a->attempt.why, sizeof a->attempt.why, "%s",
                 response->reason[0] ? response->reason : outcome_name(response->outcome));
    }
    a->body_bytes = response->body.len;
    a->body_length = response->body.len < sizeof a->body ? (uint32_t)response->body.len
                                                         : (uint32_t)sizeof a->body;
    if (a->body_length) {
        memcpy(a->body, response->body.data, a->body_length);
    }
    a->headers_length = headers_that_fit(&response->headers);
    if (a->headers_length) {
        memcpy(a->headers, response->headers.data, a->headers_length);
    }
}

/* --- one request ----------------------------------------------------------------------------------- */

static void fill_texts(struct engine *e, uint32_t endpoint, bool drop_body, struct str url,
                       struct snapshot_detail *out)
{
    const struct job_endpoint *from = &e->job->endpoints[endpoint];
    struct url parts;

    COPY_STR(out->endpoint, str_view(from->name));
    COPY_STR(out->method, drop_body ? STR("GET") : str_view(from->method));
    buf_reset(&e->scratch.shown);
    if (engine_redact_url(e, url, &e->scratch.shown) != RESULT_OK) {
        return;
    }
    url = buf_view(&e->scratch.shown);
    COPY_STR(out->url, url);
    if (url_split(url, &parts, NULL) == RESULT_OK && parts.target.len) {
        url = parts.target;
    }
    snprintf(out->request, sizeof out->request, "%s %.*s", out->method, STR_ARG(url));
}

static void fill_request(struct engine *e, const struct request *r, struct snapshot_detail *out)
{
    COPY_STR(out->key, r->key);
    COPY_STR(out->host, host_at(&e->hosts, r->host)->label);
    fill_texts(e, r->endpoint, r->drop_body, request_url(r), out);
    out->attempt = r->attempt;
}

struct flight_search {
    uint64_t id;
    const struct request *request;
};

static bool look_at_flight(void *context, const struct fetch_row *row)
{
    struct flight_search *search = context;

    if (row->request->id == search->id) {
        search->request = row->request;
    }
    return !search->request;
}

static const struct request *find_in_flight(struct engine *e, uint64_t id)
{
    struct flight_search search = { id, NULL };

    fetch_each(e->fetch, look_at_flight, &search);
    return search.request;
}

static const struct attempt_kept *fill_attempts(struct engine *e, struct snapshot_detail *out)
{
    const struct attempt_kept *last = NULL;
    uint64_t count = e->detail.log ? e->detail.log->count : 0;

    for (uint64_t i = count > DETAIL_ANSWERS ? count - DETAIL_ANSWERS : 0; i < count; i++) {
        const struct attempt_kept *a = &e->detail.log->ring[i % DETAIL_ANSWERS];

        if (a->id != out->id) {
            continue;
        }
        if (out->attempt_count == SNAPSHOT_ATTEMPTS_MAX) {
            memmove(&out->attempts[0], &out->attempts[1],
                    sizeof out->attempts - sizeof out->attempts[0]);
            out->attempt_count--;
        }
        out->attempts[out->attempt_count] = a->attempt;
        COPY_STR(out->attempts[out->attempt_count].why, masked(e, str_view(a->attempt.why), false));
        out->attempt_count++;
        last = a;
    }
    return last;
}

static void fill_answer(struct engine *e, const struct attempt_kept *a, struct snapshot_detail *out)
{
    struct str body =
        masked(e, (struct str){ a->body, a->body_length }, a->body_bytes > a->body_length);

    out->body_bytes = a->body_bytes;
    out->body_shown = body.len < sizeof out->body ? body.len : sizeof out->body;
    if (out->body_shown) {
        memcpy(out->body, body.data, out->body_shown);
    }
    fill_headers(e, a, out);
}

/* What the ledger has of its last failure, without secrets already. */
static void fill_recalled(struct engine *e, const struct failed_row *row,
                          struct snapshot_detail *out)
{
    struct snapshot_attempt *attempt = &out->attempts[out->attempt_count++];

    *attempt = (struct snapshot_attempt){ .attempt = row->attempt,
                                          .status = row->last.status,
                                          .ended_wall_us = row->said.at_us };
    COPY_STR(attempt->why, masked(e, row->reason, false));
    COPY_STR(out->headers, row->said.headers);
    out->body_bytes = row->said.body_bytes;
    out->body_shown = row->said.body.len < sizeof out->body ? row->said.body.len : sizeof out->body;
    if (out->body_shown) {
        memcpy(out->body, row->said.body.data, out->body_shown);
    }
}

static void fill_recalled_request(struct engine *e, const struct failed_row *row,
                                  struct snapshot_detail *out)
{
    out->place = DETAIL_FAILED;
    out->attempt = row->attempt;
    COPY_STR(out->key, row->key);
    if (row->endpoint < e->job->endpoint_count) {
        fill_texts(e, row->endpoint, false, row->url, out);
    }
}

static void fill_settled(struct engine *e, const struct attempt_kept *a,
                         struct snapshot_detail *out)
{
    out->place = a->outcome == OUTCOME_OK ? DETAIL_DONE : DETAIL_FAILED;
    out->attempt = a->attempt.attempt;
    COPY_STR(out->key, str_view(a->key));
    COPY_STR(out->host, str_view(a->host));
    fill_texts(e, a->endpoint, a->drop_body, str_view(a->url), out);
}

void detail_fill(struct engine *e, uint64_t id, uint64_t now_us, struct snapshot_detail *out)
{
    const struct failed_row *row;
    const struct request *r;
    const struct attempt_kept *last;

    out->id = id;
    if (!id) {
        return;
    }
    out->attempts_max = e->job->retry.attempts;
    fill_sent(e, out);
    last = fill_attempts(e, out);
    row = last ? NULL : recall_row(e, out->id);
    if ((r = find_in_flight(e, out->id))) {
        out->place = DETAIL_IN_FLIGHT;
        out->age_us = now_us > r->since_us ? now_us - r->since_us : 0;
        fill_request(e, r, out);
    } else if ((r = frontier_find_wait(e->frontier, out->id))) {
        uint64_t due_us;

        out->place = DETAIL_WAITING;
        out->due = *limit_due_of(r, host_at(&e->hosts, r->host), now_us, &due_us);
        out->due_in_us = due_us == TIME_NEVER ? UINT64_MAX : due_us > now_us ? due_us - now_us : 0;
        fill_request(e, r, out);
    } else if (last) {
        fill_settled(e, last, out);
    } else if (row) {
        fill_recalled_request(e, row, out);
    } else {
        out->place = DETAIL_UNKNOWN;
    }
    if (last) {
        fill_answer(e, last, out);
    } else if (row) {
        fill_recalled(e, row, out);
    }
}

void engine_detail(struct engine *e, uint64_t id, struct snapshot_detail *detail)
{
    memset(detail, 0, sizeof *detail);
    detail_fill(e, id, engine_now_us(e), detail);
}
