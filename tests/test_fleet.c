#include "fleet/budget.h"
#include "fleet/client.h"
#include "fleet/fleet_ask.h"
#include "fleet/turn.h"

#include "base/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* --- the place ------------------------------------------------------------------------------------- */

static void place__takes_its_forms(void **state)
{
    struct fleet_place p;

    (void)state;
    assert_int_equal(fleet_place_parse(STR("redis://10.0.0.5/catalog"), &p, NULL), RESULT_OK);
    assert_string_equal(p.host, "10.0.0.5");
    assert_int_equal(p.port, 6379);
    assert_string_equal(p.job, "catalog");
    assert_int_equal(p.lease_ms, 15000);
    assert_string_equal(p.socket, "");
    assert_int_equal(fleet_place_parse(STR("redis://me@[::1]:7000/a.b-c?db=2&lease=30s"), &p, NULL),
                     RESULT_OK);
    assert_string_equal(p.host, "::1");
    assert_string_equal(p.user, "me");
    assert_int_equal(p.port, 7000);
    assert_int_equal(p.database, 2);
    assert_int_equal(p.lease_ms, 30000);
    assert_int_equal(fleet_place_parse(STR("unix:///run/r.sock#j?lease=1s"), &p, NULL), RESULT_OK);
    assert_string_equal(p.socket, "/run/r.sock");
    assert_string_equal(p.job, "j");
    assert_int_equal(p.lease_ms, 1000);
}

static void place__refuses_the_rest(void **state)
{
    static const char *const bad[] = {
        "",
        "redis",
        "redis://",
        "redis://h",
        "redis://h/",
        "redis:///j",
        "redis://h:0/j",
        "redis://h:65536/j",
        "redis://h:6379x/j",
        "redis://[::1/j",
        "redis://[::1]x/j",
        "redis://:secret@h/j",
        "redis://u:secret@h/j",
        "redis://@h/j",
        "redis://h/a b",
        "redis://h/{a}",
        "redis://h/j?db",
        "redis://h/j?db=-1",
        "redis://h/j?lease=999ms",
        "redis://h/j?lease=11m",
        "redis://h/j?color=red",
        "redis://h/j?cacert=/ca.pem",
        "rediss://h/j?cacert=ca.pem",
        "rediss://h/j?key=",
        "rediss://u:secret@h/j",
        "unix://",
        "unix://r.sock#j",
        "unix:///r.sock",
        "unix:///r.sock#",
        "unix:///r.sock#a/b",
        "redis://h/0123456789012345678901234567890123456789012345678901234567890123456",
        "http://h/j",
    };
    struct fleet_place p;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (fleet_place_parse(str_view(bad[i]), &p, &err) != RESULT_INVALID) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
        assert_string_equal(err.code, "E-FLEET1");
        assert_null(strstr(err.text, "secret"));
    }
}

static void place__by_tls__may_name_files(void **state)
{
    struct fleet_place p;

    (void)state;
    assert_int_equal(
        fleet_place_parse(STR("rediss://me@h:7000/j?cacert=/a/ca.pem&cert=/c&key=/k"), &p, NULL),
        RESULT_OK);
    assert_true(p.is_tls);
    assert_int_equal(p.port, 7000);
    assert_string_equal(p.ca_file, "/a/ca.pem");
    assert_string_equal(p.cert_file, "/c");
    assert_string_equal(p.key_file, "/k");
    assert_int_equal(fleet_place_parse_server(STR("rediss://h"), &p, NULL), RESULT_OK);
    assert_true(p.is_tls && !p.job[0] && !p.ca_file[0]);
}

static void place__of_a_server__needs_no_job(void **state)
{
    struct fleet_place p;

    (void)state;
    assert_int_equal(fleet_place_parse_server(STR("redis://10.0.0.5"), &p, NULL), RESULT_OK);
    assert_string_equal(p.host, "10.0.0.5");
    assert_string_equal(p.job, "");
    assert_int_equal(fleet_place_parse_server(STR("redis://[::1]:7000/"), &p, NULL), RESULT_OK);
    assert_int_equal(p.port, 7000);
    assert_string_equal(p.job, "");
    assert_int_equal(fleet_place_parse_server(STR("unix:///run/r.sock"), &p, NULL), RESULT_OK);
    assert_string_equal(p.socket, "/run/r.sock");
    assert_int_equal(fleet_place_parse_server(STR("redis://h/catalog?db=2"), &p, NULL), RESULT_OK);
    assert_string_equal(p.job, "catalog");
    assert_int_equal(p.database, 2);
    for (size_t i = 0; i < 5; i++) {
        static const char *const bad[] = { "", "redis://", "unix://", "redis://:pw@h", "http://h" };

        assert_int_equal(fleet_place_parse_server(str_view(bad[i]), &p, NULL), RESULT_INVALID);
    }
    assert_true(fleet_place_is_meant(STR("rediss://h/j")));
    assert_false(fleet_place_is_meant(STR("host:/srv/redis.run")));
}

