/* fetch/fetch_threads: several threads that fetch are one fetch to the caller. The other tests of fetch run with several,
 * too (FETCH_THREADS). */
#include "fetch/fetch_threads.h"

#include "fetch_fixture.h"

#include "base/err.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#define CAP_MOST 48
#define TICK_MS 2
#define FEW_DESCRIPTORS 100 /* one loop takes some five */
#define COOKIE_ANSWER OK_HEAD "Set-Cookie: a=1\r\nContent-Length: 7\r\n\r\n{\"a\":1}"

/* A caller with a cap, that looks, changes its mind, and ends. */
struct load {
    uv_loop_t loop;
    uv_timer_t tick;
    uv_thread_t caller;
    struct fetch *fetch;
    struct server *server;
    unsigned cap, left; /* to be started yet */
    uint64_t last_id;
    unsigned started, came, taken, cancels, cookies;
    uint64_t random;
    bool refills, closed;
    _Atomic unsigned asked, ended, most; /* at the server; here; of these at the same time */
    _Atomic unsigned sendings;
    uv_mutex_t mutex;
    uv_thread_t senders[8];
    size_t sender_count;
};

static uint64_t draw(struct load *l, uint64_t below)
{
    l->random = l->random * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (l->random >> 33) % below;
}

/* All that was asked, but what has ended here: the ends are counted before anything takes their places. */
static struct server_answer play_load(void *context, const struct server_asked *asked,
                                      unsigned number)
{
    struct load *l = context;
    unsigned ended = atomic_load(&l->ended), now = atomic_fetch_add(&l->asked, 1) + 1;
    static const struct server_answer answers[] = {
        { OK_ANSWER, sizeof OK_ANSWER - 1, 0, SERVER_KEEP },
        { COOKIE_ANSWER, sizeof COOKIE_ANSWER - 1, 0, SERVER_KEEP },
        { OK_ANSWER, sizeof OK_ANSWER - 1, 7, SERVER_KEEP },
        { OK_ANSWER, sizeof OK_ANSWER - 1, 0, SERVER_CLOSE },
        { OK_ANSWER, 20, 0, SERVER_RESET },
        { OK_ANSWER, sizeof OK_ANSWER - 10, 0, SERVER_HANG },
    };

    (void)number;
    if (now > ended && now - ended > atomic_load(&l->most)) {
        atomic_store(&l->most, now - ended);
    }
    return answers[(asked->head[5] - '0') % 6]; /* "GET /3" */
}

static void fill(struct load *l)
{
    while (l->left && l->refills && fetch_in_flight(l->fetch) < l->cap) {
        char path[8];
        struct request *request;

        snprintf(path, sizeof path, "/%u", (unsigned)draw(l, 6));
        request = request_new(++l->last_id, GET, STR("key"), str_view(server_url(l->server, path)));
        assert_non_null(request);
        request->host = (uint32_t)draw(l, 4);
        assert_int_equal(fetch_start(l->fetch, request, NULL), RESULT_OK);
        l->left--;
        l->started++;
    }
    fetch_kick(l->fetch);
}

static bool is_caller(const struct load *l)
{
    uv_thread_t self = uv_thread_self();

    return uv_thread_equal(&self, &l->caller);
}

static void on_response(void *context, struct response *response)
{
    struct load *l = context;

    assert_true(is_caller(l));
    assert_non_null(response->request);
    atomic_fetch_add(&l->ended, response->sends > 0); /* others the server has not heard of */
    request_free(response->request);
    response->request = NULL;
    fetch_recycle(l->fetch, response);
    l->came++;
    fill(l);
}

static void on_cookie(void *context, struct response *response, struct str name, struct str value,
                      bool is_foreign)
{
    struct load *l = context;

    assert_true(is_caller(l));
    assert_non_null(response->request);
    assert_true(str_equal(name, STR("a")) && str_equal(value, STR("1")) && !is_foreign);
    l->cookies++;
}

