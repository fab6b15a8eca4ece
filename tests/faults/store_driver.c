/* What the fault tests start, kill and look at: the store alone, fed with made-up settlements.
 *
 *   store_driver run DIR COUNT SEED TOLD [WINDOW [BODY_BYTES]]   settle 1..COUNT, going on where DIR is
 *   store_driver check DIR COUNT SEED TOLD [complete]            hold DIR against what should be in it
 *
 * What request ID comes to follows from SEED and ID alone, so that any process can say what should be
 * there. TOLD is the observer: a line for everything that the store has said is durable, written
 * only then ("D 17", "F 3", "W 5"), and "full", "room", "broken" for troubles. A directory agrees
 * with its observer when everything told is in it, every body is the right one, no byte of the
 * committed part is without a row, and nothing is damaged. Every request that is done names a further
 * one, two of them the same: it is there exactly when one of them is, once, at the place of the first.
 *
 * Exit codes: 0 well, 1 violation, 2 refused (in use, unsafe, no run), 8 storage. With LEAVE_WHEN_FULL
 * in the environment the driver does not wait for room but ends. */
#include "base/clock.h"
#include "plan/sort_key.h"
#include "store/committer.h"
#include "store/verify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 16 /* ids are settled out of order within as many */
#define DEFAULT_WINDOW 48

enum fate { FATE_JSON, FATE_RETRIED, FATE_TEXT, FATE_BYTES, FATE_EMPTY, FATE_FAILED, FATE_REFUSED };

