"""Just enough of Rust's syntax to find function bodies, closures' blocks and statements."""

import bisect
import re

# Comments and literals, which can contain braces and semicolons; a lifetime is not a character.
HIDING = re.compile(
    r"""//[^\n]* | /\*.*?\*/
      | b?r(?P<hashes>\#*)".*?"(?P=hashes)
      | b?"(?:\\.|[^"\\])*"
      | b?'(?:\\x..|\\u\{[^}]*\}|\\.|[^\\'])'""",
    re.DOTALL | re.VERBOSE,
)
OPENING, CLOSING = "([{", ")]}"
# A statement that starts like this ends with its block.
BLOCK_LIKE = re.compile(r"(?:#\[[^\]]*\]\s*)*(?:'\w+\s*:\s*)?(?:if|for|while|loop|match|unsafe|fn|\{)(?!\w)")


class RustText:
    """A source file, and the same text with comments and literals blanked out."""

    def __init__(self, text):
        self.text = text
        self.mask = HIDING.sub(lambda hidden: " " * len(hidden.group()), text)
        self.lines = [0] + [match.end() for match in re.finditer("\n", text)]

    def offset(self, position):
        """Where a line and column, both counted from 1, is in the text."""
        return self.lines[position["line"] - 1] + position["column"] - 1

    def line(self, offset):
        """The line, counted from 1, that an offset is in."""
        return bisect.bisect_right(self.lines, offset)

    def place(self, offset):
        """Line and column of an offset, both counted from 1, as in `12:5`."""
        line = self.line(offset)
        return f"{line}:{offset - self.lines[line - 1] + 1}"

    def closing(self, opening):
        """Where the bracket at `opening` is closed."""
        depth = 0
        for at in range(opening, len(self.mask)):
            if self.mask[at] in OPENING:
                depth += 1
            elif self.mask[at] in CLOSING:
                depth -= 1
                if depth == 0:
                    return at
        raise ValueError(f"line {self.line(opening)}: a bracket that nothing closes")

    def body(self, start):
        """The inside of the block of the function whose item starts at `start`."""
        at = re.compile(r"\bfn\b").search(self.mask, start).end()
        while self.mask[at] != "{":
            at = self.closing(at) + 1 if self.mask[at] in "([" else at + 1
        return at + 1, self.closing(at)

    def closures(self, start, end):
        """The insides of the outermost closures' blocks within a range."""
        found = []
        at = start
        while at < end:
            if self.mask[at] == "{" and self.mask[start:at].rstrip().endswith("|"):
                close = self.closing(at)
                found.append((at + 1, close))
                at = close
            at += 1
        return found

    def statements(self, start, end):
        """The statements of a block by its inside, without the space between them."""
        found = []
        at = start
        while (at := self.skip_space(at, end)) < end:
            stop = self.statement_end(at, end)
            found.append((at, stop))
            at = stop
        return found

    def statement_end(self, start, end):
        block_like = BLOCK_LIKE.match(self.mask, start) is not None
        at = start
        while at < end:
            character = self.mask[at]
            if character == ";":
                return at + 1
            if character in OPENING:
                at = self.closing(at)
                if block_like and character == "{" and self.ends_block(at + 1, end):
                    return at + 1
            at += 1
        return len(self.mask[:end].rstrip())

    def ends_block(self, at, end):
        following = self.mask[self.skip_space(at, end) : end]
        return re.match(r"else\b|\.|\?", following) is None

    def skip_space(self, at, end):
        while at < end and self.mask[at].isspace():
            at += 1
        return at

    def initialiser(self, start, end):
        """The expression that a `let` statement assigns; `None` for other statements."""
        if not re.compile(r"let\b").match(self.mask, start):
            return None
        at = start
        while self.mask[at] != "=":
            at = self.closing(at) + 1 if self.mask[at] in OPENING else at + 1
        first = self.skip_space(at + 1, end)
        # `let ... else`: what comes before that `else` is no block.
        at = first
        while at < end:
            if self.mask[at] in OPENING:
                at = self.closing(at)
            elif re.compile(r"else\b").match(self.mask, at) and self.mask[at - 1].isspace():
                before = self.mask[first:at].rstrip()
                if not before.endswith("}"):
                    return first, first + len(before)
            at += 1
        return first, end - 1
