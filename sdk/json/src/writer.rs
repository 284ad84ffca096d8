use serde::Serialize;

/// JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(Vec<u8>);

/// Value of a field: [`Json`], or anything that is serializable.
pub trait Field {
    /// Appends the value's JSON.
    fn write(&self, text: &mut Vec<u8>);
}

impl Field for Json {
    fn write(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(&self.0);
    }
}

impl<T: Serialize + ?Sized> Field for T {
    #[inline(never)]
    fn write(&self, text: &mut Vec<u8>) {
        // These are structures of texts and numbers, written to memory: that does not fail.
        serde_json::to_writer(text, self).unwrap_or_default();
    }
}

impl Json {
    /// Returns the JSON of a value.
    pub fn of(value: &dyn Field) -> Self {
        let mut text = Vec::new();
        value.write(&mut text);
        Self(text)
    }

    /// Returns an object. `names` are plain words with a comma after each: one text for all takes less
    /// code at the caller than a list.
    pub fn object(names: &str, values: &[&dyn Field]) -> Self {
        let mut object = Self(b"{}".to_vec());
        for (name, value) in names.split(',').zip(values) {
            object.push(name, *value);
        }
        object
    }

    /// Adds a field to an object. The name is a plain word.
    pub fn push(&mut self, name: &str, value: &dyn Field) {
        let Self(text) = self;
        text.pop();
        if text.len() > 1 {
            text.push(b',');
        }
        text.push(b'"');
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b"\":");
        value.write(text);
        text.push(b'}');
    }

    /// Returns an array.
    pub fn array(items: &[Self]) -> Self {
        let texts: Vec<_> = items.iter().map(|item| &item.0[..]).collect();
        Self([b"[", &texts.join(&b","[..])[..], b"]"].concat())
    }

    /// Returns the text, in UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Returns the [`Json`] of an object: `object! { "name": value }`.
#[macro_export]
macro_rules! object {
    ($($name:literal: $value:expr),* $(,)?) => {
        $crate::Json::object(concat!($($name, ","),*), &[$(&$value as &dyn $crate::Field),*])
    };
}
