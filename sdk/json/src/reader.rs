use std::{borrow::Cow, fmt, slice};

use serde::{
    Deserialize,
    de::{
        self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess,
        SeqAccess, Unexpected, VariantAccess, Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};

use crate::{
    parser::Parser,
    tree::{Node, Object},
};

/// Error returned when a text is not JSON, or not of the expected type.
#[derive(Debug)]
pub struct Error(Box<Content>);

/// Behind a pointer, so that a result is small.
#[derive(Debug)]
enum Content {
    Message(String),
    /// The field of this position is missing.
    Missing(usize),
}

impl Error {
    /// Says that an item is missing.
    fn of_item(self) -> Self {
        match *self.0 {
            Content::Missing(length) => error(format!("an item after {length} is missing")),
            Content::Message(_) => self,
        }
    }

    /// Names a missing field.
    fn of(self, fields: &[&str]) -> Self {
        match *self.0 {
            Content::Missing(position) => {
                let name = fields.get(position).copied().unwrap_or_default();
                error(format!("missing field `{name}`"))
            }
            Content::Message(_) => self,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Content::Message(message) => formatter.write_str(message),
            Content::Missing(position) => write!(formatter, "item {position} is missing"),
        }
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        error(message.to_string())
    }

    fn invalid_type(found: Unexpected, expected: &dyn Expected) -> Self {
        unexpected("type", found, expected)
    }

    fn invalid_value(found: Unexpected, expected: &dyn Expected) -> Self {
        unexpected("value", found, expected)
    }

    fn invalid_length(length: usize, _: &dyn Expected) -> Self {
        Self(Box::new(Content::Missing(length)))
    }
}

fn error(message: String) -> Error {
    Error(Box::new(Content::Message(message)))
}

/// Parses a text that others wrote: fields that a type does not know are skipped.
///
/// # Errors
/// Returns an error if it is not JSON of the type.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    T::deserialize(Reader { node: &parse(text)?, is_strict: false })
}

/// Reads a parsed value. A field that a type does not know is an error, but in [`Foreign`].
///
/// # Errors
/// Returns an error if it is not of the type.
pub fn from_node<T: DeserializeOwned>(node: &Node) -> Result<T, Error> {
    T::deserialize(Reader { node, is_strict: true })
}

/// Parses a text.
///
/// # Errors
/// Returns an error if it is not JSON.
pub fn parse(text: &[u8]) -> Result<Node<'_>, Error> {
    let text = std::str::from_utf8(text).map_err(|wrong| wrong.valid_up_to());
    let parsed = text.and_then(Parser::parse);
    parsed.map_err(|at| error(format!("invalid JSON at byte {at}")))
}

/// Value that others wrote: fields that its type does not know are skipped.
#[derive(Clone, Copy, Debug)]
pub struct Foreign<T>(pub T);

const FOREIGN: &str = "motif foreign";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Foreign<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Inner<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Inner<T> {
            type Value = Foreign<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                inner: D,
            ) -> Result<Foreign<T>, D::Error> {
                T::deserialize(inner).map(Foreign)
            }
        }

        deserializer.deserialize_newtype_struct(FOREIGN, Inner(std::marker::PhantomData))
    }
}

/// Deserializer of a parsed value.
#[derive(Clone, Copy)]
struct Reader<'a> {
    node: &'a Node<'a>,
    is_strict: bool,
}

/// Error of a value of another type.
fn mismatch(node: &Node, expected: &dyn Expected) -> Error {
    let found = match node {
        Node::Null => Unexpected::Unit,
        Node::Bool(flag) => Unexpected::Bool(*flag),
        Node::Unsigned(number) => Unexpected::Unsigned(*number),
        Node::Signed(number) => Unexpected::Signed(*number),
        Node::Fraction => Unexpected::Other("fraction"),
        Node::Text(text) => Unexpected::Str(text),
        Node::Array(_) => Unexpected::Seq,
        Node::Object(_) => Unexpected::Map,
    };
    unexpected("type", found, expected)
}

/// Without `serde`'s formatting of fractions, which would be a tenth of a module.
fn unexpected(what: &str, found: Unexpected, expected: &dyn Expected) -> Error {
    let found = match found {
        Unexpected::Bool(flag) => format!("boolean `{flag}`"),
        Unexpected::Unsigned(number) => format!("integer `{number}`"),
        Unexpected::Signed(number) => format!("integer `{number}`"),
        Unexpected::Str(text) => format!("string `{text}`"),
        Unexpected::Unit => "null".to_owned(),
        Unexpected::Seq => "sequence".to_owned(),
        Unexpected::Map => "map".to_owned(),
        Unexpected::Other(name) => name.to_owned(),
        _ => "another value".to_owned(),
    };
    error(format!("invalid {what}: {found}, expected {expected}"))
}

