"""`fengsui contacts`: the encrypted list of people of a run. Prints ids, never names or numbers."""

import sys
from functools import partial
from pathlib import Path

import click

from config.language import Text, en, text_of, zh
from config.records.district import District
from dispatch.people.contact_store import ContactStore
from dispatch.people.erase import erase, word_of
from fengsui.cli.options import BEFORE_START, RUN, Shared
from fengsui.files.retention import held_people
from fengsui.inquiry.pack import people_of
from fengsui.run.contact_csv import read_list, take, write_list, write_rejects
from fengsui.run.recipients import doubts, place
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from stream.environment import Usage, spoken
from stream.log.port import Log
from stream.wall_clock import now_ms


def _open(obj: Shared, run_name: str) -> tuple[ContactStore, District]:
    return _of(obj.existing(run_name))


def _of(setup: Setup) -> tuple[ContactStore, District]:
    try:
        return ContactStore(place(setup)), setup.district
    except ValueError as e:
        raise Usage(text_of(e)) from e


@click.group()
def contacts() -> None:
    """联系人库：加密的姓名和号码；import, export, list, erase, rotate-key。

    Names and numbers, encrypted: import, export, list, erase, rotate-key.
    """


@contacts.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help=spoken(Text("只检查，不导入", "only look")))
@RUN
@BEFORE_START
@click.pass_obj
def import_(obj: Shared, file: Path, dry_run: bool, run_name: str, before_start: bool) -> None:
    """导入 FILE.csv 里正确的行；有误的逐行指出，存入 FILE.rejects.csv。
    代号已有的行替换原来的人。有误行时退出码为 1。

    Take in the good rows of FILE.csv; bad ones are named and kept in FILE.rejects.csv. A row whose id is
    known replaces that person's. Exit code 1 if any row was bad.
    """
    store, district = _of(obj.beforehand(run_name, before_start=before_start))
    with store:
        listed = read_list(file, district, store.erased())
        for problem in (p for r in listed.rejects for p in r.problems):
            echo(problem, err=True)
        rejects = file.with_name(file.stem + ".rejects.csv")
        if not dry_run:
            if listed.rejects:  # before the good ones: nothing is lost if this stops half way
                write_rejects(listed, rejects)
            take(store, listed.contacts, None)
        count, bad = len(listed.contacts), len(listed.rejects)
        held = _held(store)
        verb = Text("可导入", "would be taken") if dry_run else Text("已导入", "taken")
        echo(
            Text(
                f"{file}: {count} 行{zh(verb)}，{bad} 行有误；库中 {zh(held)}",
                f"{file}: {count} rows {en(verb)}, {bad} rows are bad; in the store {en(held)}",
            )
        )
        if bad and not dry_run:
            echo(Text(f"改正后再导入：{rejects}", f"mend and import: {rejects}"), err=True)
        if not dry_run:
            for text in doubts(district, store.load()):
                echo("! " + text_of(text), err=True)
            echo(
                Text(
                    "运行中的 address 重启后才读它",
                    "a running `address` reads it at its next start",
                )
            )
    sys.exit(1 if bad else 0)


def _held(store: ContactStore) -> int:
    return len(store.ids())


@contacts.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@RUN
@click.pass_obj
def export_(obj: Shared, file: Path, run_name: str) -> None:
    """导出：姓名和号码明文写入新的 FILE.csv（0600）；像护住这些人一样保管。

    Names and numbers in plain into a new FILE.csv (0600): keep it as you keep the people.
    """
    store, _ = _open(obj, run_name)
    with store:
        try:
            whole = [c for c in map(store.whole, store.ids()) if c is not None]
            write_list(whole, file)
        except FileExistsError:
            raise Usage(
                Text(f"{file}: 已存在，另选文件名", f"{file}: exists; choose another name")
            ) from None
        except (OSError, ValueError) as e:
            raise Usage(text_of(e)) from e
    echo(Text(f"{file}: {len(whole)} 人，明文", f"{file}: {len(whole)} people, in plain"))


@contacts.command("list")
@RUN
@click.pass_obj
def list_(obj: Shared, run_name: str) -> None:
    """列出代号及类别、预警区、渠道和选择。

    Ids with category, areas, channels and choices.
    """
    store, _ = _open(obj, run_name)
    with store:
        for c in store.load().values():
            chosen = (";".join(c.hazards), c.quiet)
            echo(
                f"{c.id} {c.kind} {';'.join(c.areas)} {c.lang} {';'.join(c.channels)} "
                f"{c.min_level.name.lower()} {' '.join(filter(None, chosen))}".rstrip()
            )


def _people(setup: Setup, log: Log, incident: str) -> list[str]:
    """Who stands in the records of a locked incident; nobody where this run has none such."""
    try:
        return people_of(setup, log, incident)
    except Usage:
        return []


@contacts.command("erase")
@click.argument("ids", nargs=-1, required=True)
@RUN
@click.pass_obj
def erase_(obj: Shared, ids: tuple[str, ...], run_name: str) -> None:
    """删除：覆写这些人的行和密钥；日志里只留代号。

    Overwrite these people's rows and keys; only the opaque id stays, in the log.
    """
    setup = obj.existing(run_name)
    district = setup.district
    log = open_run_log(setup)
    try:
        held = held_people(setup, log, ids, now_ms(), partial(_people, setup, log))
        gone = erase(place(setup), [i for i in ids if i not in held], now_ms())
        with ContactStore(place(setup)) as store:
            told = [i for i in ids if i in store.erased()]  # once more where a crash kept it from the log
        if told:
            log.append([word_of(place(setup), i, setup.district.id, now_ms()) for i in told])
    except ValueError as e:
        raise Usage(text_of(e)) from e
    finally:
        log.close()
    for name, why in held.items():
        echo(f"! {name}: " + Text("没有删除：", "not erased: ") + why, err=True)
    for name in ids:
        if name in held:
            continue
        said = Text("已删除", "erased") if name in gone else Text("不在库中", "not in the store")
        echo(f"{name}: " + said)
    # of who is held nothing is to be taken away
    plain = [i for i in ids if i in district.contacts and i not in held]
    if plain:
        echo(
            Text(
                f"! {district.folder / 'contacts.csv'} 里还有 {', '.join(plain)}：请删去这些行",
                f"! {district.folder / 'contacts.csv'} still holds {', '.join(plain)}: remove "
                "the rows",
            ),
            err=True,
        )
    sys.exit(0 if len(gone) == len(ids) else 1)


@contacts.command("rotate-key")
@RUN
@click.pass_obj
def rotate_key(obj: Shared, run_name: str) -> None:
    """换主密钥：旧密钥下的副本不再能读。

    A new master key; copies of the keys under the old one can no longer be read.
    """
    store, _ = _open(obj, run_name)
    with store:
        try:
            count = store.rotate()
        except (OSError, ValueError) as e:
            raise Usage(text_of(e)) from e
    echo(Text(f"新主密钥，{count} 行已换", f"a new master key, {count} rows sealed anew"))
