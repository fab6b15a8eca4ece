#include "job/rows_job.h"

#include "base/url.h"
#include "job/job_parts.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE "row"

/* `at` is behind a brace that opens a name: its length up to the brace that closes; 0: it is none. */
static size_t name_length(const char *at)
{
    size_t len = strcspn(at, "{}");

    return at[len] == '}' ? len : 0;
}

/* "{id}" to "{row.id}", "{+path}" to "{+row.path}"; what names the row itself stays. */
static enum result name_columns(const char *url, struct buf *out, size_t *count)
{
    enum result result = RESULT_OK;

    *count = 0;
    while (*url && result == RESULT_OK) {
        size_t plain = strcspn(url, "{"), plus, len;

        result = buf_append(out, url, plain);
        url += plain;
        if (!*url || result != RESULT_OK) {
            break;
        }
        if (url[1] == '{') { /* a plain brace */
            result = buf_append(out, url, 2);
            url += 2;
            continue;
        }
        plus = url[1] == '+';
        len = name_length(url + 1 + plus);
        if (!len) {
            result = buf_append(out, url, 1);
            url++;
            continue;
        }
        ++*count;
        url += 1 + plus;
        result = strncmp(url, VARIABLE, sizeof VARIABLE - 1) == 0 &&
                         (len == sizeof VARIABLE - 1 || url[sizeof VARIABLE - 1] == '.')
                     ? buf_printf(out, "{%s%.*s}", plus ? "+" : "", (int)len, url)
                     : buf_printf(out, "{%s" VARIABLE ".%.*s}", plus ? "+" : "", (int)len, url);
        url += len + 1;
    }
    return result;
}

/* The run's name is the host's, as that of other URLs; a host that is a placeholder names nothing. */
static bool add_name(cJSON *job, const char *url)
{
    struct url parts;
    char *name = NULL;
    bool ok = true;

    if (url_split(str_view(url), &parts, NULL) == RESULT_OK &&
        !memchr(parts.host.data, '{', parts.host.len)) {
        name = job_make_name(parts.host);
        ok = name && cJSON_AddStringToObject(job, "name", name);
    }
    free(name);
    return ok;
}

static char *job_text(const char *path, const char *url, const char *named)
{
    cJSON *job = cJSON_CreateObject();
    cJSON *row = cJSON_AddObjectToObject(cJSON_AddObjectToObject(job, "vars"), VARIABLE);
    cJSON *endpoint = cJSON_CreateObject();
    char *text = NULL;

    if (cJSON_AddStringToObject(row, "file", path) &&
        cJSON_AddStringToObject(endpoint, "name", "items") &&
        cJSON_AddStringToObject(endpoint, "url", named) && add_name(job, url) &&
        cJSON_AddItemToArray(cJSON_AddArrayToObject(job, "endpoints"), endpoint)) {
        endpoint = NULL;
        text = cJSON_PrintUnformatted(job);
    }
    cJSON_Delete(endpoint);
    cJSON_Delete(job);
    return text;
}

enum result rows_job_text(const char *path, const char *url, struct buf *text, struct err *err)
{
    struct buf named = { .max = 2 * JOB_URL_MAX };
    char *absolute = strcmp(path, "-") == 0 ? NULL : realpath(path, NULL);
    size_t count = 0;
    enum result result = name_columns(url, &named, &count);
    char *made = NULL;

    if (result == RESULT_OK) {
        result = buf_append(&named, "", 1);
    }
    if (result != RESULT_OK) {
        result = err_set(err, result, "E-URL1", "the URL is too long");
    } else if (!count) {
        result = err_set(err, RESULT_INVALID, "E-ARG1",
                         "--rows: the URL has no {column}, so every row would ask the same");
    } else {
        made = job_text(absolute ? absolute : path, url, named.data);
        result = made && buf_append_str(text, str_view(made)) == RESULT_OK
                     ? RESULT_OK
                     : err_nomem(err, "reading the job");
    }
    cJSON_free(made);
    buf_release(&named);
    free(absolute);
    return result;
}
