#include "engine/cookie_jar.h"

#include "base/os.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/hidden.h"
#include "engine/kept_write.h"
#include "engine/login.h"
#include "fetch/cookies.h"

#include <stdlib.h>
#include <string.h>

#define WRITE_PAUSE_US US_PER_S

/* --- what is shown nowhere ------------------------------------------------------------------------ */

static void forget(char *value)
{
    if (value) {
        os_wipe(value, strlen(value));
    }
    free(value);
}

/* False when it is known, or no secret. */
static bool hide(struct cookie_jar *jar, struct str value)
{
    char *copy;

    if (value.len < COOKIE_SECRET_MIN) {
        return false;
    }
    for (size_t i = 0; i < jar->hidden_count; i++) {
        if (str_equal(str_view(jar->hidden[i]), value)) {
            return false;
        }
    }
    copy = str_dup(value);
    if (!copy) {
        return false;
    }
    forget(jar->hidden[jar->hidden_next]);
    jar->hidden[jar->hidden_next] = copy;
    jar->hidden_next = (jar->hidden_next + 1) % COOKIE_SECRETS_KEPT;
    jar->hidden_count += jar->hidden_count < COOKIE_SECRETS_KEPT;
    return true;
}

static void hide_lines(struct cookie_jar *jar, struct str text)
{
    struct cookie_line line;

    while (text.len) {
        if (cookie_line_split(str_cut(&text, '\n'), &line)) {
            (void)hide(jar, str_trim(line.value));
        }
    }
}

/* --- reading -------------------------------------------------------------------------------------- */

static enum result load(struct engine *e, const struct kept_file *file, bool must_exist,
                        struct err *err)
{
    struct buf text;
    size_t count;
    enum result result;

    buf_init(&text, 2 * COOKIES_TEXT_MAX);
    result = kept_file_read(file, COOKIES_TEXT_MAX, &text, err);
    if (result == RESULT_NOT_FOUND && !must_exist) {
        result = RESULT_OK;
    } else if (result == RESULT_OK) {
        count = fetch_load_cookies(e->fetch, buf_view(&text));
        hide_lines(&e->cookies, buf_view(&text));
        result = hidden_collect(e, err);
        if (count || must_exist) {
            events_add(&e->events, EVENT_INFO, "cookies", "", "%zu cookie%s from %s/%s", count,
                       units_plural(count), file->dir.path, file->name);
        }
    }
    auth_wipe(&text);
    return result;
}

static enum result load_given(struct engine *e, const char *path, struct err *err)
{
    struct kept_file file;
    enum result result = kept_file_at(&file, path, err);

    if (result == RESULT_OK) {
        result = load(e, &file, true, err);
        kept_file_close(&file);
    }
    return result;
}

enum result cookie_jar_open(struct engine *e, struct err *err)
{
    const struct job_cookies *job = &e->job->cookies;
    struct cookie_jar *jar = &e->cookies;
    enum result result = RESULT_OK;

    if (job->is_kept && !job->is_off) {
        result = job->jar ? kept_file_at(&jar->file, job->jar, err)
                          : kept_file_of_run(&jar->file, e->options.dir, COOKIE_JAR_FILE, err);
        if (result == RESULT_OK) {
            result = load(e, &jar->file, false, err);
        }
    }
    if (result == RESULT_OK && job->from && !job->is_off) {
        result = load_given(e, job->from, err);
    }
    return result;
}

/* --- while it runs -------------------------------------------------------------------------------- */

void cookie_jar_note(void *context, struct response *response, struct str name, struct str value,
                     bool is_foreign)
{
    struct engine *e = context;
    const struct request *request = response->request;
    const struct host *host = host_at(&e->hosts, request->host);
    struct err err;

    if (is_foreign) {
        if (e->cookies.foreign_host != request->host + 1) {
            e->cookies.foreign_host = request->host + 1;
            events_add(&e->events, EVENT_NOTICE, "cookies", "",
                       "%.*s sets the cookie %.*s for a domain that is not its own: refused",
                       STR_ARG(host->label), (int)(name.len < 40 ? name.len : 40), name.data);
        }
        return;
    }
    e->cookies.is_changed = true;
    if (hide(&e->cookies, value) && hidden_collect(e, &err) != RESULT_OK) {
        events_add(&e->events, EVENT_WARNING, "cookies", "", "%s", err.text);
    }
}

static void tell_trouble(struct engine *e, const struct err *err)
{
    events_add(&e->events, EVENT_WARNING, "cookies", "", "the cookies are not kept: %s", err->text);
}

static void write_done(struct engine *e, enum result result, const struct err *err)
{
    e->cookies.is_writing = false;
    if (result != RESULT_OK) {
        tell_trouble(e, err);
    }
}

void cookie_jar_look(struct engine *e, uint64_t now_us)
{
    struct cookie_jar *jar = &e->cookies;
    struct buf text = { 0 };

    if (!jar->file.name || !jar->is_changed || jar->is_writing || now_us < jar->due_us ||
        !engine_is_active(e)) {
        return;
    }
    if (fetch_write_cookies(e->fetch, &text) != RESULT_OK) {
        auth_wipe(&text); /* it is tried again */
        return;
    }
    jar->is_changed = false;
    jar->is_writing = true;
    jar->due_us = now_us + WRITE_PAUSE_US;
    kept_write(e, &jar->file, &text, write_done);
}

void cookie_jar_close(struct engine *e)
{
    struct buf text = { 0 };
    struct err err;

    if (!e->fetch || !e->cookies.file.name || !e->cookies.is_changed) {
        return;
    }
    e->cookies.is_changed = false;
    if (fetch_write_cookies(e->fetch, &text) == RESULT_OK &&
        kept_file_write(&e->cookies.file, buf_view(&text), &err) != RESULT_OK) {
        tell_trouble(e, &err);
    }
    auth_wipe(&text);
}

void cookie_jar_release(struct engine *e)
{
    for (size_t i = 0; i < COOKIE_SECRETS_KEPT; i++) {
        forget(e->cookies.hidden[i]);
    }
    kept_file_close(&e->cookies.file);
}
