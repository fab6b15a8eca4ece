#include "session/at_end.h"

#include "base/clock.h"
#include "base/message.h"
#include "base/os.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES 3
#define START_WITHIN_US (UINT64_C(30) * US_PER_S)
#define HURRY_US (UINT64_C(2) * US_PER_S)
#define END_WITHIN_US (UINT64_C(5) * US_PER_S)
#define COMMAND_WITHIN_US (UINT64_C(60) * US_PER_S)
#define PAUSE_MS 1000
#define LOOK_MS 20

extern char **environ;

/* --- pings ---------------------------------------------------------------------------------------------- */

/** A ping under way, and when it is no longer worth while. */
struct ping {
    const char *url;
    struct clock clock;
    atomic_uint_least64_t *until_us;  /* another thread may make it sooner */
    const struct at_end_pulse *pulse; /* NULL: nobody wants to hear of it */
};

static size_t ignore_body(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static bool is_over(const struct ping *p)
{
    return clock_now_us(&p->clock) >= atomic_load(p->until_us);
}

/* libcurl asks this at least once a second; not 0 ends the transfer. */
static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct ping *p = context;

    (void)a, (void)b, (void)c, (void)d;
    if (p->pulse) {
        p->pulse->beat(p->pulse->context);
    }
    return is_over(p);
}

static bool ping_once(struct ping *p)
{
    uint64_t now_us = clock_now_us(&p->clock), until_us = atomic_load(p->until_us);
    CURL *curl = until_us > now_us ? curl_easy_init() : NULL;
    long status = 0;
    bool went_well;

    if (!curl) {
        return false;
    }
    curl_easy_setopt(curl, CURLOPT_URL, p->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)((until_us - now_us) / US_PER_MS) + 1);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "scrapetop/" SCRAPETOP_VERSION);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore_body);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, p);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
#if LIBCURL_VERSION_NUM >= 0x075700 /* a name that is still being looked up is not waited for */
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
#endif
    went_well = curl_easy_perform(curl) == CURLE_OK &&
                curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
                status >= 200 && status < 300;
    curl_easy_cleanup(curl);
    return went_well;
}

static bool ping(struct ping *p)
{
    for (int i = 0; i < TRIES && !is_over(p); i++) {
        for (int ms = 0; i && ms < PAUSE_MS && !is_over(p); ms += LOOK_MS) {
            poll(NULL, 0, LOOK_MS);
        }
        if (ping_once(p)) {
            return true;
        }
    }
    return false;
}

struct at_end_start {
    uv_work_t work;
    struct at_end_start **whose;
    bool went_well;
    atomic_uint_least64_t until_us;
    char url[];
};

static void ping_on_pool(uv_work_t *work)
{
    struct at_end_start *start = work->data;
    struct ping p = { .url = start->url, .clock = clock_system(), .until_us = &start->until_us };

    start->went_well = ping(&p);
}

static void on_pinged(uv_work_t *work, int status)
{
    struct at_end_start *start = work->data;

    if (status != 0 || !start->went_well) {
        message_warning("W-END2", "the ping of the start was not taken");
    }
    *start->whose = NULL;
    free(start);
}

void at_end_ping_start(struct at_end_start **whose, uv_loop_t *loop, const char *url)
{
    size_t size = url ? strlen(url) + sizeof "/start" : 0;
    struct at_end_start *start = url ? calloc(1, sizeof *start + size) : NULL;
    struct clock clock = clock_system();

    *whose = NULL;
    if (!start) {
        return;
    }
    start->work.data = start;
    start->whose = whose;
    atomic_init(&start->until_us, clock_now_us(&clock) + START_WITHIN_US);
    snprintf(start->url, size, "%s/start", url);
    if (uv_queue_work(loop, &start->work, ping_on_pool, on_pinged) != 0) {
        free(start);
        return;
    }
    *whose = start;
}

void at_end_ping_start_hurry(struct at_end_start *start)
{
    struct clock clock = clock_system();
    uint64_t until_us = clock_now_us(&clock) + HURRY_US;

    if (start && until_us < atomic_load(&start->until_us)) {
        atomic_store(&start->until_us, until_us);
    }
}

