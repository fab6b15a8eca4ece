/* A program that prints a token: what is taken for one, what is said of all else, and that it leaves nothing behind. */
#include "engine/login_command.h"

#include "engine/core.h"
#include "engine/engine_state.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SAYS "the login's command sh "

static uv_loop_t loop;
static struct engine engine; /* what the command needs of one */
static struct job job;
static char token[LOGIN_COMMAND_PRINTS_MAX + 1]; /* what came of it */
static struct login_printed printed;
static unsigned ends;

static void on_turn(struct engine *e)
{
    (void)e;
}

static void on_printed(struct engine *e, const struct login_printed *p)
{
    assert_ptr_equal(e, &engine);
    assert_null(engine.login.command); /* another may be started */
    assert_int_equal(engine.judging.count, 0);
    printed = *p;
    snprintf(token, sizeof token, "%.*s", STR_ARG(p->token));
    ends++;
}

/* Starts a program, with that line as a shell takes it; NULL: with nothing. */
static void start(const char *program, const char *line)
{
    static char words[3][512];

    assert_in_range(snprintf(words[0], sizeof words[0], "%s", program), 1, sizeof words[0] - 1);
    assert_in_range(snprintf(words[2], sizeof words[2], "%s", line ? line : ""), 0,
                    sizeof words[2] - 1);
    memcpy(words[1], "-c", 3);
    job.login.command =
        (struct job_words){ .list = { words[0], words[1], words[2] }, .count = line ? 3 : 1 };
    ends = 0;
    login_command_start(&engine, on_printed);
    assert_int_equal(ends, 0); /* it comes later, whatever it is */
    assert_int_equal(engine.judging.count, 1);
}

static void until_its_end(void)
{
    while (!ends) {
        uv_run(&loop, UV_RUN_ONCE);
    }
    assert_int_equal(ends, 1);
}

static void run(const char *line)
{
    start("/bin/sh", line);
    until_its_end();
}

static void assert_token(const char *line, const char *want)
{
    run(line);
    assert_string_equal(printed.why, "");
    assert_string_equal(token, want);
    assert_false(printed.is_stopped);
}

static void assert_refused(const char *line, const char *why, bool is_passing)
{
    run(line);
    assert_string_equal(printed.why, why);
    assert_int_equal(printed.token.len, 0);
    assert_int_equal(printed.is_passing, is_passing);
    assert_false(printed.is_stopped);
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    engine = (struct engine){ .job = &job, .options.loop = &loop };
    job.login.timeout_us = 0;
    engine_turns_init(&engine, on_turn);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    uv_close((uv_handle_t *)&engine.turns.idle, NULL);
    uv_close((uv_handle_t *)&engine.turns.after_poll, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0); /* no handle of a command is left */
    secrets_release(&engine.secrets);
    return 0;
}

/* --- what it prints ---------------------------------------------------------------------------------- */

static void token__is_the_one_line__without_space_around_it(void **state)
{
    (void)state;
    assert_token("echo tok-1", "tok-1");
    assert_token("printf tok-2", "tok-2");
    assert_token("echo; echo '  a b '; echo", "a b");
    assert_token("echo a warning >&2; echo tok-3", "tok-3");
}

static void token__is_as_long_as_may_be__and_one_that_has_no_end_is_cut_off(void **state)
{
    (void)state;
    run("head -c 16384 /dev/zero | tr '\\0' x");
    assert_int_equal(strlen(token), LOGIN_COMMAND_PRINTS_MAX);
    assert_int_equal(strspn(token, "x"), LOGIN_COMMAND_PRINTS_MAX);
    assert_refused("yes", SAYS "printed over 16384 bytes; want the token alone", false);
}

static void command__has_a_session_of_its_own__and_nothing_to_read(void **state)
{
    (void)state;
    assert_token("read -r pid name state parent group session rest </proc/$$/stat;"
                 "echo $((group == $$)) $((session == $$))",
                 "1 1");
    assert_refused("cat", SAYS "printed nothing", false);
}

/* --- what goes wrong ----------------------------------------------------------------------------------- */

static void sentence__says_what_is_wrong__and_whether_it_may_pass(void **state)
{
    (void)state;
    assert_refused(":", SAYS "printed nothing", false);
    assert_refused("echo a; echo b", SAYS "printed several lines; want the token alone, on one",
                   false);
    assert_refused("echo tok; exit 3", SAYS "failed with status 3", true);
    assert_refused("echo tok; kill -9 $$", SAYS "was killed by signal 9", true);
    start("/nowhere/at/all", NULL);
    until_its_end();
    assert_string_equal(printed.why,
                        "the login's command all cannot be run: no such file or directory");
    assert_false(printed.is_passing);
}

