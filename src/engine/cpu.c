#include "engine/cpu.h"

#include "base/clock.h"

#include <time.h>
#include <uv.h>

static double seconds_of(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Busy is what is neither idle nor waiting; libuv folds iowait into idle's rest on no system we run
 * on, so the sum of what it reports is the total. */
static void sample_cores(struct cpu *cpu)
{
    uv_cpu_info_t *infos;
    int count;

    if (uv_cpu_info(&infos, &count) != 0) {
        return;
    }
    cpu->core_count = count < SNAPSHOT_CORES_MAX ? (size_t)count : SNAPSHOT_CORES_MAX;
    for (size_t i = 0; i < cpu->core_count; i++) {
        uint64_t busy = infos[i].cpu_times.user + infos[i].cpu_times.nice + infos[i].cpu_times.sys +
                        infos[i].cpu_times.irq;
        uint64_t total = busy + infos[i].cpu_times.idle;
        struct cpu_times *last = &cpu->times[i];

        cpu->busy_percent[i] =
            total > last->total && busy >= last->busy
                ? (float)(100.0 * (double)(busy - last->busy) / (double)(total - last->total))
                : 0;
        *last = (struct cpu_times){ busy, total };
    }
    uv_free_cpu_info(infos, count);
}

void cpu_init(struct cpu *cpu, uint64_t now_us)
{
    *cpu = (struct cpu){ .sampled_us = now_us };
    cpu->process_start_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    cpu->thread_start_s = cpu->thread_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    sample_cores(cpu);
    for (size_t i = 0; i < cpu->core_count; i++) {
        cpu->busy_percent[i] = 0; /* the first sample counts from boot */
    }
}

static void sample_fetch(struct cpu *cpu, const double *fetch_s, size_t count, double wall_s)
{
    cpu->fetch_percent = 0;
    for (size_t i = 0; i < count; i++) {
        double percent = 100 * (fetch_s[i] - cpu->fetch_s[i]) / wall_s;

        cpu->fetch_percent = percent > cpu->fetch_percent ? percent : cpu->fetch_percent;
        cpu->fetch_s[i] = fetch_s[i];
    }
}

double cpu_busiest_percent(const struct cpu *cpu)
{
    return cpu->thread_percent > cpu->fetch_percent ? cpu->thread_percent : cpu->fetch_percent;
}

unsigned cpu_idle_cores(const struct cpu *cpu)
{
    double idle = 0;

    for (size_t i = 0; i < cpu->core_count; i++) {
        idle += 1 - (double)cpu->busy_percent[i] / 100;
    }
    return idle > 0 ? (unsigned)(idle + 0.25) : 0; /* a core is never quite idle */
}

void cpu_sample(struct cpu *cpu, const double *fetch_s, size_t count, uint64_t now_us)
{
    double wall_s = (double)(now_us - cpu->sampled_us) / (double)US_PER_S;
    double thread_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);

    if (wall_s <= 0) {
        return;
    }
    cpu->thread_percent = 100 * (thread_s - cpu->thread_s) / wall_s;
    cpu->thread_s = thread_s;
    sample_fetch(cpu, fetch_s, count, wall_s);
    cpu->sampled_us = now_us;
    sample_cores(cpu);
}

double cpu_process_s(const struct cpu *cpu)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu->process_start_s;
}

double cpu_thread_s(const struct cpu *cpu)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu->thread_start_s;
}

uint64_t cpu_rss_bytes(void)
{
    size_t rss = 0;

    return uv_resident_set_memory(&rss) == 0 ? rss : 0;
}
