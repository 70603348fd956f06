"""Two real places, from the extract to the closed incident, through nothing but the public interfaces.

The extracts are © OpenStreetMap contributors (ODbL) and not part of the project.
"""

from __future__ import annotations

import base64
import math
import struct
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.real.centre import (
    PASSWORD,
    RealCentre,
    add_user,
    issue_token,
    new_centre,
    scene_near,
)
from tests.real.live import Person, Reading, moment, serving, wait_until
from tests.real.streets import Spot

STALE_PENALTY_SHARE = 0.5
"""ADR 0011: half a stale fix's age is added to the travel time. Only a slow machine makes a fix stale here."""
EXTRACTS = Path(__file__).parents[2].parent / "shared" / "data" / "osm"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
pytestmark = pytest.mark.slow


def extract(name: str) -> Path:
    path = EXTRACTS / f"{name}.osm.pbf"
    if not path.exists():
        pytest.skip("the real extracts are not beside this checkout")
    return path


def test_liechtenstein_an_incident_from_report_to_archive(tmp_path: Path) -> None:
    centre = new_centre(tmp_path, extract("liechtenstein"), areas="areas.geojson", posts=12)
    assert "areas: 已导入 33，问题 0" in centre.said["areas"].splitlines()
    assert "responders: 已导入 14，问题 0" in centre.said["responders"].splitlines()
    hero, *others = centre.posts
    scene, _ = scene_near(centre.streets, centre.posts[hero], [centre.posts[key] for key in others])
    add_user(centre.cli, "dispatcher", "dispatcher")
    add_user(centre.cli, "hero", "worker", "--responder", hero)
    phone = others[0]
    centre.tokens[phone] = issue_token(
        centre.cli, centre.names[phone], "--responder", phone, "--device", f"{phone}-phone"
    )
    centre.tokens["gateway"] = issue_token(centre.cli, "gateway", "--kind", "integration")

    with serving(centre.cli) as url, closing(Person(url, "dispatcher", PASSWORD)) as desk:
        with desk.feed() as reading, closing(Person(url, "hero", PASSWORD)) as unit:
            began = go_on_duty(desk, centre)
            look_at_the_map(desk, centre)
            tokens_are_needed(url, centre, phone)
            report_by_browser(unit, centre, hero, began)
            report_by_three_apps(url, centre, phone, began)
            report_by_gateway(url, centre, others[1:], began)
            for target in (scene, *centre.streets.spots(5, 2)):
                nearest_agrees(desk, centre, target)
            life_of_an_incident(desk, unit, centre, hero, scene, reading)
            assert reading.telemetry_frames > 0
        with desk.feed() as fresh:
            # A snapshot may be a little older and be followed by the events since.
            fresh.until(reading.client.seq)
            assert fresh.client.board == reading.client.board


def test_monaco_one_way_streets_and_areas_from_a_geopackage(tmp_path: Path) -> None:
    centre = new_centre(tmp_path, extract("monaco"), areas="网格.gpkg", posts=25)
    assert "areas: 已导入 33，问题 0" in centre.said["areas"].splitlines()
    cameras = centre.streets.spots(3, 6)
    rows = "".join(f"路口{n},{spot.lon:.7f},{spot.lat:.7f},社会,90\n" for n, spot in enumerate(cameras))
    table = tmp_path / "cameras.csv"
    table.write_text("摄像头名称,经度,纬度,备注,方位角\n" + rows, encoding="gb18030")
    assert "已导入 6" in centre.cli.run("import", "cameras", str(table))
    add_user(centre.cli, "dispatcher", "dispatcher")
    centre.tokens["gateway"] = issue_token(centre.cli, "gateway", "--kind", "integration")

    with serving(centre.cli) as url, closing(Person(url, "dispatcher", PASSWORD)) as desk:
        began = go_on_duty(desk, centre)
        look_at_the_map(desk, centre)
        report_by_gateway(url, centre, list(centre.posts), began)
        for target in centre.streets.spots(11, 4):
            nearest_agrees(desk, centre, target)
        first = cameras[0]
        near = desk.get("/cameras/near", lon=first.lon, lat=first.lat, limit=1)["items"]
        assert [c["name"] for c in near] == ["路口0"]
        assert near[0]["grid"] == centre.overlay.codes_at(first.lon, first.lat)[4]