static void rate__of_fewer_than_thousandths__is_told_by_its_time(void **state)
{
    static const struct {
        struct rate rate, told;
    } rates[] = {
        { { 0, 0 }, { 0, 0 } },
        { { 2.5, 1000000 }, { 2.5, 1000000 } },
        { { 0.0002, 1000000 }, { 1, 5000000000 } },
        { { 0.05, 10000 }, { 1, 200000 } },
        { { 1e-9, 3600000000 }, { 1, 1000000000000 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct rate told = fleet_rate_told(rates[i].rate);

        assert_true(told.requests == rates[i].told.requests);
        assert_int_equal(told.per_us, rates[i].told.per_us);
    }
}

/* --- a turn ------------------------------------------------------------------------------------------- */

static void turn__is_json_that_counts_from_0(void **state)
{
    static const uint64_t settled[] = { 1, 8, 9, 10, 1000000000 };
    static const struct fleet_entry ended[] = { { "1-0" } }, keep[] = { { "2-0" }, { "3-1" } };
    static const struct fleet_hold holds[] = { { "http://h:80", 1500000 } };
    static const struct fleet_learned learned[] = { { "http://h:80", 2, 12500, 0, 7, true,
                                                      false } };
    const struct fleet_tell tell = {
        .in_flight = 3,
        .wants = true,
        .outbox = 12,
        .seeds = 64,
        .starts = 20,
        .settled = settled,
        .settled_count = 5,
        .ended = ended,
        .ended_count = 1,
        .keep = keep,
        .keep_count = 2,
        .holds = holds,
        .hold_count = 1,
        .learned = learned,
        .learned_count = 1,
        .said = { .pid = 41, .ok = 9, .failed = 1, .waiting = 2, .milli_per_s = 12500 },
        .has_said = true
    };
    const struct fleet_self self = { "w\"1", "h:/r", "tok", "ep:1" };
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(fleet_turn_write(&tell, &self, true, &out), RESULT_OK);
    assert_true(json_check(buf_view(&out), 8, NULL));
    assert_int_equal(buf_append_char(&out, '\0'), RESULT_OK);
    assert_string_equal(
        out.data,
        "{\"name\":\"w\\\"1\",\"token\":\"tok\",\"epoch\":\"ep:1\",\"in_flight\":3,\"want\":1,"
        "\"outbox\":12,\"seeds\":64,\"starts\":20,\"fresh\":true,\"settled\":[0,0,7,9,999999999,"
        "999999999],"
        "\"ended\":[\"1-0\"],\"begins\":\"\",\"calm\":[],\"keep\":[\"2-0\",\"3-1\"],\"holds\":[["
        "\"http://h:80\",1500000]],\"learned\":[[\"http://h:80\",2,12500,0,7,1,0]],"
        "\"said\":{\"who\":\"h:/r\",\"pid\":41,\"in_flight\":3,\"ok\":9,\"failed\":1,\"waiting\":2,"
        "\"per_s\":12500,\"left\":false},\"leaves\":false}");
    buf_release(&out);
}

#define REPLY                                                                                      \
    "{\"r\":\"OK\",\"state\":\"open\",\"slots\":5,\"live\":2,\"lost\":[\"9-0\"],"                  \
    "\"holds\":[[\"https://a\",2000]],\"grant\":[4,1000,250],\"wanting\":2,"                       \
    "\"learned\":[[\"https://a x\",1500,3,40,1,2]],"                                               \
    "\"leases\":[[\"1-0\",[[0,7],[9,9]],0,1,0],"                                                   \
    "[\"2-0\",{},0,4,3],[\"3-0\",{},3,1,0],[\"4-0\",{},1,1,0]],\"begun\":\"2-0\","                 \
    "\"over\":false,\"waits\":\"w2\"}\na\nb\""

static void news__say_what_the_reply_says(void **state)
{
    struct fleet_news news;
    enum fleet_answer answer;

    (void)state;
    assert_int_equal(fleet_answer_read(STR(REPLY), &answer, NULL), RESULT_OK);
    assert_int_equal(answer, FLEET_OK);
    assert_int_equal(fleet_news_read(STR(REPLY), 10, &news, NULL), RESULT_OK);
    assert_true(news.is_open && !news.is_over);
    assert_int_equal(news.slots, 5);
    assert_int_equal(news.live, 2);
    assert_int_equal(news.lost_count, 1);
    assert_string_equal(news.lost[0].name, "9-0");
    assert_string_equal(news.holds[0].origin, "https://a");
    assert_int_equal(news.holds[0].left_us, 2000);
    assert_int_equal(news.grant.count, 4);
    assert_int_equal(news.wanting, 2);
    assert_int_equal(news.learned_count, 1);
    assert_string_equal(news.learned[0].key, "https://a x");
    assert_int_equal(news.learned[0].milli_per_s, 1500);
    assert_int_equal(news.learned[0].at_once, 3);
    assert_int_equal(news.learned[0].hold_us, 40);
    assert_true(news.learned[0].leads);
    assert_int_equal(news.learned[0].refused, 2);
    assert_string_equal(news.leases->entry.name, "1-0");
    assert_int_equal(news.leases->range_count, 2);
    assert_int_equal(news.leases->ranges[0].first, 1);
    assert_int_equal(news.leases->ranges[0].last, 8);
    assert_int_equal(news.leases->ranges[1].first, 10);
    assert_int_equal(news.leases->next->range_count, 0);
    assert_int_equal(news.leases->next->times, 4);
    assert_int_equal(news.leases->next->deaths, 3);
    assert_null(news.leases->next->found);
    assert_string_equal(news.leases->next->next->found, "a\nb");
    assert_string_equal(news.leases->next->next->next->found, "\"");
    assert_null(news.leases->next->next->next->next);
    assert_string_equal(news.begun.name, "2-0");
    assert_string_equal(news.waits_for, "w2");
    fleet_news_release(&news);
}

/* A Redis that is none, or another's keys: whatever comes, a lease never leaves the plan. */
static void news__are_refused__when_they_are_out_of_bounds(void **state)
{
    static const char *const bad[] = {
        "{\"r\":\"OK\"}",
        "{\"r\":\"OK\",\"grant\":[1,2]}",
        "{\"r\":\"OK\",\"grant\":[1,2,-3]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"leases\":[[\"1-0\",[[0,10]],0,1,0]]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"leases\":[[\"1-0\",[[5,4]],0,1,0]]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"leases\":[[\"1-0\",[[4,5],[5,6]],0,1,0]]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"leases\":[[\"1-0\",[[1.5,2]],0,1,0]]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"leases\":[[\"1-0\"]]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"leases\":[[1,[[0,1]],0,1,0]]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"leases\":[[\"a-name-that-is-longer-than-any-name-of-an-"
        "entry-"
        "can-be\",[]]]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"leases\":[[\"1-0\",{},3,1,0]]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"leases\":[[\"1-0\",{},3,1,0]]}\nab",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"leases\":[[\"1-0\",{},\"ab\",1,0]]}\nab",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"lost\":[7]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"holds\":[[\"h\",-1]]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"holds\":[[\"h\\u0000\",1]]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"learned\":[[\"h\",1,2,3,1]]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"learned\":[[\"h\",1,2,-3,1,0]]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"learned\":[[7,1,2,3,1,0]]}",
        "{\"r\":\"OK\",\"grant\":[0,0,0],\"learned\":[1]}",
    };
    static const char *const none[] = { "", "x", "[]", "7", "{}", "{\"r\":\"NO\"}", "{\"r\":1}" };
    struct fleet_news news;
    enum fleet_answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (fleet_news_read(str_view(bad[i]), 10, &news, NULL) != RESULT_CORRUPT) {
            fail_msg("taken: %s", bad[i]);
        }
        assert_null(news.leases);
    }
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_int_equal(fleet_answer_read(str_view(none[i]), &answer, NULL), RESULT_CORRUPT);
    }
}

