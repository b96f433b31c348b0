"""How long before a flood the order to move must come, by place and hour of the day."""

from config.records.district import District
from config.records.evacuation import move_needs_s
from dispatch.words.local_time import quiet_until
from skill.verify.storms import Need, least_need


def order_need(district: District) -> Need:
    """area, moment of the flood (ms) -> seconds. At night is what the policy calls night; a place that
    the district does not know needs what every warning does."""

    def needed(area: str, flooded_at: int) -> int:
        known = district.areas.get(area)
        if known is None:
            return least_need(area, flooded_at)
        night = quiet_until(district.policy.night, flooded_at, district.timezone) != 0
        return move_needs_s(known, night=night)

    return needed
