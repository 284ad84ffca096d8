use super::{Layers, SETTINGS, Setting, StorePlace};
use crate::chain::Endpoint;

/// Returns the settings in effect as a TOML file: given ones, and the others' defaults as comments.
///
/// URLs are cut to scheme and host, and the admin secret is left out: the text may be shown.
pub fn effective(layers: &Layers) -> String {
    let mut text = String::new();
    let mut table = "";
    for setting in SETTINGS.iter().filter(|setting| setting.in_file) {
        let line = match layers.get(setting.key) {
            Some(given) => {
                let list = given.is_list || setting.default == "[]" || setting.key == "rpc_url";
                let parts = given.texts.iter().flat_map(|text| match list && !given.is_list {
                    true => text.split(',').map(str::trim).collect(),
                    false => vec![text.as_str()],
                });
                let values: Vec<_> = parts
                    .filter(|part| !part.is_empty())
                    .map(|part| value(setting, part))
                    .collect();
                match values.as_slice() {
                    [sole] if setting.default != "[]" => format!("= {sole}"),
                    values => format!("= [{}]", values.join(", ")),
                }
            }
            None if setting.default.is_empty() => continue,
            None => format!("= {}", setting.default),
        };
        let (of, name) = setting.key.split_once('.').unwrap_or(("", setting.key));
        if of != table {
            text.push_str(&format!("\n[{of}]\n"));
            table = of;
        }
        let mark = if layers.get(setting.key).is_some() { "" } else { "#" };
        text.push_str(&format!("{mark}{name} {line}\n"));
    }
    text
}

/// Returns a value as TOML. Texts that are no numbers are strings.
fn value(setting: &Setting, text: &str) -> String {
    let shown = match setting.key {
        "rpc_url" | "traces.endpoint" => format!("{:?}", Endpoint::new(text)),
        "store" => match text.parse::<StorePlace>() {
            Ok(place) => place.to_string(),
            Err(error) => error.to_string(),
        },
        _ => text.to_owned(),
    };
    let is_bare = shown.parse::<u64>().is_ok() || shown.parse::<bool>().is_ok();
    if is_bare { shown } else { toml::Value::String(shown).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effective_settings_hide_secrets() {
        let mut layers = Layers::default();
        layers.toml("min_grace_seconds = 7200\nmints = [\"a\", \"b\"]", "a file");
        layers.flag("rpc_url", Some("https://a.example/canary-canary,http://b.example".to_owned()));
        layers.flag("store", Some("postgres://motif:canary@db.example/motif".to_owned()));
        layers.flag("settle.at_amount", Some("5".to_owned()));
        layers.flag("admin.secret", Some("canary".to_owned()));
        let text = effective(&layers);
        let file: toml::Table = text.parse().unwrap();
        assert_eq!(file["min_grace_seconds"].as_integer(), Some(7_200));
        assert_eq!(file["mints"].as_array().map(Vec::len), Some(2));
        assert_eq!(file["rpc_url"][0].as_str(), Some("https://a.example"));
        assert_eq!(file["rpc_url"][1].as_str(), Some("http://b.example"));
        assert_eq!(file["store"].as_str(), Some("postgres://db.example"));
        assert_eq!(file["settle"]["at_amount"].as_integer(), Some(5));
        assert!(text.contains("#operator_fee_bps = 200\n"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}
