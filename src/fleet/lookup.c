#include "fleet/lookup.h"

#include "fleet/place.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <uv.h>

struct fleet_lookup {
    uv_mutex_t lock;
    uv_cond_t ended;
    unsigned holders; /* who waits, and the thread: the last frees */
    bool has_ended;
    int error; /* of getaddrinfo */
    size_t count;
    char addresses[FLEET_ADDRESSES_MAX][FLEET_ADDRESS_MAX];
    char host[FLEET_HOST_MAX];
};

static void let_go(struct fleet_lookup *l)
{
    bool is_last;

    uv_mutex_lock(&l->lock);
    is_last = --l->holders == 0;
    uv_mutex_unlock(&l->lock);
    if (is_last) {
        uv_cond_destroy(&l->ended);
        uv_mutex_destroy(&l->lock);
        free(l);
    }
}

static void *look_up(void *context)
{
    struct fleet_lookup *l = context;
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    int error = getaddrinfo(l->host, NULL, &hints, &found);

    uv_mutex_lock(&l->lock);
    l->error = error;
    for (struct addrinfo *a = found; !error && a && l->count < FLEET_ADDRESSES_MAX;
         a = a->ai_next) {
        l->count += getnameinfo(a->ai_addr, a->ai_addrlen, l->addresses[l->count],
                                FLEET_ADDRESS_MAX, NULL, 0, NI_NUMERICHOST) == 0;
    }
    l->has_ended = true;
    uv_cond_signal(&l->ended);
    uv_mutex_unlock(&l->lock);
    if (found) {
        freeaddrinfo(found);
    }
    let_go(l);
    return NULL;
}

static bool start(struct fleet_lookup *l)
{
    pthread_t thread; /* libuv's cannot be left to themselves */

    if (pthread_create(&thread, NULL, look_up, l) != 0) {
        return false;
    }
    pthread_detach(thread);
    return true;
}

struct fleet_lookup *fleet_lookup_new(const char *host)
{
    struct fleet_lookup *l = calloc(1, sizeof *l);

    if (!l || uv_mutex_init(&l->lock) != 0) {
        free(l);
        return NULL;
    }
    if (uv_cond_init(&l->ended) != 0) {
        uv_mutex_destroy(&l->lock);
        free(l);
        return NULL;
    }
    l->holders = 2;
    snprintf(l->host, sizeof l->host, "%s", host);
    if (!start(l)) {
        l->holders = 1;
        let_go(l);
        return NULL;
    }
    return l;
}

void fleet_lookup_free(struct fleet_lookup *l)
{
    if (l) {
        let_go(l);
    }
}

bool fleet_lookup_wait(struct fleet_lookup *l, unsigned ms)
{
    uint64_t end_ns = uv_hrtime() + (uint64_t)ms * 1000000;
    bool has_ended;

    uv_mutex_lock(&l->lock);
    while (!l->has_ended) {
        uint64_t now_ns = uv_hrtime();

        if (now_ns >= end_ns) {
            break;
        }
        (void)uv_cond_timedwait(&l->ended, &l->lock, end_ns - now_ns);
    }
    has_ended = l->has_ended;
    uv_mutex_unlock(&l->lock);
    return has_ended;
}

const char *fleet_lookup_address(const struct fleet_lookup *l, size_t n)
{
    return n < l->count ? l->addresses[n] : NULL;
}

const char *fleet_lookup_error(const struct fleet_lookup *l)
{
    return l->error ? gai_strerror(l->error) : "the name has no address";
}
