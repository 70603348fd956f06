"""Search over 200,000 names: the index of character positions beside a scan and SQLite's full-text search.

Run with `python -m bench.search`. All answer the same questions in one process. SQLite is asked both ways it can be
set up: trigrams, and one token a character with pinyin and initials in columns of their own.
"""

from __future__ import annotations

import asyncio
import random
import resource
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from pypinyin import lazy_pinyin

from command.board import Board
from command.cameras import Camera
from command.district import About, District
from command.events import Event
from command.responders import Responder
from command.search import Search
from gis.addresses import Addresses
from gis.areas import AreaIndex
from gis.files import Place
from gis.names import STAGES, NameIndex
from gis.nearest import NearestByRoad
from gis.text import fold, readings, typed

NAMES = 200_000
CAMERAS_LISTED, RESPONDERS = 15_000, 2_000
LIMIT = 20
ROADS = (
    "人民 解放 中山 建设 和平 胜利 团结 长江 黄河 北京 上海 湖滨 青云 迎宾 学府 滨江 朝阳 幸福 光明 新华 文化 体育 "
    "工业 科技 创新 翠竹 桂花 梧桐 银杏 重庆 长安 长沙 石台 栖水 棋盘 渡口 柳树 三桥 十里铺 龙门 "
    "东河 西关 南湖 北塔 凤凰 白云 金山 玉泉"
).split()
WAYS = "路 街 大道 巷 里 弄".split()
PLACES = (
    "派出所 小区 花园 中学 小学 医院 卫生服务中心 超市 银行 公园 广场 地铁站 加油站 酒店 社区居委会 "
    "幼儿园 消防站 大厦 菜市场 停车场"
).split()
CAMERAS = "东侧 西侧 南门 北门 路口 桥头 球机 枪机".split()
QUERIES = {
    "one character": ["路", "医", "桥", "东"],
    "two characters": ["人民", "医院", "石台", "朝阳"],
    "a whole name": ["朝阳派出所", "中山东路12号", "青云花园", "重庆路"],
    "traditional": ["醫院", "龍門廣場", "東河", "銀杏"],
    "pinyin": ["renminlu", "chaoyang", "chongqing", "yiyuan"],
    "pinyin begun": ["renm", "chaoy", "shit", "zhongsh"],
    "initials": ["rml", "cypcs", "qp", "rmyy"],
    "one letter": ["r", "s", "z", "l"],
    "mixed": ["人民yy", "朝阳pcs", "ren民路", "shitai医院"],
    "two words": ["人民 医院", "朝阳 小区", "中山 12号", "renmin yiyuan"],
    "a house": ["中山东路 12", "人民路21号", "rml12", "朝阳中街 9999"],
    "heard wrong": ["仁明路", "zongshan", "cangan", "shitan"],
    "one slip": ["朝阳派山所", "中山北路21号号", "renminlju", "chaoyyang"],
    "nothing": ["xqzvkq", "没有这样的地方", "魑魅魍魉", "12345678901234567890"],
}
REPEATS = 15


def invented_names(count: int, seed: int) -> list[str]:
    """Names as a county has them: house numbers, places, cameras."""
    pick = random.Random(seed)
    names = []
    while len(names) < count:
        road = pick.choice(ROADS) + pick.choice("东西南北中 ").strip() + pick.choice(WAYS)
        kind = pick.random()
        if kind < 0.4:
            names.append(f"{road}{pick.randint(1, 999)}号")
        elif kind < 0.6:
            names.append(f"{road}与{pick.choice(ROADS)}{pick.choice(WAYS)}{pick.choice(CAMERAS)}")
        else:
            part = pick.choice(["", "A区", "3栋", f"（{road}店）"])
            names.append(
                f"{pick.choice(ROADS)}{pick.choice(['第一', '第二', '新', '老', ''])}{pick.choice(PLACES)}{part}"
            )
    return names


