#include "job/var_file.h"

#include "base/body_text.h"
#include "base/crc32c.h"
#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/read_all.h"
#include "base/utf8.h"
#include "job/template.h"
#include "job/vars.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALUE_DEPTH_MAX 64 /* nesting of one line of JSON Lines */

enum form { FORM_CSV, FORM_TSV, FORM_TEXT, FORM_JSON };

struct var_file {
    const char *path; /* good while the file is opened, for messages */
    enum form form;
    char separator; /* of CSV and TSV */
    struct buf text;
    uint32_t crc32c;
    uint32_t *rows; /* where each begins; the file is far below 4 GiB */
    size_t row_count, row_allocated;
    char **columns; /* of CSV and TSV */
    size_t column_count;
};

/* --- the file ------------------------------------------------------------------------------------- */

enum result var_file_read(int fd, const char *name, struct buf *text, struct err *err)
{
    enum result result;

    buf_init(text, VARS_FILE_MAX);
    result = read_all(fd, text);
    if (result == RESULT_IO) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", name);
    }
    if (result == RESULT_LIMIT) {
        return err_set(err, result, "E-IN2", "%s is over %d MiB", name, VARS_FILE_MAX >> 20);
    }
    return result == RESULT_NOMEM ? err_nomem(err, "reading a file of values") : result;
}

static enum result read_file(struct var_file *f, struct err *err)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO is not waited for */
    struct stat st;
    enum result result;

    if (fd < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", f->path);
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        result = err_set(err, RESULT_INVALID, "E-IN2", "%s is not a regular file", f->path);
    } else {
        result = var_file_read(fd, f->path, &f->text, err);
    }
    close(fd);
    return result;
}

static bool ends_in(const char *path, const char *ending)
{
    size_t len = strlen(path), ending_len = strlen(ending);

    return len > ending_len && strcmp(path + len - ending_len, ending) == 0;
}

static enum form form_of(const char *path, struct str text)
{
    struct str rest = str_trim(text);

    if (ends_in(path, ".csv")) {
        return FORM_CSV;
    }
    if (ends_in(path, ".tsv")) {
        return FORM_TSV;
    }
    if (ends_in(path, ".txt")) {
        return FORM_TEXT;
    }
    if (ends_in(path, ".jsonl") || ends_in(path, ".ndjson")) {
        return FORM_JSON;
    }
    return rest.len && strchr("{[\"-0123456789", rest.data[0]) ? FORM_JSON : FORM_CSV;
}

/* --- its letters ------------------------------------------------------------------------------------ */

static bool is_utf16(struct str text)
{
    return str_starts(text, STR("\xFF\xFE")) || str_starts(text, STR("\xFE\xFF"));
}

static size_t count_lines(const struct var_file *f, size_t from, size_t to)
{
    size_t lines = 0;

    for (; from < to && from < f->text.len; from++) {
        lines += f->text.data[from] == '\n';
    }
    return lines;
}

/* Where between these two the text is no UTF-8, or `to`. A value that is not would be asked for as something
 * else than it is. */
static size_t find_not_utf8(const struct var_file *f, size_t from, size_t to)
{
    to = to < f->text.len ? to : f->text.len;
    return from + utf8_valid_prefix((struct str){ f->text.data + from, to - from });
}

static const char *not_utf8(struct str text)
{
    return is_utf16(text) ? "is UTF-16: save the file as UTF-8 (iconv -f UTF-16 -t UTF-8)"
                          : "is not UTF-8: save the file as that (in Excel \"CSV UTF-8\", or "
                            "iconv -f WINDOWS-1252 -t UTF-8), or say its \"encoding\"";
}

/* --- CSV and TSV ------------------------------------------------------------------------------------ */

/* A comma, or what the first line has in its place: a spreadsheet of a land where commas are of numbers writes
 * semicolons. One that parts nothing is left alone. */
static char find_separator(struct str text)
{
    struct str line = str_cut(&text, '\n');
    size_t semicolons = 0, tabs = 0;
    bool in_quotes = false;

    for (size_t i = 0; i < line.len; i++) {
        in_quotes ^= line.data[i] == '"';
        if (line.data[i] == ',' && !in_quotes) {
            return ',';
        }
        semicolons += line.data[i] == ';' && !in_quotes;
        tabs += line.data[i] == '\t' && !in_quotes;
    }
    return semicolons ? ';' : tabs ? '\t' : ',';
}

