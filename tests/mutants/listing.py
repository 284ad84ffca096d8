"""Lists mutants: those of cargo-mutants, and those of guards, which it does not cover."""

import dataclasses
import json
import re
import subprocess

from rust_text import RustText

# Arguments of `require!` are tokens to cargo-mutants.
GUARD = re.compile(r"\brequire(?:_keys_eq)?!\(")
COMPARISON = re.compile(r"(?<=\s)(<=|>=|==|!=|<|>|&&|\|\|)(?=\s)")
OTHERS = {
    "<": ["<=", ">"], "<=": ["<", ">"], ">": [">=", "<"], ">=": [">", "<"],
    "==": ["!="], "!=": ["=="], "&&": ["||"], "||": ["&&"],
}


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change in one place of a source file."""

    number: int
    name: str
    file: str
    # Offsets of the replaced text, and of the inside of the body of the function it is in, if any.
    start: int
    end: int
    body: int | None
    replacement: str
    replaces_body: bool
    # Cannot be compiled beside the original: constants, and values of unnamed types.
    alone: bool


def list_mutants(root, files):
    """Every mutant of these files, numbered from 1."""
    found = []
    listed = cargo_mutants(root, files)
    for file in files:
        source = RustText((root / file).read_text())
        checks = compiler_checks(source)
        of_file = [mutant for mutant in listed if mutant["file"] == file]
        for fields in [*of_cargo_mutants(file, source, of_file), *of_guards(file, source)]:
            mutant = Mutant(len(found) + 1, *fields)
            if not any(first < mutant.start < last for first, last in checks):
                found.append(mutant)
    return found


def cargo_mutants(root, files):
    command = ["cargo", "mutants", "--list", "--json"]
    for file in files:
        command += ["--file", file]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return json.loads(listed.stdout)


def of_cargo_mutants(file, source, listed):
    """Fields of the mutants that cargo-mutants lists for a file."""
    for mutant in listed:
        function = mutant["function"] and source.offset(mutant["function"]["span"]["start"])
        value = mutant["genre"] == "FnValue"
        alone = (
            function is None
            or is_const(source, function)
            or (value and re.search(r"\bimpl\b", mutant["function"]["return_type"]) is not None)
        )
        start, end = (source.offset(mutant["span"][edge]) for edge in ("start", "end"))
        body = None if function is None else source.body(function)[0]
        yield mutant["name"], file, start, end, body, mutant["replacement"], value, alone


def of_guards(file, source):
    """Fields of mutants: each guard left out, and each comparison and connective in it turned into another."""
    tests = re.search(r"#\[cfg\(test\)\]", source.mask)
    for guard in GUARD.finditer(source.mask, 0, tests.start() if tests else len(source.mask)):
        function, name = enclosing(source, guard.start())
        body = source.body(function)[0]
        close = source.closing(guard.end() - 1) + 1
        text = re.sub(r"\s+", " ", source.text[guard.start() : close])
        at = source.place(guard.start())
        yield f"{file}:{at}: leave out {text} in {name}", file, guard.start(), close, body, "()", False, False
        for found in COMPARISON.finditer(source.mask, guard.end(), close):
            start, end, at = *found.span(), source.place(found.start())
            for other in OTHERS[found.group()]:
                what = f"{file}:{at}: replace {found.group()} with {other} in guard of {name}"
                yield what, file, start, end, body, other, False, False


def enclosing(source, at):
    """Start and name of the last function that begins before `at`."""
    functions = re.finditer(r"\bfn\s+(\w+)", source.mask[:at])
    *_, last = functions
    return last.start(), last.group(1)


def compiler_checks(source):
    """Insides of `const _: () = ...;`, which are compile-time checks outside of programs."""
    found = []
    for check in re.finditer(r"\bconst _: \(\) = (?=\{)", source.mask):
        found.append((check.start(), source.closing(check.end())))
    return found


def is_const(source, function):
    """Returns whether a function can be evaluated by the compiler."""
    before = source.mask[function : re.compile(r"\bfn\b").search(source.mask, function).start()]
    return re.search(r"\bconst\s+(?:unsafe\s+)?$", before) is not None
