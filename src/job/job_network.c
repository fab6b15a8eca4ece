#include "job/job_network.h"

#include "base/os.h"
#include "job/job_parts.h"
#include "job/job_text.h"
#include "job/proxy_url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void release_of_env(struct job_proxy_of_env *proxy)
{
    free(proxy->url);
    if (proxy->user) {
        os_wipe(proxy->user, strlen(proxy->user));
    }
    free(proxy->user);
    *proxy = (struct job_proxy_of_env){ .name = NULL };
}

static void release_environment(struct job_proxy *proxy)
{
    release_of_env(&proxy->http);
    release_of_env(&proxy->https);
    free(proxy->env_none_for);
    proxy->env_none_for = NULL;
    proxy->env_none_for_name = NULL;
}

static void release_pool(struct job_proxy *proxy)
{
    for (size_t i = 0; i < proxy->pool_count; i++) {
        release_of_env(&proxy->pool[i]);
    }
    free(proxy->pool);
    free(proxy->file);
    proxy->pool = NULL;
    proxy->file = NULL;
    proxy->pool_count = 0;
}

void job_network_release(struct job_network *network)
{
    struct job_proxy *proxy = &network->proxy;

    release_pool(proxy);
    free(network->ca_file);
    job_tls_release(&network->tls);
    job_route_release(&network->route);
    free(proxy->url);
    job_secret_release(&proxy->user);
    free(proxy->none_for);
    release_environment(proxy);
    *network = (struct job_network){ .ca_file = NULL };
}

/* --- proxies ---------------------------------------------------------------------------------------------- */

/* "name:password": the password alone is a secret of its own. */
static enum result check_user(struct job *job, const char *label, struct err *err)
{
    struct job_proxy *proxy = &job->network.proxy;
    struct str password = str_view(proxy->user.sent), name = str_cut(&password, ':');

    proxy->is_incomplete = false;
    if (!name.len || !password.data) {
        job_secret_release(&proxy->user);
        return err_set(err, RESULT_INVALID, "E-PRX1",
                       "credentials of a proxy: want NAME:PASSWORD, better NAME:${PASSWORD}");
    }
    return secrets_add(&job->secrets, password, label, err);
}

enum result job_set_proxy_user(struct job *job, const char *text, struct err *err)
{
    enum result result = job_take_secret(job, &job->network.proxy.user, text, "proxy.user", err);

    return result == RESULT_OK ? check_user(job, "proxy.password", err) : result;
}

static enum result replace_shown(char **to, const struct proxy_url *url, struct err *err)
{
    struct buf shown = { 0 };
    enum result result = proxy_url_append_shown(url, &shown) == RESULT_OK
                             ? job_replace(to, buf_view(&shown), err)
                             : err_nomem(err, "reading a proxy");

    buf_release(&shown);
    return result;
}

/* Credentials of a URL: with a variable in them they are not encoded, for its value is not either. A name alone has an
 * empty password. */
static enum result spell_user(struct str user, struct buf *out, struct err *err)
{
    enum result result =
        job_names_variable(user) ? buf_append_str(out, user) : proxy_url_append_decoded(user, out);

    if (result == RESULT_OK && !memchr(user.data, ':', user.len)) {
        result = buf_append_char(out, ':');
    }
    return result == RESULT_OK && buf_cstr(out) ? RESULT_OK : err_nomem(err, "reading a proxy");
}

enum result job_set_proxy(struct job *job, struct str text, struct err *err)
{
    struct job_proxy *proxy = &job->network.proxy;
    struct proxy_url url;
    struct buf user = { 0 };
    enum result result;

    if (!str_trim(text).len) {
        return job_replace(&proxy->url, STR(""), err);
    }
    result = proxy_url_split(text, &url, err);
    if (result == RESULT_OK) {
        result = replace_shown(&proxy->url, &url, err);
    }
    if (result == RESULT_OK && proxy->user_is_of_url) {
        job_secret_release(&proxy->user);
        proxy->user_is_of_url = false;
    }
    if (result == RESULT_OK && url.user.len) {
        result = spell_user(url.user, &user, err);
        if (result == RESULT_OK) {
            result = job_set_proxy_user(job, buf_cstr(&user), err);
            proxy->user_is_of_url = result == RESULT_OK;
        }
    }
    job_wipe(&user);
    return result;
}

/* The first of them that is set, and to something. */
static const char *find_variable(const char *const *names, const char **value)
{
    for (; *names; names++) {
        *value = getenv(*names);
        if (*value && (*value)[0]) {
            return *names;
        }
    }
    return NULL;
}

static enum result take_literal(struct job *job, const char *name, struct str text,
                                struct job_proxy_of_env *proxy, struct err *err)
{
    struct proxy_url url;
    struct buf user = { 0 };
    enum result result = proxy_url_split(text, &url, err);

