#include "fetch/flight.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- lists -------------------------------------------------------------------------------------------- */

void flight_list_add(struct flight_list *list, struct flight *flight)
{
    flight->mail = NULL;
    if (list->last) {
        list->last->mail = flight;
    } else {
        list->first = flight;
    }
    list->last = flight;
}

struct flight *flight_list_pop(struct flight_list *list)
{
    struct flight *flight = list->first;

    if (flight) {
        list->first = flight->mail;
        list->last = list->first ? list->last : NULL;
        flight->mail = NULL;
    }
    return flight;
}

void flight_list_move(struct flight_list *to, struct flight_list *from)
{
    if (!from->first) {
        return;
    }
    if (to->last) {
        to->last->mail = from->first;
    } else {
        to->first = from->first;
    }
    to->last = from->last;
    *from = (struct flight_list){ NULL, NULL };
}

void flight_list_remove(struct flight_list *list, struct flight *flight)
{
    struct flight_list rest = { NULL, NULL };
    struct flight *at;

    while ((at = flight_list_pop(list))) {
        if (at != flight) {
            flight_list_add(&rest, at);
        }
    }
    *list = rest;
}

/* --- a flight ----------------------------------------------------------------------------------------- */

struct flight *flight_new(void)
{
    return calloc(1, sizeof(struct flight));
}

/* They may hold a credential. */
static void wipe(struct buf *b)
{
    if (b->data) {
        os_wipe(b->data, b->cap);
    }
    buf_release(b);
}

void flight_free(struct flight *flight)
{
    wipe(&flight->texts);
    wipe(&flight->cookies);
    free(flight);
}

/* For so much more. What was there does not stay behind in memory that is given back. */
static enum result make_room(struct buf *b, size_t more)
{
    struct buf larger = { .max = b->max };
    enum result result;

    if (b->cap - b->len >= more) {
        return RESULT_OK;
    }
    result = buf_reserve(&larger, b->len + more);
    if (result != RESULT_OK) {
        return result;
    }
    if (b->len) {
        memcpy(larger.data, b->data, b->len);
    }
    larger.len = b->len;
    wipe(b);
    *b = larger;
    return RESULT_OK;
}

/* With a NUL behind it. There is room, so that the text does not move. */
static void copy(struct buf *texts, struct str *text)
{
    size_t at = texts->len;

    if (text->len) {
        memcpy(texts->data + at, text->data, text->len);
        texts->data[at + text->len] = '\0';
        texts->len += text->len + 1;
        text->data = texts->data + at;
    }
}

static size_t size_of(const struct fetch_extra *extra)
{
    size_t size = extra->query.len + extra->digest.len + extra->url.len + extra->body.len + 4;

    for (size_t i = 0; i < FETCH_EXTRA_HEADERS; i++) {
        size += extra->headers[i].len + 1;
    }
    return size;
}

enum result flight_prepare(struct flight *flight, struct request *request,
                           struct response *response, const struct fetch_extra *extra)
{
    static const struct fetch_extra none = { .query = { NULL, 0 } };

    flight->extra = extra ? *extra : none;
    buf_reset(&flight->texts);
    buf_reset(&flight->cookies);
    if (make_room(&flight->texts, size_of(&flight->extra)) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    copy(&flight->texts, &flight->extra.query);
    copy(&flight->texts, &flight->extra.digest);
    copy(&flight->texts, &flight->extra.url);
    copy(&flight->texts, &flight->extra.body);
    for (size_t i = 0; i < FETCH_EXTRA_HEADERS; i++) {
        copy(&flight->texts, &flight->extra.headers[i]);
    }
    flight->request = request;
    flight->response = response;
    response->flight = flight;
    flight->is_posted = flight->is_flying = false;
    flight_write_row(flight, &(struct fetch_row){ .phase = FETCH_DNS });
    atomic_store_explicit(&flight->row.is_sent, false, memory_order_relaxed);
    return RESULT_OK;
}

void flight_end(struct flight *flight, enum outcome outcome, const char *why)
{
    struct response *response = flight->response;

    response->request = flight->request;
    response->outcome = outcome;
    response->http = JOB_HTTP_1_1;
    snprintf(response->reason, sizeof response->reason, "%s", why);
}

/* --- cookies ------------------------------------------------------------------------------------------ */

struct cookie_note {
    size_t name_len, value_len;
    bool is_foreign;
};

void flight_note_cookie(struct flight *flight, struct str name, struct str value, bool is_foreign)
{
    struct cookie_note note = { name.len, value.len, is_foreign };
    struct buf *b = &flight->cookies;

    if (make_room(b, sizeof note + name.len + value.len) == RESULT_OK) {
        memcpy(b->data + b->len, &note, sizeof note);
        memcpy(b->data + b->len + sizeof note, name.data, name.len);
        memcpy(b->data + b->len + sizeof note + name.len, value.data, value.len);
        b->len += sizeof note + name.len + value.len;
    }
}

void flight_tell_cookies(struct flight *flight, const struct fetch_options *options)
{
    const struct buf *b = &flight->cookies;
    struct cookie_note note;

    for (size_t at = 0; at < b->len; at += sizeof note + note.name_len + note.value_len) {
        const char *text = b->data + at + sizeof note;

        memcpy(&note, b->data + at, sizeof note);
        options->on_cookie(options->context, flight->response, (struct str){ text, note.name_len },
                           (struct str){ text + note.name_len, note.value_len }, note.is_foreign);
    }
    buf_reset(&flight->cookies);
}

/* --- what a screen shows ------------------------------------------------------------------------------ */

void flight_write_row(struct flight *flight, const struct fetch_row *row)
{
    struct flight_row *r = &flight->row;

    atomic_store_explicit(&r->phase, (int)row->phase, memory_order_relaxed);
    atomic_store_explicit(&r->status, row->status, memory_order_relaxed);
    atomic_store_explicit(&r->body_bytes, row->body_bytes, memory_order_relaxed);
    atomic_store_explicit(&r->first_byte_us, row->first_byte_us, memory_order_relaxed);
}

void flight_read_row(const struct flight *flight, struct fetch_row *row)
{
    const struct flight_row *r = &flight->row;

    *row = (struct fetch_row){ .request = flight->request };
    row->phase = (enum fetch_phase)atomic_load_explicit(&r->phase, memory_order_relaxed);
    row->status = atomic_load_explicit(&r->status, memory_order_relaxed);
    row->body_bytes = atomic_load_explicit(&r->body_bytes, memory_order_relaxed);
    row->first_byte_us = atomic_load_explicit(&r->first_byte_us, memory_order_relaxed);
}