/* One field at `*at`, which moves past it and what ends it; `*last`: that is the row's end. `*bad`: a
 * quote is never closed, or something stands after it. */
static void next_field(const struct var_file *f, size_t *at, struct str *raw, bool *last, bool *bad)
{
    const char *text = f->text.data;
    size_t len = f->text.len, from = *at, to = from;

    if (to < len && text[to] == '"') {
        for (to++; to < len && (text[to] != '"' || (to + 1 < len && text[to + 1] == '"')); to++) {
            to += text[to] == '"';
        }
        *bad |= to >= len;
        to += to < len;
        *bad |= to < len && !strchr(",;\t\r\n", text[to]);
    }
    while (to < len && text[to] != f->separator && text[to] != '\n') {
        to++;
    }
    *last = to >= len || text[to] == '\n';
    *at = to + (to < len);
    *raw = (struct str){ text + from, to - from };
    if (*last && raw->len && raw->data[raw->len - 1] == '\r') {
        raw->len--;
    }
}

/* Appends what a field means: without its quotes. */
static enum result plain_field(struct str raw, struct buf *out)
{
    enum result result = RESULT_OK;

    if (!raw.len || raw.data[0] != '"') {
        return buf_append_str(out, raw);
    }
    for (size_t i = 1; i + 1 < raw.len && result == RESULT_OK; i++) {
        i += raw.data[i] == '"'; /* the first of two */
        result = buf_append_char(out, raw.data[i]);
    }
    return result;
}

static enum result add_column(struct var_file *f, struct str raw, struct err *err)
{
    struct buf name = { 0 };
    char **columns = reallocarray(f->columns, f->column_count + 1, sizeof *columns);
    char *copy = NULL;

    if (columns) {
        f->columns = columns;
        if (plain_field(raw, &name) == RESULT_OK) {
            copy = str_dup(str_trim(buf_view(&name)));
        }
    }
    buf_release(&name);
    if (!copy) {
        return err_nomem(err, "reading a file of values");
    }
    f->columns[f->column_count++] = copy;
    return RESULT_OK;
}

static enum result read_columns(struct var_file *f, size_t *at, struct err *err)
{
    bool last = false, bad = false;
    size_t from = *at, odd;

    while (!last) {
        struct str raw;
        enum result result;

        if (f->column_count == VARS_COLUMNS_MAX) {
            return err_set(err, RESULT_LIMIT, "E-IN1", "%s:1: more than %d columns", f->path,
                           VARS_COLUMNS_MAX);
        }
        next_field(f, at, &raw, &last, &bad);
        result = add_column(f, raw, err);
        if (result != RESULT_OK) {
            return result;
        }
    }
    odd = find_not_utf8(f, from, *at);
    if (odd < *at && odd < f->text.len) {
        return err_set(err, RESULT_INVALID, "E-IN1", "%s:%zu: %s", f->path,
                       1 + count_lines(f, 0, odd), not_utf8(buf_view(&f->text)));
    }
    return bad ? err_set(err, RESULT_INVALID, "E-IN1", "%s:1: a quote out of place", f->path)
               : RESULT_OK;
}

/* --- rows ------------------------------------------------------------------------------------------ */

static bool add_row(struct var_file *f, size_t at)
{
    if (f->row_count == f->row_allocated) {
        size_t allocated = f->row_allocated ? f->row_allocated * 2 : 256;
        uint32_t *rows = reallocarray(f->rows, allocated, sizeof *rows);

        if (!rows) {
            return false;
        }
        f->rows = rows;
        f->row_allocated = allocated;
    }
    f->rows[f->row_count++] = (uint32_t)at;
    return true;
}

static struct str line_at(const struct var_file *f, size_t at)
{
    struct str rest = { f->text.data + at, f->text.len - at };

    return str_cut(&rest, '\n');
}

