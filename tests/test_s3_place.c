/* Where an object lies and as whom it is written: by the path, the environment and the files of AWS's tools. */
#include "s3/place.h"
#include "s3/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const variables[] = {
    "AWS_ACCESS_KEY_ID",           "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE",           "AWS_REGION",
    "AWS_DEFAULT_REGION",          "AWS_CONFIG_FILE",       "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",         "AWS_CA_BUNDLE",
};

static char file[] = "/tmp/scrapetop-test-profile-XXXXXX";

static int nothing_set(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        unsetenv(variables[i]);
    }
    setenv("HOME", "/nonexistent", 1);
    return 0;
}

static int keys_set(void **state)
{
    nothing_set(state);
    setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    return 0;
}

static void write_file(const char *text)
{
    FILE *out = fopen(file, "w");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void assert_urls(const char *path, const char *object, const char *bucket)
{
    struct s3_place place;
    struct buf url = { 0 };
    struct err err;

    assert_int_equal(s3_place_read(&place, path, &err), RESULT_OK);
    assert_int_equal(s3_place_url(&place, false, &url), RESULT_OK);
    assert_string_equal(buf_cstr(&url), object);
    buf_reset(&url);
    assert_int_equal(s3_place_url(&place, true, &url), RESULT_OK);
    assert_string_equal(buf_cstr(&url), bucket);
    buf_release(&url);
    s3_place_release(&place);
}

static void assert_refused(const char *path, const char *code)
{
    struct s3_place place;
    struct err err;

    if (s3_place_read(&place, path, &err) == RESULT_OK) {
        fail_msg("%s is a place", path);
    }
    assert_string_equal(err.code, code);
    assert_null(place.secret);
}

static void url__has_bucket_in_host__at_aws(void **state)
{
    (void)state;
    assert_urls("s3://lake/a.csv", "https://lake.s3.us-east-1.amazonaws.com/a.csv",
                "https://lake.s3.us-east-1.amazonaws.com/");
    setenv("AWS_DEFAULT_REGION", "eu-west-1", 1);
    assert_urls("s3://lake.of.x/by=day/a.csv",
                "https://s3.eu-west-1.amazonaws.com/lake.of.x/by%3Dday/a.csv",
                "https://s3.eu-west-1.amazonaws.com/lake.of.x/");
}

static void url__has_bucket_in_path__at_an_endpoint(void **state)
{
    (void)state;
    setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000//", 1);
    assert_urls("s3://Old_lake/\xc3\xbc +~?#%.csv",
                "http://127.0.0.1:9000/Old_lake/%C3%BC%20%2B~%3F%23%25.csv",
                "http://127.0.0.1:9000/Old_lake/");
    setenv("AWS_ENDPOINT_URL_S3", "https://[::1]:9000/s3", 1);
    assert_urls("s3://lake/a", "https://[::1]:9000/s3/lake/a", "https://[::1]:9000/s3/lake/");
}

static void place__that_can_be_none__is_refused(void **state)
{
    static const char *const paths[] = { "s3://",
                                         "s3://lake",
                                         "s3://lake/",
                                         "s3:///a",
                                         "s3://-lake/a",
                                         "s3://la ke/a",
                                         "s3://lake/a/",
                                         "s3://lake/../a",
                                         "s3://lake/a/./b",
                                         "s3://lake/a\nb",
                                         "s3://l%61ke/a",
                                         "s3://lake/..",
                                         "s3://user:password@lake/a" };
    static const char *const endpoints[] = { "ftp://host", "host", "http://user:word@host",
                                             "http://host/?q", "https://ho st" };

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_refused(paths[i], "E-OUT6");
    }
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        setenv("AWS_ENDPOINT_URL", endpoints[i], 1);
        assert_refused("s3://lake/a", "E-OUT6");
    }
    unsetenv("AWS_ENDPOINT_URL");
    setenv("AWS_REGION", "eu-west-1/../", 1);
    assert_refused("s3://lake/a", "E-OUT6");
    assert_false(s3_is_place("S3://lake/a"));
    assert_false(s3_is_place("s3:/lake/a"));
}