void at_end_ping(const char *url, int exit, const struct at_end_pulse *pulse)
{
    size_t size = url ? strlen(url) + 16 : 0;
    char *with_exit = url ? malloc(size) : NULL;
    struct clock clock = clock_system();
    atomic_uint_least64_t until_us;
    struct ping p = {
        .url = exit ? with_exit : url, .clock = clock, .until_us = &until_us, .pulse = pulse
    };

    if (!with_exit) {
        return;
    }
    atomic_init(&until_us, clock_now_us(&clock) + END_WITHIN_US);
    snprintf(with_exit, size, "%s/%d", url, exit);
    if (!ping(&p)) {
        message_warning("W-END2", "the ping of the end was not taken within 5 s");
    }
    free(with_exit);
}

/* --- the command ---------------------------------------------------------------------------------------- */

/* A descriptor from which the report can be read; -1: there is none. */
static int report_as_file(struct str report)
{
    int fd = os_memfd("report");

    while (fd >= 0 && report.len) {
        ssize_t count = write(fd, report.data, report.len);

        if (count <= 0) {
            close(fd);
            return -1;
        }
        report.data += count;
        report.len -= (size_t)count;
    }
    return fd;
}

/* The environment with the two names that the command is promised; to be freed, not what it points to. */
static char **environment_with(char *exit_text, char *run_text)
{
    size_t count = 0;
    char **with;

    while (environ[count]) {
        count++;
    }
    with = calloc(count + 3, sizeof *with);
    if (with) {
        memcpy(with, environ, count * sizeof *with);
        with[count] = exit_text;
        with[count + 1] = run_text;
    }
    return with;
}

/* In a group of its own, so that all of it can be ended. 0, or an errno. */
static int spawn(pid_t *pid, const char *command, int fd, char *const *with)
{
    char shell[] = "sh", flag[] = "-c", *text = strdup(command);
    char *const words[] = { shell, flag, text, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t usual;
    int failed = text ? 0 : ENOMEM;

    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGXFSZ);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    if (!failed) {
        failed = posix_spawn(pid, "/bin/sh", &actions, &attributes, words, with);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(text);
    return failed;
}

/* Its wait status; -1: it took too long and was ended. */
static int wait_for(pid_t pid, const struct at_end_pulse *pulse)
{
    struct clock clock = clock_system();
    uint64_t until_us = clock_now_us(&clock) + COMMAND_WITHIN_US;
    int status;

    for (;;) {
        pid_t ended = waitpid(pid, &status, WNOHANG);

        if (ended == pid) {
            return status;
        }
        if ((ended < 0 && errno != EINTR) || clock_now_us(&clock) > until_us) {
            kill(-pid, SIGKILL);
            (void)waitpid(pid, &status, 0);
            return -1;
        }
        pulse->beat(pulse->context);
        poll(NULL, 0, LOOK_MS);
    }
}

static bool run_once(const char *command, char *const *with, struct str report,
                     const struct at_end_pulse *pulse)
{
    int fd = report_as_file(report), status = -1;
    pid_t pid;

    if (fd >= 0 && lseek(fd, 0, SEEK_SET) == 0 && spawn(&pid, command, fd, with) == 0) {
        status = wait_for(pid, pulse);
    }
    if (fd >= 0) {
        close(fd);
    }
    return status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void at_end_command(const char *command, const char *run_dir, int exit, struct str report,
                    const struct at_end_pulse *pulse)
{
    char exit_text[40], run_text[PATH_MAX + 16], **with;
    bool went_well = false;

    if (!command) {
        return;
    }
    snprintf(exit_text, sizeof exit_text, "SCRAPETOP_EXIT=%d", exit);
    snprintf(run_text, sizeof run_text, "SCRAPETOP_RUN=%s", run_dir);
    with = environment_with(exit_text, run_text);
    for (int i = 0; with && i < TRIES && !went_well; i++) {
        if (i) {
            poll(NULL, 0, PAUSE_MS);
        }
        went_well = run_once(command, with, report, pulse);
    }
    free(with);
    if (!went_well) {
        message_warning("W-END1", "the command of --on-end failed three times");
    }
}
