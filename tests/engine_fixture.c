#include "engine_fixture.h"

#include "store/ledger.h"
#include "store/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static struct snapshot snapshot; /* large, and only one is looked at */

static void on_closed(void *context, const struct err *trouble)
{
    struct run *r = context;

    r->closed = true;
    if (trouble) {
        report_fail(&r->report, trouble);
    }
}

static void begin_close(struct run *r)
{
    if (r->engine_is_whole) {
        report_release(&r->report);
        engine_report(r->engine, &r->report);
    }
    engine_close(r->engine, on_closed);
    assert_false(r->closed);
}

static void on_done(void *context)
{
    struct run *r = context;

    assert_false(r->done);
    r->done = true;
    assert_true(engine_is_done(r->engine));
    if (r->close_when_done) {
        begin_close(r);
    }
}

void run_begin(struct run *r, const char *pattern)
{
    *r = (struct run){ .list_fd = -1, .clock = clock_system() };
    temp_init(&r->temp);
    snprintf(r->csv_path, sizeof r->csv_path, "%s/end.csv", r->temp.base);
    snprintf(r->table_path, sizeof r->table_path, "%s/now.csv", r->temp.base);
    job_init(&r->job);
    assert_non_null(job_add_endpoint(&r->job));
    assert_int_equal(
        job_add_source(&r->job.endpoints[0], JOB_SOURCE_PATTERN, str_view(pattern), NULL),
        RESULT_OK);
    r->job.retry.backoff_base_us = r->job.retry.backoff_cap_us = 2 * US_PER_MS;
    /* A machine that is busy elsewhere for some seconds must not look like a server that is. */
    r->job.network.connect_timeout_us = r->job.network.stall_timeout_us =
        r->job.network.total_timeout_us = 600 * US_PER_S;
    r->job.pace.cap = 4;
}

static uint64_t skewed_now_us(void *context)
{
    const struct run *r = context;

    return clock_now_us(&r->clock) + r->skew_us;
}

static int64_t skewed_wall_us(void *context)
{
    const struct run *r = context;

    return clock_wall_us(&r->clock) + (int64_t)r->skew_us;
}

enum result run_try_open(struct run *r, const struct job *job, struct err *err)
{
    struct engine_options options = { .loop = &r->loop,
                                      .clock = { skewed_now_us, skewed_wall_us, r },
                                      .boot = r->boot,
                                      .seed = 1,
                                      .job = job,
                                      .dir = &r->dir,
                                      .list_fds = &r->list_fd,
                                      .outputs = &r->to,
                                      .output_count = r->csv,
                                      .table_path = r->table_path,
                                      .follow_up = r->follow_up,
                                      .attended = r->attended,
                                      .on_done = on_done,
                                      .context = r };
    enum result result;

    r->to = (struct table_output){ .path = r->csv_path, .format = &csv_format };
    r->done = r->closed = false;
    assert_int_equal(run_dir_open(&r->dir, r->temp.run, NULL), RESULT_OK);
    assert_int_equal(uv_loop_init(&r->loop), 0);
    result = engine_new(&r->engine, &options, err);
    r->engine_is_whole = result == RESULT_OK;
    return result;
}

