/* `serve` with the traps: what end-to-end tests scrape. Takes what scrapetop serve takes. */
#include "base/message.h"
#include "cmd/demo_options.h"
#include "traps.h"

#include <signal.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct serve_options options;
    struct err err = { 0 };
    struct demo *demo;
    sigset_t stop;
    int number;

    if (argc < 2 || serve_options_parse(&options, argc - 1, argv + 1, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    options.api.more = trap_routes;
    options.api.more_count = TRAP_ROUTES;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    if (demo_start(&demo, &options.api, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    printf("listening on http://127.0.0.1:%u\n", (unsigned)demo_port(demo));
    fflush(stdout);
    sigwait(&stop, &number);
    demo_stop(demo);
    return 0;
}
