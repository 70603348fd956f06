"""What a terminal calls the stages and figures of an import; the pages have their own words for the same."""

from collections.abc import Mapping
from typing import Final

STAGES: Final[Mapping[str, str]] = {
    "waiting": "等待开始",
    "unpacking": "解包",
    "reading": "读取",
    "guessing": "识别编码与坐标系",
    "checking": "检查每一行",
    "repairing": "修复图形",
    "writing": "整理结果",
    "applying": "写入",
    "done": "完成",
    "roads-car": "汽车路网",
    "roads-motorcycle": "电动车路网",
    "roads-foot": "步行路网",
    "houses": "门牌与建筑",
    "basemap": "底图",
}

COUNTS: Final[Mapping[str, str]] = {
    "rows": "文件行数",
    "taken": "写入",
    "new": "新增",
    "changed": "更新",
    "left_out": "没有导入",
    "edges_car": "汽车路段",
    "edges_motorcycle": "电动车路段",
    "edges_foot": "步行路段",
    "length_km": "道路千米",
    "addresses": "门牌",
    "buildings": "建筑",
    "error": "错误",
    "warning": "警告",
    "note": "提示",
}


def in_words(counts: Mapping[str, int]) -> str:
    """Return figures in words, in their order; one without a word under its own name.

    >>> in_words({"rows": 3, "left_out": 0})
    '文件行数 3，没有导入 0'
    """
    return "，".join(f"{COUNTS.get(name, name)} {count:,}" for name, count in counts.items())