void run_open(struct run *r)
{
    struct err err;

    if (job_finish(&r->job, &err) != RESULT_OK || run_try_open(r, &r->job, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
}

void run_start(struct run *r)
{
    run_open(r);
    assert_int_equal(engine_start(r->engine, NULL), RESULT_OK);
}

void run_until_done(struct run *r)
{
    while (!r->done) {
        uv_run(&r->loop, UV_RUN_ONCE);
    }
}

void run_close(struct run *r)
{
    if (!r->done || !r->close_when_done) {
        begin_close(r);
    }
    uv_run(&r->loop, UV_RUN_DEFAULT);
    assert_true(r->closed);
    assert_int_equal(uv_loop_close(&r->loop), 0);
    run_dir_close(&r->dir);
}

void run_to_its_end(struct run *r)
{
    run_start(r);
    run_until_done(r);
    run_close(r);
}

void run_end(struct run *r)
{
    report_release(&r->report);
    job_release(&r->job);
    temp_release(&r->temp);
    if (r->list_fd >= 0) {
        close(r->list_fd);
    }
}

void tell(struct run *r, enum control_verb verb, int64_t number)
{
    char reply[CONTROL_REPLY_MAX];
    struct control control = { .verb = verb, .number = number };

    engine_control(r->engine, &control, reply);
}

void tell_text(struct run *r, enum control_verb verb, const char *text)
{
    struct control control = { .verb = verb };
    char reply[CONTROL_REPLY_MAX];

    snprintf(control.text, sizeof control.text, "%s", text);
    engine_control(r->engine, &control, reply);
}

uint64_t fast_clock_us(const struct fast_clock *fast, uint64_t boottime_us)
{
    return fast->base_us + (boottime_us - fast->base_us) * fast->speed;
}

static uint64_t fast_now_us(void *context)
{
    struct clock system = clock_system();

    return fast_clock_us(context, clock_now_us(&system));
}

static int64_t fast_wall_us(void *context)
{
    const struct fast_clock *fast = context;

    return fast->base_wall_us + (int64_t)(fast_now_us(context) - fast->base_us);
}

struct clock fast_clock(struct fast_clock *fast, unsigned speed)
{
    struct clock system = clock_system();

    *fast = (struct fast_clock){ clock_now_us(&system), clock_wall_us(&system), speed };
    return (struct clock){ fast_now_us, fast_wall_us, fast };
}

void pass(struct run *r, uint64_t us)
{
    r->skew_us += us;
    tell(r, CONTROL_MARK, 0); /* the engine looks at the clock */
}

const struct snapshot *look(struct run *r)
{
    engine_snapshot(r->engine, &snapshot);
    return &snapshot;
}

void until_asked(struct run *r, struct server *server, unsigned count)
{
    while (server_count(server) < count) {
        uv_run(&r->loop, UV_RUN_NOWAIT);
    }
}

static char *events_of(const struct run *r)
{
    struct run_dir dir;
    size_t size;
    char *text;

    assert_int_equal(run_dir_open_readonly(&dir, r->temp.run, NULL), RESULT_OK);
    text = file_read(&dir, "events.jsonl", &size);
    run_dir_close(&dir);
    return text;
}

void assert_told(const struct run *r, const char *what, bool told)
{
    char *events = events_of(r);

    if ((strstr(events, what) != NULL) != told) {
        fail_msg("%s \"%s\" in\n%s", told ? "no" : "there is", what, events);
    }
    free(events);
}

struct server_answer compose(char text[ANSWER_MAX], const char *head, const char *body)
{
    int len = snprintf(text, ANSWER_MAX, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", head,
                       strlen(body), body);

    assert_in_range(len, 1, ANSWER_MAX - 1);
    return (struct server_answer){ .bytes = text, .len = (size_t)len, .then = SERVER_KEEP };
}

void turn(struct run *r)
{
    uv_run(&r->loop, UV_RUN_ONCE);
}

bool rests(const struct run *r)
{
    return uv_backend_timeout(&r->loop) != 0;
}

void pass_ticks(struct run *r, int ticks)
{
    for (int i = 0; i < ticks; i++) {
        uint64_t before_us = look(r)->now_us;

        pass(r, 2 * US_PER_S);
        while (look(r)->now_us < before_us + 2 * US_PER_S + 150 * US_PER_MS) {
            turn(r);
        }
    }
}

#define RECORDS_MAX 20001

char *stored(const struct run *r, size_t *count)
{
    static struct record records[RECORDS_MAX];
    struct run_dir dir;
    struct ledger *ledger;
    struct buf out = { 0 };
    size_t size;
    char *raw;

    assert_int_equal(run_dir_open_readonly(&dir, r->temp.run, NULL), RESULT_OK);
    assert_int_equal(ledger_open_readonly(&ledger, &dir, NULL), RESULT_OK);
    assert_int_equal(ledger_read_index(ledger, LEDGER_DONE, 0, records, RECORDS_MAX, count, NULL),
                     RESULT_OK);
    raw = *count ? file_read(&dir, "raw/00000001.jsonl", &size) : NULL;
    for (size_t i = 0; i < *count; i++) {
        struct line_view view;

        assert_int_equal(
            line_parse((struct str){ raw + records[i].offset, records[i].length }, &view),
            RESULT_OK);
        assert_int_equal(view.id, records[i].id);
        assert_int_equal(buf_printf(&out, "%llu %.*s %.*s\n", (unsigned long long)view.id,
                                    STR_ARG(view.key), STR_ARG(view.body)),
                         RESULT_OK);
    }
    free(raw);
    ledger_close(ledger);
    run_dir_close(&dir);
    assert_non_null(buf_cstr(&out));
    return out.data;
}

size_t stored_count(const struct run *r)
{
    size_t count;

    free(stored(r, &count));
    return count;
}

/* --- scripts ---------------------------------------------------------------------------------- */

unsigned asked_number(const struct server_asked *asked)
{
    const char *end = strchr(strchr(asked->head, ' ') + 1, ' ');

    while (end[-1] >= '0' && end[-1] <= '9') {
        end--;
    }
    return (unsigned)strtoul(end, NULL, 10);
}

struct server_answer play(void *context, const struct server_asked *asked, unsigned number)
{
    struct script *s = context;

    (void)number;
    if (s->times && (s->at == 0 || asked_number(asked) == s->at)) {
        s->times--;
        return s->odd;
    }
    return s->usual;
}

char *large_answer(size_t body, bool valid, size_t *len)
{
    char *bytes = malloc(body + 200);
    int head = snprintf(bytes, 200, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body);

    memset(bytes + head, ' ', body);
    bytes[head] = '[';
    bytes[(size_t)head + body - 1] = valid ? ']' : '}';
    *len = (size_t)head + body;
    return bytes;
}

int test_main(int (*group)(void))
{
    struct rlimit limit;
    int failed;

    getrlimit(RLIMIT_NOFILE, &limit); /* a thousand connections have two ends here */
    limit.rlim_cur = limit.rlim_max < 16384 ? limit.rlim_max : 16384;
    setrlimit(RLIMIT_NOFILE, &limit);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = group();
    curl_global_cleanup();
    return failed;
}

void assert_failure(struct failure failure, const char *name)
{
    char text[FAILURE_TEXT_MAX];

    failure_format(failure, text);
    assert_string_equal(text, name);
}
