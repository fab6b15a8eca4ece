#include "job/job_parts.h"

#include <stdlib.h>
#include <string.h>

void job_secret_release(struct job_secret *secret)
{
    free(secret->given);
    if (secret->sent) {
        explicit_bzero(secret->sent, strlen(secret->sent));
    }
    free(secret->sent);
    *secret = (struct job_secret){ NULL, NULL };
}
