/**
 * Credential watch: requests that carry a credential which no login call can renew, and are refused with 401.
 *
 * Such a request is set aside, neither tried nor failed, until it is known whether the credential has expired or only
 * this URL is forbidden (plan/credential.h). When it has ended the run stops with E-AUTH2, and what was set aside is
 * pending, as is all that was in flight. What is asked without that credential, or of another host, is asked before:
 * only what carries it is left pending then.
 *
 * Requests to one host with the same credential (the job's, or an endpoint's own) are counted together.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_CREDENTIAL_WATCH_H
#define SCRAPETOP_ENGINE_CREDENTIAL_WATCH_H

#include "plan/credential.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct request;
struct response;

#define CREDENTIAL_WATCHES_MAX 64
#define CREDENTIAL_SCHEME_MAX 20

/* The requests of one host that carry the same credential. */
struct credential_watch {
    uint32_t host, key; /* engine_host_key */
    uint32_t endpoint;  /* whose own it is; CREDENTIAL_OF_JOB */
    bool is_lost;       /* and what others are asked goes on */
    char asks_for
        [CREDENTIAL_SCHEME_MAX]; /* another scheme than it is sent; bytes from outside; or empty */
    struct credential credential;
};

#define CREDENTIAL_OF_JOB UINT32_MAX

struct credential_watches {
    struct credential_watch list[CREDENTIAL_WATCHES_MAX]; /* of those that were refused once */
    size_t count;
    size_t lost;           /* of them */
    char lost_why[160];    /* the first one; empty: none */
    struct request *aside; /* refused, neither tried nor failed */
    uint64_t well;         /* requests of this session that went well */
};

/** Its credential has ended, while requests with other credentials go on: it stays pending. */
bool credential_is_lost(struct engine *engine, const struct request *request);

/** A request went well, or its answer was as good. */
void credential_note_well(struct engine *engine, const struct request *request);

enum credential_fate {
    CREDENTIAL_SILENT, /* nothing to do with a credential */
    CREDENTIAL_FAILED, /* the request failed for good: only this URL is forbidden */
    CREDENTIAL_TAKEN,  /* it has been set aside, and stays pending */
};

/** What becomes of a request that is answered 401. */
enum credential_fate credential_heed(struct engine *engine, struct response *response);

/** Nothing else is left to ask. True when what was set aside is asked once more, or the run stops. */
bool credential_resume(struct engine *engine);

void credential_release(struct engine *engine);

#endif
