"""Never worse than a plain script: a few of the weathers of scripts/bench weather, shortened.

Only ratios within one run count, with much room: the machine may be busy, and a sanitizer build is slow. The script
and scrapetop run one after the other, each on a server of its own. `scripts/bench weather` has the exact bounds.
"""

import dataclasses
import os
import sys

import harness
from harness import check, scaled, scratch

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "weather"))

import verdict  # noqa: E402
import weathers  # noqa: E402

ROOM, ROOM_S = scaled(1.5, 2.5), scaled(4, 20)


def measured(name, count=None, peers=("script", "scrapetop")):
    weather = weathers.named(name)
    if count:
        urls = weather.urls[:count]
        lost = weather.count - weather.wanted
        weather = dataclasses.replace(weather, urls=urls, good=count - lost * count // weather.count if lost else -1,
                                      dying=weather.dying * count // weather.count)
    row = verdict.measure(weather, scratch(name), harness.BINARY, None, peers, room=ROOM, room_s=ROOM_S)
    if row.missing:
        raise harness.Skipped(f"{name}: {row.missing}")
    ours = row.results[-1]
    check(row.is_green, f"{name}: {', '.join(row.faults)}\n{verdict.head()}\n{row.text()}\n{ours.words[-3000:]}")


def test_broken_urls__fail_and_the_rest_arrives__when_each_has_had_its_tries():
    measured("six-502", 100)


def test_limit__is_kept_as_well_as_by_the_script__when_429_names_no_deadline():
    measured("window-1s", 160)


def test_limit__is_kept_as_well_as_by_the_script__when_429_names_a_deadline():
    measured("bucket-80-told", 400)


def test_limit__is_kept_as_well_as_by_the_script__when_too_many_are_in_flight():
    measured("at-once-4", 100)


def test_listing__is_whole__when_a_page_was_an_error_once():
    measured("page-error-once")


def test_token__is_the_end__when_it_is_refused():
    measured("token-ends", peers=("scrapetop",))


def test_login_page__is_the_end__when_it_is_all_there_is():
    measured("html-for-all", 200, peers=("scrapetop",))


if __name__ == "__main__":
    harness.main(globals())
