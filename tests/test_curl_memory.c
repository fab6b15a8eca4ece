/* curl_memory: what libcurl gives back is kept within bounds, and is fit for use again by whoever frees it. */
#include "fetch/curl_memory.h"

#include <curl/curl.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include <cmocka.h>

#define KEPT_MAX (1U << 20)
#define GLIBC_KEEPS                                                                                \
    (KEPT_MAX / 2) /* itself, of all sizes, and counts as used; and heads of blocks */
#define ITEMS 200  /* of each size: 25 MB, had all of them been kept */

static struct curl_slist *list_of(unsigned count, size_t len)
{
    struct curl_slist *list = NULL;
    char text[2048];

    for (unsigned i = 0; i < count; i++) {
        struct curl_slist *longer;

        memset(text, 'a' + (int)(i % 26), len);
        text[len] = '\0';
        longer = curl_slist_append(list, text);
        assert_non_null(longer);
        list = longer;
    }
    return list;
}

static void check_list(const struct curl_slist *list, size_t len)
{
    for (unsigned i = 0; list; list = list->next, i++) {
        assert_int_equal(strlen(list->data), len);
        assert_int_equal(list->data[0], 'a' + (int)(i % 26));
        assert_int_equal(list->data[len - 1], 'a' + (int)(i % 26));
    }
}

/* Of all sizes, over and over: blocks come back with what was in them before. */
static void blocks__have_what_was_put_in__when_they_were_used_before(void **state)
{
    char plain[4096], *escaped;

    (void)state;
    memset(plain, '/', sizeof plain);
    for (unsigned round = 0; round < 3; round++) {
        for (size_t len = 1; len < 2048; len += 61) {
            struct curl_slist *list = list_of(100, len);
            CURLU *url = curl_url();
            char *host = NULL;

            escaped = curl_easy_escape(NULL, plain, (int)len); /* grows as it is written */
            assert_int_equal(strlen(escaped), 3 * len);
            for (size_t i = 0; i < len; i++) {
                assert_memory_equal(escaped + 3 * i, "%2F", 3);
            }
            /* Taken zeroed: a part that nobody has set is not there. */
            assert_int_equal(curl_url_get(url, CURLUPART_HOST, &host, 0), CURLUE_NO_HOST);
            curl_url_cleanup(url);
            curl_free(escaped);
            check_list(list, len);
            curl_slist_free_all(list);
        }
    }
}

static void free_list(void *list)
{
    curl_slist_free_all(list);
}

/* As libcurl's resolvers do, which keep nothing; and what was made before this thread kept any. */
static void blocks__may_be_given_back__by_any_thread_and_to_free(void **state)
{
    struct curl_slist *before, *within;
    uv_thread_t thread;

    (void)state;
    curl_memory_drop();
    before = list_of(100, 30);
    curl_memory_keep();
    within = list_of(100, 30);
    curl_slist_free_all(before);
    assert_int_equal(uv_thread_create(&thread, free_list, within), 0);
    assert_int_equal(uv_thread_join(&thread), 0);
    free(curl_easy_escape(NULL, "a", 1));
}

static size_t in_use(void)
{
#ifdef __GLIBC__
    return mallinfo2().uordblks;
#else
    return 0;
#endif
}

static void kept__is_bounded__and_nothing_after_the_thread_dropped_it(void **state)
{
    size_t before, kept, after;

    (void)state;
    curl_memory_drop();
    before = in_use();
    curl_memory_keep();
    for (size_t len = 16; len < 2048; len += 16) {
        curl_slist_free_all(list_of(ITEMS, len));
    }
    kept = in_use();
    curl_memory_drop();
    after = in_use();
    assert_true(kept <= before + KEPT_MAX + GLIBC_KEEPS);
    assert_true(after <= before + GLIBC_KEEPS);
}

static int init(void **state)
{
    (void)state;
    curl_memory_keep();
    return curl_memory_init() ? 0 : 1;
}

static int drop(void **state)
{
    (void)state;
    curl_memory_drop();
    curl_global_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks__have_what_was_put_in__when_they_were_used_before),
        cmocka_unit_test(blocks__may_be_given_back__by_any_thread_and_to_free),
        cmocka_unit_test(kept__is_bounded__and_nothing_after_the_thread_dropped_it),
    };

    return cmocka_run_group_tests(tests, init, drop);
}
