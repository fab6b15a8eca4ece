#include "plan/quota.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define NOW_S INT64_C(1795234500) /* Sat, 21 Nov 2026 04:15:00 GMT */
#define NOW_US (NOW_S * 1000000)
#define DATE "date", "Sat, 21 Nov 2026 04:15:00 GMT"
#define ABSENT UINT64_MAX
#define FIELDS_MAX 8

struct sample {
    const char *fields[2 * FIELDS_MAX + 1]; /* name, value, ... */
    uint64_t left, reset_us, limit, concurrent;
};

static struct quota read_fields(const char *const *texts)
{
    struct quota_field fields[FIELDS_MAX];
    struct quota quota;
    size_t count = 0;

    for (; texts[2 * count]; count++) {
        fields[count] =
            (struct quota_field){ str_view(texts[2 * count]), str_view(texts[2 * count + 1]) };
    }
    quota_read(fields, count, NOW_US, &quota);
    return quota;
}

static void check(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct quota q = read_fields(samples[i].fields);
        struct sample got = { .left = q.has_left ? q.left : ABSENT,
                              .reset_us = q.has_reset || q.window_us ? quota_wait_us(&q) : ABSENT,
                              .limit = q.limit,
                              .concurrent = q.concurrent };

        if (got.left != samples[i].left || got.reset_us != samples[i].reset_us ||
            got.limit != samples[i].limit || got.concurrent != samples[i].concurrent) {
            fail_msg("%s: %s: left %llu, reset %llu, limit %llu, concurrent %llu",
                     samples[i].fields[0], samples[i].fields[1], (unsigned long long)got.left,
                     (unsigned long long)got.reset_us, (unsigned long long)got.limit,
                     (unsigned long long)got.concurrent);
        }
    }
}

#define CHECK(samples) check(samples, sizeof(samples) / sizeof(samples)[0])
#define S US_PER_S

static void structured__is_read_in_every_draft(void **state)
{
    static const struct sample samples[] = {
        { { "ratelimit", "\"default\";r=50;t=30" }, 50, 30 * S, 0, 0 },
        { { "RateLimit", " \"default\" ; r=50", "ratelimit", "\"x\";r=7;t=2" }, 7, 2 * S, 0, 0 },
        { { "ratelimit", "\"default\";r=50;t=30", "ratelimit-policy", "\"default\";q=100;w=60" },
          50,
          30 * S,
          100,
          0 },
        { { "ratelimit", "\"default\";r=50", "ratelimit-policy", "\"default\";q=100;w=60" },
          50,
          60 * S,
          100,
          0 },
        { { "ratelimit", "limit=100, remaining=50, reset=30" }, 50, 30 * S, 100, 0 },
        { { "ratelimit", "remaining=0,reset=5" }, 0, 5 * S, 0, 0 },
        { { "ratelimit", "\"a\";r=5;t=1;pk=:YWJj:;flag;x=?0;y=tok/en" }, 5, 1 * S, 0, 0 },
        { { "ratelimit", "default;r=5.0;t=1" }, 5, 1 * S, 0, 0 },
        { { "ratelimit", "" }, ABSENT, ABSENT, 0, 0 },
    };

    (void)state;
    CHECK(samples);
}

static void structured__is_ignored_whole__when_any_of_it_is_malformed(void **state)
{
    static const char *const malformed[] = {
        "\"default;r=50;t=30",
        "\"default\";r=50;t=30,",
        "\"default\";r=50;t=",
        "\"default\";r=50;t=30 x",
        "\"d\";r=5;t=1,,\"e\";r=1",
        "\"d\";R=5;t=1",
        "\"d\\x\";r=5;t=1",
        "\"d\x01\";r=5;t=1",
        "\"d\";r=1234567890123456;t=1",
        "\"d\";r=5;t=1.",
        "\"d\";r=5;t=1.2345",
        "\"d\";r=5;t=?2",
        "\"d\";r=5;t=:YW",
        "(\"d\" \"e\");r=5;t=1",
        ";r=5;t=1",
        "remaining=5, reset",
        "remaining=5, =3",
        "-",
        "\"d\";r=5;t=1\x1b]0;x\x07",
        "\xff\xfe",
        "\"d\";r=5;t=--1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        const char *fields[] = { "ratelimit", malformed[i], NULL };
        struct quota q = read_fields(fields);

        /* "reset" without a value is true, which is no number: what stands beside it is good. */
        if (strcmp(malformed[i], "remaining=5, reset") == 0) {
            assert_true(q.has_left && !q.has_reset);
        } else if (q.has_left || q.concurrent) {
            fail_msg("%s gave %llu", malformed[i], (unsigned long long)q.left);
        }
    }
}

static void structured__is_no_quota__when_its_numbers_make_no_sense(void **state)
{
    static const struct sample samples[] = {
        { { "ratelimit", "\"d\";r=-1;t=30" }, ABSENT, 30 * S, 0, 0 },
        { { "ratelimit", "\"d\";r=\"5\";t=30" }, ABSENT, 30 * S, 0, 0 },
        { { "ratelimit", "\"d\";r=5;t=-30" }, 5, ABSENT, 0, 0 },
        { { "ratelimit", "\"d\";r=5;t=999999999999999" }, 5, QUOTA_RESET_MAX_US, 0, 0 },
        { { "ratelimit", "\"d\";t=30" }, ABSENT, 30 * S, 0, 0 }, /* of a 429 that is enough */
    };

    (void)state;
    CHECK(samples);
}

