#include "engine/body.h"

#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "read/body_read.h"
#include "read/unpack.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What is JSON may take so much more than a body may: each row of CSV repeats the header's names. And so much more
 * than this body did; a small one may take JSON_SMALL. */
#define JSON_TIMES 8
#define JSON_TIMES_ITS_OWN 32
#define JSON_SMALL (16U << 20)

struct body_how body_how_of(const struct engine *engine, uint32_t endpoint)
{
    const struct job_network *network = &engine->job->network;

    return (struct body_how){ &engine->job->endpoints[endpoint].reading, network->body_max_bytes,
                              network->memory_bytes };
}

/* What of the table is odd, once for each body. */
static void note_odd(const struct csv_odd *odd, struct response *response)
{
    if (odd->long_rows || odd->short_rows) {
        snprintf(response->body_note, sizeof response->body_note,
                 "%llu of its %llu rows are longer than the header and %llu shorter; the row of "
                 "line %llu has %llu cells, the header %llu",
                 (unsigned long long)odd->long_rows, (unsigned long long)odd->rows,
                 (unsigned long long)odd->short_rows, (unsigned long long)odd->first_line,
                 (unsigned long long)odd->first_cells, (unsigned long long)odd->cells);
    }
}

static enum outcome outcome_of(enum result result, const struct body_found *found)
{
    switch (result) {
    case RESULT_DENIED:
        return OUTCOME_UNSAFE_BODY;
    case RESULT_LIMIT:
        return OUTCOME_TOO_BIG;
    default:
        return found->why[0] ? OUTCOME_BAD_BODY : OUTCOME_BAD_JSON;
    }
}

static void take_read(struct response *response, struct buf *text, const struct body_found *found)
{
    response->sent_as = response->body;
    response->body = *text;
    response->body_was = found->was;
    note_odd(&found->odd, response);
}

static uint64_t times(uint64_t factor, uint64_t bytes)
{
    return bytes < UINT64_MAX / factor ? factor * bytes : UINT64_MAX;
}

/* What unpack_files lets so much become, at most. */
static uint64_t unpacked_max(const struct body_how *how, uint64_t packed)
{
    uint64_t most = times(UNPACK_EXPANSION_MAX, packed);

    most = most > UNPACK_EXPANSION_FROM ? most : UNPACK_EXPANSION_FROM;
    return most < how->max_bytes ? most : how->max_bytes;
}

uint64_t body_json_max(const struct body_how *how, const struct response *response)
{
    bool is_packed = unpack_kind(buf_view(&response->body)) != PACK_NONE;
    uint64_t own = is_packed ? unpacked_max(how, response->body.len) : response->body.len;
    uint64_t by_body = times(JSON_TIMES_ITS_OWN, own);
    uint64_t most = times(JSON_TIMES, how->max_bytes);

    by_body = by_body < JSON_SMALL ? JSON_SMALL : by_body;
    most = by_body < most ? by_body : most;
    return how->memory_bytes && how->memory_bytes < most ? how->memory_bytes : most;
}

bool body_may_grow(const struct body_how *how, const struct response *response)
{
    return !body_format_is_kept(how->reading->as) && response->body.len &&
           !body_read_wants_json(response_header(response, STR("content-type")), how->reading);
}

static void read_other(const struct body_how *how, struct response *response, struct str type,
                       struct body_verdict *verdict)
{
    uint64_t most = body_json_max(how, response);
    struct buf text = { .max = most < SIZE_MAX ? (size_t)most : SIZE_MAX };
    struct body_found found;
    enum result result =
        body_read(buf_view(&response->body), type, how->reading, how->max_bytes, &text, &found);

    if (result == RESULT_OK) {
        verdict->is_json = true;
        take_read(response, &text, &found);
        return;
    }
    buf_release(&text);
    verdict->outcome = outcome_of(result, &found);
    if (result == RESULT_LIMIT && most == how->memory_bytes && !found.is_unpacking) {
        snprintf(verdict->why, sizeof verdict->why,
                 "the body takes more as JSON than all bodies may (--memory)");
    } else if (found.why[0]) {
        snprintf(verdict->why, sizeof verdict->why, "the body %s", found.why);
    }
}

/* It is read as UTF-8 then, and may be at fault for that. */
static void note_charset(struct str charset, bool is_named, struct body_verdict *verdict)
{
    size_t len = strlen(verdict->why);

    if (!charset.len && verdict->outcome == OUTCOME_BAD_JSON && !is_named &&
        strstr(verdict->why, "invalid UTF-8")) {
        snprintf(verdict->why + len, sizeof verdict->why - len,
                 ", and no charset is named: a job file's \"charset\" says it");
    }
    if (charset.len) {
        snprintf(verdict->why + len, sizeof verdict->why - len,
                 "; its charset \"%.*s\" is not known here",
                 (int)(charset.len < 32 ? charset.len : 32), charset.data);
    }
}

/* Where it is amiss, the line says more than the byte. */
static void note_line(struct str type, struct str body, struct body_verdict *verdict)
{
    struct json_error error;
    uint64_t line;

    if (verdict->outcome == OUTCOME_BAD_JSON &&
        body_text_bad_line(json_without_bom(body), type, &line, &error)) {
        snprintf(verdict->why, sizeof verdict->why, "line %llu of the JSON Lines: %s",
                 (unsigned long long)line, error.text);
    }
}

static void note_strip(const struct body_how *how, struct str body, struct body_verdict *verdict)
{
    size_t len = strlen(verdict->why);
    char strip[BODY_STRIP_MAX];

    if (!how->reading->strip && verdict->outcome == OUTCOME_BAD_JSON &&
        body_strip_that_helps(body, strip)) {
        snprintf(verdict->why + len, sizeof verdict->why - len,
                 "; a job file's \"strip\": \"%s\" reads it", strip);
    }
}

struct body_verdict body_read_json(const struct body_how *how, struct response *response)
{
    struct body_verdict verdict = { .is_kept = body_format_is_kept(how->reading->as),
                                    .outcome = OUTCOME_BAD_JSON };
    struct str type = response_header(response, STR("content-type"));
    struct json_error error = { .at = 0 };

    if (verdict.is_kept) {
        return verdict;
    }
    if (body_read_wants_json(type, how->reading) || !response->body.len) {
        verdict.is_json = json_check(buf_view(&response->body), JSON_DEPTH_MAX, &error);
        snprintf(verdict.why, sizeof verdict.why, "%s", error.text);
    }
    if (!verdict.is_json && response->body.len) {
        read_other(how, response, type, &verdict);
    }
    if (!verdict.is_json) {
        note_line(type, buf_view(&response->body), &verdict);
        note_charset(body_charset_unknown(type),
                     how->reading->charset || body_charset_is_named(type), &verdict);
        note_strip(how, buf_view(&response->body), &verdict);
    }
    return verdict;
}

void body_tell(struct engine *e, const struct response *response)
{
    unsigned fresh = response->body_was & ~e->judging.told_bodies;
    char text[SNAPSHOT_REQUEST_TEXT];

    e->judging.told_bodies |= fresh;
    for (unsigned i = 0; fresh && i < BODY_WAS_COUNT; i++) {
        if (fresh >> i & 1) {
            engine_request_text(e, response->request, text);
            events_add(&e->events, EVENT_NOTICE, "body", "", "%s: the body %s%s%s", text,
                       body_was_words(1U << i), 1U << i == BODY_WAS_RAGGED ? ": " : "",
                       1U << i == BODY_WAS_RAGGED ? response->body_note : "");
        }
    }
}
