#!/usr/bin/env python3
"""Completes the IDL that Anchor generates, in place, so that stock generators read all of it.

usage: complete_idl.py FILE...

All changes describe the same bytes, and a completed file stays as it is:

- An instruction's one argument of a type named `...Args` is replaced by the struct's fields.
  Generators resolve seeds only from arguments at the top level.
- The seeds that the doc comment of an account type states (``Seeds: `["terms", work, number as u32
  little-endian]```) become the derived address of every instruction account of that name, if
  accounts and arguments of the instruction supply them. What Anchor states differently stays. An
  account that the caller may leave out gets none: generated clients would always pass it. Neither
  does one with a computed seed: Anchor takes it for the argument that it is computed from.
- Fields of no bytes are removed. They only bring the types of variable-length tails into the IDL,
  such as the licenses behind a channel's header, for which Anchor's IDL has no notation.
"""

import json
import re
import sys


def snake_case(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def defined_name(kind):
    """Returns the name of a defined type without generics, or None for another type."""
    defined = kind.get("defined") if isinstance(kind, dict) else None
    return defined["name"] if defined and not defined.get("generics") else None


def flatten_arguments(idl):
    """Replaces each argument struct by its fields. Returns the names of the structs."""
    types = {definition["name"]: definition for definition in idl["types"]}
    flattened = set()
    for instruction in idl["instructions"]:
        if len(instruction["args"]) != 1:
            continue
        [argument] = instruction["args"]
        name = defined_name(argument["type"])
        if not name or not name.endswith("Args"):
            continue
        fields = types[name]["type"].get("fields", [])
        accounts = {account["name"] for account in instruction["accounts"]}
        if accounts & {field["name"] for field in fields}:
            continue  # an account and an argument of one name
        instruction["args"] = fields
        flattened.add(name)
        prefix = argument["name"] + "."
        for account in instruction["accounts"]:
            for seed in account.get("pda", {}).get("seeds", []):
                if seed["kind"] == "arg":
                    seed["path"] = seed["path"].removeprefix(prefix)
    return flattened


def referenced(value, names):
    """Adds the names of all defined types in a JSON value."""
    if isinstance(value, dict):
        if isinstance(value.get("defined"), dict):
            names.add(value["defined"]["name"])
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            referenced(item, names)
    return names


def remove_unreferenced(idl, candidates):
    """Removes those of the candidate types that nothing refers to any more."""
    used = referenced(idl, set())
    idl["types"] = [
        definition
        for definition in idl["types"]
        if definition["name"] in used or definition["name"] not in candidates
    ]


def stated_seeds(definition):
    """Returns the seeds in a type's doc comment: bytes of a constant, a name, or None if computed."""
    docs = " ".join(line.strip() for line in definition.get("docs", []))
    stated = re.search(r"Seeds: `\[(.*?)\]`", docs)
    if not stated:
        sys.exit(f"{definition['name']}: the doc comment states no seeds (Seeds: `[...]`)")
    seeds = []
    for seed in stated[1].split(", "):
        constant = re.fullmatch(r'"([^"]+)"', seed)
        name = re.fullmatch(r"\[?(\w+)\]?(?: as u(?:32|64) little-endian)?", seed)
        if constant:
            seeds.append(constant[1].encode())
        else:
            seeds.append(name and name[1])
    return seeds


def resolve_seeds(seeds, instruction):
    """Returns the seeds as the IDL writes them, or None if the instruction does not supply one."""
    accounts = {account["name"]: account for account in instruction["accounts"]}
    arguments = {argument["name"] for argument in instruction["args"]}
    resolved = []
    for seed in seeds:
        if isinstance(seed, bytes):
            resolved.append({"kind": "const", "value": list(seed)})
        elif seed in accounts and not accounts[seed].get("optional"):
            resolved.append({"kind": "account", "path": seed})
        elif seed in arguments:
            resolved.append({"kind": "arg", "path": seed})
        else:
            return None
    return resolved


def agree(stated, resolved):
    """Returns whether Anchor's seeds, if it states some, are the resolved ones."""
    return stated is None or stated["seeds"] == resolved


def insert_pda(account, pda):
    """Inserts a derived address where Anchor writes it: before the relations."""
    relations = account.pop("relations", None)
    account["pda"] = pda
    if relations is not None:
        account["relations"] = relations


def complete_addresses(idl):
    types = {definition["name"]: definition for definition in idl["types"]}
    seeds = {
        snake_case(account["name"]): stated_seeds(types[account["name"]])
        for account in idl["accounts"]
    }
    for instruction in idl["instructions"]:
        for account in instruction["accounts"]:
            of_type = seeds.get(account["name"])
            if account.get("optional") or of_type and None in of_type:
                account.pop("pda", None)
            elif of_type:
                resolved = resolve_seeds(of_type, instruction)
                if resolved and agree(account.get("pda"), resolved):
                    insert_pda(account, {"seeds": resolved})


def is_empty_array(kind):
    return isinstance(kind, dict) and kind.get("array", [None, None])[1] == 0


def remove_tails(idl):
    """Removes the struct fields that are arrays of length 0."""
    for definition in idl["types"]:
        fields = definition["type"].get("fields", [])
        if any("name" in field and is_empty_array(field["type"]) for field in fields):
            definition["type"]["fields"] = [
                field for field in fields if not is_empty_array(field["type"])
            ]


def main(files):
    if not files:
        sys.exit(__doc__)
    for file in files:
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
        idl = json.loads(text)
        remove_unreferenced(idl, flatten_arguments(idl))
        complete_addresses(idl)
        remove_tails(idl)
        completed = json.dumps(idl, indent=2, ensure_ascii=False)
        if text.rstrip("\n") != completed:
            with open(file, "w", encoding="utf-8") as opened:
                opened.write(completed)


main(sys.argv[1:])
