/*
 * scrapetop, an htop for long API scrapes. This file picks the subcommand; the rest of the program:
 *
 *   JOB --> job --(job)--> plan --(request)--> fetch --(response)--> store --(record)--> normalise
 *                           ^                    | done, failed,                            | rows
 *                           |                    | "slow down"                              v
 *                           +------ engine <-----+                                        output
 *                             snapshot |  ^ command
 *                                      v  |
 *                                       ui
 *
 *   cmd/        one thin file a subcommand: arguments in, one call, exit code out
 *   base/       bytes, errors, clocks, units, text made safe to show: knows nothing of this program
 *   job/        what the user asked for: URL patterns, lists, headers; immutable once loaded
 *   plan/       what to ask next, and when: hosts, limits, retries; told the time, never reads a clock
 *   fetch/      libcurl on a libuv loop; one response a request
 *   store/      bodies in append-only segments, SQLite for the rest, and the thread that commits both
 *   normalise/  bodies in, rows out: no sockets, no clock, no threads
 *   output/     tables in plan order, written beside and renamed
 *   fleet/      what workers on one job tell each other, by a Redis: no requests, no answers
 *   engine/     owns all of these, and every way back from a later to an earlier one
 *   session/    one process at work on one run: lists, places, terminal, signals
 *   probe/      one request, looked at, and a job file made of it
 *   history/    runs that are stored: status, replay, comparison, what failed
 *   demo/       the embedded API that `demo`, the tests and the benchmarks scrape
 *   ui/         (beside src) draws a snapshot of the engine, answers with commands
 *
 * A part knows the noun that it is handed and the noun that it makes. What it may include stands in
 * tests/test_arrows.py, which fails when it includes more.
 *
 * Threads: the loop (network, timers, keys, drawing), the committer (disk), libuv's pool (tables), and with --fleet
 * one that talks to Redis, with --pack one that packs what is stored.
 */
#include "base/utf8.h"

#include "base/os.h"
#include "cmd/cmd.h"
#include "cmd/completions.h"
#include "cmd/demo_options.h"
#include "cmd/live_options.h"
#include "cmd/probe_options.h"
#include "cmd/read_options.h"
#include "cmd/report_options.h"
#include "cmd/run_options.h"
#include "cmd/version.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define DESCRIPTORS_LEAST 24 /* beside the standard ones: what a run of one connection takes */
#define DESCRIPTORS_WANTED 256
#define LARGE_BLOCK_BYTES (1 << 20)
#define HEAP_KEPT_BYTES (16 << 20)
#define POOL_EXTRA_THREADS 2 /* for name resolution, while every core normalises */

static const struct command commands[] = {
    { &run_table, cmd_run },       { &sweep_table, cmd_sweep },
    { &probe_table, cmd_probe },   { &normalise_table, cmd_normalise },
    { &raw_table, cmd_raw },       { &status_table, cmd_status },
    { &verify_table, cmd_verify }, { &compact_table, cmd_compact },
#if SCRAPETOP_HAS_DEMO
    { &demo_table, cmd_demo },     { &serve_table, cmd_serve },
#endif
    { &replay_table, cmd_replay }, { &compare_table, cmd_compare },
    { &rules_table, cmd_rules },   { &attach_table, cmd_attach },
    { &ctl_table, cmd_ctl },       { &ls_table, cmd_ls },
    { &report_table, cmd_report }, { &fleet_table, cmd_fleet },
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

/* A file opened as descriptor 2 would get our error messages between its own bytes. */
static bool keep_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd < 0) {
        return false;
    }
    close(fd);
    return true;
}

/* What steers a run must not end what is none, or no run yet. A session sets its own handlers. */
static void ignore_steering(void)
{
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
}

/* What must stand before the first thread. */
static void prepare_process(void)
{
    char threads[16];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    setlocale(LC_CTYPE, ""); /* not LC_ALL: numbers keep their point */
    utf8_set_ascii(strcmp(nl_langinfo(CODESET), "UTF-8") != 0);
    /* Else the first grows with what is freed, up to 32 MiB: then large bodies lie on the heap, are
     * copied as they grow and leave holes, which cost nearly as much as the bodies themselves. With
     * the second at its usual 128 KiB each pause of a few transfers would give memory back that the
     * next ones ask for again, page by page. */
    os_set_heap(LARGE_BLOCK_BYTES, HEAP_KEPT_BYTES);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* ignored by who started us, no child could be waited for */
    signal(SIGXFSZ, SIG_IGN); /* a file-size limit is EFBIG, told like a full disk */
    snprintf(threads, sizeof threads, "%ld", (cores > 0 ? cores : 1) + POOL_EXTRA_THREADS);
    setenv("UV_THREADPOOL_SIZE", threads, 0);
}

/* A limit that the shell has made low, and may be raised, is. Descriptors that were handed to us count. */
static bool has_descriptors(struct err *err)
{
    struct rlimit limit;
    int free_count = 0;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return true;
    }
    if (limit.rlim_cur < DESCRIPTORS_WANTED && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    for (int fd = 0; (rlim_t)fd < limit.rlim_cur && free_count < DESCRIPTORS_LEAST; fd++) {
        free_count += fcntl(fd, F_GETFD) < 0;
    }
    if (free_count < DESCRIPTORS_LEAST) {
        err_set(err, RESULT_IO, "E-RES3",
                "at most %llu files may be open here, and %d of these are left: want %d; raise the "
                "limit (ulimit -n)",
                (unsigned long long)limit.rlim_cur, free_count, DESCRIPTORS_LEAST);
        return false;
    }
    return true;
}