static void concurrent__is_told_apart_from_counts(void **state)
{
    static const struct sample samples[] = {
        { { "ratelimit-policy", "\"peak\";q=10;qu=\"concurrent-requests\"" },
          ABSENT,
          ABSENT,
          0,
          10 },
        { { "ratelimit-policy",
            "\"p\";q=10;qu=\"concurrent-requests\", "
            "\"s\";q=4;qu=\"concurrent-requests\", \"d\";q=9;w=60",
            "ratelimit", "\"d\";r=3;t=6" },
          3,
          6 * S,
          9,
          4 },
        { { "ratelimit-policy", "\"p\";q=0;qu=\"concurrent-requests\"" }, ABSENT, ABSENT, 0, 0 },
        { { "ratelimit-policy", "\"b\";q=5000;w=60;qu=\"content-bytes\"", "ratelimit",
            "\"b\";r=0;t=50" },
          ABSENT,
          ABSENT,
          0,
          0 },
    };

    (void)state;
    CHECK(samples);
}

static void plain__is_read_in_every_family(void **state)
{
    static const struct sample samples[] = {
        { { "RateLimit-Limit", "100", "RateLimit-Remaining", "50", "RateLimit-Reset", "30" },
          50,
          30 * S,
          100,
          0 },
        { { "ratelimit-limit", "10, 10;w=1, 50;w=60", "ratelimit-remaining", "4", "ratelimit-reset",
            "1" },
          4,
          1 * S,
          10,
          0 },
        { { "x-ratelimit-limit", "60", "x-ratelimit-remaining", "7", "x-ratelimit-reset", "9" },
          7,
          9 * S,
          60,
          0 },
        { { "x-rate-limit-limit", "60", "x-rate-limit-remaining", "7", "x-rate-limit-reset", "9" },
          7,
          9 * S,
          60,
          0 },
        { { "x-ratelimit-limit-minute", "60", "x-ratelimit-remaining-minute", "6" },
          6,
          60 * S,
          60,
          0 },
        { { "x-ratelimit-remaining-requests", "6", "x-ratelimit-remaining-tokens", "0",
            "x-ratelimit-reset-requests", "2" },
          6,
          2 * S,
          0,
          0 },
        { { "x-ratelimit-remaining", "6", "x-ratelimit-reset-after", "1.25", "x-ratelimit-reset",
            "1795234501.250" },
          6,
          1250000,
          0,
          0 },
        { { "x-ratelimit-remaining", "6", "x-ratelimit-reset", "0.5" }, 6, 500000, 0, 0 },
    };

    (void)state;
    CHECK(samples);
}

