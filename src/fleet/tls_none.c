/* In the place of tls.c where OpenSSL's libssl is missing. */
#include "fleet/tls.h"

enum result fleet_tls_new(struct fleet_tls **tls, const struct fleet_place *place, struct err *err)
{
    (void)place;
    *tls = NULL;
    return err_set(err, RESULT_DENIED, "E-FLEET1",
                   "this scrapetop was built without TLS to Redis (it needs libssl): let stunnel "
                   "carry it");
}

void fleet_tls_free(struct fleet_tls *tls)
{
    (void)tls;
}

enum result fleet_tls_open(struct fleet_tls *tls, int fd, uint64_t due_ns, struct err *err)
{
    const struct fleet_place *place = NULL;

    (void)fd;
    (void)due_ns;
    return fleet_tls_new(&tls, place, err);
}

void fleet_tls_close(struct fleet_tls *tls)
{
    (void)tls;
}

enum result fleet_tls_write(struct fleet_tls *tls, const char *bytes, size_t len, uint64_t due_ns,
                            struct err *err)
{
    (void)bytes;
    (void)len;
    return fleet_tls_open(tls, 0, due_ns, err);
}

enum result fleet_tls_read(struct fleet_tls *tls, char *bytes, size_t size, size_t *len,
                           uint64_t due_ns, struct err *err)
{
    (void)bytes;
    (void)size;
    *len = 0;
    return fleet_tls_open(tls, 0, due_ns, err);
}
