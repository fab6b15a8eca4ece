/* "network" and "proxy": how servers are reached. */
#include "job/job_read.h"

#include "base/json_scan.h"
#include "job/job_parts.h"

#include <stdlib.h>
#include <string.h>

static void make_absolute(struct job_reader *r, char **path)
{
    char *absolute;

    if (!*path) {
        return;
    }
    absolute = job_absolute_path(r, *path);
    r->text.no_memory |= !absolute;
    free(*path);
    *path = absolute;
}

void job_read_network(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;

    (void)job_read_object(r, &job_network_keys, job, value);
    make_absolute(r, &job->network.ca_file);
}

/* A secret's text, the path of its file absolute. NULL after a fault. */
static char *secret_text(struct job_reader *r, const char *key, struct str value)
{
    char *text = job_text_string(&r->text, key, value), *path;
    struct buf whole = { 0 };

    if (!text || text[0] != '@' || !text[1] || text[1] == '@') {
        return text;
    }
    path = job_absolute_path(r, text + 1);
    free(text);
    text = path && buf_printf(&whole, "@%s", path) == RESULT_OK ? str_dup(buf_view(&whole)) : NULL;
    r->text.no_memory |= !text;
    buf_release(&whole);
    free(path);
    return text;
}

static void take(struct job_reader *r, struct str at, enum result result, const char *key,
                 struct err *err)
{
    if (result != RESULT_OK) {
        err_prefix(err, "\"%s\"", key);
        job_text_fault_of(&r->text, at, err);
    }
}

static void read_proxy_url(struct job_reader *r, void *target, struct str value)
{
    char *text = job_text_string(&r->text, "proxy", value);
    struct err err;

    if (text) {
        take(r, value, job_set_proxy(target, str_view(text), &err), "proxy", &err);
        explicit_bzero(text, strlen(text));
    }
    free(text);
}

static void read_proxy_user(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    char *text;
    struct err err;

    if (r->is_stored && json_type_of(value) == JSON_NULL) {
        job->network.proxy.is_incomplete = true;
        return;
    }
    text = secret_text(r, "user", value);
    if (text) {
        take(r, value, job_set_proxy_user(job, text, &err), "user", &err);
        explicit_bzero(text, strlen(text));
    }
    free(text);
}

static const struct job_key proxy_keys[] = {
    { "url", JOB_KEY_CALL, 0, 0, 0, read_proxy_url },
    { "user", JOB_KEY_CALL, 0, 0, 0, read_proxy_user },
    { "none_for", JOB_KEY_TEXT, offsetof(struct job, network.proxy.none_for), 0, 0, NULL },
};

const struct job_keys job_proxy_keys = JOB_KEYS("proxy", proxy_keys);

/* A URL, or an object with it. */
void job_read_proxy(struct job_reader *r, void *target, struct str value)
{
    if (r->skips_secrets) {
        return; /* nothing is going to be asked */
    }
    if (json_type_of(value) == JSON_OBJECT) {
        (void)job_read_object(r, &job_proxy_keys, target, value);
    } else {
        read_proxy_url(r, target, value);
    }
}
