#include "job/job_network.h"

#include "base/os.h"
#include "job/job_parts.h"

#include <stdlib.h>
#include <string.h>

void job_secret_release(struct job_secret *secret)
{
    free(secret->given);
    if (secret->sent) {
        os_wipe(secret->sent, strlen(secret->sent));
    }
    free(secret->sent);
    *secret = (struct job_secret){ NULL, NULL };
}

void job_wipe(struct buf *b)
{
    if (b->data) {
        os_wipe(b->data, b->cap);
    }
    buf_release(b);
}

/* What the file holds; its path as absolute is what may be written down. */
static enum result take_file(const char *name, struct buf *given, struct buf *sent, struct err *err)
{
    char *path = realpath(name, NULL);
    struct buf text;
    struct str value;
    enum result result;

    buf_init(&text, SECRET_FILE_MAX);
    result = secret_read_file(path ? path : name, &text, err);
    value = str_trim(buf_view(&text));
    if (result == RESULT_OK && (!value.len || memchr(value.data, '\0', value.len))) {
        result = err_set(err, RESULT_INVALID, "E-SEC1", "%s holds no secret", name);
    } else if (result == RESULT_OK && (buf_printf(given, "@%s", path ? path : name) != RESULT_OK ||
                                       buf_append_str(sent, value) != RESULT_OK)) {
        result = err_nomem(err, "reading a secret");
    }
    job_wipe(&text);
    free(path);
    return result;
}

static enum result keep_secret(struct job *job, struct job_secret *secret, struct str given,
                               struct str sent, const char *label, struct err *err)
{
    struct job_secret made = { .sent = str_dup(sent), .given = given.data ? str_dup(given) : NULL };

    if (!made.sent || (given.data && !made.given)) {
        job_secret_release(&made);
        return err_nomem(err, "reading a secret");
    }
    job_secret_release(secret);
    *secret = made;
    return secrets_add(&job->secrets, sent, label, err);
}

enum result job_take_secret(struct job *job, struct job_secret *secret, const char *text,
                            const char *label, struct err *err)
{
    bool is_file = text[0] == '@' && text[1] && text[1] != '@';
    bool is_typed = !is_file && !job_names_variable(str_view(text));
    struct buf given = { 0 }, sent = { 0 };
    enum result result;

    if (is_file) {
        result = take_file(text + 1, &given, &sent, err);
    } else {
        result = secret_expand(str_view(text + (text[0] == '@' && text[1] == '@')), &job->secrets,
                               &sent, err);
        if (result == RESULT_OK && !is_typed) {
            result = buf_append_str(&given, str_view(text)) == RESULT_OK
                         ? RESULT_OK
                         : err_nomem(err, "reading a secret");
        }
    }
    if (result == RESULT_OK) {
        result = keep_secret(job, secret, is_typed ? STR_NONE : buf_view(&given), buf_view(&sent),
                             label, err);
    }
    job_wipe(&given);
    job_wipe(&sent);
    return result;
}
