/**
 * The subcommands.
 *
 * A subcommand is one thin file: arguments in, one call, exit code out. It is started with its own
 * name in argv[0]. Its options are a table (cmd/options.h), from which main also makes the man page
 * and the shells' completions.
 */
#ifndef SCRAPETOP_CMD_CMD_H
#define SCRAPETOP_CMD_CMD_H

#include "base/message.h"
#include "cmd/options.h"

struct command {
    const struct option_table *table; /* has its name and summary */
    int (*run)(int argc, char **argv);
};

int cmd_run(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_probe(int argc, char **argv);
int cmd_normalise(int argc, char **argv);
int cmd_raw(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_compact(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_rules(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_attach(int argc, char **argv);
int cmd_ctl(int argc, char **argv);
int cmd_ls(int argc, char **argv);
int cmd_fleet(int argc, char **argv);

#endif