static bool on_sending(void *context, struct response *response)
{
    struct load *l = context;
    uv_thread_t self = uv_thread_self();
    bool is_known = false;

    assert_non_null(response->request);
    uv_mutex_lock(&l->mutex);
    for (size_t i = 0; i < l->sender_count; i++) {
        is_known |= uv_thread_equal(&self, &l->senders[i]);
    }
    if (!is_known && l->sender_count < sizeof l->senders / sizeof l->senders[0]) {
        l->senders[l->sender_count++] = self;
    }
    uv_mutex_unlock(&l->mutex);
    atomic_fetch_add(&l->sendings, 1);
    return true;
}

static bool count_row(void *context, const struct fetch_row *row)
{
    size_t *count = context;

    assert_non_null(row->request);
    assert_true(row->phase <= FETCH_RECEIVE);
    ++*count;
    return true;
}

static void look(struct load *l)
{
    size_t all = 0, unsent = 0;

    fetch_look(l->fetch);
    fetch_each(l->fetch, count_row, &all);
    fetch_each_unsent(l->fetch, count_row, &unsent);
    assert_int_equal(all, fetch_in_flight(l->fetch));
    assert_true(unsent <= all);
}

static void take_one(struct load *l)
{
    uint64_t id = l->last_id > 20 ? l->last_id - draw(l, 20) : 1;
    struct request *request =
        draw(l, 2) ? fetch_take(l->fetch, id) : fetch_take_unsent(l->fetch, id);

    if (request) {
        assert_int_equal(request->id, id);
        request_free(request);
        l->taken++;
        atomic_fetch_add(&l->ended, 1);
    }
}

/* What a tick does. Answers that never end are left to the cancels. */
static void on_tick(uv_timer_t *timer)
{
    struct load *l = timer->data;

    switch (draw(l, 12)) {
    case 0:
        l->cap = 1 + (unsigned)draw(l, CAP_MOST);
        break;
    case 1:
        fetch_drop_idle(l->fetch);
        break;
    case 2:
        l->refills = false; /* else these would be cancelled as well */
        fetch_cancel_all(l->fetch);
        l->refills = true;
        l->cancels++;
        break;
    case 3:
    case 4:
        take_one(l);
        break;
    default:
        look(l);
        break;
    }
    fill(l);
    if (!l->left) {
        uv_stop(&l->loop);
    }
}

static const struct fetch_endpoint plain = { .method = "GET" };

static struct fetch_options options_of(struct load *l, unsigned threads)
{
    return (struct fetch_options){ .loop = &l->loop,
                                   .threads = threads,
                                   .clock = clock_system(),
                                   .endpoints = &plain,
                                   .endpoint_count = 1,
                                   .connect_timeout_us = PATIENCE_US,
                                   .total_timeout_us = PATIENCE_US,
                                   .body_max_bytes = BODY_MAX,
                                   .memory_bytes = 64U << 20,
                                   .cookies = FETCH_COOKIES_UNLESS_GIVEN,
                                   .on_cookie = on_cookie,
                                   .on_sending = on_sending,
                                   .on_response = on_response,
                                   .context = l };
}

/* But for its fetch. */
static void load_prepare(struct load *l, unsigned threads, unsigned count)
{
    memset(l, 0, sizeof *l);
    l->random = threads;
    l->cap = CAP_MOST;
    l->left = count;
    l->refills = true;
    l->caller = uv_thread_self();
    assert_int_equal(uv_mutex_init(&l->mutex), 0);
    assert_int_equal(uv_loop_init(&l->loop), 0);
    uv_timer_init(&l->loop, &l->tick);
    l->tick.data = l;
    l->server = server_start(play_load, l);
}

static void load_begin(struct load *l, unsigned threads, unsigned count)
{
    struct fetch_options options;

    load_prepare(l, threads, count);
    options = options_of(l, threads);
    assert_int_equal(fetch_new(&l->fetch, &options, NULL), RESULT_OK);
}

static void on_closed(void *context)
{
    ((struct load *)context)->closed = true;
}

