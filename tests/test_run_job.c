#include "session/run_job.h"
#include "job/auth/auth_kind.h"

#include "base/clock.h"
#include "session/dry_run.h"
#include "cmd/run_options.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/scrapetop-test-XXXXXX";
static char job_path[64];

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* The words of a command line, ended by NULL, after "run". */
static enum result parse(struct run_options *options, struct err *err, const char *const *words)
{
    static char text[16][128]; /* the options point into it until the next call */
    char *argv[16] = { text[0] };
    int argc = 1;

    for (; words[argc - 1]; argc++) {
        snprintf(text[argc], sizeof text[argc], "%s", words[argc - 1]);
        argv[argc] = text[argc];
    }
    *err = (struct err){ .text = "" };
    return run_options_parse(options, argc, argv, err);
}

#define WORDS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static const char job_text[] =
    "{\"base\":\"https://api.example.org\",\"pace\":{\"cap\":20,\"rate\":\"5/s\"},"
    "\"headers\":{\"X-A\":\"file\",\"X-B\":\"file\"},\"vars\":{\"row\":{\"file\":\"ids.csv\"}},"
    "\"endpoints\":[{\"name\":\"items\",\"url\":\"/items/"
    "{row.id}\",\"pages\":{\"param\":\"page\"}},"
    "{\"name\":\"details\",\"url\":\"/details/{items.id}\"}]}";

static void options__go_before_the_job_file(void **state)
{
    struct run_options options;
    struct err err;

    (void)state;
    write_file(job_path, job_text);
    if (parse(&options, &err,
              WORDS("--cap", "7", job_path, "-H", "X-A: line", "--base", "http://127.0.0.1:1",
                    "--every", "30s", "--count", "3", "--until", "2026-11-21T18:00:00Z")) !=
        RESULT_OK) {
        fail_msg("%s", err.text);
    }
    assert_true(options.has_sources);
    assert_int_equal(options.job.pace.cap, 7);
    assert_true(options.job.pace.rate.requests == 5);
    assert_string_equal(options.job.name, "j");
    assert_int_equal(options.job.header_count, 2);
    assert_string_equal(options.job.headers[0].sent, "X-A: line");
    assert_string_equal(options.job.headers[1].sent, "X-B: file");
    assert_string_equal(options.job.endpoints[0].sources[0].text,
                        "http://127.0.0.1:1/items/{row.id}");
    assert_int_equal(options.job.poll.every_us, 30 * US_PER_S);
    assert_int_equal(options.job.poll.count, 3);
    assert_true(options.job.poll.until_us > 0);
    run_options_release(&options);
}

static void command_line__is_refused__when_it_contradicts_the_job_file(void **state)
{
    static const struct {
        const char *const words[5];
        const char *want;
    } cases[] = {
        { { job_path, "https://h/", NULL }, "a job file and URLs are given" },
        { { job_path, "other.json", NULL }, "two job files" },
        { { job_path, "-X", "POST", NULL }, "--request is for URLs" },
        { { job_path, "--records", "/a", NULL }, "--records is for URLs" },
        { { job_path, "-i", job_path, NULL }, "a job file and URLs are given" },
        { { "--base", "http://h/", "https://h/", NULL }, "--base URL goes with a job file" },
        { { job_path, "--base", "ftp://h/", NULL }, "--base: scheme \"ftp\" not allowed" },
        { { job_path, "--count", "3", NULL }, "--count and --until end --every" },
        { { "--show-config", "-o", "x", NULL }, "--show-config wants URLs or a job file" },
        { { "/no/such.json", NULL }, "cannot read /no/such.json" },
    };

    (void)state;
    write_file(job_path, job_text);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run_options options;
        struct err err;

        assert_int_not_equal(parse(&options, &err, cases[i].words), RESULT_OK);
        if (!strstr(err.text, cases[i].want)) {
            fail_msg("want \"%s\", got \"%s\"", cases[i].want, err.text);
        }
    }
}

static void mistakes__are_counted__when_there_are_several(void **state)
{
    struct run_options options;
    struct err err;
    char want[128];

    (void)state;
    write_file(job_path, "{\"nam\":1,\"endpoints\":[{\"url\":\"x\"}]}");
    assert_int_equal(parse(&options, &err, WORDS(job_path)), RESULT_INVALID);
    snprintf(want, sizeof want, "%s: 2 mistakes", job_path);
    assert_string_equal(err.text, want);
    write_file(job_path, "{\"nam\":1,\"endpoints\":[{\"url\":\"https://h/\"}]}");
    assert_int_equal(parse(&options, &err, WORDS(job_path)), RESULT_INVALID);
    assert_string_equal(err.code, "E-CFG1");
}

static void check__notes_checksums__and_finds_bad_rows(void **state)
{
    struct run_options options;
    struct err err;
    char ids[64];

    (void)state;
    snprintf(ids, sizeof ids, "%s/ids.csv", dir);
    write_file(job_path, job_text);
    write_file(ids, "id\n1\n2\n");
    assert_int_equal(parse(&options, &err, WORDS(job_path)), RESULT_OK);
    assert_int_equal(run_job_check(&options.job, &err), RESULT_OK);
    assert_true(options.job.vars[0].has_crc32c);
    write_file(ids, "id\n1\n2\n3\n");
    assert_int_equal(run_job_check(&options.job, &err), RESULT_INVALID);
    assert_string_equal(err.code, "E-IN5");
    run_options_release(&options);
    write_file(ids, "ID\n1\n");
    assert_int_equal(parse(&options, &err, WORDS(job_path)), RESULT_OK);
    assert_int_equal(run_job_check(&options.job, &err), RESULT_INVALID);
    assert_string_equal(err.code, "E-CFG5");
    run_options_release(&options);
    unlink(ids);
}