static void print_usage(FILE *to)
{
    fprintf(to, "Usage: scrapetop COMMAND [OPTIONS] ...\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(to, "  %-10s %s\n", commands[i].table->command, commands[i].table->summary);
    }
    fprintf(to, "\nscrapetop help COMMAND says more; scrapetop version, what it is made of.\n");
}

static int unknown_command(const char *word)
{
    const char *names[COMMAND_COUNT + 3];
    const char *nearest;
    struct err err;

    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i] = commands[i].table->command;
    }
    names[COMMAND_COUNT] = "help";
    names[COMMAND_COUNT + 1] = "version";
    names[COMMAND_COUNT + 2] = NULL;
    nearest = options_nearest(str_view(word), names);
    if (!SCRAPETOP_HAS_DEMO && (strcmp(word, "demo") == 0 || strcmp(word, "serve") == 0)) {
        err_set(&err, RESULT_INVALID, "E-ARG1",
                "this scrapetop was built without the practice API (SCRAPETOP_DEMO): it has no "
                "demo and no serve");
    } else if (strstr(word, "://")) {
        err_set(&err, RESULT_INVALID, "E-ARG1", "missing command; did you mean scrapetop run URL?");
    } else if (nearest) {
        err_set(&err, RESULT_INVALID, "E-ARG1", "unknown command \"%.64s\" (did you mean %s?)",
                word, nearest);
    } else {
        err_set(&err, RESULT_INVALID, "E-ARG1", "unknown command \"%.64s\"; see scrapetop --help",
                word);
    }
    return message_fail(&err);
}

static const struct command *find_command(const char *word)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(word, commands[i].table->command) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

/* `help`, `help COMMAND`. */
static int print_help(const char *word)
{
    const struct command *command = find_command(word);

    if (*word && !command) {
        return unknown_command(word);
    }
    if (command) {
        options_print_help(command->table, stdout);
    } else {
        print_usage(stdout);
    }
    return EXIT_WELL;
}

/* For the build, which makes man page and completions of the tables: --man
 * [examples|formats|actions|schema], --completions SHELL. */
static int print_tables(const char *what, const char *which)
{
    const struct option_table *tables[COMMAND_COUNT];
    struct err err;

    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        tables[i] = commands[i].table;
    }
    if (strcmp(what, "--completions") == 0) {
        if (completions_print(which, tables, COMMAND_COUNT, stdout)) {
            return EXIT_WELL;
        }
        err_set(&err, RESULT_INVALID, "E-ARG1", "--completions wants bash, zsh or fish%s%.32s%s",
                *which ? ", not \"" : "", which, *which ? "\"" : "");
        return message_fail(&err);
    }
    if (strcmp(which, "examples") == 0) {
        options_print_man_examples(tables, COMMAND_COUNT, stdout);
        return EXIT_WELL;
    }
    if (strcmp(which, "formats") == 0) {
        options_print_man_formats(stdout);
        return EXIT_WELL;
    }
    if (strcmp(which, "schema") == 0) {
        return options_print_schema(stdout, &err) == RESULT_OK ? EXIT_WELL : message_fail(&err);
    }
    if (strcmp(which, "actions") == 0) {
        options_print_man_actions(stdout);
        return EXIT_WELL;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        options_print_man(tables[i], stdout);
    }
    return EXIT_WELL;
}

static int print_version(const char *how)
{
    struct err err;

    if (strcmp(how, "--json") == 0) {
        return version_print_json(stdout, &err) == RESULT_OK ? EXIT_WELL : message_fail(&err);
    }
    if (*how) {
        err_set(&err, RESULT_INVALID, "E-ARG1", "--version has one option, --json; not '%s'", how);
        return message_fail(&err);
    }
    version_print(stdout);
    return EXIT_WELL;
}

static int run_command(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    const struct command *command = find_command(word);
    struct err err;

    if (command) {
        return has_descriptors(&err) ? command->run(argc - 1, argv + 1) : message_fail(&err);
    }
    if (!*word) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        return print_help(argc > 2 ? argv[2] : "");
    }
    if (strcmp(word, "version") == 0 || strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        return print_version(argc > 2 ? argv[2] : "");
    }
    if (strcmp(word, "--man") == 0 || strcmp(word, "--completions") == 0) {
        return print_tables(word, argc > 2 ? argv[2] : "");
    }
    return unknown_command(word);
}

/* The reader has closed its end, as head does: no error. */
static bool is_unwanted(int fd)
{
    struct pollfd end = { .fd = fd, .events = POLLOUT };

    return poll(&end, 1, 0) == 1 && (end.revents & (POLLERR | POLLHUP));
}

/* What a command has printed counts once it is written: a report that a full disk has swallowed is no
 * success. The one place where that is looked at. */
static int end_output(int code)
{
    bool is_lost = ferror(stdout) != 0, unwanted;
    struct err err;

    errno = 0;
    is_lost |= fflush(stdout) != 0;
    unwanted = is_unwanted(STDOUT_FILENO);
    if (close(STDOUT_FILENO) != 0) { /* where a network's file system tells */
        is_lost = true;
    }
    if (!is_lost || unwanted || code == EXIT_STORAGE) {
        return code;
    }
    err_set(&err, RESULT_IO, "E-OUT1", "cannot write all of this to stdout%s%s", errno ? ": " : "",
            errno ? strerror(errno) : "");
    message_error(&err);
    return code == EXIT_WELL ? EXIT_STORAGE : code;
}

int main(int argc, char **argv)
{
    int code;

    ignore_steering();
    if (!keep_standard_descriptors()) {
        return EXIT_INTERNAL;
    }
    prepare_process();
    code = run_command(argc, argv);
    return end_output(code);
}
