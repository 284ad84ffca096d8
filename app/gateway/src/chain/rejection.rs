//! What a node's error says about a request.

use solana_instruction::error::InstructionError;
use solana_rpc_client_api::{
    client_error::{Error as ClientError, ErrorKind},
    request::RpcError,
};
use solana_transaction::TransactionError;

/// Error code of a node that has not reached the requested slot.
const MIN_CONTEXT_SLOT_NOT_REACHED: i64 = -32_016;

/// Returns whether a node did not respond.
pub(super) fn is_silent(error: &ClientError) -> bool {
    !matches!(error.kind(), ErrorKind::RpcError(RpcError::RpcResponseError { .. }))
}

/// Returns whether a node has not reached the requested slot.
pub(super) fn is_behind(error: &ClientError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::RpcError(RpcError::RpcResponseError { code, .. })
            if *code == MIN_CONTEXT_SLOT_NOT_REACHED
    )
}

/// Returns whether a request did not reach the node.
pub(super) fn never_left(error: &ClientError) -> bool {
    matches!(error.kind(), ErrorKind::Reqwest(error) if error.is_connect())
}

/// Returns whether a node's preflight check rejected a transaction.
pub(super) fn is_refusal(error: &ClientError) -> bool {
    match error.get_transaction_error() {
        // Both indicate a node that is behind another one.
        Some(TransactionError::AlreadyProcessed | TransactionError::BlockhashNotFound) | None => {
            false
        }
        Some(_) => true,
    }
}

/// Returns the error code of the program that rejected a transaction.
pub(super) fn program_code(error: &TransactionError) -> Option<u32> {
    match error {
        TransactionError::InstructionError(_, InstructionError::Custom(code)) => Some(*code),
        _ => None,
    }
}
