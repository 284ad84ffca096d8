use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::samples::SampleWork;
use crate::output::{pairs, table};

/// What `motif up` runs, and where.
#[derive(Serialize)]
pub struct UpOutput {
    /// `None` if the gateway of this build serves no studio.
    pub studio_url: Option<String>,
    pub api_url: String,
    pub paywall_url: String,
    pub model_server_url: String,
    pub rpc_url: String,
    pub ws_url: String,
    pub folder: PathBuf,
    /// Whether the folder outlives the process.
    pub folder_is_kept: bool,
    pub test_dollar: String,
    pub keypairs: Vec<KeypairOutput>,
    pub works: Vec<SampleWork>,
    /// Command that buys a picture.
    pub pay: String,
    /// Command that asks the paywall for the price of a picture.
    pub curl: String,
}

/// Keypair file of a person or process.
#[derive(Serialize)]
pub struct KeypairOutput {
    pub name: &'static str,
    pub address: String,
    pub file: PathBuf,
}

impl UpOutput {
    /// Returns the command that buys a picture with a keypair.
    pub fn pay_command(paywall: &str, rpc: &str, gateway: &str, keypair: &Path) -> String {
        let keypair = quoted(&keypair.display().to_string());
        format!(
            "motif pay {paywall}/pictures {REQUEST} --deposit 1 --max-price 0.02 --output picture.png \
             --rpc-url {rpc} --gateway-url {gateway} --keypair {keypair}"
        )
    }

    /// Returns the command that asks for the price of a picture.
    pub fn curl_command(paywall: &str) -> String {
        format!("curl -i {paywall}/pictures {REQUEST}")
    }
}

/// Header and body of a request for a picture, as options of `motif pay` and of curl.
const REQUEST: &str =
    r#"-H 'content-type: application/json' -d '{"prompt":"New York, same style"}'"#;

/// Quotes an argument for a shell, if it needs quotes.
fn quoted(argument: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%".contains(&byte);
    match !argument.is_empty() && argument.bytes().all(is_plain) {
        true => argument.to_owned(),
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    }
}

impl fmt::Display for UpOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = if self.folder_is_kept { "kept" } else { "removed at the end" };
        let folder = format!("{} ({kept})", self.folder.display());
        let mut places: Vec<(&str, &dyn fmt::Display)> = Vec::new();
        if let Some(studio) = &self.studio_url {
            places.push(("studio", studio));
        }
        let rest: [(&str, &dyn fmt::Display); 7] = [
            ("API", &self.api_url),
            ("paywall", &self.paywall_url),
            ("model server", &self.model_server_url),
            ("JSON-RPC", &self.rpc_url),
            ("websocket", &self.ws_url),
            ("test dollar", &self.test_dollar),
            ("folder", &folder),
        ];
        places.extend(rest);
        let keypairs = self.keypairs.iter().map(|keypair| {
            let file = keypair.file.file_name().unwrap_or_default().to_string_lossy();
            [keypair.name.to_owned(), keypair.address.clone(), file.into_owned()]
        });
        let keypairs = table(["keypair", "address", "file in the folder"], &[], keypairs);
        let works = self.works.iter().map(|sample| {
            let price = format!("{} per {}", sample.price, sample.unit);
            [
                sample.title.to_owned(),
                sample.kind.to_string(),
                sample.licensed_use.to_string(),
                price,
                sample.work.clone(),
            ]
        });
        let works = table(["work", "kind", "use", "price", "address"], &[], works);
        write!(
            formatter,
            "everything is ready; Ctrl-C stops it, and the chain ends with it\n{}\n\n{keypairs}\n\n{works}\n\n\
             buy a picture as the platform:\n{}\n\nsee what a client is asked for:\n{}",
            pairs(&places),
            self.pay,
            self.curl
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_with_quote_is_one_argument() {
        assert_eq!(quoted("/tmp/a-1/b.json"), "/tmp/a-1/b.json");
        assert_eq!(quoted("/a b/it's"), r"'/a b/it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
