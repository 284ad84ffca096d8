//! Methods that send, simulate and read transactions.

use jsonrpc_core::{Error, ErrorCode};
use serde_json::Value;
use solana_account::AccountSharedData;
use solana_message::{AccountKeys, VersionedMessage};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::{
    config::{
        RpcContextConfig, RpcEncodingConfigWrapper, RpcSendTransactionConfig,
        RpcSignaturesForAddressConfig, RpcSimulateTransactionAccountsConfig,
        RpcSimulateTransactionConfig, RpcTransactionConfig,
    },
    custom_error::RpcCustomError,
    response::{
        RpcBlockhash, RpcConfirmedTransactionStatusWithSignature, RpcSimulateTransactionResult,
        UiAccount, UiAccountEncoding,
    },
};
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_status::{
    ConfirmedTransactionWithStatusMeta, TransactionBinaryEncoding, TransactionConfirmationStatus,
    TransactionStatus, TransactionWithStatusMeta, UiTransactionEncoding, extract_and_fmt_memos,
    map_inner_instructions, parse_ui_inner_instructions,
};

use super::{
    Arguments, Method, answer, answer_at,
    arguments::{invalid, parse},
    check_slot,
    encoding::{AccountEncoding, decode, decode_transaction},
};
use crate::node::{
    chain::{Chain, Simulation},
    ledger::Record,
};

pub(super) const METHODS: &[Method] = &[
    ("getFeeForMessage", fee_for_message),
    ("getSignatureStatuses", signature_statuses),
    ("getSignaturesForAddress", signatures_for_address),
    ("getTransaction", transaction),
    ("requestAirdrop", request_airdrop),
    ("sendTransaction", send_transaction),
    ("simulateTransaction", simulate_transaction),
];

/// Maximum number of signatures of `getSignatureStatuses`.
const MAX_SIGNATURE_STATUSES: usize = 256;
/// Maximum number of results of `getSignaturesForAddress`.
const MAX_SIGNATURES_FOR_ADDRESS: usize = 1_000;

fn fee_for_message(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let text: String = arguments.next()?;
    let config: RpcContextConfig = arguments.optional()?;
    check_slot(chain, config.min_context_slot)?;
    let (message, _) = decode::<VersionedMessage>(&text, TransactionBinaryEncoding::Base64)?;
    message.sanitize().map_err(invalid)?;
    let fee = match chain.blockhashes().contains(message.recent_blockhash()) {
        true => Some(chain.fee(message).map_err(invalid)?),
        false => None,
    };
    answer_at(chain.slot(), fee)
}

fn signature_statuses(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let signatures: Vec<String> = arguments.next()?;
    if signatures.len() > MAX_SIGNATURE_STATUSES {
        return Err(Error::invalid_params(format!(
            "Too many inputs provided; max {MAX_SIGNATURE_STATUSES}"
        )));
    }
    let statuses = signatures.iter().map(|signature| {
        let signature: Signature = parse(signature)?;
        Ok(chain.ledger().get(&signature).map(status))
    });
    answer_at(chain.slot(), statuses.collect::<Result<Vec<_>, Error>>()?)
}

fn status(record: &Record) -> TransactionStatus {
    let status = record.transaction.meta.status.clone();
    TransactionStatus {
        slot: record.slot,
        confirmations: None,
        err: status.clone().err(),
        status,
        confirmation_status: Some(TransactionConfirmationStatus::Finalized),
    }
}

fn signatures_for_address(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let address = arguments.address()?;
    let config: RpcSignaturesForAddressConfig = arguments.optional()?;
    check_slot(chain, config.min_context_slot)?;
    let limit = config.limit.unwrap_or(MAX_SIGNATURES_FOR_ADDRESS);
    if limit == 0 || limit > MAX_SIGNATURES_FOR_ADDRESS {
        return Err(Error::invalid_params(format!(
            "Invalid limit; max {MAX_SIGNATURES_FOR_ADDRESS}"
        )));
    }
    let before: Option<Signature> = config.before.as_deref().map(parse).transpose()?;
    let until: Option<Signature> = config.until.as_deref().map(parse).transpose()?;
    let records = chain.ledger().of_address(&address);
    let is_after = |record: &&Record| before.is_some_and(|before| record.signature() != before);
    let mut records = records.skip_while(is_after);
    if before.is_some() {
        records.next();
    }
    let rows = records
        .take_while(|record| until.is_none_or(|until| record.signature() != until))
        .take(limit)
        .map(|record| RpcConfirmedTransactionStatusWithSignature {
            signature: record.signature().to_string(),
            slot: record.slot,
            err: record.transaction.meta.status.clone().err().map(Into::into),
            memo: extract_and_fmt_memos(&record.transaction),
            block_time: Some(record.unix_timestamp),
            confirmation_status: Some(TransactionConfirmationStatus::Finalized),
            transaction_index: Some(0),
        });
    answer(rows.collect::<Vec<_>>())
}

fn transaction(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let signature: Signature = parse(&arguments.next::<String>()?)?;
    let config: RpcEncodingConfigWrapper<RpcTransactionConfig> = arguments.next()?;
    let config = config.convert_to_current();
    let Some(record) = chain.ledger().get(&signature) else { return Ok(Value::Null) };
    let confirmed = ConfirmedTransactionWithStatusMeta {
        slot: record.slot,
        tx_with_meta: TransactionWithStatusMeta::Complete(record.transaction.clone()),
        block_time: Some(record.unix_timestamp),
        index: 0,
    };
    let encoding = config.encoding.unwrap_or(UiTransactionEncoding::Json);
    let encoded = confirmed
        .encode(encoding, config.max_supported_transaction_version)
        .map_err(RpcCustomError::from)?;
    answer(encoded)
}

