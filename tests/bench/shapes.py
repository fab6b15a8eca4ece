"""The shapes of JSON that tables are measured with, made up the same way each time.

  auctions  a response a line, in it 50 to 120 lots: nested, ids above 2^53, prices with and without a
            fraction, arrays, members that most lots lack, one that no lot has before the last tenth
  trains    an object of objects a line: the train's number is a member's name, its stops an array
  posts     a small flat object a line
  wide      10,000 columns, all of which each line has: numbers, fractions, words and texts
  sparse    10,000 columns, 20 of which a line has, others in each

A smaller file repeats its texts as often as a large one does. Half of the auctions escape what is not ASCII, as PHP does; the others send UTF-8.
"""

import json
import random

WORDS = ("oak table brass lamp lot of kitchen tools iron skillet painted porcelain silver tray carving "
         "records drill charger included untested as is pickup only signed print framed wool rug "
         "bicycle tires camera lens books toys puzzle glass crystal café Montréal 30 cm").split()
STATIONS = (("Toronto Union", "TRTO"), ("Montréal", "MTRL"), ("Ottawa", "OTTW"), ("Kingston", "KGON"),
            ("Québec", "QBEC"), ("Oshawa", "OSHA"), ("Cobourg", "CBRG"), ("Dorval", "DORV"))


def text(chance, low, high):
    return " ".join(chance.choices(WORDS, k=chance.randint(low, high)))


def moment(chance):
    return (f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T"
            f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:00Z")


def lot(chance, auction, number, pools, late):
    titles, blurbs, images = pools
    made = {
        "id": (1 << 53) + 1 + 2 * (auction * 120 + number), "auction_id": auction, "lot": f"{number + 1}",
        "title": chance.choice(titles), "description": chance.choice(blurbs),
        "current_bid": {"amount": chance.choice((0.1, 5, chance.randint(1, 50000) / 100)), "currency": "CAD"},
        "minimum_bid": {"amount": chance.choice((1, 5, 2.5)), "currency": "CAD"},
        "bid_count": chance.randint(0, 60), "start_time": moment(chance), "end_time": moment(chance),
        "lat": f"{43 + chance.random():.4f}", "lng": f"{-80 + chance.random():.4f}",
        "taxable": chance.random() < 0.8, "buyer_premium": chance.choice((0.15, 0.1, 0.18)),
        "images": chance.choices(images, k=chance.randint(0, 3)),
        "category": {"id": chance.randint(1, 40), "name": chance.choice(WORDS),
                     "path": {"root": chance.choice(WORDS)}},
    }
    if chance.random() < 0.6:
        made["winner"] = {"id": chance.randint(1, 10**7), "alias": f"b{chance.randint(1, 9999)}"}
    if late and chance.random() < 0.1:
        made["pickup"] = {"window": moment(chance), "fee": chance.choice((0, 12.5))}
    return made


def auctions(chance, count):
    some = count * 3 // 8 + 1
    pools = ([text(chance, 3, 10) for _ in range(some)], [text(chance, 10, 60) for _ in range(2 * some)],
             [f"https://cdn.example.com/{chance.randrange(10**9)}/{n}.jpg" for n in range(some)])
    for number in range(count):
        lots = [lot(chance, number, n, pools, number >= count * 9 // 10)
                for n in range(chance.randint(50, 120))]
        body = {"auction": {"id": number, "title": chance.choice(pools[0]), "city": "Toronto",
                            "starts": moment(chance),
                            "address": {"lat": "43.65", "lng": "-79.38", "postal": f"M{number % 9}X 1Y4"}},
                "items": lots}
        line = json.dumps({"url": f"https://api.example.com/auctions/{number}", "status": 200, "body": body},
                          ensure_ascii=number % 2 == 1, separators=(",", ":"))
        yield line.replace("/", "\\/") if number % 2 else line, len(lots)


def stop(chance, first, last):
    name, code = chance.choice(STATIONS)
    made = {"station": name, "code": code, "estimated": moment(chance), "scheduled": moment(chance),
            "eta": chance.choice(("ARR", "12 min", "1h02"))}
    if not first:
        made["arrival"] = {"estimated": moment(chance), "scheduled": moment(chance)}
    if not last:
        made["departure"] = {"estimated": moment(chance), "scheduled": moment(chance)}
    return made | {"diff": chance.choice(("goo", "med", "bad")), "diffMin": chance.randint(-5, 90)}


def trains(chance, count):
    for _ in range(count):
        made, rows = {}, 0
        for number in sorted(chance.sample(range(1, 900), chance.randint(65, 85))):
            stops = chance.randint(6, 22)
            train = {"lat": round(43 + chance.random(), 6), "lng": round(-80 + chance.random(), 6),
                     "speed": chance.randint(0, 160), "direction": chance.random() * 360,
                     "poll": moment(chance)} if chance.random() < 0.7 else {}
            made[str(number)] = train | {
                "departed": bool(train), "arrived": False, "from": "TRTO", "to": "MTRL",
                "instance": "2026-06-01", "times": [stop(chance, n == 0, n == stops - 1) for n in range(stops)]}
            rows += stops
        yield json.dumps(made, ensure_ascii=False, separators=(",", ":")), rows


def posts(chance, count):
    bodies = ["\n".join(text(chance, 5, 8) for _ in range(chance.randint(3, 5))) for _ in range(count // 50 + 1)]
    for number in range(count):
        yield json.dumps({"userId": number // 10 + 1, "id": (1 << 53) + 1 + 2 * number,
                          "title": chance.choice(bodies)[:40].replace("\n", " "),
                          "body": chance.choice(bodies), "score": chance.choice((0.1, 1, 2.5))},
                         ensure_ascii=False, separators=(",", ":")), 1


COLUMNS = 10_000
KINDS = ("BIGINT", "DOUBLE", "VARCHAR", "VARCHAR")


def cell(chance, column, row):
    return (lambda: chance.randrange(10**6), lambda: round(chance.random() * 1000, 3),
            lambda: f"value-{chance.randrange(50)}", lambda: f"text {column} of row {row}")[column % 4]()


def of_columns(chance, columns, row):
    return json.dumps({f"column_{c:05}": cell(chance, c, row) for c in columns}, separators=(",", ":")), 1


def wide(chance, count):
    for row in range(count):
        yield of_columns(chance, range(COLUMNS), row)


def sparse(chance, count):
    for row in range(count):
        yield of_columns(chance, sorted(chance.sample(range(COLUMNS), 20)), row)


FULL = {"auctions": (auctions, 8000), "trains": (trains, 1000), "posts": (posts, 1_000_000),
        "wide": (wide, 2000), "sparse": (sparse, 640_000)}


def write(shape, path, scale):
    """(bytes, rows of the table)"""
    make, count = FULL[shape]
    rows = size = 0
    with open(path, "w", encoding="utf-8", newline="") as file:
        for line, more in make(random.Random(1), max(10, int(count * scale))):
            file.write(line + "\n")
            size += len(line.encode()) + 1
            rows += more
    return size, rows