def scan(names: Sequence[str]) -> Callable[[str], int]:
    """The naive way: every name, its pinyin and its initials, looked through with ``in``."""
    folded = [fold(name) for name in names]
    sounds = ["".join((readings(c) or (c,))[0] for c in name) for name in folded]
    initials = ["".join((readings(c) or (c,))[0][0] for c in name) for name in folded]

    def find(query: str) -> int:
        text = fold(query)
        columns = (folded, sounds, initials) if text.isascii() else (folded,)
        found = {n for column in columns for n, line in enumerate(column) if text in line}
        return len(sorted(found, key=lambda n: (not folded[n].startswith(text), len(folded[n]), n))[:LIMIT])

    return find


def characters(name: str) -> str:
    """A name with its characters apart, as tokens."""
    return " ".join(f" {c} " if c > "⺀" else c for c in fold(name))


def full_text(names: Sequence[str], tokenizer: str) -> tuple[Callable[[str], int], sqlite3.Connection]:
    """SQLite FTS5 over name, pinyin and initials in memory."""
    base = sqlite3.connect(":memory:")
    options = "tokenize='trigram'" if tokenizer == "trigram" else "tokenize='unicode61', prefix='1 2 3 4'"
    base.execute(f"create virtual table t using fts5(name, sound, initials, {options})")
    apart = fold if tokenizer == "trigram" else characters

    def rows() -> Iterator[tuple[int, str, str, str]]:
        for number, name in enumerate(names):
            sounds = lazy_pinyin(fold(name))
            yield number, apart(name), "".join(sounds), "".join(sound[0] for sound in sounds)

    base.executemany("insert into t(rowid, name, sound, initials) values (?, ?, ?, ?)", rows())

    def find(query: str) -> int:
        text = fold(query)
        if tokenizer == "trigram":
            wanted = f'"{text}"'
        elif text.isascii():
            wanted = f'{{sound initials}}: "{text}"*'
        else:
            wanted = f'name: "{characters(query)}"'
        return len(
            base.execute(
                f"select rowid from t where t match ? order by rank limit {LIMIT}", (wanted,)
            ).fetchall()
        )

    return find, base


def indexed(index: NameIndex) -> Callable[[str], int]:
    """Ours: the later stages only where the earlier ones found nothing, as the service asks."""

    def find(query: str) -> int:
        asked = typed(query)
        for stage in STAGES:
            scores = index.scores(asked, stage)
            found = np.flatnonzero(np.isfinite(scores))
            if len(found):
                kept = min(LIMIT, len(found))
                best = found[np.argpartition(scores[found], kept - 1)[:kept]]
                return len(best)
        return 0

    return find


def timed(find: Callable[[str], int], queries: Sequence[str], repeats: int) -> tuple[list[float], int]:
    """CPU milliseconds of every call, and how many of the queries found anything."""
    times, answered = [], 0
    for query in queries:
        answered += find(query) > 0
        for _ in range(repeats):
            started = time.thread_time()
            find(query)
            times.append((time.thread_time() - started) * 1e3)
    return times, answered


def row(name: str, times: list[float], answered: int, asked: int) -> None:
    p95 = statistics.quantiles(times, n=20)[18]
    print(
        f"  {name:<22} median {statistics.median(times):8.2f} ms   p95 {p95:8.2f} ms   answers {answered}/{asked}"
    )


def main() -> None:
    names = invented_names(NAMES, 3)
    print(f"{len(names)} names, {len(set(names))} different, e.g. {', '.join(names[:4])}")
    readings("人")  # the dictionary of sounds is the same for all
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    index = NameIndex(names)
    took, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kept, most = index.size_bytes / 1e6, (after - before) / 1e3
    print(f"index built in {took:.2f} s, {kept:.0f} MB kept, {most:.0f} MB at most")
    ours = indexed(index)
    everything: list[float] = []
    for kind, queries in QUERIES.items():
        times, answered = timed(ours, queries, REPEATS)
        everything += times
        row(kind, times, answered, len(queries))
    flat = [query for queries in QUERIES.values() for query in queries]
    print()
    row("index", everything, sum(ours(query) > 0 for query in flat), len(flat))
    started = time.perf_counter()
    naive = scan(names)
    print(f"scan prepared in {time.perf_counter() - started:.1f} s")
    row("scan", *timed(naive, flat, 1), len(flat))
    for tokenizer in ("trigram", "characters"):
        started = time.perf_counter()
        find, base = full_text(names, tokenizer)
        pages, size = (base.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "page_size"))
        print(f"FTS5 {tokenizer} built in {time.perf_counter() - started:.1f} s, {pages * size / 1e6:.0f} MB")
        row(f"FTS5 {tokenizer}", *timed(find, flat, 3), len(flat))
    the_box(names)


