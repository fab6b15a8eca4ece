#include "job/cjson_add.h"

#include "base/clock.h"

#include <stdio.h>

void cjson_format_time(uint64_t us, char text[UNITS_TEXT_MAX])
{
    if (us % US_PER_S == 0) {
        snprintf(text, UNITS_TEXT_MAX, "%llus", (unsigned long long)(us / US_PER_S));
    } else if (us % US_PER_MS == 0) {
        snprintf(text, UNITS_TEXT_MAX, "%llums", (unsigned long long)(us / US_PER_MS));
    } else {
        snprintf(text, UNITS_TEXT_MAX, "%lluus", (unsigned long long)us);
    }
}

bool cjson_add_optional(cJSON *object, const char *key, const char *text)
{
    return !text || cJSON_AddStringToObject(object, key, text);
}

bool cjson_add_number(cJSON *object, const char *key, uint64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return cJSON_AddRawToObject(object, key, text);
}

bool cjson_add_time(cJSON *object, const char *key, uint64_t us)
{
    char text[UNITS_TEXT_MAX];

    cjson_format_time(us, text);
    return cJSON_AddStringToObject(object, key, text);
}

bool cjson_add_rate(cJSON *object, const char *key, struct rate rate)
{
    char text[UNITS_TEXT_MAX];

    units_format_rate(rate, text);
    return cJSON_AddStringToObject(object, key, text);
}

bool cjson_add_text(cJSON *array, const char *text)
{
    cJSON *item = cJSON_CreateString(text);

    return item && cJSON_AddItemToArray(array, item);
}

bool cjson_add_texts(cJSON *object, const char *key, char *const *texts, size_t count)
{
    cJSON *array = count ? cJSON_AddArrayToObject(object, key) : NULL;

    for (size_t i = 0; array && i < count; i++) {
        if (!cjson_add_text(array, texts[i])) {
            return false;
        }
    }
    return !count || array;
}

cJSON *cjson_add_element(cJSON *array)
{
    cJSON *object = cJSON_CreateObject();

    if (object && !cJSON_AddItemToArray(array, object)) {
        cJSON_Delete(object);
        return NULL;
    }
    return object;
}
