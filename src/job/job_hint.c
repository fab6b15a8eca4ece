#include "job/job_hint.h"

#include <stdio.h>

#define HINT_FAR 3 /* edits; more than that is another word */
#define NAME_SHOWN 64

struct job_hint job_hint_for(struct str wanted)
{
    return (struct job_hint){ wanted, STR_NONE, HINT_FAR };
}

void job_hint_offer(struct job_hint *hint, struct str name)
{
    unsigned distance = str_distance(hint->wanted, name);

    if (distance < hint->distance && distance < name.len) {
        hint->best = name;
        hint->distance = distance;
    }
}

void job_hint_print(const struct job_hint *hint, char text[JOB_HINT_MAX])
{
    text[0] = '\0';
    if (hint->best.data) {
        snprintf(text, JOB_HINT_MAX, " (did you mean \"%.*s\"?)",
                 (int)(hint->best.len < NAME_SHOWN ? hint->best.len : NAME_SHOWN), hint->best.data);
    }
}