fn request_airdrop(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let (address, lamports) = (arguments.address()?, arguments.next()?);
    let signature = chain.airdrop(&address, lamports).map_err(|error| Error {
        code: ErrorCode::InternalError,
        message: format!("the faucet's transfer fails: {error}"),
        data: None,
    })?;
    answer(signature.to_string())
}

fn send_transaction(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let text: String = arguments.next()?;
    let config: RpcSendTransactionConfig = arguments.optional()?;
    let transaction = decode_transaction(&text, config.encoding)?;
    let signature = transaction.signatures.first().copied().unwrap_or_default();
    let verified = verify_signatures(&transaction);
    if !config.skip_preflight {
        verified?;
        check_slot(chain, config.min_context_slot)?;
        let simulation = chain.simulate(&transaction);
        if let Err(error) = &simulation.result {
            let message = format!("Transaction simulation failed: {error}");
            let result = simulation_result(simulation);
            return Err(RpcCustomError::SendTransactionPreflightFailure { message, result }.into());
        }
    } else if verified.is_err() {
        tracing::debug!(%signature, "dropped a transaction with an invalid signature");
        return answer(signature.to_string());
    }
    // A node answers before the transaction lands.
    if let Err(error) = chain.process(transaction) {
        tracing::debug!(%signature, %error, "dropped a transaction");
    }
    answer(signature.to_string())
}

fn simulate_transaction(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let text: String = arguments.next()?;
    let config: RpcSimulateTransactionConfig = arguments.optional()?;
    let mut transaction = decode_transaction(&text, config.encoding)?;
    check_slot(chain, config.min_context_slot)?;
    if config.sig_verify && config.replace_recent_blockhash {
        return Err(Error::invalid_params("sigVerify may not be used with replaceRecentBlockhash"));
    }
    let mut replacement_blockhash = None;
    if config.replace_recent_blockhash {
        let (blockhash, last_valid_block_height) = chain.blockhashes().latest();
        transaction.message.set_recent_blockhash(blockhash);
        replacement_blockhash =
            Some(RpcBlockhash { blockhash: blockhash.to_string(), last_valid_block_height });
    }
    if config.sig_verify {
        verify_signatures(&transaction)?;
    }

    let mut simulation = chain.simulate(&transaction);
    let accounts = config.accounts.map(|wanted| simulated_accounts(chain, &simulation, wanted));
    let accounts = accounts.transpose()?;
    let inner_instructions = config.inner_instructions.then(|| {
        let list = std::mem::take(&mut simulation.metadata.inner_instructions);
        let fixed = transaction.message.static_account_keys();
        let keys = AccountKeys::new(fixed, Some(&simulation.loaded));
        map_inner_instructions(list)
            .map(|inner| parse_ui_inner_instructions(inner, &keys))
            .collect()
    });
    let result = simulation_result(simulation);
    let result = RpcSimulateTransactionResult {
        accounts,
        inner_instructions,
        replacement_blockhash,
        ..result
    };
    answer_at(chain.slot(), result)
}

fn verify_signatures(transaction: &VersionedTransaction) -> Result<(), Error> {
    match transaction.verify_with_results().iter().all(|is_valid| *is_valid) {
        true => Ok(()),
        false => Err(RpcCustomError::TransactionSignatureVerificationFailure.into()),
    }
}

/// Returns the accounts that a client wants to see as a simulation leaves them.
fn simulated_accounts(
    chain: &Chain,
    simulation: &Simulation,
    wanted: RpcSimulateTransactionAccountsConfig,
) -> Result<Vec<Option<UiAccount>>, Error> {
    let encoding =
        AccountEncoding::new(Some(wanted.encoding.unwrap_or(UiAccountEncoding::Base64)), None);
    let read = |text: &String| {
        let address: Pubkey = parse(text)?;
        let changed = simulation.accounts.iter().find(|(changed, _)| *changed == address);
        let account: Option<&AccountSharedData> = match changed {
            Some((_, account)) => Some(account),
            None => chain.account(&address),
        };
        account.map(|account| encoding.encode(chain, &address, account)).transpose()
    };
    wanted.addresses.iter().map(read).collect()
}

fn simulation_result(simulation: Simulation) -> RpcSimulateTransactionResult {
    let Simulation { result, metadata, loaded, before, after, .. } = simulation;
    let tokens = |tokens: Vec<_>| Some(tokens.into_iter().map(Into::into).collect());
    RpcSimulateTransactionResult {
        err: result.err().map(Into::into),
        logs: Some(metadata.logs),
        accounts: None,
        units_consumed: Some(metadata.compute_units_consumed),
        loaded_accounts_data_size: None,
        return_data: (!metadata.return_data.data.is_empty()).then(|| metadata.return_data.into()),
        inner_instructions: None,
        replacement_blockhash: None,
        fee: Some(metadata.fee),
        pre_balances: Some(before.lamports),
        post_balances: Some(after.lamports),
        pre_token_balances: tokens(before.tokens),
        post_token_balances: tokens(after.tokens),
        loaded_addresses: Some((&loaded).into()),
    }
}
