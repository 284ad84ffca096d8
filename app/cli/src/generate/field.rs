use std::str::FromStr;

use serde_json::Value;

/// One field of what a model server is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value: JSON, or else text.
    pub value: Value,
}

impl FromStr for Field {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (name, value) = text.split_once('=').ok_or("a field is NAME=VALUE")?;
        if name.is_empty() {
            return Err("a field has a name");
        }
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        Ok(Self { name: name.to_owned(), value })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_json_or_else_text() {
        for (text, value) in [
            ("side=64", json!(64)),
            ("style=ink", json!("ink")),
            ("style=\"64\"", json!("64")),
            ("a=b=c", json!("b=c")),
            ("flag=true", json!(true)),
        ] {
            assert_eq!(text.parse::<Field>().unwrap().value, value, "{text}");
        }
        assert!("=1".parse::<Field>().is_err());
        assert!("side".parse::<Field>().is_err());
    }
}