static uint64_t mix(uint64_t seed, uint64_t id)
{
    uint64_t z = seed * UINT64_C(0x9E3779B97F4A7C15) + id * UINT64_C(0xD1342543DE82EF95);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static enum fate fate_of(uint64_t seed, uint64_t id)
{
    static const enum fate fates[16] = { FATE_TEXT,    FATE_BYTES,   FATE_EMPTY,  FATE_FAILED,
                                         FATE_REFUSED, FATE_RETRIED, FATE_RETRIED };

    return fates[mix(seed, id) % 16]; /* the rest is JSON */
}

static bool is_failure(enum fate fate)
{
    return fate == FATE_FAILED || fate == FATE_REFUSED;
}

/* The body of a request, of about `bytes`; 0: of any size. */
static void make_body(struct buf *body, uint64_t seed, uint64_t id, size_t bytes)
{
    uint64_t random = mix(seed + 1, id);
    size_t want = bytes ? bytes : 20 + random % 600;
    enum fate fate = fate_of(seed, id);
    enum result result = RESULT_OK;

    buf_reset(body);
    if (fate == FATE_EMPTY || fate == FATE_FAILED) {
        return;
    }
    if (fate == FATE_JSON || fate == FATE_RETRIED) {
        result = buf_printf(body, "{\"id\":%" PRIu64 ",\n \"value\":\"", id);
    } else {
        result = buf_printf(body, "id \"%" PRIu64 "\"\n", id);
    }
    while (result == RESULT_OK && body->len < want) {
        result = buf_printf(body, "%016" PRIx64, random);
        random = mix(random, id);
    }
    if (result == RESULT_OK && (fate == FATE_JSON || fate == FATE_RETRIED)) {
        result = buf_append_str(body, STR("\"}"));
    } else if (result == RESULT_OK && fate == FATE_BYTES) {
        result = buf_append_str(body, STR("\xFF\0"));
    }
    if (result != RESULT_OK) {
        abort();
    }
}

/* ---- run ---- */

struct driver {
    uint64_t count, seed;
    size_t window, body_bytes;
    bool leave_when_full;
    int told;
    uv_loop_t loop;
    struct committer *committer;
    unsigned char *states; /* by id: enum settle_state, 0 for nothing yet */
    uint64_t next;         /* place in the shuffled order */
    size_t outstanding;
    bool closing, lost, closed;
};

static void tell(const struct driver *d, const char *text, size_t len)
{
    if (write(d->told, text, len) != (ssize_t)len) {
        abort();
    }
}

static uint64_t id_at(const struct driver *d, uint64_t place)
{
    return place - place % BLOCK + ((place % BLOCK) ^ (d->seed % BLOCK)) + 1;
}

/* The detail of the request's only record. */
static void make_place(const struct request *request, struct sort_key *place)
{
    if (!sort_key_of_record(request, 0, place)) {
        abort();
    }
}

static struct discovered *make_found(const struct request *request)
{
    struct sort_key place;
    struct page_at page = { 0 };
    struct discovered *found;
    char url[64];

    snprintf(url, sizeof url, "http://h.test/d/%" PRIu64, request->id / 2);
    make_place(request, &place);
    found = discovered_new(1,
                           &(struct request_texts){ .key = request->key,
                                                    .url = str_view(url),
                                                    .sort_key = sort_key_view(&place) },
                           &page);
    if (!found) {
        abort();
    }
    return found;
}

static struct settlement *make_settlement(const struct driver *d, uint64_t id, bool again)
{
    struct settlement *s = calloc(1, sizeof *s);
    enum fate fate = fate_of(d->seed, id);
    struct request *request;
    char key[32], url[64];

    snprintf(key, sizeof key, "k%" PRIu64, id);
    snprintf(url, sizeof url, "http://h.test/%" PRIu64, id);
    request = request_new(id, 0, str_view(key), str_view(url));
    if (!s || !request || !(s->response = response_new())) {
        abort();
    }
    s->response->request = request;
    s->response->status = is_failure(fate) ? 404 : 200;
    s->response->fetched_at_us = INT64_C(1700000000000000);
    request->attempt = again ? 2 : 1;
    if (fate == FATE_RETRIED && !again) {
        s->state = SETTLE_WAITING;
        s->not_before_wall_us = 1;
        snprintf(request->reason, sizeof request->reason, "http 503");
        return s;
    }
    s->state = is_failure(fate) ? SETTLE_FAILED : SETTLE_DONE;
    if (s->state == SETTLE_DONE) {
        discoveries_add(&s->discoveries, make_found(request));
    }
    snprintf(request->reason, sizeof request->reason, "%s", is_failure(fate) ? "http 404" : "");
    s->body_kind = fate == FATE_FAILED                         ? SETTLE_BODY_NONE
                   : fate == FATE_EMPTY                        ? SETTLE_BODY_EMPTY
                   : fate == FATE_JSON || fate == FATE_RETRIED ? SETTLE_BODY_JSON
                                                               : SETTLE_BODY_FOREIGN;
    make_body(&s->response->body, d->seed, id, d->body_bytes);
    return s;
}

static void put(struct driver *d, uint64_t id)
{
    d->outstanding++;
    committer_put(d->committer, make_settlement(d, id, d->states[id] == SETTLE_WAITING));
}

static void on_closed(void *context)
{
    struct driver *d = context;

    d->closed = true;
}

static void close_driver(struct driver *d, bool clean)
{
    if (!d->closing) {
        d->closing = true;
        committer_close(d->committer, clean, on_closed);
    }
}

static void feed(struct driver *d)
{
    while (!d->closing && d->outstanding < d->window && !committer_is_full(d->committer) &&
           d->next < d->count + BLOCK) {
        uint64_t id = id_at(d, d->next++);

        if (id <= d->count && d->states[id] != SETTLE_DONE && d->states[id] != SETTLE_FAILED) {
            put(d, id);
        }
    }
    if (mix(d->seed, d->next) % 3 == 0) {
        committer_flush(d->committer);
    }
    if (!d->closing && !d->outstanding) {
        close_driver(d, true);
    }
}

static void on_committed(void *context, struct settlement *list)
{
    static const char letters[] = {
        [SETTLE_DONE] = 'D', [SETTLE_FAILED] = 'F', [SETTLE_WAITING] = 'W'
    };
    struct driver *d = context;
    struct buf lines = { .max = 0 };

    for (struct settlement *s = list, *next; s; s = next) {
        uint64_t id = s->response->request->id;

        next = s->next;
        d->outstanding--;
        d->states[id] = (unsigned char)s->state;
        d->lost |= s->state == SETTLE_LOST;
        if (s->state != SETTLE_LOST &&
            buf_printf(&lines, "%c %" PRIu64 "\n", letters[s->state], id) != RESULT_OK) {
            abort();
        }
        discoveries_release(&s->discoveries);
        response_free(s->response);
        if (s->state == SETTLE_WAITING && !d->closing) {
            put(d, id);
        }
        free(s);
    }
    if (lines.len) {
        tell(d, lines.data, lines.len);
    }
    buf_release(&lines);
    feed(d);
}

static void on_trouble(void *context, enum result result, const struct err *err)
{
    struct driver *d = context;

    if (result == RESULT_OK) {
        tell(d, "room\n", 5);
    } else if (result == RESULT_FULL) {
        tell(d, "full\n", 5);
        if (d->leave_when_full) {
            d->lost = true; /* what was not put yet */
            close_driver(d, false);
        }
    } else {
        fprintf(stderr, "%s: %s\n", err->code, err->text);
        tell(d, "broken\n", 7);
        d->lost = true;
        close_driver(d, false);
    }
}

static void restore(void *context, const struct ledger_row *row)
{
    struct driver *d = context;

    if (row->id <= d->count) {
        d->states[row->id] = (unsigned char)row->state;
    }
}

static int refuse(const struct err *err)
{
    fprintf(stderr, "%s: %s\n", err->code, err->text);
    return err->result == RESULT_IO || err->result == RESULT_FULL || err->result == RESULT_CORRUPT
               ? 8
               : 2;
}

static int run(struct driver *d, const char *path)
{
    struct err err = { .result = RESULT_OK };
    struct recovery recovery;
    struct run_dir dir;
    static const uint32_t parents[] = { 0, 0 };
    struct ledger_plan plan = { .seeds = d->count, .parents = parents, .endpoint_count = 2 };
    struct committer_options options = { .loop = &d->loop,
                                         .dir = &dir,
                                         .plan = &plan,
                                         .clock = clock_system(),
                                         .on_committed = on_committed,
                                         .on_trouble = on_trouble,
                                         .context = d };

    if (run_dir_open(&dir, path, &err) != RESULT_OK) {
        return refuse(&err);
    }
    if (committer_open(&d->committer, &options, &recovery, &err) != RESULT_OK) {
        run_dir_close(&dir);
        return refuse(&err);
    }
    if (committer_each_row(d->committer, restore, d, &err) != RESULT_OK ||
        committer_start(d->committer, &err) != RESULT_OK) {
        close_driver(d, false);
        uv_run(&d->loop, UV_RUN_DEFAULT);
        run_dir_close(&dir);
        return refuse(&err);
    }
    committer_set_planned(d->committer, d->count);
    feed(d);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    run_dir_close(&dir);
    return !d->closed ? 1 : d->lost ? 8 : 0;
}

/* ---- check ---- */

struct check {
    struct run_reader reader;
    uint64_t count, seed;
    unsigned char *states;
    unsigned char *found; /* by half the id of who names it */
    uint64_t discovered_count;
    char *told; /* by id: the last letter, read before anything else, for a run that goes on */
    struct buf line, body, expected;
    bool complete; /* ended by itself: everything is settled, and nothing is left behind */
    uint64_t violations;
};

static void violation(struct check *c, const char *what, uint64_t id)
{
    if (c->violations++ < 5) {
        printf("VIOLATION: %s (%" PRIu64 ")\n", what, id);
    }
}

static void on_found(void *context, const struct verify_finding *finding)
{
    struct check *c = context;

    if (verify_kind_is_damage(finding->kind) || finding->kind == VERIFY_ORPHAN || c->complete) {
        violation(c, finding->text, finding->id);
    }
}

static void check_row(void *context, const struct ledger_row *row)
{
    struct check *c = context;
    enum fate fate = fate_of(c->seed, row->id);

    if (row->id < 1 || row->id > c->count) {
        violation(c, "a row that nobody put", row->id);
        return;
    }
    c->states[row->id] = (unsigned char)row->state;
    if ((row->state == SETTLE_FAILED) != is_failure(fate) ||
        (row->state == SETTLE_WAITING && fate != FATE_RETRIED)) {
        violation(c, "a row with the wrong state", row->id);
    }
}

static enum result check_body(void *context, const struct record *record, struct err *err)
{
    struct check *c = context;
    struct line_view view;
    enum result result = segment_read_line(&c->reader.segments, record, &c->line, &view, err);
    enum fate fate = fate_of(c->seed, record->id);

    if (result != RESULT_OK) {
        violation(c, "a record that cannot be read", record->id);
        return RESULT_OK;
    }
    buf_reset(&c->body);
    result = line_append_body(&view, &c->body);
    make_body(&c->expected, c->seed, record->id, 0);
    for (size_t i = 0;
         fate != FATE_TEXT && fate != FATE_BYTES && fate != FATE_REFUSED && i < c->expected.len;
         i++) {
        c->expected.data[i] = c->expected.data[i] == '\n' ? ' ' : c->expected.data[i];
    }
    if (fate == FATE_EMPTY && buf_append_str(&c->expected, STR("null")) != RESULT_OK) {
        abort();
    }
    if (result != RESULT_OK || !str_equal(buf_view(&c->body), buf_view(&c->expected))) {
        violation(c, "another body than the one that came", record->id);
    }
    return RESULT_OK;
}

static enum result check_found(void *context, struct request *request, int64_t not_before_us)
{
    struct check *c = context;
    unsigned long long half = 0;
    struct request by = { .id = 0 };
    struct sort_key place;

    (void)not_before_us;
    if (sscanf(request->url.data, "http://h.test/d/%llu", &half) != 1 || half > c->count / 2 ||
        c->found[half]++) {
        violation(c, "found twice, or by nobody", request->id);
        half = 0;
    }
    if (request->id != c->count + ++c->discovered_count) {
        violation(c, "found, with another's id", request->id);
    }
    by.id = half && c->states[2 * half] == SETTLE_DONE ? 2 * half : 2 * half + 1;
    make_place(&by, &place);
    if (by.id > c->count || c->states[by.id] != SETTLE_DONE ||
        sort_key_compare(request->sort_key, sort_key_view(&place)) != 0) {
        violation(c, "found without an answer, or at another place", request->id);
    }
    request_free(request);
    return RESULT_OK;
}

static void check_all_found(struct check *c)
{
    for (uint64_t id = 1; id <= c->count; id++) {
        if (c->states[id] == SETTLE_DONE && !c->found[id / 2]) {
            violation(c, "done, and what it names is lost", id);
        }
    }
}

static void read_told(struct check *c, const char *path)
{
    FILE *told = fopen(path, "r");
    unsigned long long id;
    char text[64];

    while (told && fgets(text, sizeof text, told)) {
        if (sscanf(text + 1, " %llu", &id) == 1 && id && id <= c->count) {
            c->told[id] = text[0];
        }
    }
    if (told) {
        fclose(told);
    }
}

static void check_told(struct check *c)
{
    for (uint64_t id = 1; id <= c->count; id++) {
        if (c->told[id] == 'D' && c->states[id] != SETTLE_DONE) {
            violation(c, "told as done, and lost", id);
        } else if (c->told[id] == 'F' && c->states[id] != SETTLE_FAILED) {
            violation(c, "told as failed, and lost", id);
        } else if (c->told[id] == 'W' && c->states[id] != SETTLE_WAITING &&
                   c->states[id] != SETTLE_DONE) {
            violation(c, "told as waiting, and lost", id);
        }
    }
}

static int check(struct check *c, const char *path, const char *told)
{
    struct err err = { .result = RESULT_OK };
    struct verify_report report;
    struct ledger_discovered_query found = { .which = LEDGER_DISCOVERED_NEW,
                                             .after_id = c->count,
                                             .max = SIZE_MAX,
                                             .visit = check_found,
                                             .context = c };

    read_told(c, told);
    if (run_reader_open(&c->reader, path, &err) != RESULT_OK) {
        return refuse(&err);
    }
    if (verify_run(&c->reader, on_found, c, &report, &err) != RESULT_OK ||
        ledger_each_row(c->reader.ledger, check_row, c, &err) != RESULT_OK ||
        ledger_each_discovered(c->reader.ledger, &found, &err) != RESULT_OK ||
        run_reader_each(&c->reader, LEDGER_STORED, check_body, c, &err) != RESULT_OK) {
        run_reader_close(&c->reader);
        return refuse(&err);
    }
    run_reader_close(&c->reader);
    check_told(c);
    check_all_found(c);
    for (uint64_t id = 1; c->complete && id <= c->count; id++) {
        if (c->states[id] != SETTLE_DONE && c->states[id] != SETTLE_FAILED) {
            violation(c, "never settled", id);
        }
    }
    buf_release(&c->line);
    buf_release(&c->body);
    buf_release(&c->expected);
    if (c->violations) {
        printf("%" PRIu64 " violations in %s\n", c->violations, path);
    }
    return c->violations ? 1 : 0;
}

/* ---- */

static uint64_t number(const char *text)
{
    uint64_t value = 0;

    if (!str_to_u64(str_view(text), &value)) {
        fprintf(stderr, "not a number: %s\n", text);
        exit(2);
    }
    return value;
}

static int main_run(int argc, char **argv)
{
    struct driver d = { .count = number(argv[3]), .seed = number(argv[4]) };
    int code;

    d.window = argc > 6 ? number(argv[6]) : DEFAULT_WINDOW;
    d.body_bytes = argc > 7 ? number(argv[7]) : 0;
    d.leave_when_full = getenv("LEAVE_WHEN_FULL") != NULL;
    d.told = open(argv[5], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    d.states = calloc(d.count + 1, 1);
    if (d.told < 0 || !d.states || uv_loop_init(&d.loop)) {
        abort();
    }
    signal(SIGXFSZ, SIG_IGN);
    code = run(&d, argv[2]);
    if (uv_loop_close(&d.loop)) {
        abort();
    }
    free(d.states);
    close(d.told);
    return code;
}

int main(int argc, char **argv)
{
    if (argc > 5 && !strcmp(argv[1], "run")) {
        return main_run(argc, argv);
    }
    if (argc > 5 && !strcmp(argv[1], "check")) {
        struct check c = { .count = number(argv[3]), .seed = number(argv[4]) };
        int code;

        c.states = calloc(c.count + 1, 1);
        c.told = calloc(c.count + 1, 1);
        c.found = calloc(c.count / 2 + 1, 1);
        if (!c.states || !c.told || !c.found) {
            abort();
        }
        c.complete = argc > 6;
        code = check(&c, argv[2], argv[5]);
        free(c.states);
        free(c.told);
        free(c.found);
        return code;
    }
    fprintf(stderr, "usage: see the head of store_driver.c\n");
    return 2;
}
