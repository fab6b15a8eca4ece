#include "job/vars.h"

#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/zone.h"
#include "job/dates.h"
#include "job/glob.h"
#include "job/var_file.h"

#include <inttypes.h>
#include <stdio.h>
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
    struct zone *zone; /* of dates; NULL: UTC */
    char *format;      /* of dates; NULL: the usual one */
    uint64_t chunk;    /* values that go together, at least 1 */
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

/* The day that words count from began at midnight there; with steps by the clock it is a moment. */
static bool parse_now(const struct job_var *from, const struct zone *zone, int64_t *now_s)
{
    int64_t day, us;

    *now_s = 0;
    if (!from->today) {
        return true;
    }
    if (dates_parse_day(str_view(from->today), 0, &day)) {
        *now_s = zone_utc(zone, day * 86400);
        return true;
    }
    if (dates_parse_instant(str_view(from->today), &us, NULL) != RESULT_OK) {
        return false;
    }
    *now_s = us / 1000000;
    return true;
}

/* `zone` is the caller's to free, whatever comes back. */
static enum result parse_dates(const struct job_var *from, struct dates *dates, struct zone **zone,
                               struct err *err)
{
    struct dates_given given = { .from = str_view(from->text),
                                 .to = str_view(from->to),
                                 .step = str_view(from->step) };
    enum result result = RESULT_OK;

    *zone = NULL;
    if (from->zone) {
        result = zone_open(zone, str_view(from->zone), err);
    }
    if (result == RESULT_OK && !parse_now(from, *zone, &given.now_s)) {
        result = err_set(err, RESULT_INVALID, "E-CFG2",
                         "\"today\": want a date such as 2026-01-31, or 2026-01-31T18:00:00Z");
    }
    if (result == RESULT_OK) {
        given.zone = *zone;
        result = dates_parse(dates, &given, err);
    }
    return result == RESULT_OK && from->format ? dates_check_format(str_view(from->format), err)
                                               : result;
}

enum result vars_check_dates(const struct job_var *var, struct err *err)
{
    struct dates dates;
    struct zone *zone;
    enum result result = parse_dates(var, &dates, &zone, err);

    zone_free(zone);
    return result;
}

bool vars_today(const struct job_var *var, int64_t wall_us, char text[DATES_INSTANT_MAX])
{
    bool by_clock = dates_step_by_clock(str_view(var->step));
    struct zone *zone = NULL;
    struct buf day = { 0 };
    int64_t now_s = wall_us / 1000000;

    if (!dates_is_word(str_view(var->text)) && !dates_is_word(str_view(var->to))) {
        return false;
    }
    if (by_clock) {
        dates_format_instant(wall_us, text);
        return true;
    }
    if (var->zone && zone_open(&zone, str_view(var->zone), NULL) != RESULT_OK) {
        return false; /* vars_check_dates tells why */
    }
    text[0] = '\0';
    if (dates_format(zone, now_s, STR("%Y-%m-%d"), &day) == RESULT_OK && buf_cstr(&day)) {
        snprintf(text, DATES_INSTANT_MAX, "%s", buf_cstr(&day));
    }
    buf_release(&day);
    zone_free(zone);
    return text[0];
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
    var->format = from->format ? str_dup(str_view(from->format)) : NULL;
    if (!var->name || (from->format && !var->format)) {
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
        result = parse_dates(from, &var->dates, &var->zone, err);
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
    zone_free(var->zone);
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

/* What may follow the dot of dates: a part of the step, and of that its seconds. */
static const struct date_field {
    struct str name;
    enum dates_part part;
    unsigned per_s; /* of a number: 1, or 1000 in milliseconds; 0: as the format says */
} date_fields[] = {
    { STR_INIT("last"), DATES_LAST, 0 },
    { STR_INIT("next"), DATES_NEXT, 0 },
    { STR_INIT("epoch"), DATES_BEGIN, 1 },
    { STR_INIT("last.epoch"), DATES_LAST, 1 },
    { STR_INIT("next.epoch"), DATES_NEXT, 1 },
    { STR_INIT("epoch_ms"), DATES_BEGIN, 1000 },
    { STR_INIT("last.epoch_ms"), DATES_LAST, 1000 },
    { STR_INIT("next.epoch_ms"), DATES_NEXT, 1000 },
};

#define DATE_FIELDS (sizeof date_fields / sizeof *date_fields)

static const struct date_field *find_date_field(struct str name)
{
    size_t i = 0;

    while (i < DATE_FIELDS && !str_equal(name, date_fields[i].name)) {
        i++;
    }
    return i < DATE_FIELDS ? &date_fields[i] : NULL;
}

/* The end of a step is its last second, or its last millisecond. */
static enum result date_number(const struct var *var, const struct dates_window *window,
                               const struct date_field *field, struct buf *json)
{
    int64_t seconds = field->part == DATES_LAST
                          ? window->next_s - 1
                          : dates_window_utc(&var->dates, window, field->part);
    int64_t rest = field->part == DATES_LAST && field->per_s > 1 ? field->per_s - 1 : 0;

    return buf_printf(json, "%" PRId64, seconds * (int64_t)field->per_s + rest);
}

static enum result date_value(const struct var *var, const struct dates_window *window,
                              struct str name, struct buf *json)
{
    const struct date_field *field = name.data ? find_date_field(name) : NULL;
    struct str format = var->format ? str_view(var->format) : dates_usual_format(&var->dates);
    struct buf text = { 0 };
    enum result result;

    if (name.data && !field) {
        return RESULT_NOT_FOUND;
    }
    if (field && field->per_s) {
        return date_number(var, window, field, json);
    }
    result = dates_format(var->zone,
                          dates_window_utc(&var->dates, window, field ? field->part : DATES_BEGIN),
                          format, &text);
    if (result == RESULT_OK) {
        result = json_text_append(json, buf_view(&text));
    }
    buf_release(&text);
    return result;
}

static enum result one_value(const struct var *var, uint64_t at, struct str field, struct buf *json)
{
    struct dates_window window;

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
    window = dates_window(&var->dates, at);
    return date_value(var, &window, field, json);
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

bool vars_is_window(const struct vars *v, size_t index)
{
    return v->list[index].kind == JOB_VAR_DATES && v->list[index].chunk == 1;
}

enum result vars_window_value(const struct vars *v, size_t index, const struct dates_window *window,
                              struct str field, struct buf *json)
{
    return date_value(&v->list[index], window, field, json);
}

bool vars_halve(const struct vars *v, size_t index, const struct dates_window *window,
                struct dates_window halves[2])
{
    return dates_halve(&v->list[index].dates, window, halves);
}

bool vars_has_field(const struct vars *v, size_t index, struct str field)
{
    const struct var *var = &v->list[index];

    if (var->kind == JOB_VAR_FILE) {
        return var_file_has_field(var->file, field);
    }
    return !field.data || (var->kind == JOB_VAR_DATES && find_date_field(field));
}

struct str vars_field(const struct vars *v, size_t index, size_t at)
{
    const struct var *var = &v->list[index];

    if (var->kind == JOB_VAR_FILE) {
        return var_file_field(var->file, at);
    }
    return var->kind == JOB_VAR_DATES && at < DATE_FIELDS ? date_fields[at].name : STR_NONE;
}
