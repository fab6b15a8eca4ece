#include "session/end_report.h"

#include "base/message.h"
#include "base/say.h"
#include "base/units.h"
#include "history/failed.h"
#include "history/saved_report.h"

#include <stdio.h>
#include <string.h>

void end_report_say_command(const char *command, const char *path)
{
    struct buf word = { .max = 0 };

    if (say_shell_word(&word, str_view(path)) == RESULT_OK) {
        say(stderr, "scrapetop: %s %.*s", command, STR_ARG(buf_view(&word)));
    }
    buf_release(&word);
}

static void print_table(const struct report *r, const char *path, uint64_t rows)
{
    say_part(stderr, "scrapetop: table: %s (%llu row%s", path, (unsigned long long)rows,
             units_plural(rows));
    if (r->made_of < r->ok) { /* in mid-run: it lacks what came later */
        say_part(stderr, ", made of %llu of %llu answers; normalise makes it anew",
                 (unsigned long long)r->made_of, (unsigned long long)r->ok);
    }
    say(stderr, ")");
}

/* Where the tables lie that `path` is the first of, or the only one: one for every endpoint. */
/* Of a table that is called by an endpoint's name: what follows that; or NULL. */
static const char *ending_of(const struct report *r, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    for (size_t i = 0; i < r->endpoint_count; i++) {
        size_t len = strlen(r->endpoints[i].name);

        if (strncmp(name, r->endpoints[i].name, len) == 0 && name[len] == '.') {
            return name + len;
        }
    }
    return NULL;
}

static void print_tables(const struct report *r, const char *path)
{
    const char *ending = ending_of(r, path);

    if (!path[0] || strcmp(path, "-") == 0) {
        return;
    }
    if (r->endpoint_count < 2 || !ending) {
        print_table(r, path, r->rows);
        return;
    }
    for (size_t i = 0; i < r->endpoint_count; i++) {
        char one[sizeof r->run_dir + sizeof r->endpoints->name + 20];

        if (r->endpoints[i].is_kept) {
            continue;
        }
        snprintf(one, sizeof one, "%s/%s%.16s", r->run_dir, r->endpoints[i].name, ending);
        print_table(r, one, r->endpoints[i].rows);
    }
}

/* A list for the next program. That it cannot be written spoils nothing: the ledger has the same. */
static void save_failed(const struct session_options *options, const struct report *r)
{
    struct err err;

    if (r->store_is_gone) {
        return;
    }
    if (failed_save(options->dir, r->failed > 0, &err) != RESULT_OK) {
        message_warning(err.code, err.text);
    } else if (r->failed) {
        say(stderr, "scrapetop: what failed, a line each: %s/" FAILED_FILE, options->dir->path);
    }
}

static void say_report(const struct report *r,
                       enum result (*write)(const struct report *r, struct buf *out))
{
    struct buf text = { 0 };

    if (write(r, &text) == RESULT_OK) {
        say_lines(stderr, buf_view(&text));
    }
    buf_release(&text);
}

static void say_stopped(const struct report *r)
{
    struct err err = { .result = RESULT_IO };

    if (!r->stopped_by[0] || r->stopped_as_wanted ||
        (r->exit == EXIT_DRAINED && !r->stopped_in_error) || r->exit == EXIT_INTERRUPTED ||
        r->exit == EXIT_TERMINATED) {
        return;
    }
    snprintf(err.text, sizeof err.text, "%s", r->stopped_by);
    memcpy(err.code, r->stopped_code, sizeof err.code);
    message_error(&err);
}

/* A limit is kept with the job, and is each session's: who goes on is told before it stops again. */
static void say_limit(const struct report *r)
{
    static const char *const options[] = { "--max-requests", "--max-duration" };

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (r->pending && !strcmp(r->stopped_code, "E-LIM1") &&
            !strncmp(r->stopped_by, options[i], strlen(options[i]))) {
            say(stderr,
                "scrapetop: the limit is that of each session, so the next one stops there as "
                "well; "
                "%s 0 lifts it",
                options[i]);
        }
    }
}

/* Each page has an answer, but some lack records that must be there: only asking anew can bring them. */
static bool lacks_records(const struct report *r)
{
    for (size_t i = 0; i < r->endpoint_count; i++) {
        const struct page_account *pages = &r->endpoints[i].pages;

        for (size_t k = 0; k < pages->end_count; k++) {
            if (pages->ends[k].end == PAGE_END_GAP || pages->ends[k].end == PAGE_END_FEWER) {
                return true;
            }
        }
    }
    return false;
}

/* And how to go on with it. */
static void say_left(const struct session_options *options, const struct report *r)
{
    char left[80];

    if (r->found_here && !r->store_is_gone) {
        say(stderr,
            "scrapetop: %llu found request%s known to this worker alone, and kept: the fleet does "
            "not end before this command is run again",
            (unsigned long long)r->found_here, r->found_here == 1 ? " is" : "s are");
    }
    if (r->pending && !r->store_is_gone) {
        snprintf(left, sizeof left, "%llu left", (unsigned long long)r->pending);
    } else if (!r->pending && r->rounds && r->exit == EXIT_DRAINED) {
        snprintf(left, sizeof left, "rounds are left");
    } else if (!r->pending && options->job->fleet && r->exit == EXIT_DRAINED) {
        snprintf(left, sizeof left, "the fleet has more to do");
    } else if (r->list_is_cut && !r->store_is_gone) {
        snprintf(left, sizeof left, "all that came is done");
    } else {
        if (r->exit == EXIT_INCOMPLETE && !r->rounds && !options->job->fleet && lacks_records(r)) {
            end_report_say_command("ask all pages anew with: scrapetop run --again -o",
                                   options->dir->path);
        }
        return;
    }
    if (r->list_is_cut) {
        say(stderr,
            "scrapetop: %s, and the rest of the list was not read; resume with the same command, "
            "the list from its beginning",
            left);
    } else if (options->job->has_typed_secret) {
        say(stderr,
            "scrapetop: %s; resume with the same command, for a credential in it is not kept",
            left);
    } else if (options->resume) {
        say(stderr, "scrapetop: %s; resume with: %s", left, options->resume);
    } else {
        snprintf(left + strlen(left), sizeof left - strlen(left),
                 "; resume with: scrapetop run -o");
        end_report_say_command(left, options->dir->path);
    }
}

/* Of what is kept `scrapetop report` tells more than it could without. */
static void keep_json(const struct session_options *options, const struct report *r)
{
    struct buf text = { 0 };
    struct err err;

    if (report_json(r, &text) == RESULT_OK) {
        if (!r->store_is_gone &&
            saved_report_write(options->dir, buf_view(&text), &err) != RESULT_OK) {
            message_warning(err.code, err.text);
        }
        if (options->json) {
            say_json(stdout, buf_view(&text));
            fflush(stdout);
        }
    }
    buf_release(&text);
}

void end_report_print(const struct session_options *options, const struct report *r)
{
    keep_json(options, r);
    if (options->quiet && r->exit == EXIT_WELL) {
        save_failed(options, r);
        return;
    }
    say_report(r, report_pages);
    say_report(r, report_rules);
    say_report(r, report_on);
    if (r->verdict[0]) {
        say(stderr, "scrapetop: %s", r->verdict);
    }
    say_report(r, report_retries);
    if (r->session_attempts) {
        say_report(r, report_politeness);
    }
    say_report(r, report_line);
    for (size_t i = 0; i < r->table_count; i++) {
        print_tables(r, r->tables[i].path);
    }
    save_failed(options, r);
    say_stopped(r);
    say_left(options, r);
    say_limit(r);
}