/* With what is in flight cancelled. */
static void load_end(struct load *l)
{
    l->refills = false;
    fetch_cancel_all(l->fetch);
    assert_int_equal(fetch_in_flight(l->fetch), 0);
    assert_int_equal(l->came + l->taken, l->started);
    uv_close((uv_handle_t *)&l->tick, NULL);
    fetch_close(l->fetch, on_closed);
    while (uv_run(&l->loop, UV_RUN_DEFAULT)) { /* an uv_stop may be left over */
    }
    assert_true(l->closed);
    assert_int_equal(uv_loop_close(&l->loop), 0);
    server_stop(l->server);
    uv_mutex_destroy(&l->mutex);
}

static void load__comes_back_once_each__and_never_passes_the_cap(void **state)
{
    static const unsigned threads[] = { 1, 2, 3, 7 };

    (void)state;
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
        struct load l;

        load_begin(&l, threads[i], 1500);
        assert_int_equal(fetch_threads_of(l.fetch), threads[i] > 1 ? threads[i] : 0);
        fill(&l);
        uv_timer_start(&l.tick, on_tick, TICK_MS, TICK_MS);
        uv_run(&l.loop, UV_RUN_DEFAULT);
        assert_int_equal(l.left, 0);
        assert_int_equal(l.started, 1500);
        print_message("%u threads: %u came, %u taken, %u cancels, %u at a time at most\n",
                      threads[i], l.came, l.taken, l.cancels, atomic_load(&l.most));
        assert_in_range(atomic_load(&l.most), 2, CAP_MOST);
        assert_true(l.cookies > 0);
        load_end(&l);
    }
}

/* Before anything has begun, and again at once. */
static void close__is_well__whatever_is_under_way(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        struct load l;

        load_begin(&l, 3, CAP_MOST);
        if (i > 2) {
            fill(&l);
        }
        for (unsigned turn = 0; turn < i / 2; turn++) {
            uv_run(&l.loop, UV_RUN_NOWAIT);
        }
        load_end(&l);
    }
}

static void wait_for_all(struct load *l, unsigned came)
{
    while (l->came < came) {
        uv_run(&l->loop, UV_RUN_ONCE);
    }
}

static void start_some(struct load *l, unsigned count, const char *path)
{
    for (unsigned i = 0; i < count; i++) {
        struct request *request =
            request_new(++l->last_id, GET, STR("key"), str_view(server_url(l->server, path)));

        assert_int_equal(fetch_start(l->fetch, request, NULL), RESULT_OK);
        l->started++;
    }
    fetch_kick(l->fetch);
}

static void host__keeps_to_one_thread__until_that_has_too_many(void **state)
{
    struct load l;

    (void)state;
    load_begin(&l, 3, 0);
    start_some(&l, FETCH_SPREAD, "/2");
    wait_for_all(&l, FETCH_SPREAD);
    assert_int_equal(l.sender_count, 1);
    assert_in_range(server_connections(l.server), 1, FETCH_SPREAD);
    start_some(&l, 4 * FETCH_SPREAD, "/2");
    wait_for_all(&l, 5 * FETCH_SPREAD);
    assert_int_equal(l.sender_count, 3);
    assert_int_equal(l.sendings, 5 * FETCH_SPREAD);
    load_end(&l);
}

static void cookie__of_one_thread__is_sent_by_all(void **state)
{
    const unsigned more = 4 * FETCH_SPREAD;
    struct load l;

    (void)state;
    load_begin(&l, 3, 0);
    start_some(&l, 1, "/1");
    wait_for_all(&l, 1);
    assert_int_equal(l.cookies, 1);
    start_some(&l, more, "/2");
    wait_for_all(&l, 1 + more);
    for (unsigned i = 1; i < 1 + more; i++) {
        assert_non_null(strstr(server_asked_at(l.server, i).head, "Cookie: a=1"));
    }
    load_end(&l);
}

