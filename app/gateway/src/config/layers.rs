use std::{collections::BTreeMap, path::Path};

use toml::Value;

use super::{Faults, SETTINGS, Setting};

/// Values from a file, the environment and flags. Later layers take precedence.
#[derive(Default)]
pub struct Layers {
    given: BTreeMap<&'static str, Given>,
    faults: Faults,
}

/// Value as text, parsed by the type of its setting.
pub(super) struct Given {
    pub texts: Vec<String>,
    /// Whether the value is a list: `a,b` is one value in a file and two in a variable.
    pub is_list: bool,
    pub place: String,
}

impl Layers {
    /// Adds a TOML file.
    pub fn file(&mut self, path: &Path) {
        let place = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => self.toml(&text, &place),
            Err(error) => self.faults.add("--config", &place, error),
        }
    }

    /// Adds the text of a TOML file named `place`.
    pub fn toml(&mut self, text: &str, place: &str) {
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(error) => {
                // The error's own text quotes the line, which may contain a secret.
                let line = error.span().map_or(0, |span| line_of(text, span.start));
                let what = format!("invalid TOML in line {line}: {}", error.message());
                return self.faults.add("--config", place, what);
            }
        };
        for (key, value) in table {
            match value {
                Value::Table(table) => {
                    for (name, value) in table {
                        self.toml_value(&format!("{key}.{name}"), &value, place);
                    }
                }
                value => self.toml_value(&key, &value, place),
            }
        }
    }

    fn toml_value(&mut self, key: &str, value: &Value, place: &str) {
        let Some(setting) = Setting::from_key(key) else {
            let what = match nearest(key) {
                Some(other) => format!("unknown setting; did you mean `{other}`?"),
                None => "unknown setting".to_owned(),
            };
            return self.faults.add(key, place, what);
        };
        if !setting.in_file {
            let what = format!("not allowed in a file: use {}", setting.variable());
            return self.faults.add(key, place, what);
        }
        let (texts, is_list) = match value {
            Value::Array(values) => (values.iter().map(text_of).collect(), true),
            value => (text_of(value).map(|text| vec![text]), false),
        };
        let place = place.to_owned();
        match texts {
            Some(texts) => drop(self.given.insert(setting.key, Given { texts, is_list, place })),
            None => self.faults.add(
                key,
                &place,
                "invalid type: expected a string, a number, a boolean or a list",
            ),
        }
    }

    /// Adds the environment.
    pub fn environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (name, text) in variables {
            match Setting::from_variable(&name) {
                Ok(Some(setting)) => self.text(setting, text, name),
                Ok(None) => {}
                Err(none) => self.faults.add(&name, "the environment", none),
            }
        }
    }

    /// Adds a flag, if it is given.
    pub fn flag(&mut self, key: &'static str, text: Option<String>) {
        let setting = Setting::from_key(key);
        if let (Some(setting), Some(text)) = (setting, text) {
            self.text(setting, text, "a flag".to_owned());
        }
    }

    fn text(&mut self, setting: &'static Setting, text: String, place: String) {
        self.given.insert(setting.key, Given { texts: vec![text], is_list: false, place });
    }

    /// Returns the value of a setting, if it is given.
    pub fn given(&self, key: &str) -> Option<&str> {
        self.given.get(key).and_then(|given| given.texts.first()).map(String::as_str)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Given> {
        self.given.get(key)
    }

    pub(super) fn faults(&self) -> Faults {
        self.faults.clone()
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Float(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// Returns a setting with a similar name: the same letters, or the same last part.
fn nearest(key: &str) -> Option<&'static str> {
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
    };
    let last = |text: &str| text.rsplit('.').next().map(letters);
    let same = |setting: &&Setting| letters(setting.key) == letters(key);
    let similar = |setting: &&Setting| last(setting.key) == last(key);
    let found = SETTINGS.iter().find(same).or_else(|| SETTINGS.iter().find(similar));
    found.map(|setting| setting.key)
}
