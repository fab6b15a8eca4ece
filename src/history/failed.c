#include "history/failed.h"

#include "base/clock.h"
#include "base/units.h"
#include "base/utf8.h"
#include "engine/said.h"
#include "history/json_print.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEY_COLUMNS 24
#define LINE_COLUMNS 400
#define TEMP_NAME ".failed.new.tmp"

static void show(struct str bytes, size_t columns)
{
    char shown[4 * LINE_COLUMNS + 4];

    utf8_display(shown, sizeof shown, bytes, columns);
    fputs(shown, stdout);
}

static void show_padded(struct str bytes, size_t columns)
{
    char shown[4 * LINE_COLUMNS + 4];
    size_t used = utf8_display(shown, sizeof shown, bytes, columns);

    printf("%s%*s", shown, (int)(columns - used), "");
}

/* --- the list ------------------------------------------------------------------------------------- */

static enum result list_row(void *context, const struct failed_row *row, struct err *err)
{
    char class[FAILURE_TEXT_MAX], line[SAID_LINE_MAX];

    (void)context;
    (void)err;
    failure_format_word(row->last.failure, class);
    said_line(row->said.body, line);
    printf("%10" PRIu64 "  %-14s  %3u  ", row->id, class, row->attempt);
    show_padded(row->key, KEY_COLUMNS);
    printf("  ");
    show(row->reason, LINE_COLUMNS);
    printf("%s", line[0] ? ": " : "");
    show(str_view(line), LINE_COLUMNS);
    printf("\n");
    return RESULT_OK;
}

static void write_text(struct json_writer *w, const char *key, struct str text)
{
    if (text.data) {
        json_write_text(w, key, text);
    } else {
        json_write_null(w, key);
    }
}

/* Without the brace at its end. */
static void write_object(struct json_writer *w, const struct failed_row *row)
{
    char class[FAILURE_TEXT_MAX];

    failure_format_word(row->last.failure, class);
    json_write_object(w, NULL);
    json_write_uint(w, "id", row->id);
    write_text(w, "key", row->key);
    write_text(w, "url", row->url);
    json_write_text(w, "class", str_view(class));
    json_write_text(w, "outcome", str_view(outcome_name(row->last.outcome)));
    json_write_int(w, "status", row->last.status);
    json_write_uint(w, "attempts", row->attempt);
    write_text(w, "reason", row->reason);
    json_write_moment(w, "answered_at", row->said.at_us, 0);
}

/* A line of JSON. */
static void print_object(FILE *to, struct json_writer *w)
{
    json_write_object_end(w);
    json_print(to, w);
    fprintf(to, "\n");
    buf_release(w->out);
}

static enum result list_row_json(void *context, const struct failed_row *row, struct err *err)
{
    char line[SAID_LINE_MAX];
    struct buf text = { 0 };
    struct json_writer w = json_write_begin(&text);

    (void)err;
    said_line(row->said.body, line);
    write_object(&w, row);
    write_text(&w, "said", line[0] ? str_view(line) : STR_NONE);
    print_object(context, &w);
    return RESULT_OK;
}

enum result failed_list(struct run_reader *reader, bool json, struct err *err)
{
    struct ledger_failed_query query = { .visit = json ? list_row_json : list_row,
                                         .context = stdout };

    if (!json) {
        printf("%10s  %-14s  %3s  %-*s  %s\n", "id", "class", "try", KEY_COLUMNS, "key", "reason");
    }
    return ledger_each_failed(reader->ledger, &query, err);
}

/* Written beside and renamed, so that it is whole or the one before. */
static enum result write_list(const struct run_dir *dir, struct ledger *ledger, struct err *err)
{
    struct ledger_failed_query query = { .visit = list_row_json };
    enum result result;
    FILE *file;
    int fd;

    (void)unlinkat(dir->fd, TEMP_NAME, 0);
    result = run_dir_open_file(dir, TEMP_NAME, O_WRONLY | O_CREAT | O_TRUNC, &fd, err);
    if (result != RESULT_OK) {
        return result;
    }
    file = fdopen(fd, "w");
    if (!file) {
        close(fd);
        return err_nomem(err, "listing what failed");
    }
    query.context = file;
    result = ledger_each_failed(ledger, &query, err);
    if ((fflush(file) != 0 || ferror(file)) && result == RESULT_OK) {
        result = err_set_write(err, errno, "E-DIR3", "%s/" FAILED_FILE ": cannot write", dir->path);
    }
    fclose(file);
    if (result == RESULT_OK && renameat(dir->fd, TEMP_NAME, dir->fd, FAILED_FILE) != 0) {
        result = err_set_write(err, errno, "E-DIR3", "%s/" FAILED_FILE ": cannot write", dir->path);
    }
    if (result != RESULT_OK) {
        (void)unlinkat(dir->fd, TEMP_NAME, 0);
    }
    return result;
}

