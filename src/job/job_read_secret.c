/* Texts of a job file that are secrets. */
#include "job/job_read.h"

#include "base/json_scan.h"
#include "base/os.h"
#include "job/job_parts.h"

#include <stdlib.h>
#include <string.h>

/* `@FILE`: what the file holds, and its absolute path for the next session. */
static enum result take_file(struct job_reader *r, const char *name, struct buf *given,
                             struct buf *sent, struct err *err)
{
    char *path = job_absolute_path(r, name);
    struct buf text;
    enum result result;

    if (!path) {
        return err_nomem(err, "reading the job");
    }
    buf_init(&text, SECRET_FILE_MAX);
    result = secret_read_file(path, &text, err);
    if (result == RESULT_OK) {
        struct str value = str_trim(buf_view(&text));

        if (!value.len || memchr(value.data, '\0', value.len)) {
            result = err_set(err, RESULT_INVALID, "E-SEC1", "%s holds no secret", path);
        } else if (buf_printf(given, "@%s", path) != RESULT_OK ||
                   buf_append_str(sent, value) != RESULT_OK) {
            result = err_nomem(err, "reading the job");
        } else {
            const char *slash = strrchr(path, '/');
            char label[SECRET_LABEL_SIZE];

            secret_label(label, "file", str_view(slash ? slash + 1 : path));
            result = secrets_add(&r->job->secrets, value, label, err);
        }
    }
    if (text.data) {
        os_wipe(text.data, text.cap);
    }
    buf_release(&text);
    free(path);
    return result;
}

enum result job_resolve_secret(struct job_reader *r, const char *text, struct buf *given,
                               struct buf *sent, struct err *err)
{
    if (text[0] == '@' && text[1] && text[1] != '@') {
        return take_file(r, text + 1, given, sent, err);
    }
    if (buf_append_str(given, str_view(text)) != RESULT_OK) {
        return err_nomem(err, "reading the job");
    }
    return secret_expand(str_view(text + (text[0] == '@' && text[1] == '@')), &r->job->secrets,
                         sent, err);
}

static bool read_secret(struct job_reader *r, const char *key, struct str value, bool keeps,
                        bool may_be_empty, struct job_secret *secret)
{
    struct buf given = { 0 }, sent = { 0 };
    struct err err;
    char *text;
    bool literal;
    enum result result;

    job_secret_release(secret);
    if (r->is_stored && json_type_of(value) == JSON_NULL) {
        r->job->login.is_incomplete = true;
        return true;
    }
    text = job_text_string(&r->text, key, value);
    if (!text) {
        return false;
    }
    literal = job_secret_is_literal(text);
    result = job_resolve_secret(r, text, &given, &sent, &err);
    if (result == RESULT_OK && !sent.len && may_be_empty) {
        keeps = true; /* there is nothing to hide */
    } else if (result == RESULT_OK && !sent.len) {
        result = err_set(&err, RESULT_INVALID, "E-SEC2", "is empty");
    }
    if (result == RESULT_OK && !keeps) {
        char label[SECRET_LABEL_SIZE];

        secret_label(label, "job", str_view(key));
        result = secrets_add(&r->job->secrets, buf_view(&sent), label, &err);
    }
    if (result == RESULT_OK) {
        secret->sent = str_dup(buf_view(&sent));
        secret->given = keeps || !literal ? str_dup(buf_view(&given)) : NULL;
        r->text.no_memory |= !secret->sent || (!secret->given && (keeps || !literal));
    } else {
        err_prefix(&err, "\"%s\"", key);
        job_text_fault_of(&r->text, value, &err);
    }
    os_wipe(text, strlen(text));
    free(text);
    job_wipe(&given);
    job_wipe(&sent);
    return result == RESULT_OK;
}

bool job_read_secret(struct job_reader *r, const struct job_key *key, struct str value,
                     struct job_secret *secret)
{
    return read_secret(r, key->name, value, key->kind == JOB_KEY_NAMED, key->kind != JOB_KEY_SECRET,
                       secret);
}
