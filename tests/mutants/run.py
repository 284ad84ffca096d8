#!/usr/bin/env python3
"""Mutation testing of the programs, on bytecode.

cargo-mutants says what could be changed; `listing.py` adds the guards, which it does not look
into. All mutants are compiled into one bytecode, each behind a switch (`schemata.py`), and one
after the other is switched on by four bytes and put before the tests of the programs, which take
their bytecode from where MOTIF_BYTECODE says, and before the unit tests beside the code. The few that cannot stand beside the original are compiled by themselves.

usage: run.py [--shard K/N] [--again OUTPUT] [--work FOLDER] [FILE...]

FILEs are sources below programs/; without any, those that move money. Needs `cargo install
cargo-mutants --locked` and toolchain/install.sh. One line of JSON a mutant on standard output,
the last line the sums; exit code 1 when fewer than 90 % were caught.
"""

import argparse
import json
import pathlib
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # no folders beside the sources

from bytecode import PROGRAMS, Copy, DoesNotCompile, compile_together
from listing import list_mutants
from trial import Trial, first_failure

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOAL = 0.90
# Sources of splits, settlement, claims and vouchers.
MONEY = [
    "programs/licensing/src/bps.rs",
    "programs/payments/src/proof.rs",
    "programs/payments/src/statement.rs",
    "programs/payments/src/voucher.rs",
    "programs/payments/src/mmr.rs",
    "programs/payments/src/state/channel.rs",
    "programs/payments/src/state/earnings.rs",
    "programs/payments/src/state/license.rs",
    "programs/payments/src/instructions/apply_split.rs",
    "programs/payments/src/instructions/claim.rs",
    "programs/payments/src/instructions/collect.rs",
    "programs/payments/src/instructions/pull.rs",
    "programs/payments/src/instructions/settle.rs",
    "programs/payments/src/instructions/settle_cosigned.rs",
    "programs/payments/src/instructions/settle_buffered.rs",
]
# Modules of the test executables. Quick ones first, which catch most mutants.
TESTS = [
    "programs payments", "programs attacks", "programs licensing", "programs states",
    "end_to_end journeys", "model fuzz", "model histories", "programs matrix",
]
# These depend on compute units, which the switches change.
LEFT_OUT = [
    "programs matrix::costs::costs_stay_as_recorded",
    "programs matrix::costs::every_instruction_fits_a_transaction",
]


def main():
    """Runs the requested mutants; returns the exit code."""
    asked = arguments()
    listed = list_mutants(ROOT, asked.files)
    chosen = select(listed, asked)
    folder = asked.work or pathlib.Path(tempfile.mkdtemp(prefix="mutants-"))
    folder.mkdir(parents=True, exist_ok=True)
    ended = []
    try:
        began = time.monotonic()
        for mutant, how, by, compiled in results(chosen, Copy(ROOT, folder)):
            seconds = round(time.monotonic() - began, 1)
            line = {"mutant": mutant.name, "ended": how, "by": by, "compiled": compiled, "seconds": seconds}
            print(json.dumps(line), flush=True)
            ended.append(how)
            began = time.monotonic()
    finally:
        if not asked.work:
            shutil.rmtree(folder)
    counts = {end: ended.count(end) for end in ("caught", "missed", "unviable")}
    viable = counts["caught"] + counts["missed"]
    share = counts["caught"] / viable if viable else 1.0
    print(json.dumps({"listed": len(listed), "tried": len(chosen), **counts, "caught_share": round(share, 4), "goal": GOAL}))
    return 0 if share >= GOAL else 1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shard", default="0/1", help="which part of how many")
    parser.add_argument("--again", type=pathlib.Path, help="only what this earlier output says was missed")
    parser.add_argument("--work", type=pathlib.Path, help="folder to compile in, kept afterwards")
    parser.add_argument("files", nargs="*", default=MONEY)
    return parser.parse_args()


def select(listed, asked):
    part, parts = map(int, asked.shard.split("/"))
    chosen = listed[part::parts]
    if asked.again:
        lines = map(json.loads, asked.again.read_text().splitlines())
        missed = {line["mutant"] for line in lines if line.get("ended") == "missed"}
        chosen = [mutant for mutant in chosen if mutant.name in missed]
    return chosen


def results(chosen, copy):
    """Yields each mutant with its result, the test that caught it, and how it was compiled."""
    beside = [mutant for mutant in chosen if not mutant.alone]
    together, bytecode = compile_together(copy, beside, copy.compile)
    natively, unit_tests = compile_together(copy, together, copy.compile_unit_tests)
    trial = Trial(ROOT, TESTS, LEFT_OUT)
    check_baseline(copy, bytecode, unit_tests, trial)
    for mutant in together:
        copy.put(bytecode, mutant.number)
        beside_it = unit_tests if mutant in natively else []
        yield mutant, *judged(mutant, copy, trial, beside_it), "together"
    for mutant in chosen:
        if mutant in together:
            continue
        if mutant.replaces_body and not mutant.alone:
            # By itself it would be the same value of the same type.
            yield mutant, "unviable", "compiler", "together"
        else:
            copy.put(bytecode, 0)
            yield mutant, *by_itself(mutant, copy, trial), "by itself"


def judged(mutant, copy, trial, unit_tests):
    """Returns the result of an active mutant and the test that caught it; slow tests run last."""
    environment = {"MOTIF_BYTECODE": str(copy.bytecode)}
    by = (
        trial.likely(mutant.file, environment)
        or caught_by_unit_tests(unit_tests, {"MOTIF_MUTANT": str(mutant.number)})
        or trial.all(mutant.file, environment)
    )
    return "missed" if by is None else "caught", by


def check_baseline(copy, bytecode, unit_tests, trial):
    """Checks that every test passes without an active mutant."""
    copy.put(bytecode, 0)
    failing = trial.all_failures({"MOTIF_BYTECODE": str(copy.bytecode)})
    failing += filter(None, [caught_by_unit_tests(unit_tests, {"MOTIF_MUTANT": "0"})])
    if failing:
        raise SystemExit("these fail without a mutant: " + ", ".join(failing))


def by_itself(mutant, copy, trial):
    """Returns the result of a mutant with its own build; the quicker build is first."""
    copy.apply(mutant)
    # `payments` contains `licensing`, not the other way round.
    alters_both = mutant.file.startswith("programs/licensing/")
    try:
        by = caught_by_unit_tests(copy.compile_unit_tests(), {})
        if by:
            return "caught", by
        copy.compile(PROGRAMS if alters_both else ["payments"])
        return judged(mutant, copy, trial, [])
    except DoesNotCompile:
        return "unviable", "compiler"


def caught_by_unit_tests(executables, environment):
    for executable in executables:
        if name := first_failure(executable, environment, ROOT, seconds=60):
            return f"beside the code: {name}"
    return None


if __name__ == "__main__":
    sys.exit(main())