    if (result != RESULT_OK) {
        return result;
    }
    result = replace_shown(&proxy->url, &url, err);
    if (result == RESULT_OK && url.user.len) {
        struct str password;

        result = proxy_url_append_decoded(url.user, &user) == RESULT_OK && buf_cstr(&user)
                     ? job_replace(&proxy->user, buf_view(&user), err)
                     : err_nomem(err, "reading a proxy");
        password = str_view(proxy->user);
        (void)str_cut(&password, ':');
        if (result == RESULT_OK && password.len) {
            result = secrets_add(&job->secrets, password, "proxy.password", err);
        }
    }
    proxy->name = name;
    job_wipe(&user);
    return result;
}

static enum result take_of_env(struct job *job, const char *const *names,
                               struct job_proxy_of_env *proxy, struct err *err)
{
    const char *text, *name = find_variable(names, &text);
    enum result result = name ? take_literal(job, name, str_view(text), proxy, err) : RESULT_OK;

    if (result == RESULT_INVALID) {
        err_prefix(err, "%s of the environment", name);
    }
    return result;
}

/* One more of the file. */
static enum result add_to_pool(struct job *job, struct str line, struct err *err)
{
    struct job_proxy *proxy = &job->network.proxy;
    struct job_proxy_of_env *pool;

    if (proxy->pool_count == JOB_PROXIES_MAX) {
        return err_set(err, RESULT_LIMIT, "E-PRX1", "more than %d proxies", JOB_PROXIES_MAX);
    }
    pool = reallocarray(proxy->pool, proxy->pool_count + 1, sizeof *pool);
    if (!pool) {
        return err_nomem(err, "reading proxies");
    }
    proxy->pool = pool;
    pool[proxy->pool_count] = (struct job_proxy_of_env){ .name = NULL };
    return take_literal(job, "--proxies", line, &pool[proxy->pool_count++], err);
}

static enum result read_pool(struct job *job, struct str text, struct err *err)
{
    enum result result = RESULT_OK;

    for (unsigned number = 1; text.len && result == RESULT_OK; number++) {
        struct str line = str_trim(str_cut(&text, '\n'));

        if (line.len && line.data[0] != '#') {
            result = add_to_pool(job, line, err);
        }
        if (result == RESULT_INVALID) {
            err_prefix(err, "%s:%u", job->network.proxy.file, number);
        }
    }
    if (result == RESULT_OK && !job->network.proxy.pool_count) {
        result =
            err_set(err, RESULT_INVALID, "E-PRX1", "%s holds no proxy", job->network.proxy.file);
    }
    return result;
}

/* Credentials in it are secrets like those of any other file, so it is read as such a one. */
enum result job_set_proxies(struct job *job, const char *path, struct err *err)
{
    struct job_proxy *proxy = &job->network.proxy;
    char *absolute = realpath(path, NULL);
    struct buf text;
    enum result result;

    if (!absolute) {
        return err_set_errno(err, errno, "E-PRX1", "proxies %s", path);
    }
    release_pool(proxy);
    proxy->file = absolute;
    buf_init(&text, SECRET_FILE_MAX);
    result = secret_read_file(absolute, &text, err);
    if (result == RESULT_OK) {
        result = read_pool(job, buf_view(&text), err);
    }
    job_wipe(&text);
    return result;
}

enum result job_take_environment(struct job *job, struct err *err)
{
    static const char *const http[] = { "http_proxy", "all_proxy", "ALL_PROXY", NULL };
    static const char *const https[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                         NULL };
    static const char *const none[] = { "no_proxy", "NO_PROXY", NULL };
    struct job_proxy *proxy = &job->network.proxy;
    const char *hosts;
    enum result result = RESULT_OK;

    release_environment(proxy);
    if (!proxy->url && !proxy->file) {
        result = take_of_env(job, http, &proxy->http, err);
        if (result == RESULT_OK) {
            result = take_of_env(job, https, &proxy->https, err);
        }
    }
    proxy->env_none_for_name = find_variable(none, &hosts);
    if (result == RESULT_OK && proxy->env_none_for_name) {
        result = job_replace(&proxy->env_none_for, str_view(hosts), err);
    }
    return result;
}

static const char *const http_words[JOB_HTTPS] = {
    [JOB_HTTP_1_1] = "1.1",
    [JOB_HTTP_2] = "2",
    [JOB_HTTP_2_AT_ONCE] = "2-prior-knowledge",
    [JOB_HTTP_3] = "3",
};

const char *job_http_word(enum job_http http)
{
    return http_words[http];
}

enum result job_set_http(struct job *job, const char *word, struct err *err)
{
    for (int i = JOB_HTTP_1_1; i < JOB_HTTPS; i++) {
        if (strcmp(word, http_words[i]) == 0) {
            job->network.http = (enum job_http)i;
            return RESULT_OK;
        }
    }
    return err_set(err, RESULT_INVALID, "E-NET1",
                   "\"%.40s\" is no version of HTTP: want 1.1, 2, 2-prior-knowledge or 3", word);
}