/* What is wrong with the row at `*at`, which moves past it; NULL when nothing is. */
static const char *check_row(const struct var_file *f, size_t *at, char text[JSON_ERROR_MAX])
{
    struct str line = line_at(f, *at);
    bool last = false, bad = false;
    size_t fields = 0;
    struct str raw;

    if (f->form == FORM_JSON || f->form == FORM_TEXT) {
        struct json_error fault;

        *at += line.len + 1;
        if (line.len && memchr(line.data, '\0', line.len)) {
            return "holds a NUL";
        }
        if (f->form == FORM_JSON && !json_check(line, VALUE_DEPTH_MAX, &fault)) {
            memcpy(text, fault.text, JSON_ERROR_MAX);
            return text;
        }
        return NULL;
    }
    while (!last) {
        next_field(f, at, &raw, &last, &bad);
        bad |= raw.len && memchr(raw.data, '\0', raw.len);
        fields++;
    }
    return bad                         ? "a quote or a NUL out of place"
           : fields != f->column_count ? "has not as many fields as the first line"
                                       : NULL;
}

static void tell(struct job_faults *faults, const char *path, size_t line, const char *what)
{
    if (faults && faults->count++ < JOB_FAULTS_SHOWN) {
        err_set(&faults->errors[faults->count - 1], RESULT_INVALID, "E-IN1", "%s:%zu: %s", path,
                line, what);
    }
}

static enum result read_rows(struct var_file *f, size_t at, struct job_faults *faults,
                             struct err *err)
{
    size_t line = 1 + count_lines(f, 0, at), bad = 0;

    while (at < f->text.len) {
        char text[JSON_ERROR_MAX];
        size_t from = at, odd;
        const char *what;

        if (!str_trim(line_at(f, at)).len) {
            at += line_at(f, at).len + 1;
            line++;
            continue;
        }
        what = check_row(f, &at, text);
        odd = find_not_utf8(f, from, at);
        if (odd < at && odd < f->text.len) {
            what = not_utf8(buf_view(&f->text));
        }
        if (what) {
            size_t its = line + count_lines(f, from, odd < at ? odd : from);

            tell(faults, f->path, its, what);
            if (!bad++) {
                err_set(err, RESULT_INVALID, "E-IN1", "%s:%zu: %s", f->path, its, what);
            }
        } else if (!add_row(f, from)) {
            return err_nomem(err, "reading a file of values");
        }
        line += count_lines(f, from, at);
    }
    if (bad > 1) {
        return err_set(err, RESULT_INVALID, "E-IN1", "%s: %zu bad lines", f->path, bad);
    }
    return bad            ? RESULT_INVALID
           : f->row_count ? RESULT_OK
                          : err_set(err, RESULT_INVALID, "E-IN2", "no values in %s", f->path);
}

static enum result take_text(struct var_file *f, struct str piped, struct err *err)
{
    enum result result = RESULT_OK;

    if (strcmp(f->path, "-") == 0) {
        f->path = "stdin";
    } else if (!piped.len) {
        result = read_file(f, err);
    }
    if (piped.len || strcmp(f->path, "stdin") == 0) {
        result = buf_append_str(&f->text, piped) == RESULT_OK
                     ? RESULT_OK
                     : err_nomem(err, "reading a file of values");
    }
    f->crc32c = crc32c(0, f->text.data, f->text.len);
    return result;
}

/* What the file says in the letters that the job names. */
static enum result decode(struct var_file *f, const char *encoding, struct err *err)
{
    struct buf made = { .max = 4 * (size_t)VARS_FILE_MAX };
    struct str text;
    unsigned was = 0;
    enum result result =
        body_text_letters(buf_view(&f->text), STR(""), str_view(encoding), &made, &text, &was);

    if (result == RESULT_INVALID) {
        err_set(err, result, "E-IN2", "%s is not in %s", f->path, encoding);
    } else if (result != RESULT_OK) {
        result = err_nomem(err, "reading a file of values");
    } else if (text.data == made.data) {
        buf_release(&f->text);
        buf_take(&f->text, &made);
    }
    buf_release(&made);
    return result;
}

enum result var_file_open(struct var_file **opened, const char *path, const char *encoding,
                          struct str piped, struct job_faults *faults, struct err *err)
{
    struct var_file *f = calloc(1, sizeof *f);
    enum result result;
    size_t at;

