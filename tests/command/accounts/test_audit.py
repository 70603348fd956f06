from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command.accounts.assembly import AccountParts
from command.accounts.audit import GENESIS, AuditLog, first_bad, link
from command.accounts.memory import MemoryAccounts
from command.accounts.records import AuditDraft, AuditEntry
from command.clock import ManualClock

drafts = st.builds(
    AuditDraft,
    at=st.just("2026-01-01T00:00:00.000Z"),
    actor=st.text(max_size=8),
    action=st.text(max_size=8),
    object=st.text(max_size=8),
    purpose=st.none() | st.text(max_size=8),
    data=st.dictionaries(
        st.text(max_size=4), st.integers() | st.text(max_size=4) | st.booleans(), max_size=3
    ),
)


def chain(some: list[AuditDraft]) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for draft in some:
        entries.append(link(draft, entries[-1] if entries else None))
    return entries


@given(st.lists(drafts, min_size=1, max_size=6), st.data())
def test_any_change_in_the_chain_is_found(some: list[AuditDraft], data: st.DataObject) -> None:
    entries = chain(some)
    assert first_bad(entries) is None
    at = data.draw(st.integers(0, len(entries) - 1))
    change = data.draw(st.sampled_from(["actor", "action", "object", "purpose", "at", "hash", "prev_hash"]))
    old = getattr(entries[at], change)
    forged = [*entries]
    forged[at] = replace(entries[at], **{change: f"{old}!"})
    bad = first_bad(forged)
    assert bad is not None
    assert bad in (at + 1, at + 2)


@given(st.lists(drafts, min_size=2, max_size=6), st.data())
def test_a_removed_or_swapped_entry_is_found(some: list[AuditDraft], data: st.DataObject) -> None:
    entries = chain(some)
    at = data.draw(st.integers(0, len(entries) - 2))
    assert first_bad(entries[:at] + entries[at + 1 :]) == at + 1
    swapped = [*entries]
    swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
    assert first_bad(swapped) == at + 1


def test_rehashing_a_forged_entry_breaks_the_next() -> None:
    entries = chain([AuditDraft("t", "a", "x"), AuditDraft("t", "b", "y"), AuditDraft("t", "c", "z")])
    forged = link(AuditDraft("t", "b", "nothing"), entries[0])
    assert first_bad([entries[0], forged, entries[2]]) == 3


async def test_verify_reads_several_pages_and_names_the_first_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    import command.accounts.audit as audit_module

    monkeypatch.setattr(audit_module, "_PAGE", 3)
    repository = MemoryAccounts()
    log = AuditLog(repository, ManualClock())
    assert (await log.verify()).ok
    assert await log.head() == GENESIS
    for n in range(8):
        await log.record("u-1", "contact.unmasked", f"incident:{n}", purpose="回访")
    verdict = await log.verify()
    assert (verdict.ok, verdict.checked, verdict.head) == (True, 8, await log.head())
    repository._audit[5] = replace(repository._audit[5], actor="somebody else")
    verdict = await log.verify()
    assert (verdict.ok, verdict.first_bad_seq) == (False, 6)


async def test_a_cut_off_end_is_found_by_a_head_kept_elsewhere() -> None:
    repository = MemoryAccounts()
    log = AuditLog(repository, ManualClock())
    for _ in range(3):
        await log.record("u-1", "x")
    shipped = await log.head()
    await log.record("u-1", "y")
    assert (await log.verify(shipped)).ok
    del repository._audit[2:]
    assert (await log.verify()).ok
    verdict = await log.verify(shipped)
    assert (verdict.ok, verdict.first_bad_seq) == (False, 3)


async def test_reading_a_page_of_the_record(parts: AccountParts) -> None:
    await parts.audit.record("u-1", "a")
    await parts.audit.record("u-1", "b", data={"k": 1})
    newest, *_ = await parts.audit.recent()
    assert (newest.action, newest.data) == ("b", {"k": 1})
    assert [one.action for one in await parts.audit.recent(before=newest.seq)] == ["a"]


async def test_facts_that_are_no_json_are_refused_before_anything_is_written(parts: AccountParts) -> None:
    with pytest.raises(TypeError):
        await parts.audit.record("u-1", "a", data={"k": object()})
    assert list(await parts.audit.recent()) == []
