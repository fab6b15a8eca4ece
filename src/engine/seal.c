#include "engine/seal.h"

#include "base/os.h"
#include "engine/engine_state.h"

#include <stdio.h>

static bool wants_seal(const struct engine *e, struct str text)
{
    return text.len && (secrets_are_in(&e->secrets, text) || secret_is_sealed(text));
}

static enum result seal_text(struct engine *e, struct str *text, struct buf *room)
{
    enum result result;

    if (!text->data) {
        return RESULT_OK;
    }
    buf_reset(room);
    result = secrets_seal(&e->secrets, *text, room);
    if (result == RESULT_OK) {
        *text = room->data ? buf_view(room) : STR("");
    }
    return result;
}

/* NULL when out of memory. */
static struct discovered *sealed(struct engine *e, const struct discovered *found)
{
    struct request_texts texts = found->texts;
    struct buf url = { 0 }, body = { 0 }, vars = { 0 }, key = { 0 };
    struct discovered *copy = NULL;

    if (seal_text(e, &texts.url, &url) == RESULT_OK &&
        seal_text(e, &texts.body, &body) == RESULT_OK &&
        seal_text(e, &texts.vars, &vars) == RESULT_OK &&
        secrets_redact(&e->secrets, texts.key, SECRETS_WHOLE, &key) == RESULT_OK) {
        texts.key = key.len ? buf_view(&key) : STR("***");
        copy = discovered_new(found->endpoint, &texts, &found->page);
    }
    buf_release(&url);
    buf_release(&body);
    buf_release(&vars);
    buf_release(&key);
    return copy;
}

static void hide_note(struct engine *e, struct page_note *note)
{
    buf_reset(&e->scratch.redacted);
    if (secrets_redact(&e->secrets, str_view(note->text), SECRETS_CUT, &e->scratch.redacted) !=
        RESULT_OK) {
        buf_reset(&e->scratch.redacted);
    }
    snprintf(note->text, sizeof note->text, "%.*s", STR_ARG(buf_view(&e->scratch.redacted)));
}

enum result seal_discoveries(struct engine *e, struct discoveries *discoveries)
{
    struct discovered **link = &discoveries->first;

    for (struct discovered *found; (found = *link); link = &(*link)->next) {
        struct discovered *copy;

        if (!wants_seal(e, found->texts.url) && !wants_seal(e, found->texts.body) &&
            !wants_seal(e, found->texts.vars) && !secrets_are_in(&e->secrets, found->texts.key)) {
            continue;
        }
        copy = sealed(e, found);
        if (!copy) {
            return RESULT_NOMEM;
        }
        copy->next = found->next;
        *link = copy;
        if (discoveries->last == found) {
            discoveries->last = copy;
        }
        discovered_free(found);
    }
    for (struct page_note *note = discoveries->notes; note; note = note->next) {
        hide_note(e, note);
    }
    return RESULT_OK;
}

void seal_note(struct request *request)
{
    request->sealed = secret_is_sealed(request->url) || secret_is_sealed(request->body) ||
                      secret_is_sealed(request->vars);
}

static enum result open_text(struct engine *e, struct str text, enum secret_place place,
                             struct buf *room, struct str *opened)
{
    enum result result;

    if (!secret_is_sealed(text)) {
        return RESULT_OK;
    }
    buf_reset(room);
    result = secrets_unseal(&e->secrets, text, place, room);
    if (result == RESULT_OK && !buf_cstr(room)) {
        result = RESULT_NOMEM;
    }
    if (result == RESULT_OK) {
        *opened = buf_view(room);
    }
    return result;
}

static enum secret_place place_in(struct str body)
{
    struct str text = str_trim(body);

    return text.len && (text.data[0] == '{' || text.data[0] == '[') &&
                   !str_starts(text, STR("{secret:"))
               ? SECRET_IN_JSON
               : SECRET_IN_URL;
}

enum result seal_open(struct engine *e, const struct request *request, struct fetch_extra *extra)
{
    enum result result = RESULT_OK;

    if (!request->sealed || request->foreign) {
        return RESULT_OK;
    }
    if (request_url(request).data == request->url.data) { /* not where a redirect led */
        result = open_text(e, request->url, SECRET_IN_URL, &e->seal.opened[0], &extra->url);
    }
    if (result == RESULT_OK) {
        result =
            open_text(e, request->body, place_in(request->body), &e->seal.opened[1], &extra->body);
    }
    for (size_t i = 0; result == RESULT_OK && i < HEADER_FILL_MAX; i++) {
        struct str *line = &extra->headers[2 + i];

        result = open_text(e, *line, SECRET_AS_IS, &e->seal.opened[2 + i], line);
    }
    return result;
}

/* NULL when out of memory. */
static struct request *opened_copy(struct engine *e, const struct request *request)
{
    struct request_texts texts = { .key = request->key,
                                   .url = request->url,
                                   .body = request->body,
                                   .vars = request->vars,
                                   .sort_key = request->sort_key,
                                   .etag = request->etag };
    struct buf vars = { 0 };
    struct request *copy = NULL;

    if (open_text(e, request->url, SECRET_IN_URL, &e->seal.opened[0], &texts.url) == RESULT_OK &&
        open_text(e, request->body, place_in(request->body), &e->seal.opened[1], &texts.body) ==
            RESULT_OK &&
        open_text(e, request->vars, SECRET_IN_JSON, &vars, &texts.vars) == RESULT_OK) {
        copy = request_make(request->id, request->endpoint, &texts);
    }
    if (copy) {
        copy->page = request->page;
        copy->host = request->host;
    }
    if (vars.data) {
        os_wipe(vars.data, vars.cap);
    }
    buf_release(&vars);
    return copy;
}

enum result seal_clear(struct engine *e, const struct request *request, struct request **clear)
{
    *clear = request->sealed ? opened_copy(e, request) : NULL;
    return request->sealed && !*clear ? RESULT_NOMEM : RESULT_OK;
}

void seal_release(struct engine *e)
{
    for (size_t i = 0; i < sizeof e->seal.opened / sizeof e->seal.opened[0]; i++) {
        if (e->seal.opened[i].data) {
            os_wipe(e->seal.opened[i].data, e->seal.opened[i].cap);
        }
        buf_release(&e->seal.opened[i]);
    }
}
