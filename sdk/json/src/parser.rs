use std::borrow::Cow;

use crate::tree::{Node, Object};

/// Arrays and objects in each other, as in `serde_json`.
const MAX_DEPTH: usize = 127;

/// Parser of one text. A method returns `None` if the text is not JSON; `at` is about where.
pub struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    /// Parses a text.
    ///
    /// # Errors
    /// Returns the position from which it is not JSON.
    pub fn parse(text: &'a str) -> Result<Node<'a>, usize> {
        let mut parser = Self { text, at: 0 };
        let value = parser.value(MAX_DEPTH);
        parser.skip_space();
        value.filter(|_| parser.at == text.len()).ok_or(parser.at)
    }

    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_while(&mut self, is_skipped: impl Fn(u8) -> bool) {
        while self.next().is_some_and(&is_skipped) {
            self.at += 1;
        }
    }

    fn skip_space(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.next()?;
        self.at += 1;
        Some(byte)
    }

    fn has(&mut self, expected: &str) -> bool {
        let is_next = self.text.as_bytes()[self.at..].starts_with(expected.as_bytes());
        self.at += if is_next { expected.len() } else { 0 };
        is_next
    }

    fn expect(&mut self, expected: &str) -> Option<()> {
        self.has(expected).then_some(())
    }

    fn value(&mut self, depth: usize) -> Option<Node<'a>> {
        self.skip_space();
        match self.next()? {
            b'n' => self.expect("null").map(|()| Node::Null),
            b't' => self.expect("true").map(|()| Node::Bool(true)),
            b'f' => self.expect("false").map(|()| Node::Bool(false)),
            b'"' => self.string().map(Node::Text),
            b'[' => self.array(depth.checked_sub(1)?).map(Node::Array),
            b'{' => self.object(depth.checked_sub(1)?).map(Node::Object),
            _ => self.number(),
        }
    }

    fn array(&mut self, depth: usize) -> Option<Vec<Node<'a>>> {
        let mut items = Vec::new();
        self.expect("[")?;
        self.skip_space();
        if self.has("]") {
            return Some(items);
        }
        loop {
            items.push(self.value(depth)?);
            self.skip_space();
            if self.has("]") {
                return Some(items);
            }
            self.expect(",")?;
        }
    }

    fn object(&mut self, depth: usize) -> Option<Object<'a>> {
        let mut fields = Vec::new();
        self.expect("{")?;
        self.skip_space();
        if self.has("}") {
            return Some(fields);
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.skip_space();
            self.expect(":")?;
            fields.push((name, self.value(depth)?));
            self.skip_space();
            if self.has("}") {
                return Some(fields);
            }
            self.expect(",")?;
        }
    }

    /// Returns a string, borrowed from the text if it has no escapes.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.expect("\"")?;
        let mut unescaped = String::new();
        loop {
            let start = self.at;
            self.skip_while(|byte| !matches!(byte, b'"' | b'\\' | ..b' '));
            let part = self.text.get(start..self.at)?;
            match self.take()? {
                b'"' if unescaped.is_empty() => return Some(Cow::Borrowed(part)),
                b'"' => return Some(Cow::Owned(unescaped + part)),
                b'\\' => {
                    unescaped.push_str(part);
                    unescaped.push(self.escape()?);
                }
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.take()? {
            same @ (b'"' | b'\\' | b'/') => char::from(same),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut unit = self.code_unit()?;
                if let Some(high) = unit.checked_sub(0xD800).filter(|high| *high < 0x400) {
                    self.expect("\\u")?;
                    let low = self.code_unit()?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
                    unit = 0x1_0000 + (high << 10) + low;
                }
                char::from_u32(unit)?
            }
            _ => return None,
        })
    }

    fn code_unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | char::from(self.take()?).to_digit(16)?;
        }
        Some(unit)
    }

    fn number(&mut self) -> Option<Node<'a>> {
        let start = self.at;
        let is_negative = self.has("-");
        if !self.has("0") {
            self.digits()?;
        }
        let end = self.at;
        if self.has(".") {
            self.digits()?;
        }
        if self.has("e") || self.has("E") {
            let _ = self.has("+") || self.has("-");
            self.digits()?;
        }
        let digits = self.text.get(start..end).filter(|_| self.at == end).unwrap_or_default();
        let integer = match is_negative {
            true => digits.parse().ok().filter(|number| *number != 0).map(Node::Signed),
            false => digits.parse().ok().map(Node::Unsigned),
        };
        Some(integer.unwrap_or(Node::Fraction))
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        self.skip_while(|byte| byte.is_ascii_digit());
        (self.at > start).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Converts to what `serde_json` reads; fractions are `null` there too.
    fn value(node: Node) -> Value {
        match node {
            Node::Null | Node::Fraction => Value::Null,
            Node::Bool(flag) => flag.into(),
            Node::Unsigned(number) => number.into(),
            Node::Signed(number) => number.into(),
            Node::Text(text) => text.into(),
            Node::Array(items) => items.into_iter().map(value).collect(),
            Node::Object(fields) => {
                fields.into_iter().map(|(name, field)| (name.into_owned(), value(field))).collect()
            }
        }
    }

    fn without_fractions(value: Value) -> Value {
        match value {
            Value::Number(number) if number.is_f64() => Value::Null,
            Value::Array(items) => items.into_iter().map(without_fractions).collect(),
            Value::Object(fields) => {
                fields.into_iter().map(|(name, field)| (name, without_fractions(field))).collect()
            }
            other => other,
        }
    }

    #[track_caller]
    fn assert_read_alike(text: &str) {
        let read = Parser::parse(text).ok().map(value);
        assert_eq!(read, serde_json::from_str(text).ok().map(without_fractions), "{text}");
    }

    #[test]
    fn texts_are_read_as_serde_json_does() {
        for text in [
            "",
            " ",
            "nul",
            "null",
            " true\t\r\n",
            "false,",
            "truefalse",
            "\u{FEFF}1",
            "\u{A0}1",
            "0",
            "-0",
            "-",
            "+1",
            "01",
            "-01",
            "1.",
            ".5",
            "1.5",
            "-1.5e3",
            "1e",
            "1e+",
            "1E-2",
            "1e5",
            "0e0",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "-9223372036854775809",
            "NaN",
            "0x1",
            "1 2",
            "[]",
            "[ ]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1,[2,{}]]",
            "[",
            "]",
            "[}",
            "{",
            "{}",
            "{ }",
            r#"{"a":1}"#,
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a" : {"b":[null]} , "c":"d"}"#,
            "{1:2}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1 "b":2}"#,
            r#"{"\u0061":1,"a":2}"#,
            r#"{"a":1}}"#,
            r#""""#,
            r#"""#,
            r#""a"#,
            "\"a\nb\"",
            "\"a\u{1F}\"",
            "\"\u{7F}\u{80}é😀\"",
            r#"'a'"#,
            r#""\"\\\/\b\f\n\r\t""#,
            r#""\a""#,
            r#""\""#,
            r#""x\u00e9y\uD83D\uDE00z""#,
            r#""\u12""#,
            r#""\u+123""#,
            r#""\u00G0""#,
            r#""\uD83D""#,
            r#""\uD83Dx""#,
            r#""\uD83D\u0041""#,
            r#""\uD83D\uD83D""#,
            r#""\uDE00""#,
            r#""\uFFFF\u0000""#,
        ] {
            assert_read_alike(text);
        }
        for depth in [1, 126, 127, 128, 129, 5_000] {
            assert_read_alike(&("[".repeat(depth) + &"]".repeat(depth)));
            assert_read_alike(&(r#"{"a":"#.repeat(depth) + "1" + &"}".repeat(depth)));
        }
    }

    #[test]
    fn changed_texts_are_read_as_serde_json_does() {
        let text = r#"{"a\n":[1,-2,3.5e-1,"b\u00e9😀",true,null,{"c":{}}]}"#;
        for (start, character) in text.char_indices() {
            let (before, after) = (&text[..start], &text[start + character.len_utf8()..]);
            assert_read_alike(before);
            for other in [
                "", " ", "\"", "\\", "0", "-", ".", "e", "u", ",", ":", "[", "]", "{", "}", "é",
                "\0",
            ] {
                assert_read_alike(&format!("{before}{other}{after}"));
                assert_read_alike(&format!("{before}{other}{character}{after}"));
            }
        }
    }
}
