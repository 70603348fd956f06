from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.gb28181 import manscdp
from streams.gb28181.manscdp import MalformedXml

NAME = "东门路口３号㙍 <A&B>"
printable = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=40)


def item(**fields):
    return manscdp.tags(*fields.items())


def catalog(*items, total=None, root="Response"):
    inner = manscdp.page("DeviceList", len(items) if total is None else total, items)
    return manscdp.parse(manscdp.build(root, "Catalog", "34020000001180000001", inner))


@given(printable)
def test_any_name_survives(name):
    document = catalog(item(DeviceID="1", Name=name))
    entry = manscdp.channel(document.items()[0])
    assert entry is not None
    assert entry.name == name.strip()


@pytest.mark.parametrize("declared", ["GB2312", "GB18030", "gbk", "UTF-8", "utf-8", ""])
@pytest.mark.parametrize("real", ["gb18030", "utf-8"])
def test_the_declared_encoding_may_lie(declared, real):
    head = f'<?xml version="1.0" encoding="{declared}"?>\n' if declared else ""
    text = (
        f"{head}<Notify><CmdType>Alarm</CmdType><AlarmDescription>徘徊检测：东门</AlarmDescription></Notify>"
    )
    assert manscdp.parse(text.encode(real)).text("AlarmDescription") == "徘徊检测：东门"


def test_gb2312_that_happens_to_be_utf8_is_not_taken_for_it():
    accidental = next(pair for pair in ("拢贸", "抹茶", "旅贸") if _is_utf8(pair.encode("gb2312")))
    body = manscdp.build("Notify", "Alarm", "1", manscdp.tags(("AlarmDescription", accidental)))
    assert b"GB2312" in body
    assert manscdp.parse(body).text("AlarmDescription") == accidental


def _is_utf8(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_our_own_messages_declare_what_they_are():
    assert b"GB2312" in manscdp.build("Query", "Catalog", "1")
    assert b"GB18030" in manscdp.build("Query", "Catalog", "1", manscdp.tags(("Name", "㙍")))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Notify>",
        b"<Notify></Notify>",
        b"<html><CmdType>Alarm</CmdType></html>",
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><Notify><CmdType>&a;</CmdType></Notify>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><Notify><CmdType>Alarm</CmdType></Notify>',
        b"<Notify><CmdType>&undeclared;</CmdType><SN>&lt</Notify>",
        b"<Notify><CmdType>Alarm</CmdType>" + b"x" * 600_000 + b"</Notify>",
    ],
)
def test_what_is_refused(body):
    with pytest.raises(MalformedXml):
        manscdp.parse(body)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_document_or_malformed(data):
    whole = manscdp.build("Notify", "Alarm", "1", manscdp.tags(("AlarmDescription", "门")))
    for body in (data, whole[: len(data)] + data, whole.replace(b"<SN>", b"<SN>" + data)):
        try:
            document = manscdp.parse(body)
        except MalformedXml:
            continue
        manscdp.alarm(document, "1", datetime.now(UTC))
        manscdp.changes(document)
        manscdp.recordings(document)


def test_bare_ampersands_and_control_characters_are_forgiven():
    document = manscdp.parse(b"<Notify><CmdType>Alarm</CmdType><Info>A&B \x01 &amp; C</Info></Notify>")
    assert document.text("Info") == "A&B  & C"


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-05T08:09:10",
        "2026-03-05 08:09:10",
        "2026-3-5T8:09:10.123",
        "20260305T080910",
        "2026-03-05T00:09:10Z",
        "2026-03-05T09:09:10+09:00",
    ],
)
def test_spellings_of_a_time(text):
    assert manscdp.read_time(text) == datetime(2026, 3, 5, 0, 9, 10, tzinfo=UTC)


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_none(text):
    found = manscdp.read_time(text)
    assert found is None or found.tzinfo is not None


def test_no_such_day():
    assert manscdp.read_time("2026-02-30T00:00:00") is None
    assert manscdp.read_time("0001-01-01T00:00:00") is None


@given(st.integers(0, 4_000_000_000))
def test_times_round_trip(second):
    at = datetime.fromtimestamp(second, UTC)
    assert manscdp.read_time(manscdp.wire_time(at)) == at


def test_a_channel():
    document = catalog(
        item(
            DeviceID="34020000001310000001",
            Name=NAME,
            ParentID="34020000002000000001/34020000002160000001",
            Status="OFF",
            Longitude="117.25",
            Latitude="31.5",
            PTZType="1",
            CivilCode="340200",
        ),
        item(DeviceID="34020000002160000001", Name="组", Longitude="", Latitude="0"),
        item(DeviceID="340200", Name="市"),
        item(Name="nobody"),
    )
    camera, folder, division = (
        entry for found in document.items() if (entry := manscdp.channel(found)) is not None
    )
    assert (camera.name, camera.parent_id) == (NAME, "34020000002160000001")
    assert (camera.camera, camera.online, camera.lon, camera.lat) == (True, False, 117.25, 31.5)
    assert (camera.ptz_type, camera.civil_code) == (1, "340200")
    assert (folder.camera, folder.online, folder.lon) == (False, True, None)
    assert not division.camera


@pytest.mark.parametrize(
    ("lon", "lat"), [("nan", "1"), ("1e999", "1"), ("181", "1"), ("0", "0"), ("", "31"), ("x", "y")]
)
def test_places_that_are_none(lon, lat):
    document = catalog(item(DeviceID="1", Longitude=lon, Latitude=lat))
    entry = manscdp.channel(document.items()[0])
    assert entry is not None
    assert (entry.lon, entry.lat) == (None, None)


def test_recordings_without_times_are_left_out():
    items = [
        item(
            DeviceID="1",
            Name="a",
            StartTime="2026-03-05T08:00:00",
            EndTime="2026-03-05T09:00:00",
            FileSize="12",
        ),
        item(DeviceID="1", Name="b", StartTime="2026-03-05T08:00:00", EndTime="soon"),
        item(DeviceID="1", Name="c", StartTime="2026-03-05T09:00:00", EndTime="2026-03-05T08:00:00"),
    ]
    inner = manscdp.page("RecordList", 3, items)
    document = manscdp.parse(manscdp.build("Response", "RecordInfo", "1", inner))
    (piece,) = manscdp.recordings(document)
    assert (piece.name, piece.size, piece.start) == ("a", 12, datetime(2026, 3, 5, tzinfo=UTC))


def test_an_alarm_with_a_useless_time_is_now():
    now = datetime.now(UTC)
    inner = manscdp.tags(("AlarmPriority", "1"), ("AlarmMethod", "many"), ("AlarmTime", "yesterday"))
    alarm = manscdp.alarm(manscdp.parse(manscdp.build("Notify", "Alarm", "34", inner)), "99", now)
    assert (alarm.device_id, alarm.channel_id, alarm.priority, alarm.method, alarm.at) == (
        "99",
        "34",
        1,
        0,
        now,
    )