enum result failed_save(const struct run_dir *dir, bool any, struct err *err)
{
    struct ledger *ledger;
    enum result result;

    if (!any) {
        return unlinkat(dir->fd, FAILED_FILE, 0) == 0 || errno == ENOENT
                   ? RESULT_OK
                   : err_set_write(err, errno, "E-DIR3", "%s/" FAILED_FILE ": cannot remove",
                                   dir->path);
    }
    result = ledger_open_readonly(&ledger, dir, err);
    if (result == RESULT_OK) {
        result = write_list(dir, ledger, err);
        ledger_close(ledger);
    }
    return result;
}

/* --- what was said -------------------------------------------------------------------------------- */

struct saying {
    const struct failed_said *options;
    bool *found; /* by key */
    bool is_terminal;
};

static bool is_wanted(struct saying *s, const struct failed_row *row)
{
    bool wanted = !s->options->key_count;

    for (size_t i = 0; i < s->options->key_count; i++) {
        if (str_equal(row->key, str_view(s->options->keys[i]))) {
            wanted = s->found[i] = true;
        }
    }
    return wanted;
}

/* As it came, or line by line without anything that a terminal would obey. */
static void print_text(const struct saying *s, struct str text)
{
    char shown[4 * SAID_BODY_MAX + 4];

    if (!s->is_terminal) {
        fwrite(text.data, 1, text.len, stdout);
        return;
    }
    while (text.len) {
        utf8_display(shown, sizeof shown, str_cut(&text, '\n'), sizeof shown);
        printf("%s%s", shown, text.data ? "\n" : "");
    }
}

static void write_headers(struct json_writer *w, struct str lines)
{
    json_write_array(w, "headers");
    while (lines.len) {
        struct str value = str_cut(&lines, '\n'), name = str_cut(&value, ':');

        json_write_array(w, NULL);
        json_write_text(w, NULL, name);
        json_write_text(w, NULL, str_trim(value));
        json_write_array_end(w);
    }
    json_write_array_end(w);
}

static void tell_json(const struct failed_row *row)
{
    struct buf text = { 0 };
    struct json_writer w = json_write_begin(&text);

    write_object(&w, row);
    if (row->said.at_us) {
        write_headers(&w, row->said.headers);
    } else {
        json_write_null(&w, "headers");
    }
    write_text(&w, "body", row->said.at_us ? row->said.body : STR_NONE);
    json_write_known(&w, "body_bytes", row->said.body_bytes, row->said.at_us != 0);
    print_object(stdout, &w);
}

static void say(const struct saying *s, const struct failed_row *row)
{
    char class[FAILURE_TEXT_MAX], when[CLOCK_TEXT_SIZE];

    failure_format_word(row->last.failure, class);
    printf("# %" PRIu64 " ", row->id);
    show(row->url.data ? row->url : row->key, LINE_COLUMNS);
    printf("\n# failed at try %u (%s): ", row->attempt, class);
    show(row->reason, LINE_COLUMNS);
    printf("\n");
    if (!row->said.at_us) {
        printf("# no answer is kept\n\n");
        return;
    }
    clock_format_utc(row->said.at_us, when);
    printf("# answered %s, body of %" PRIu64 " byte%s%s\n", when, row->said.body_bytes,
           units_plural(row->said.body_bytes),
           row->said.body_bytes > SAID_BODY_MAX ? ", of which this is the head" : "");
    print_text(s, row->said.headers);
    printf("\n");
    print_text(s, row->said.body);
    printf("\n\n");
}

static enum result say_row(void *context, const struct failed_row *row, struct err *err)
{
    struct saying *s = context;

    (void)err;
    if (!is_wanted(s, row)) {
        return RESULT_OK;
    }
    if (s->options->json) {
        tell_json(row);
    } else {
        say(s, row);
    }
    return RESULT_OK;
}

enum result failed_print_said(struct run_reader *reader, const struct failed_said *options,
                              struct err *err)
{
    struct saying s = { .options = options, .is_terminal = isatty(STDOUT_FILENO) };
    struct ledger_failed_query query = { .visit = say_row, .context = &s };
    enum result result;

    s.found = calloc(options->key_count + 1, sizeof *s.found);
    if (!s.found) {
        return err_nomem(err, "reading the ledger");
    }
    result = ledger_each_failed(reader->ledger, &query, err);
    for (size_t i = 0; result == RESULT_OK && i < options->key_count; i++) {
        if (!s.found[i]) {
            result = err_set(err, RESULT_NOT_FOUND, "E-KEY1",
                             "nothing that failed has the key \"%.64s\"", options->keys[i]);
        }
    }
    free(s.found);
    return result;
}
