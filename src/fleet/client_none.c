/* In the place of client.c where hiredis is missing: the option --fleet says so before anything is called. */
#include "fleet/client.h"

bool fleet_client_is_built(void)
{
    return false;
}

const char *fleet_client_version(void)
{
    return "";
}

struct fleet_client *fleet_client_new(const struct fleet_place *place)
{
    (void)place;
    return NULL;
}

void fleet_client_free(struct fleet_client *client)
{
    (void)client;
}

static enum result refuse(struct err *err)
{
    return err_set(
        err, RESULT_DENIED, "E-FLEET1",
        "this scrapetop was built without fleets (SCRAPETOP_FLEET, which needs hiredis)");
}

void fleet_client_let_stop(struct fleet_client *client, bool (*stops)(void *context), void *context)
{
    (void)client;
    (void)stops;
    (void)context;
}

enum result fleet_client_call(struct fleet_client *client, enum fleet_script script,
                              const struct str *arguments, size_t count, struct buf *reply,
                              struct err *err)
{
    (void)client;
    (void)script;
    (void)arguments;
    (void)count;
    (void)reply;
    return refuse(err);
}

enum result fleet_client_look_around(struct fleet_client *client, bool *is_alone, struct err *err)
{
    (void)client;
    *is_alone = false;
    return refuse(err);
}

const char *fleet_client_server(const struct fleet_client *client)
{
    (void)client;
    return "";
}

enum result fleet_client_jobs(struct fleet_client *client, struct buf *names, struct err *err)
{
    (void)client;
    (void)names;
    return refuse(err);
}
