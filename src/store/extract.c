#include "store/extract.h"

#include "base/grow.h"
#include "base/json_text.h"
#include "base/parents.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BYTES 120 /* of a key kept in a file name */

/* A key in the form in which lines have it. */
struct wanted {
    struct buf escaped;
    size_t order; /* among the arguments */
    bool found;
};

struct match {
    size_t order;
    struct record record;
};

struct extract {
    struct run_reader *reader;
    const struct extract_options *options;
    struct wanted *wanted; /* sorted by bytes */
    size_t wanted_count;
    struct match *matches;
    size_t match_count, match_room;
    struct buf line, body;
    int dir_fd;
    uint64_t count;
};

/* ---- where it goes ---- */

static enum result open_directory(struct extract *e, struct err *err)
{
    const char *path = e->options->dir;
    struct dirent *entry;
    bool empty = true;
    DIR *listing;

    parents_make(path, 0777);
    if (mkdir(path, S_IRWXU) && errno != EEXIST) {
        return err_set_write(err, errno, "E-OUT1", "%s: cannot create", path);
    }
    e->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    listing = e->dir_fd < 0 ? NULL : opendir(path);
    if (!listing) {
        return err_set_errno(err, errno, "E-OUT1", "%s: cannot open", path);
    }
    while ((entry = readdir(listing))) {
        empty = empty && (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."));
    }
    closedir(listing);
    return empty ? RESULT_OK
                 : err_set(err, RESULT_INVALID, "E-OUT2",
                           "%s is not empty: name a new directory, or empty this one", path);
}

static bool is_plain(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '=' || c == '-';
}

/* A page for browsers, by how it begins. */
static bool is_page(struct str body)
{
    static const struct str begins[] = { STR_INIT("<!doctype html"), STR_INIT("<html") };
    struct str text = str_trim(body);

    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        if (text.len >= begins[i].len &&
            str_equal_nocase((struct str){ text.data, begins[i].len }, begins[i])) {
            return true;
        }
    }
    return false;
}

static const char *ending(enum line_body kind, struct str body)
{
    return kind == LINE_BODY   ? ".json"
           : kind != LINE_TEXT ? ".bin"
           : is_page(body)     ? ".html"
                               : ".txt";
}

static void plain_name(struct str key, char name[NAME_BYTES + 1])
{
    size_t len = key.len < NAME_BYTES ? key.len : NAME_BYTES;

    for (size_t i = 0; i < len; i++) {
        name[i] = is_plain(key.data[i]) ? key.data[i] : '_';
    }
    if (!len || name[0] == '.') {
        name[0] = '_';
        len += !len;
    }
    name[len] = '\0';
}

/* A new file for the body; the name is taken when another key looks the same in plain letters. */
static int create_file(int dir_fd, const struct line_view *view, struct str body)
{
    char plain[NAME_BYTES + 1];
    char name[NAME_BYTES + 64];
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd;

    plain_name(view->key, plain);
    snprintf(name, sizeof name, "%s%s", plain, ending(view->body_kind, body));
    fd = openat(dir_fd, name, flags, 0666);
    for (unsigned n = 0; fd < 0 && errno == EEXIST && n < 100; n++) {
        int used = snprintf(name, sizeof name, "%s-%" PRIu64, plain, view->id);

        if (n) {
            used += snprintf(name + used, sizeof name - (size_t)used, "-%u", n);
        }
        snprintf(name + used, sizeof name - (size_t)used, "%s", ending(view->body_kind, body));
        fd = openat(dir_fd, name, flags, 0666);
    }
    return fd;
}

static enum result write_file(struct extract *e, const struct line_view *view, struct err *err)
{
    int fd = create_file(e->dir_fd, view, buf_view(&e->body));
    struct str rest = buf_view(&e->body);
    int errnum = fd < 0 ? errno : 0;

