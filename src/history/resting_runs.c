#include "history/resting_runs.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/say.h"
#include "store/run_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

struct resting {
    char name[NAME_MAX + 1];
    int64_t changed_us; /* its ledger */
};

struct latest {
    struct resting runs[RESTING_RUNS_MAX]; /* the latest first */
    size_t count;
};

static void note(struct latest *l, const char *name, int64_t changed_us)
{
    size_t at = l->count < RESTING_RUNS_MAX ? l->count : RESTING_RUNS_MAX - 1;

    if (l->count == RESTING_RUNS_MAX && changed_us <= l->runs[at].changed_us) {
        return;
    }
    l->count = at + 1;
    while (at > 0 && changed_us > l->runs[at - 1].changed_us) {
        l->runs[at] = l->runs[at - 1];
        at--;
    }
    snprintf(l->runs[at].name, sizeof l->runs[at].name, "%s", name);
    l->runs[at].changed_us = changed_us;
}

static void look_here(struct latest *l)
{
    DIR *here = opendir(".");
    struct dirent *entry;

    for (int i = 0; here && i < RESTING_ENTRIES_MAX && (entry = readdir(here)); i++) {
        char ledger[NAME_MAX + sizeof "/" RUN_DIR_LEDGER];
        struct stat at;

        snprintf(ledger, sizeof ledger, "%s/" RUN_DIR_LEDGER, entry->d_name);
        if (entry->d_name[0] != '.' &&
            fstatat(dirfd(here), entry->d_name, &at, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISDIR(at.st_mode) && fstatat(dirfd(here), ledger, &at, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(at.st_mode)) {
            note(l, entry->d_name, os_modified_us(&at));
        }
    }
    if (here) {
        closedir(here);
    }
}

/* In the words of a run's own end. */
static const char *state_of(const struct ledger_summary *s, bool is_running)
{
    uint64_t settled = s->done + s->failed;

    return is_running                           ? "RUNNING" /* it has no socket */
           : s->waiting || settled < s->planned ? "STOPPED"
           : !s->last_end_us || !s->last_clean  ? "STOPPED"
           : s->failed                          ? "SOME FAILED"
                                                : "DONE";
}

static void print_row(const struct resting *run, const struct ledger_summary *s, bool is_running)
{
    char done[64], when[CLOCK_TEXT_SIZE] = "-";

    if (s->planned) {
        snprintf(done, sizeof done, "%" PRIu64 "/%" PRIu64, s->done + s->failed, s->planned);
    } else {
        snprintf(done, sizeof done, "%" PRIu64, s->done + s->failed);
    }
    clock_format_utc(s->last_end_us ? s->last_end_us : s->last_start_us, when);
    say(stdout, "%-12s %-17s %-10" PRIu64 " %-20.20s %s", state_of(s, is_running), done, s->failed,
        when, run->name);
}

static bool print_run(const struct resting *run, bool is_first)
{
    struct ledger_summary summary;
    struct run_holder holder = { .held = false };
    struct run_reader reader;
    bool is_read;

    if (run_reader_open(&reader, run->name, NULL) != RESULT_OK) {
        return false;
    }
    is_read = ledger_summarise(reader.ledger, &summary, NULL) == RESULT_OK &&
              run_dir_holder(&reader.dir, &holder, NULL) == RESULT_OK;
    run_reader_close(&reader);
    if (!is_read) {
        return false;
    }
    if (is_first) {
        say(stdout, "%-12s %-17s %-10s %-20s %s", "STATE", "DONE", "FAILED", "ENDED (UTC)", "RUN");
    }
    print_row(run, &summary, holder.held && !run_reader_is_ending(&holder, &summary));
    return true;
}

size_t resting_runs_print(void)
{
    struct latest latest = { .count = 0 };
    size_t printed = 0;

    look_here(&latest);
    for (size_t i = 0; i < latest.count; i++) {
        printed += print_run(&latest.runs[i], printed == 0);
    }
    return printed;
}
