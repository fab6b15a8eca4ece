#include "engine/snapshot.h"

const char *run_state_word(enum run_state state)
{
    switch (state) {
    case RUN_STARTING:
        return "STARTING";
    case RUN_RUNNING:
        return "RUN";
    case RUN_PAUSED:
        return "PAUSED";
    case RUN_DRAINING:
        return "DRAINING";
    case RUN_ALL_WAITING:
        return "ALL WAITING";
    case RUN_HELD:
        return "HELD";
    case RUN_DISK_FULL:
        return "DISK FULL";
    case RUN_DONE:
        return "DONE";
    case RUN_FAILED:
        return "FAILED";
    }
    return "?";
}

const char *flight_state_word(enum flight_state state)
{
    switch (state) {
    case FLIGHT_DNS:
        return "dns";
    case FLIGHT_CONNECT:
        return "conn";
    case FLIGHT_TLS:
        return "tls";
    case FLIGHT_WAIT:
        return "wait";
    case FLIGHT_RECEIVE:
        return "recv";
    case FLIGHT_STORE:
        return "store";
    }
    return "?";
}