    if (!f) {
        return err_nomem(err, "reading a file of values");
    }
    f->path = path;
    buf_init(&f->text, VARS_FILE_MAX);
    result = take_text(f, piped, err);
    if (result == RESULT_OK && encoding && f->text.len) {
        result = decode(f, encoding, err);
    }
    at = f->text.len - json_without_bom(buf_view(&f->text)).len;
    if (result == RESULT_OK) {
        f->form = form_of(path, json_without_bom(buf_view(&f->text)));
        f->separator =
            f->form == FORM_TSV ? '\t' : find_separator(json_without_bom(buf_view(&f->text)));
        if (f->text.len > at && (f->form == FORM_CSV || f->form == FORM_TSV)) {
            result = read_columns(f, &at, err);
        }
    }
    if (result == RESULT_OK) {
        result = read_rows(f, at, faults, err);
    }
    if (result != RESULT_OK) {
        var_file_free(f);
        return result;
    }
    f->path = NULL;
    *opened = f;
    return RESULT_OK;
}

void var_file_free(struct var_file *f)
{
    if (!f) {
        return;
    }
    for (size_t i = 0; i < f->column_count; i++) {
        free(f->columns[i]);
    }
    free(f->columns);
    free(f->rows);
    buf_release(&f->text);
    free(f);
}

uint64_t var_file_count(const struct var_file *f)
{
    return f->row_count;
}

uint32_t var_file_crc32c(const struct var_file *f)
{
    return f->crc32c;
}

/* --- values ---------------------------------------------------------------------------------------- */

static enum result csv_value(const struct var_file *f, uint64_t row, size_t column,
                             struct buf *json)
{
    size_t at = f->rows[row];
    bool last = false, bad = false;
    struct str raw = STR_NONE;
    struct buf plain = { 0 };
    enum result result;

    for (size_t i = 0; i <= column; i++) {
        next_field(f, &at, &raw, &last, &bad);
    }
    result = plain_field(raw, &plain);
    if (result == RESULT_OK) {
        result = json_text_append(json, buf_view(&plain));
    }
    buf_release(&plain);
    return result;
}

static enum result json_value(const struct var_file *f, uint64_t row, struct str field,
                              struct buf *json)
{
    struct str line = line_at(f, f->rows[row]), value = line;
    struct buf pointer = { 0 };
    enum result result = RESULT_OK;
    enum json_type type;

    if (field.data) {
        result = template_field_pointer(field, &pointer);
        if (result == RESULT_OK && !json_find(line, buf_view(&pointer), &value)) {
            result = RESULT_NOT_FOUND;
        }
    }
    type = result == RESULT_OK ? json_type_of(value) : JSON_NULL;
    if (result == RESULT_OK && (type == JSON_NULL || (!field.data && type == JSON_OBJECT))) {
        result = RESULT_NOT_FOUND;
    }
    if (result == RESULT_OK) {
        result = buf_append_str(json, str_trim(value));
    }
    buf_release(&pointer);
    return result;
}

enum result var_file_value(const struct var_file *f, uint64_t row, struct str field,
                           struct buf *json)
{
    if (f->form == FORM_JSON) {
        return json_value(f, row, field, json);
    }
    if (f->form == FORM_TEXT) {
        return field.data ? RESULT_NOT_FOUND
                          : json_text_append(json, str_trim(line_at(f, f->rows[row])));
    }
    for (size_t i = 0; field.data && i < f->column_count; i++) {
        if (str_equal(str_view(f->columns[i]), field)) {
            return csv_value(f, row, i, json);
        }
    }
    return RESULT_NOT_FOUND;
}

bool var_file_has_field(const struct var_file *f, struct str field)
{
    if (f->form == FORM_JSON) {
        return true;
    }
    if (f->form == FORM_TEXT) {
        return !field.data;
    }
    for (size_t i = 0; field.data && i < f->column_count; i++) {
        if (str_equal(str_view(f->columns[i]), field)) {
            return true;
        }
    }
    return false;
}

struct str var_file_field(const struct var_file *f, size_t index)
{
    return index < f->column_count ? str_view(f->columns[index]) : STR_NONE;
}