def the_box(names: Sequence[str]) -> None:
    """The whole answer as the service gives it: 200,000 houses and places, 15,000 cameras, rights, nearness."""
    pick = random.Random(5)
    board = Board("bench")
    spot = lambda: (pick.uniform(106.6, 107.2), pick.uniform(37.0, 37.5))  # noqa: E731
    for n in range(CAMERAS_LISTED):
        lon, lat = spot()
        board.cameras[f"c{n}"] = Camera(
            id=f"c{n}", name=names[n] + "枪机", lon=lon, lat=lat, gb_id=f"{34020000001320000000 + n}"
        )
    for n in range(RESPONDERS):
        name = "".join(pick.choice("王李张刘陈杨黄赵吴周徐孙马朱胡郭何林") for _ in range(3))
        board.responders[f"r{n}"] = Responder(id=f"r{n}", unit=n, name=name, kind="grid_worker")
    places = [Place(name, "", "", *spot()) for name in names if not name.endswith("号")]
    houses = [name for name in names if name.endswith("号")]
    lon, lat = np.array([spot() for _ in houses]).T
    about, nobody = About("县", "640000", "YP"), AreaIndex([])
    district = District(
        Path(),
        about,
        nobody,
        NearestByRoad(None),
        places,
        addresses=Addresses(houses, lon.copy(), lat.copy()),
    )
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    search = Search(board, district)
    ready = time.perf_counter() - started
    search.warm()
    took, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"\nthe box: made in {ready * 1e3:.0f} ms, warm after {took:.2f} s, {(after - before) / 1e3:.0f} MB at most"
    )
    for n in range(500):
        search.pick("place", str(n * 7))
    view = (106.85, 37.2, 106.95, 37.3)
    flat = [query for queries in QUERIES.values() for query in (*queries, f"{queries[0]}附近的摄像头")]

    def everything(query: str) -> int:
        return len(search.find(query, lambda kind, key: True, view=view))

    def few(query: str) -> int:
        return len(
            search.find(query, lambda kind, key: kind in {"place", "address"} or key == "c77", view=view)
        )

    def few_cameras(query: str) -> int:
        return len(search.find(query, lambda kind, key: key == "c77", view=view, types={"camera"}))

    for kind, queries in QUERIES.items():
        row(kind, *timed(everything, queries, REPEATS), len(queries))
    row("the box", *timed(everything, flat, REPEATS), len(flat))
    row("who sees one camera", *timed(few, flat, 3), len(flat))
    row("and asks for cameras", *timed(few_cameras, flat, 3), len(flat))
    for changed in (1, 200, 1_000):
        for n in range(changed):
            camera = board.cameras[f"c{n}"]
            board.cameras[f"c{n}"] = msgspec.structs.replace(
                camera, name=camera.name + pick.choice("甲乙丙丁")
            )
        rows = {f"c{n}": {} for n in range(changed)}
        search.apply(Event(0, "", "camera.updated", {"changes": {"cameras": rows}}))
        started = time.perf_counter()
        if search.untidy:
            asyncio.run(search.tidy())
        tidied = (time.perf_counter() - started) * 1e3
        everything("石台")
        took = (time.perf_counter() - started) * 1e3 - tidied
        print(f"  {changed} cameras named anew: first answer {took:.1f} ms after {tidied:.0f} ms in a thread")


if __name__ == "__main__":
    main()
