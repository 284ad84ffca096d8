//! `motif earnings audit`: proof that the receipts of a work are all that it was credited for.

use std::{collections::BTreeMap, fmt};

use clap::Args;
use motif_sdk::{
    Pubkey,
    channel::ChannelAccount,
    gateway::{
        GatewayClient,
        wire::{PersonProof, WorkReceipts},
    },
    operator::ReceiptKeys,
    receipt::{SignedReceipt, proof::ReceiptProof},
};
use serde::Serialize;

use crate::{
    amount::{Money, grouped},
    currency::Scales,
    error::CliError,
    output::table,
    person::prove,
    reference::WorkArgs,
    session::Session,
};

/// Maximum number of receipts of one answer.
const PAGE: u32 = 1_000;

/// Arguments of `motif earnings audit`.
#[derive(Args)]
pub struct AuditArgs {
    #[command(flatten)]
    work: WorkArgs,
}

/// Output of `motif earnings audit`.
#[derive(Serialize)]
struct AuditOutput {
    work: String,
    operator: String,
    channels: Vec<AuditedChannel>,
}

/// Receipts of the work on one channel.
#[derive(Serialize)]
struct AuditedChannel {
    channel: String,
    payer: String,
    /// Proved receipts of settled statements.
    receipts: u64,
    /// Sum of their prices.
    proved: Money,
    /// What the chain credited to the work from the channel.
    credited: Money,
}

/// Proves the receipts of a work on every channel of the gateway's operator, and compares their sums with what
/// each license was settled for on chain.
///
/// # Errors
/// [`CliError::ReceiptsFailed`] for a receipt that is not proved; [`CliError::ReceiptsIncomplete`] if the
/// receipts of a license are more or less than its settled amount; errors of the gateway and the node.
pub async fn run(args: AuditArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let gateway = session.gateway().await;
    let operator = gateway.operator().await?.operator.0;
    let keys = client.operator(&operator).await?.receipt_keys;
    let proof = prove(&gateway, session).await?;
    let mut scales = Scales::new(&client);
    let mut channels = Vec::new();
    for (address, account) in client.channels(None, Some(&operator)).await? {
        if !account.licenses.iter().any(|license| license.work == work) {
            continue;
        }
        let auditor = Auditor { gateway: &gateway, proof: &proof, keys: &keys, work };
        let (receipts, proved) = auditor.audit(&address, &account).await?;
        let scale = scales.get(&account.channel.mint).await?;
        channels.push(AuditedChannel {
            channel: address.to_string(),
            payer: account.channel.payer.to_string(),
            receipts,
            proved: scale.money(proved),
            credited: scale.money(credited(&account, &work).values().sum()),
        });
    }
    let (work, operator) = (work.to_string(), operator.to_string());
    session.print(&AuditOutput { work, operator, channels });
    Ok(())
}

/// Returns what each license of a work was settled for, by its index.
fn credited(account: &ChannelAccount, work: &Pubkey) -> BTreeMap<u16, u64> {
    let licenses = (0..).zip(&account.licenses).filter(|(_, license)| license.work == *work);
    licenses.map(|(index, license)| (index, license.settled)).collect()
}

/// Reads and proves the receipts of a work.
struct Auditor<'a> {
    gateway: &'a GatewayClient,
    proof: &'a PersonProof,
    keys: &'a ReceiptKeys,
    work: Pubkey,
}

impl Auditor<'_> {
    /// Returns the number of a channel's receipts on settled statements and the sum of their prices.
    async fn audit(
        &self,
        address: &Pubkey,
        account: &ChannelAccount,
    ) -> Result<(u64, u64), CliError> {
        let settled_statements = account.channel.statements.length;
        let mut sums: BTreeMap<u16, u64> = BTreeMap::new();
        let (mut all, mut from) = (0_u64, (0, 0));
        loop {
            let page =
                self.gateway.work_receipts(&self.work, address, from, PAGE, self.proof).await?;
            let WorkReceipts { receipts } = page;
            let is_last = receipts.len() < PAGE as usize;
            for parts in &receipts {
                let signed = SignedReceipt::from(parts);
                let receipt = &signed.receipt;
                let place = (receipt.statement, receipt.position);
                // Receipts in order count once.
                if receipt.work != self.work || place < from {
                    return Err(failed(&signed, "it is not the receipt that was asked for"));
                }
                from = (receipt.statement, receipt.position.saturating_add(1));
                if receipt.statement >= settled_statements {
                    continue;
                }
                self.prove(address, account, &signed).await?;
                let sum = sums.entry(receipt.license).or_default();
                *sum = sum.saturating_add(receipt.amount);
                all = all.saturating_add(1);
            }
            if is_last {
                break;
            }
        }
        let credited = credited(account, &self.work);
        for license in sums.keys().chain(credited.keys()) {
            let of = |amounts: &BTreeMap<u16, u64>| amounts.get(license).copied().unwrap_or(0);
            let (receipts, settled) = (of(&sums), of(&credited));
            if receipts != settled {
                let (channel, license) = (*address, *license);
                return Err(CliError::ReceiptsIncomplete { channel, license, receipts, settled });
            }
        }
        Ok((all, sums.values().sum()))
    }

    async fn prove(
        &self,
        address: &Pubkey,
        account: &ChannelAccount,
        signed: &SignedReceipt,
    ) -> Result<(), CliError> {
        let parts = self.gateway.proof(&signed.receipt.digest()).await?;
        let proof = ReceiptProof { signed: *signed, ..ReceiptProof::from(&parts) };
        let verified = proof.verify(address, &account.channel, self.keys);
        verified.map_err(|error| failed(signed, &error.to_string()))
    }
}

fn failed(signed: &SignedReceipt, reason: &str) -> CliError {
    let (statement, position) = (signed.receipt.statement, signed.receipt.position);
    let first = format!("statement {statement}, position {position}: {reason}");
    CliError::ReceiptsFailed { failed: 1, all: 1, first }
}

impl fmt::Display for AuditOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.channels.is_empty() {
            return write!(formatter, "No channel of {} has a license of the work.", self.operator);
        }
        let rows = self.channels.iter().map(|one| {
            let receipts = grouped(one.receipts);
            [one.payer.clone(), receipts, one.proved.to_string(), one.credited.to_string()]
        });
        let table = table(["platform", "receipts", "proved", "credited"], &[1, 2, 3], rows);
        write!(
            formatter,
            "{table}\nEvery receipt is signed by the operator and in a settled statement, and all of them are what the chain credited."
        )
    }
}