def go_on_duty(desk: Person, centre: RealCentre) -> float:
    """Start everybody's shift but one's; returns when, by the service's clock."""
    roster = {row["name"]: row["id"] for row in desk.get("/responders", limit=100)["items"]}
    assert {roster[name] for name in centre.names.values()} == set(centre.posts)
    for name, key in roster.items():
        if name != "休班的人":
            since = desk.post(f"/responders/{key}/shift", {"on_duty": True})["shift_since"]
    return moment(since)


def look_at_the_map(desk: Person, centre: RealCentre) -> None:
    """The basemap answers ranges; every point lies where arithmetic says."""
    tile_file = desk.fetch("/tiles/basemap.pmtiles", range="bytes=0-126")
    assert tile_file.status_code == 206
    head = tile_file.content
    assert (head[:7], head[7]) == (b"PMTiles", 3)
    root_at, root_size = struct.unpack("<QQ", head[8:24])
    west, south, east, north = (v / 1e7 for v in struct.unpack("<4i", head[102:118]))
    middle = centre.posts["r_00001"]
    assert west < middle.lon < east
    assert south < middle.lat < north
    directory = desk.fetch("/tiles/basemap.pmtiles", range=f"bytes={root_at}-{root_at + root_size - 1}")
    assert directory.status_code == 206
    assert len(directory.content) == root_size
    assert httpx2.get(f"{desk.url}/tiles/basemap.pmtiles", trust_env=False).status_code == 401

    for spot in list(centre.posts.values())[:4]:
        codes = centre.overlay.codes_at(spot.lon, spot.lat)
        found = desk.get("/locate", lon=spot.lon, lat=spot.lat)["areas"]
        assert {int(tier): area["code"] for tier, area in found.items()} == codes
        assert codes[4] in [area["code"] for area in desk.get("/areas", parent=codes[3])["items"]]
        staff = {person["responder_id"] for person in desk.get(f"/areas/{codes[4]}/overview")["people"]}
        at_home = {
            key for key, post in centre.posts.items() if centre.overlay.codes_at(post.lon, post.lat) == codes
        }
        assert at_home <= staff


def approach(centre: RealCentre, key: str, began: float) -> list[tuple[float, float, float]]:
    """Fixes (lon, lat, seconds since 1970) of the last seconds of a drive to the post, none before the shift."""
    now = time.time()
    track = centre.streets.approach(centre.posts[key], max(0, min(8, int(now - began) - 1)))
    return [
        (lon, lat, now - age) for age, (lon, lat) in zip(range(len(track) - 1, -1, -1), track, strict=True)
    ]


def sent(answer: httpx2.Response, body: object) -> None:
    assert answer.status_code == 200, answer.text
    assert answer.json() == body


def tokens_are_needed(url: str, centre: RealCentre, key: str) -> None:
    """Without a token, with a wrong one, or for somebody else nothing is taken."""
    lon, lat = 9.5, 47.1
    query: dict[str, Any] = {"lat": lat, "lon": lon}
    assert httpx2.get(f"{url}/tracker/osmand", params=query, trust_env=False).status_code == 401
    query |= {"token": centre.tokens[key], "id": "another-phone"}
    assert httpx2.get(f"{url}/tracker/osmand", params=query, trust_env=False).status_code == 403


def report_by_browser(unit: Person, centre: RealCentre, key: str, began: float) -> None:
    """The field page: the session says whose position it is."""
    for lon, lat, at in approach(centre, key, began):
        coords = {"lon": lon, "lat": lat, "timestamp": int(at * 1000), "speed": 4.2, "accuracy": 7.5}
        assert unit.post("/positions", coords) == {"accepted": 1}


