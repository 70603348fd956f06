"""Invented names: villages, streets, people. Every pool hands a name out once per district."""

# ruff: noqa: E501 - Han characters count twice there

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_LAND_A = (
    "石 青 白 黄 红 黑 长 大 小 东 西 南 北 上 下 前 后 龙 凤 马 牛 羊 鹿 鹤 雁 柳 松 柏 杨 枣 杏 桃 梨 槐 榆 樟 竹 枫 桑 桐 "
    "清 沙 泉 云 双 三 七 五 金 银 铁 瓦 窑 磨 碾 楼 庙 古 新 老 平 高 矮 岔 圆 月 日 麦 谷 豆 麻 茶 盐 官 塔"
).split()
_LAND_B = (
    "河 沟 湾 坪 坡 岭 坳 岩 滩 塘 泉 洼 塬 台 堡 桥 坝 井 庄 屯 铺 店 集 营 寨 墩 梁 峪 川 口 嘴 渡 埠 圩 垸 冲 畈 坞 墈 "
    "家坪 家湾 家沟 家营 家堡 家岭 树湾 树坪 树沟 水沟 水湾 石坡 山口 土梁 子沟 子湾 头岭 崖下 树下"
).split()
_BAD = {
    "黑沟",
    "白塔",
    "黄河",
    "长川",
    "大麻沟",
    "大麻",
    "小日",
    "日堡",
    "日营",
    "大日",
    "金川",
    "石河",
    "银川",
    "南川",
    "黄川",
    "高家庄",
    *"柳湾 竹沟 松岭 南坪 石坪 石塘 上营 双井 上河 下桥 东河 南河 白露 云雾 官渡 塔下 石门".split(),
}
_SURNAMES = (
    "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗 梁 宋 郑 谢 韩 唐 冯 于 董 萧 程 曹 袁 邓 许 傅 沈 曾 彭 吕 "
    "苏 卢 蒋 蔡 贾 丁 魏 薛 叶 阎 余 潘 杜 戴 夏 钟 汪 田 任 姜 范 方 石 姚 谭 廖 邹 熊 金 陆 郝 孔 白 崔 康 毛 邱 秦 江 史 "
    "顾 侯 邵 孟 龙 万 段 雷 钱 汤 尹 黎 易 常 武 乔 贺 赖 龚 文 庞 樊 兰 殷 施 陶 洪 翟 安 颜 倪 严 牛 温 芦 季 俞 章 鲁 葛 "
    "韦 申 尤 毕 聂 丛 焦 向 柳 邢 路 岳 齐 沿 梅 莫 庄 辛 管 祝 左 涂 谷 祁 时 舒 耿 牟 卜 路 詹 关 苗 凌 费 纪 靳 盛 童 欧"
).split()
_GIVEN = (
    "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 秀 霞 平 刚 桂 建 国 志 文 海 玉 春 立 群 家 小 巧 云 栋 满 珍 兰 荣 "
    "德 福 贵 新 成 永 宏 俊 峰 波 辉 斌 鹏 飞 鑫 宇 浩 凯 健 翔 雪 梅 红 燕 玲 英 慧 琴 萍 莉 婷 颖 洁 琳 晶 倩 蓉 薇 莹 瑶 "
    "晨 阳 旭 东 南 川 山 林 森 江 河 源 泉 田 禾 谷 安 宁 康 泰 和 顺 祥 瑞 喜 庆 金 银 宝 根 生 发 旺 财 正 义 仁 礼 信 忠 孝"
).split()
_STREETS = (
    "人民 解放 建设 和平 文化 文昌 学府 迎宾 新华 民主 育才 朝阳 光明 振兴 团结 工农 青年 胜利 中山 长兴 永安 富民 惠民 兴业 "
    "丰收 杏林 枫林 梧桐 银杏 海棠 桂花 丹桂 紫薇 石榴 望山 临泉 清源 云台 龙泉 凤鸣 鹤鸣 白鹭 金桥 银河 锦绣 祥和 瑞祥 "
    "康宁 平安 安居 乐业 同心 创业 科技 工业 仓南 站前 车站 体育 园林 环城 东环 西环 南环 北环 城东 城西 城南 城北 健康 "
    "文博 书坊 状元 棋盘 织锦 染坊 铁匠 豆市 菜市 米市 盐店 茶坊 牌楼 钟楼 鼓楼 城隍 文塔 武庙 观前 塔前 井台 水门 埠头 船坊"
).split()
_ALLEYS = (
    "枣园 榆钱 榆荫 柳荫 竹竿 灯笼 剪子 扁担 葫芦 石磨 油坊 酒坊 醋坊 粉坊 磨坊 当铺 药铺 书铺 马号 驴市 羊市 花市 鸽子 鱼市 "
    "井边 河沿 桥南 桥北 前营 后营 东夹道 西夹道 南牌坊 北牌坊 大院 小院 半截 九曲 三眼井 四眼井 甜水井 苦水井 老槐树 皂角树"
).split()
_HILLS = (
    "云顶 青崖 霜叶 笔架 驼背 石人 棋盘 望云 雀嘴 老虎 卧牛 凤凰 龙首 莲花 馒头 石屏 尖 大青 小青 黑松 红石 白石 鸡冠 香炉 "
    "天台 月牙 双峰 独秀 牛头 羊角 狮子 金顶 翠屏 落雁 仙人 挂榜 玉皇 药王 二郎 三台 五指 磨盘 团 长 鹿角 野猪 杏花 梨花"
).split()
_NUMBERS = "一 二 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五 十六 十七 十八 十九 二十".split()


