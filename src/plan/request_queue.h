/**
 * A queue of requests, linked by `next`. It owns none of them; zeroed it is empty.
 *
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_PLAN_REQUEST_QUEUE_H
#define SCRAPETOP_PLAN_REQUEST_QUEUE_H

#include "plan/request.h"

struct request_queue {
    struct request *first, *last;
};

void request_queue_append(struct request_queue *queue, struct request *request);
void request_queue_prepend(struct request_queue *queue, struct request *request);

/** Takes the first one out, or the one with this id; NULL when there is none. */
struct request *request_queue_pop(struct request_queue *queue);
struct request *request_queue_take(struct request_queue *queue, uint64_t id);

#endif
