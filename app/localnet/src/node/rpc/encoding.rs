//! Accounts and transactions in the encodings that clients ask for.

use std::fmt::Display;

use base64::{Engine, prelude::BASE64_STANDARD};
use jsonrpc_core::{Error, ErrorCode};
use solana_account::{AccountSharedData, ReadableAccount};
use solana_account_decoder::{
    MAX_BASE58_BYTES, UiAccount, UiAccountEncoding, UiDataSliceConfig, encode_ui_account,
    parse_token::get_token_account_mint,
};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::filter::RpcFilterType;
use solana_transaction::versioned::{TransactionVersion, VersionedTransaction};
use solana_transaction_status::{TransactionBinaryEncoding, UiTransactionEncoding};
use wincode::{SchemaReadOwned, config::DefaultConfig};

use crate::node::{chain::Chain, tokens};

/// Maximum number of bytes of a legacy or version-0 transaction.
const PACKET_BYTES: usize = 1_232;
/// Maximum number of bytes of a version-1 transaction.
const LARGE_PACKET_BYTES: usize = 4_096;

/// How an account is to be encoded.
#[derive(Clone, Copy)]
pub(crate) struct AccountEncoding {
    pub(crate) encoding: UiAccountEncoding,
    pub(crate) data_slice: Option<UiDataSliceConfig>,
}

impl AccountEncoding {
    /// Returns the encoding of a request; the default is Solana's oldest, text in base58.
    pub(crate) fn new(
        encoding: Option<UiAccountEncoding>,
        data_slice: Option<UiDataSliceConfig>,
    ) -> Self {
        Self { encoding: encoding.unwrap_or(UiAccountEncoding::Binary), data_slice }
    }

    /// Encodes an account.
    ///
    /// # Errors
    /// Code -32600 if base58 is requested and the data has more than 128 bytes.
    pub(crate) fn encode(
        &self,
        chain: &Chain,
        address: &Pubkey,
        account: &AccountSharedData,
    ) -> Result<UiAccount, Error> {
        let Self { encoding, data_slice } = *self;
        let rest = account.data().len().saturating_sub(data_slice.map_or(0, |slice| slice.offset));
        let length = data_slice.map_or(rest, |slice| slice.length.min(rest));
        let is_base58 = matches!(encoding, UiAccountEncoding::Binary | UiAccountEncoding::Base58);
        if is_base58 && length > MAX_BASE58_BYTES {
            let message = format!(
                "Encoded binary (base 58) data should be less than {MAX_BASE58_BYTES} bytes, \
                 please use Base64 encoding."
            );
            return Err(Error { code: ErrorCode::InvalidRequest, message, data: None });
        }
        let additional_data = match encoding {
            UiAccountEncoding::JsonParsed => tokens::additional_data(chain, account),
            _ => None,
        };
        Ok(encode_ui_account(address, account, encoding, additional_data, data_slice))
    }
}

/// Checks filters before they are used.
///
/// # Errors
/// Code -32602 for bytes that are too many or not decodable.
pub(crate) fn check_filters(filters: &mut [RpcFilterType]) -> Result<(), Error> {
    for filter in filters {
        filter.verify().map_err(super::arguments::invalid)?;
        if let RpcFilterType::Memcmp(memcmp) = filter {
            memcmp.convert_to_raw_bytes().map_err(super::arguments::invalid)?;
        }
    }
    Ok(())
}

/// Returns whether an account passes all filters.
pub(crate) fn passes(filters: &[RpcFilterType], account: &AccountSharedData) -> bool {
    let data = account.data();
    filters.iter().all(|filter| match filter {
        RpcFilterType::DataSize(size) => data.len() as u64 == *size,
        RpcFilterType::Memcmp(memcmp) => memcmp.bytes_match(data),
        RpcFilterType::TokenAccountState => get_token_account_mint(data).is_some(),
    })
}

/// Decodes a transaction; the default encoding is base58.
///
/// # Errors
/// Code -32602 for a transaction that is malformed or larger than a packet of its version.
pub(crate) fn decode_transaction(
    text: &str,
    encoding: Option<UiTransactionEncoding>,
) -> Result<VersionedTransaction, Error> {
    let encoding = encoding.unwrap_or(UiTransactionEncoding::Base58);
    let Some(binary) = encoding.into_binary_encoding() else {
        return Err(Error::invalid_params(format!(
            "unsupported encoding: {encoding}. Supported encodings: base58, base64"
        )));
    };
    let (transaction, bytes) = decode::<VersionedTransaction>(text, binary)?;
    let most = match transaction.version() {
        TransactionVersion::Number(1) => LARGE_PACKET_BYTES,
        _ => PACKET_BYTES,
    };
    if bytes > most {
        return Err(Error::invalid_params(format!(
            "decoded transaction too large: {bytes} bytes (max: {most} bytes)"
        )));
    }
    transaction
        .sanitize()
        .map_err(|error| Error::invalid_params(format!("invalid transaction: {error}")))?;
    Ok(transaction)
}

/// Decodes what clients serialize, and returns its number of bytes.
///
/// # Errors
/// Code -32602 for anything malformed or larger than a packet.
pub(crate) fn decode<T>(
    text: &str,
    encoding: TransactionBinaryEncoding,
) -> Result<(T, usize), Error>
where
    T: SchemaReadOwned<DefaultConfig, Dst = T>,
{
    // No text of a packet in either encoding has more bytes than twice the packet's.
    if text.len() > 2 * LARGE_PACKET_BYTES {
        return Err(Error::invalid_params(format!(
            "encoded transaction too large: {} bytes",
            text.len()
        )));
    }
    let bytes = match encoding {
        TransactionBinaryEncoding::Base58 => {
            bs58::decode(text).into_vec().map_err(|error| undecodable("base58", error))?
        }
        TransactionBinaryEncoding::Base64 => {
            BASE64_STANDARD.decode(text).map_err(|error| undecodable("base64", error))?
        }
    };
    let value = wincode::deserialize(&bytes).map_err(|error| {
        Error::invalid_params(format!("failed to deserialize the transaction: {error}"))
    })?;
    Ok((value, bytes.len()))
}

fn undecodable(encoding: &str, error: impl Display) -> Error {
    Error::invalid_params(format!("invalid {encoding} encoding: {error}"))
}
