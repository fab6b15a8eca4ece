/* The rest of a list that comes in by a pipe: what is asked, what the copy keeps, and how it ends. */
#include "engine/feed.h"
#include "engine_fixture.h"
#include "job/list_entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK "list-1.open"
#define TEXT_MAX 512

struct fed {
    struct script script;
    struct server *server;
    struct run run;
    struct feed_source source;
    char path[128]; /* of the copy */
    int into;       /* the pipe's other end; -1: closed */
};

/* "URL/NUMBER\n" for each up to a 0. Of the last two calls. */
static const char *lines(const struct fed *f, const unsigned *numbers)
{
    static char texts[2][TEXT_MAX];
    static unsigned turn_of;
    char *text = texts[turn_of++ % 2];
    size_t len = 0;

    text[0] = '\0';
    for (; *numbers; numbers++) {
        len += (size_t)snprintf(text + len, TEXT_MAX - len, "%s%u\n", server_url(f->server, "/"),
                                *numbers);
        assert_in_range(len, 1, TEXT_MAX - 1);
    }
    return text;
}

#define LINES(f, ...) lines(f, (const unsigned[]){ __VA_ARGS__, 0 })

static void say(const struct fed *f, const char *text)
{
    size_t len = strlen(text);

    assert_int_equal(write(f->into, text, len), len);
}

static void hang_up(struct fed *f)
{
    close(f->into);
    f->into = -1;
}