static void keys__that_are_none__are_refused(void **state)
{
    (void)state;
    assert_refused("s3://lake/a", "E-OUT7");
    setenv("AWS_ACCESS_KEY_ID", "AKID", 1); /* half of a pair */
    assert_refused("s3://lake/a", "E-OUT7");
    setenv("AWS_SECRET_ACCESS_KEY", "two\r\nx-amz-acl: public-read", 1);
    assert_refused("s3://lake/a", "E-OUT7");
}

static void keys__of_a_profile__are_of_its_section(void **state)
{
    struct s3_place place;
    struct err err;

    (void)state;
    write_file(
        "# keys\n[default]\naws_access_key_id = OTHER\naws_secret_access_key=other\n\n"
        "[profile night]\r\n aws_access_key_id = INDENTED\r\naws_access_key_id = AKNIGHT \r\n"
        "aws_secret_access_key = a/b+c=\r\naws_session_token=token==\nregion = eu-north-1\n");
    setenv("AWS_SHARED_CREDENTIALS_FILE", file, 1);
    setenv("AWS_CONFIG_FILE", file, 1);
    setenv("AWS_PROFILE", "night", 1);
    assert_int_equal(s3_place_read(&place, "s3://lake/a", &err), RESULT_OK);
    assert_string_equal(place.key_id, "AKNIGHT");
    assert_string_equal(place.secret, "a/b+c=");
    assert_string_equal(place.session_token, "token==");
    assert_string_equal(place.region, "eu-north-1");
    s3_place_release(&place);
    setenv("AWS_PROFILE", "day", 1);
    assert_refused("s3://lake/a", "E-OUT7");
}

static void region__told_by_the_server__is_taken_if_it_can_be_one(void **state)
{
    struct s3_place place;
    struct err err;

    (void)state;
    assert_int_equal(s3_place_read(&place, "s3://lake/a", &err), RESULT_OK);
    assert_true(s3_place_set_region(&place, STR("ap-south-1")));
    assert_string_equal(place.region, "ap-south-1");
    assert_false(s3_place_set_region(&place, STR("evil.example/")));
    assert_false(s3_place_set_region(&place, STR("")));
    assert_string_equal(place.region, "ap-south-1");
    s3_place_release(&place);
}

static void value__of_a_file_that_is_none__is_empty(void **state)
{
    static const char *const texts[] = { "",        "[",        "]",
                                         "[]",      "key=1",    "[a]",
                                         "[a]\n=1", "[a]\nkey", "[b]\nkey=1\n[a]" };
    struct str value;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        value = profile_value(str_view(texts[i]), STR("a"), STR("key"));
        assert_int_equal(value.len, 0);
    }
    value = profile_value(STR("[a]\nkey=\n;key=2\n[a]\nkey = 1 = 2"), STR("a"), STR("key"));
    assert_int_equal(value.len, 0); /* the first counts */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(url__has_bucket_in_host__at_aws, keys_set),
        cmocka_unit_test_setup(url__has_bucket_in_path__at_an_endpoint, keys_set),
        cmocka_unit_test_setup(place__that_can_be_none__is_refused, keys_set),
        cmocka_unit_test_setup(keys__that_are_none__are_refused, nothing_set),
        cmocka_unit_test_setup(keys__of_a_profile__are_of_its_section, nothing_set),
        cmocka_unit_test_setup(region__told_by_the_server__is_taken_if_it_can_be_one, keys_set),
        cmocka_unit_test_setup(value__of_a_file_that_is_none__is_empty, nothing_set),
    };
    int fd = mkstemp(file), failed;

    if (fd < 0) {
        return 1;
    }
    close(fd);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(file);
    return failed;
}