/* The loop looks at each request of a lease: a lease of all the plan would stop it. */
static void news__are_refused__when_a_lease_is_larger_than_any_that_is_asked_for(void **state)
{
    static const char most[] = "{\"grant\":[0,0,0],\"leases\":[[\"1-0\",[[0,511],[1000,1511]],0,1,"
                               "0]],\"lost\":[],\"holds\":[]}";
    static const char more[] = "{\"grant\":[0,0,0],\"leases\":[[\"1-0\",[[0,511],[1000,1512]],0,1,"
                               "0]],\"lost\":[],\"holds\":[]}";
    static const char all[] =
        "{\"grant\":[0,0,0],\"leases\":[[\"1-0\",[[0,999999999]],0,1,0]],\"lost\":[],\"holds\":[]}";
    struct fleet_news news;

    (void)state;
    assert_int_equal(fleet_news_read(str_view(most), 1000000000, &news, NULL), RESULT_OK);
    fleet_news_release(&news);
    assert_int_equal(fleet_news_read(str_view(more), 1000000000, &news, NULL), RESULT_CORRUPT);
    assert_int_equal(fleet_news_read(str_view(all), 1000000000, &news, NULL), RESULT_CORRUPT);
}

/* Each byte of a reply replaced in turn: what is taken is within bounds. */
static void news__stay_within_the_plan__whatever_byte_is_another(void **state)
{
    static const char bytes[] = "0919-\"[]{},:ax\\\x01\xff";
    char reply[] = REPLY;

    (void)state;
    for (size_t at = 0; at + 1 < sizeof reply; at++) {
        char before = reply[at];

        for (size_t i = 0; i + 1 < sizeof bytes; i++) {
            struct str text = { reply, sizeof reply - 1 };
            struct fleet_news news;
            enum fleet_answer answer;

            reply[at] = bytes[i];
            if (fleet_answer_read(text, &answer, NULL) != RESULT_OK ||
                fleet_news_read(text, 10, &news, NULL) != RESULT_OK) {
                continue;
            }
            for (const struct fleet_lease *l = news.leases; l; l = l->next) {
                for (size_t n = 0; n < l->range_count; n++) {
                    assert_in_range(l->ranges[n].first, 1, 10);
                    assert_in_range(l->ranges[n].last, l->ranges[n].first, 10);
                }
            }
            fleet_news_release(&news);
        }
        reply[at] = before;
    }
}

