use std::{fmt, slice};

use serde::{
    de::{
        self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess,
        SeqAccess, Unexpected, VariantAccess, Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Number, Value, map};

/// Error returned when a text is not JSON, or not of the expected type.
#[derive(Debug)]
pub struct Error(Box<Message>);

/// Behind a pointer, so that a result is small.
#[derive(Debug)]
struct Message(String);

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.0)
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
}

/// Parses a text.
///
/// # Errors
/// Returns an error if it is not JSON of the type.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    from_value(&parse(text)?)
}

/// Reads a parsed value.
///
/// # Errors
/// Returns an error if it is not of the type.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(Tree(value))
}

fn parse(text: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(text).map_err(de::Error::custom)
}

/// Parses an object.
///
/// # Errors
/// Returns an error if the text is not one.
pub fn object_in(text: &[u8]) -> Result<Map<String, Value>, Error> {
    match parse(text)? {
        Value::Object(fields) => Ok(fields),
        other => Err(mismatch(&other, &"a map")),
    }
}

/// Deserializer of a parsed value.
#[derive(Clone, Copy)]
struct Tree<'a>(&'a Value);

fn error(message: String) -> Error {
    Error(Box::new(Message(message)))
}

/// Error of a value of another type.
fn mismatch(value: &Value, expected: &dyn Expected) -> Error {
    let found = match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(flag) => Unexpected::Bool(*flag),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Unexpected::Unsigned(number),
            (None, Some(number)) => Unexpected::Signed(number),
            (None, None) => Unexpected::Other("fraction"),
        },
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    };
    unexpected("type", found, expected)
}

/// Without the formatting of fractions, which would be a tenth of a module.
fn unexpected(what: &str, found: Unexpected, expected: &dyn Expected) -> Error {
    let found = match found {
        Unexpected::Bool(flag) => format!("boolean `{flag}`"),
        Unexpected::Unsigned(number) => format!("integer `{number}`"),
        Unexpected::Signed(number) => format!("integer `{number}`"),
        Unexpected::Str(text) => format!("string `{text}`"),
        Unexpected::Unit => "null".to_owned(),
        Unexpected::Seq => "sequence".to_owned(),
        Unexpected::Map => "map".to_owned(),
        Unexpected::Float(_) => "fraction".to_owned(),
        Unexpected::Other(other) => other.to_owned(),
        _ => "another value".to_owned(),
    };
    error(format!("invalid {what}: {found}, expected {expected}"))
}

fn number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Error> {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => visitor.visit_u64(number),
        (None, Some(number)) => visitor.visit_i64(number),
        (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
    }
}

fn items<'de, V: Visitor<'de>>(items: &[Value], visitor: V) -> Result<V::Value, Error> {
    let mut rest = Items(items.iter());
    let read = visitor.visit_seq(&mut rest)?;
    match rest.0.len() {
        0 => Ok(read),
        more => Err(de::Error::custom(format_args!("{more} items too many"))),
    }
}

fn fields<'de, V: Visitor<'de>>(
    fields: &Map<String, Value>,
    visitor: V,
) -> Result<V::Value, Error> {
    visitor.visit_map(Fields { rest: fields.iter(), value: &Value::Null })
}

/// Methods that accept one kind of value.
macro_rules! accept {
    ($($method:ident)*: $pattern:pat => |$visitor:ident| $visit:expr) => {
        $(fn $method<V: Visitor<'de>>(self, $visitor: V) -> Result<V::Value, Error> {
            match self.0 {
                $pattern => $visit,
                other => Err(mismatch(other, &$visitor)),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Tree<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(read) => number(read, visitor),
            Value::String(text) => visitor.visit_str(text),
            Value::Array(read) => items(read, visitor),
            Value::Object(read) => fields(read, visitor),
        }
    }

    accept! { deserialize_bool: Value::Bool(flag) => |visitor| visitor.visit_bool(*flag) }
    accept! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64:
        Value::Number(read) => |visitor| number(read, visitor)
    }
    accept! {
        deserialize_char deserialize_str deserialize_string deserialize_identifier:
        Value::String(text) => |visitor| visitor.visit_str(text)
    }
    accept! { deserialize_unit: Value::Null => |visitor| visitor.visit_unit() }
    accept! { deserialize_seq: Value::Array(read) => |visitor| items(read, visitor) }
    accept! { deserialize_map: Value::Object(read) => |visitor| fields(read, visitor) }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
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
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
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

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(variant(self.0)?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { bytes byte_buf }
}

struct Items<'a>(slice::Iter<'a, Value>);

impl<'de> SeqAccess<'de> for &mut Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|item| seed.deserialize(Tree(item))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Fields<'a> {
    rest: map::Iter<'a>,
    /// Value of the last name.
    value: &'a Value,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.value = value;
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(Tree(self.value))
    }
}

/// Variant of an enum: its name, or an object with the name and the content.
struct Variant<'a> {
    name: &'a str,
    content: Option<&'a Value>,
}

fn variant(value: &Value) -> Result<Variant<'_>, Error> {
    let name_of_one = |fields: &Map<String, Value>| fields.len() == 1;
    match value {
        Value::String(name) => Ok(Variant { name, content: None }),
        Value::Object(fields) if name_of_one(fields) => {
            let found = fields
                .iter()
                .next()
                .map(|(name, content)| Variant { name, content: Some(content) });
            found.ok_or_else(|| mismatch(value, &"a variant"))
        }
        other => Err(mismatch(other, &"a variant")),
    }
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Error;
    type Variant = Content<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Content<'a>), Error> {
        Ok((seed.deserialize(StrDeserializer::new(self.name))?, Content(self.content)))
    }
}

struct Content<'a>(Option<&'a Value>);

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0 {
            None => Ok(()),
            Some(content) => Err(mismatch(content, &"a variant without content")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(Tree(self.0.unwrap_or(&Value::Null)))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        Tree(self.0.unwrap_or(&Value::Null)).deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        Tree(self.0.unwrap_or(&Value::Null)).deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct Kinds {
        flag: bool,
        most: u64,
        least: i64,
        text: String,
        list: Vec<u8>,
        pair: (u8, char),
        named: BTreeMap<String, f64>,
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
        "list":[1,2],"pair":[3,"x"],"named":{"a":1.5},"none":null,"units":{"at-most":7},"unit":"free"}"#;

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
            ("[3,\"x\"]", "[3]", "invalid length 1, expected a tuple of size 2"),
            ("[3,\"x\"]", "[3,\"x\",4]", "1 items too many"),
            ("[1,2]", "{}", "invalid type: map, expected a sequence"),
            ("\"flag\":true,", "", "missing field `flag`"),
            ("flag", "flags", "unknown field `flags`"),
            ("\"free\"", "\"none\"", "unknown variant `none`"),
            ("\"free\"", "{\"free\":1}", "expected a variant without content"),
            ("\"free\"", "{\"free\":1,\"at-most\":1}", "expected a variant"),
            ("\"free\"", "\"at-most\"", "expected u32"),
            ("null", "", "expected value at line"),
        ] {
            let message = wrong(from, to);
            assert!(message.contains(expected), "{message}");
        }
        assert!(from_slice::<u8>(&[0xFF]).is_err());
        assert!(from_slice::<Value>("[".repeat(1_000).as_bytes()).is_err());
    }
}
