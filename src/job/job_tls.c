/* Certificates, keys and pins, as a job names them. Whether they are any good is fetch/client_cert.h's to say. */
#include "job/job_network.h"

#include "base/os.h"
#include "job/job_parts.h"
#include "job/job_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void job_tls_release(struct job_tls *tls)
{
    free(tls->cert);
    free(tls->key);
    job_secret_release(&tls->pass);
    free(tls->min);
    free(tls->pin);
    *tls = (struct job_tls){ .cert = NULL };
}

/* Absolute: the next session may start in another directory. */
static enum result set_path(char **to, const char *what, const char *path, struct err *err)
{
    char *absolute = realpath(path, NULL);

    if (!absolute || access(absolute, R_OK) != 0) {
        int errnum = errno;

        free(absolute);
        return err_set_errno(err, errnum, "E-TLS4", "%s %s", what, path);
    }
    free(*to);
    *to = absolute;
    return RESULT_OK;
}

/* Behind the longest name of a file that there is; where there is none, the first colon. NULL: no password. */
static const char *password_of(const char *text, char *room)
{
    const char *first = NULL;

    if (access(text, F_OK) == 0) {
        return NULL;
    }
    for (size_t at = strlen(text); at-- > 1;) {
        if (text[at] == ':') {
            room[at] = '\0';
            if (access(room, F_OK) == 0) {
                return text + at + 1;
            }
            first = text + at + 1;
        }
    }
    return first;
}

/* "FILE:PASS" when there is no file of that whole name. No part of a password is printed. */
enum result job_set_cert(struct job *job, const char *text, struct err *err)
{
    struct job_tls *tls = &job->network.tls;
    char *path = str_dup(str_view(text));
    const char *password = path ? password_of(text, path) : NULL;
    enum result result;

    if (!path) {
        return err_nomem(err, "reading the job");
    }
    if (password) {
        path[password - text - 1] = '\0';
    }
    result = set_path(&tls->cert, "certificate", path, err);
    os_wipe(path, strlen(text));
    free(path);
    return result == RESULT_OK && password ? job_set_pass(job, password, err) : result;
}

enum result job_set_key(struct job *job, const char *path, struct err *err)
{
    return set_path(&job->network.tls.key, "key", path, err);
}

enum result job_set_pass(struct job *job, const char *text, struct err *err)
{
    job->network.tls.is_incomplete = false;
    return job_take_secret(job, &job->network.tls.pass, text, "tls.pass", err);
}

enum result job_set_tls_min(struct job *job, const char *text, struct err *err)
{
    if (strcmp(text, "1.2") != 0 && strcmp(text, "1.3") != 0) {
        return err_set(err, RESULT_INVALID, "E-TLS4",
                       "\"%.16s\" is no least version: want 1.2 or 1.3", text);
    }
    return job_replace(&job->network.tls.min, str_view(text), err);
}

/* 32 bytes in base64. */
static bool is_pin(struct str pin)
{
    static const struct str head = STR_INIT("sha256//");

    return str_starts(pin, head) && pin.len == head.len + 44 && pin.data[pin.len - 1] == '=';
}

enum result job_set_pin(struct job *job, const char *text, struct err *err)
{
    struct str rest = str_view(text);

    if (!str_starts(rest, STR("sha256//"))) {
        return set_path(&job->network.tls.pin, "public key", text, err);
    }
    while (rest.len) {
        if (!is_pin(str_cut(&rest, ';'))) {
            return err_set(err, RESULT_INVALID, "E-TLS4",
                           "want sha256// and 44 characters of base64, several with ; between");
        }
    }
    return job_replace(&job->network.tls.pin, str_view(text), err);
}
