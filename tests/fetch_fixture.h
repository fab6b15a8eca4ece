/**
 * What the tests of fetch share: a loop with fetch on it against a server of tests/server.h, answers that are given back
 * by hand, and answers made up. Nothing is kept between two tests.
 */
#ifndef SCRAPETOP_TESTS_FETCH_FIXTURE_H
#define SCRAPETOP_TESTS_FETCH_FIXTURE_H

#include "fetch/fetch.h"
#include "server.h"

#define BODY_MAX (1U << 20)
#define PATIENCE_US (60 * US_PER_S) /* of tests in which nothing times out */
#define SHORT_US (400 * US_PER_MS)  /* of those in which something does */
#define GET 0
#define POST 1

/* A loop with a fetch on it, and what came back. */
struct net {
    uv_loop_t loop;
    struct fetch *fetch;
    struct response *first, **last;
    unsigned count, want;
    unsigned chain; /* so many more are started from within on_response */
    const char *chain_url;
    bool closed;
};

void net_begin_as(struct net *n, uint64_t total_us, uint64_t body_max, uint64_t memory,
                  enum job_http http);
void net_begin_with(struct net *n, uint64_t total_us, uint64_t body_max, uint64_t memory);
void net_begin(struct net *n, uint64_t total_us);
void start_request(struct net *n, struct request *request);
void start(struct net *n, const char *url, uint32_t endpoint);
void wait_for(struct net *n, unsigned count);

/* The oldest that came back; give_back it. */
struct response *take(struct net *n);
void give_back(struct net *n, struct response *response);
struct response *ask(struct net *n, const char *url);

/* An empty loop at the end is part of every test. */
void net_end(struct net *n);
struct server_answer play_always(void *context, const struct server_asked *asked, unsigned number);

/* One answer, and what it must be taken for. */
void assert_outcome(const char *name, struct server_answer answer, uint64_t total_us,
                    enum outcome outcome, int status);

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define OK_ANSWER OK_HEAD "Content-Length: 7\r\n\r\n{\"a\":1}"

struct server_answer play_in_turn(void *context, const struct server_asked *asked, unsigned number);

#endif
