"""Which fields each kind of file has, and by which names people call them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from gis.apart.messages import refuse
from gis.intake.rows import as_text
from gis.tables import SYNONYMS

Synonyms = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class KindSpec:
    """What a kind of file holds.

    Attributes:
        fields: Canonical field → other names, the required fields first.
        required: Fields without which no row can be taken.
        shape: "polygon"; "point": every row needs a place, if need be one on its shape; "spot": every row needs a
            point; "maybe": a place if there is one; "any": shapes say which grids are meant; "": no places at all.
        result: Name of the result file.
        hidden: Fields whose values are shown to nobody.
    """

    fields: Synonyms
    required: tuple[str, ...]
    shape: str
    result: str
    hidden: frozenset[str] = frozenset()


def _of(*names: str, **more: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {**{name: SYNONYMS.get(name, ()) for name in names}, **more}


_POSITION: Final = {
    "lon": (
        *SYNONYMS["lon"],
        "东经",
        "经度坐标",
        "gps经度",
        "点位经度",
        "地图经度",
        "wgs84经度",
        "x坐标",
        "横坐标",
        "jd",
        "coordx",
        "xcoord",
        "pointx",
    ),
    "lat": (
        *SYNONYMS["lat"],
        "北纬",
        "纬度坐标",
        "gps纬度",
        "点位纬度",
        "地图纬度",
        "wgs84纬度",
        "y坐标",
        "纵坐标",
        "wd",
        "coordy",
        "ycoord",
        "pointy",
    ),
    "lonlat": ("经纬度", "坐标", "位置坐标", "地理坐标", "lnglat", "latlng", "location", "coordinates"),
    "wkt": ("geometry", "geom", "shape", "几何", "图形", "空间数据", "thegeom", "wkb"),
}
"""Where a table keeps places: two columns, one with both, or shapes as text."""
_GRIDS: Final = (
    "网格",
    "所辖网格",
    "负责网格",
    "所属网格",
    "网格编码",
    "网格编号",
    "包含网格",
    "基础网格",
    "grid",
    "gridcode",
)
_CODES: Final = (
    "xzqdm",
    "qhdm",
    "zldwdm",
    "xzdm",
    "bm",
    "dm",
    "gridcode",
    "regioncode",
    "areacode",
    "社区编码",
    "村编码",
    "单位编码",
    "统计用区划代码",
)
_NAMES: Final = (
    "xzqmc",
    "qhmc",
    "zldwmc",
    "mc",
    "xzqhmc",
    "gridname",
    "areaname",
    "社区名称",
    "村名",
    "村名称",
    "乡镇名称",
    "单位名称",
    "title",
)

CAMERA_FIELDS: Final[Synonyms] = {
    "name": (
        "名称",
        "摄像头名称",
        "摄像机名称",
        "设备名称",
        "点位名称",
        "监控点名称",
        "通道名称",
        "点位",
        "camera",
        "title",
    ),
    "gb_id": (
        "国标编码",
        "国标编号",
        "国标id",
        "国标码",
        "设备编码",
        "设备国标编号",
        "gbid",
        "gb28181",
        "gbcode",
    ),
    "lon": _POSITION["lon"],
    "lat": _POSITION["lat"],
    "network": ("网络", "所属网络", "网络类别", "网络类型", "建设类型", "来源"),
    "site_type": ("点位类型", "场所类型", "场所", "监控类型", "位置类型", "sitetype"),
    "azimuth": ("方位角", "朝向", "监视方位", "heading", "bearing", "direction"),
    "fov": ("视场角", "视角", "水平视角", "fieldofview"),
    "height_m": ("高度", "安装高度", "架设高度", "height"),
    "tilt": ("俯仰角", "倾角", "俯角", "pitch"),
    "range_m": ("可视距离", "监控距离", "有效距离", "range"),
    "ptz": ("云台", "是否云台", "球机", "是否球机", "可控", "云台控制"),
    "grid": ("网格", "所属网格", "网格编码", "网格编号", "grids"),
    "area": ("区划", "行政区划", "所属区划", "行政区划代码", "区域", "civilcode"),
    "station": ("派出所", "所属派出所", "管理单位", "所属单位", "policestation"),
    "tour_groups": ("轮巡分组", "轮巡组", "分组", "tourgroup", "group", "groups"),
    "protocol": ("协议", "接入协议", "接入方式"),
    "host": ("ip", "ip地址", "主机", "设备ip", "设备地址", "网络地址", "ipaddress"),
    "port": ("端口", "端口号", "rtsp端口"),
    "path": ("路径", "流路径", "流地址", "码流", "码流地址", "streampath"),
    "username": ("用户名", "账号", "登录名", "用户", "user"),
    "password": ("密码", "口令", "登录密码", "pwd"),
    "transport": ("传输方式", "传输"),
    "device_id": ("国标设备编号", "所属设备编号", "平台编号", "父设备编号", "nvr编号", "deviceid"),
    "channel_id": ("通道编号", "通道国标编号", "通道id", "channelid"),
    "lonlat": _POSITION["lonlat"],
    "wkt": _POSITION["wkt"],
}
ADDRESSES: Final = ("地址", "address", "addr")
"""Headers under which some write where a camera stands and others its network address: the cells tell."""

SPECS: Final[Mapping[str, KindSpec]] = {
    "areas": KindSpec(
        {
            "code": (*SYNONYMS["code"], *_CODES),
            "name": (*SYNONYMS["name"], *_NAMES),
            "tier": SYNONYMS["tier"],
            "parent": (
                *SYNONYMS["parent"],
                "上级区划",
                "上级名称",
                "所属社区",
                "所属村",
                "所属乡镇",
                "所属街道",
            ),
            **_of("label", "chief", "workers", "beat", "households"),
            "kind": ("网格类别", "网格类型"),
            **_of("posts", "valid_from", "valid_to"),
            **_POSITION,
        },
        ("code", "name"),
        "polygon",
        "result.gpkg",
    ),
    "beats": KindSpec(
        {
            "code": ("警格编号", "警格编码", "警区编号", "警务区编号", *SYNONYMS["code"], *_CODES),
            "name": ("警格名称", "警区名称", "警务区名称", "警务区", *SYNONYMS["name"], *_NAMES),
            **_of("station"),
            "grids": _GRIDS,
            **_POSITION,
        },
        ("code", "name"),
        "polygon",
        "result.geojson",
    ),
    "rules": KindSpec(
        {
            "category": ("事件类别", "事项类别", "案件类别", "类别"),
            "department": ("责任部门", "主责部门", "牵头部门", "部门", "单位"),
            "grids": _GRIDS,
            "division": ("区划", "区划编码", "适用区划", "适用区域", "范围"),
            "sla": ("时限", "处置时限"),
            "priority": ("优先级", "顺序"),
        },
        ("department",),
        "",
        "result.csv",
    ),
    "departments": KindSpec(
        {
            "department": ("责任部门", "主责部门", "部门名称", "部门", "单位", "单位名称"),
            "code": ("部门网格编码", "处置网格编码", *SYNONYMS["code"]),
            "name": ("部门网格名称", "处置网格名称", "名称", "网格名称"),
            "grids": ("基础网格", "所辖网格", "包含网格", "网格", "网格编码", "grid"),
            **_POSITION,
        },
        ("department", "code"),
        "any",
        "result.csv",
    ),
    "cameras": KindSpec(
        CAMERA_FIELDS,
        ("name",),
        "spot",
        "result.csv",
        frozenset({"host", "path", "username", "password"}),
    ),
    "responders": KindSpec(
        {
            "name": ("姓名", "名称", "人员姓名", "网格员姓名"),
            "kind": SYNONYMS["kind"],
            "phone": SYNONYMS["phone"],
            "grids": _GRIDS,
            "beat": SYNONYMS["beat"],
            "station": (*SYNONYMS["station"], "部门", "单位", "所属单位", "department"),
            "area": ("区划", "所属区划", "行政区划"),
            "skills": ("技能", "专长", "特长"),
            "employment": ("用工", "专兼职", "编制"),
            "profile": ("出行方式", "交通工具"),
            "device_id": SYNONYMS["device_id"],
            **_POSITION,
        },
        ("name",),
        "maybe",
        "result.csv",
    ),
    "checkpoints": KindSpec(
        {
            "name": ("卡口名称", "卡点名称", "检查站名称", *SYNONYMS["name"]),
            "code": ("卡口编号", "卡口编码", *SYNONYMS["code"]),
            "level": ("卡口等级", "等级", "级别", "类别"),
            "ring": ("圈层", "环", "所属圈层"),
            "station": SYNONYMS["station"],
            "address": SYNONYMS["address"],
            "staffed": ("值守", "是否值守", "值守人数"),
            "cameras": ("摄像头", "摄像机", "关联摄像头"),
            **_POSITION,
        },
        ("name",),
        "point",
        "result.csv",
    ),
    "places": KindSpec(
        {
            "name": ("场所名称", "地点名称", "隐患名称", *SYNONYMS["name"], *_NAMES),
            "kind": ("场所类型", "类型", "类别", "隐患类型", *SYNONYMS["kind"]),
            "address": SYNONYMS["address"],
            "code": SYNONYMS["code"],
            "level": ("等级", "级别", "风险等级", "隐患等级"),
            "phone": SYNONYMS["phone"],
            **_POSITION,
        },
        ("name",),
        "point",
        "result.csv",
    ),
}
PLACED_BY: Final = ("lon", "lat", "lonlat", "wkt")


def key(name: str) -> str:
    """A header without what people vary: case, spaces, dashes, units in brackets.

    >>> key("经度 (°)"), key("Grid_Code*")
    ('经度', 'gridcode')
    """
    return re.sub(r"[\s_\-*:：]+|[(（\[【].*$", "", name.strip().lower())


def guess(columns: Iterable[str], spec: KindSpec, chosen: Mapping[str, str] | None = None) -> dict[str, str]:
    """Guess which column means which field.

    Args:
        columns: As the file names them.
        spec: Of the kind.
        chosen: What a person decided, column → field or "".

    Returns:
        Every column → field, "" for those that mean none; a field is given away once, to the better name.

    >>> guess(["网格编码", "网格名称", "备注"], SPECS["areas"])
    {'网格编码': 'code', '网格名称': 'name', '备注': ''}
    """
    names = list(columns)
    meant = {name: field for name, field in (chosen or {}).items() if name in names}
    if strange := set(meant.values()) - {"", *spec.fields}:
        field = min(strange)
        raise refuse("bad_mapping", f"没有字段 {field}", f"there is no field {field!r}", "mapping")
    taken = {field for field in meant.values() if field}
    exact = {key(field): field for field in spec.fields}
    others: dict[str, tuple[int, str]] = {}
    for field, synonyms in spec.fields.items():
        for rank, other in enumerate(synonyms):
            others.setdefault(key(other), (rank, field))
    for name in names:
        found = exact.get(key(name))
        if name not in meant and found is not None and found not in taken:
            meant[name] = found
            taken.add(found)
    ranked = sorted((others[key(name)], name) for name in names if name not in meant and key(name) in others)
    for (_, field), name in ranked:
        if field not in taken:
            meant[name] = field
            taken.add(field)
    for name in names:
        if name not in meant:
            meant[name] = _cut_name(name, spec, taken)
            taken |= {meant[name]} - {""}
    return {name: meant[name] for name in names}


def _cut_name(name: str, spec: KindSpec, taken: set[str]) -> str:
    """The field of a header that a shapefile cut to ten bytes."""
    short = key(name)
    if not (9 <= len(name.encode()) <= 10 or len(name.encode("gb18030")) == 10):
        return ""
    for field, synonyms in spec.fields.items():
        if field not in taken and any(key(other).startswith(short) for other in (field, *synonyms)):
            return field
    return ""


def guess_by_values(
    columns: Mapping[str, pa.Array], mapping: dict[str, str], kind: str, *, chosen: Mapping[str, str]
) -> None:
    """Fill what the headers did not say: a column of long numbers is the codes, one of Chinese words the names.

    Args:
        columns: As read.
        mapping: Column → field, changed in place.
        kind: Of the file.
        chosen: Columns a person decided about; left alone.
    """
    open_ = [name for name, field in mapping.items() if not field and name not in chosen]
    if kind == "cameras" and "host" not in mapping.values():
        for name in open_:
            # All of them: one street among a thousand addresses, and it is a column of streets.
            if key(name) in ADDRESSES and _all(columns[name], _NETWORK_ADDRESS, look=None):
                mapping[name] = "host"
                return
    if kind not in ("areas", "beats", "places"):
        return
    if "code" not in mapping.values() and kind != "places":
        for name in open_:
            values = _told(columns[name])
            if len(values) > 1 and len(set(values)) == len(values) and _all(columns[name], _CODE):
                mapping[name] = "code"
                open_.remove(name)
                break
    if "name" not in mapping.values():
        best = [name for name in open_ if _all(columns[name], _WORDS)]
        if len(best) == 1:
            mapping[best[0]] = "name"


_NETWORK_ADDRESS: Final = re.compile(r"[!-~]{2,}")
_CODE: Final = re.compile(r"[0-9]{6,20}|[A-Za-z]{1,4}[0-9]{2,12}")
_WORDS: Final = re.compile(r".*[一-鿿].*")
_LOOK: Final = 500


def _told(column: pa.Array, look: int | None = _LOOK) -> list[str]:
    return [text for text in as_text(column[:look]).tolist() if text]


def _all(column: pa.Array, pattern: re.Pattern[str], look: int | None = _LOOK) -> bool:
    values = _told(column, look)
    return bool(values) and all(pattern.fullmatch(text) for text in values)
