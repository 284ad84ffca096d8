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

    /// Returns an object. Names are plain words.
    pub fn object(fields: &[(&str, &dyn Field)]) -> Self {
        let mut text = vec![b'{'];
        for (name, value) in fields {
            if text.len() > 1 {
                text.push(b',');
            }
            text.push(b'"');
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b"\":");
            value.write(&mut text);
        }
        text.push(b'}');
        Self(text)
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
        $crate::Json::object(&[$(($name, &$value as &dyn $crate::Field)),*])
    };
}
