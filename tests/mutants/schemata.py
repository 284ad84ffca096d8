"""All mutants in one source, each beside the original and behind a switch.

A mutant that replaces a function's body becomes `if is(17) { return <value>; }` at its top. Any
other becomes a second version of the statement it is in, `if is(17) { <changed> } else
{ <original> }`; of a `let`, only of what is assigned. So a mutant costs no stack frame, and
generics, trait impls and early returns are what they were.
"""

from rust_text import RustText

MODULE = '''
//! Which of the mutants in this source is switched on; on chain, the bytes behind a pattern say so.

/// A pattern to find this by, and the number of a mutant; 0 for none.
#[repr(C)]
struct Switch {
    pattern: [u8; 16],
    active: u32,
}

#[used]
static SWITCH: Switch = Switch { pattern: *b"PATTERN", active: 0 };

#[cfg(target_os = "solana")]
#[inline(always)]
pub fn is(number: u32) -> bool {
    // SAFETY: a field of a static.
    unsafe { std::ptr::read_volatile(&raw const SWITCH.active) == number }
}

#[cfg(not(target_os = "solana"))]
pub fn is(number: u32) -> bool {
    static ACTIVE: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    let read = || std::env::var("MOTIF_MUTANT").map_or(SWITCH.active, |it| it.parse().unwrap());
    *ACTIVE.get_or_init(read) == number
}
'''
PATTERN = b"\xf1mutant-switch\xf2\xf3"


def module():
    """Returns the source of the module that selects the active mutant."""
    return MODULE.replace("PATTERN", "".join(f"\\x{byte:02x}" for byte in PATTERN))


def switched_on(bytecode, number):
    """Returns bytecode with one active mutant."""
    if bytecode.count(PATTERN) != 1:
        raise SystemExit(f"the switch is in the bytecode {bytecode.count(PATTERN)} times, not once")
    at = bytecode.index(PATTERN) + len(PATTERN)
    return bytecode[:at] + number.to_bytes(4, "little") + bytecode[at + 4 :]


class Weaver:
    """Inserts a file's mutants, and maps positions in the result to mutants."""

    def __init__(self, text, mutants, switch):
        self.source = RustText(text)
        self.mutants = mutants
        self.switch = switch
        self.pieces = self.file()
        self.text = "".join(piece for piece, _ in self.pieces)
        assert set(mutants) == {mutant for _, faulty in self.pieces for mutant in faulty}

    def at_fault(self, line, column):
        """Returns the mutants at the position of an error."""
        wanted = RustText(self.text).offset({"line": line, "column": column})
        end = 0
        for piece, faulty in self.pieces:
            end += len(piece)
            if wanted < end:
                return set(faulty)
        return set()

    def plain(self, start, end):
        return self.source.text[start:end], ()

    def file(self):
        pieces, done = [], 0
        for start in sorted({mutant.body for mutant in self.mutants}):
            end = self.source.closing(start - 1)
            mutants = [mutant for mutant in self.mutants if mutant.body == start]
            pieces += [self.plain(done, start), *self.body(start, end, mutants)]
            done = end
        return [*pieces, self.plain(done, len(self.source.text))]

    def body(self, start, end, mutants):
        values = [mutant for mutant in mutants if mutant.replaces_body]
        returns = [
            (f" if {self.switch}({mutant.number}) {{ return {mutant.replacement}; }}", (mutant,))
            for mutant in values
        ]
        return returns + self.block(start, end, [mutant for mutant in mutants if mutant not in values])

    def block(self, start, end, mutants):
        pieces, done = [], start
        for first, last in self.source.statements(start, end):
            inside = within(mutants, first, last)
            if inside:
                pieces += [self.plain(done, first), *self.statement(first, last, inside)]
                done = last
        return [*pieces, self.plain(done, end)]

    def statement(self, start, end, mutants):
        closures = self.source.closures(start, end)
        nested = [mutant for closure in closures for mutant in within(mutants, *closure)]
        direct = [mutant for mutant in mutants if mutant not in nested]
        first, last = self.source.initialiser(start, end) or (start, end)
        original = self.original(first, last, closures, nested)
        if direct:
            # A closure is of another type than its twin: that shows where the original stands.
            original = [(text, faulty or tuple(direct)) for text, faulty in original]
            original = [("{ ", ()), *original, (" }", ())]
        changed = [self.changed(first, last, mutant) for mutant in direct]
        return [self.plain(start, first), *changed, *original, self.plain(last, end)]

    def changed(self, start, end, mutant):
        text = self.source.text
        changed = text[start : mutant.start] + mutant.replacement + text[mutant.end : end]
        return f"if {self.switch}({mutant.number}) {{ {changed} }} else ", (mutant,)

    def original(self, start, end, closures, mutants):
        pieces, done = [], start
        for first, last in closures:
            pieces += [self.plain(done, first), *self.block(first, last, within(mutants, first, last))]
            done = last
        return [*pieces, self.plain(done, end)]


def within(mutants, start, end):
    """Those of the mutants that change something inside a range."""
    return [mutant for mutant in mutants if start <= mutant.start and mutant.end <= end]