static void reset__is_told_apart_by_size(void **state)
{
    static const struct {
        const char *text;
        uint64_t reset_us;
    } samples[] = {
        { "0", 0 },
        { "41", 41 * S },
        { "3600", 3600 * S },
        { "1000000000", QUOTA_RESET_MAX_US }, /* 31 years from now */
        { "1795234530", 30 * S },
        { "1795234530.5", 30500000 },
        { "1795234530000", 30 * S },
        { "1795234530000000", 30 * S },
        { "1795234530000000000", 30 * S },
        { "1795234499", 0 }, /* a moment that is past is now, not 57 years */
        { "1395234499", 0 },
        { "1695234530000", 0 },
        { "1695234530000000000", 0 },
        { "99999999999", QUOTA_RESET_MAX_US },
        { "18446744073709551615", QUOTA_RESET_MAX_US },
        { "Sat, 21 Nov 2026 04:15:30 GMT", 30 * S },
        { "Fri, 31 Dec 9999 23:59:59 GMT", QUOTA_RESET_MAX_US },
        { "18446744073709551616", QUOTA_RESET_MAX_US },
        { "-5", ABSENT },
        { "abc", ABSENT },
        { "30s", 30 * S },
        { "1m2s", 62 * S },
        { "2026-11-21T04:15:30Z", 30 * S },
        { "1.2.3", ABSENT },
        { "1e9", ABSENT },
        { "2030-01-01", ABSENT },
        { "", ABSENT },
        { "3\x01", ABSENT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const char *fields[] = { "x-ratelimit-remaining", "5",  "x-ratelimit-reset",
                                 samples[i].text,         DATE, NULL };
        struct quota q = read_fields(fields);
        uint64_t got = q.has_reset ? q.reset_us : ABSENT;

        if (got != samples[i].reset_us) {
            fail_msg("\"%s\" gave %llu", samples[i].text, (unsigned long long)got);
        }
    }
}

static void reset__counts_from_the_servers_date__when_our_clock_is_wrong(void **state)
{
    static const char *const fields[] = {
        "x-ratelimit-remaining",         "5", "x-ratelimit-reset", "1200000010", "date",
        "Thu, 10 Jan 2008 21:20:00 GMT", NULL
    };

    (void)state;
    assert_int_equal(read_fields(fields).reset_us, 10 * S);
}

static void remaining__is_absent__when_it_is_no_count(void **state)
{
    static const char *const texts[] = {
        "-1", "abc", "", "1 2", "0x10", "5.x", "99999999999999999", "\xff"
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *fields[] = { "x-ratelimit-remaining", texts[i], "x-ratelimit-reset", "5",
                                 NULL };

        if (read_fields(fields).has_left) {
            fail_msg("\"%s\" was taken", texts[i]);
        }
    }
}

static void tightest__is_told__when_there_are_several(void **state)
{
    static const struct sample samples[] = {
        { { "ratelimit", "\"burst\";r=90;t=60, \"daily\";r=500;t=86400" }, 500, 86400 * S, 0, 0 },
        { { "ratelimit", "\"burst\";r=0;t=3, \"daily\";r=5;t=80000" }, 0, 3 * S, 0, 0 },
        { { "ratelimit", "\"burst\";r=0;t=3, \"daily\";r=0;t=80000" }, 0, 80000 * S, 0, 0 },
        { { "ratelimit", "\"a\";r=1;t=0, \"b\";r=50;t=60" }, 50, 60 * S, 0, 0 },
        { { "x-ratelimit-remaining", "3", "ratelimit", "\"d\";r=40;t=10" }, 40, 10 * S, 0, 0 },
        { { "x-ratelimit-remaining-minute", "50", "x-ratelimit-remaining-day", "100" },
          100,
          86400 * S,
          0,
          0 },
        { { "x-ratelimit-remaining", "9", "x-ratelimit-remaining", "4", "x-ratelimit-reset", "1",
            "x-ratelimit-reset", "8" },
          4,
          8 * S,
          0,
          0 },
    };

    (void)state;
    CHECK(samples);
}

/* --- real APIs -------------------------------------------------------------------------------------- */

#define NONE .left = ABSENT
#define MS US_PER_MS

/* Headers as the API's manual shows them, or as it was seen to send them. */
struct dialect {
    const char *api;
    const char *fields[2 * FIELDS_MAX + 1];
    uint64_t left, wait_us, limit, window_us, concurrent;
    double refill_per_s;
    const char *resource;
};

static const struct dialect dialects[] = {
    { "GitHub REST",
      { "x-ratelimit-limit", "5000", "x-ratelimit-remaining", "4999", "x-ratelimit-used", "1",
        "x-ratelimit-reset", "1795238100", "x-ratelimit-resource", "core", DATE },
      .left = 4999,
      .limit = 5000,
      .wait_us = 3600 * S,
      .resource = "core" },
    { "GitLab",
      { "RateLimit-Limit", "60", "RateLimit-Name", "throttle_authenticated_web",
        "RateLimit-Observed", "67", "RateLimit-Remaining", "0", "RateLimit-Reset", "1795234560",
        "RateLimit-ResetTime", "Sat, 21 Nov 2026 04:16:00 GMT" },
      .left = 0,
      .limit = 60,
      .wait_us = 60 * S,
      .resource = "throttle_authenticated_web" },
    { "Crossref",
      { "x-rate-limit-limit", "50", "x-rate-limit-interval", "1s", "x-concurrency-limit", "5" },
      NONE,
      .limit = 50,
      .window_us = 1 * S,
      .wait_us = 1 * S,
      .concurrent = 5 },
    { "Mapbox",
      { "X-Rate-Limit-Interval", "60", "X-Rate-Limit-Limit", "100000", "X-Rate-Limit-Reset",
        "1795234560" },
      NONE,
      .limit = 100000,
      .window_us = 60 * S,
      .wait_us = 60 * S },
    { "Amazon Selling Partner",
      { "x-amzn-RateLimit-Limit", "0.0167" },
      NONE,
      .limit = 1,
      .window_us = 59880239,
      .wait_us = 59880239 },
    { "Amazon Selling Partner",
      { "x-amzn-RateLimit-Limit", "5.0" },
      NONE,
      .limit = 5,
      .window_us = 1 * S,
      .wait_us = 1 * S },
    { "Shopify REST",
      { "X-Shopify-Shop-Api-Call-Limit", "39/40" },
      .left = 1,
      .limit = 40,
      .wait_us = ABSENT,
      .refill_per_s = 2 },
    { "Shopify REST, Plus",
      { "HTTP_X_SHOPIFY_SHOP_API_CALL_LIMIT", "400/400" },
      .left = 0,
      .limit = 400,
      .wait_us = ABSENT,
      .refill_per_s = 20 },
    { "Anthropic",
      { "anthropic-ratelimit-requests-limit", "50", "anthropic-ratelimit-requests-remaining", "49",
        "anthropic-ratelimit-requests-reset", "2026-11-21T04:15:01Z",
        "anthropic-ratelimit-tokens-limit", "50000", "anthropic-ratelimit-tokens-remaining", "0",
        "anthropic-ratelimit-tokens-reset", "2026-11-21T04:16:00Z" },
      .left = 49,
      .limit = 50,
      .wait_us = 1 * S },
    { "OpenAI",
      { "x-ratelimit-limit-requests", "60", "x-ratelimit-remaining-requests", "59",
        "x-ratelimit-reset-requests", "1s", "x-ratelimit-limit-tokens", "150000",
        "x-ratelimit-remaining-tokens", "149984", "x-ratelimit-reset-tokens", "6m0s" },
      .left = 59,
      .limit = 60,
      .wait_us = 1 * S },
    { "OpenAI, Groq",
      { "x-ratelimit-limit-requests", "14400", "x-ratelimit-remaining-requests", "14370",
        "x-ratelimit-reset-requests", "2m59.56s", "x-ratelimit-remaining-tokens", "17997",
        "x-ratelimit-reset-tokens", "7.66s" },
      .left = 14370,
      .limit = 14400,
      .wait_us = 179560 * MS },
    { "Discord",
      { "X-RateLimit-Limit", "5", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset",
        "1795234501.251", "X-RateLimit-Reset-After", "1.251", "X-RateLimit-Bucket", "abcd1234",
        DATE },
      .left = 0,
      .limit = 5,
      .wait_us = 1251 * MS,
      .resource = "abcd1234" },
    { "Discord, a bucket of digits",
      { "X-RateLimit-Limit", "1", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset-After", "64.57",
        "X-RateLimit-Bucket", "80" },
      .left = 0,
      .limit = 1,
      .wait_us = 64570 * MS,
      .resource = "80" },
    { "Reddit",
      { "x-ratelimit-used", "5", "x-ratelimit-remaining", "594.0", "x-ratelimit-reset", "417" },
      .left = 594,
      .wait_us = 417 * S },
    { "X (Twitter)",
      { "x-rate-limit-limit", "900", "x-rate-limit-remaining", "899", "x-rate-limit-reset",
        "1795235400", DATE },
      .left = 899,
      .limit = 900,
      .wait_us = 900 * S },
    { "X (Twitter), by the day",
      { "x-user-limit-24hour-limit", "25", "x-user-limit-24hour-remaining", "24",
        "x-user-limit-24hour-reset", "1795320900", DATE },
      .left = 24,
      .limit = 25,
      .window_us = 86400 * S,
      .wait_us = 86400 * S },
    { "HubSpot",
      { "X-HubSpot-RateLimit-Daily", "250000", "X-HubSpot-RateLimit-Daily-Remaining", "249999",
        "X-HubSpot-RateLimit-Interval-Milliseconds", "10000", "X-HubSpot-RateLimit-Max", "100",
        "X-HubSpot-RateLimit-Remaining", "9" },
      .left = 9,
      .limit = 100,
      .window_us = 10 * S,
      .wait_us = 10 * S },
    { "Zendesk",
      { "X-Rate-Limit", "700", "X-Rate-Limit-Remaining", "699", "ratelimit-limit", "700",
        "ratelimit-remaining", "699", "ratelimit-reset", "41" },
      .left = 699,
      .limit = 700,
      .wait_us = 41 * S },
    { "Zendesk, one endpoint",
      { "Zendesk-RateLimit-Tickets-Index", "total=100; remaining=99; resets=41" },
      .left = 99,
      .limit = 100,
      .wait_us = 41 * S },
    { "Jira Cloud",
      { "X-RateLimit-Limit", "350", "X-RateLimit-Remaining", "0", "X-RateLimit-NearLimit", "true",
        "X-RateLimit-Reset", "2026-11-21T04:25Z", DATE },
      .left = 0,
      .limit = 350,
      .wait_us = 600 * S },
    { "Atlassian Data Center",
      { "X-RateLimit-Limit", "10", "X-RateLimit-Remaining", "2", "X-RateLimit-Interval-Seconds",
        "60", "X-RateLimit-FillRate", "6" },
      .left = 2,
      .limit = 10,
      .wait_us = ABSENT,
      .refill_per_s = 0.1 },
    { "Okta",
      { "X-Rate-Limit-Limit", "600", "X-Rate-Limit-Remaining", "599", "X-Rate-Limit-Reset",
        "1795234560", DATE },
      .left = 599,
      .limit = 600,
      .wait_us = 60 * S },
    { "Salesforce",
      { "Sforce-Limit-Info", "api-usage=18/5000" },
      .left = 4982,
      .limit = 5000,
      .window_us = 86400 * S,
      .wait_us = 86400 * S },
    { "Salesforce, one app",
      { "Sforce-Limit-Info", "api-usage=25/5000, per-app-api-usage=17/250(appName=sample)" },
      .left = 4975,
      .limit = 5000,
      .window_us = 86400 * S,
      .wait_us = 86400 * S },
    { "Azure Resource Manager",
      { "x-ms-ratelimit-remaining-subscription-reads", "11999" },
      .left = 11999,
      .wait_us = ABSENT },
    { "Azure Compute",
      { "x-ms-ratelimit-remaining-resource",
        "Microsoft.Compute/HighCostGet3Min;159,Microsoft.Compute/HighCostGet30Min;720" },
      .left = 720,
      .window_us = 1800 * S,
      .wait_us = 1800 * S,
      .resource = "Microsoft.Compute/HighCostGet3Min" },
    { "Spring Cloud Gateway",
      { "X-RateLimit-Remaining", "19", "X-RateLimit-Requested-Tokens", "1",
        "X-RateLimit-Burst-Capacity", "20", "X-RateLimit-Replenish-Rate", "10" },
      .left = 19,
      .limit = 20,
      .wait_us = ABSENT,
      .refill_per_s = 10 },
    { "BigCommerce",
      { "X-Rate-Limit-Time-Reset-Ms", "15000", "X-Rate-Limit-Time-Window-Ms", "30000",
        "X-Rate-Limit-Requests-Left", "149", "X-Rate-Limit-Requests-Quota", "150" },
      .left = 149,
      .limit = 150,
      .window_us = 30 * S,
      .wait_us = 15 * S },
    { "Trello",
      { "x-rate-limit-api-token-interval-ms", "10000", "x-rate-limit-api-token-max", "100",
        "x-rate-limit-api-token-remaining", "99", "x-rate-limit-api-key-interval-ms", "10000",
        "x-rate-limit-api-key-max", "300", "x-rate-limit-api-key-remaining", "299" },
      .left = 99,
      .limit = 100,
      .window_us = 10 * S,
      .wait_us = 10 * S },
    { "Linear",
      { "X-RateLimit-Requests-Limit", "1500", "X-RateLimit-Requests-Remaining", "1499",
        "X-RateLimit-Requests-Reset", "1795238100000", "X-RateLimit-Complexity-Remaining", "0" },
      .left = 1499,
      .limit = 1500,
      .wait_us = 3600 * S },
    { "Riot Games",
      { "X-App-Rate-Limit", "20:1,100:120", "X-App-Rate-Limit-Count", "1:1,61:120" },
      .left = 39,
      .limit = 100,
      .window_us = 120 * S,
      .wait_us = 120 * S },
    { "Path of Exile",
      { "X-Rate-Limit-Policy", "trade-search-request-limit", "X-Rate-Limit-Rules", "Ip",
        "X-Rate-Limit-Ip", "5:10:60,15:60:120", "X-Rate-Limit-Ip-State", "5:10:0,6:60:0" },
      .left = 0,
      .limit = 5,
      .window_us = 10 * S,
      .wait_us = 10 * S,
      .resource = "trade-search-request-limit" },
    { "Docker Hub",
      { "ratelimit-limit", "100;w=21600", "ratelimit-remaining", "76;w=21600" },
      .left = 76,
      .limit = 100,
      .window_us = 21600 * S,
      .wait_us = 21600 * S },
    { "Kong",
      { "X-RateLimit-Limit-Minute", "60", "X-RateLimit-Remaining-Minute", "42", "RateLimit-Limit",
        "60", "RateLimit-Remaining", "42", "RateLimit-Reset", "17" },
      .left = 42,
      .limit = 60,
      .window_us = 60 * S,
      .wait_us = 17 * S },
    { "Kong, by seconds",
      { "X-RateLimit-Limit-30", "5", "X-RateLimit-Remaining-30", "4" },
      .left = 4,
      .limit = 5,
      .window_us = 30 * S,
      .wait_us = 30 * S },
    { "Datadog",
      { "X-RateLimit-Limit", "30", "X-RateLimit-Period", "60", "X-RateLimit-Remaining", "29",
        "X-RateLimit-Reset", "18", "X-RateLimit-Name", "logs_public_search_api" },
      .left = 29,
      .limit = 30,
      .window_us = 60 * S,
      .wait_us = 18 * S,
      .resource = "logs_public_search_api" },
    { "Companies House",
      { "X-Ratelimit-Limit", "600", "X-Ratelimit-Remain", "598", "X-Ratelimit-Reset", "1795234620",
        "X-Ratelimit-Window", "5m" },
      .left = 598,
      .limit = 600,
      .window_us = 300 * S,
      .wait_us = 120 * S },
    { "Cloudinary",
      { "X-FeatureRateLimit-Limit", "500", "X-FeatureRateLimit-Reset",
        "Sat, 21 Nov 2026 05:00:00 GMT", "X-FeatureRateLimit-Remaining", "499" },
      .left = 499,
      .limit = 500,
      .wait_us = 2700 * S },
    { "Discogs",
      { "X-Discogs-Ratelimit", "60", "X-Discogs-Ratelimit-Used", "3",
        "X-Discogs-Ratelimit-Remaining", "57" },
      .left = 57,
      .limit = 60,
      .wait_us = ABSENT },
    { "Contentful",
      { "X-Contentful-RateLimit-Second-Limit", "7", "X-Contentful-RateLimit-Second-Remaining", "6",
        "X-Contentful-RateLimit-Hour-Limit", "36000", "X-Contentful-RateLimit-Hour-Remaining",
        "35000", "X-Contentful-RateLimit-Reset", "0" },
      .left = 6,
      .limit = 7,
      .window_us = 1 * S,
      .wait_us = 1 * S },
    { "Vimeo",
      { "X-RateLimit-Limit", "250", "X-RateLimit-Remaining", "247", "X-RateLimit-Reset",
        "2026-11-21T04:20:00+00:00" },
      .left = 247,
      .limit = 250,
      .wait_us = 300 * S },
    { "Elsevier",
      { "X-RateLimit-Limit", "20000", "X-RateLimit-Remaining", "19987", "X-RateLimit-Reset",
        "1795839300000" },
      .left = 19987,
      .limit = 20000,
      .wait_us = 604800 * S },
    { "Etsy",
      { "x-limit-per-second", "10", "x-remaining-this-second", "9", "x-limit-per-day", "10000",
        "x-remaining-today", "9999" },
      .left = 9999,
      .limit = 10000,
      .window_us = 86400 * S,
      .wait_us = 86400 * S },
    { "Xero",
      { "X-DayLimit-Remaining", "4999", "X-MinLimit-Remaining", "0" },
      .left = 4999,
      .window_us = 86400 * S,
      .wait_us = 86400 * S },
    { "Fitbit",
      { "Fitbit-Rate-Limit-Limit", "150", "Fitbit-Rate-Limit-Remaining", "149",
        "Fitbit-Rate-Limit-Reset", "1478" },
      .left = 149,
      .limit = 150,
      .wait_us = 1478 * S },
    { "Fastly",
      { "Fastly-RateLimit-Remaining", "999", "Fastly-RateLimit-Reset", "1795238100" },
      .left = 999,
      .wait_us = 3600 * S },
    { "Yelp",
      { "RateLimit-DailyLimit", "5000", "RateLimit-Remaining", "4950", "RateLimit-ResetTime",
        "2026-11-22T00:00:00+00:00" },
      .left = 4950,
      .wait_us = 71100 * S },
    { "Freshdesk",
      { "X-RateLimit-Total", "1000", "X-RateLimit-Remaining", "999",
        "X-RateLimit-Used-CurrentRequest", "1" },
      .left = 999,
      .limit = 1000,
      .wait_us = ABSENT },
    { "Envoy",
      { "x-ratelimit-limit", "10, 10;w=1;name=\"per second\"", "x-ratelimit-remaining", "9",
        "x-ratelimit-reset", "1" },
      .left = 9,
      .limit = 10,
      .wait_us = 1 * S },
    { "AspNetCoreRateLimit",
      { "X-Rate-Limit-Limit", "1m", "X-Rate-Limit-Remaining", "9", "X-Rate-Limit-Reset",
        "2026-11-21T04:15:42.1234567Z" },
      .left = 9,
      .window_us = 60 * S,
      .wait_us = 42123457 },
    { "express-rate-limit, legacy",
      { "X-RateLimit-Limit", "5", "X-RateLimit-Remaining", "4", DATE, "X-RateLimit-Reset",
        "1795234502" },
      .left = 4,
      .limit = 5,
      .wait_us = 2 * S },
    { "express-rate-limit, draft 6",
      { "RateLimit-Policy", "5;w=2", "RateLimit-Limit", "5", "RateLimit-Remaining", "4",
        "RateLimit-Reset", "2" },
      .left = 4,
      .limit = 5,
      .window_us = 2 * S,
      .wait_us = 2 * S },
    { "express-rate-limit, draft 7",
      { "RateLimit-Policy", "5;w=2", "RateLimit", "limit=5, remaining=4, reset=2" },
      .left = 4,
      .limit = 5,
      .window_us = 2 * S,
      .wait_us = 2 * S },
    { "express-rate-limit, draft 8",
      { "RateLimit-Policy", "\"5-in-2sec\"; q=5; w=2; pk=:MTJjYTE3YjQ5YWYy:", "RateLimit",
        "\"5-in-2sec\"; r=4; t=2" },
      .left = 4,
      .limit = 5,
      .window_us = 2 * S,
      .wait_us = 2 * S,
      .resource = "5-in-2sec" },
    { "rate-limiter-flexible, its README",
      { "X-RateLimit-Limit", "4", "X-RateLimit-Remaining", "3", "X-RateLimit-Reset",
        "Sat Nov 21 2026 04:15:30 GMT+0000 (Coordinated Universal Time)" },
      .left = 3,
      .limit = 4,
      .wait_us = 30 * S },
    { "bucket4j", { "X-Rate-Limit-Remaining", "9" }, .left = 9, .wait_us = ABSENT },
};

static bool is_as_wanted(const struct dialect *d, const struct quota *q)
{
    struct str resource = str_view(d->resource ? d->resource : "");
    double off = q->refill_per_s - d->refill_per_s;

    return (q->has_left ? q->left : ABSENT) == d->left && q->limit == d->limit &&
           (q->has_reset || q->window_us ? quota_wait_us(q) : ABSENT) == d->wait_us &&
           q->window_us == d->window_us && q->concurrent == d->concurrent && off < 1e-6 &&
           off > -1e-6 && str_equal(q->resource, resource);
}

static void real_headers__are_read__of_every_api(void **state)
{
    unsigned failed = 0;

    (void)state;
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        struct quota q = read_fields(dialects[i].fields);

        if (!is_as_wanted(&dialects[i], &q)) {
            print_error(
                "%s: left %lld, wait %.3f s, limit %llu, window %.3f s, at once %llu, refill "
                "%g, resource \"%.*s\"\n",
                dialects[i].api, q.has_left ? (long long)q.left : -1,
                q.has_reset || q.window_us ? (double)quota_wait_us(&q) / 1e6 : -1,
                (unsigned long long)q.limit, (double)q.window_us / 1e6,
                (unsigned long long)q.concurrent, q.refill_per_s, STR_ARG(q.resource));
            failed++;
        }
        for (size_t k = 0; dialects[i].fields[k]; k += 2) {
            struct str name = str_view(dialects[i].fields[k]);

            if (!quota_is_field(name) && !str_equal(name, STR("date")) &&
                !str_equal_nocase(name, STR("X-RateLimit-NearLimit")) &&
                !str_equal_nocase(name, STR("X-RateLimit-Requested-Tokens")) &&
                !str_equal_nocase(name, STR("X-Rate-Limit-Rules"))) {
                print_error("%s is not kept\n", dialects[i].fields[k]);
                failed++;
            }
        }
    }
    assert_int_equal(failed, 0);
}

