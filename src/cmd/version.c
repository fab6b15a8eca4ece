#include "cmd/version.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <curses.h>
#include <microhttpd.h>
#include <sqlite3.h>
#include <uv.h>

void version_print(FILE *to)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);

    fprintf(to, "scrapetop %s\n", SCRAPETOP_VERSION);
    fprintf(to, "libcurl %s (%s%s), libuv %s, %s, SQLite %s, libmicrohttpd %s, cJSON %s\n",
            curl->version, curl->ssl_version ? curl->ssl_version : "no TLS",
            curl->features & CURL_VERSION_HTTP2 ? ", HTTP/2" : "", uv_version_string(),
            curses_version(), sqlite3_libversion(), MHD_get_version(), cJSON_Version());
}
