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

static enum result set_proxies(void *target, const char *value, struct err *err)
{
    return job_set_proxies(target, value, err);
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

static enum result set_cert(void *target, const char *value, struct err *err)
{
    return job_set_cert(target, value, err);
}

static enum result set_key(void *target, const char *value, struct err *err)
{
    return job_set_key(target, value, err);
}

static enum result set_pass(void *target, const char *value, struct err *err)
{
    return job_set_pass(target, value, err);
}

static enum result set_tls_min(void *target, const char *value, struct err *err)
{
    return job_set_tls_min(target, value, err);
}

static enum result set_pin(void *target, const char *value, struct err *err)
{
    return job_set_pin(target, value, err);
}

static enum result add_resolve(void *target, const char *value, struct err *err)
{
    return job_add_resolve(target, value, err);
}

static enum result add_connect_to(void *target, const char *value, struct err *err)
{
    return job_add_connect_to(target, value, err);
}

static enum result set_unix_socket(void *target, const char *value, struct err *err)
{
    return job_set_unix_socket(target, value, err);
}

static enum result set_interface(void *target, const char *value, struct err *err)
{
    return job_set_interface(target, value, err);
}

/* Like curl, the last one counts. */
static enum result set_http_1_1(void *target, const char *value, struct err *err)
{
    (void)value;
    return job_set_http(target, "1.1", err);
}

static enum result set_http_2(void *target, const char *value, struct err *err)
{
    (void)value;
    return job_set_http(target, "2", err);
}

static enum result set_http_2_at_once(void *target, const char *value, struct err *err)
{
    (void)value;
    return job_set_http(target, "2-prior-knowledge", err);
}

static enum result set_http_3(void *target, const char *value, struct err *err)
{
    (void)value;
    return job_set_http(target, "3", err);
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
        .name = "proxies",
        .value = "FILE",
        .help = "Several proxies, one URL a line: each host keeps one of them until that refuses "
                "or is dead",
        .kind = OPTION_CALL,
        .set = set_proxies,
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
        .help = "Accept any certificate of a server",
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
        .letter = 'E',
        .name = "cert",
        .value = "FILE",
        .help = "Certificate to show servers that want one: PEM, or PKCS #12 with its key",
        .kind = OPTION_CALL,
        .set = set_cert,
    },
    {
        .name = "key",
        .value = "FILE",
        .help = "Its key as PEM, readable by you alone",
        .kind = OPTION_CALL,
        .set = set_key,
    },
    {
        .name = "pass",
        .value = "PHRASE",
        .help = "The key's pass phrase: '${NAME}', or @FILE",
        .kind = OPTION_CALL,
        .set = set_pass,
    },
    {
        .name = "tls-min",
        .words = "1.2 1.3",
        .value = "VERSION",
        .help = "Lowest version of TLS (1.2)",
        .kind = OPTION_CALL,
        .set = set_tls_min,
    },
    {
        .name = "pinnedpubkey",
        .value = "PIN",
        .help = "Accept only a server with this public key: sha256//..., or the key's file",
        .kind = OPTION_CALL,
        .set = set_pin,
    },
    {
        .name = "resolve",
        .value = "HOST:PORT:ADDR",
        .help = "Find this host at this address",
        .kind = OPTION_CALL,
        .set = add_resolve,
        .repeats = true,
    },
    {
        .name = "connect-to",
        .value = "H1:P1:H2:P2",
        .help = "Connect to H2:P2 for requests to H1:P1",
        .kind = OPTION_CALL,
        .set = add_connect_to,
        .repeats = true,
    },
    {
        .name = "unix-socket",
        .value = "PATH",
        .help = "Connect to this socket, whatever the URL",
        .kind = OPTION_CALL,
        .set = set_unix_socket,
    },
    {
        .name = "interface",
        .value = "NAME",
        .help = "Connect from this interface or address of ours",
        .kind = OPTION_CALL,
        .set = set_interface,
    },
    {
        .letter = '4',
        .name = "ipv4",
        .help = "Addresses of IPv4 only",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct job, network.route.ipv4),
    },
    {
        .letter = '6',
        .name = "ipv6",
        .help = "Addresses of IPv6 only",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct job, network.route.ipv6),
    },
    {
        .name = "path-as-is",
        .help = "Send /./ and /../ in the path as they stand",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct job, network.path_as_is),
    },
    {
        .name = "http1.1",
        .help =
            "HTTP/1.1 alone; without it HTTP/2 over TLS, where the server has it and libcurl is "
            "8.1 or later",
        .kind = OPTION_CALL,
        .set = set_http_1_1,
    },
    {
        .name = "http2",
        .help = "HTTP/2 over TLS where the server has it, with an older libcurl as well",
        .kind = OPTION_CALL,
        .set = set_http_2,
    },
    {
        .name = "http2-prior-knowledge",
        .help = "HTTP/2 at once, also over http",
        .kind = OPTION_CALL,
        .set = set_http_2_at_once,
    },
    {
        .name = "http3",
        .help =
            "HTTP/3 where the server has it, else HTTP/2 or 1.1; refused where libcurl has none",
        .kind = OPTION_CALL,
        .set = set_http_3,
    },
};
