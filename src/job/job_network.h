/**
 * How servers are reached: times and ceilings, through which proxy, with whose certificate, at which address.
 *
 * A proxy that the job does not name is the environment's, as curl has it: http_proxy (in lower case alone: a CGI
 * program gets HTTP_PROXY from its clients), https_proxy and HTTPS_PROXY, then all_proxy and ALL_PROXY; hosts
 * in no_proxy or NO_PROXY are asked without one. It is read once (job_take_environment) and never written down.
 *
 * Ownership  job_network_release frees all texts.
 * Errors     E-PRX1 (a proxy that cannot be one), E-TLS4 (a certificate, a key or a pin), E-NET1 (an address).
 * Threads    read-only after loading, so any.
 */
#ifndef SCRAPETOP_JOB_JOB_NETWORK_H
#define SCRAPETOP_JOB_JOB_NETWORK_H

#include "base/err.h"
#include "base/str.h"
#include "job/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job;

/** A text as it was given, `${ENV}` and all, which may be written down, and as it is sent. */
struct job_secret {
    char *given; /* NULL with `sent`: typed as it is, not to be written down */
    char *sent;  /* NULL: none */
};

#define JOB_PROXIES_MAX 256

/** One that the environment names, or a file. */
struct job_proxy_of_env {
    const char *name; /* of the variable; NULL: there is none */
    char *url;        /* without credentials */
    char *user;       /* "name:password"; or NULL */
};

struct job_proxy {
    char *file;                    /* of several, one URL a line, absolute; NULL: not given */
    struct job_proxy_of_env *pool; /* what it holds; `name` is the file */
    size_t pool_count;
    char *url; /* "http://proxy.example:3128", without credentials; "": none; NULL: not given */
    struct job_secret user; /* "name:password" */
    bool user_is_of_url;    /* it stood in the URL, and goes with it */
    char *none_for;     /* hosts asked without one, as curl's --noproxy has them; NULL: not given */
    bool is_incomplete; /* a job was read that could not keep `user`, which job_finish refuses */
    struct job_proxy_of_env http, https; /* used when `url` is NULL */
    const char *env_none_for_name;       /* of the variable */
    char *env_none_for;                  /* used when `none_for` is NULL */
};

/** Our certificate, for servers that want one, and the certificates that we trust. */
struct job_tls {
    char *cert; /* path of PEM or PKCS #12; NULL: none */
    char *key;  /* path of PEM; NULL: it is in `cert` */
    struct job_secret pass;
    bool is_incomplete; /* a job was read that could not keep `pass` */
    char *min;          /* "1.2", "1.3"; NULL: 1.2 */
    char *pin;          /* "sha256//...;sha256//...", or the path of a public key; NULL: none */
};

/** Where servers are found, other than by their names. */
struct job_route {
    char **resolve; /* "HOST:PORT:ADDRESS[,ADDRESS]" */
    size_t resolve_count;
    char **connect_to; /* "HOST:PORT:HOST:PORT" */
    size_t connect_to_count;
    char *unix_socket; /* path */
    char *interface;   /* of ours: a name or an address */
    bool ipv4, ipv6;   /* addresses of that kind only; neither: both */
};

#define JOB_ROUTES_MAX 256 /* of either kind */

/** Which HTTP is spoken. */
enum job_http {
    JOB_HTTP_AUTO, /* 2 over TLS where this libcurl has it right, or the server has no other; else 1.1 */
    JOB_HTTP_1_1,       /* that alone */
    JOB_HTTP_2,         /* over TLS, where the server has it */
    JOB_HTTP_2_AT_ONCE, /* without asking the server whether it has it, in clear text as well */
    JOB_HTTP_3,         /* where the server has it, else 2 or 1.1 */
};

#define JOB_HTTPS (JOB_HTTP_3 + 1)

#define JOB_THREADS_MAX 64

struct job_network {
    uint64_t connect_timeout_us;
    uint64_t stall_timeout_us; /* under 10 bytes/s for this long */
    uint64_t total_timeout_us;
    uint64_t body_max_bytes; /* after decompression */
    uint64_t memory_bytes;   /* of all bodies in flight and not yet stored */
    unsigned threads;        /* that fetch; 0: as many as pay on the machine */
    bool insecure;           /* -k */
    bool path_as_is;         /* "." and ".." in paths are sent */
    enum job_http http;
    char *ca_file; /* NULL: the system's */
    struct job_proxy proxy;
    struct job_tls tls;
    struct job_route route;
};

void job_network_release(struct job_network *network);

/** The proxy for all URLs, as it was typed: "http://user:${PASS}@host:3128", without a scheme http; "": none.
 *  Credentials in it become the proxy's `user`. */
MUST_CHECK enum result job_set_proxy(struct job *job, struct str text, struct err *err);

/** A file of proxies, one URL a line, blank and `#` lines passed over, readable by its owner alone. */
MUST_CHECK enum result job_set_proxies(struct job *job, const char *path, struct err *err);

/** "name:${PASS}", or `@FILE` that only the user can read (its path absolute). */
MUST_CHECK enum result job_set_proxy_user(struct job *job, const char *text, struct err *err);

/** A certificate's file, its path absolute unless it is none: "FILE", or as curl has it "FILE:PASS". */
MUST_CHECK enum result job_set_cert(struct job *job, const char *text, struct err *err);
MUST_CHECK enum result job_set_key(struct job *job, const char *path, struct err *err);

/** The pass phrase of the key. */
MUST_CHECK enum result job_set_pass(struct job *job, const char *text, struct err *err);

/** "1.2" or "1.3". */
MUST_CHECK enum result job_set_tls_min(struct job *job, const char *text, struct err *err);

/** Hashes of public keys as curl has them, or the path of one. */
MUST_CHECK enum result job_set_pin(struct job *job, const char *text, struct err *err);

/** "1.1", "2", "2-prior-knowledge", "3". */
MUST_CHECK enum result job_set_http(struct job *job, const char *word, struct err *err);

/** The same word; NULL for JOB_HTTP_AUTO. */
const char *job_http_word(enum job_http http);

MUST_CHECK enum result job_add_resolve(struct job *job, const char *text, struct err *err);
MUST_CHECK enum result job_add_connect_to(struct job *job, const char *text, struct err *err);
MUST_CHECK enum result job_set_unix_socket(struct job *job, const char *path, struct err *err);
MUST_CHECK enum result job_set_interface(struct job *job, const char *text, struct err *err);

/** What does not go together. */
MUST_CHECK enum result job_check_network(const struct job_network *network, struct err *err);

/** Reads the proxies that the environment names. */
MUST_CHECK enum result job_take_environment(struct job *job, struct err *err);

/** A text that is a secret: `@FILE`, `${ENV}` within it, or as it is, which then is not written down. `label` says
 *  what it is of. */
MUST_CHECK enum result job_take_secret(struct job *job, struct job_secret *secret, const char *text,
                                       const char *label, struct err *err);

#endif