static void url_secret__becomes_a_login__and_stands_nowhere(void **state)
{
    static const struct {
        const char *url, *left, *name;
    } cases[] = {
        { "https://h/x?key=${RUN_JOB_KEY}", "https://h/x", "key" },
        { "https://h/x?key=${RUN_JOB_KEY}&a=[1-2]", "https://h/x?a=[1-2]", "key" },
        { "https://h/x?a=[1-2]&api_key=${RUN_JOB_KEY}", "https://h/x?a=[1-2]", "api_key" },
        { "https://h/x?a=1&k=${RUN_JOB_KEY}&b=2", "https://h/x?a=1&b=2", "k" },
    };
    struct run_options options;
    struct buf out = { 0 };
    struct err err;

    (void)state;
    setenv("RUN_JOB_KEY", "k3y-of-the-line", 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (parse(&options, &err, WORDS(cases[i].url)) != RESULT_OK) {
            fail_msg("%s", err.text);
        }
        assert_string_equal(options.job.endpoints[0].sources[0].text, cases[i].left);
        assert_ptr_equal(options.job.login.kind, &auth_key);
        assert_true(options.job.login.in_query);
        assert_string_equal(options.job.login.name, cases[i].name);
        assert_string_equal(options.job.login.secret.sent, "k3y-of-the-line");
        buf_reset(&out);
        assert_int_equal(job_write(&options.job, &out, &err), RESULT_OK);
        assert_null(strstr(buf_cstr(&out), "k3y-of-the-line"));
        assert_non_null(strstr(buf_cstr(&out), "${RUN_JOB_KEY}"));
        run_options_release(&options);
    }
    buf_release(&out);
    assert_int_equal(parse(&options, &err, WORDS("https://h/${RUN_JOB_KEY}/x")), RESULT_INVALID);
    assert_string_equal(err.code, "E-SEC4");
    assert_int_equal(parse(&options, &err, WORDS("https://h/?a=x${RUN_JOB_KEY}")), RESULT_INVALID);
    assert_string_equal(err.code, "E-SEC4");
    assert_int_equal(parse(&options, &err, WORDS("https://h/?a=${RUN_JOB_NONE}")),
                     RESULT_NOT_FOUND);
    assert_string_equal(err.code, "E-SEC2");
    assert_int_equal(
        parse(&options, &err, WORDS("https://h/?a=${RUN_JOB_KEY}", "https://h/?b=${RUN_JOB_KEY}")),
        RESULT_INVALID);
    assert_string_equal(err.code, "E-SEC4");
}

static void dry_run__prints_a_job_file__masked(void **state)
{
    static const char text[] =
        "{\"base\":\"https://h\",\"login\":{\"url\":\"/login\",\"json\":{\"password\":"
        "\"${RUN_JOB_KEY}\"}},\"vars\":{\"id\":\"[1-2]\",\"word\":[\"k3y-of-the-line\"]},"
        "\"endpoints\":[{\"name\":\"a\",\"url\":\"/"
        "a?id={id}&w={word}\",\"pages\":{\"param\":\"p\"}},"
        "{\"name\":\"b\",\"url\":\"/b?token=x\",\"json\":{\"of\":\"{a.id}\"}}]}";
    static const char want[] =
        "POST https://h/login {\"password\":\"${RUN_JOB_KEY}\"}  to log in\n"
        "GET https://h/a?id=1&w=***&p=1  and its further pages\n"
        "GET https://h/a?id=2&w=***&p=1  and its further pages\n"
        "POST https://h/b?token=*** {\"of\":\"{a.id}\"}  for each record of a\n";
    struct run_options options;
    char *got = NULL;
    size_t size;
    FILE *to = open_memstream(&got, &size);
    struct price_plan plan;
    struct err err;

    (void)state;
    setenv("RUN_JOB_KEY", "k3y-of-the-line", 1);
    write_file(job_path, text);
    assert_int_equal(parse(&options, &err, WORDS(job_path)), RESULT_OK);
    assert_int_equal(dry_run_print(&options.job, to, &plan, &err), RESULT_OK);
    fclose(to);
    assert_string_equal(got, want);
    assert_int_equal(plan.requests, 2);
    assert_true(plan.names_more);
    free(got);
    run_options_release(&options);
}

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir)) {
        return -1;
    }
    snprintf(job_path, sizeof job_path, "%s/j.json", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(job_path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options__go_before_the_job_file),
        cmocka_unit_test(command_line__is_refused__when_it_contradicts_the_job_file),
        cmocka_unit_test(mistakes__are_counted__when_there_are_several),
        cmocka_unit_test(check__notes_checksums__and_finds_bad_rows),
        cmocka_unit_test(url_secret__becomes_a_login__and_stands_nowhere),
        cmocka_unit_test(dry_run__prints_a_job_file__masked),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