/* --- budgets ----------------------------------------------------------------------------------------- */

static void budget__is_json_whose_ends_count_from_now(void **state)
{
    static const struct fleet_quota told[] = {
        { .key = "http://h:80 core",
          .kind = FLEET_QUOTA_WINDOW,
          .left = 7,
          .seen = 9,
          .spare = 2,
          .busy = 5,
          .limit = 100,
          .reset_us = 5000,
          .window_us = 60000000,
          .gives_all = true,
          .put_us = 1000 },
        { .key = "http://b", .kind = FLEET_QUOTA_BUCKET, .reset_us = 10, .refill_per_s = 2.5 },
    };
    static const struct fleet_starts asks[] = { { "http://h:80 core", 20 } };
    const struct fleet_budget_tell tell = {
        .told = told, .told_count = 2, .asks = asks, .ask_count = 1, .work = 12, .known = 3
    };
    const struct fleet_self self = { "w1", "h:/r", "tok", "ep:1" };
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(fleet_budget_write(&tell, &self, 3000, &out), RESULT_OK);
    assert_int_equal(buf_append_char(&out, '\0'), RESULT_OK);
    assert_string_equal(
        out.data,
        "{\"name\":\"w1\",\"token\":\"tok\",\"epoch\":\"ep:1\",\"work\":12,\"known\":3,\"told\":["
        "{\"key\":\"http://h:80 "
        "core\",\"kind\":\"window\",\"left\":7,\"seen\":9,\"limit\":100,\"age\":2000,"
        "\"reset\":3000,\"window\":60000000,\"grain\":0,\"spare\":2,\"busy\":5,\"refill\":0,"
        "\"all\":true,\"steady\":false,\"refused\":"
        "false},"
        "{\"key\":\"http://"
        "b\",\"kind\":\"bucket\",\"left\":0,\"seen\":0,\"limit\":0,\"age\":3000,\"reset\":0,"
        "\"window\":0,\"grain\":0,\"spare\":0,\"busy\":0,\"refill\":2500000,\"all\":false,"
        "\"steady\":false,\"refused\":false}],"
        "\"back\":[],"
        "\"asks\":[[\"http://h:80 core\",20]]}");
    buf_release(&out);
}

