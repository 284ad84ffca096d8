use anchor_lang::error::ErrorCode;
use licensing::LicensingError;
use litesvm::types::{FailedTransactionMetadata, TransactionResult};
use payments::PaymentsError;
use solana_instruction::error::InstructionError;
use solana_pubkey::Pubkey;
use solana_transaction::TransactionError;

/// Error code of a program. Equal numbers of other programs are different errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    program: Option<Pubkey>,
    number: u32,
}

impl From<PaymentsError> for Code {
    fn from(error: PaymentsError) -> Self {
        Self { program: Some(payments::ID), number: error.into() }
    }
}

impl From<LicensingError> for Code {
    fn from(error: LicensingError) -> Self {
        Self { program: Some(licensing::ID), number: error.into() }
    }
}

impl From<ErrorCode> for Code {
    /// Creates the code of an Anchor error, from either program.
    fn from(error: ErrorCode) -> Self {
        Self { program: None, number: error.into() }
    }
}

impl From<(Pubkey, u32)> for Code {
    /// Creates the code of another program's error.
    fn from((program, number): (Pubkey, u32)) -> Self {
        Self { program: Some(program), number }
    }
}

impl Code {
    /// Rejection by the runtime, without a program's error code.
    pub const RUNTIME: Self = Self { program: None, number: u32::MAX };

    /// Returns the error code of a rejected transaction; `None` if the runtime rejected it.
    pub fn of(failed: &FailedTransactionMetadata) -> Option<Self> {
        let TransactionError::InstructionError(_, InstructionError::Custom(number)) = failed.err
        else {
            return None;
        };
        let by = failed.meta.logs.iter().find_map(|line| {
            let (program, why) = line.strip_prefix("Program ")?.split_once(' ')?;
            why.starts_with("failed").then(|| program.parse::<Pubkey>().ok())?
        })?;
        // Codes below 6,000 are Anchor's, in both programs.
        let anchor = [payments::ID, licensing::ID].contains(&by) && number < 6_000;
        Some(Self { program: (!anchor).then_some(by), number })
    }

    /// Returns the number.
    pub fn number(&self) -> u32 {
        self.number
    }
}

/// Outcome of a call.
#[must_use = "assert what became of it"]
pub struct Outcome {
    result: TransactionResult,
}

/// Accepted call.
#[derive(Clone, Debug)]
pub struct Landed {
    /// Compute units of the transaction.
    pub compute_units: u64,
    /// Log lines of the programs.
    pub logs: Vec<String>,
    /// Fee, lamports.
    pub fee: u64,
}

impl Landed {
    /// Returns the compute units of the first call of a program, including its own calls.
    #[track_caller]
    pub fn units_of(&self, program: &Pubkey) -> u64 {
        let start = format!("Program {program} consumed ");
        let line = self.logs.iter().find_map(|line| line.strip_prefix(&start));
        let units = line.and_then(|line| line.split(' ').next()?.parse().ok());
        units.expect("a log line with the compute units of the program")
    }
}

impl Outcome {
    pub(super) fn new(result: TransactionResult) -> Self {
        Self { result }
    }

    /// Returns whether the call was accepted.
    pub fn is_ok(&self) -> bool {
        self.result.is_ok()
    }

    /// Returns the error of a rejected call and the program; `None` if it was accepted.
    pub fn refusal(&self) -> Option<(TransactionError, Option<Pubkey>)> {
        let failed = self.result.as_ref().err()?;
        let by = refuser(&failed.meta.logs).and_then(|program| program.parse().ok());
        Some((failed.err.clone(), by))
    }

    /// Asserts that the call was accepted.
    #[track_caller]
    pub fn assert_ok(self) -> Landed {
        match self.result {
            Ok(meta) => Landed {
                compute_units: meta.compute_units_consumed,
                logs: meta.logs,
                fee: meta.fee,
            },
            Err(failed) => panic!("refused: {:?}\n{}", failed.err, failed.meta.logs.join("\n")),
        }
    }

    /// Asserts that the error's program rejected the call with exactly this error.
    #[track_caller]
    pub fn assert_err(self, expected: impl Into<Code>) {
        let Code { program, number } = expected.into();
        let failed = self.refused();
        let logs = failed.meta.logs.join("\n");
        let TransactionError::InstructionError(_, InstructionError::Custom(code)) = failed.err
        else {
            panic!("expected error {number}, got {:?}\n{logs}", failed.err);
        };
        assert_eq!(code, number, "another error than expected\n{logs}");
        let by = refuser(&failed.meta.logs).expect("a log line that says which program failed");
        let ours = [payments::ID.to_string(), licensing::ID.to_string()];
        match program {
            Some(program) => assert_eq!(by, program.to_string(), "{logs}"),
            None => assert!(ours.iter().any(|id| id == by), "{by} answered {number}\n{logs}"),
        }
    }

    /// Asserts that the runtime rejected the call with this error.
    #[track_caller]
    pub fn assert_refused(self, expected: &TransactionError) {
        let failed = self.refused();
        assert_eq!(failed.err, *expected, "{}", failed.meta.logs.join("\n"));
    }

    /// Asserts that the call was rejected; returns the log lines of the programs.
    #[track_caller]
    pub fn refusal_logs(self) -> Vec<String> {
        self.refused().meta.logs
    }

    #[track_caller]
    fn refused(self) -> litesvm::types::FailedTransactionMetadata {
        match self.result {
            Ok(meta) => panic!("accepted, but should have been refused\n{}", meta.logs.join("\n")),
            Err(failed) => failed,
        }
    }
}

/// Returns the program that failed first.
fn refuser(logs: &[String]) -> Option<&str> {
    logs.iter().find_map(|line| {
        let (program, why) = line.strip_prefix("Program ")?.split_once(' ')?;
        why.starts_with("failed").then_some(program)
    })
}
