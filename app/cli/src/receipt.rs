//! `motif receipt`: verification of receipts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use motif_sdk::{
    Pubkey,
    bps::floor_share,
    channel::{Channel, Settlement, StatementRecord},
    gateway::{
        ProblemType,
        wire::{ReceiptParts, ReceiptProofParts},
    },
    mmr,
    operator::ReceiptKeys,
    receipt::{
        SignedReceipt,
        proof::{ProofError, ReceiptProof},
        tree::{Node, SumOverflow, Tree},
    },
    voucher::Statement,
};
use serde::Serialize;

use crate::{
    amount::{Money, Scale, grouped},
    channel::ChannelSnapshot,
    currency,
    error::CliError,
    output::pairs,
    reference::read_file,
    sale_receipt::SaleReceipts,
    session::Session,
};

/// Commands of `motif receipt`.
#[derive(Subcommand)]
pub enum ReceiptCommand {
    /// Check the signatures of receipts, and prove the receipts against their channel's account
    ///
    /// Receipts of sales without a channel are proved by their payment. Receipts of x402 and MPP are
    /// compared with them.
    Verify(VerifyArgs),
}

/// Arguments of `motif receipt verify`.
#[derive(Args)]
pub struct VerifyArgs {
    /// File of receipts, one line of JSON each, as `motif generate --receipts` writes it; for sales also
    /// the values of the headers `motif-receipt` and `payment-receipt`
    file: PathBuf,

    /// Verify offline, against a snapshot that `motif channel show --snapshot` wrote
    #[arg(long, value_name = "FILE")]
    channel_snapshot: Option<PathBuf>,
}

impl ReceiptCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Verify(args) => verify(args, session).await,
        }
    }
}

/// Output of `motif receipt verify`.
#[derive(Serialize)]
struct VerifyOutput {
    /// Different receipts.
    receipts: usize,
    /// Lines that repeat a receipt, which counts once.
    repeated: usize,
    verified: usize,
    amount: u64,
    channels: Vec<VerifiedChannel>,
    /// The amount to print, if all receipts are in one currency that is known.
    #[serde(skip)]
    prices: Option<Money>,
}

/// Channel of verified receipts.
#[derive(Serialize)]
struct VerifiedChannel {
    channel: String,
    operator: String,
    /// Works of the receipts.
    works: Vec<String>,
}

/// Result of the verification so far.
#[derive(Default)]
struct Findings {
    verified: usize,
    /// Number of the channel's statements on chain.
    settled: u64,
    /// Receipts of later statements.
    unsettled: usize,
    all: usize,
    amount: u64,
    first_failure: Option<String>,
}

async fn verify(args: VerifyArgs, session: &Session) -> Result<(), CliError> {
    if let Some(sales) = SaleReceipts::read(&args.file)? {
        return sales.verify(session).await;
    }
    let (by_channel, repeated) = distinct(read_receipts(&args.file)?);
    let snapshot = args.channel_snapshot.as_deref().map(ChannelSnapshot::read).transpose()?;
    let mut findings = Findings::default();
    let (mut scales, mut channels) = (Vec::new(), Vec::new());
    for (channel, receipts) in &by_channel {
        let (account, keys, online) = match &snapshot {
            Some((address, account, keys)) if address == channel => {
                scales.push(currency::known_scale(&account.mint));
                (*account, keys.clone(), None)
            }
            Some((address, ..)) => {
                let what = format!("the snapshot is of {address}, but receipts are of {channel}");
                return Err(CliError::usage(what, "pass the snapshot of the receipts' channel"));
            }
            None => {
                let client = session.client().await?;
                let account = client.channel(channel).await?.channel;
                let operator = client.operator(&account.operator).await?;
                scales.push(Some(currency::scale(&client, &account.mint).await?));
                (account, operator.receipt_keys, Some(session))
            }
        };
        findings.add(channel, (&account, &keys), receipts, online).await?;
        let works: BTreeSet<_> = receipts.iter().map(|signed| signed.receipt.work).collect();
        channels.push(VerifiedChannel {
            channel: channel.to_string(),
            operator: account.operator.to_string(),
            works: works.iter().map(ToString::to_string).collect(),
        });
    }
    scales.dedup();
    let Findings { verified, unsettled, all, amount, first_failure, .. } = findings;
    if first_failure.is_none() && unsettled > 0 && verified + unsettled == all {
        return Err(CliError::ReceiptsUnsettled { unsettled, all });
    }
    if verified < all {
        let first = first_failure.unwrap_or("two receipts have the same position".to_owned());
        return Err(CliError::ReceiptsFailed { failed: all - verified, all, first });
    }
    let prices = match scales.as_slice() {
        [Some(scale)] => Some(scale.money(amount)),
        _ => None,
    };
    let receipts = all;
    session.print(&VerifyOutput { receipts, repeated, verified, amount, channels, prices });
    Ok(())
}

