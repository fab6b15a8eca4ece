#include "job/job_text.h"

#include "base/json_scan.h"
#include "base/json_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOB_DEPTH_MAX 64 /* of a job file; bodies given in it nest, too */

/* The byte after the string that begins at `at`, or the end of the text. */
static size_t past_string(const char *text, size_t len, size_t at)
{
    for (at++; at < len && text[at] != '"'; at++) {
        at += text[at] == '\\';
    }
    return at < len ? at + 1 : len;
}

/* The byte after the comment that begins at `at`; `at` when none does. An unended one is left for the
 * JSON check to find. */
static size_t past_comment(const char *text, size_t len, size_t at)
{
    const char *end = NULL;

    if (at + 1 < len && text[at] == '/' && text[at + 1] == '/') {
        end = memchr(text + at, '\n', len - at);
        return end ? (size_t)(end - text) : len;
    }
    if (at + 3 < len && text[at] == '/' && text[at + 1] == '*') {
        end = memmem(text + at + 2, len - at - 2, "*/", 2);
    }
    return end ? (size_t)(end - text) + 2 : at;
}

static void blank_comments(char *text, size_t len)
{
    size_t at = 0;

    while (at < len) {
        size_t end = past_comment(text, len, at);

        if (text[at] == '"') {
            at = past_string(text, len, at);
        } else if (end == at) {
            at++;
        }
        for (; at < end; at++) {
            text[at] = text[at] == '\n' ? '\n' : ' ';
        }
    }
}

bool job_text_open(struct job_text *t, struct str text, const char *where,
                   struct job_faults *faults)
{
    struct json_error fault;

    *t = (struct job_text){ .where = where, .faults = faults };
    faults->count = 0;
    if (text.len > JOB_TEXT_MAX) {
        job_text_fault(t, STR_NONE, "E-CFG2", "over %d bytes", JOB_TEXT_MAX);
        return false;
    }
    if (buf_reserve(&t->plain, text.len + 1) != RESULT_OK ||
        buf_append_str(&t->plain, json_without_bom(text)) != RESULT_OK) {
        t->no_memory = true;
        return false;
    }
    blank_comments(t->plain.data, t->plain.len);
    if (!json_check(buf_view(&t->plain), JOB_DEPTH_MAX, &fault)) {
        size_t at = fault.at < t->plain.len ? fault.at : t->plain.len;

        job_text_fault(t, (struct str){ t->plain.data + at, 0 }, "E-CFG2", "not valid JSON: %s",
                       fault.fault == JSON_FAULT_EMPTY ? "empty" : fault.text);
        return false;
    }
    return true;
}

void job_text_release(struct job_text *t)
{
    buf_release(&t->plain);
}

struct str job_text_root(const struct job_text *t)
{
    return buf_view(&t->plain);
}

static size_t offset_of(const struct job_text *t, struct str at)
{
    return at.data && t->plain.data ? (size_t)(at.data - t->plain.data) : 0;
}

unsigned job_text_line(const struct job_text *t, struct str at)
{
    unsigned line = 1;

    for (size_t i = 0, end = offset_of(t, at); i < end; i++) {
        line += t->plain.data[i] == '\n';
    }
    return line;
}

static unsigned column_of(const struct job_text *t, struct str at)
{
    unsigned column = 1;

    for (size_t i = offset_of(t, at); i > 0 && t->plain.data[i - 1] != '\n'; i--) {
        column += ((unsigned char)t->plain.data[i - 1] & 0xC0) != 0x80;
    }
    return column;
}

/* Where the next fault goes, by its place in the text; NULL when those shown are all before it. */
static struct err *slot(struct job_text *t, size_t at)
{
    struct job_faults *faults = t->faults;
    size_t shown = faults->count < JOB_FAULTS_SHOWN ? faults->count : JOB_FAULTS_SHOWN;
    size_t to = shown;

    faults->count++;
    while (to > 0 && t->fault_at[to - 1] > at) {
        to--;
    }
    if (to == JOB_FAULTS_SHOWN) {
        return NULL;
    }
    if (shown == JOB_FAULTS_SHOWN) {
        shown--;
    }
    memmove(&faults->errors[to + 1], &faults->errors[to], (shown - to) * sizeof(struct err));
    memmove(&t->fault_at[to + 1], &t->fault_at[to], (shown - to) * sizeof(size_t));
    t->fault_at[to] = at;
    return &faults->errors[to];
}

void job_text_fault_of(struct job_text *t, struct str at, const struct err *err)
{
    struct err *to;

    if (err->result == RESULT_NOMEM) {
        t->no_memory = true;
        return;
    }
    to = slot(t, offset_of(t, at));
    if (!to) {
        return;
    }
    *to = *err;
    if (!t->where) {
        return;
    }
    if (at.data) {
        err_prefix(to, "%s:%u:%u", t->where, job_text_line(t, at), column_of(t, at));
    } else {
        err_prefix(to, "%s", t->where);
    }
}

void job_text_fault(struct job_text *t, struct str at, const char *code, const char *format, ...)
{
    struct err err = { .result = RESULT_INVALID };
    va_list arguments;

    snprintf(err.code, sizeof err.code, "%s", code);
    va_start(arguments, format);
    vsnprintf(err.text, sizeof err.text, format, arguments);
    va_end(arguments);
    job_text_fault_of(t, at, &err);
}

static char *decode(struct job_text *t, const char *key, struct str at, struct str raw)
{
    struct buf text = { 0 };
    char *copy = NULL;

    if (json_unescape(&text, raw, NULL) != RESULT_OK) {
        t->no_memory = true;
    } else if (text.len && memchr(text.data, '\0', text.len)) {
        job_text_fault(t, at, "E-CFG2", "\"%.64s\": holds a NUL", key);
    } else {
        copy = str_dup(buf_view(&text));
        t->no_memory |= !copy;
    }
    buf_release(&text);
    return copy;
}

char *job_text_string(struct job_text *t, const char *key, struct str value)
{
    if (json_type_of(value) != JSON_STRING) {
        job_text_fault(t, value, "E-CFG2", "\"%.64s\": want a string", key);
        return NULL;
    }
    return decode(t, key, value, json_string_raw(value));
}

char *job_text_name(struct job_text *t, struct str raw)
{
    char key[64];

    snprintf(key, sizeof key, "%.*s", STR_ARG(raw));
    return decode(t, key, raw, raw);
}

char *job_text_compact(struct str json)
{
    struct buf out = { 0 };
    char *copy = json_text_compact(&out, json) == RESULT_OK ? str_dup(buf_view(&out)) : NULL;

    buf_release(&out);
    return copy;
}

enum result job_replace(char **to, struct str text, struct err *err)
{
    char *copy = str_dup(text);

    if (!copy) {
        return err_nomem(err, "reading the job");
    }
    free(*to);
    *to = copy;
    return RESULT_OK;
}