static void complaint__is_the_first_line__cut_and_without_secrets_or_escapes(void **state)
{
    (void)state;
    assert_int_equal(secrets_add(&engine.secrets, STR("hunter22"), "env.KEY", NULL), RESULT_OK);
    assert_refused("echo >&2; echo not you >&2; echo more >&2; exit 1",
                   SAYS "failed with status 1: not you", true);
    assert_refused("echo hunter22 is wrong >&2; exit 1", SAYS "failed with status 1: *** is wrong",
                   true);
    run("printf '\\033[31mred\\n' >&2; exit 1");
    assert_null(strchr(printed.why, '\033'));
    assert_non_null(strstr(printed.why, "[31mred"));
    run("head -c 100000 /dev/zero | tr '\\0' y >&2; exit 1");
    assert_in_range(strlen(printed.why), strlen(SAYS "failed with status 1: ") + 40,
                    LOGIN_COMMAND_WHY_MAX - 1);
}

/* --- its end ------------------------------------------------------------------------------------------- */

/* It and all that it started hold the end of a pipe: that is over when they are. */
struct leash {
    int held, watched;
    char line[160];
};

static void leash_begin(struct leash *l)
{
    char ready[8] = "";
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    l->watched = fds[0];
    l->held = fds[1];
    assert_int_equal(fcntl(l->watched, F_SETFD, FD_CLOEXEC), 0);
    snprintf(l->line, sizeof l->line, "echo tok; sleep 600 & echo ready >/proc/self/fd/%d; wait",
             l->held);
    start("/bin/sh", l->line);
    assert_int_equal(read(l->watched, ready, 6), 6); /* both are there */
    assert_string_equal(ready, "ready\n");
}

static void assert_all_gone(struct leash *l)
{
    char byte;

    close(l->held);
    assert_int_equal(read(l->watched, &byte, 1), 0);
    close(l->watched);
}

static void stop__kills_all_that_was_started__and_says_so(void **state)
{
    struct leash leash;

    (void)state;
    login_command_stop(&engine); /* there is none */
    leash_begin(&leash);
    login_command_stop(&engine);
    login_command_stop(&engine);
    until_its_end();
    assert_string_equal(printed.why, SAYS "was stopped");
    assert_true(printed.is_stopped);
    assert_int_equal(printed.token.len, 0);
    assert_all_gone(&leash);
}

static void late_command__is_killed_with_all_that_it_started(void **state)
{
    struct leash leash;

    (void)state;
    job.login.timeout_us = 50 * US_PER_MS;
    leash_begin(&leash);
    until_its_end();
    assert_string_equal(printed.why, SAYS "did not end within 50 ms (\"timeout\")");
    assert_false(printed.is_stopped || printed.is_passing);
    assert_all_gone(&leash);
}

static void note_handle(uv_handle_t *handle, void *by_type)
{
    ((uv_handle_t **)by_type)[uv_handle_get_type(handle)] = handle;
}

/* A keyring starts its daemon, which keeps the output open, and ends: then this is back. To close, so that the daemon
 * ends as well. */
static int start_daemon(uv_handle_t **handles)
{
    char line[160];
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(fcntl(fds[1], F_SETFD, FD_CLOEXEC), 0);
    snprintf(line, sizeof line, "echo tok; cat /proc/self/fd/%d &", fds[0]);
    start("/bin/sh", line);
    uv_walk(&loop, note_handle, handles);
    while (uv_is_active(handles[UV_PROCESS])) {
        uv_run(&loop, UV_RUN_ONCE);
    }
    assert_int_equal(ends, 0);
    close(fds[0]);
    return fds[1];
}

static void token__is_taken__though_the_output_stays_open(void **state)
{
    uv_handle_t *handles[UV_HANDLE_TYPE_MAX] = { NULL };
    int daemon;

    (void)state;
    daemon = start_daemon(handles);
    /* the time is over, after its end */
    uv_timer_set_repeat((uv_timer_t *)handles[UV_TIMER], 1);
    assert_int_equal(uv_timer_again((uv_timer_t *)handles[UV_TIMER]), 0);
    until_its_end();
    assert_string_equal(printed.why, "");
    assert_string_equal(token, "tok");
    close(daemon);
}

static void stop__is_one__when_only_the_output_is_open(void **state)
{
    uv_handle_t *handles[UV_HANDLE_TYPE_MAX] = { NULL };
    int daemon;

    (void)state;
    daemon = start_daemon(handles);
    login_command_stop(&engine);
    until_its_end();
    assert_true(printed.is_stopped);
    assert_int_equal(printed.token.len, 0);
    close(daemon);
}

#define COMMAND(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COMMAND(token__is_the_one_line__without_space_around_it),
        COMMAND(token__is_as_long_as_may_be__and_one_that_has_no_end_is_cut_off),
        COMMAND(command__has_a_session_of_its_own__and_nothing_to_read),
        COMMAND(sentence__says_what_is_wrong__and_whether_it_may_pass),
        COMMAND(complaint__is_the_first_line__cut_and_without_secrets_or_escapes),
        COMMAND(stop__kills_all_that_was_started__and_says_so),
        COMMAND(late_command__is_killed_with_all_that_it_started),
        COMMAND(token__is_taken__though_the_output_stays_open),
        COMMAND(stop__is_one__when_only_the_output_is_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