#define BUDGET_REPLY                                                                               \
    "{\"r\":\"OK\",\"count\":2,\"known\":[\"http://a\",\"http://b\"],\"apart\":[\"http://b\"],"    \
    "\"grants\":[[\"http://a\",4,1000,250,0,1],[\"http://c\",0,0,0,9000,0]]}"

static void budget_news__say_what_the_reply_says(void **state)
{
    struct fleet_budget_news news;

    (void)state;
    assert_int_equal(fleet_budget_read(STR(BUDGET_REPLY), &news, NULL), RESULT_OK);
    assert_int_equal(news.grant_count, 2);
    assert_string_equal(news.grants[0].key, "http://a");
    assert_int_equal(news.grants[0].count, 4);
    assert_int_equal(news.grants[0].first_us, 1000);
    assert_int_equal(news.grants[0].spacing_us, 250);
    assert_true(news.grants[0].is_known && !news.grants[1].is_known);
    assert_int_equal(news.grants[1].wait_us, 9000);
    assert_true(news.has_known);
    assert_int_equal(news.known_count, 2);
    assert_string_equal(news.known[1].text, "http://b");
    assert_string_equal(news.apart, "http://b");
    fleet_budget_news_release(&news);
    assert_int_equal(
        fleet_budget_read(STR("{\"count\":2,\"known\":{},\"grants\":{}}"), &news, NULL), RESULT_OK);
    assert_true(!news.has_known && !news.grant_count && !news.apart[0]);
    fleet_budget_news_release(&news);
}

static void budget_news__are_refused__when_they_are_out_of_bounds(void **state)
{
    static const char *const bad[] = {
        "{\"grants\":[[\"a\",1025,0,0,0,1]]}",
        "{\"grants\":[[\"a\",1,0,9007199254740992,0,1]]}",
        "{\"grants\":[[\"a\",1,-1,0,0,1]]}",
        "{\"grants\":[[\"a\",1,0,0,0]]}",
        "{\"grants\":[[\"a\",1,0,0,0,1,1]]}",
        "{\"grants\":[[7,1,0,0,0,1]]}",
        "{\"grants\":[7]}",
        "{\"known\":[7]}",
    };
    struct fleet_budget_news news;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (fleet_budget_read(str_view(bad[i]), &news, NULL) != RESULT_CORRUPT) {
            fail_msg("taken: %s", bad[i]);
        }
        assert_null(news.grants);
    }
}

/* --- names ------------------------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_let_go;
    unsigned begun, ended;
} names = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

/* In the place of libc's: hangs until it is let go, as one does whose name servers do not answer. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    (void)node;
    (void)service;
    (void)hints;
    *found = NULL;
    pthread_mutex_lock(&names.lock);
    names.begun++;
    pthread_cond_signal(&names.changed);
    while (!names.is_let_go) {
        pthread_cond_wait(&names.changed, &names.lock);
    }
    names.ended++;
    pthread_mutex_unlock(&names.lock);
    return EAI_AGAIN;
}

static bool has_begun(void *context)
{
    bool has;

    (void)context;
    pthread_mutex_lock(&names.lock);
    has = names.begun > 0;
    pthread_mutex_unlock(&names.lock);
    return has;
}

static void client__leaves_a_name_that_hangs__when_it_is_to_stop(void **state)
{
    struct fleet_place place;
    struct fleet_client *client;
    struct buf reply = { 0 };
    struct err err;

    (void)state;
    if (!fleet_client_is_built()) {
        skip();
    }
    assert_int_equal(fleet_place_parse(STR("redis://hangs.test/j"), &place, NULL), RESULT_OK);
    client = fleet_client_new(&place);
    fleet_client_let_stop(client, has_begun, NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fleet_client_call(client, FLEET_LOOK, NULL, 0, &reply, &err), RESULT_BUSY);
        assert_non_null(strstr(err.text, "takes too long to look up"));
    }
    pthread_mutex_lock(&names.lock);
    assert_int_equal(names.begun, 1); /* one, however often it is tried */
    assert_int_equal(names.ended, 0);
    names.is_let_go = true;
    pthread_cond_signal(&names.changed);
    pthread_mutex_unlock(&names.lock);
    do {
        assert_int_equal(fleet_client_call(client, FLEET_LOOK, NULL, 0, &reply, &err), RESULT_BUSY);
    } while (strstr(err.text, "takes too long"));
    assert_string_equal(err.text, gai_strerror(EAI_AGAIN));
    fleet_client_free(client);
    buf_release(&reply);
}