class Names:
    """Draws names without repetition from one random stream."""

    def __init__(self, rng: np.random.Generator, taken: Iterable[str] = ()) -> None:
        self._rng = rng
        self._taken = set(taken)
        land = [a + b for a in _LAND_A for b in _LAND_B if a != b[0] and a + b not in _BAD]
        self._land: list[str] = [land[i] for i in rng.permutation(len(land))]
        self._people = self._make_people()
        self._alleys: list[str] = [_ALLEYS[i] for i in rng.permutation(len(_ALLEYS))]
        self._streets: list[str] = [
            *_STREETS[:14],
            *(_STREETS[14:][i] for i in rng.permutation(len(_STREETS) - 14)),
        ]

    def _make_people(self) -> list[str]:
        """Return many distinct names; common surnames are drawn more often, as in life."""
        n = len(_SURNAMES)
        weight = 1 / (np.arange(n) + 6.0)
        size = 40_000
        family = self._rng.choice(n, size=size, p=weight / weight.sum())
        first = self._rng.integers(0, len(_GIVEN), size)
        second = self._rng.integers(-len(_GIVEN) // 3, len(_GIVEN), size)
        made: dict[str, None] = {}
        for f, a, b in zip(family.tolist(), first.tolist(), second.tolist(), strict=True):
            if a != b:
                made[_SURNAMES[f] + _GIVEN[a] + (_GIVEN[b] if b >= 0 else "")] = None
        return list(made)[::-1]

    def unique(self, name: str) -> str:
        """Return the name, or the name with a running number where it was used before."""
        if name not in self._taken:
            self._taken.add(name)
            return name
        k = 2
        while f"{name}{k}" in self._taken:
            k += 1
        self._taken.add(f"{name}{k}")
        return f"{name}{k}"

    def place(self, suffix: str = "") -> str:
        """Return a new name of the countryside, such as 青石坳 plus ``suffix``."""
        while self._land:
            name = self._land.pop() + suffix
            if name not in self._taken:
                self._taken.add(name)
                return name
        return self.unique("新" + suffix)

    def hill(self) -> str:
        """Return a new name of a hill."""
        for _ in range(200):
            name = str(self._rng.choice(_HILLS)) + str(self._rng.choice(list("山山山岭岗梁崖")))
            if name not in self._taken:
                self._taken.add(name)
                return name
        return self.place("山")

    def person(self) -> str:
        """Return a new person's name."""
        return self._people.pop()

    def street(self, kind: str) -> str:
        """Return a new street name; ``kind`` is 路 or 街. Known bases come first, then numbered ones."""
        for i, base in enumerate(self._streets):
            if base + "路" not in self._taken and base + "街" not in self._taken:
                del self._streets[i]
                self._taken.add(base + kind)
                return base + kind
        return self._numbered(_STREETS, kind)

    def alley(self) -> str:
        """Return a new alley name, ending in 巷."""
        while self._alleys:
            name = self._alleys.pop() + "巷"
            if name not in self._taken:
                self._taken.add(name)
                return name
        return self._numbered([*_STREETS[60:], *_ALLEYS], "巷")

    def _numbered(self, bases: Iterable[str], kind: str) -> str:
        bases = list(bases)
        for number in _NUMBERS:
            for base in bases:
                if (name := str(base) + number + kind) not in self._taken:
                    self._taken.add(name)
                    return name
        return self.unique(str(bases[0]) + kind)
