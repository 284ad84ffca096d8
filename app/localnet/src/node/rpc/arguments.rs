use std::{fmt::Display, str::FromStr, vec::IntoIter};

use jsonrpc_core::{Error, Params};
use serde::de::DeserializeOwned;
use serde_json::Value;
use solana_pubkey::Pubkey;

/// The positional arguments of a request, taken one after the other.
pub(crate) struct Arguments(IntoIter<Value>);

impl Arguments {
    /// # Errors
    /// Code -32602 for arguments by name.
    pub(crate) fn new(params: Params) -> Result<Self, Error> {
        match params {
            Params::None => Ok(Self(Vec::new().into_iter())),
            Params::Array(values) => Ok(Self(values.into_iter())),
            Params::Map(_) => Err(Error::invalid_params("Invalid params: expected an array.")),
        }
    }

    /// Returns the next argument; an absent one counts as `null`.
    pub(crate) fn next<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        serde_json::from_value(self.0.next().unwrap_or_default())
            .map_err(|error| Error::invalid_params(format!("Invalid params: {error}.")))
    }

    /// Returns the next argument, or the default if it is absent.
    pub(crate) fn optional<T: DeserializeOwned + Default>(&mut self) -> Result<T, Error> {
        Ok(self.next::<Option<T>>()?.unwrap_or_default())
    }

    /// Returns the next argument, an address in base58.
    pub(crate) fn address(&mut self) -> Result<Pubkey, Error> {
        parse(&self.next::<String>()?)
    }
}

/// Parses what clients write as text: addresses, signatures, and blockhashes.
pub(crate) fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|error| invalid(format!("{error}")))
}

/// Returns the error of an argument that is well-formed and of no use, worded as a node does.
pub(crate) fn invalid(reason: impl Display) -> Error {
    Error::invalid_params(format!("Invalid param: {reason}"))
}
