/**
 * What the tests of whole runs share: a run with all that its engine borrows, and scripts for the
 * server that it asks.
 */
#ifndef SCRAPETOP_TESTS_ENGINE_FIXTURE_H
#define SCRAPETOP_TESTS_ENGINE_FIXTURE_H

#include "engine/engine.h"
#include "server.h"
#include "store_fixture.h"
#include "table/format.h"

/** A backoff is any time up to this: that of a few hundred requests is over for none of them while a test runs. */
#define LONG_BACKOFF_US (UINT64_C(100) * 365 * 86400 * US_PER_S)

struct run {
    struct temp temp;
    struct run_dir dir;
    struct job job;     /* to be changed between run_begin and run_open */
    struct clock clock; /* the system's, until a test turns it */
    uint64_t boot; /* 0, until a test says that monotonic times of two sessions can be compared */
    uv_loop_t loop;
    struct engine *engine;
    int list_fd;
    bool csv, attended;
    struct follow_up follow_up;
    uint64_t skew_us;     /* its clocks are so much before the system's; see pass */
    bool close_when_done; /* from within on_done, as a program without a screen does */
    char csv_path[128], table_path[128];
    struct table_output to; /* of the former */
    bool engine_is_whole, done, closed;
    struct report report; /* of the last run_close */
};

/** A job of one pattern, cap 4, with backoffs of milliseconds. */
void run_begin(struct run *r, const char *pattern);
void run_end(struct run *r);

/** engine_new with that job; whatever comes of it, run_close is next. */
enum result run_try_open(struct run *r, const struct job *job, struct err *err);

void run_open(struct run *r);  /* with its own, and it must work */
void run_start(struct run *r); /* and engine_start */
void run_until_done(struct run *r);

/** Whatever is under way; an empty loop is left. The run may be opened again. */
void run_close(struct run *r);

/** Start, done, close. */
void run_to_its_end(struct run *r);

void tell(struct run *r, enum control_verb verb, int64_t number);
void tell_text(struct run *r, enum control_verb verb, const char *text);

/** A clock that runs `speed` times as fast, and whose wall time may be set: holds of seconds pass in
 *  milliseconds. The engine's tick looks at it often enough. */
struct fast_clock {
    uint64_t base_us;
    int64_t base_wall_us; /* moved: somebody sets the date */
    unsigned speed;
};

struct clock fast_clock(struct fast_clock *fast, unsigned speed);

/** A time of CLOCK_BOOTTIME, such as a server's, on that clock. */
uint64_t fast_clock_us(const struct fast_clock *fast, uint64_t boottime_us);

/** So much time passes, in no time. */
void pass(struct run *r, uint64_t us);

/** Two seconds at a time pass, and each time the engine's tick sees it. */
void pass_ticks(struct run *r, int ticks);

/** A snapshot of now, valid until the next. */
const struct snapshot *look(struct run *r);

/** One turn of the loop. */
void turn(struct run *r);

/** The loop has nothing left that it would do at once: what may start has started. */
bool rests(const struct run *r);

/** The failure is called so: "HTTP 404", "timeout". */
void assert_failure(struct failure failure, const char *name);

/** Whether events.jsonl of the closed run holds these bytes. */
void assert_told(const struct run *r, const char *what, bool told);

/** Turns the loop until the server has had so many requests. */
void until_asked(struct run *r, struct server *server, unsigned count);

/** "ID KEY BODY" for every stored body, in order of id: two runs that did the same give the same. The
 *  caller frees it. */
char *stored(const struct run *r, size_t *count);
size_t stored_count(const struct run *r);

#define OK_JSON "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}"
#define USUAL SERVER_ANSWER(OK_JSON, SERVER_KEEP)
#define EMPTY_ANSWER(status_and_fields)                                                            \
    SERVER_ANSWER("HTTP/1.1 " status_and_fields "\r\nContent-Length: 0\r\n\r\n", SERVER_KEEP)

#define ANSWER_MAX 512

/** "HTTP/1.1 `head`", the body's length, and the body. */
struct server_answer compose(char text[ANSWER_MAX], const char *head, const char *body);

/** Answers all the same; but `odd` to the first `times` that ask for number `at` (0: for any). */
struct script {
    struct server_answer usual, odd;
    unsigned at, times;
};

struct server_answer play(void *context, const struct server_asked *asked, unsigned number);

/** The number at the end of the path that was asked. */
unsigned asked_number(const struct server_asked *asked);

/** 200 with a JSON array of so many bytes, or one that is wrong in its last. To free. */
char *large_answer(size_t body, bool valid, size_t *len);

/** What the main of such a test is. */
int test_main(int (*group)(void));

#endif
