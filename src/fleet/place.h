/**
 * Where a fleet meets: the URL of a Redis or Valkey, and the name of the job in it.
 *
 *   redis://[USER@]HOST[:PORT]/JOB[?db=N&lease=TIME]     unix:///PATH/redis.sock#JOB[?...]
 *   rediss://..., the same by TLS, with cacert=FILE of authorities and cert=FILE, key=FILE of this client
 *
 * A password never stands in it, for it would stand in `ps`: SCRAPETOP_FLEET_PASSWORD has it.
 *
 * Errors     E-FLEET1 says what is wrong with the URL.
 * Threads    any.
 */
#ifndef SCRAPETOP_FLEET_PLACE_H
#define SCRAPETOP_FLEET_PLACE_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#define FLEET_PASSWORD "SCRAPETOP_FLEET_PASSWORD"
#define FLEET_PATH_MAX 104 /* of a socket address */
#define FLEET_HOST_MAX 256
#define FLEET_NAME_MAX 65
#define FLEET_FILE_MAX 512

struct fleet_place {
    char socket[FLEET_PATH_MAX]; /* empty: host and port */
    char host[FLEET_HOST_MAX];
    unsigned port;
    unsigned database;
    char user[FLEET_NAME_MAX]; /* empty: none */
    char job[FLEET_NAME_MAX];
    bool is_tls;
    /* Empty: the system's authorities; no certificate of this client; the key stands in cert_file. */
    char ca_file[FLEET_FILE_MAX], cert_file[FLEET_FILE_MAX], key_file[FLEET_FILE_MAX];
    unsigned lease_ms; /* a worker that is silent for so long has its work taken over */
};

MUST_CHECK enum result fleet_place_parse(struct str url, struct fleet_place *place,
                                         struct err *err);

/** The same without a job, perhaps: `job` is empty then. */
MUST_CHECK enum result fleet_place_parse_server(struct str url, struct fleet_place *place,
                                                struct err *err);

/** Whether it is meant for one: no run directory, no PID, no HOST:RUN. */
bool fleet_place_is_meant(struct str word);

/** What may be shown of such a word in two pieces: nothing that may be a user or a password. */
void fleet_place_show(struct str word, struct str *scheme, struct str *rest);

#endif