impl fmt::Display for VerifyOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verified = grouped(self.verified as u64);
        let mut rows = vec![("receipts", grouped(self.receipts as u64))];
        if self.repeated > 0 {
            rows.push(("repeated", format!("{} (not counted)", grouped(self.repeated as u64))));
        }
        let prices = self.prices.unwrap_or(Scale::BaseUnits.money(self.amount));
        rows.extend([
            ("verified", format!("{verified} (signed by the operator, settled on chain)")),
            ("prices", prices.to_string()),
        ]);
        for VerifiedChannel { channel, operator, works } in &self.channels {
            rows.extend([("channel", channel.clone()), ("operator", operator.clone())]);
            rows.extend(works.iter().map(|work| ("work", work.clone())));
        }
        let rows: Vec<_> =
            rows.iter().map(|(name, value)| (*name, value as &dyn fmt::Display)).collect();
        formatter.write_str(&pairs(&rows))
    }
}

/// Receipts by channel, in the order of the file.
type ReceiptsByChannel = BTreeMap<Pubkey, Vec<SignedReceipt>>;

/// Groups receipts by channel, each receipt once: its first copy. Returns them with the number of
/// repetitions.
fn distinct(receipts: Vec<SignedReceipt>) -> (ReceiptsByChannel, usize) {
    let (mut by_channel, mut repeated) = (ReceiptsByChannel::new(), 0);
    let mut seen = BTreeSet::new();
    for signed in receipts {
        if seen.insert(signed.receipt.digest()) {
            by_channel.entry(signed.receipt.channel).or_default().push(signed);
        } else {
            repeated += 1;
        }
    }
    (by_channel, repeated)
}

/// Reads receipts from a file, one line of JSON each.
///
/// # Errors
/// [`CliError::Unreadable`].
pub fn read_receipts(path: &Path) -> Result<Vec<SignedReceipt>, CliError> {
    let refuse = |reason: String| CliError::unreadable(path, reason);
    let text = String::from_utf8(read_file(path)?);
    let text = text.map_err(|_| refuse("the file is not text".to_owned()))?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let receipts = lines.map(|(number, line)| {
        let parts: Result<ReceiptParts, _> = serde_json::from_str(line);
        let parts =
            parts.map_err(|error| refuse(format!("invalid receipt in line {number}: {error}")))?;
        Ok(SignedReceipt::from(&parts))
    });
    let receipts = receipts.collect::<Result<Vec<_>, CliError>>()?;
    if receipts.is_empty() {
        return Err(refuse("the file has no receipts".to_owned()));
    }
    Ok(receipts)
}

impl Findings {
    /// Verifies the receipts of one channel. With all receipts of the channel the proofs are built
    /// here; otherwise the gateway provides them: the first receipts of a statement look like a whole one.
    /// Both are checked against the same account.
    async fn add(
        &mut self,
        channel: &Pubkey,
        (account, keys): (&Channel, &ReceiptKeys),
        receipts: &[SignedReceipt],
        online: Option<&Session>,
    ) -> Result<(), CliError> {
        self.all += receipts.len();
        self.settled = account.statements.length;
        match (Prover::new(channel, account, receipts), online) {
            (Ok(prover), _) => {
                let mut unsettled = Vec::new();
                for proof in prover.proofs() {
                    match (proof.verify(channel, account, keys), online) {
                        (Err(ProofError::NotSettled), Some(_)) => unsettled.push(proof.signed),
                        (result, _) => self.note(&proof.signed, result),
                    }
                }
                if let Some(session) = online.filter(|_| !unsettled.is_empty()) {
                    self.ask(session, &unsettled, (channel, account, keys)).await?;
                }
            }
            (Err(ProverError::Missing { .. }), Some(session)) => {
                self.ask(session, receipts, (channel, account, keys)).await?;
            }
            (Err(error), _) => {
                let first = format!("{error}; the gateway can prove the others");
                self.first_failure.get_or_insert(first);
            }
        }
        Ok(())
    }

    /// Verifies receipts with proofs of the channel's gateway.
    async fn ask(
        &mut self,
        session: &Session,
        receipts: &[SignedReceipt],
        of: (&Pubkey, &Channel, &ReceiptKeys),
    ) -> Result<(), CliError> {
        let gateway = session.gateway().await;
        for signed in receipts {
            let result = match gateway.proof(&signed.receipt.digest()).await {
                Ok(parts) => verify_with(&parts, signed, of),
                Err(error) if error.problem_type() == Some(ProblemType::ReceiptNotSettled) => {
                    Err(ProofError::NotSettled)
                }
                Err(error) => return Err(error.into()),
            };
            self.note(signed, result);
        }
        Ok(())
    }

    fn note(&mut self, signed: &SignedReceipt, result: Result<(), ProofError>) {
        match result {
            Ok(()) => {
                self.verified += 1;
                self.amount = self.amount.saturating_add(signed.receipt.amount);
            }
            Err(ProofError::NotSettled) if signed.receipt.statement >= self.settled => {
                self.unsettled += 1;
            }
            Err(error) => {
                let (statement, position) = (signed.receipt.statement, signed.receipt.position);
                self.first_failure
                    .get_or_insert(format!("statement {statement}, position {position}: {error}"));
            }
        }
    }
}