/* Until it is kicked off the caller has it still. */
static void request__may_be_changed_and_taken__before_the_kick(void **state)
{
    struct load l;
    struct request *request;

    (void)state;
    load_begin(&l, 3, 0);
    request = request_new(7, GET, STR("key"), str_view(server_url(l.server, "/0")));
    assert_int_equal(fetch_start(l.fetch, request, NULL), RESULT_OK);
    request->since_us = 1;
    assert_ptr_equal(fetch_take_unsent(l.fetch, 7), request);
    assert_null(fetch_take(l.fetch, 7));
    request_free(request);
    assert_int_equal(server_count(l.server), 0);
    load_end(&l);
}

static void unsent__are_those_of_which_nothing_was_sent(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 2; threads++) {
        size_t all = 0, before = 0, after = 0;
        struct request *request;
        struct load l;

        load_begin(&l, threads, 0);
        request = request_new(7, GET, STR("key"), str_view(server_url(l.server, "/5")));
        assert_int_equal(fetch_start(l.fetch, request, NULL), RESULT_OK);
        fetch_each_unsent(l.fetch, count_row, &before);
        fetch_kick(l.fetch);
        while (!atomic_load(&l.asked)) {
            uv_run(&l.loop, UV_RUN_NOWAIT);
        }
        fetch_each_unsent(l.fetch, count_row, &after);
        fetch_each(l.fetch, count_row, &all);
        assert_int_equal(before, 1);
        assert_int_equal(after, 0);
        assert_int_equal(all, 1);
        assert_ptr_equal(fetch_take(l.fetch, 7), request);
        request_free(request);
        load_end(&l);
    }
}

static void sent__is_not_taken_as_unsent(void **state)
{
    struct load l;
    struct request *request;

    (void)state;
    load_begin(&l, 2, 0);
    start_some(&l, 1, "/5");
    while (!atomic_load(&l.asked)) {
        uv_run(&l.loop, UV_RUN_NOWAIT);
    }
    assert_null(fetch_take_unsent(l.fetch, 1));
    request = fetch_take(l.fetch, 1);
    assert_non_null(request);
    request_free(request);
    l.taken = 1;
    assert_true(fetch_cpu_s(l.fetch, 0) + fetch_cpu_s(l.fetch, 1) > 0);
    load_end(&l);
}

/* So many loops find no descriptors, but one does. */
static enum result new_with_few_descriptors(struct load *l, bool needs_threads)
{
    struct fetch_options options = options_of(l, FETCH_THREADS_MAX);
    struct rlimit before, few;
    enum result result;
    struct err err;

    options.needs_threads = needs_threads;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = FEW_DESCRIPTORS;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    result = fetch_new(&l->fetch, &options, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    return result;
}

static void loop__fetches__when_threads_that_nobody_asked_for_are_not_to_be_had(void **state)
{
    struct load l;

    (void)state;
    load_prepare(&l, FETCH_THREADS_MAX, 0);
    assert_int_not_equal(new_with_few_descriptors(&l, true), RESULT_OK);
    assert_int_equal(new_with_few_descriptors(&l, false), RESULT_OK);
    assert_int_equal(fetch_threads_of(l.fetch), 0);
    start_some(&l, 2 * FETCH_SPREAD, "/2");
    wait_for_all(&l, 2 * FETCH_SPREAD);
    load_end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load__comes_back_once_each__and_never_passes_the_cap),
        cmocka_unit_test(close__is_well__whatever_is_under_way),
        cmocka_unit_test(host__keeps_to_one_thread__until_that_has_too_many),
        cmocka_unit_test(cookie__of_one_thread__is_sent_by_all),
        cmocka_unit_test(request__may_be_changed_and_taken__before_the_kick),
        cmocka_unit_test(unsent__are_those_of_which_nothing_was_sent),
        cmocka_unit_test(sent__is_not_taken_as_unsent),
        cmocka_unit_test(loop__fetches__when_threads_that_nobody_asked_for_are_not_to_be_had),
    };
    int failed;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
