use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
use motif_sdk::{
    Pubkey,
    channel::Channel,
    gateway::wire::ReceiptParts,
    receipt::{
        SignedReceipt,
        proof::{ProofError, ReceiptProof},
    },
};
use serde_json::json;

use super::{Prover, proving::Incomplete};
use crate::{
    amount::grouped, answer::pairs, channel::Snapshot, error::CliError, reference::read_file,
    session::Session,
};

/// Which receipts, and against what.
#[derive(Args)]
pub struct VerifyArgs {
    /// Receipts, one line of JSON each, as `motif generate --receipts` writes them.
    file: PathBuf,

    /// Prove against a channel's account in a file, without asking anybody: a snapshot by
    /// `motif channel show --snapshot`.
    #[arg(long, value_name = "FILE")]
    channel_snapshot: Option<PathBuf>,
}

/// What was found out about a channel's receipts.
#[derive(Default)]
struct Findings {
    verified: usize,
    all: usize,
    amount: u64,
    first_failure: Option<String>,
}

pub async fn run(args: VerifyArgs, session: &Session) -> Result<(), CliError> {
    let mut by_channel = BTreeMap::<Pubkey, Vec<SignedReceipt>>::new();
    for signed in read(&args.file)? {
        by_channel.entry(signed.receipt.channel).or_default().push(signed);
    }
    let snapshot = args.channel_snapshot.as_deref().map(Snapshot::read).transpose()?;
    let mut findings = Findings::default();
    for (channel, receipts) in &by_channel {
        let (account, online) = match &snapshot {
            Some((address, account)) if address == channel => (*account, None),
            Some((address, _)) => {
                let what = format!("the snapshot is of {address}, and receipts are of {channel}");
                return Err(CliError::usage(what, "give the snapshot of the receipts' channel"));
            }
            None => {
                let client = session.client().await?;
                (client.channel(channel).await?.channel, Some(session))
            }
        };
        findings.add(channel, &account, receipts, online).await?;
    }
    findings.answer(session)
}

/// Receipts in a file, one line of JSON each.
///
/// # Errors
/// [`CliError::Unreadable`].
pub fn read(path: &std::path::Path) -> Result<Vec<SignedReceipt>, CliError> {
    let refuse = |reason: String| CliError::Unreadable { path: path.display().to_string(), reason };
    let text = String::from_utf8(read_file(path)?);
    let text = text.map_err(|_| refuse("it is not text".to_owned()))?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let receipts = lines.map(|(number, line)| {
        let parts: Result<ReceiptParts, _> = serde_json::from_str(line);
        let parts =
            parts.map_err(|error| refuse(format!("line {number} is no receipt: {error}")))?;
        Ok(SignedReceipt::from(&parts))
    });
    let receipts = receipts.collect::<Result<Vec<_>, CliError>>()?;
    if receipts.is_empty() { Err(refuse("it has no receipts".to_owned())) } else { Ok(receipts) }
}

impl Findings {
    /// Proves receipts from themselves where all of the channel's are there, else with proofs
    /// from its gateway; both end at the same account.
    async fn add(
        &mut self,
        channel: &Pubkey,
        account: &Channel,
        receipts: &[SignedReceipt],
        online: Option<&Session>,
    ) -> Result<(), CliError> {
        self.all += receipts.len();
        match (Prover::new(channel, account, receipts), online) {
            (Ok(prover), _) => {
                for proof in prover.proofs() {
                    self.note(&proof.signed, proof.verify(channel, account));
                }
            }
            (Err(Incomplete::Missing { .. }), Some(session)) => {
                let gateway = session.gateway().await;
                for signed in receipts {
                    let parts = gateway.proof(&signed.receipt.digest()).await?;
                    let proof = ReceiptProof::from(&parts);
                    let same = proof.signed.receipt == signed.receipt;
                    let proof = ReceiptProof { signed: *signed, ..proof };
                    let held = proof.verify(channel, account);
                    self.note(signed, if same { held } else { Err(ProofError::Mismatch) });
                }
            }
            (Err(incomplete), _) => {
                let first = format!("{incomplete}, and only the gateway can prove the others");
                self.first_failure.get_or_insert(first);
            }
        }
        Ok(())
    }

    fn note(&mut self, signed: &SignedReceipt, held: Result<(), ProofError>) {
        match held {
            Ok(()) => {
                self.verified += 1;
                self.amount = self.amount.saturating_add(signed.receipt.amount);
            }
            Err(error) => {
                let receipt = &signed.receipt;
                let place =
                    format!("statement {}, position {}", receipt.statement, receipt.position);
                self.first_failure.get_or_insert(format!("{place}: {error}"));
            }
        }
    }

    fn answer(self, session: &Session) -> Result<(), CliError> {
        let Self { verified, all, amount, first_failure } = self;
        if verified < all {
            let first = first_failure.unwrap_or("two receipts are of one position".to_owned());
            return Err(CliError::ReceiptsFailed { failed: all - verified, all, first });
        }
        let json = json!({ "receipts": all, "verified": verified, "amount": amount });
        let text = pairs([
            ("receipts", grouped(all as u64)),
            (
                "verified",
                format!("{} (signed by the operator, settled on chain)", grouped(verified as u64)),
            ),
            ("prices", grouped(amount)),
        ]);
        session.answer(&json, text);
        Ok(())
    }
}
