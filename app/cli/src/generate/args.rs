use std::{path::PathBuf, str::FromStr};

use clap::Args;
use motif_sdk::gateway::wire::Use;
use serde_json::Value;

use crate::{
    channel::{ChannelArgs, VoucherKeyArgs},
    reference::WorkReference,
};

/// Arguments of `motif generate`.
#[derive(Args)]
pub struct GenerateArgs {
    /// Number of generations
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub count: u32,

    /// Work to generate with, an address or a file [default: the only one that the channel licenses]
    #[arg(long, value_name = "WORK")]
    pub work: Option<WorkReference>,

    /// Index of the license on the channel, in place of --work
    #[arg(long, value_name = "INDEX")]
    pub license: Option<u16>,

    /// Licensed use, if the channel licenses a work for several: generate, style-transfer,
    /// voice-convert, train, fine-tune or play
    #[arg(long = "use", value_name = "USE")]
    pub licensed_use: Option<Use>,

    /// Prompt; the number of the generation is appended (with --through, if --count is above 1)
    #[arg(long, value_name = "TEXT", default_value = "New York, same style")]
    pub prompt: String,

    /// Write outputs into this folder
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Sign outputs with content credentials that name their receipts
    ///
    /// Takes the folder of a signing identity, as `motif credentials identity` creates it.
    #[arg(long, value_name = "DIR", requires = "output")]
    pub identity: Option<PathBuf>,

    /// Generate with the model server behind the paywall at this URL
    ///
    /// Each output is written with its receipt beside it. After a lost connection, run the same
    /// command again: it fetches what was generated and paid for. A stream starts over; the parts
    /// that were paid for are on disk.
    #[arg(long, value_name = "URL", requires = "output")]
    pub through: Option<String>,

    /// Additional field of the request to the model server: JSON, or else text
    #[arg(long = "field", value_name = "NAME=VALUE", requires = "through")]
    pub fields: Vec<Field>,

    /// Append the signed receipts to this file, one line of JSON each
    #[arg(long, value_name = "FILE")]
    pub receipts: Option<PathBuf>,

    #[command(flatten)]
    pub channel: ChannelArgs,

    #[command(flatten)]
    pub voucher_key: VoucherKeyArgs,
}

/// Field of a request to a model server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    /// JSON, or else text.
    pub value: Value,
}

impl FromStr for Field {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected NAME=VALUE such as steps=20";
        let (name, value) = text.split_once('=').ok_or(EXPECTED)?;
        if name.is_empty() {
            return Err(EXPECTED);
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
    fn field_is_json_or_else_text() {
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
