#include "base/json_split.h"

#include "base/json_kernel.h"

struct json_split_found json_split_next(struct json_split *split, struct str text)
{
    return json_kernel_best()->split(split, text);
}