/// Verifies a receipt with the gateway's proof.
fn verify_with(
    parts: &ReceiptProofParts,
    signed: &SignedReceipt,
    (channel, account, keys): (&Pubkey, &Channel, &ReceiptKeys),
) -> Result<(), ProofError> {
    let proof = ReceiptProof::from(parts);
    if proof.signed.receipt != signed.receipt {
        return Err(ProofError::Mismatch);
    }
    ReceiptProof { signed: *signed, ..proof }.verify(channel, account, keys)
}

/// Proves receipts against their channel's account, given all receipts of the channel.
pub struct Prover {
    statements: Vec<ProvableStatement>,
    record_hashes: Vec<[u8; 32]>,
}

struct ProvableStatement {
    receipts: Vec<SignedReceipt>,
    tree: Tree,
    record: StatementRecord,
}

/// Error returned when proofs cannot be built from a set of receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProverError {
    #[error("receipts of statement {statement} are missing")]
    Missing { statement: u64 },
    #[error("there are no receipts")]
    Empty,
    #[error("the receipts of a statement have more units than a statement can hold")]
    Units,
    #[error(transparent)]
    Sum(#[from] SumOverflow),
}

impl Prover {
    /// Rebuilds every statement up to the newest one that has a receipt.
    ///
    /// # Errors
    /// [`ProverError`].
    pub fn new(
        channel: &Pubkey,
        account: &Channel,
        receipts: &[SignedReceipt],
    ) -> Result<Self, ProverError> {
        let mut by_statement = BTreeMap::<u64, BTreeMap<u32, SignedReceipt>>::new();
        for signed in receipts {
            let statement = by_statement.entry(signed.receipt.statement).or_default();
            statement.insert(signed.receipt.position, *signed);
        }
        let mut prover = Self { statements: Vec::new(), record_hashes: Vec::new() };
        let mut prices_before = 0;
        for (number, (statement, receipts)) in (0..).zip(by_statement) {
            let complete = (0..).zip(receipts.keys()).all(|(place, position)| place == *position);
            if statement != number || !complete {
                return Err(ProverError::Missing { statement: number });
            }
            let receipts: Vec<_> = receipts.into_values().collect();
            let rebuilt = ProvableStatement::rebuild(channel, account, receipts, prices_before)?;
            prices_before += rebuilt.record.settlement.prices;
            prover.record_hashes.push(rebuilt.record.hash());
            prover.statements.push(rebuilt);
        }
        if prover.statements.is_empty() { Err(ProverError::Empty) } else { Ok(prover) }
    }

    /// Returns the proof of every receipt, in order of statement and position.
    pub fn proofs(&self) -> impl Iterator<Item = ReceiptProof> + '_ {
        self.statements.iter().enumerate().flat_map(|(number, statement)| {
            let range_siblings = mmr::siblings(&self.record_hashes, number).unwrap_or_default();
            statement.receipts.iter().enumerate().map(move |(position, signed)| ReceiptProof {
                signed: *signed,
                siblings: statement.tree.siblings(position).unwrap_or_default(),
                record: statement.record,
                range_siblings: range_siblings.clone(),
            })
        })
    }

    /// Returns the number of receipts that verify, and the error of the first that does not.
    pub fn verify(
        &self,
        channel: &Pubkey,
        account: &Channel,
        keys: &ReceiptKeys,
    ) -> (usize, Option<ProofError>) {
        let mut verified = 0;
        let mut first_failure = None;
        for proof in self.proofs() {
            match proof.verify(channel, account, keys) {
                Ok(()) => verified += 1,
                Err(error) => first_failure = first_failure.or(Some(error)),
            }
        }
        (verified, first_failure)
    }
}

impl ProvableStatement {
    fn rebuild(
        channel: &Pubkey,
        account: &Channel,
        receipts: Vec<SignedReceipt>,
        prices_before: u64,
    ) -> Result<Self, ProverError> {
        let mut statement = Statement::default();
        let mut leaves = Vec::with_capacity(receipts.len());
        for SignedReceipt { receipt, .. } in &receipts {
            statement.add(receipt.license, receipt.units).map_err(|_| ProverError::Units)?;
            leaves.push(Node::leaf(&receipt.digest(), receipt.amount));
        }
        let tree = Tree::new(leaves)?.ok_or(ProverError::Empty)?;
        let prices = tree.root().sum;
        let total = prices_before.checked_add(prices).ok_or(SumOverflow)?;
        let fees = |prices| floor_share(prices, account.operator_fee_bps);
        let newest = receipts.last().ok_or(ProverError::Empty)?.receipt;
        let record = StatementRecord {
            channel: *channel,
            opened_slot: account.opened_slot,
            settlement: Settlement {
                statement: newest.statement,
                prices,
                fee: fees(total) - fees(prices_before), // floors of a growing total
                cumulative: newest.cumulative,
            },
            statement_digest: statement.digest(),
            receipts_root: Some(tree.root().hash),
        };
        Ok(Self { receipts, tree, record })
    }
}