/// Returns the values of an object's fields in the order of the type's.
fn order<'a>(
    reader: Reader<'a>,
    fields: &[&str],
    expected: &dyn Expected,
) -> Result<Vec<Option<&'a Node<'a>>>, Error> {
    let Node::Object(object) = reader.node else { return Err(mismatch(reader.node, expected)) };
    let mut values = vec![None; fields.len()];
    for (name, value) in object {
        let position = fields.iter().position(|field| field == name);
        match position.and_then(|position| values.get_mut(position)) {
            Some(Some(_)) => return Err(error(format!("duplicate field `{name}`"))),
            Some(place) => *place = Some(value),
            None if reader.is_strict => return Err(error(format!("unknown field `{name}`"))),
            None => {}
        }
    }
    Ok(values)
}

impl<'a> Reader<'a> {
    fn at(self, node: &'a Node<'a>) -> Self {
        Self { node, ..self }
    }

    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node {
            Node::Unsigned(number) => visitor.visit_u64(*number),
            Node::Signed(number) => visitor.visit_i64(*number),
            other => Err(mismatch(other, &visitor)),
        }
    }

    fn items<'de, V: Visitor<'de>>(
        self,
        items: &'a [Node<'a>],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut rest = Items { rest: items.iter(), reader: self };
        let read = visitor.visit_seq(&mut rest).map_err(Error::of_item)?;
        match rest.rest.len() {
            0 => Ok(read),
            more => Err(error(format!("{more} items too many"))),
        }
    }

    fn map<'de, V: Visitor<'de>>(
        self,
        object: &'a Object<'a>,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(Entries { rest: object.iter(), reader: self })
    }
}

/// Methods that accept one kind of value.
macro_rules! accept {
    ($($method:ident)*: $pattern:pat => |$reader:ident, $visitor:ident| $visit:expr) => {
        $(#[inline(never)]
        fn $method<V: Visitor<'de>>(self, $visitor: V) -> Result<V::Value, Error> {
            let $reader = self;
            match $reader.node {
                $pattern => $visit,
                other => Err(mismatch(other, &$visitor)),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node {
            Node::Null => visitor.visit_unit(),
            Node::Bool(flag) => visitor.visit_bool(*flag),
            Node::Unsigned(_) | Node::Signed(_) | Node::Fraction => self.number(visitor),
            Node::Text(text) => visitor.visit_str(text),
            Node::Array(items) => self.items(items, visitor),
            Node::Object(object) => self.map(object, visitor),
        }
    }

    accept! { deserialize_bool: Node::Bool(flag) => |reader, visitor| visitor.visit_bool(*flag) }
    accept! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64:
        Node::Unsigned(_) | Node::Signed(_) => |reader, visitor| reader.number(visitor)
    }
    accept! {
        deserialize_char deserialize_str deserialize_string deserialize_identifier:
        Node::Text(text) => |reader, visitor| visitor.visit_str(text)
    }
    accept! { deserialize_unit: Node::Null => |reader, visitor| visitor.visit_unit() }
    accept! { deserialize_seq: Node::Array(items) => |reader, visitor| reader.items(items, visitor) }
    accept! { deserialize_map: Node::Object(object) => |reader, visitor| reader.map(object, visitor) }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node {
            Node::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(Self { is_strict: self.is_strict && name != FOREIGN, ..self })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    #[inline(never)]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let values = order(self, fields, &visitor)?;
        let read = visitor.visit_seq(Fields { rest: values.iter(), reader: self });
        read.map_err(|error| error.of(fields))
    }

    #[inline(never)]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(variant(self)?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { bytes byte_buf }
}

struct Items<'a> {
    rest: slice::Iter<'a, Node<'a>>,
    reader: Reader<'a>,
}

impl<'de> SeqAccess<'de> for &mut Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(item) = self.rest.next() else { return Ok(None) };
        seed.deserialize(self.reader.at(item)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// Fields of a structure, in its order. For a missing one there is no item: its default is taken, or it is an error.
struct Fields<'a> {
    rest: slice::Iter<'a, Option<&'a Node<'a>>>,
    reader: Reader<'a>,
}

impl<'de> SeqAccess<'de> for Fields<'_> {
    type Error = Error;

    #[inline(never)]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(Some(node)) = self.rest.next() else { return Ok(None) };
        seed.deserialize(self.reader.at(node)).map(Some)
    }
}

struct Entries<'a> {
    rest: slice::Iter<'a, (Cow<'a, str>, Node<'a>)>,
    /// Its value is that of the last name.
    reader: Reader<'a>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.reader.node = value;
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.reader)
    }
}

