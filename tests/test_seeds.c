#include "plan/seeds.h"

#include "job/job_file.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

static struct job_faults faults;

static void parse(struct job *job, const char *text)
{
    struct err err = { .text = "" };

    if (job_file_parse(job, str_view(text), "/j.json", NULL, &faults, &err) != RESULT_OK) {
        fail_msg("%s", faults.errors[0].text);
    }
}

static void assert_text(struct str got, const char *want)
{
    if (!str_equal(got, str_view(want))) {
        fail_msg("want \"%s\", got \"%.*s\"", want ? want : "nothing", STR_ARG(got));
    }
}

static void templates__are_counted_and_made__with_their_first_page(void **state)
{
    static const char text[] =
        "{\"vars\":{\"city\":[\"t\xC3\xB6ronto\",\"ottawa\"],\"id\":\"[1-3]\"},\"endpoints\":["
        "{\"name\":\"details\",\"url\":\"https://h/d/{list.id}\"},"
        "{\"name\":\"list\",\"url\":\"https://h/{city}/"
        "{id}\",\"pages\":{\"param\":\"page\",\"size\":"
        "50,\"size_param\":\"n\"}},"
        "{\"name\":\"all\",\"url\":\"https://h/all\",\"pages\":{\"offset_param\":\"o\"}},"
        "{\"name\":\"query\",\"url\":\"https://h/q\",\"json\":{\"v\":{\"id\":\"{id}\"}},\"pages\":"
        "{\"cursor\":\"/c\",\"param\":\"/v/after\"}}]}";
    struct job job;
    struct seeds *seeds;
    struct seed seed;
    struct err err = { .text = "" };

    (void)state;
    parse(&job, text);
    if (seeds_new(&seeds, &job, NULL, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(seeds_total(seeds), 6 + 1 + 3);
    assert_int_equal(seeds_planned(seeds, 0), 6);
    assert_string_equal(job.endpoints[1].name, "details");
    assert_int_equal(seeds_planned(seeds, 1), 0);
    assert_int_equal(seeds_read(seeds, SEEDS_PLAN, 2, &seed, &err), RESULT_OK);
    assert_text(seed.url, "https://h/t%C3%B6ronto/2?page=1&n=50");
    assert_text(seed.key, "t\xC3\xB6ronto,2,page=1");
    assert_text(seed.vars, "{\"city\":\"t\xC3\xB6ronto\",\"id\":2}");
    assert_null(seed.body.data);
    assert_int_equal(seeds_read(seeds, SEEDS_PLAN, 6, &seed, &err), RESULT_OK);
    assert_text(seed.key, "ottawa,3,page=1");
    assert_int_equal(seed.endpoint, 0);
    assert_int_equal(seeds_read(seeds, SEEDS_LOOK, 7, &seed, &err), RESULT_OK);
    assert_text(seed.url, "https://h/all?o=0");
    assert_text(seed.key, "o=0");
    assert_null(seed.vars.data);
    assert_int_equal(seed.endpoint, 2);
    assert_int_equal(seeds_read(seeds, SEEDS_RESTORE, 10, &seed, &err), RESULT_OK);
    assert_text(seed.body, "{\"v\":{\"id\":3}}");
    assert_int_equal(seed.endpoint, 3);
    seeds_free(seeds);
    job_release(&job);
}

static void seeds__say_which_file__cannot_be_read(void **state)
{
    struct job job;
    struct seeds *seeds;
    struct err err = { .text = "" };

    (void)state;
    parse(&job, "{\"vars\":{\"v\":{\"file\":\"/no/such.csv\"}},\"endpoints\":[{\"url\":"
                "\"https://h/{v.id}\"}]}");
    assert_int_equal(seeds_new(&seeds, &job, NULL, &err), RESULT_NOT_FOUND);
    assert_non_null(strstr(err.text, "/no/such.csv"));
    job_release(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates__are_counted_and_made__with_their_first_page),
        cmocka_unit_test(seeds__say_which_file__cannot_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
