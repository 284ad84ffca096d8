//! What a node's error says about a request.

use motif_sdk::Refusal;
use solana_instruction::error::InstructionError;
use solana_rpc_client_api::{
    client_error::{Error as ClientError, ErrorKind},
    request::RpcError,
};
use solana_transaction::TransactionError;

/// Error code of a node that has not reached the requested slot.
const MIN_CONTEXT_SLOT_NOT_REACHED: i64 = -32_016;

/// Maximum length of a reason, characters.
const MAX_REASON: usize = 400;
/// Begins the lines that programs log.
const LOGGED: &str = "Program log: ";

/// Returns why a transaction was rejected, in words: the error of Motif's programs with its name, or else the
/// runtime's with the last line that says what failed. Nothing else of the log is in it.
pub(super) fn reason(refusal: &Refusal) -> String {
    let words = match (&refusal.name, last_words(&refusal.logs)) {
        (None, Some(line)) => format!("{}: {line}", refusal.message),
        _ => refusal.to_string(),
    };
    words.chars().take(MAX_REASON).collect()
}

/// Returns the last line of a log that is no report of the runtime about a program.
fn last_words(logs: &[String]) -> Option<&str> {
    let is_report = |line: &&str| !line.starts_with(LOGGED) && line.starts_with("Program ");
    let mut lines = logs.iter().rev().map(|line| line.trim());
    let line =
        lines.find(|line| !line.is_empty() && *line != "Log truncated" && !is_report(line))?;
    Some(line.strip_prefix(LOGGED).unwrap_or(line))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(message: &str, logs: &[&str]) -> Refusal {
        let logs = logs.iter().map(|line| (*line).to_owned()).collect();
        Refusal { code: Some(1), name: None, message: message.to_owned(), logs }
    }

    #[test]
    fn own_error_is_named_without_log() {
        let name = Some("DuplicateUse".to_owned());
        let own = Refusal { name, ..refusal("a use may be priced only once", &["Program log: x"]) };
        assert_eq!(reason(&own), "a use may be priced only once (DuplicateUse, 1)");
    }

    #[test]
    fn foreign_error_has_last_words() {
        let error = "Error processing Instruction 0: custom program error: 0x1";
        for (line, words) in [
            ("Program log: Error: insufficient funds", "Error: insufficient funds"),
            (
                "Transfer: insufficient lamports 1, need 5",
                "Transfer: insufficient lamports 1, need 5",
            ),
        ] {
            let logs = [
                "Program A invoke [1]",
                "Program log: Instruction: Transfer",
                line,
                "Program A consumed 400 of 1000 compute units",
                "Program return: A AAAA",
                "Program A failed: custom program error: 0x1",
            ];
            assert_eq!(reason(&refusal(error, &logs)), format!("{error}: {words}"));
        }
        assert_eq!(reason(&refusal(error, &["Program A invoke [1]"])), error);
    }

    #[test]
    fn long_log_is_bounded() {
        let line = format!("Program log: {}", "é".repeat(10_000));
        let told = reason(&refusal("it failed", &vec![&line[..]; 100]));
        assert_eq!(told.chars().count(), MAX_REASON);
    }
}
