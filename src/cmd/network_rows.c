#include "cmd/network_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Kept as an absolute path: the next session may start in another directory. */
static enum result set_ca_file(void *target, const char *value, struct err *err)
{
    struct job *job = target;
    char *path = realpath(value, NULL);

    if (!path || access(path, R_OK) != 0) {
        int errnum = errno;

        free(path);
        return err_set_errno(err, errnum, "E-TLS3", "CA file %s", value);
    }
    free(job->network.ca_file);
    job->network.ca_file = path;
    return RESULT_OK;
}

static enum result set_proxy(void *target, const char *value, struct err *err)
{
    return job_set_proxy(target, str_view(value), err);
}

static enum result set_proxy_user(void *target, const char *value, struct err *err)
{
    return job_set_proxy_user(target, value, err);
}

static enum result set_none_for(void *target, const char *value, struct err *err)
{
    struct job *job = target;
    char *copy = str_dup(str_view(value));

    if (!copy) {
        return err_nomem(err, "reading the command line");
    }
    free(job->network.proxy.none_for);
    job->network.proxy.none_for = copy;
    return RESULT_OK;
}

const struct option_row network_rows[NETWORK_ROWS] = {
    {
        .letter = 'x',
        .name = "proxy",
        .words = "http:// https:// socks4a:// socks5:// socks5h://",
        .value = "URL",
        .help = "Ask through this proxy: [http://]HOST:PORT, https://, socks5h:// and the like; '' "
                "is none "
                "(those of the environment, as curl has them)",
        .kind = OPTION_CALL,
        .set = set_proxy,
    },
    {
        .letter = 'U',
        .name = "proxy-user",
        .value = "USER",
        .help = "The proxy's credentials, 'NAME:${PASSWORD}'; @FILE reads them from a file that "
                "only you "
                "can read",
        .kind = OPTION_CALL,
        .set = set_proxy_user,
    },
    {
        .name = "noproxy",
        .value = "HOSTS",
        .help = "Hosts asked without a proxy: example.org,10.0.0.0/8; * is all, '' none (NO_PROXY)",
        .kind = OPTION_CALL,
        .set = set_none_for,
    },
    {
        .letter = 'k',
        .name = "insecure",
        .help = "Take any TLS certificate",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct job, network.insecure),
    },
    {
        .name = "cacert",
        .value = "FILE",
        .help = "Certificates to trust instead of the system's",
        .kind = OPTION_CALL,
        .set = set_ca_file,
    },
    {
        .name = "http2",
        .help = "HTTP/2 where the server has it",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct job, network.http2),
    },
};
