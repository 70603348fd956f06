"""The layers there are. Names of fields are a contract: programs and imports rely on them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from command.layers.model import Cell, Field, FieldKind, Layer, Span

READERS: Final = ("view.map",)
KEEPERS: Final = ("view.map", "areas.manage")


@dataclass(frozen=True, slots=True)
class Seen:
    """A responder as the asker sees it: `fix_age_s` and `suspect` only where the position may be known."""

    person: Any
    fix_age_s: float | None = None
    suspect: bool | None = None


def _field(
    name: str,
    title: str,
    kind: FieldKind = "text",
    *,
    get: Callable[[Any], Cell] | None = None,
    filters: bool = False,
) -> Field:
    return Field(name, kind, title, get or attrgetter(name), filters)


def _of_person(
    name: str,
    title: str,
    kind: FieldKind = "text",
    *,
    filters: bool = False,
) -> Field:
    return Field(name, kind, title, attrgetter(f"person.{name}"), filters)


def _day(name: str) -> Callable[[Any], Cell]:
    def get(thing: Any) -> Cell:
        day = getattr(thing, name)
        return None if day is None else str(day.isoformat())

    return get


def _areas(id: str, title: str, title_en: str, about: str) -> Layer:
    return Layer(
        id=id,
        title=title,
        title_en=title_en,
        about=about,
        shape="MultiPolygon",
        permissions=KEEPERS,
        fields=(
            _field("code", "编码", filters=True),
            _field("name", "名称", filters=True),
            _field("tier", "层级", "integer", filters=True),
            _field("parent", "上级编码", filters=True),
            _field("label", "层级名称"),
            _field("chief", "网格长"),
            _field("workers", "网格员", "list"),
            _field("beat", "警格", filters=True),
            _field("households", "户数", "integer"),
            _field("kind", "网格类别", filters=True),
            _field("posts", "岗位数", "integer"),
            _field("valid_from", "有效期起", "day", get=_day("valid_from")),
            _field("valid_to", "有效期止", "day", get=_day("valid_to")),
        ),
    )


AREAS: Final = _areas("areas", "区划与网格", "Areas", "Divisions and grids of all tiers as they hold today.")
TIERS: Final[Mapping[int, Layer]] = {
    1: _areas("county", "区县", "County", "The district as a whole."),
    2: _areas("township", "乡镇街道", "Townships", "Townships and subdistricts."),
    3: _areas("village", "村和社区", "Villages", "Villages and communities."),
    4: _areas("grid", "网格", "Grids", "Grids, the smallest areas that somebody looks after."),
}
BEATS: Final = Layer(
    id="beats",
    title="警格",
    title_en="Police beats",
    about="Police beats, which lie over the grids.",
    shape="MultiPolygon",
    permissions=KEEPERS,
    fields=(
        _field("code", "编码", filters=True),
        _field("name", "名称", filters=True),
        _field("station", "派出所", filters=True),
        _field("grids", "网格", "list"),
    ),
)
PLACES: Final = Layer(
    id="places",
    title="地点",
    title_en="Places",
    about="Named places: schools, hospitals, hazards.",
    shape="Point",
    permissions=KEEPERS,
    fields=(
        _field("name", "名称", filters=True),
        _field("kind", "类别", filters=True),
        _field("address", "地址"),
    ),
)
CHECKPOINTS: Final = Layer(
    id="checkpoints",
    title="卡口",
    title_en="Checkpoints",
    about="Checkpoints on the roads into the district.",
    shape="Point",
    permissions=KEEPERS,
    fields=(
        _field("code", "编码", filters=True),
        _field("name", "名称", filters=True),
        _field("level", "等级", filters=True),
        _field("ring", "圈层", filters=True),
        _field("station", "派出所", filters=True),
        _field("staffed", "有人值守", "flag", filters=True),
        _field("cameras", "摄像头", "list"),
    ),
)
CAMERAS: Final = Layer(
    id="cameras",
    title="摄像头",
    title_en="Cameras",
    about="Cameras of the registry, where they look and how they are.",
    shape="Point",
    permissions=("camera.view", "camera.manage"),
    fields=(
        _field("id", "编号"),
        _field("name", "名称", filters=True),
        _field("gb_id", "国标编码", filters=True),
        _field("network", "所属网络", filters=True),
        _field("site_type", "点位类型", filters=True),
        _field("azimuth", "方位角（度）", "number"),
        _field("fov", "视场角（度）", "number"),
        _field("height_m", "高度（米）", "number"),
        _field("tilt", "俯仰角（度）", "number"),
        _field("range_m", "可视距离（米）", "number"),
        _field("ptz", "云台", "flag", filters=True),
        _field("grid", "网格", filters=True),
        _field("area", "区划", filters=True),
        _field("station", "派出所", filters=True),
        _field("tour_groups", "轮巡分组", "list"),
        _field("enabled", "启用", "flag", filters=True),
        _field("status", "状态", get=lambda camera: str(camera.status), filters=True),
        _field("fault", "故障", filters=True),
        _field("fault_since", "故障起始", "moment"),
    ),
)
INCIDENTS: Final = Layer(
    id="incidents",
    title="事件",
    title_en="Incidents",
    about="Incidents, live and past, at the moment they were reported.",
    shape="Point",
    permissions=READERS,
    fields=(
        _field("id", "编号"),
        _field("code", "事件编号", filters=True),
        _field("title", "标题"),
        _field("category", "类别", filters=True),
        _field("level", "等级", filters=True),
        _field("state", "状态", filters=True),
        _field("source", "来源"),
        _field("address", "地址"),
        _field("grid", "网格", filters=True),
        _field("village", "村社"),
        _field("township", "乡镇"),
        _field("beat", "警格"),
        _field("owner", "网格责任人"),
        _field("lead_department", "责任部门"),
        _field("reported_at", "报告时间", "moment"),
        _field("accepted_at", "受理时间", "moment"),
        _field("dispatched_at", "派遣时间", "moment"),
        _field("signed_at", "签收时间", "moment"),
        _field("arrived_at", "到场时间", "moment"),
        _field("handled_at", "处置时间", "moment"),
        _field("closed_at", "办结时间", "moment"),
        _field("rework", "返工次数", "integer"),
        _field("supervision", "督办"),
        _field("score", "评价", "integer"),
        _field("disposition", "办结意见"),
        _field("exercise", "演练", "flag"),
    ),
    span=lambda incident: (incident.reported_at, incident.reported_at),
)
RESPONDERS: Final = Layer(
    id="responders",
    title="处置力量",
    title_en="Responders",
    about="Police, grid workers and others; with a position only on duty, and for those who may know it.",
    shape="Point",
    permissions=("responders.view", "responders.manage"),
    fields=(
        _of_person("id", "编号"),
        _of_person("name", "姓名", filters=True),
        _of_person("kind", "类别", filters=True),
        _of_person("employment", "专兼职", filters=True),
        _of_person("station", "单位", filters=True),
        _of_person("grids", "网格", "list"),
        _of_person("beat", "警格", filters=True),
        _of_person("area", "区划", filters=True),
        _of_person("skills", "技能", "list"),
        _of_person("profile", "出行方式"),
        _of_person("on_duty", "在岗", "flag", filters=True),
        _of_person("busy", "处置中", "flag", filters=True),
        _of_person("shift_since", "上岗时间", "moment"),
        _of_person("shift_until", "预计下岗", "moment"),
        _field("fix_age_s", "位置时延（秒）", "number"),
        _field("suspect", "位置存疑", "flag"),
    ),
)


def _closed(closure: Any) -> Span:
    return closure.starts_at, closure.ended_at or closure.ends_at


CLOSURES: Final = Layer(
    id="closures",
    title="道路封控",
    title_en="Road closures",
    about="Roads closed now, planned to be, or opened again within the last day.",
    shape="Any",
    permissions=READERS,
    fields=(
        _field("id", "编号"),
        _field("reason", "原因"),
        _field("state", "状态", filters=True),
        _field("kind", "图形", filters=True),
        _field("direction", "方向"),
        _field("profiles", "受限方式", "list"),
        _field("starts_at", "开始", "moment"),
        _field("ends_at", "结束", "moment"),
        _field("ended_at", "解除", "moment"),
        _field("place", "地点"),
        _field("roads", "道路", "list"),
        _field("length_m", "长度（米）", "number"),
    ),
    span=_closed,
)
SHARED: Final[Mapping[str, Layer]] = {
    layer.id: layer
    for layer in (*TIERS.values(), BEATS, PLACES, CHECKPOINTS, CAMERAS, INCIDENTS, RESPONDERS, CLOSURES)
}
"""What map programs are offered, each tier of areas apart."""
EXPORTED: Final[Mapping[str, Layer]] = {
    layer.id: layer for layer in (AREAS, BEATS, PLACES, CHECKPOINTS, CAMERAS, INCIDENTS, RESPONDERS)
}
"""What is exported, all tiers of areas together, so that an import takes them back."""


def cells(layer: Layer, things: Iterable[Any]) -> list[tuple[Cell, ...]]:
    """Return the facts of things, a row each."""
    gets = [field.get for field in layer.fields]
    return [tuple(get(thing) for get in gets) for thing in things]
