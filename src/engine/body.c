#include "engine/body.h"

#include "base/body_text.h"

bool body_read_json(struct response *response, struct json_error *error)
{
    /* Nearly all letters take two bytes at most: what takes more than that is not worth the memory. */
    struct buf text = { .max = 2 * response->body.len };
    enum result result;

    if (json_check(buf_view(&response->body), ENGINE_JSON_DEPTH_MAX, error)) {
        return true;
    }
    if (!response->body.len) {
        return false;
    }
    result =
        body_text_read(buf_view(&response->body), response_header(response, STR("content-type")),
                       &text, &response->body_was);
    if (result != RESULT_OK) {
        response->body_was = 0;
        buf_release(&text);
        return false;
    }
    response->sent_as = response->body;
    response->body = text;
    return true;
}

void body_tell(struct engine *e, const struct response *response)
{
    unsigned fresh = response->body_was & ~e->told_bodies;
    char text[SNAPSHOT_REQUEST_TEXT];

    e->told_bodies |= fresh;
    for (unsigned i = 0; fresh && i < BODY_WAS_COUNT; i++) {
        if (fresh >> i & 1) {
            engine_request_text(e, response->request, text);
            events_add(&e->events, EVENT_NOTICE, "body", "", "%s: the body %s", text,
                       body_was_words(1U << i));
        }
    }
}