def report_by_three_apps(url: str, centre: RealCentre, key: str, began: float) -> None:
    """One phone with one token that changes its app on the way: OsmAnd, Traccar Client, OwnTracks."""
    token = centre.tokens[key]
    for turn, (lon, lat, at) in enumerate(approach(centre, key, began)):
        if turn % 3 == 0:
            query: dict[str, Any] = {
                "id": f"{key}-phone",
                "token": token,
                "lat": f"{lat:.7f}",
                "lon": f"{lon:.7f}",
            }
            query |= {"timestamp": int(at), "speed": 8.1, "batt": 80}
            sent(httpx2.get(f"{url}/tracker/osmand", params=query, trust_env=False), {"accepted": 1})
        elif turn % 3 == 1:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
            place = {"latitude": lat, "longitude": lon, "accuracy": 6.0, "speed": 4.2, "heading": 90}
            location = {"location": {"timestamp": stamp, "coords": place}, "device_id": f"{key}-phone"}
            headers = {"authorization": f"Bearer {token}"}
            answer = httpx2.post(f"{url}/tracker/osmand", json=location, headers=headers, trust_env=False)
            sent(answer, {"accepted": 1})
        else:
            body = {
                "_type": "location",
                "lat": lat,
                "lon": lon,
                "tst": int(at),
                "acc": 9,
                "vel": 15,
                "batt": 64,
            }
            answer = httpx2.post(
                f"{url}/tracker/owntracks", json=body, auth=("phone", token), trust_env=False
            )
            sent(answer, [])


def report_by_gateway(url: str, centre: RealCentre, keys: list[str], began: float) -> None:
    """All fixes of many units in one request, newest first: the order must not matter."""
    batch = [
        {"responder_id": key, "lon": lon, "lat": lat, "fix_at": at, "speed_kmh": 15.0, "accuracy_m": 8.0}
        for key in keys
        for lon, lat, at in reversed(approach(centre, key, began))
    ]
    headers = {"authorization": f"Bearer {centre.tokens['gateway']}"}
    answer = httpx2.post(f"{url}/api/v1/positions", json=batch, headers=headers, trust_env=False)
    sent(answer, {"accepted": len(batch)})


def nearest_agrees(desk: Person, centre: RealCentre, target: Spot) -> None:
    """`GET /nearest` names the same people in the same order with the same times as the second search."""
    truth = {
        key: seconds
        for key, post in centre.posts.items()
        # On the target's own way the straight piece between the two is a case of its own.
        if post.segment[0] != target.segment[0]
        and not math.isnan(seconds := centre.streets.seconds(field_to(centre, target), post))
    }

    def everybody() -> Any:
        found = desk.get("/nearest", lon=target.lon, lat=target.lat, limit=100)
        # A report is on the map with the next tick, a fifth of a second later.
        return found if len(found["items"]) >= len(centre.posts) else None

    answer = wait_until(everybody)
    assert answer["excluded"] == [{"reason": "no_fix", "count": 1}, {"reason": "off_duty", "count": 1}]
    items = [item for item in answer["items"] if item["responder_id"] in truth]
    assert len(items) == len(truth)
    for item in items:
        assert item["eta_method"] == "road"
        assert item["eta_s"] == pytest.approx(truth[item["responder_id"]], rel=1e-3, abs=0.5), item
    order = [truth[i["responder_id"]] + i["stale"] * STALE_PENALTY_SHARE * i["fix_age_s"] for i in items]
    assert all(a <= b + 1.0 for a, b in pairwise(order)), order
    best = answer["items"][0]["route"]["coordinates"]
    assert best[-1] == pytest.approx([target.lon, target.lat], abs=2e-5)


def field_to(centre: RealCentre, target: Spot) -> dict[tuple[int, int, int], float]:
    """The second implementation's search, made once a target."""
    if target not in centre.fields:
        centre.fields[target] = centre.streets.seconds_to(target)
    return centre.fields[target]


