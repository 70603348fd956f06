"""What is wrong with a row of cameras or of people, as a code; and, in one place, the words of both languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple


class Words(NamedTuple):
    """How a fault is told: the issue it counts as (`gis.intake.ISSUES`), and sentences with the fault's facts."""

    issue: str
    zh: str
    en: str


WORDS: Final[Mapping[str, Words]] = {
    # Any row
    "missing": Words("missing_field", "没有填写", "nothing is entered"),
    "duplicate": Words("duplicate_code", "与第 {first} 行重复", "the same as row {first}"),
    "place": Words("out_of_range", "经纬度无效：{lon}, {lat}", "no place on the globe: {lon}, {lat}"),
    "unknown_area": Words("unknown_area", "现行区划中没有 {text}", "{text} is not in force"),
    "too_long": Words("bad_value", "最多 {most} 个字", "at most {most} characters"),
    "control_character": Words(
        "bad_value",
        "含有控制字符或改变文字方向的字符",
        "holds characters that control a terminal or turn the text around",
    ),
    "unknown_word": Words("bad_value", "{text} 不是 {known} 之一", "{text} is none of {known}"),
    "not_a_number": Words("bad_value", "不是数字：{text}", "no number: {text}"),
    "out_of_range": Words(
        "bad_value", "应在 {low} 到 {high} 之间，不是 {value}", "from {low} to {high}, not {value}"
    ),
    # Cameras
    "gb_id": Words(
        "bad_value", "国标编号是 20 位数字，不是 {text}", "a GB number has 20 digits, which {text} has not"
    ),
    "yes_or_no": Words("bad_value", "是或否，不是 {text}", "yes or no, not {text}"),
    "too_many_groups": Words("bad_value", "最多 {most} 个分组", "at most {most} groups"),
    "address": Words("bad_value", "不是可以拆开的地址", "no address that can be taken apart"),
    "source.protocol": Words("bad_value", "协议不能用", "{detail}"),
    "source.host": Words(
        "bad_value",
        "需要主机名或 IP 地址，由字母、数字、点和短横线组成，端口另填",
        "{detail}",
    ),
    "source.port": Words("bad_value", "端口是 1 到 65535", "a port is 1 to 65535"),
    "source.path": Words(
        "bad_value",
        "路径不能为空（文件）、太长、有空格或控制字符，密码要放在密码列",
        "{detail}",
    ),
    "source.username": Words("bad_value", "账号最多 64 个字，不能有控制字符", "{detail}"),
    "source.password": Words(
        "bad_value",
        "密码最多 128 个字，不能有控制字符；国标设备的密码随设备登记",
        "{detail}",
    ),
    "source.device_id": Words("bad_value", "国标设备编号是 20 位数字，只用于 gb28181", "{detail}"),
    "source.channel_id": Words("bad_value", "国标通道编号是 20 位数字", "{detail}"),
    "not_allowed.host": Words(
        "bad_value", "{host} 不在允许的网段内或无法解析（cameras.allowed_networks）", "{detail}"
    ),
    "not_allowed.protocol": Words(
        "bad_value",
        "协议 {protocol} 未获允许（cameras.allowed_protocols）",
        "the protocol {protocol} is not allowed (cameras.allowed_protocols)",
    ),
    "not_allowed.path": Words("bad_value", "文件不在摄像头文件夹内，或不存在", "{detail}"),
    # People
    "person_name": Words("bad_name", "姓名为 1 到 {most} 个字", "a name has 1 to {most} characters"),
    "person_kind": Words(
        "bad_value",
        "人员类型 {text} 不认识，应为民警、网格员、网格长、调解员、应急队员、志愿者或街长",
        "{text} is no kind of person: police, grid_worker, grid_chief, mediator, emergency_member, volunteer or "
        "street_chief",
    ),
}
"""Code → words."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with a row.

    Attributes:
        row: Its number, as the file that came counts.
        field: Which of our fields.
        code: A key of `WORDS`.
        facts: What its sentences name.
    """

    row: int
    field: str
    code: str
    facts: Mapping[str, object]

    @property
    def issue(self) -> str:
        """What it counts as."""
        return WORDS[self.code].issue

    @property
    def zh(self) -> str:
        """What is wrong, in Chinese."""
        return WORDS[self.code].zh.format_map(self.facts)

    @property
    def en(self) -> str:
        """The same in English."""
        return WORDS[self.code].en.format_map(self.facts)


class BadCell(Exception):
    """A cell that cannot be taken; whoever knows the row makes a `RowFault` of it.

    Args:
        field: Which of our fields.
        code: A key of `WORDS`.
        facts: What its sentences name.
    """

    def __init__(self, field: str, code: str, **facts: object) -> None:
        super().__init__(code)
        self.field = field
        self.code = code
        self.facts = facts

    def at(self, row: int) -> RowFault:
        """Return the fault of this row."""
        return RowFault(row, self.field, self.code, self.facts)


def shown(text: str) -> str:
    """A cell's text as a fault may repeat it: short, with nothing that acts, and no address with a user in it."""
    if "@" in text:
        return "…"
    return ascii(text[:40]) if not text[:40].isprintable() else repr(text[:40])
