#include "job/vars.h"

#include "base/json_scan.h"
#include "base/json_text.h"
#include "job/dates.h"
#include "job/glob.h"
#include "job/var_file.h"

#include <stdlib.h>
#include <string.h>

/* A pattern is one of URLs; values are what follows this. */
#define PATTERN_HEAD "http://v/"

struct var {
    enum job_var_kind kind;
    char *name;
    struct glob *glob; /* of a pattern */
    bool is_number;    /* its values are */
    char **values;     /* of a list */
    uint64_t count;
    struct var_file *file;
    struct dates dates;
    char *format;
    uint64_t chunk; /* values that go together, at least 1 */
};

struct vars {
    size_t count;
    struct var list[];
};

/* --- opening ---------------------------------------------------------------------------------------- */

static enum result pattern_new(struct glob **glob, struct str pattern, struct err *err)
{
    struct buf text = { 0 };
    enum result result = buf_append_str(&text, STR(PATTERN_HEAD));

    if (result == RESULT_OK) {
        result = buf_append_str(&text, pattern);
    }
    result = result == RESULT_OK ? glob_new(glob, buf_view(&text), false, err)
                                 : err_nomem(err, "reading a pattern");
    buf_release(&text);
    return result;
}

enum result vars_check_pattern(struct str pattern, struct err *err)
{
    struct glob *glob;
    enum result result = pattern_new(&glob, pattern, err);

    if (result == RESULT_OK) {
        glob_free(glob);
    }
    return result;
}

/* "[1-100]" and nothing else, its numbers as JSON writes them. */
static bool is_plain_range(struct str pattern)
{
    struct str inside = { pattern.data + 1, pattern.len - 2 };
    struct str low;

    if (pattern.len < 5 || pattern.data[0] != '[' || pattern.data[pattern.len - 1] != ']') {
        return false;
    }
    low = str_cut(&inside, '-');
    for (size_t i = 0; i < low.len; i++) {
        if (low.data[i] < '0' || low.data[i] > '9') {
            return false;
        }
    }
    return low.len && (low.len == 1 || low.data[0] != '0') &&
           !(inside.len && memchr(inside.data, '[', inside.len));
}

static enum result parse_dates(const struct job_var *from, struct dates *dates, struct err *err)
{
    int64_t today = 0;
    enum result result;

    if (from->today && !dates_parse_day(str_view(from->today), 0, &today)) {
        return err_set(err, RESULT_INVALID, "E-CFG2", "\"today\": want a date such as 2026-01-31");
    }
    result = dates_parse(dates, str_view(from->text), str_view(from->to), str_view(from->step),
                         today, err);

    return result == RESULT_OK && from->format ? dates_check_format(str_view(from->format), err)
                                               : result;
}

enum result vars_check_dates(const struct job_var *var, struct err *err)
{
    struct dates dates;

    return parse_dates(var, &dates, err);
}

static enum result open_list(struct var *var, const struct job_var *from, struct err *err)
{
    var->values = calloc(from->value_count + 1, sizeof *var->values);
    for (; var->values && var->count < from->value_count; var->count++) {
        var->values[var->count] = str_dup(str_view(from->values[var->count]));
        if (!var->values[var->count]) {
            break;
        }
    }
    return var->count == from->value_count ? RESULT_OK : err_nomem(err, "reading a list of values");
}

static enum result open_file(struct var *var, const struct job_var *from, struct job_faults *faults,
                             struct err *err)
{
    enum result result =
        var_file_open(&var->file, from->text, from->encoding, buf_view(&from->piped), faults, err);

    if (result != RESULT_OK) {
        var->file = NULL;
        return result;
    }
    var->count = var_file_count(var->file);
    if (from->has_crc32c && from->crc32c != var_file_crc32c(var->file)) {
        return err_set(err, RESULT_INVALID, "E-IN5",
                       "%s has changed since the run began; begin anew with --fresh",
                       strcmp(from->text, "-") == 0 ? "stdin" : from->text);
    }
    return RESULT_OK;
}

static enum result open_var(struct var *var, const struct job_var *from, struct job_faults *faults,
                            struct err *err)
{
    enum result result = RESULT_OK;

    var->kind = from->kind;
    var->chunk = from->chunk ? from->chunk : 1;
    var->name = str_dup(str_view(from->name));
    var->format = from->format ? str_dup(str_view(from->format)) : str_dup(STR("%Y-%m-%d"));
    if (!var->name || !var->format) {
        return err_nomem(err, "reading the variables");
    }
    switch (from->kind) {
    case JOB_VAR_PATTERN:
        result = pattern_new(&var->glob, str_view(from->text), err);
        if (result != RESULT_OK) {
            var->glob = NULL;
            return result;
        }
        var->count = glob_count(var->glob);
        var->is_number = is_plain_range(str_view(from->text));
        break;
    case JOB_VAR_LIST:
        result = open_list(var, from, err);
        break;
    case JOB_VAR_FILE:
        result = open_file(var, from, faults, err);
        break;
    case JOB_VAR_DATES:
        result = parse_dates(from, &var->dates, err);
        var->count = var->dates.count;
        break;
    }
    return result;
}

enum result vars_new(struct vars **vars, const struct job *job, struct job_faults *faults,
                     struct err *err)
{
    struct vars *v = calloc(1, sizeof *v + job->var_count * sizeof v->list[0]);
    enum result result = v ? RESULT_OK : err_nomem(err, "reading the variables");