/* --- an overview ----------------------------------------------------------------------------------- */

#define OVERVIEW                                                                                   \
    "{\"r\":\"OK\",\"total\":100,\"done\":61,\"open\":true,\"over\":false,\"cap\":40,"             \
    "\"rate_m\":2500,\"rate_us\":1000000,\"paused\":true,\"ver\":7,\"waits\":\"b\",\"live\":1,"    \
    "\"count\":2,\"workers\":[{\"name\":\"a\",\"who\":\"h:/r\",\"live\":true,\"heard\":120,"       \
    "\"pid\":41,\"ok\":9,\"failed\":1,\"waiting\":2,\"in_flight\":3,\"per_s\":12500,\"leases\":2," \
    "\"outbox\":4},{\"name\":\"b\",\"live\":false,\"in_flight\":3,\"per_s\":1,\"heard\":99000}]}"

static void overview__says_what_the_reply_says(void **state)
{
    struct fleet_overview o;

    (void)state;
    assert_int_equal(fleet_overview_read(STR(OVERVIEW), &o, NULL), RESULT_OK);
    assert_int_equal(o.total, 100);
    assert_int_equal(o.done, 61);
    assert_true(o.is_open && !o.is_over && o.settings.is_paused);
    assert_int_equal(o.settings.cap, 40);
    assert_float_equal(o.settings.rate.requests, 2.5, 1e-9);
    assert_int_equal(o.settings.version, 7);
    assert_string_equal(o.waits_for, "b");
    assert_int_equal(o.worker_count, 2);
    assert_string_equal(o.workers[0].who, "h:/r");
    assert_int_equal(o.workers[0].said.milli_per_s, 12500);
    assert_int_equal(o.workers[0].outbox, 4);
    assert_int_equal(o.workers[1].in_flight, 0); /* a dead one has none */
    assert_int_equal(o.workers[1].said.milli_per_s, 0);
    fleet_overview_release(&o);
    assert_int_equal(fleet_overview_read(STR("{\"workers\":{}}"), &o, NULL), RESULT_OK);
    assert_int_equal(o.worker_count, 0);
    fleet_overview_release(&o);
}

static void overview__survives__whatever_byte_is_another(void **state)
{
    static const char bytes[] = "09-\"[]{},:x\\\x01\xff";
    char reply[] = OVERVIEW;

    (void)state;
    for (size_t at = 0; at + 1 < sizeof reply; at++) {
        char before = reply[at];

        for (size_t i = 0; i + 1 < sizeof bytes; i++) {
            struct str text = { reply, sizeof reply - 1 };
            struct fleet_overview o;
            enum fleet_answer answer;

            reply[at] = bytes[i];
            if (fleet_answer_read(text, &answer, NULL) == RESULT_OK &&
                fleet_overview_read(text, &o, NULL) == RESULT_OK) {
                assert_in_range(o.worker_count, 0, 2);
                fleet_overview_release(&o);
            }
        }
        reply[at] = before;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place__takes_its_forms),
        cmocka_unit_test(place__refuses_the_rest),
        cmocka_unit_test(place__by_tls__may_name_files),
        cmocka_unit_test(place__of_a_server__needs_no_job),
        cmocka_unit_test(rate__of_fewer_than_thousandths__is_told_by_its_time),
        cmocka_unit_test(client__leaves_a_name_that_hangs__when_it_is_to_stop),
        cmocka_unit_test(overview__says_what_the_reply_says),
        cmocka_unit_test(overview__survives__whatever_byte_is_another),
        cmocka_unit_test(turn__is_json_that_counts_from_0),
        cmocka_unit_test(news__say_what_the_reply_says),
        cmocka_unit_test(budget__is_json_whose_ends_count_from_now),
        cmocka_unit_test(budget_news__say_what_the_reply_says),
        cmocka_unit_test(budget_news__are_refused__when_they_are_out_of_bounds),
        cmocka_unit_test(news__are_refused__when_they_are_out_of_bounds),
        cmocka_unit_test(news__are_refused__when_a_lease_is_larger_than_any_that_is_asked_for),
        cmocka_unit_test(news__stay_within_the_plan__whatever_byte_is_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