/// Variant of an enum: its name, or an object with the name and the content.
struct Variant<'a> {
    name: &'a str,
    content: VariantContent<'a>,
}

/// Content of a variant, `null` without one.
struct VariantContent<'a>(Reader<'a>);

fn variant(reader: Reader<'_>) -> Result<Variant<'_>, Error> {
    let (name, node) = match reader.node {
        Node::Text(name) => (name, &Node::Null),
        Node::Object(object) => match &object[..] {
            [(name, content)] => (name, content),
            _ => return Err(mismatch(reader.node, &"a variant")),
        },
        other => return Err(mismatch(other, &"a variant")),
    };
    Ok(Variant { name, content: VariantContent(reader.at(node)) })
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Error;
    type Variant = VariantContent<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, VariantContent<'a>), Error> {
        Ok((seed.deserialize(StrDeserializer::new(self.name))?, self.content))
    }
}

impl<'de> VariantAccess<'de> for VariantContent<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0.node {
            Node::Null => Ok(()),
            content => Err(mismatch(content, &"a variant without content")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Kinds {
        flag: bool,
        most: u64,
        least: i64,
        text: String,
        list: Vec<u8>,
        pair: (u8, char),
        named: BTreeMap<String, i32>,
        #[serde(default)]
        none: Option<u8>,
        units: Option<Units>,
        unit: Units,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Units {
        Free,
        AtMost(u32),
        Between { low: u8, high: u8 },
    }

    const TEXT: &str = r#"{"flag":true,"most":18446744073709551615,"least":-9223372036854775808,"text":"aé",
        "list":[1,2],"pair":[3,"x"],"named":{"a":-15},"none":null,"units":{"at-most":7},"unit":"free"}"#;

    fn wrong(from: &str, to: &str) -> String {
        from_slice::<Kinds>(TEXT.replace(from, to).as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn types_read_what_serde_json_reads() {
        let read: Kinds = from_slice(TEXT.as_bytes()).unwrap();
        assert_eq!(read, serde_json::from_str(TEXT).unwrap());
        let between = TEXT.replace(r#""free""#, r#"{"between":{"low":1,"high":2}}"#);
        let read: Kinds = from_slice(between.as_bytes()).unwrap();
        assert_eq!(read, serde_json::from_str(&between).unwrap());
    }

    #[test]
    fn wrong_value_says_what_is_expected() {
        for (from, to, expected) in [
            ("true", "1", "invalid type: integer `1`, expected a boolean"),
            ("18446744073709551615", "-1", "invalid value: integer `-1`, expected u64"),
            ("18446744073709551615", "18446744073709551616", "expected u64"),
            ("\"aé\"", "[]", "invalid type: sequence, expected a string"),
            ("[3,\"x\"]", "[3]", "an item after 1 is missing"),
            ("[3,\"x\"]", "[3,\"x\",4]", "1 items too many"),
            ("[1,2]", "{}", "invalid type: map, expected a sequence"),
            ("\"flag\":true,", "", "missing field `flag`"),
            ("flag", "flags", "missing field `flag`"),
            ("\"free\"", "\"none\"", "unknown variant `none`"),
            ("\"free\"", "{\"free\":1}", "expected a variant without content"),
            ("\"free\"", "{\"free\":1,\"at-most\":1}", "expected a variant"),
            ("\"free\"", "\"at-most\"", "expected u32"),
            ("-15", "1.5", "invalid type: fraction, expected i32"),
            ("null", "", "invalid JSON at byte "),
        ] {
            let message = wrong(from, to);
            assert!(message.contains(expected), "{message}");
        }
        assert!(from_slice::<u8>(&[0xFF]).is_err());
        assert!(parse("[".repeat(1_000).as_bytes()).is_err());
    }

    #[test]
    fn unknown_field_is_refused_if_strict() {
        #[derive(Debug, Deserialize)]
        struct Outer {
            inner: Foreign<Inner>,
        }
        #[derive(Debug, PartialEq, Deserialize)]
        struct Inner {
            #[serde(default)]
            one: Option<u8>,
        }

        let strict = |text: &str| from_node::<Outer>(&parse(text.as_bytes()).unwrap());
        let read = strict(r#"{"inner":{"two":2}}"#).unwrap();
        assert_eq!(read.inner.0, Inner { one: None });
        let refused = strict(r#"{"inner":{},"two":2}"#).unwrap_err();
        assert_eq!(refused.to_string(), "unknown field `two`");
        let read: Outer = from_slice(br#"{"inner":{"one":1},"two":2}"#).unwrap();
        assert_eq!(read.inner.0.one, Some(1));
        let twice = from_slice::<Outer>(br#"{"inner":{"one":1,"one":1}}"#).unwrap_err();
        assert_eq!(twice.to_string(), "duplicate field `one`");
    }
}
