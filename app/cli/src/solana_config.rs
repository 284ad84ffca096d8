//! Configuration of the Solana command line, whose node and keypair are defaults of this program.

use std::path::PathBuf;

/// Settings of `~/.config/solana/cli/config.yml` that this program uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SolanaConfig {
    /// URL of the JSON-RPC node.
    pub json_rpc_url: Option<String>,
    /// Keypair file, or the URL of another kind of signer.
    pub keypair_path: Option<String>,
}

impl SolanaConfig {
    /// Reads the file. A file that is missing or unreadable has no settings.
    pub fn read() -> Self {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let path = home.map(|home| home.join(".config/solana/cli/config.yml"));
        let text = path.and_then(|path| std::fs::read_to_string(path).ok());
        text.map(|text| Self::parse(&text)).unwrap_or_default()
    }

    /// Parses the file, a YAML mapping whose values are written on the line of their key.
    fn parse(text: &str) -> Self {
        let value = |key: &str| {
            let mut lines = text.lines();
            let found = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
            let scalar = unquote(found.trim());
            (!scalar.is_empty()).then(|| scalar.to_owned())
        };
        Self { json_rpc_url: value("json_rpc_url"), keypair_path: value("keypair_path") }
    }
}

/// Returns a YAML scalar without its quotes or its comment.
fn unquote(scalar: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(rest) = scalar.strip_prefix(quote) {
            return rest.split(quote).next().unwrap_or_default();
        }
    }
    scalar.split(" #").next().unwrap_or_default().trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solana_configuration_is_parsed() {
        let written = "---\njson_rpc_url: https://api.devnet.solana.com\nwebsocket_url: ''\n\
                       keypair_path: /home/nova/.config/solana/id.json\naddress_labels:\n  \
                       '11111111111111111111111111111111': System Program\ncommitment: confirmed\n";
        let parsed = SolanaConfig::parse(written);
        assert_eq!(parsed.json_rpc_url.as_deref(), Some("https://api.devnet.solana.com"));
        assert_eq!(parsed.keypair_path.as_deref(), Some("/home/nova/.config/solana/id.json"));
        let quoted =
            "keypair_path: \"usb://ledger?key=0\"\njson_rpc_url: 'http://a:1/#b'  # mine\n";
        let parsed = SolanaConfig::parse(quoted);
        assert_eq!(parsed.keypair_path.as_deref(), Some("usb://ledger?key=0"));
        assert_eq!(parsed.json_rpc_url.as_deref(), Some("http://a:1/#b"));
        let others = ["", "json_rpc_url:\n", "keypair_path: ''\n", "  keypair_path: nested\n"];
        for none in others {
            assert_eq!(SolanaConfig::parse(none), SolanaConfig::default(), "{none}");
        }
        let plain = SolanaConfig::parse("keypair_path: a.json # mine\njson_rpc_url: http://a/#b");
        assert_eq!(plain.keypair_path.as_deref(), Some("a.json"));
        assert_eq!(plain.json_rpc_url.as_deref(), Some("http://a/#b"));
    }
}
