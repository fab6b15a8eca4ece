#include "fetch/transfer_list.h"

#include "fetch/transfer_http.h"

void transfer_list_add(struct transfer_list *list, struct transfer *t)
{
    t->next = NULL;
    t->prev = list->last;
    if (list->last) {
        list->last->next = t;
    } else {
        list->first = t;
    }
    list->last = t;
    list->count++;
}

void transfer_list_remove(struct transfer_list *list, struct transfer *t)
{
    if (t->prev) {
        t->prev->next = t->next;
    } else {
        list->first = t->next;
    }
    if (t->next) {
        t->next->prev = t->prev;
    } else {
        list->last = t->prev;
    }
    list->count--;
}

struct transfer *transfer_list_first_in(const struct transfer_list *list, const struct lane *lane)
{
    struct transfer *t = list->first;

    while (t && t->lane != lane) {
        t = t->next;
    }
    return t;
}

struct transfer *transfer_list_find(const struct transfer_list *list, uint64_t id)
{
    struct transfer *t = list->first;

    while (t && t->response->request->id != id) {
        t = t->next;
    }
    return t;
}

struct transfer *transfer_list_nearest_paused(const struct transfer_list *list)
{
    struct transfer *nearest = NULL;

    for (struct transfer *t = list->first; t; t = t->next) {
        if (t->paused && (!nearest || transfer_left(t) < transfer_left(nearest))) {
            nearest = t;
        }
    }
    return nearest;
}

struct transfer *transfer_list_largest_stream(const struct transfer_list *list, bool spares_one)
{
    const struct transfer *nearest = NULL;
    struct transfer *largest = NULL;

    for (const struct transfer *t = list->first; spares_one && t; t = t->next) {
        if (transfer_http_is_stream(t) && (!nearest || transfer_left(t) < transfer_left(nearest))) {
            nearest = t;
        }
    }
    for (struct transfer *t = list->first; t; t = t->next) {
        if (t != nearest && transfer_http_is_stream(t) && t->response->body.len &&
            transfer_may_be_repeated(t) &&
            (!largest || t->response->body.len > largest->response->body.len)) {
            largest = t;
        }
    }
    return largest;
}
