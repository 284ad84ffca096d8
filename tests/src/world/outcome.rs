use anchor_lang::error::ErrorCode;
use licensing::LicensingError;
use litesvm::types::{FailedTransactionMetadata, TransactionResult};
use payments::PaymentsError;
use solana_instruction::error::InstructionError;
use solana_pubkey::Pubkey;
use solana_transaction::TransactionError;

/// An error a program answers with, and which program: equal numbers mean other things elsewhere.
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
    /// Anchor's own, from either of the two programs.
    fn from(error: ErrorCode) -> Self {
        Self { program: None, number: error.into() }
    }
}

impl From<(Pubkey, u32)> for Code {
    /// Another program's.
    fn from((program, number): (Pubkey, u32)) -> Self {
        Self { program: Some(program), number }
    }
}

impl Code {
    /// A rejection by the runtime itself, without a program's error code.
    pub const RUNTIME: Self = Self { program: None, number: u32::MAX };

    /// The code a transaction was refused with; `None` where the runtime itself refused it.
    pub fn of(failed: &FailedTransactionMetadata) -> Option<Self> {
        let TransactionError::InstructionError(_, InstructionError::Custom(number)) = failed.err
        else {
            return None;
        };
        let by = failed.meta.logs.iter().find_map(|line| {
            let (program, why) = line.strip_prefix("Program ")?.split_once(' ')?;
            why.starts_with("failed").then(|| program.parse::<Pubkey>().ok())?
        })?;
        // Below 6,000 the framework speaks, whichever of the two programs it is in.
        let anchor = [payments::ID, licensing::ID].contains(&by) && number < 6_000;
        Some(Self { program: (!anchor).then_some(by), number })
    }

    /// The number alone.
    pub fn number(&self) -> u32 {
        self.number
    }
}

/// What became of a call.
#[must_use = "assert what became of it"]
pub struct Outcome {
    result: TransactionResult,
}

/// A call that was accepted.
#[derive(Clone, Debug)]
pub struct Landed {
    /// Of the whole transaction.
    pub compute_units: u64,
    /// What the programs logged.
    pub logs: Vec<String>,
    /// Lamports.
    pub fee: u64,
}

impl Landed {
    /// Compute units of the first call of a program, with all it called.
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

    /// Whether it was accepted.
    pub fn is_ok(&self) -> bool {
        self.result.is_ok()
    }

    /// Why it was refused, and which program refused it; `None` when it was accepted.
    pub fn refusal(&self) -> Option<(TransactionError, Option<Pubkey>)> {
        let failed = self.result.as_ref().err()?;
        let by = refuser(&failed.meta.logs).and_then(|program| program.parse().ok());
        Some((failed.err.clone(), by))
    }

    /// It was accepted.
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

    /// It was refused with exactly this error, by the program the error belongs to.
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

    /// It was refused by the runtime itself, with this error.
    #[track_caller]
    pub fn assert_refused(self, expected: &TransactionError) {
        let failed = self.refused();
        assert_eq!(failed.err, *expected, "{}", failed.meta.logs.join("\n"));
    }

    /// It was refused; returns what the programs logged.
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

/// The program that failed first: the one that answered.
fn refuser(logs: &[String]) -> Option<&str> {
    logs.iter().find_map(|line| {
        let (program, why) = line.strip_prefix("Program ")?.split_once(' ')?;
        why.starts_with("failed").then_some(program)
    })
}
