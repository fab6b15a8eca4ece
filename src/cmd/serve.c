/* `serve`: the embedded API alone, until it is told to stop. */
#include "cmd/cmd.h"
#include "cmd/demo_options.h"
#include "demo/demo.h"

#include <signal.h>
#include <stdio.h>

/* Blocked before the API starts its threads, which inherit that: the signal is for sigwait alone. */
static void block_stop_signals(sigset_t *stop)
{
    sigemptyset(stop);
    sigaddset(stop, SIGINT);
    sigaddset(stop, SIGTERM);
    sigaddset(stop, SIGHUP);
    pthread_sigmask(SIG_BLOCK, stop, NULL);
}

int cmd_serve(int argc, char **argv)
{
    struct serve_options options;
    struct err err = { 0 };
    struct demo *demo;
    sigset_t stop;
    int signal_number;

    if (serve_options_parse(&options, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&serve_table, stdout);
        return EXIT_WELL;
    }
    block_stop_signals(&stop);
    if (demo_start(&demo, &options.api, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    printf("listening on http://127.0.0.1:%u\n", (unsigned)demo_port(demo));
    fflush(stdout); /* a parent process may wait for this line in a pipe */
    sigwait(&stop, &signal_number);
    demo_stop(demo);
    return EXIT_WELL;
}
