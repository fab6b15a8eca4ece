/* The user and the password that a netrc file has for the host of the login's origin. */
#include "job/auth/auth_kind.h"

#include "base/url.h"
#include "job/job_parts.h"
#include "job/netrc.h"

static enum result keep(struct job *job, const struct buf *user, const struct buf *password,
                        struct err *err)
{
    struct job_login *login = &job->login;

    job_secret_release(&login->user);
    job_secret_release(&login->secret);
    login->user.sent = str_dup(user->len ? buf_view(user) : STR(""));
    login->secret.sent = str_dup(password->len ? buf_view(password) : STR(""));
    return login->user.sent && login->secret.sent
               ? secrets_add(&job->secrets, str_view(login->secret.sent), "netrc.password", err)
               : err_nomem(err, "reading a netrc file");
}

enum result auth_netrc_resolve(struct job *job, struct err *err)
{
    struct job_login *login = &job->login;
    struct buf user = { 0 }, password = { 0 };
    enum result result;
    struct url origin;
    struct str host;

    if (!auth_origin_of(job, &origin)) {
        return err_set(err, RESULT_INVALID, "E-AUTH1",
                       "netrc: give \"base\", or a URL whose host is one: its entry is looked for");
    }
    host = origin.host;
    result = netrc_read(login->netrc, host, &user, &password, err);
    if (result == RESULT_OK) {
        result = keep(job, &user, &password, err);
    } else if (result == RESULT_NOT_FOUND && login->netrc_is_optional) {
        login->kind = NULL;
        result = RESULT_OK;
    } else if (result == RESULT_NOT_FOUND) {
        result = err_set(err, RESULT_INVALID, "E-AUTH1", "%s has no entry for %.*s", login->netrc,
                         (int)(host.len < 100 ? host.len : 100), host.data);
    }
    auth_wipe(&user);
    auth_wipe(&password);
    return result;
}

static enum result give(const struct job_login *login, struct buf *token)
{
    return auth_basic.token(login, token);
}

static enum result credential(const struct job_login *login, struct str token, struct buf *header,
                              struct buf *query)
{
    return auth_basic.credential(login, token, header, query);
}

const struct auth_kind auth_netrc = {
    .key = { .name = "netrc",
             .kind = JOB_KEY_PATH,
             .offset = AUTH_FIELD(netrc),
             .help = "A netrc file, whose entry for the server is sent as \"basic\" is: ~/.netrc" },
    .token = give,
    .credential = credential,
};