    if (faults) {
        faults->count = 0;
    }
    for (size_t i = 0; i < job->var_count && result == RESULT_OK; i++) {
        v->count++;
        result = open_var(&v->list[i], &job->vars[i], faults, err);
        if (result != RESULT_OK) {
            err_prefix(err, "variable \"%s\"", job->vars[i].name);
        }
    }
    if (result != RESULT_OK) {
        vars_free(v);
        return result;
    }
    *vars = v;
    return RESULT_OK;
}

static void var_release(struct var *var)
{
    for (uint64_t i = 0; var->kind == JOB_VAR_LIST && i < var->count; i++) {
        free(var->values[i]);
    }
    free(var->values);
    free(var->name);
    free(var->format);
    glob_free(var->glob);
    var_file_free(var->file);
}

void vars_free(struct vars *v)
{
    for (size_t i = 0; v && i < v->count; i++) {
        var_release(&v->list[i]);
    }
    free(v);
}

uint64_t vars_count(const struct vars *v, size_t var)
{
    const struct var *each = &v->list[var];

    return each->count / each->chunk + (each->count % each->chunk != 0);
}

uint32_t vars_crc32c(const struct vars *v, size_t var)
{
    return v->list[var].file ? var_file_crc32c(v->list[var].file) : 0;
}

/* --- values ------------------------------------------------------------------------------------------ */

static enum result pattern_value(const struct var *var, uint64_t index, struct buf *json)
{
    struct buf url = { 0 };
    enum result result = glob_expand(var->glob, index, &url, NULL);

    if (result == RESULT_OK) {
        struct str value = buf_view(&url);

        value.data += sizeof PATTERN_HEAD - 1;
        value.len -= sizeof PATTERN_HEAD - 1;
        result = var->is_number ? buf_append_str(json, value) : json_text_append(json, value);
    }
    buf_release(&url);
    return result;
}

static bool is_date_field(struct str field)
{
    return str_equal(field, STR("last")) || str_equal(field, STR("next"));
}

static enum result date_value(const struct var *var, uint64_t index, struct str field,
                              struct buf *json)
{
    int64_t day = dates_at(&var->dates, index);
    struct buf text = { 0 };
    enum result result;

    if (field.data) {
        int64_t next = dates_at(&var->dates, index + 1);
        int64_t last = next - 1 < var->dates.last ? next - 1 : var->dates.last;

        if (!is_date_field(field)) {
            return RESULT_NOT_FOUND;
        }
        day = last + str_equal(field, STR("next"));
    }
    result = dates_format(day, str_view(var->format), &text);
    if (result == RESULT_OK) {
        result = json_text_append(json, buf_view(&text));
    }
    buf_release(&text);
    return result;
}

static enum result one_value(const struct var *var, uint64_t at, struct str field, struct buf *json)
{
    switch (var->kind) {
    case JOB_VAR_PATTERN:
        return field.data ? RESULT_NOT_FOUND : pattern_value(var, at, json);
    case JOB_VAR_LIST:
        return field.data ? RESULT_NOT_FOUND : buf_append_str(json, str_view(var->values[at]));
    case JOB_VAR_FILE:
        return var_file_value(var->file, at, field, json);
    case JOB_VAR_DATES:
        break;
    }
    return date_value(var, at, field, json);
}

/* "1,2,3": the letters of a string, and anything else as it is written. */
static enum result append_joined(const struct var *var, uint64_t at, struct str field,
                                 struct buf *text)
{
    struct buf json = { 0 };
    enum result result = one_value(var, at, field, &json);

    if (result == RESULT_OK && text->len) {
        result = buf_append_char(text, ',');
    }
    if (result == RESULT_OK) {
        result = json_type_of(buf_view(&json)) == JSON_STRING
                     ? json_unescape(text, json_string_raw(buf_view(&json)), NULL)
                     : buf_append_str(text, buf_view(&json));
    }
    buf_release(&json);
    return result;
}

enum result vars_value(const struct vars *v, size_t index, uint64_t at, struct str field,
                       struct buf *json)
{
    const struct var *var = &v->list[index];
    uint64_t from = at * var->chunk;
    struct buf text = { 0 };
    enum result result = RESULT_OK;

    if (var->chunk == 1) {
        return one_value(var, at, field, json);
    }
    for (uint64_t i = from; i < from + var->chunk && i < var->count && result == RESULT_OK; i++) {
        result = append_joined(var, i, field, &text);
    }
    result = result == RESULT_OK ? json_text_append(json, buf_view(&text)) : result;
    buf_release(&text);
    return result;
}

bool vars_has_field(const struct vars *v, size_t index, struct str field)
{
    const struct var *var = &v->list[index];

    if (var->kind == JOB_VAR_FILE) {
        return var_file_has_field(var->file, field);
    }
    return !field.data || (var->kind == JOB_VAR_DATES && is_date_field(field));
}

struct str vars_field(const struct vars *v, size_t index, size_t at)
{
    static const struct str of_dates[] = { STR_INIT("last"), STR_INIT("next") };
    const struct var *var = &v->list[index];

    if (var->kind == JOB_VAR_FILE) {
        return var_file_field(var->file, at);
    }
    return var->kind == JOB_VAR_DATES && at < 2 ? of_dates[at] : STR_NONE;
}
