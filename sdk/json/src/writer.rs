use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::{RawValue, to_raw_value};

/// JSON text.
pub type Json = Box<RawValue>;

/// Value of a field.
pub trait Field {
    /// Returns the value's JSON.
    fn json(&self) -> Json;
}

impl<T: Serialize + ?Sized> Field for T {
    fn json(&self) -> Json {
        json(self)
    }
}

/// Returns a value's JSON.
pub fn json<T: Serialize + ?Sized>(value: &T) -> Json {
    // These are structures of texts and numbers: writing them does not fail.
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Returns an object.
pub fn object(fields: &[(&str, &dyn Field)]) -> Json {
    json(&Fields(fields))
}

struct Fields<'a>(&'a [(&'a str, &'a dyn Field)]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, &value.json())?;
        }
        map.end()
    }
}

/// Returns the [`Json`] of an object: `object! { "name": value }`. A value is anything that is serializable.
#[macro_export]
macro_rules! object {
    ($($name:literal: $value:expr),* $(,)?) => {
        $crate::object(&[$(($name, &$value as &dyn $crate::Field)),*])
    };
}