static void other_headers__are_no_fields(void **state)
{
    static const char *const names[] = {
        "",
        "date",
        "content-type",
        "content-length",
        "set-cookie",
        "x-request-id",
        "x-limit",
        "limit",
        "x-total-count",
        "rate",
        "accelerate-limit",
        "x-ratelimit-scope",
        "x-ratelimit-global",
        "x-ratelimit-nearlimit",
        "anthropic-ratelimit-unified-status",
        ("x-a-header-whose-name-is-longer-than-any-that-tells-of-a-ratelimit-and-so-is-not-looked-"
         "at"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (quota_is_field(str_view(names[i]))) {
            fail_msg("\"%s\" is kept", names[i]);
        }
    }
    assert_true(quota_is_field(
        STR("x-ratelimit-remaining-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
    assert_true(quota_is_field(STR("Retry-After")));
    assert_true(quota_is_field(STR("X-RATELIMIT-REMAINING")));
}

/* Each applies to the request, so the tightest holds; who keeps them apart has their names. */
static void all_policies__are_told__with_their_names(void **state)
{
    static const struct quota_field fields[] = {
        { STR_INIT("ratelimit"), STR_INIT("\"burst\";r=9;t=1, \"daily\";r=5;t=80000") },
        { STR_INIT("ratelimit-policy"), STR_INIT("\"burst\";q=10;w=1, \"daily\";q=1000;w=86400") },
    };
    struct quota quotas[QUOTA_POLICIES_MAX], tightest;

    (void)state;
    assert_int_equal(quota_read_all(fields, 2, NOW_US, quotas), 2);
    assert_true(str_equal(quotas[0].resource, STR("daily")));
    assert_int_equal(quotas[0].left, 5);
    assert_true(str_equal(quotas[1].resource, STR("burst")));
    assert_int_equal(quotas[1].left, 9);
    quota_read(fields, 2, NOW_US, &tightest);
    assert_int_equal(tightest.left, 5);
    assert_true(
        str_equal(tightest.resource, STR("burst"))); /* the first: one name for all answers */
}

static void grain__tells_how_rough_a_reset_is(void **state)
{
    static const struct {
        const char *name, *value;
        bool has_date; /* the answer's ... */
        uint64_t grain_us;
        bool counts; /* ... by which it counts */
    } samples[] = {
        { "x-ratelimit-reset", "7", true, 1 * S, false },
        { "x-ratelimit-reset", "1m2s", true, 1 * S, false },
        { "x-ratelimit-reset", "1795234507", true, 1 * S, true },
        { "x-ratelimit-reset", "1795234507", false, 1 * S, false },
        { "x-ratelimit-reset", "1795234507250", true, 0, true },
        { "x-ratelimit-reset-after", "1.25", true, 0, false },
        { "x-ratelimit-reset", "2026-11-21T04:15:07Z", true, 1 * S, true },
        { "x-ratelimit-reset", "2026-11-21T04:15:07.123Z", true, 0, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const char *fields[] = { "x-ratelimit-remaining",
                                 "5",
                                 samples[i].name,
                                 samples[i].value,
                                 samples[i].has_date ? "date" : "x",
                                 "Sat, 21 Nov 2026 04:15:00 GMT",
                                 NULL };
        struct quota q = read_fields(fields);

        assert_int_equal(q.grain_us, samples[i].grain_us);
        assert_int_equal(q.has_date, samples[i].counts);
        assert_true(!q.has_date || q.date_us == NOW_US);
    }
}

static void cost__is_told_in_requests(void **state)
{
    /* Shopify's GraphQL Admin API */
    struct str body = STR("{\"data\":{\"shop\":{\"name\":\"x\"}},\"extensions\":{\"cost\":{"
                          "\"requestedQueryCost\":101,\"actualQueryCost\":46,\"throttleStatus\":{"
                          "\"maximumAvailable\":1000.0,\"currentlyAvailable\":954,"
                          "\"restoreRate\":50.0}}}}");
    struct str spent =
        STR("{\"errors\":[{\"message\":\"Throttled\"}],\"extensions\":{\"cost\":{"
            "\"requestedQueryCost\":752,\"actualQueryCost\":null,\"throttleStatus\":{"
            "\"maximumAvailable\":1000.0,\"currentlyAvailable\":152,"
            "\"restoreRate\":50.0}}}}");
    static const char *const none[] = {
        "",
        "{}",
        "[\"throttleStatus\"]",
        "{\"extensions\":{\"cost\":{\"throttleStatus\":{}}}}",
        "{\"extensions\":{\"cost\":{\"throttleStatus\":{\"maximumAvailable\":\"1\","
        "\"currentlyAvailable\":1,\"restoreRate\":1}}}}",
        "{\"extensions\":{\"cost\":{\"throttleStatus\":{\"maximumAvailable\":-1,"
        "\"currentlyAvailable\":1,\"restoreRate\":1}}}}",
        "{\"extensions\":{\"cost\":{\"throttleStatus\":{\"maximumAvailable\":1",
    };
    struct quota q;

    (void)state;
    assert_true(quota_read_cost(body, &q));
    assert_int_equal(q.left, 9);
    assert_int_equal(q.limit, 9);
    assert_true(q.refill_per_s > 0.49 && q.refill_per_s < 0.5);
    assert_false(quota_is_spent(&q));
    assert_true(quota_read_cost(spent, &q));
    assert_true(quota_is_spent(&q));
    assert_int_equal(quota_wait_us(&q), 12 * S + 1);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_false(quota_read_cost(str_view(none[i]), &q));
    }
}

/* --------------------------------------------------------------------------------------------------- */

static void spent__needs_a_time_to_wait_for(void **state)
{
    static const char *const without[] = { "x-ratelimit-remaining", "0", "x-ratelimit-limit", "9",
                                           NULL };
    static const char *const past[] = { "x-ratelimit-remaining", "0", "x-ratelimit-reset",
                                        "1795234400", NULL };
    static const char *const none[] = { "x-ratelimit-remaining", "0", "x-ratelimit-limit", "0",
                                        NULL };
    static const char *const spent[] = { "x-ratelimit-remaining", "0", "x-ratelimit-reset", "7",
                                         NULL };
    struct quota q = read_fields(without);

    (void)state;
    assert_true(q.has_left && !quota_is_spent(&q));
    q = read_fields(past);
    assert_true(q.has_left && !quota_is_spent(&q));
    q = read_fields(none);
    assert_false(q.has_left);
    q = read_fields(spent);
    assert_true(quota_is_spent(&q));
}

static void policies__are_bounded__when_a_server_invents_a_thousand(void **state)
{
    static char text[40000];
    const char *fields[] = { "ratelimit", text, NULL };
    size_t used = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\"p%d\";r=%d;t=60",
                                 i ? ", " : "", i, 1000 - i);
    }
    assert_int_equal(read_fields(fields).left, 1000 - (QUOTA_POLICIES_MAX - 1));
}

static void problem__is_known_by_its_type(void **state)
{
    struct str problem = STR("application/problem+json; charset=utf-8");

    (void)state;
    assert_int_equal(quota_problem_read(problem, STR("{\"type\":\"https://iana.org/assignments/"
                                                     "http-problem-types#quota-exceeded\"}")),
                     QUOTA_PROBLEM_EXCEEDED);
    assert_int_equal(
        quota_problem_read(problem, STR("{\"type\":\"x#temporary-reduced-capacity\"}")),
        QUOTA_PROBLEM_REDUCED);
    assert_int_equal(quota_problem_read(problem, STR("{\"type\":\"abnormal-usage-detected\"}")),
                     QUOTA_PROBLEM_ABNORMAL);
    assert_int_equal(quota_problem_read(problem, STR("{\"type\":\"about:blank\"}")),
                     QUOTA_PROBLEM_NONE);
    assert_int_equal(quota_problem_read(problem, STR("{\"type\":17}")), QUOTA_PROBLEM_NONE);
    assert_int_equal(quota_problem_read(problem, STR("{\"type\":\"quota-exceeded\"")),
                     QUOTA_PROBLEM_NONE);
    assert_int_equal(
        quota_problem_read(STR("application/json"), STR("{\"type\":\"quota-exceeded\"}")),
        QUOTA_PROBLEM_NONE);
    assert_int_equal(quota_problem_read(STR_NONE, STR_NONE), QUOTA_PROBLEM_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structured__is_read_in_every_draft),
        cmocka_unit_test(structured__is_ignored_whole__when_any_of_it_is_malformed),
        cmocka_unit_test(structured__is_no_quota__when_its_numbers_make_no_sense),
        cmocka_unit_test(concurrent__is_told_apart_from_counts),
        cmocka_unit_test(plain__is_read_in_every_family),
        cmocka_unit_test(reset__is_told_apart_by_size),
        cmocka_unit_test(reset__counts_from_the_servers_date__when_our_clock_is_wrong),
        cmocka_unit_test(remaining__is_absent__when_it_is_no_count),
        cmocka_unit_test(tightest__is_told__when_there_are_several),
        cmocka_unit_test(real_headers__are_read__of_every_api),
        cmocka_unit_test(other_headers__are_no_fields),
        cmocka_unit_test(all_policies__are_told__with_their_names),
        cmocka_unit_test(grain__tells_how_rough_a_reset_is),
        cmocka_unit_test(cost__is_told_in_requests),
        cmocka_unit_test(spent__needs_a_time_to_wait_for),
        cmocka_unit_test(policies__are_bounded__when_a_server_invents_a_thousand),
        cmocka_unit_test(problem__is_known_by_its_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
