/* What the embedded API wants to be shown: tokens of its login, and the ETags of what has not changed. */
#include "demo_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void log_in(const struct demo *demo, char header[256])
{
    struct answer a = ask_with(demo, "POST", "/api/auth/login", "",
                               "{\"email\":\"demo@example.com\",\"password\":\"demo\"}");
    cJSON *json = json_of(&a);

    assert_int_equal(a.status, 200);
    assert_true(cJSON_IsNumber(cJSON_GetObjectItem(json, "expires_in")));
    snprintf(header, 256, "Authorization: Bearer %s\r\n",
             cJSON_GetObjectItem(json, "access_token")->valuestring);
    cJSON_Delete(json);
    drop(&a);
}

static void expect_products(const struct demo *demo, const char *target, const char *token,
                            int count, int total_pages)
{
    struct answer a = ask_with(demo, "GET", target, token, "");
    cJSON *json = json_of(&a), *pagination = cJSON_GetObjectItem(json, "pagination");

    assert_int_equal(a.status, 200);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "products")), count);
    assert_int_equal(cJSON_GetObjectItem(pagination, "total")->valueint, 100000);
    assert_int_equal(cJSON_GetObjectItem(pagination, "total_pages")->valueint, total_pages);
    cJSON_Delete(json);
    drop(&a);
}

static void catalog__opens__with_the_token_only(void **state)
{
    struct demo *demo = start_calm(1);
    char token[256];
    struct answer a;
    cJSON *json;

    (void)state;
    expect_status(demo, "/api/products", 401);
    expect_status(demo, "/api/products/1/reviews", 401);
    a = ask_with(demo, "GET", "/api/products", "Authorization: Bearer demo-0-0\r\n", "");
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(header_of(&a, "WWW-Authenticate"), "invalid_token"));
    drop(&a);
    log_in(demo, token);
    expect_products(demo, "/api/products", token, 20, 5000);
    expect_products(demo, "/api/products?page=1000&per_page=100", token, 100, 1000);
    expect_products(demo, "/api/products?page=1429&per_page=70", token, 40, 1429);
    expect_products(demo, "/api/products?page=1001&per_page=100", token, 0, 1000);
    a = ask_with(demo, "GET", "/api/products?per_page=101", token, "");
    assert_int_equal(a.status, 400);
    drop(&a);
    a = ask_with(demo, "GET", "/api/products/100001/reviews", token, "");
    assert_int_equal(a.status, 404);
    drop(&a);
    a = ask_with(demo, "GET", "/api/products/17/reviews", token, "");
    json = json_of(&a);
    assert_true(cJSON_IsArray(cJSON_GetObjectItem(json, "items")));
    cJSON_Delete(json);
    drop(&a);
    demo_stop(demo);
}

static void login__fails__for_a_wrong_password_or_no_json(void **state)
{
    static const struct {
        const char *body;
        unsigned status;
    } tries[] = {
        { "{\"email\":\"demo@example.com\",\"password\":\"wrong\"}", 401 },
        { "{\"email\":\"demo@example.com\"}", 400 },
        { "{\"email\":1,\"password\":2}", 400 },
        { "email=demo&password=demo", 400 },
        { "", 400 },
    };
    struct demo *demo = start_calm(1);
    struct buf deep = { 0 };
    struct answer a;

    (void)state;
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        a = ask_with(demo, "POST", "/api/auth/login", "", tries[i].body);
        assert_int_equal(a.status, tries[i].status);
        drop(&a);
    }
    for (int i = 0; i < 60000; i++) {
        assert_int_equal(buf_append_char(&deep, '['), RESULT_OK);
    }
    a = ask_with(demo, "POST", "/api/auth/login", "", buf_cstr(&deep));
    assert_int_equal(a.status, 400);
    drop(&a);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(buf_append_char(&deep, '['), RESULT_OK);
    }
    a = ask_with(demo, "POST", "/api/auth/login", "", buf_cstr(&deep));
    assert_int_equal(a.status, 413);
    drop(&a);
    buf_release(&deep);
    demo_stop(demo);
}

static void token__is_refused__when_its_time_is_over(void **state)
{
    struct demo *demo = start(&(struct demo_options){ .token_us = 1 });
    char token[256];
    struct answer a;

    (void)state;
    log_in(demo, token);
    a = ask_with(demo, "GET", "/api/products", token, "");
    assert_int_equal(a.status, 401);
    drop(&a);
    demo_stop(demo);
}

static void trains__are_304__until_something_moves(void **state)
{
    struct demo *demo = start_calm(3);
    char etag[128], condition[160];
    struct answer a = get(demo, "/allData.json");

    (void)state;
    snprintf(etag, sizeof etag, "%s", header_of(&a, "ETag"));
    drop(&a);
    snprintf(condition, sizeof condition, "If-None-Match: \"other\", W/%s\r\n", etag);
    a = ask_with(demo, "GET", "/allData.json", condition, "");
    assert_int_equal(a.status, 304);
    assert_int_equal(a.body.len, 0);
    assert_string_equal(header_of(&a, "ETag"), etag);
    drop(&a);
    a = ask_with(demo, "GET", "/allData.json", condition, "");
    assert_int_equal(a.status, 200);
    assert_string_not_equal(header_of(&a, "ETag"), etag);
    drop(&a);
    demo_stop(demo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catalog__opens__with_the_token_only),
        cmocka_unit_test(login__fails__for_a_wrong_password_or_no_json),
        cmocka_unit_test(token__is_refused__when_its_time_is_over),
        cmocka_unit_test(trains__are_304__until_something_moves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
