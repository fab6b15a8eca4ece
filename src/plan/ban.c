#include "plan/ban.h"

bool ban_is_refusal(int status)
{
    return status == 403 || status == 418 || status == 420;
}

static bool is_usual(const struct ban *ban)
{
    return ban->is_usual || ban->alone * BAN_USUAL_PART > ban->well;
}

bool ban_well(struct ban *ban, uint64_t began_us)
{
    bool was_banned = ban_is_on(ban);

    ban->well++;
    if (ban->row && began_us < ban->row_from_us) {
        return false;
    }
    if (was_banned) {
        ban->ends++;
        ban->well_at_end = ban->well;
    } else {
        ban->alone += ban->row;
    }
    ban->row = ban->holds = 0;
    ban->held_until_us = 0;
    return was_banned;
}

uint64_t ban_refused(struct ban *ban, uint64_t began_us, uint64_t now_us, bool *is_for_good)
{
    static const uint64_t holds_s[BAN_HOLDS_MAX] = { 1, 2, 4, 8, 15 };
    uint64_t hold_us;

    *is_for_good = false;
    if (!ban->row++) {
        ban->row_from_us = now_us;
        ban->rows++;
    }
    if (ban->row == BAN_ROW && ban->ends && ban->well < ban->well_at_end + BAN_APART) {
        ban->is_usual = true;
    }
    if (!ban->well || is_usual(ban) || ban->row < BAN_ROW || began_us < ban->held_until_us) {
        return 0;
    }
    *is_for_good = ban->holds == BAN_HOLDS_MAX;
    hold_us = holds_s[ban->holds - *is_for_good] * UINT64_C(1000000);
    ban->holds += !*is_for_good;
    ban->held_until_us = now_us + hold_us;
    return hold_us;
}

bool ban_is_on(const struct ban *ban)
{
    return ban->holds > 0;
}
