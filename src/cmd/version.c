#include "cmd/version.h"

#include "fleet/client.h"
#include "table/postgres/postgres_link.h"

#include <brotli/decode.h>
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <curses.h>
#include <expat.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <string.h>
#include <uv.h>
#include <zip.h>
#include <zlib.h>
#include <zstd.h>
#if SCRAPETOP_HAS_DEMO
#include <microhttpd.h>
#endif

/* What a build may leave out. */
static const struct part {
    const char *name;
    bool is_in;
} parts[] = {
    { "demo", SCRAPETOP_HAS_DEMO },
    { "fleet", SCRAPETOP_HAS_FLEET },
    { "postgres", SCRAPETOP_HAS_POSTGRES },
};

#define PART_COUNT (sizeof parts / sizeof parts[0])

static const char *curl_text(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}

static const char *curses_text(void)
{
    return strncmp(curses_version(), "ncurses ", 8) == 0 ? curses_version() + 8 : curses_version();
}

static const char *brotli_text(void)
{
    static char text[32];
    uint32_t version = BrotliDecoderVersion();

    snprintf(text, sizeof text, "%u.%u.%u", version >> 24, version >> 12 & 0xfff, version & 0xfff);
    return text;
}

static const char *expat_text(void)
{
    return strncmp(XML_ExpatVersion(), "expat_", 6) == 0 ? XML_ExpatVersion() + 6
                                                         : XML_ExpatVersion();
}

static const char *openssl_text(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static const struct library {
    const char *name;
    const char *(*version)(void);
} libraries[] = {
    { "libcurl", curl_text },
    { "libuv", uv_version_string },
    { "ncurses", curses_text },
    { "SQLite", sqlite3_libversion },
    { "cJSON", cJSON_Version },
    { "OpenSSL", openssl_text },
    { "zlib", zlibVersion },
    { "zstd", ZSTD_versionString },
    { "brotli", brotli_text },
    { "expat", expat_text },
    { "libzip", zip_libzip_version },
#if SCRAPETOP_HAS_FLEET
    { "hiredis", fleet_client_version },
#endif
#if SCRAPETOP_HAS_POSTGRES
    { "libpq", postgres_link_version },
#endif
#if SCRAPETOP_HAS_DEMO
    { "libmicrohttpd", MHD_get_version },
#endif
};

#define LIBRARY_COUNT (sizeof libraries / sizeof libraries[0])

void version_print(FILE *to)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);

    fprintf(to, "scrapetop %s\n", SCRAPETOP_VERSION);
    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        fprintf(to, "%s%s %s", i ? ", " : "", libraries[i].name, libraries[i].version());
        if (i == 0) {
            fprintf(to, " (%s%s%s)", curl->ssl_version ? curl->ssl_version : "no TLS",
                    curl->features & CURL_VERSION_HTTP2 ? ", HTTP/2" : "",
                    curl->features & CURL_VERSION_HTTP3 ? ", HTTP/3" : "");
        }
    }
    fprintf(to, "\n");
    for (size_t i = 0; i < PART_COUNT; i++) {
        fprintf(to, "%s%s%s", i ? ", " : "Optional parts: ", parts[i].is_in ? "" : "no ",
                parts[i].name);
    }
    fprintf(to, "\n");
}

enum result version_print_json(FILE *to, struct err *err)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    cJSON *version = cJSON_CreateObject(), *object;
    bool is_whole = cJSON_AddStringToObject(version, "version", SCRAPETOP_VERSION);
    char *text;

    object = cJSON_AddObjectToObject(version, "parts");
    for (size_t i = 0; i < PART_COUNT; i++) {
        is_whole = cJSON_AddBoolToObject(object, parts[i].name, parts[i].is_in) && is_whole;
    }
    object = cJSON_AddObjectToObject(version, "libraries");
    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        is_whole =
            cJSON_AddStringToObject(object, libraries[i].name, libraries[i].version()) && is_whole;
    }
    is_whole =
        cJSON_AddStringToObject(version, "tls", curl->ssl_version ? curl->ssl_version : "") &&
        is_whole;
    is_whole =
        cJSON_AddBoolToObject(version, "http2", (curl->features & CURL_VERSION_HTTP2) != 0) &&
        is_whole;
    is_whole =
        cJSON_AddBoolToObject(version, "http3", (curl->features & CURL_VERSION_HTTP3) != 0) &&
        is_whole;
    text = is_whole ? cJSON_PrintUnformatted(version) : NULL;
    cJSON_Delete(version);
    if (!text) {
        return err_nomem(err, "printing the version");
    }
    fprintf(to, "%s\n", text);
    cJSON_free(text);
    return RESULT_OK;
}
