#include "base/clock.h"

#include "base/os.h"

#include <stdbool.h>
#include <time.h>

#define DAY_US (INT64_C(86400) * 1000000)
#define YEAR_0000_US (INT64_C(-719528) * DAY_US)
#define YEAR_9999_END_US (INT64_C(2932897) * DAY_US - 1)

static uint64_t system_now_us(void *context)
{
    (void)context;
    return os_uptime_us();
}

static int64_t system_wall_us(void *context)
{
    struct timespec ts;

    (void)context;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * (int64_t)US_PER_S + ts.tv_nsec / 1000;
}

struct clock clock_system(void)
{
    return (struct clock){ system_now_us, system_wall_us, NULL };
}

uint64_t clock_boot(void)
{
    return os_boot_id();
}

uint64_t clock_now_us(const struct clock *clock)
{
    return clock->now_us(clock->context);
}

int64_t clock_wall_us(const struct clock *clock)
{
    return clock->wall_us(clock->context);
}

#define ERAS INT64_C(1000000) /* of 400 years each */
#define DAYS_OF_ERA 146097

/* Counted from a year so far back that nothing is negative. */
int64_t clock_days_from_civil(int64_t year, unsigned month, unsigned day)
{
    static const unsigned short before[] = {
        0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334
    };
    uint64_t y = (uint64_t)(year + ERAS * 400), leaps_to = y - (month <= 2),
             centuries = leaps_to / 100;
    uint64_t days = y * 365 + leaps_to / 4 - centuries + centuries / 4 + before[month - 1] + day;

    return (int64_t)days - (ERAS * DAYS_OF_ERA + 719528);
}

unsigned clock_days_of_month(int64_t year, unsigned month)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (unsigned)(month == 2 && is_leap);
}

/* Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
void clock_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    *day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    *month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    *year = yoe + era * 400 + (*month <= 2);
}

static void put_digits(char *at, int width, int value)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

void clock_format_utc(int64_t wall_us, char text[CLOCK_TEXT_SIZE])
{
    static const char shape[CLOCK_TEXT_SIZE] = "0000-00-00T00:00:00.000Z";
    int64_t days, rest, year;
    unsigned month, day;
    int ms;

    if (wall_us < YEAR_0000_US) {
        wall_us = YEAR_0000_US;
    } else if (wall_us > YEAR_9999_END_US) {
        wall_us = YEAR_9999_END_US;
    }
    days = wall_us / DAY_US;
    rest = wall_us % DAY_US;
    if (rest < 0) {
        days--;
        rest += DAY_US;
    }
    clock_civil_from_days(days, &year, &month, &day);
    ms = (int)(rest / 1000 % 1000);
    rest /= 1000000;
    for (size_t i = 0; i < CLOCK_TEXT_SIZE; i++) {
        text[i] = shape[i];
    }
    put_digits(text, 4, (int)year);
    put_digits(text + 5, 2, (int)month);
    put_digits(text + 8, 2, (int)day);
    put_digits(text + 11, 2, (int)(rest / 3600));
    put_digits(text + 14, 2, (int)(rest / 60 % 60));
    put_digits(text + 17, 2, (int)(rest % 60));
    put_digits(text + 20, 3, ms);
}