    while (!errnum && rest.len) {
        ssize_t put = write(fd, rest.data, rest.len);

        if (put < 0 && errno != EINTR) {
            errnum = errno;
        } else if (put > 0) {
            rest = (struct str){ rest.data + put, rest.len - (size_t)put };
        }
    }
    if (fd >= 0 && close(fd) && !errnum) {
        errnum = errno;
    }
    return errnum ? err_set_write(err, errnum, "E-OUT1", "%s: cannot write the body of key %.*s",
                                  e->options->dir, STR_ARG(view->key))
                  : RESULT_OK;
}

static enum result write_stream(struct extract *e, struct err *err)
{
    FILE *to = e->options->to;

    if (fwrite(e->body.data, 1, e->body.len, to) == e->body.len && putc('\n', to) != EOF) {
        return RESULT_OK;
    }
    if (errno == EPIPE) {
        return err_set(err, RESULT_CANCELLED, "E-OUT1", "nobody reads the output any more");
    }
    return err_set_write(err, errno, "E-OUT1", "cannot write to the output");
}

/* One body out, or its damage told. */
static enum result put_record(void *context, const struct record *record, struct err *err)
{
    struct extract *e = context;
    struct err damage = { .result = RESULT_OK };
    struct line_view view;
    enum result result = segment_read_line(&e->reader->segments, record, &e->line, &view, &damage);

    if (result == RESULT_OK) {
        buf_reset(&e->body);
        result = line_append_body(&view, &e->body);
        if (result == RESULT_CORRUPT) {
            err_set(&damage, result, "E-SEG2", "the body of request %" PRIu64 " cannot be decoded",
                    record->id);
        }
    }
    if (result == RESULT_NOMEM || result == RESULT_LIMIT) {
        return err_nomem(err, "reading a body");
    }
    if (result != RESULT_OK) {
        e->options->damaged(e->options->context, &damage);
        return RESULT_OK;
    }
    e->count++;
    return e->options->dir ? write_file(e, &view, err) : write_stream(e, err);
}

/* ---- by key ---- */

static int compare_bytes(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;
    size_t len = x->escaped.len < y->escaped.len ? x->escaped.len : y->escaped.len;
    int order = memcmp(x->escaped.data, y->escaped.data, len);

    if (!order && x->escaped.len != y->escaped.len) {
        order = x->escaped.len < y->escaped.len ? -1 : 1;
    }
    return order;
}