def life_of_an_incident(
    desk: Person, unit: Person, centre: RealCentre, hero: str, scene: Spot, reading: Reading
) -> None:
    """Reported, taken, sent, signed, driven, done, checked, scored, visited again, filed."""
    codes = centre.overlay.codes_at(scene.lon, scene.lat)
    report = {
        "title": "路口两车相撞",
        "category": "traffic",
        "level": "II",
        "source": "hotline",
        "lon": scene.lon,
        "lat": scene.lat,
        "reporter_contact": "13812340472",
    }
    incident = desk.post("/incidents", report)
    assert (incident["state"], incident["code"][:3]) == ("reported", "RD-")
    assert [incident[tier] for tier in ("township", "village", "grid")] == [codes[2], codes[3], codes[4]]
    assert incident["reporter_contact"] == "138****0472"
    path = f"/incidents/{incident['id']}"

    ranked = desk.get("/nearest", incident_id=incident["id"], limit=3)["items"]
    assert ranked[0]["responder_id"] == hero
    desk.post(f"{path}/acknowledge")
    desk.post(f"{path}/claim")
    assert desk.post(f"{path}/contact", {"purpose": "核实地点"}) == {"contact": "13812340472"}
    desk.post(f"{path}/accept", {"level": "I"})
    dispatched = desk.post(f"{path}/dispatch", {"responder_ids": [hero]})
    (job,) = dispatched["assignments"]
    assert (dispatched["state"], job["responder_id"], job["state"]) == ("dispatched", hero, "dispatched")
    winner = desk.post(f"{path}/dispatch", {"responder_ids": [hero]}, status=409)["winner"]
    assert winner["responder_id"] == hero

    work = f"/assignments/{job['assignment_id']}"
    assert unit.me["user"]["responder_id"] == hero
    for step in ("deliver", "sign", "en_route"):
        unit.post(f"{work}/{step}")
    drive(unit, ranked[0]["route"]["coordinates"])
    wait_until(lambda: unit.get(work)["arrival_proposed_at"])
    assert unit.post(f"{work}/on_scene")["state"] == "on_scene"
    unit.upload(f"{path}/photos", "现场.png", PNG)
    unit.post("/messages/reply", {"incident_id": incident["id"], "body": "双方自行和解"})
    assert unit.post(f"{work}/finish", {"feedback": "已疏导"})["state"] == "finished"

    assert desk.post(f"{path}/check_pass", {"disposition": "现场调解"})["state"] == "closed"
    assert desk.post(f"{path}/evaluate", {"score": 5, "comment": "很快"})["state"] == "evaluated"
    assert desk.post(f"{path}/revisit", {"resolved": True, "comment": "未再发生"})["state"] == "revisited"
    last = desk.post(f"{path}/archive")
    assert last["state"] == "archived"
    reading.until(last["seq"])

    ours = [e["type"] for e in reading.events if incident["id"] in e["data"]["changes"].get("incidents", {})]
    assert ours == [
        "incident.reported",
        "incident.acknowledged",
        "incident.claimed",
        "incident.accepted",
        "incident.dispatched",
        "incident.handling",
        "assignment.on_scene",
        "incident.attached",
        "incident.handled",
        "incident.closed",
        "incident.evaluated",
        "incident.revisited",
        "incident.archived",
    ]
    board = reading.client.board
    assert board["responders"][hero]["assignment_id"] is None
    assert board["assignments"][job["assignment_id"]]["state"] == "released"
    assert [m["body"] for m in board["messages"].values()] == ["双方自行和解"]
    timeline = desk.get(f"{path}/timeline")["items"]
    assert [row["seq"] for row in timeline] == sorted(row["seq"] for row in timeline)
    assert {row["type"] for row in timeline} >= {"assignment.signed", "assignment.arrival_proposed"}
    picture = desk.get(path)["attachments"][0]
    assert desk.fetch(f"/api/v1{path}/photos/{picture['id']}").content == PNG


def drive(unit: Person, route: list[list[float]]) -> None:
    """Report along the proposed route as the seconds pass, no faster than a fix may travel."""
    metres = 111_195.0 * sum(
        math.hypot((x2 - x1) * math.cos(math.radians(y1)), y2 - y1) for (x1, y1), (x2, y2) in pairwise(route)
    )
    seconds = max(3, math.ceil(metres / 50.0))
    started = time.time()
    for second in range(1, seconds + 1):
        time.sleep(max(0.0, started + second - time.time()))
        lon, lat = route[min(len(route) - 1, round((len(route) - 1) * second / seconds))]
        here = {"lon": lon, "lat": lat, "fix_at": int(time.time() * 1000)}
        assert unit.post("/positions", here) == {"accepted": 1}