/* A run whose copy of the list has one line, and a pipe that the rest comes from. */
static void fed_open(struct fed *f)
{
    int fds[2], copy, mark;

    *f = (struct fed){ .script = { .usual = USUAL } };
    f->server = server_start(play, &f->script);
    run_begin(&f->run, "list");
    f->run.job.endpoints[0].sources[0].kind = JOB_SOURCE_LIST;
    snprintf(f->path, sizeof f->path, "%s/list.txt", f->run.temp.base);
    copy = open(f->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    assert_true(copy >= 0);
    assert_int_equal(pipe(fds), 0);
    f->into = fds[1];
    f->source = (struct feed_source){
        .is_used = true, .name = "stdin", .pipe_fd = fds[0], .copy_fd = copy, .mark = MARK
    };
    f->source.size = (uint64_t)write(copy, LINES(f, 1), strlen(LINES(f, 1)));
    f->run.list_fd = open(f->path, O_RDONLY | O_CLOEXEC);
    assert_true(f->run.list_fd >= 0);
    run_open(&f->run);
    mark = openat(f->run.dir.fd, MARK, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(mark >= 0);
    close(mark);
}

/* The first request is under way before the feed is there, and its answer comes after. */
static void fed_start(struct fed *f)
{
    assert_int_equal(engine_start(f->run.engine, NULL), RESULT_OK);
    assert_int_equal(feed_start(f->run.engine, &f->source, f->run.list_fd, NULL), RESULT_OK);
}

static void fed_begin(struct fed *f)
{
    fed_open(f);
    fed_start(f);
}

static void assert_copy(const struct fed *f, const char *want)
{
    char got[TEXT_MAX] = "";

    assert_in_range(pread(f->run.list_fd, got, sizeof got - 1, 0), 0, TEXT_MAX - 2);
    assert_string_equal(got, want);
}

static bool is_marked(const struct fed *f)
{
    char path[160];

    snprintf(path, sizeof path, "%s/" MARK, f->run.temp.run);
    return access(path, F_OK) == 0;
}

static void fed_end(struct fed *f)
{
    if (f->into >= 0) {
        hang_up(f);
    }
    feed_source_release(&f->source);
    run_end(&f->run);
    server_stop(f->server);
}

static void until_total(struct fed *f, uint64_t total)
{
    while (look(&f->run)->total < total) {
        turn(&f->run);
    }
}

/* --- what is asked ----------------------------------------------------------------------------------- */

static void lines__are_asked_as_they_come__and_half_of_one_waits(void **state)
{
    struct fed f;
    const char *second;

    (void)state;
    fed_open(&f);
    second = LINES(&f, 2);
    assert_int_equal(buf_append(&f.source.begun, second, 9), RESULT_OK);
    fed_start(&f);
    say(&f, second + 9);
    say(&f, LINES(&f, 3));
    say(&f, "http://");
    until_asked(&f.run, f.server, 3);
    while (look(&f.run)->ok < 3 || look(&f.run)->limit.kind != LIMIT_INPUT) {
        turn(&f.run);
    }
    assert_false(f.run.done);
    assert_false(look(&f.run)->total_known);
    assert_copy(&f, LINES(&f, 1, 2, 3));
    say(&f,
        strchr(server_url(f.server, "/4"), ':') + 3); /* the rest of it, which has no end of line */
    hang_up(&f);
    run_until_done(&f.run);
    assert_true(look(&f.run)->total_known);
    run_close(&f.run);
    assert_int_equal(f.run.report.exit, EXIT_WELL);
    assert_int_equal(f.run.report.ok, 4);
    assert_false(f.run.report.list_is_cut);
    assert_copy(&f, LINES(&f, 1, 2, 3, 4));
    assert_false(is_marked(&f));
    assert_told(&f.run, "the list has ended: 4 requests", true);
    fed_end(&f);
}

static void blank_lines_and_comments__are_kept__and_are_no_requests(void **state)
{
    struct fed f;
    char want[TEXT_MAX];

    (void)state;
    fed_begin(&f);
    say(&f, "\n# no more\n\n");
    hang_up(&f);
    run_until_done(&f.run);
    run_close(&f.run);
    assert_int_equal(f.run.report.exit, EXIT_WELL);
    assert_int_equal(f.run.report.total, 1);
    snprintf(want, sizeof want, "%s\n# no more\n\n", LINES(&f, 1));
    assert_copy(&f, want);
    assert_false(is_marked(&f));
    assert_told(&f.run, "the list has ended: 1 request\"", true);
    fed_end(&f);
}

/* Lines that are looked at before others have their turn. */
#define LINES_A_TURN 20000

static void many_lines__leave_the_loop_to_others(void **state)
{
    struct fed f;
    struct buf text = { 0 };
    uint64_t before = 1;

    (void)state;
    fed_begin(&f);
    tell(&f.run, CONTROL_PAUSE, 0);
    for (unsigned i = 0; i < 2 * LINES_A_TURN + 1; i++) {
        assert_int_equal(buf_append_str(&text, STR("http://h.test/\n")), RESULT_OK);
    }
    say(&f, buf_cstr(&text)); /* the thread reads while this writes */
    while (before < 2 * LINES_A_TURN + 2) {
        uint64_t now;

        turn(&f.run);
        now = look(&f.run)->total;
        assert_in_range(now - before, 0, LINES_A_TURN);
        before = now;
    }
    assert_int_equal(before, 2 * LINES_A_TURN + 2);
    tell(&f.run, CONTROL_ABORT, EXIT_INTERRUPTED);
    run_until_done(&f.run);
    run_close(&f.run);
    assert_true(f.run.report.list_is_cut);
    assert_true(is_marked(&f));
    buf_release(&text);
    fed_end(&f);
}

/* --- what cannot be asked ------------------------------------------------------------------------------ */

static void
bad_line__ends_the_list_before_it__and_those_before_are_left_to_a_resumed_run(void **state)
{
    struct fed f;
    char text[TEXT_MAX];

    (void)state;
    fed_begin(&f);
    snprintf(text, sizeof text, "%sno url\n%s", LINES(&f, 2), LINES(&f, 3));
    say(&f, text);
    run_until_done(&f.run);
    run_close(&f.run);
    assert_int_equal(f.run.report.exit, EXIT_USAGE);
    assert_int_equal(f.run.report.ok, 1); /* it was under way */
    assert_int_equal(f.run.report.pending, 1);
    assert_int_equal(server_count(f.server), 1);
    assert_true(f.run.report.list_is_cut);
    assert_non_null(strstr(f.run.report.stopped_by, "stdin"));
    assert_copy(&f, LINES(&f, 1, 2));
    assert_true(is_marked(&f));
    fed_end(&f);
}

static void line_without_end__is_refused__and_not_kept(void **state)
{
    struct fed f;
    char *line = malloc(2 * LIST_LINE_MAX + 2);

    (void)state;
    assert_non_null(line);
    memset(line, 'x', 2 * LIST_LINE_MAX + 1);
    line[2 * LIST_LINE_MAX + 1] = '\0';
    fed_begin(&f);
    say(&f, line);
    run_until_done(&f.run);
    run_close(&f.run);
    assert_int_equal(f.run.report.exit, EXIT_USAGE);
    assert_int_equal(f.run.report.ok, 1);
    assert_non_null(strstr(f.run.report.stopped_by, "line over 65536 bytes"));
    assert_copy(&f, LINES(&f, 1));
    free(line);
    fed_end(&f);
}

static void assert_ends_for_storage(struct fed *f)
{
    run_until_done(&f->run);
    run_close(&f->run);
    assert_int_equal(f->run.report.exit, EXIT_STORAGE);
    assert_int_equal(f->run.report.ok, 1);
    assert_true(f->run.report.list_is_cut);
    assert_non_null(strstr(f->run.report.stopped_by, "the list cannot be read on or kept"));
    assert_copy(f, LINES(f, 1));
    assert_true(is_marked(f));
    fed_end(f);
}

static void run__ends_as_storage_fails__when_the_rest_cannot_be_read(void **state)
{
    struct fed f;

    (void)state;
    fed_open(&f);
    close(f.source.pipe_fd);
    f.source.pipe_fd = open(f.run.temp.base, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* EISDIR */
    fed_start(&f);
    assert_ends_for_storage(&f);
}

static void run__ends_as_storage_fails__when_the_copy_cannot_be_written(void **state)
{
    struct fed f;

    (void)state;
    fed_open(&f);
    close(f.source.copy_fd);
    f.source.copy_fd = open(f.path, O_RDONLY | O_CLOEXEC); /* EBADF */
    fed_start(&f);
    say(&f, LINES(&f, 2));
    assert_ends_for_storage(&f);
}

/* --- stops --------------------------------------------------------------------------------------------- */

static void stop__keeps_nothing_that_comes_after(void **state)
{
    struct fed f;

    (void)state;
    fed_begin(&f);
    say(&f, LINES(&f, 2));
    until_total(&f, 2);
    tell(&f.run, CONTROL_DRAIN, 0);
    say(&f, LINES(&f, 3));
    run_until_done(&f.run);
    run_close(&f.run);
    assert_true(f.run.report.list_is_cut);
    assert_copy(&f, LINES(&f, 1, 2));
    assert_true(is_marked(&f));
    fed_end(&f);
}

/* A Ctrl-C stops who writes the list as well. */
static void end__that_comes_with_a_stop__is_not_that_of_the_list(void **state)
{
    struct fed f;

    (void)state;
    fed_begin(&f);
    tell(&f.run, CONTROL_DRAIN, 0);
    hang_up(&f);
    run_until_done(&f.run);
    run_close(&f.run);
    assert_int_equal(f.run.report.ok, 1);
    assert_true(f.run.report.list_is_cut);
    assert_true(is_marked(&f));
    assert_told(&f.run, "the list has ended", false);
    fed_end(&f);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines__are_asked_as_they_come__and_half_of_one_waits),
        cmocka_unit_test(blank_lines_and_comments__are_kept__and_are_no_requests),
        cmocka_unit_test(many_lines__leave_the_loop_to_others),
        cmocka_unit_test(
            bad_line__ends_the_list_before_it__and_those_before_are_left_to_a_resumed_run),
        cmocka_unit_test(line_without_end__is_refused__and_not_kept),
        cmocka_unit_test(run__ends_as_storage_fails__when_the_rest_cannot_be_read),
        cmocka_unit_test(run__ends_as_storage_fails__when_the_copy_cannot_be_written),
        cmocka_unit_test(stop__keeps_nothing_that_comes_after),
        cmocka_unit_test(end__that_comes_with_a_stop__is_not_that_of_the_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