static int compare_wanted(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;
    int order = compare_bytes(a, b);

    return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

/* A key given twice is looked up, and put out, once. */
static void drop_repeated(struct extract *e)
{
    size_t kept = 0;

    for (size_t i = 0; i < e->wanted_count; i++) {
        if (kept && !compare_bytes(&e->wanted[kept - 1], &e->wanted[i])) {
            buf_release(&e->wanted[i].escaped);
        } else {
            e->wanted[kept++] = e->wanted[i];
        }
    }
    e->wanted_count = kept;
}

/* Sorted, so that a million lines are looked up in little time. */
static enum result prepare_keys(struct extract *e, struct err *err)
{
    size_t count = e->options->key_count;

    e->wanted = calloc(count, sizeof *e->wanted);
    if (!e->wanted) {
        return err_nomem(err, "looking for keys");
    }
    e->wanted_count = count;
    for (size_t i = 0; i < count; i++) {
        e->wanted[i].order = i;
        if (json_text_append(&e->wanted[i].escaped, str_view(e->options->keys[i])) != RESULT_OK) {
            return err_nomem(err, "looking for keys");
        }
    }
    qsort(e->wanted, count, sizeof *e->wanted, compare_wanted);
    drop_repeated(e);
    return RESULT_OK;
}

static enum result keep_match(struct extract *e, const struct wanted *wanted,
                              const struct record *record, struct err *err)
{
    struct match *more = grow_by_one(e->matches, e->match_count, &e->match_room, sizeof *more);

    if (!more) {
        return err_nomem(err, "looking for keys");
    }
    e->matches = more;
    e->matches[e->match_count++] = (struct match){ wanted->order, *record };
    return RESULT_OK;
}

static enum result look_at_key(void *context, const struct record *record, struct err *err)
{
    struct extract *e = context;
    struct err damage = { .result = RESULT_OK };
    struct wanted *found, probe = { .found = false };
    struct line_view view;
    enum result result = segment_read_key(&e->reader->segments, record, &e->line, &view, &damage);

    if (result == RESULT_NOMEM) {
        return err_nomem(err, "looking for keys");
    }
    if (result != RESULT_OK) {
        e->options->damaged(e->options->context, &damage);
        return RESULT_OK;
    }
    /* With the quotes around it, as json_text_append made the wanted ones. */
    assert(view.key.data > e->line.data);
    probe.escaped.data = e->line.data + (view.key.data - e->line.data) - 1;
    probe.escaped.len = view.key.len + 2;
    found = bsearch(&probe, e->wanted, e->wanted_count, sizeof probe, compare_bytes);
    if (!found) {
        return RESULT_OK;
    }
    found->found = true;
    return keep_match(e, found, record, err);
}

static int compare_matches(const void *a, const void *b)
{
    const struct match *x = a, *y = b;

    if (x->order != y->order) {
        return x->order < y->order ? -1 : 1;
    }
    return x->record.id < y->record.id ? -1 : x->record.id > y->record.id;
}

/* The first argument for which nothing was found, or NULL. */
static const char *missing_key(const struct extract *e)
{
    const struct wanted *first = NULL;

    for (size_t i = 0; i < e->wanted_count; i++) {
        const struct wanted *w = &e->wanted[i];

        if (!w->found && (!first || w->order < first->order)) {
            first = w;
        }
    }
    return first ? e->options->keys[first->order] : NULL;
}

static enum result extract_keys(struct extract *e, struct err *err)
{
    enum result result = prepare_keys(e, err);
    const char *missing;

    if (result == RESULT_OK) {
        result = run_reader_each(e->reader, LEDGER_STORED, look_at_key, e, err);
    }
    if (result == RESULT_OK && e->match_count) {
        qsort(e->matches, e->match_count, sizeof *e->matches, compare_matches);
    }
    for (size_t i = 0; i < e->match_count && result == RESULT_OK; i++) {
        result = put_record(e, &e->matches[i].record, err);
    }
    missing = result == RESULT_OK ? missing_key(e) : NULL;
    return missing ? err_set(err, RESULT_NOT_FOUND, "E-KEY1",
                             "%s has no body for the key %s; raw --failed prints what was said "
                             "where one failed",
                             e->reader->dir.path, missing)
                   : result;
}

static void release(struct extract *e)
{
    for (size_t i = 0; i < e->wanted_count; i++) {
        buf_release(&e->wanted[i].escaped);
    }
    free(e->wanted);
    free(e->matches);
    buf_release(&e->line);
    buf_release(&e->body);
    if (e->dir_fd >= 0) {
        close(e->dir_fd);
    }
}

enum result extract_bodies(struct run_reader *reader, const struct extract_options *options,
                           uint64_t *count, struct err *err)
{
    struct extract e = { .reader = reader, .options = options, .dir_fd = -1 };
    enum result result = options->dir ? open_directory(&e, err) : RESULT_OK;

    if (result == RESULT_OK) {
        result = options->key_count ? extract_keys(&e, err)
                                    : run_reader_each(reader, LEDGER_DONE, put_record, &e, err);
    }
    if (!options->dir && (result == RESULT_OK || result == RESULT_NOT_FOUND) &&
        fflush(options->to)) {
        result = errno == EPIPE ? RESULT_CANCELLED
                                : err_set_write(err, errno, "E-OUT1", "cannot write to the output");
    }
    *count = e.count;
    release(&e);
    return result;
}
