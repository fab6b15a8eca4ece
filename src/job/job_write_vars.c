/* Variables, as a job file has them. */
#include "job/job_write.h"

static bool write_list(cJSON *to, const char *name, const struct job_var *var)
{
    cJSON *array = cJSON_AddArrayToObject(to, name);

    for (size_t i = 0; array && i < var->value_count; i++) {
        cJSON *item = cJSON_CreateRaw(var->values[i]);

        if (!item || !cJSON_AddItemToArray(array, item)) {
            return false;
        }
    }
    return array;
}

static bool write_var(cJSON *vars, const struct job_var *var)
{
    cJSON *object;

    if (!var->chunk && var->kind == JOB_VAR_PATTERN) {
        return cJSON_AddStringToObject(vars, var->name, var->text);
    }
    if (!var->chunk && var->kind == JOB_VAR_LIST) {
        return write_list(vars, var->name, var);
    }
    object = cJSON_AddObjectToObject(vars, var->name);
    if (!object || !cjson_add_given(object, "chunk", var->chunk)) {
        return false;
    }
    if (var->kind == JOB_VAR_PATTERN) {
        return cJSON_AddStringToObject(object, "values", var->text);
    }
    if (var->kind == JOB_VAR_LIST) {
        return write_list(object, "values", var);
    }
    if (var->kind == JOB_VAR_FILE) {
        return object && cjson_add_optional(object, "file", var->text) &&
               cjson_add_optional(object, "encoding", var->encoding) &&
               (!var->has_crc32c || cjson_add_number(object, "crc32c", var->crc32c));
    }
    return object && cjson_add_optional(object, "from", var->text) &&
           cjson_add_optional(object, "to", var->to) &&
           cjson_add_optional(object, "step", var->step) &&
           cjson_add_optional(object, "format", var->format);
}

bool job_write_vars(cJSON *root, const struct job *job)
{
    cJSON *vars = job->var_count ? cJSON_AddObjectToObject(root, "vars") : NULL;

    for (size_t i = 0; vars && i < job->var_count; i++) {
        if (!write_var(vars, &job->vars[i])) {
            return false;
        }
    }
    return !job->var_count || vars;
}
